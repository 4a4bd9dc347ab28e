//! What the user should know about a miner.

use p2pool_sharechain::time::UnixTime;

use super::tally::Results;
use crate::state::{Miner, MinerNotice};

/// A miner that is connected this long should have shown something.
const NO_RESULT_SECONDS: u64 = 600;
/// Parts of the work or of the results that are too much.
const LATE_PART_MAX: f64 = 0.1;
const REJECTED_PART_MAX: f64 = 0.05;
/// Results that a part must be founded on.
const RESULTS_MIN: f64 = 20.0;
/// Older results fade by this factor once there are a hundred.
const FADE: f64 = 0.5;
const FADE_AT: f64 = 100.0;

/// A miner's latest results, as far as its health goes.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Notices that hold as long as the connection.
    pub(super) standing: Vec<MinerNotice>,
    accepted: f64,
    late: f64,
    rejected: f64,
    has_accepted: bool,
    reason: &'static str,
}

impl Health {
    pub(super) fn count(&mut self, results: &Results) {
        self.accepted += f64::from(results.accepted);
        self.late += f64::from(results.late);
        self.rejected += f64::from(results.rejected);
        self.has_accepted |= results.accepted > 0;
        if let Some((reason, _)) = results.reasons.last() {
            self.reason = reason.text();
        }
        while self.accepted + self.rejected > FADE_AT {
            for part in [&mut self.accepted, &mut self.late, &mut self.rejected] {
                *part *= FADE;
            }
        }
    }

    pub(super) fn notices(&self, miner: &Miner, now: UnixTime) -> Vec<MinerNotice> {
        if miner.connections == 0 {
            return Vec::new();
        }
        let mut notices = self.standing.clone();
        let results = self.accepted + self.rejected;
        let silence = now.0.saturating_sub(miner.since.0);
        if results < 1.0 && miner.last_result_at.is_none() && silence >= NO_RESULT_SECONDS {
            notices.push(MinerNotice::NoResult);
        }
        if results >= RESULTS_MIN && !self.has_accepted {
            notices.push(MinerNotice::CannotRead);
        } else if results >= RESULTS_MIN && self.rejected > results * REJECTED_PART_MAX {
            notices.push(MinerNotice::Rejected { reason: self.reason });
        }
        if self.accepted >= RESULTS_MIN && self.late > self.accepted * LATE_PART_MAX {
            notices.push(MinerNotice::Late);
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use p2pool_stratum::RejectReason;

    use super::*;

    fn miner() -> Miner {
        Miner {
            worker: "a".into(),
            is_helper: false,
            connections: 1,
            user_agent: String::new(),
            hashrate_hps: 0.0,
            accepted: 0,
            late: 0,
            rejected: 0,
            reasons: std::collections::BTreeMap::new(),
            difficulty: None,
            last_result_at: None,
            since: UnixTime(1000),
            ip: None,
            notices: Vec::new(),
        }
    }

    fn after(results: &[(u32, u32, u32)]) -> Vec<MinerNotice> {
        let mut health = Health::default();
        for (accepted, late, rejected) in results.iter().copied() {
            let reason = (rejected > 0).then_some((RejectReason::LowDifficulty, rejected));
            let reasons = reason.into_iter().collect();
            health.count(&Results { accepted, late, rejected, reasons, ..Results::default() });
        }
        health.notices(&miner(), UnixTime(1100))
    }

    #[test]
    fn steady_miner_gives_no_cause() {
        assert_eq!(after(&[(50, 2, 1)]), []);
        assert_eq!(after(&[(2, 2, 2)]), [], "too few to tell");
    }

    #[test]
    fn miner_that_never_gets_anything_right_cannot_read_its_work() {
        assert_eq!(after(&[(0, 0, 25)]), [MinerNotice::CannotRead]);
    }

    #[test]
    fn wrong_and_late_work_are_told_until_they_fade() {
        let reason = RejectReason::LowDifficulty.text();
        let wrong = MinerNotice::Rejected { reason };
        assert_eq!(after(&[(40, 10, 10)]), [wrong, MinerNotice::Late]);
        assert_eq!(after(&[(40, 10, 10), (500, 0, 0)]), []);
    }

    #[test]
    fn silence_is_told_after_ten_minutes() {
        let health = Health::default();
        assert_eq!(health.notices(&miner(), UnixTime(1599)), []);
        assert_eq!(health.notices(&miner(), UnixTime(1600)), [MinerNotice::NoResult]);
        let gone = Miner { connections: 0, ..miner() };
        assert_eq!(health.notices(&gone, UnixTime(9999)), []);
    }
}
