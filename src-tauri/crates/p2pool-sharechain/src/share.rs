//! A share as it travels: its fields, and their exact order on the wire.
//!
//! Source: protocol notes, sharechain.md sections 1 and 2.

use crate::compact::CompactBits;
use crate::hash::{Hash32, ShareHash};
use crate::pack::{
    PackError, Reader, write_list, write_pairs, write_share_hash, write_var_bytes, write_var_int,
};
use crate::params::Params;
use crate::versions::ShareVersion;

/// A share with all its fields; says nothing about validity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The share type.
    pub version: ShareVersion,
    /// Header fields that cannot be rebuilt from the rest.
    pub header: MinHeader,
    /// What the generation transaction commits to.
    pub info: ShareInfo,
    /// Merkle branch from the hash of `info` to the ref hash; normally empty.
    pub ref_merkle_branch: Vec<Hash32>,
    /// The eight nonce bytes at the end of the generation transaction, little endian.
    pub last_txout_nonce: u64,
    /// SHA-256 state of the generation transaction before the ref hash.
    pub hash_link: HashLink,
    /// From type 34 on neither checked nor committed to.
    pub merkle_branch: Vec<Hash32>,
}

/// The Bitcoin header's fields, less the merkle root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinHeader {
    /// Block version; travels as a VarInt, only 32-bit values build a header.
    pub version: u64,
    /// The Bitcoin block built on, internal order; zeros for none.
    pub previous_block: Hash32,
    /// Header time, independent of the share's timestamp.
    pub timestamp: u32,
    /// Bitcoin's target as the share claims it.
    pub bits: CompactBits,
    /// Header nonce.
    pub nonce: u32,
}

/// What a share commits to through its ref hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareInfo {
    /// The part that the share's maker chooses.
    pub data: ShareData,
    /// Witness commitment data; always present from type 34 on.
    pub segwit: Option<SegwitData>,
    /// Transaction references, types below 34 only.
    pub tx_refs: Option<TxRefs>,
    /// The 100th ancestor.
    pub far_share: Option<ShareHash>,
    /// Easiest target allowed for this share.
    pub max_bits: CompactBits,
    /// Target that this share has to meet.
    pub bits: CompactBits,
    /// Share timestamp, unix seconds.
    pub timestamp: u32,
    /// Shares since the chain's first, modulo 2^32.
    pub abs_height: u32,
    /// Work since the chain's first share, modulo 2^128.
    pub abs_work: u128,
}

/// The fields that the share's maker chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareData {
    /// Parent share, `None` for the first of a chain.
    pub previous_share: Option<ShareHash>,
    /// The generation transaction's whole scriptSig, 2 to 100 bytes.
    pub coinbase: Vec<u8>,
    /// Random.
    pub nonce: u32,
    /// Who is paid.
    pub payee: Payee,
    /// Total value of the generation transaction, sats.
    pub subsidy_sats: u64,
    /// Part of the weight given to the donation script, in 65535ths.
    pub donation: u16,
    /// Announces an own share that was lost.
    pub stale_info: StaleInfo,
    /// Vote for a share type.
    pub desired_version: u64,
}

/// Who a share pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payee {
    /// Types below 34: hash of a public key, natural order.
    PubkeyHash([u8; 20]),
    /// From type 34 on: the address text as raw bytes. Two spellings are two payees.
    Address(Vec<u8>),
}

/// Announcement of a lost share: a byte of which three values have a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaleInfo(pub u8);

impl StaleInfo {
    /// Nothing to announce.
    pub const NONE: Self = Self(0);
    /// An own share lost a race.
    pub const ORPHAN: Self = Self(253);
    /// An own share was late when it was made.
    pub const DEAD_ON_ARRIVAL: Self = Self(254);

    /// Whether a lost share is announced; unknown values count.
    pub fn is_stale(self) -> bool {
        self != Self::NONE
    }
}

/// Witness data of a share's block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegwitData {
    /// Merkle branch of txids beside the generation transaction.
    pub txid_branch: Vec<Hash32>,
    /// Root of the witness ids with the generation transaction's as zero.
    pub wtxid_root: Hash32,
}

/// Transactions of a share's block by reference, types below 34.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxRefs {
    /// Hashes (with witness) that no recent ancestor names.
    pub new_hashes: Vec<Hash32>,
    /// (generations back, index in that share's new hashes) for each transaction.
    pub refs: Vec<(u64, u64)>,
}

/// SHA-256 state after a prefix of the generation transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashLink {
    /// Eight chaining words, each big endian.
    pub state: [u8; 32],
    /// Length of the prefix in bytes, as claimed.
    pub length: u64,
}

/// Why bytes are not a share of a known type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseShareError {
    /// The type is older than all that can be parsed; receivers of messages skip such shares.
    #[error("share type {0} is obsolete")]
    ObsoleteVersion(u64),
    /// The type is not one that can be parsed.
    #[error("share type {0} is unknown")]
    UnknownVersion(u64),
    /// Encoding broken.
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// No witness data, where the layout has room for it.
const SEGWIT_NONE_ROOT: Hash32 = [0xff; 32];

impl Share {
    /// Parses a share with its envelope: type, length, contents.
    ///
    /// # Errors
    /// Unknown types, broken encodings, bytes left over.
    pub fn parse(bytes: &[u8], params: &Params) -> Result<Self, ParseShareError> {
        let mut reader = Reader::new(bytes);
        let version = reader.var_int()?;
        let contents = reader.var_bytes()?;
        reader.end()?;
        Self::parse_contents(version, contents, params)
    }

    /// Parses a share's contents, the type being known.
    ///
    /// # Errors
    /// As [`Share::parse`].
    pub fn parse_contents(
        version: u64,
        contents: &[u8],
        params: &Params,
    ) -> Result<Self, ParseShareError> {
        let version = ShareVersion::from_number(version).ok_or_else(|| {
            if version < ShareVersion::OLDEST.number() {
                ParseShareError::ObsoleteVersion(version)
            } else {
                ParseShareError::UnknownVersion(version)
            }
        })?;
        let mut reader = Reader::new(contents);
        let header = MinHeader {
            version: reader.var_int()?,
            previous_block: reader.hash()?,
            timestamp: reader.u32()?,
            bits: CompactBits(reader.u32()?),
            nonce: reader.u32()?,
        };
        let info = ShareInfo::read(&mut reader, version, params)?;
        let share = Self {
            version,
            header,
            info,
            ref_merkle_branch: reader.hashes()?,
            last_txout_nonce: reader.u64()?,
            hash_link: HashLink { state: reader.array()?, length: reader.var_int()? },
            merkle_branch: reader.hashes()?,
        };
        reader.end()?;
        Ok(share)
    }

    /// The share with its envelope, as sent between nodes and stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let contents = self.contents_to_bytes();
        let mut out = Vec::with_capacity(contents.len().saturating_add(4));
        write_var_int(&mut out, self.version.number());
        write_var_bytes(&mut out, &contents);
        out
    }

    /// The share's contents without envelope.
    pub fn contents_to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        write_var_int(&mut out, self.header.version);
        out.extend_from_slice(&self.header.previous_block);
        out.extend_from_slice(&self.header.timestamp.to_le_bytes());
        out.extend_from_slice(&self.header.bits.0.to_le_bytes());
        out.extend_from_slice(&self.header.nonce.to_le_bytes());
        self.info.write(&mut out, self.version);
        write_list(&mut out, &self.ref_merkle_branch);
        out.extend_from_slice(&self.last_txout_nonce.to_le_bytes());
        out.extend_from_slice(&self.hash_link.state);
        write_var_int(&mut out, self.hash_link.length);
        write_list(&mut out, &self.merkle_branch);
        out
    }

    /// The parent share.
    pub fn parent(&self) -> Option<ShareHash> {
        self.info.data.previous_share
    }
}

impl ShareInfo {
    fn read(
        reader: &mut Reader<'_>,
        version: ShareVersion,
        params: &Params,
    ) -> Result<Self, PackError> {
        let previous_share = reader.share_hash()?;
        let coinbase = reader.var_bytes()?.to_vec();
        let nonce = reader.u32()?;
        let payee = if version.pays_addresses() {
            Payee::Address(reader.var_bytes()?.to_vec())
        } else {
            Payee::PubkeyHash(reader.hash_20()?)
        };
        let data = ShareData {
            previous_share,
            coinbase,
            nonce,
            payee,
            subsidy_sats: reader.u64()?,
            donation: reader.u16()?,
            stale_info: StaleInfo(reader.u8()?),
            desired_version: reader.var_int()?,
        };
        let segwit = if version.number() >= params.segwit_activation {
            let txid_branch = reader.hashes()?;
            let wtxid_root = reader.hash()?;
            (!txid_branch.is_empty() || wtxid_root != SEGWIT_NONE_ROOT)
                .then_some(SegwitData { txid_branch, wtxid_root })
        } else {
            None
        };
        let tx_refs = if version.refers_to_transactions() {
            Some(TxRefs { new_hashes: reader.hashes()?, refs: reader.pairs()? })
        } else {
            None
        };
        Ok(Self {
            data,
            segwit,
            tx_refs,
            far_share: reader.share_hash()?,
            max_bits: CompactBits(reader.u32()?),
            bits: CompactBits(reader.u32()?),
            timestamp: reader.u32()?,
            abs_height: reader.u32()?,
            abs_work: reader.u128()?,
        })
    }

    /// Appends the bytes that the ref hash commits to.
    ///
    /// `version` must be that of the share; the layout's witness field is written as "none"
    /// when the share lacks it though its type on its network has the field: such a share
    /// cannot be made here, only parsed and refused.
    pub(crate) fn write(&self, out: &mut Vec<u8>, version: ShareVersion) {
        write_share_hash(out, self.data.previous_share);
        write_var_bytes(out, &self.data.coinbase);
        out.extend_from_slice(&self.data.nonce.to_le_bytes());
        match &self.data.payee {
            Payee::PubkeyHash(hash) => out.extend_from_slice(hash),
            Payee::Address(text) => write_var_bytes(out, text),
        }
        out.extend_from_slice(&self.data.subsidy_sats.to_le_bytes());
        out.extend_from_slice(&self.data.donation.to_le_bytes());
        out.push(self.data.stale_info.0);
        write_var_int(out, self.data.desired_version);
        match &self.segwit {
            Some(segwit) => {
                write_list(out, &segwit.txid_branch);
                out.extend_from_slice(&segwit.wtxid_root);
            }
            None if !version.refers_to_transactions() => {
                write_list(out, &[]);
                out.extend_from_slice(&SEGWIT_NONE_ROOT);
            }
            None => {}
        }
        if let Some(refs) = &self.tx_refs {
            write_list(out, &refs.new_hashes);
            write_pairs(out, &refs.refs);
        }
        write_share_hash(out, self.far_share);
        out.extend_from_slice(&self.max_bits.0.to_le_bytes());
        out.extend_from_slice(&self.bits.0.to_le_bytes());
        out.extend_from_slice(&self.timestamp.to_le_bytes());
        out.extend_from_slice(&self.abs_height.to_le_bytes());
        out.extend_from_slice(&self.abs_work.to_le_bytes());
    }
}

#[cfg(test)]
#[path = "share/tests.rs"]
mod tests;
