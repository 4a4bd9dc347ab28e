//! The JSON of the methods that we call, named as bitcoind names it.
//!
//! The types go both ways: a server that speaks for a chain of its own answers with them.
//! Fields that nobody here reads are left out; unknown ones are ignored when reading.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bitcoin::block::Header;
use bitcoin::{BlockHash, TxMerkleNode, Txid};
use serde::{Deserialize, Serialize};

/// Answer to `getblockchaininfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockchainInfo {
    /// `main`, `test`, `testnet4`, `signet` or `regtest`.
    pub chain: String,
    /// Height of the best block.
    pub blocks: u32,
    /// Height of the best header.
    pub headers: u32,
    /// The best block.
    #[serde(with = "as_text")]
    pub bestblockhash: BlockHash,
    /// Ratio of difficulty 1's target to the best block's.
    pub difficulty: f64,
    /// Header time of the best block, unix seconds.
    #[serde(default)]
    pub time: Option<u32>,
    /// Median time past of the best block, unix seconds.
    pub mediantime: u32,
    /// How much of the chain is verified, 0 to 1.
    pub verificationprogress: f64,
    /// Whether the node is still fetching the chain.
    pub initialblockdownload: bool,
    /// Whether old blocks are deleted.
    pub pruned: bool,
    /// Bytes on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_on_disk: Option<u64>,
    /// What the node wants its owner to know.
    #[serde(default)]
    pub warnings: Warnings,
}

/// Answer to `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// Version as a number: 310000 is 31.0.
    pub version: u32,
    /// Version as peers see it, `/Satoshi:31.0.0/`.
    pub subversion: String,
    /// Version of the protocol between nodes.
    pub protocolversion: u32,
    /// Peers.
    pub connections: u32,
    /// Whether the node uses the network at all.
    #[serde(default = "yes")]
    pub networkactive: bool,
    /// How far its peers' clocks are from its own, in seconds: their median.
    #[serde(default)]
    pub timeoffset: i64,
    /// What the node wants its owner to know.
    #[serde(default)]
    pub warnings: Warnings,
}

/// One entry of the answer to `getzmqnotifications`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZmqNotification {
    /// What is published: `pubhashblock`, `pubrawtx` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the node publishes it, as `bitcoin.conf` says it: `tcp://127.0.0.1:28332`.
    pub address: String,
}

/// Warnings: a list, or with versions before 28 one text, empty for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Warnings {
    /// Present form.
    Many(Vec<String>),
    /// Form before version 28.
    One(String),
}

impl Default for Warnings {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Warnings {
    /// The warnings one by one.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Self::Many(all) => all.as_slice(),
            Self::One(one) => std::slice::from_ref(one),
        };
        all.iter().map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Answer to a verbose `getblockheader`, and the first part of a verbose `getblock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockHeaderInfo {
    /// The block.
    #[serde(with = "as_text")]
    pub hash: BlockHash,
    /// Blocks from here to the tip, both counted; -1 off the best chain.
    pub confirmations: i64,
    /// Height.
    pub height: u32,
    /// Version field.
    pub version: i32,
    /// Root of the transaction tree.
    #[serde(with = "as_text")]
    pub merkleroot: TxMerkleNode,
    /// Header time, unix seconds.
    pub time: u32,
    /// Median time past, unix seconds.
    pub mediantime: u32,
    /// Nonce.
    pub nonce: u32,
    /// Target in compact form.
    #[serde(with = "as_hex_bits")]
    pub bits: u32,
    /// Ratio of difficulty 1's target to this block's.
    pub difficulty: f64,
    /// Number of transactions.
    #[serde(rename = "nTx")]
    pub n_tx: u32,
    /// Parent; absent for the first block.
    #[serde(default, with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    pub previousblockhash: Option<BlockHash>,
    /// Child on the best chain, if any.
    #[serde(default, with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    pub nextblockhash: Option<BlockHash>,
}

/// Where a header stands in its chain: what a server adds to the header itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Height.
    pub height: u32,
    /// Blocks from here to the tip, both counted; -1 off the best chain.
    pub confirmations: i64,
    /// Median time past, unix seconds.
    pub median_time: u32,
    /// Child on the best chain, if any.
    pub next: Option<BlockHash>,
}

impl BlockHeaderInfo {
    /// Describes a header of `n_tx` transactions.
    pub fn new(header: &Header, place: Place, n_tx: u32) -> Self {
        Self {
            hash: header.block_hash(),
            confirmations: place.confirmations,
            height: place.height,
            version: header.version.to_consensus(),
            merkleroot: header.merkle_root,
            time: header.time,
            mediantime: place.median_time,
            nonce: header.nonce,
            bits: header.bits.to_consensus(),
            difficulty: header.difficulty_float(),
            n_tx,
            previousblockhash: (place.height > 0).then_some(header.prev_blockhash),
            nextblockhash: place.next,
        }
    }
}

/// Answer to `getblock` with verbosity 1. With verbosity 0 the answer is the block in hex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// The header.
    #[serde(flatten)]
    pub header: BlockHeaderInfo,
    /// Bytes.
    pub size: u32,
    /// Weight units.
    pub weight: u32,
    /// Transactions in order.
    #[serde(with = "as_texts")]
    pub tx: Vec<Txid>,
}

/// Answer to `validateaddress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressInfo {
    /// Whether the node's chain has such an address.
    pub isvalid: bool,
    /// The address in its normal spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Script that pays it, hex.
    #[serde(rename = "scriptPubKey", default, skip_serializing_if = "Option::is_none")]
    pub script_pubkey: Option<String>,
    /// Whether it is a witness address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iswitness: Option<bool>,
    /// Why it is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Parameter of `getblocktemplate`. Source: BIP-0022, BIP-0023, BIP-0009.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRequest {
    /// `template`, which is meant if absent, or `proposal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Soft forks that the caller knows.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Ask to be answered only when the template of this id is outdated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longpollid: Option<String>,
}

/// Answer to `getblocktemplate`. Source: BIP-0022, BIP-0023, BIP-0009, BIP-0145.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateAnswer<'a> {
    /// Block version with signalling bits.
    pub version: i32,
    /// Soft forks in force; those with `!` must be understood.
    #[serde(borrow, default)]
    pub rules: Vec<Cow<'a, str>>,
    /// Version bits that may be set, by name.
    #[serde(default)]
    pub vbavailable: BTreeMap<String, u32>,
    /// Version bits that must be set.
    #[serde(default)]
    pub vbrequired: u32,
    /// Parent.
    #[serde(with = "as_text")]
    pub previousblockhash: BlockHash,
    /// Transactions in order, without the generation transaction.
    #[serde(borrow)]
    pub transactions: Vec<TemplateTransactionAnswer<'a>>,
    /// Bytes in hex that belong into the scriptSig, by name.
    #[serde(default)]
    pub coinbaseaux: BTreeMap<String, String>,
    /// Subsidy plus fees of all transactions, sats.
    pub coinbasevalue: u64,
    /// Changes with the tip and with the transactions.
    pub longpollid: String,
    /// Target, 64 hex digits.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// Lowest header time allowed, unix seconds.
    pub mintime: u32,
    /// What the miner may change.
    #[serde(default)]
    pub mutable: Vec<String>,
    /// Range of nonces.
    #[serde(borrow, default)]
    pub noncerange: Cow<'a, str>,
    /// Most weighted signature operations.
    pub sigoplimit: u32,
    /// Most bytes.
    pub sizelimit: u32,
    /// Most weight units.
    #[serde(default)]
    pub weightlimit: Option<u32>,
    /// The node's clock, unix seconds, at least `mintime`.
    pub curtime: u32,
    /// Target in compact form.
    #[serde(with = "as_hex_bits")]
    pub bits: u32,
    /// Height of the block to be found.
    pub height: u32,
    /// On signet: the script that a block's makers must satisfy, hex.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub signet_challenge: Option<Cow<'a, str>>,
    /// Script of the witness commitment output for exactly these transactions, hex.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub default_witness_commitment: Option<Cow<'a, str>>,
}

/// A transaction of [`TemplateAnswer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateTransactionAnswer<'a> {
    /// Serialisation with witness, hex.
    #[serde(borrow)]
    pub data: Cow<'a, str>,
    /// Hash without witness, displayed order.
    #[serde(borrow)]
    pub txid: Cow<'a, str>,
    /// Hash with witness, displayed order.
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
    /// Positions (from 1) of transactions in this list that must come before.
    pub depends: Vec<u32>,
    /// Fee, sats.
    pub fee: u64,
    /// Weighted signature operations.
    pub sigops: u32,
    /// Weight units.
    pub weight: u32,
}

fn yes() -> bool {
    true
}

/// Values that JSON carries as their text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// As [`as_text`], for values that may be absent.
mod as_optional_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// As [`as_text`], for lists.
mod as_texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| text.parse().map_err(D::Error::custom))
            .collect()
    }
}

/// A compact target as eight hex digits.
mod as_hex_bits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(bits: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{bits:08x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 8 {
            return Err(D::Error::custom("bits are eight hex digits"));
        }
        u32::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
