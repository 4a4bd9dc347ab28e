//! Waits, chances, effort and efficiency: the formulas of the window, as pure functions.
//!
//! All are for display. A quantity that is not known yet, or makes no sense, is `None`.

/// Hashes that a difficulty of 1 takes on average.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

/// Shares of a miner below which its efficiency says nothing.
const EFFICIENCY_SHARES_MIN: u32 = 10;

/// Average seconds until `hps` hashes per second meet a difficulty: `d · 2^32 / H`.
///
/// With the share difficulty and my rate it is the time to a share of mine, with the network's
/// difficulty and the pool's rate the time to a pool block.
pub(crate) fn wait_secs(difficulty: f64, hps: f64) -> Option<f64> {
    let secs = difficulty * HASHES_PER_DIFFICULTY / hps;
    (difficulty > 0.0 && hps > 0.0 && secs.is_finite()).then_some(secs)
}

/// Seconds until something is done that went from one part to another, 0 to 1, within a time.
pub(crate) fn remaining_secs(before: f64, after: f64, within_secs: f64) -> Option<f64> {
    let secs = (1.0 - after) * within_secs / (after - before);
    (after > before && within_secs > 0.0 && secs.is_finite()).then_some(secs)
}

/// Chance of at least one event within a time, for events that come every `average_secs` on
/// average: `1 − e^(−T/τ)`.
pub(crate) fn chance_within(within_secs: f64, average_secs: f64) -> f64 {
    -(-within_secs / average_secs).exp_m1()
}

/// Work done (expected hashes) as a part of what a share takes on average; may exceed 1.
pub(crate) fn effort(work_hashes: f64, share_difficulty: f64) -> Option<f64> {
    let effort = work_hashes / (share_difficulty * HASHES_PER_DIFFICULTY);
    (share_difficulty > 0.0 && effort.is_finite()).then_some(effort)
}

/// Part of miners that have found nothing after this much effort: `e^−effort`.
pub(crate) fn none_after(effort: f64) -> f64 {
    (-effort).exp()
}

/// Shares that were in time, and those that were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) good: u32,
    pub(crate) late: u32,
}

impl Outcome {
    fn good_part(self) -> Option<f64> {
        let all = self.good.checked_add(self.late)?;
        (all > 0).then(|| f64::from(self.good) / f64::from(all))
    }
}

/// My good shares per share, divided by the same for the pool; 1 is as good as the pool. `None`
/// while I have too few shares.
pub(crate) fn efficiency(mine: Outcome, pool: Outcome) -> Option<f64> {
    if mine.good.saturating_add(mine.late) < EFFICIENCY_SHARES_MIN {
        return None;
    }
    let efficiency = mine.good_part()? / pool.good_part()?;
    efficiency.is_finite().then_some(efficiency)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: f64 = 3_600.0;
    const DAY: f64 = 24.0 * HOUR;
    const YEAR: f64 = 365.25 * DAY;

    /// Whether two numbers differ by at most half a percent.
    fn is_near(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= expected.abs() * 0.005
    }

    /// Share difficulty of a pool that finds a share every 30 s: `P · 30 / 2^32`.
    fn share_difficulty(pool_hps: f64) -> f64 {
        pool_hps * 30.0 / 4_294_967_296.0
    }

    #[test]
    fn waits_for_a_share_are_those_of_the_help_texts() {
        let difficulty = share_difficulty(1e15);
        assert!(is_near(difficulty, 6.985e6));
        // 50 MH/s: 30 s times 1e15/5e7 is 6e8 s.
        assert!(is_near(wait_secs(difficulty, 50e6).unwrap(), 19.01 * YEAR));
        assert!(is_near(wait_secs(difficulty, 1.2e12).unwrap(), 25_000.0));
        assert!(is_near(wait_secs(difficulty, 4.8e12).unwrap(), 6_250.0));
        assert!(is_near(wait_secs(difficulty, 13.5e12).unwrap(), 2_222.2));
        assert!(is_near(wait_secs(difficulty, 95e12).unwrap(), 315.8));
    }

    #[test]
    fn waits_for_a_pool_block_are_those_of_the_help_texts() {
        // 1.3e14 times 2^32 is 5.5835e23 hashes.
        assert!(is_near(wait_secs(1.3e14, 1e15).unwrap(), 5.5835e8));
        assert!(is_near(wait_secs(1.3e14, 1e15).unwrap(), 17.69 * YEAR));
        assert!(is_near(wait_secs(1.3e14, 20e15).unwrap(), 323.1 * DAY));
        // Practice: difficulty 1 with two cores of 23 MH/s.
        assert!(is_near(wait_secs(1.0, 46e6).unwrap(), 93.37));
    }

    #[test]
    fn unknown_or_absurd_inputs_give_no_wait() {
        for (difficulty, hps) in [(0.0, 1.0), (1.0, 0.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(wait_secs(difficulty, hps), None);
        }
    }

    #[test]
    fn chances_follow_the_exponential_law() {
        assert!(is_near(chance_within(1.0, 1.0), 0.632_12));
        assert!(is_near(chance_within(3.0, 1.0), 0.950_21));
        // A block every 335 days, within 30 days: 1 − e^(−0.089552).
        assert!(is_near(chance_within(30.0 * DAY, 335.0 * DAY), 0.085_66));
        // 600 s at one block in 190 s: 1 − e^(−3.1579).
        assert!(is_near(chance_within(600.0, 190.0), 0.957_49));
        // Small chances keep their digits: one second in a century.
        assert!(is_near(chance_within(1.0, 100.0 * YEAR), 1.0 / (100.0 * YEAR)));
        assert_eq!(chance_within(0.0, 5.0), 0.0);
    }

    #[test]
    fn effort_is_work_over_the_work_of_a_share_and_may_exceed_it() {
        // 0.0061 · 2^32 is 26,199,300 hashes.
        assert!(is_near(effort(26_199_300.0, 0.0061).unwrap(), 1.0));
        assert!(is_near(effort(11_265_699.0, 0.0061).unwrap(), 0.43));
        assert!(is_near(effort(45_062_796.0, 0.0061).unwrap(), 1.72));
        assert_eq!(effort(0.0, 1.0), Some(0.0));
        assert_eq!(effort(1.0, 0.0), None);
    }

    #[test]
    fn after_the_work_of_a_share_a_third_still_has_none() {
        assert!(is_near(none_after(1.0), 0.367_88));
        assert!(is_near(none_after(0.891_6), 0.41));
        assert_eq!(none_after(0.0), 1.0);
    }

    #[test]
    fn efficiency_compares_with_the_pool_and_waits_for_enough_shares() {
        let mine = Outcome { good: 48, late: 2 };
        // 0.96 over 0.95.
        let pool = Outcome { good: 190, late: 10 };
        assert!(is_near(efficiency(mine, pool).unwrap(), 1.0105));
        // 0.9 over 0.95.
        let worse = Outcome { good: 9, late: 1 };
        assert!(is_near(efficiency(worse, pool).unwrap(), 0.947_37));
        assert_eq!(efficiency(Outcome { good: 9, late: 0 }, pool), None);
        assert_eq!(efficiency(mine, Outcome::default()), None);
    }
}
