//! Shares that are valid and yet count less or more: block solutions and naughty shares.
//!
//! Source: protocol notes, chain-selection.md section 5, sharechain.md section 5 step 4.

use std::collections::{BTreeMap, VecDeque};

use crate::hash::{Hash32, ShareHash};
use crate::tracker::Tracker;
use crate::verify::CheckedShare;

use super::{BlockHeights, BlockSolutionRule};

/// Descendants of a naughty share are naughty up to this generation.
const NAUGHTY_MAX: u8 = 6;
/// Most fees remembered.
const FEES_MAX: usize = 20_000;

/// How shares have behaved.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    /// Naughty shares with their number, 1 to 6.
    naughty: BTreeMap<ShareHash, u8>,
    fees_sats: BTreeMap<Hash32, u64>,
    fee_order: VecDeque<Hash32>,
}

impl Conduct {
    pub(super) fn note_fee(&mut self, transaction: Hash32, fee_sats: u64) {
        if self.fees_sats.insert(transaction, fee_sats).is_some() {
            return;
        }
        self.fee_order.push_back(transaction);
        if self.fee_order.len() > FEES_MAX
            && let Some(oldest) = self.fee_order.pop_front()
        {
            self.fees_sats.remove(&oldest);
        }
    }

    pub(super) fn retain_known(&mut self, tracker: &Tracker) {
        self.naughty.retain(|hash, _| tracker.get(*hash).is_some());
    }

    /// To be called when a share has been verified: what its parent was then counts.
    pub(super) fn judge(
        &mut self,
        tracker: &Tracker,
        heights: &BlockHeights,
        share: &CheckedShare,
    ) {
        let parent = share.share().parent().and_then(|parent| self.naughty.get(&parent)).copied();
        let number = match parent {
            Some(number) => number.saturating_add(1),
            None if self.overpays(tracker, heights, share) => 1,
            None => return,
        };
        if number <= NAUGHTY_MAX {
            self.naughty.insert(share.hash(), number);
        }
    }

    /// Whether the share's block would claim more than subsidy and fees. Only types below 34
    /// name their transactions, and only if all fees and the height are known can this be told.
    fn overpays(&self, tracker: &Tracker, heights: &BlockHeights, share: &CheckedShare) -> bool {
        let share = share.share();
        let claimed_sats = share.info.data.subsidy_sats;
        let limit_sats = || {
            let refs = share.info.tx_refs.as_ref()?;
            let height = heights.get(&share.header.previous_block)?.checked_add(1)?;
            let transactions = tracker.referenced_transactions(share.parent(), refs)?;
            transactions.iter().try_fold(tracker.params().subsidy_sats(height), |sum, hash| {
                self.fees_sats.get(hash).map(|fee| sum.saturating_add(*fee))
            })
        };
        limit_sats().is_some_and(|limit| claimed_sats > limit)
    }

    pub(super) fn is_naughty(&self, hash: ShareHash) -> bool {
        self.naughty.contains_key(&hash)
    }

    /// -1 for the solution of a block, 1 to 6 for naughty shares, 0 for all others.
    pub(super) fn punish(
        &self,
        rule: BlockSolutionRule,
        heights: &BlockHeights,
        share: &CheckedShare,
    ) -> i32 {
        let is_believed = match rule {
            BlockSolutionRule::Plain => true,
            BlockSolutionRule::Hardened => heights.knows_bits(share.share().header.bits),
        };
        if is_believed && share.claims_block() {
            -1
        } else {
            self.naughty.get(&share.hash()).copied().unwrap_or_default().into()
        }
    }
}
