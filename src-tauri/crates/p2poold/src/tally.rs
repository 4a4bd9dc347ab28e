//! What happened in this run, counted.
//!
//! Events may be lost by a reader that is late, so what matters is also taken from snapshots, and
//! everything is counted once by its hash.

use std::collections::{BTreeMap, VecDeque};

use p2pool_node::{BlockCheck, Event, NodeSnapshot};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::BlockStatus;
use p2pool_sharechain::time::UnixTime;

use crate::notice::{CheckedBlock, Summary};
use crate::payees::Payees;

/// Hashes remembered in order not to count them twice.
const REMEMBERED_MAX: usize = 10_000;
/// Blocks that a summary lists.
const BLOCKS_MAX: usize = 1000;

/// The counts of one run.
#[derive(Debug)]
pub(crate) struct Tally {
    started_at: UnixTime,
    is_practice: bool,
    /// Shares of an earlier run have been set apart.
    has_baseline: bool,
    pub(crate) shares_mine: u64,
    pub(crate) shares_late: u64,
    pub(crate) shares_others: u64,
    pub(crate) blocks_found: u64,
    pub(crate) blocks_rejected: u64,
    pub(crate) blocks_replaced: u64,
    pub(crate) blocks_accepted: u64,
    pub(crate) blocks_exact: u64,
    /// Accepted blocks whose sums are wrong.
    pub(crate) blocks_inexact: u64,
    /// Accepted blocks that could not be checked.
    pub(crate) blocks_unchecked: u64,
    shares: Remembered,
    found: Remembered,
    accepted: Remembered,
    paid: BTreeMap<Vec<u8>, u64>,
    blocks: VecDeque<BlockCheck>,
}

/// Hashes seen and whether they are our own, the oldest forgotten first.
#[derive(Debug, Default)]
struct Remembered {
    is_own: BTreeMap<ShareHash, bool>,
    order: VecDeque<ShareHash>,
}

impl Remembered {
    /// Whether `hash` is new.
    fn insert(&mut self, hash: ShareHash, is_own: bool) -> bool {
        if self.is_own.contains_key(&hash) {
            return false;
        }
        self.is_own.insert(hash, is_own);
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.is_own.remove(&oldest);
        }
        true
    }
}

impl Tally {
    /// An empty count.
    pub(crate) fn new(snapshot: &NodeSnapshot) -> Self {
        Self {
            started_at: snapshot.started_at,
            is_practice: snapshot.is_practice,
            has_baseline: !snapshot.is_continued,
            shares_mine: 0,
            shares_late: 0,
            shares_others: 0,
            blocks_found: 0,
            blocks_rejected: 0,
            blocks_replaced: 0,
            blocks_accepted: 0,
            blocks_exact: 0,
            blocks_inexact: 0,
            blocks_unchecked: 0,
            shares: Remembered::default(),
            found: Remembered::default(),
            accepted: Remembered::default(),
            paid: BTreeMap::new(),
            blocks: VecDeque::new(),
        }
    }

    /// Counts an event; gives a block that has just been accepted.
    pub(crate) fn event(&mut self, event: &Event) -> Option<ShareHash> {
        match event {
            Event::BestShare { hash, is_own: false, .. } => self.share_of_others(*hash),
            Event::ShareFound { is_on_time, .. } => {
                self.shares_mine += 1;
                self.shares_late += u64::from(!is_on_time);
            }
            Event::BlockFound { hash, is_own, .. } => self.found(*hash, *is_own),
            Event::BlockAccepted { hash, .. } => return self.accepted(*hash),
            Event::BlockRejected { .. } => self.blocks_rejected += 1,
            Event::BlockReplaced { hash } => self.replaced(*hash),
            Event::BestShare { is_own: true, .. } | Event::StorageSlow => {}
        }
        None
    }

    /// Counts what the events may have missed; gives blocks that have been accepted meanwhile.
    pub(crate) fn snapshot(&mut self, snapshot: &NodeSnapshot) -> Vec<ShareHash> {
        let summary = &snapshot.summary;
        if !self.has_baseline && summary.best.is_some() {
            self.has_baseline = true;
            for hash in summary.window.iter().map(|share| share.hash).chain(summary.best) {
                self.shares.insert(hash, false);
            }
        }
        for share in summary.window.iter().filter(|share| !share.is_own) {
            self.share_of_others(share.hash);
        }
        let started_at = self.started_at;
        // Those of the very second of the start may be of an earlier run; events tell of them.
        let fresh = summary.blocks.iter().filter(|b| b.block.found_at > started_at);
        let mut accepted = Vec::new();
        for block in fresh.map(|entry| &entry.block) {
            self.found(block.hash, block.own);
            if matches!(block.status, BlockStatus::Accepted | BlockStatus::Mature) {
                accepted.extend(self.accepted(block.hash));
            }
        }
        accepted
    }

    fn share_of_others(&mut self, hash: ShareHash) {
        if self.shares.insert(hash, false) && self.has_baseline {
            self.shares_others += 1;
        }
    }

    fn found(&mut self, hash: ShareHash, is_own: bool) {
        self.blocks_found += u64::from(self.found.insert(hash, is_own));
    }

    /// Whether a miner of this node found the block.
    fn is_own_block(&self, hash: ShareHash) -> bool {
        self.found.is_own.get(&hash).is_some_and(|is_own| *is_own)
    }

    fn accepted(&mut self, hash: ShareHash) -> Option<ShareHash> {
        let is_new = self.accepted.insert(hash, false);
        self.blocks_accepted += u64::from(is_new);
        is_new.then_some(hash)
    }

    /// A block that has lost its place pays nobody; it may come back.
    fn replaced(&mut self, hash: ShareHash) {
        self.blocks_replaced += 1;
        self.no_longer_accepted(hash);
        let Some(at) = self.blocks.iter().position(|block| block.hash == hash) else { return };
        let Some(block) = self.blocks.remove(at) else { return };
        match block.is_exact() {
            true => self.blocks_exact -= 1,
            false => self.blocks_inexact -= 1,
        }
        for output in block.outputs {
            if let Some(sum) = self.paid.get_mut(&output.script) {
                *sum = sum.saturating_sub(output.value_sats);
            }
        }
    }

    /// Takes back that a block was accepted, if that was counted.
    pub(crate) fn no_longer_accepted(&mut self, hash: ShareHash) {
        self.blocks_accepted -= u64::from(self.accepted.is_own.remove(&hash).is_some());
    }

    /// Adds up an accepted block as the chain has it.
    pub(crate) fn checked(&mut self, check: BlockCheck) {
        match check.is_exact() {
            true => self.blocks_exact += 1,
            false => self.blocks_inexact += 1,
        }
        for output in check.outputs.iter().filter(|output| output.value_sats > 0) {
            *self.paid.entry(output.script.clone()).or_default() += output.value_sats;
        }
        self.blocks.push_back(check);
        if self.blocks.len() > BLOCKS_MAX {
            self.blocks.pop_front();
        }
    }

    /// Accepted blocks about which everything is known.
    pub(crate) fn blocks_settled(&self) -> u64 {
        self.blocks_exact + self.blocks_inexact + self.blocks_unchecked
    }

    /// All of it, for the end.
    pub(crate) fn summary(&self, ran_seconds: u64, payees: &Payees) -> Summary {
        let paid = self.paid.iter().filter(|(_, sats)| **sats > 0);
        Summary {
            is_practice: self.is_practice,
            ran_seconds,
            shares_mine: self.shares_mine,
            shares_late: self.shares_late,
            shares_others: self.shares_others,
            blocks_found: self.blocks_found,
            blocks_accepted: self.blocks_accepted,
            blocks_exact: self.blocks_exact,
            blocks_rejected: self.blocks_rejected,
            blocks_replaced: self.blocks_replaced,
            payouts: payees.by_amount(paid.map(|(script, sats)| (script, *sats))),
            blocks: self.blocks.iter().map(|block| self.telling(block, payees)).collect(),
        }
    }

    /// A checked block for telling.
    pub(crate) fn telling(&self, block: &BlockCheck, payees: &Payees) -> CheckedBlock {
        let paying = block.outputs.iter().filter(|output| output.value_sats > 0);
        CheckedBlock {
            hash: block.hash.to_string(),
            height: block.height,
            is_own: self.is_own_block(block.hash),
            confirmations: block.confirmations,
            subsidy_sats: block.subsidy_sats,
            fees_sats: block.fees_sats,
            outputs_sum_sats: block.paid_sats(),
            is_exact: block.is_exact(),
            outputs: paying.map(|o| payees.payment(&o.script, o.value_sats)).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
