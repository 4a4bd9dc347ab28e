//! Whether this node has caught up with the pool, and why there is no work.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{Attempts, ShareHash};

use crate::Engine;
use crate::wants::Purpose;

/// With a best share, catching up ends after this time: nobody can keep a node from work by
/// claiming ever new shares.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);

/// How far the share chain is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncProgress {
    /// Shares of the heaviest chain that are here.
    pub known: u32,
    /// Shares of it that are needed before there is work.
    pub wanted: u32,
    /// Whether everything that peers told of at first is here.
    pub is_done: bool,
}

/// Why there is no work for miners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNoWork {
    /// The Bitcoin node gives no block template.
    NoTemplate,
    /// No other node of the pool is connected.
    NoPeers,
    /// The chain of the others is still being fetched or checked.
    CatchingUp,
    /// The others have given nothing that could be built on.
    NoBestShare,
    /// All that the others have given failed its checks or had next to no work.
    NothingFits,
}

/// Since when this node catches up with the pool.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    since: MonoTime,
    is_done: bool,
}

impl Engine {
    /// The first peer is here: until now nobody knew what the others have.
    pub(crate) fn begin_catching_up(&mut self, now: Now) {
        self.catch_up = CatchUp { since: now.mono, is_done: false };
    }

    /// Notes when this node has caught up, and gives out work then.
    pub(crate) fn note_progress(&mut self, now: Now) {
        if self.catch_up.is_done || self.peers.len() == 0 || self.best.is_none() {
            return;
        }
        let is_late = now.mono.since(self.catch_up.since) >= CATCH_UP_MAX;
        if !is_late && (self.is_unsettled || self.is_behind()) {
            return;
        }
        self.catch_up.is_done = true;
        if self.work.base.is_none() {
            self.republish(now);
        }
    }

    pub(crate) fn catch_up_deadline(&self) -> Option<MonoTime> {
        let is_open = !self.catch_up.is_done && self.best.is_some() && self.peers.len() > 0;
        is_open.then(|| self.catch_up.since + CATCH_UP_MAX)
    }

    /// A peer's best share is still awaited, or a heavier chain than ours.
    fn is_behind(&self) -> bool {
        let ours = self.tracker.total(self.best).work;
        let is_claimed = self.wants.open().iter().any(|(purpose, _)| *purpose == Purpose::Claim);
        is_claimed || self.heaviest_fetched().is_some_and(|(work, _)| work > ours)
    }

    /// The head with most known work among those whose history is being fetched.
    fn heaviest_fetched(&self) -> Option<(Attempts, ShareHash)> {
        let open = self.wants.open();
        let missing: BTreeSet<ShareHash> = open.into_iter().map(|(_, hash)| hash).collect();
        let heads = self.tracker.heads();
        let heads = heads.filter(|(_, tail)| tail.is_some_and(|tail| missing.contains(&tail)));
        heads.map(|(head, _)| (self.tracker.total(Some(head)).work, head)).max()
    }

    /// Why there is no work for miners; `None` if there may be.
    pub fn why_no_work(&self) -> Option<WhyNoWork> {
        if self.work.template.is_none() {
            return Some(WhyNoWork::NoTemplate);
        }
        if !self.config.params.needs_peers {
            return None;
        }
        if self.peers.len() == 0 {
            return Some(WhyNoWork::NoPeers);
        }
        if self.best.is_some() {
            return (!self.catch_up.is_done).then_some(WhyNoWork::CatchingUp);
        }
        if self.is_unsettled || !self.wants.open().is_empty() {
            return Some(WhyNoWork::CatchingUp);
        }
        let is_refused = self.intake.refusals > 0;
        Some(if is_refused { WhyNoWork::NothingFits } else { WhyNoWork::NoBestShare })
    }

    /// How far the share chain is known.
    pub(crate) fn sync_progress(&self) -> SyncProgress {
        let fetched = self.heaviest_fetched();
        let best = self.best.map(|best| (self.tracker.total(Some(best)).work, best));
        let Some((_, head)) = fetched.max(best) else {
            return SyncProgress::default();
        };
        let (known, _) = self.tracker.height_and_last(Some(head));
        let claimed = self.tracker.get(head).map_or(0, |share| share.share().info.abs_height);
        let needed = self.config.params.chain_length.saturating_add(1);
        let wanted = claimed.max(1).min(needed);
        let is_done = self.catch_up.is_done;
        SyncProgress { known: known.min(wanted), wanted, is_done }
    }
}
