//! The choice of the best share: what to verify, which chain is best, what is missing.
//!
//! [`Selector`] runs over a [`Tracker`] in bounded slices and ends with a [`Choice`]. It asks
//! nobody and tells nobody: missing shares and block heights are named in the choice.
//!
//! Source: protocol notes, chain-selection.md sections 3 to 5.

mod conduct;
mod heights;
mod rank;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ruint::aliases::U256;

use crate::hash::{Hash32, ShareHash};
use crate::time::Now;
use crate::tracker::Tracker;
use crate::verify::{CheckedShare, ContextError};

use self::conduct::Conduct;
pub use self::heights::BlockHeights;
use self::rank::Judge;
pub use self::rank::{RankedHead, RankedTail, Rate, TailScore};

/// Desires older than this, seconds before the best share, are dropped.
const DESIRE_AGE_MAX: u64 = 3600;
/// Desires older than this, seconds before now, are dropped while there is no best share.
const FIRST_DESIRE_AGE_MAX: u64 = 86_400;

/// When a share counts as the solution of a block, which makes its chain preferred.
///
/// This is policy of selection: it never decides whether a share is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockSolutionRule {
    /// Its hash meets the Bitcoin target that its own header claims. Anybody can claim any.
    Plain,
    /// In addition, the claimed target is one that this node knows to be Bitcoin's
    /// ([`BlockHeights::note_bits`]).
    Hardened,
}

/// A share that is missing, and who may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desire {
    /// The missing share.
    pub hash: ShareHash,
    /// Who sent its children, in the caller's numbering, ascending.
    pub senders: Vec<u64>,
    /// Latest share timestamp near the heads that need it.
    pub timestamp_max: u32,
    /// Hardest target near the heads that need it.
    pub target_min: U256,
}

/// The result of selection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The share to build on.
    pub best: Option<ShareHash>,
    /// Verified heads with the best tail, worst first, as [`prune`](crate::prune::prune) wants them.
    pub heads: Vec<ShareHash>,
    /// Missing shares, those with the hardest work on top first.
    pub desired: Vec<Desire>,
    /// Senders of bad shares, ascending.
    pub bad_senders: Vec<u64>,
    /// Negative: the best work lies on a punished share, which is to be overtaken quickly.
    /// One: the best work is a block's solution. Zero otherwise.
    pub punish: i32,
    /// Blocks whose heights are wanted.
    pub unknown_blocks: Vec<Hash32>,
    /// Shares verified during this run, oldest first.
    pub verified: Vec<ShareHash>,
    /// Bad shares that were removed.
    pub removed: Vec<ShareHash>,
    /// Shares that failed their checks during this run, and why.
    pub failures: Vec<(ShareHash, ContextError)>,
    /// How the chains compare, worst first.
    pub tails: Vec<RankedTail>,
    /// How the heads of the best chain compare, in the order of `heads`.
    pub ranking: Vec<RankedHead>,
}

/// What a slice of selection came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one value a step, taken apart at once")]
pub enum Progress {
    /// Work is left: call again.
    More,
    /// Finished.
    Done(Choice),
}

/// Chooses the best share, in slices.
#[derive(Debug)]
pub struct Selector {
    rule: BlockSolutionRule,
    conduct: Conduct,
    /// Shares that failed, so that they are not checked again every time.
    refused: BTreeMap<ShareHash, Refusal>,
    run: Option<Run>,
}

#[derive(Debug)]
struct Refusal {
    /// The very copy that was checked: parts of a share are outside its hash.
    share: Arc<CheckedShare>,
    is_final: bool,
}

/// What a run has come to so far. The shares verified meanwhile are marked in the tracker.
#[derive(Debug, Default)]
struct Run {
    /// The tracker's when this run last looked.
    revision: u64,
    are_heads_checked: bool,
    /// Verified heads whose missing history has been asked for.
    asked: BTreeSet<ShareHash>,
    desires: BTreeMap<ShareHash, Desire>,
    bad_senders: BTreeSet<u64>,
    /// With their heights.
    verified: Vec<(u32, ShareHash)>,
    removed: Vec<ShareHash>,
    failures: Vec<(ShareHash, ContextError)>,
}

impl Selector {
    /// Has not looked at anything yet.
    pub fn new(rule: BlockSolutionRule) -> Self {
        Self { rule, conduct: Conduct::default(), refused: BTreeMap::new(), run: None }
    }

    /// Tells the fee of a transaction that shares of types below 34 may refer to.
    ///
    /// Such shares are punished, as far as all their fees are known, if they claim more than
    /// subsidy and fees. Newer types name no transactions and are never punished.
    pub fn note_fee(&mut self, transaction: Hash32, fee_sats: u64) {
        self.conduct.note_fee(transaction, fee_sats);
    }

    /// Runs a slice of selection: at most `shares_max` (at least one) contextual verifications.
    ///
    /// Shares that are added or removed between slices are taken into account. While there is
    /// more, it is enough to call again; what the slices come to is what one slice would.
    pub fn step(
        &mut self,
        tracker: &mut Tracker,
        now: Now,
        heights: &BlockHeights,
        shares_max: usize,
    ) -> Progress {
        let mut run = match self.run.take() {
            Some(run) => run,
            None => self.begin(tracker),
        };
        if run.revision != tracker.revision() {
            run.are_heads_checked = false;
            run.asked.clear();
            run.desires.clear();
        }
        let mut budget = shares_max.max(1);
        let mut scan = scan::Scan {
            selector: self,
            run: &mut run,
            tracker,
            now,
            heights,
            budget: &mut budget,
        };
        let is_finished = scan.check_heads() && scan.extend_chains();
        run.revision = tracker.revision();
        if is_finished {
            Progress::Done(self.conclude(run, tracker, now, heights))
        } else {
            self.run = Some(run);
            Progress::More
        }
    }

    /// Forgets what no longer holds: shares that have left, refusals that depended on the time.
    fn begin(&mut self, tracker: &Tracker) -> Run {
        self.refused.retain(|hash, refusal| {
            let known = tracker.get(*hash);
            refusal.is_final && known.is_some_and(|share| Arc::ptr_eq(share, &refusal.share))
        });
        self.conduct.retain_known(tracker);
        Run { revision: tracker.revision(), ..Run::default() }
    }

    fn conclude(
        &self,
        mut run: Run,
        tracker: &Tracker,
        now: Now,
        heights: &BlockHeights,
    ) -> Choice {
        let judge = Judge { tracker, heights, rule: self.rule, conduct: &self.conduct };
        let (tails, unknown_blocks) = judge.rank_tails();
        let ranking = tails.last().map(|best| judge.rank_heads(best.tail)).unwrap_or_default();
        let best = judge.best_share(&ranking);
        let best_timestamp =
            best.and_then(|hash| tracker.get(hash)).map(|share| share.share().info.timestamp);
        let oldest = match best_timestamp {
            Some(timestamp) => now.wall.0.min(timestamp.into()).saturating_sub(DESIRE_AGE_MAX),
            None => now.wall.0.saturating_sub(FIRST_DESIRE_AGE_MAX),
        };
        let mut desired: Vec<Desire> = run
            .desires
            .into_values()
            .filter(|desire| u64::from(desire.timestamp_max) >= oldest)
            .collect();
        desired.sort_by_key(|desire| (desire.target_min, desire.hash));
        run.verified.sort_unstable();
        Choice {
            best,
            heads: ranking.iter().map(|head| head.hash).collect(),
            desired,
            bad_senders: run.bad_senders.into_iter().collect(),
            punish: rank::punish_flag(&ranking),
            unknown_blocks,
            verified: run.verified.into_iter().map(|(_, hash)| hash).collect(),
            removed: run.removed,
            failures: run.failures,
            tails,
            ranking,
        }
    }
}
