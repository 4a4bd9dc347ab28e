//! Verification in order of need: new heads first, then the history below verified heads.
//!
//! Source: protocol notes, chain-selection.md section 4, steps A and B. A slice starts at the
//! beginning and soon arrives where the last one ended, because what was verified stays so and
//! what was refused is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use ruint::aliases::U256;

use crate::forest::RemoveError;
use crate::hash::ShareHash;
use crate::time::Now;
use crate::tracker::Tracker;
use crate::verify::ContextError;

use super::{BlockHeights, Desire, Refusal, Run, Selector};

/// Most shares checked below a new head whose chain's end is not known.
const HEAD_DEPTH_MAX: u32 = 5;
/// Shares below a head that say how recent and how hard its chain is.
const SAMPLE: u32 = 5;

/// A slice of verification.
pub(super) struct Scan<'a> {
    pub(super) selector: &'a mut Selector,
    pub(super) run: &'a mut Run,
    pub(super) tracker: &'a mut Tracker,
    pub(super) now: Now,
    pub(super) heights: &'a BlockHeights,
    /// Verifications left in this slice.
    pub(super) budget: &'a mut usize,
}

/// What became of a share that should be verified.
enum Attempt {
    Verified,
    Refused,
    OutOfBudget,
}

impl Scan<'_> {
    /// Verifies heads, from the top down to the first share that passes; removes those that do
    /// not. `false` if the budget ran out.
    pub(super) fn check_heads(&mut self) -> bool {
        if self.run.are_heads_checked {
            return true;
        }
        let unverified: Vec<_> =
            self.tracker.heads().filter(|(head, _)| !self.tracker.is_verified(*head)).collect();
        let mut bad = Vec::new();
        for (head, last) in unverified {
            let (height, _) = self.tracker.height_and_last(Some(head));
            let chain_length = self.tracker.params().chain_length;
            let depth = match last {
                None => height,
                Some(_) => height.saturating_sub(chain_length).min(HEAD_DEPTH_MAX),
            };
            let mut at = Some(head);
            let mut has_passed = false;
            for _ in 0..depth {
                let Some(hash) = at else { break };
                match self.attempt(hash) {
                    Attempt::Verified => {
                        has_passed = true;
                        break;
                    }
                    Attempt::Refused => bad.push(hash),
                    Attempt::OutOfBudget => return false,
                }
                at = self.tracker.forest().parent(hash).flatten();
            }
            if let (Some(last), false) = (last, has_passed) {
                let children = self.tracker.forest().children(Some(last));
                self.want(last, &children, head, height);
            }
        }
        self.remove_bad(bad);
        self.run.are_heads_checked = true;
        true
    }

    /// Verifies downwards below verified heads until their verified chains are long enough.
    /// `false` if the budget ran out.
    pub(super) fn extend_chains(&mut self) -> bool {
        let chain_length = self.tracker.params().chain_length;
        let heads: Vec<ShareHash> = self.tracker.verified().heads().keys().copied().collect();
        for head in heads {
            if !self.tracker.verified().heads().contains_key(&head) {
                continue;
            }
            let (height, verified_last) = self.tracker.verified().height_and_last(Some(head));
            let wanted = chain_length.saturating_sub(height);
            if wanted == 0 {
                continue;
            }
            let (below, last) = self.tracker.height_and_last(verified_last);
            if let Some(last) = last
                && self.run.asked.insert(head)
            {
                let children = self.tracker.verified().children(verified_last);
                self.want(last, &children, head, height);
            }
            let possible = match last {
                None => below,
                Some(_) => below.saturating_sub(1).saturating_sub(chain_length),
            };
            let mut at = verified_last;
            for _ in 0..wanted.min(possible) {
                let Some(hash) = at else { break };
                match self.attempt(hash) {
                    Attempt::Verified => {}
                    Attempt::Refused => break,
                    Attempt::OutOfBudget => return false,
                }
                at = self.tracker.forest().parent(hash).flatten();
            }
        }
        true
    }

    fn attempt(&mut self, hash: ShareHash) -> Attempt {
        if self.tracker.is_verified(hash) {
            return Attempt::Verified;
        }
        let Some(share) = self.tracker.get(hash).map(Arc::clone) else {
            return Attempt::Refused;
        };
        if let Some(refusal) = self.selector.refused.get(&hash)
            && Arc::ptr_eq(&refusal.share, &share)
        {
            return Attempt::Refused;
        }
        let Some(rest) = self.budget.checked_sub(1) else { return Attempt::OutOfBudget };
        *self.budget = rest;
        match self.tracker.verify(hash, self.now.wall) {
            Ok(()) => {
                self.selector.conduct.judge(self.tracker, self.heights, &share);
                self.run.verified.push((share.share().info.abs_height, hash));
                Attempt::Verified
            }
            Err(error) => {
                self.run.failures.push((hash, error));
                self.selector.refused.insert(hash, Refusal { share, is_final: is_final(error) });
                Attempt::Refused
            }
        }
    }

    /// Notes that `missing` is needed by `head`, which has `height` shares above it.
    fn want(&mut self, missing: ShareHash, children: &[ShareHash], head: ShareHash, height: u32) {
        let mut timestamp_max = 0;
        let mut target_min = U256::MAX;
        let sample = height.min(SAMPLE) as usize;
        for known in self.tracker.chain(Some(head)).take(sample) {
            timestamp_max = timestamp_max.max(known.share.share().info.timestamp);
            target_min = target_min.min(known.share.target());
        }
        let known = children.iter().filter_map(|child| self.tracker.known(*child));
        let mut senders: BTreeSet<u64> = known.filter_map(|known| known.sender).collect();
        let desire = self.run.desires.entry(missing).or_insert(Desire {
            hash: missing,
            senders: Vec::new(),
            timestamp_max,
            target_min,
        });
        senders.extend(&desire.senders);
        desire.senders = senders.into_iter().collect();
        desire.timestamp_max = desire.timestamp_max.max(timestamp_max);
        desire.target_min = desire.target_min.min(target_min);
    }

    /// Removes bad shares as far as they stand at an end of their chain.
    fn remove_bad(&mut self, mut bad: Vec<ShareHash>) {
        let senders = bad.iter().filter_map(|hash| self.tracker.known(*hash)?.sender);
        self.run.bad_senders.extend(senders);
        loop {
            let before = bad.len();
            bad.retain(|hash| match self.tracker.remove(*hash) {
                Ok(()) => {
                    self.run.removed.push(*hash);
                    false
                }
                Err(RemoveError::Unknown) => false,
                Err(RemoveError::Interior) => true,
            });
            if bad.len() == before {
                return;
            }
        }
    }
}

/// Whether a share that failed so will always fail. Everything else depends only on the shares
/// below it, of which enough were known.
fn is_final(error: ContextError) -> bool {
    !matches!(error, ContextError::Future(_) | ContextError::NoHistory | ContextError::Unknown)
}
