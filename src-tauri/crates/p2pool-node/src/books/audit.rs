//! Payout audit: what a block's shares entitle each script to, against what its coinbase pays.

use std::collections::BTreeMap;

use bitcoin::consensus::Decodable;
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash};
use p2pool_sharechain::{ShareHash, Tracker};

/// One script's due and payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutCheck {
    /// The script.
    pub script: Vec<u8>,
    /// What the shares entitle it to, sats.
    pub due_sats: u64,
    /// What the coinbase pays it, sats.
    pub paid_sats: u64,
}

/// The outcome of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockAudit {
    /// The block, which is also a share.
    pub block: ShareHash,
    /// Every script that is due or paid anything, greatest due first.
    pub payouts: Vec<PayoutCheck>,
    /// Sum of the coinbase's outputs, sats.
    pub coinbase_sats: u64,
    /// Whether the coinbase's transaction id is the one that the shares demand, byte for byte.
    pub is_exact: bool,
}

impl BlockAudit {
    /// Whether every script got its due to the satoshi.
    pub fn is_clean(&self) -> bool {
        self.is_exact && self.payouts.iter().all(|check| check.due_sats == check.paid_sats)
    }
}

/// Why a block cannot be audited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Not a block.
    #[error("the bytes are not a block: {0}")]
    NotABlock(String),
    /// The block is not a known share.
    #[error("block {0} is not a known share")]
    Unknown(ShareHash),
    /// Not enough shares below it are known.
    #[error("too few shares below block {0} are known")]
    NoHistory(ShareHash),
    /// The shares demand a payment that cannot be made.
    #[error("a payee of block {0} cannot be paid")]
    Payee(ShareHash),
}

/// Recomputes from the shares what each script had to get, and compares with the real coinbase.
///
/// # Errors
/// [`AuditError`].
pub fn audit_block(tracker: &mut Tracker, raw: &[u8]) -> Result<BlockAudit, AuditError> {
    let block = Block::consensus_decode(&mut &raw[..])
        .map_err(|error| AuditError::NotABlock(error.to_string()))?;
    let hash = share_hash(block.block_hash());
    let coinbase = block
        .txdata
        .first()
        .ok_or_else(|| AuditError::NotABlock("it has no transactions".into()))?;
    let share = tracker.get(hash).cloned().ok_or(AuditError::Unknown(hash))?;
    if !tracker.can_judge(hash) {
        return Err(AuditError::NoHistory(hash));
    }
    let generation = tracker.generation_of(&share).map_err(|_| AuditError::Payee(hash))?;
    let mut sums: BTreeMap<Vec<u8>, (u64, u64)> = BTreeMap::new();
    for output in generation.outputs() {
        let due = &mut sums.entry(output.script.clone()).or_default().0;
        *due = due.saturating_add(output.value_sats);
    }
    let mut coinbase_sats = 0_u64;
    for output in &coinbase.output {
        let sats = output.value.to_sat();
        coinbase_sats = coinbase_sats.saturating_add(sats);
        let paid = &mut sums.entry(output.script_pubkey.to_bytes()).or_default().1;
        *paid = paid.saturating_add(sats);
    }
    let nonce = share.share().last_txout_nonce.to_le_bytes();
    let is_exact = coinbase.compute_txid().to_byte_array() == generation.txid(nonce);
    let mut payouts: Vec<PayoutCheck> = sums
        .into_iter()
        .map(|(script, (due_sats, paid_sats))| PayoutCheck { script, due_sats, paid_sats })
        .filter(|check| check.due_sats > 0 || check.paid_sats > 0)
        .collect();
    payouts.sort_by(|a, b| (b.due_sats, &a.script).cmp(&(a.due_sats, &b.script)));
    Ok(BlockAudit { block: hash, payouts, coinbase_sats, is_exact })
}

fn share_hash(hash: BlockHash) -> ShareHash {
    ShareHash::from_internal(hash.to_byte_array())
}
