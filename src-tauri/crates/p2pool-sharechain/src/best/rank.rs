//! Comparison of chains and of the heads of one chain.
//!
//! Source: protocol notes, chain-selection.md section 4, steps C and D.

use core::cmp::{Ordering, Reverse};

use crate::compact::Attempts;
use crate::hash::{Hash32, ShareHash};
use crate::time::MonoTime;
use crate::tracker::Tracker;

use super::conduct::Conduct;
use super::{BlockHeights, BlockSolutionRule};

/// Shares at the top of a chain whose work does not count yet.
const UNSETTLED: u32 = 5;
/// How far the way back from a punished share is followed upwards again, generations.
const DESCENT_MAX: u32 = 20;
/// Most blocks whose heights are asked for at once.
const LOOKUPS_MAX: usize = 64;

/// Verified work per time.
///
/// Compared exactly, by cross-multiplication. The network's other programs compare quotients
/// rounded to doubles, which could differ only if two chains agreed in their first 53 binary
/// digits and yet were not equal.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Work in the counted part of the chain.
    pub work: Attempts,
    /// Time for it: Bitcoin's block period by the number of blocks since its beginning.
    pub seconds: u64,
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Works stay below 2^270: the products fit.
        let this = self.work.wrapping_mul(Attempts::from(other.seconds));
        this.cmp(&other.work.wrapping_mul(Attempts::from(self.seconds)))
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rate {}

/// How good a chain is: the more verified shares the better, and work per time once it is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TailScore {
    /// Verified shares, at most the chain length.
    pub height: u32,
    /// For chains of full length.
    pub rate: Option<Rate>,
}

/// A chain, named by the missing parent of its oldest verified share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RankedTail {
    /// How good it is.
    pub score: TailScore,
    /// Its name.
    pub tail: Option<ShareHash>,
    /// The head that was scored: that with the most work.
    pub candidate: ShareHash,
}

/// A verified head with all that decides between it and others of the same chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankedHead {
    /// The head.
    pub hash: ShareHash,
    /// Verified work up to five shares below it.
    pub work: Attempts,
    /// Its own work, which is added for a block's solution and taken off for a naughty share.
    pub own_work: Attempts,
    /// -1 for a block's solution, 1 to 6 for naughty shares.
    pub punish: i32,
    /// When it was first seen.
    pub seen: MonoTime,
}

impl Ord for RankedHead {
    fn cmp(&self, other: &Self) -> Ordering {
        // `work + plus - minus` compared without going below zero.
        let this = self.work.wrapping_add(self.plus()).wrapping_add(other.minus());
        let that = other.work.wrapping_add(other.plus()).wrapping_add(self.minus());
        let rest = |head: &Self| (Reverse(head.punish), Reverse(head.seen), head.hash);
        this.cmp(&that).then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for RankedHead {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl RankedHead {
    fn plus(&self) -> Attempts {
        if self.punish < 0 { self.own_work } else { Attempts::ZERO }
    }

    fn minus(&self) -> Attempts {
        if self.punish > 0 { self.own_work } else { Attempts::ZERO }
    }
}

/// All that judging a chain needs.
pub(super) struct Judge<'a> {
    pub(super) tracker: &'a Tracker,
    pub(super) heights: &'a BlockHeights,
    pub(super) rule: BlockSolutionRule,
    pub(super) conduct: &'a Conduct,
}

impl Judge<'_> {
    /// All verified chains, worst first, and blocks whose heights were missing.
    pub(super) fn rank_tails(&self) -> (Vec<RankedTail>, Vec<Hash32>) {
        let verified = self.tracker.verified();
        let mut unknown = Vec::new();
        let mut ranked = Vec::new();
        for (tail, heads) in verified.tails() {
            let work = |head: &ShareHash| (verified.total(Some(*head)).work, *head);
            if let Some((_, candidate)) = heads.iter().map(work).max() {
                let score = self.score(candidate, &mut unknown);
                ranked.push(RankedTail { score, tail: *tail, candidate });
            }
        }
        ranked.sort_unstable();
        (ranked, unknown)
    }

    fn score(&self, candidate: ShareHash, unknown: &mut Vec<Hash32>) -> TailScore {
        let params = self.tracker.params();
        let verified = self.tracker.verified();
        let (height, _) = verified.height_and_last(Some(candidate));
        if height < params.chain_length {
            return TailScore { height, rate: None };
        }
        // Work is counted from the head down to the last sixteenth of the chain; the time
        // begins with the newest Bitcoin block that this sixteenth builds on.
        let sixteenth = (params.chain_length / 16).max(1);
        let counted = params.chain_length.saturating_sub(params.chain_length.div_ceil(16));
        let start = self.tracker.nth_parent(Some(candidate), counted);
        let mut depth = u32::MAX;
        let mut previous = None;
        for known in self.tracker.chain(start).take(sixteenth as usize) {
            let block = &known.share.share().header.previous_block;
            if previous == Some(block) {
                continue;
            }
            previous = Some(block);
            depth = depth.min(self.heights.depth(block));
            if unknown.len() < LOOKUPS_MAX
                && self.heights.needs_lookup(block)
                && !unknown.contains(block)
            {
                unknown.push(*block);
            }
        }
        let work = verified.sum_of(Some(candidate), counted).work;
        let blocks = u64::from(depth).saturating_add(1);
        let seconds = blocks.saturating_mul(params.block_period.into());
        TailScore { height: params.chain_length, rate: Some(Rate { work, seconds }) }
    }

    /// The verified heads of a chain, worst first.
    pub(super) fn rank_heads(&self, tail: Option<ShareHash>) -> Vec<RankedHead> {
        let heads = self.tracker.verified().tails().get(&tail);
        let mut ranked: Vec<RankedHead> =
            heads.into_iter().flatten().filter_map(|head| self.rank_head(*head)).collect();
        ranked.sort_unstable();
        ranked
    }

    fn rank_head(&self, hash: ShareHash) -> Option<RankedHead> {
        let verified = self.tracker.verified();
        let known = self.tracker.known(hash)?;
        let (height, _) = verified.height_and_last(Some(hash));
        let settled = self.tracker.nth_parent(Some(hash), height.min(UNSETTLED));
        Some(RankedHead {
            hash,
            work: verified.total(settled).work,
            own_work: crate::compact::attempts(known.share.target()),
            punish: self.conduct.punish(self.rule, self.heights, &known.share),
            seen: known.seen,
        })
    }

    /// The best head; or, if that is punished, the best there is around it.
    pub(super) fn best_share(&self, ranking: &[RankedHead]) -> Option<ShareHash> {
        let best = ranking.last()?;
        if best.punish <= 0 {
            return Some(best.hash);
        }
        for known in self.tracker.chain(Some(best.hash)) {
            let punish = self.conduct.punish(self.rule, self.heights, &known.share);
            if punish == 0 {
                return Some(self.best_descendant(known.share.hash(), DESCENT_MAX).1);
            }
            if punish < 0 {
                return Some(known.share.hash());
            }
        }
        Some(best.hash)
    }

    /// The highest line above a share that is not naughty: its length and its end.
    fn best_descendant(&self, hash: ShareHash, limit: u32) -> (u32, ShareHash) {
        let children = self.tracker.children(Some(hash)).into_iter();
        let decent = children.filter(|child| !self.conduct.is_naughty(*child));
        let lines = decent.map(|child| match limit.checked_sub(1) {
            Some(limit) => {
                let (generations, end) = self.best_descendant(child, limit);
                (generations.saturating_add(1), end)
            }
            None => (1, child),
        });
        lines.max().unwrap_or((0, hash))
    }
}

/// See [`Choice::punish`](super::Choice::punish). Other than for the best head, here the time
/// counts before the punishment, and the head's own work does not count at all.
pub(super) fn punish_flag(ranking: &[RankedHead]) -> i32 {
    let key = |head: &&RankedHead| (head.work, Reverse(head.seen), Reverse(head.punish), head.hash);
    ranking.iter().max_by_key(key).map_or(0, |head| head.punish.saturating_neg())
}
