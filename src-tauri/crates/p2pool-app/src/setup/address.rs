//! The address step: what an address is, and what the node says about it.

use bitcoin::Network;
use p2pool_node::payout_address::{self, AddressFault, AddressKind};
use p2pool_sharechain::Params;
use p2pool_sharechain::versions::ShareVersion;

use super::answers::Answers;
use super::job::Owner;
use crate::api::{
    AddressFaultKind, AddressOwner, AddressStep, AddressType, AddressVerdict, ProblemCode,
};

/// What is known of the address beside the answers.
#[derive(Debug, Default)]
pub(crate) struct AddressWork {
    pub(super) wallets: Vec<String>,
    pub(super) owner: Owner,
    /// The address that the owner was asked for.
    pub(super) asked: Option<Option<String>>,
    pub(super) wallet_trouble: String,
    pub(super) is_asking_wallet: bool,
}

/// Judges what a person typed or pasted, by the share type in force.
pub(crate) fn judge(text: &str, params: &Params, version: ShareVersion) -> AddressVerdict {
    match payout_address::judge(text, params, version) {
        Ok(address) => AddressVerdict::Good {
            address: address.text,
            address_type: match address.kind {
                AddressKind::Segwit => AddressType::Segwit,
                AddressKind::SegwitScript => AddressType::SegwitScript,
                AddressKind::Script => AddressType::Script,
                AddressKind::Legacy => AddressType::Legacy,
            },
        },
        Err(AddressFault::Empty) => AddressVerdict::Empty,
        Err(fault) => bad(fault),
    }
}

fn bad(fault: AddressFault) -> AddressVerdict {
    use AddressFaultKind as Kind;
    let place = |index: usize| u32::try_from(index).ok();
    let (kind, at, found) = match fault {
        AddressFault::Secret => (Kind::Secret, None, None),
        AddressFault::OtherNetwork { is_test: true } => (Kind::TestNetwork, None, None),
        AddressFault::OtherNetwork { is_test: false } => (Kind::RealNetwork, None, None),
        AddressFault::Taproot => (Kind::Taproot, None, None),
        AddressFault::UnknownWitness => (Kind::NewKind, None, None),
        AddressFault::UnsafeScript => (Kind::UnsafeScript, None, None),
        AddressFault::ZeroPrefix => (Kind::ZeroPrefix, None, None),
        AddressFault::OnlyLegacy => (Kind::OnlyLegacy, None, None),
        AddressFault::Lightning => (Kind::Lightning, None, None),
        AddressFault::SilentPayment => (Kind::SilentPayment, None, None),
        AddressFault::ExtendedKey => (Kind::ExtendedKey, None, None),
        AddressFault::Character { index, found } => (Kind::Character, place(index), Some(found)),
        AddressFault::MixedCase { index } => (Kind::MixedCase, place(index), None),
        AddressFault::Checksum { index } => (Kind::Checksum, index.and_then(place), None),
        AddressFault::Empty | AddressFault::NotAnAddress | _ => (Kind::NotAnAddress, None, None),
    };
    let code = match fault.code() {
        "A-02" => ProblemCode::AddressUnsupported,
        "A-03" => ProblemCode::AddressOfTestNetwork,
        "A-04" => ProblemCode::SecretPasted,
        "A-05" => ProblemCode::AddressRare,
        _ => ProblemCode::AddressTypo,
    };
    AddressVerdict::Bad { code, fault: kind, at, found }
}

/// The network of the share chain on a Bitcoin chain.
pub(crate) fn params(chain: Network) -> Params {
    match chain {
        Network::Bitcoin => Params::mainnet(),
        Network::Testnet => Params::testnet(),
        Network::Testnet4 | Network::Signet | Network::Regtest => Params::test_pool(chain),
    }
}

impl AddressWork {
    pub(super) fn view(
        &self,
        answers: &Answers,
        params: &Params,
        version: ShareVersion,
    ) -> AddressStep {
        let verdict = match &answers.address {
            Some(address) => judge(address, params, version),
            None => AddressVerdict::Empty,
        };
        let owner = match &self.owner {
            Owner::Unknown => AddressOwner::Unknown,
            Owner::Wallet(name) => AddressOwner::Wallet { name: name.clone() },
            Owner::Refused => AddressOwner::Refused,
        };
        AddressStep {
            verdict,
            is_checked: answers.is_address_checked,
            owner,
            wallets: self.wallets.clone(),
            wallet_trouble: self.wallet_trouble.clone(),
        }
    }
}
