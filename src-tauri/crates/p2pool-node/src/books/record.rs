//! One share as a JSON object: every field, units in the names.

use std::io::{self, Write};

use p2pool_sharechain::compact::difficulty;
use p2pool_sharechain::share::{Payee, StaleInfo};
use p2pool_sharechain::{CheckedShare, Hash32, Params, ShareHash, address, merkle_link};
use serde::Serialize;

/// A share with all its fields. Hashes are in display order, bytes in wire order, both as
/// hexadecimal digits; numbers that may pass 2^53 are decimal texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShareRecord {
    /// Identity.
    pub hash: String,
    /// Share type.
    pub share_version: u64,
    /// Parent share.
    pub previous_share_hash: Option<String>,
    /// The 100th ancestor.
    pub far_share_hash: Option<String>,
    /// Share timestamp.
    pub timestamp_unix_s: u32,
    /// Shares since the chain's first.
    pub abs_height: u32,
    /// Expected hashes since the chain's first share.
    pub abs_work_hashes: String,
    /// Compact target that it had to meet.
    pub bits: String,
    /// Compact easiest target that it could have had.
    pub max_bits: String,
    /// Difficulty that it had to meet.
    pub difficulty: f64,
    /// Who is paid: the address text, or that of the key's hash in old types.
    pub payee: String,
    /// The output script that pays it.
    pub payee_script_hex: Option<String>,
    /// Part of the weight given to the donation script.
    pub donation_65535ths: u16,
    /// Value of the generation transaction.
    pub subsidy_sats: u64,
    /// `orphan`, `doa`, a number for unknown announcements, or nothing.
    pub stale_info: Option<String>,
    /// Vote for a share type.
    pub desired_version: u64,
    /// Random number.
    pub nonce: u32,
    /// The generation transaction's scriptSig.
    pub coinbase_hex: String,
    /// Merkle branch of txids.
    pub txid_branch: Option<Vec<String>>,
    /// Root of the witness ids.
    pub wtxid_merkle_root: Option<String>,
    /// Hashes of transactions named first here; old types.
    pub new_transaction_hashes: Option<Vec<String>>,
    /// (generations back, index) of each transaction; old types.
    pub transaction_refs: Option<Vec<(u64, u64)>>,
    /// Branch from the share's fields to the ref hash.
    pub ref_merkle_branch: Vec<String>,
    /// Nonce bytes of the generation transaction as a number.
    pub last_txout_nonce: String,
    /// SHA-256 state of the generation transaction before the ref hash.
    pub hash_link_state_hex: String,
    /// Bytes behind that state.
    pub hash_link_length_bytes: u64,
    /// Not checked from type 34 on.
    pub merkle_branch: Vec<String>,
    /// Id of the generation transaction.
    pub generation_txid: String,
    /// The Bitcoin header.
    pub header: HeaderRecord,
    /// Whether the hash meets the Bitcoin target that the header claims.
    pub claims_block: bool,
    /// The share as sent between nodes.
    pub raw_hex: String,
}

/// A Bitcoin header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderRecord {
    /// Block version.
    pub version: u64,
    /// The block built on.
    pub previous_block: String,
    /// Merkle root.
    pub merkle_root: String,
    /// Header time.
    pub timestamp_unix_s: u32,
    /// Compact target.
    pub bits: String,
    /// Header nonce.
    pub nonce: u32,
}

impl ShareRecord {
    /// Writes down a share of a network.
    pub fn new(checked: &CheckedShare, params: &Params) -> Self {
        let share = checked.share();
        let (info, data) = (&share.info, &share.info.data);
        let branch =
            info.segwit.as_ref().map_or(&share.merkle_branch, |segwit| &segwit.txid_branch);
        let script = address::decode(checked.payee(), &params.addresses)
            .and_then(|decoded| address::script(&decoded, share.version.pads_programs()));
        Self {
            hash: checked.hash().to_string(),
            share_version: share.version.number(),
            previous_share_hash: data.previous_share.map(|hash| hash.to_string()),
            far_share_hash: info.far_share.map(|hash| hash.to_string()),
            timestamp_unix_s: info.timestamp,
            abs_height: info.abs_height,
            abs_work_hashes: info.abs_work.to_string(),
            bits: info.bits.to_string(),
            max_bits: info.max_bits.to_string(),
            difficulty: difficulty(checked.target()),
            payee: match &data.payee {
                Payee::Address(text) => String::from_utf8_lossy(text).into_owned(),
                Payee::PubkeyHash(_) => String::from_utf8_lossy(checked.payee()).into_owned(),
            },
            payee_script_hex: script.ok().map(|script| hex(&script)),
            donation_65535ths: data.donation,
            subsidy_sats: data.subsidy_sats,
            stale_info: stale_text(data.stale_info),
            desired_version: data.desired_version,
            nonce: data.nonce,
            coinbase_hex: hex(&data.coinbase),
            txid_branch: info.segwit.as_ref().map(|segwit| displays(&segwit.txid_branch)),
            wtxid_merkle_root: info.segwit.as_ref().map(|segwit| display(&segwit.wtxid_root)),
            new_transaction_hashes: info.tx_refs.as_ref().map(|refs| displays(&refs.new_hashes)),
            transaction_refs: info.tx_refs.as_ref().map(|refs| refs.refs.clone()),
            ref_merkle_branch: displays(&share.ref_merkle_branch),
            last_txout_nonce: share.last_txout_nonce.to_string(),
            hash_link_state_hex: hex(&share.hash_link.state),
            hash_link_length_bytes: share.hash_link.length,
            merkle_branch: displays(&share.merkle_branch),
            generation_txid: display(checked.txid()),
            header: HeaderRecord {
                version: share.header.version,
                previous_block: display(&share.header.previous_block),
                merkle_root: display(&merkle_link::fold(*checked.txid(), branch)),
                timestamp_unix_s: share.header.timestamp,
                bits: share.header.bits.to_string(),
                nonce: share.header.nonce,
            },
            claims_block: checked.claims_block(),
            raw_hex: hex(&share.to_bytes()),
        }
    }
}

/// Writes a share as the reference's share store does: the share, then, if it has passed its
/// contextual checks, a line that says so.
///
/// Source: protocol notes, storage.md section 1.
///
/// # Errors
/// Those of `out`.
pub fn raw_lines(
    out: &mut impl Write,
    raw: &[u8],
    hash: ShareHash,
    is_verified: bool,
) -> io::Result<()> {
    writeln!(out, "5 {}", hex(raw))?;
    if is_verified {
        let digits = hash.to_string();
        let digits = digits.trim_start_matches('0');
        writeln!(out, "2 {}", if digits.is_empty() { "0" } else { digits })?;
    }
    Ok(())
}

fn stale_text(info: StaleInfo) -> Option<String> {
    match info {
        StaleInfo::NONE => None,
        StaleInfo::ORPHAN => Some("orphan".into()),
        StaleInfo::DEAD_ON_ARRIVAL => Some("doa".into()),
        StaleInfo(other) => Some(other.to_string()),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn display(hash: &Hash32) -> String {
    ShareHash::from_internal(*hash).to_string()
}

fn displays(hashes: &[Hash32]) -> Vec<String> {
    hashes.iter().map(display).collect()
}
