//! Signs that part of the pool has gone another way: it builds on shares that are wrong here.
//!
//! Others' word alone is cheap, and so is a pool that gets slower; only both together are told.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use p2pool_sharechain::stats;
use p2pool_sharechain::time::MonoTime;

use crate::Engine;
use crate::input::PeerId;

/// Refused shares count for so long.
const REFUSALS_AGE_MAX: Duration = Duration::from_secs(2 * 3600);
/// So many members have to send shares that are wrong here.
const SENDERS_MIN: usize = 3;
/// Most refusals remembered, the newest.
const REFUSALS_MAX: usize = 64;
/// Shares that the present rate is taken over.
const NOW_SHARES: u32 = 120;
/// A shorter chain does not tell what the pool was before.
const HEIGHT_MIN: u32 = 1_000;
/// While at least this part of the former rate is here, there is nothing to tell.
const PART_MAX: f64 = 0.7;

/// Who sent shares that were refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    newest_last: VecDeque<(MonoTime, PeerId)>,
}

impl Refusals {
    pub(crate) fn note(&mut self, now: MonoTime, sender: PeerId) {
        self.newest_last.push_back((now, sender));
        let surplus = self.newest_last.len().saturating_sub(REFUSALS_MAX);
        self.newest_last.drain(..surplus);
    }

    /// Forgets what is long ago.
    pub(crate) fn clean(&mut self, now: MonoTime) {
        self.newest_last.retain(|(at, _)| now.since(*at) < REFUSALS_AGE_MAX);
    }

    fn senders(&self) -> usize {
        let senders: BTreeSet<PeerId> = self.newest_last.iter().map(|(_, peer)| *peer).collect();
        senders.len()
    }
}

impl Engine {
    /// The part of the pool's former rate that is left on this chain, 0 to 1, if there are signs
    /// that the rest went another way.
    pub(crate) fn split_part(&self) -> Option<f64> {
        if self.refusals.senders() < SENDERS_MIN {
            return None;
        }
        let (height, _) = self.tracker.height_and_last(self.best);
        let shares = height.min(self.tracker.params().chain_length);
        if shares < HEIGHT_MIN {
            return None;
        }
        let rate = |shares| stats::attempts_per_second(&self.tracker, self.best, shares);
        let part = rate(NOW_SHARES)? / rate(shares)?;
        (part < PART_MAX).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> MonoTime {
        MonoTime(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn each_sender_counts_once_and_for_two_hours() {
        let mut refusals = Refusals::default();
        for (minute, peer) in [(0, 1), (10, 2), (20, 2), (30, 3)] {
            refusals.note(at(minute), peer);
        }
        assert_eq!(refusals.senders(), 3);
        refusals.clean(at(120));
        assert_eq!(refusals.senders(), 2);
        refusals.clean(at(150));
        assert_eq!(refusals.senders(), 0);
    }

    #[test]
    fn one_member_that_sends_much_is_remembered_within_bounds() {
        let mut refusals = Refusals::default();
        for _ in 0..10_000 {
            refusals.note(at(1), 7);
        }
        assert_eq!((refusals.senders(), refusals.newest_last.len()), (1, REFUSALS_MAX));
    }
}
