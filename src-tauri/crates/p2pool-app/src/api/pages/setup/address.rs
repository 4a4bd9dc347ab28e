//! The address step: where work is paid.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::ProblemCode;

/// The address step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AddressStep {
    /// The address that was taken, with what it is.
    pub verdict: AddressVerdict,
    /// Whether the person has compared it with the wallet.
    pub is_checked: bool,
    /// What the node says about it.
    pub owner: AddressOwner,
    /// Wallets of the node that can make a new address.
    pub wallets: Vec<String>,
    /// Why the node's wallet gave no address, in its words; empty if it did, or was not asked.
    pub wallet_trouble: String,
}

/// What an address is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum AddressVerdict {
    /// There is none yet.
    #[default]
    Empty,
    /// Shares pay it, and its owner can spend it.
    Good {
        /// The address as shares name it: nothing around it, Bech32 in lower case.
        address: String,
        /// What it pays to.
        address_type: AddressType,
    },
    /// It cannot be used.
    Bad {
        /// Code of the error catalogue.
        code: ProblemCode,
        /// What is wrong.
        fault: AddressFaultKind,
        /// Place of the wrong character, from 0, in the text without what is around it; `None` if
        /// it cannot be told.
        at: Option<u32>,
        /// A character that no address has, at that place.
        found: Option<char>,
    },
}

/// What a good address pays to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AddressType {
    /// `bc1q…` with 42 characters.
    Segwit,
    /// `bc1q…` with 62 characters.
    SegwitScript,
    /// `3…`.
    Script,
    /// `1…`.
    Legacy,
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AddressFaultKind {
    /// A private key, seed words or the like. The field is cleared at once.
    Secret,
    /// Of a test network.
    TestNetwork,
    /// Of the real network, where this one's coins have no value.
    RealNetwork,
    /// A taproot address.
    Taproot,
    /// A newer kind of address.
    NewKind,
    /// A script hash that shares would pay wrongly.
    UnsafeScript,
    /// A key hash that the shares in force would pay wrongly.
    ZeroPrefix,
    /// The shares in force pay only addresses that start with 1.
    OnlyLegacy,
    /// A Lightning invoice or address.
    Lightning,
    /// A silent-payment address.
    SilentPayment,
    /// A whole wallet's public key.
    ExtendedKey,
    /// A character that no address of this kind has.
    Character,
    /// Capital and small letters in one Bech32 text.
    MixedCase,
    /// A typing error.
    Checksum,
    /// Nothing that resembles an address.
    NotAnAddress,
}

/// What the node says about the owner of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum AddressOwner {
    /// Nothing.
    #[default]
    Unknown,
    /// It belongs to a wallet of the node.
    Wallet {
        /// The wallet's name.
        name: String,
    },
    /// The node does not take it for an address.
    Refused,
}
