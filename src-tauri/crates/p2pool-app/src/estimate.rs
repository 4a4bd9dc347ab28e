//! Waits, chances, effort and efficiency: the formulas of the window, as pure functions.
//!
//! All are for display. A quantity that is not known yet, or makes no sense, is `None`.

use crate::api::pages::payouts::Calculation;
use crate::api::{Chance, Sats, ShareSizeChoice};

/// Hashes that a difficulty of 1 takes on average.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

/// The chain cuts shares to so many times the smallest.
const SHARE_FACTOR_MAX: f64 = 30.0;

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

/// Difficulty of the shares that are asked for, with a choice of their size: never below the
/// smallest that the chain allows, never above thirty times that.
pub(crate) fn asked_difficulty(choice: ShareSizeChoice, block: &BlockFacts, smallest: f64) -> f64 {
    let wanted = match choice {
        ShareSizeChoice::Automatic => smallest,
        ShareSizeChoice::Bigger { factor } => smallest * f64::from(factor),
        // Sats are below 2^53.
        ShareSizeChoice::Worth { sats } => {
            block.difficulty * block.spread * sats as f64 / block.value_sats.max(1) as f64
        }
    };
    wanted.clamp(smallest, smallest * SHARE_FACTOR_MAX)
}

/// What a share's worth depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockFacts {
    /// Difficulty of the Bitcoin network.
    pub(crate) difficulty: f64,
    /// Blocks' worth of work in the payout window.
    pub(crate) spread: f64,
    /// Subsidy and fees.
    pub(crate) value_sats: u64,
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

/// Shares to expect below which their number says nothing.
const EXPECTED_MIN: f64 = 5.0;
/// Above this many the Poisson law is as good as a normal one.
const POISSON_SUM_MAX: f64 = 2_000.0;
/// Part of all cases left out at each end of the usual range.
const TAIL: f64 = 0.025;
/// The same in standard deviations.
const TAIL_DEVIATIONS: f64 = 1.959_964;

/// Fewest and most events that 95 of 100 periods bring, if `expected` come on average (Poisson);
/// `None` where that says nothing.
pub(crate) fn usual_range(expected: f64) -> Option<(u32, u32)> {
    if !expected.is_finite() || expected < EXPECTED_MIN {
        return None;
    }
    if expected > POISSON_SUM_MAX {
        let deviation = TAIL_DEVIATIONS * expected.sqrt();
        // Saturates: nobody finds that many shares in a month.
        return Some(((expected - deviation).ceil() as u32, (expected + deviation).floor() as u32));
    }
    // By logarithms: e^-mean itself is no float for large means.
    let mut ln_factorial = 0.0;
    let mut below = 0.0;
    let mut low = None;
    // Far above the mean the sum is one to every digit, so the bound is never met.
    for count in 0..=(POISSON_SUM_MAX as u32 * 2) {
        if count > 0 {
            ln_factorial += f64::from(count).ln();
        }
        below += (f64::from(count) * expected.ln() - expected - ln_factorial).exp();
        if low.is_none() && below > TAIL {
            low = Some(count);
        }
        if below >= 1.0 - TAIL {
            return low.map(|low| (low, count));
        }
    }
    None
}

/// Seconds of the periods that the calculator tells chances for: month, year, five years.
const PAID_WITHIN_SECS: [f64; 3] = [30.0 * 86_400.0, 365.0 * 86_400.0, 5.0 * 365.0 * 86_400.0];

/// What a calculation is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// The hash rate in question.
    pub(crate) hashrate_hps: f64,
    /// My present one, which the pool's contains.
    pub(crate) mine_hps: f64,
    pub(crate) pool_hps: f64,
    pub(crate) network_difficulty: f64,
    pub(crate) share_difficulty: f64,
    pub(crate) block_value_sats: u64,
    /// Time a share stays in the window.
    pub(crate) window_secs: f64,
}

/// What a hash rate would bring in place of my present one. The pool grows by the difference, and
/// the difficulty of a share with it, for the pool keeps its pace.
pub(crate) fn calculation(about: &Circumstances) -> Option<Calculation> {
    let Circumstances { hashrate_hps, network_difficulty, window_secs, .. } = *about;
    let pool_hps = (about.pool_hps - about.mine_hps).max(0.0) + hashrate_hps;
    let share_difficulty = about.share_difficulty * pool_hps / about.pool_hps;
    let share_secs = wait_secs(share_difficulty, hashrate_hps)?;
    let pool_block_secs = wait_secs(network_difficulty, pool_hps)?;
    let share_in_window = chance_within(window_secs, share_secs);
    let paid = |within_secs| Chance {
        within_secs,
        // Each block pays me with the chance of a share in the window.
        fraction: chance_within(within_secs, pool_block_secs / share_in_window),
    };
    let per_block = hashrate_hps / pool_hps * about.block_value_sats as f64;
    Some(Calculation {
        hashrate_hps,
        share_secs,
        window_secs,
        share_in_window,
        // A part of a block is a whole number of satoshis in the range of one.
        per_block_sats: Sats(per_block.round() as u64),
        pool_block_secs,
        paid_within: PAID_WITHIN_SECS.map(paid),
        solo_block_secs: wait_secs(network_difficulty, hashrate_hps)?,
    })
}

#[cfg(test)]
mod vectors;

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

    #[test]
    fn usual_range_is_the_poisson_law_s() {
        // Tables of the Poisson distribution, 2.5 % left out at each end.
        assert_eq!(usual_range(5.0), Some((1, 10)));
        assert_eq!(usual_range(10.0), Some((4, 17)));
        assert_eq!(usual_range(30.0), Some((20, 41)));
        assert_eq!(usual_range(100.0), Some((81, 120)));
        assert_eq!(usual_range(4.99), None);
        assert_eq!(usual_range(f64::NAN), None);
        // Where e^-mean is no float any more, and where the sum gives way to the normal law.
        assert_eq!(usual_range(1_000.0), Some((938, 1_062)));
        assert_eq!(usual_range(10_000.0), Some((9_805, 10_195)));
    }

    fn circumstances(hashrate_hps: f64) -> Circumstances {
        Circumstances {
            hashrate_hps,
            mine_hps: hashrate_hps,
            pool_hps: 1e15,
            network_difficulty: 1.3e14,
            share_difficulty: share_difficulty(1e15),
            block_value_sats: 312_500_000,
            window_secs: 72.0 * HOUR,
        }
    }

    #[test]
    fn parts_of_a_block_are_those_of_the_help_texts() {
        for (hps, sats) in [
            (50e6, 16.0),
            (1.2e12, 375_000.0),
            (4.8e12, 1_500_000.0),
            (13.5e12, 4_218_750.0),
            (95e12, 29_687_500.0),
        ] {
            let found = calculation(&circumstances(hps)).unwrap();
            assert!(
                (found.per_block_sats.0 as f64 - sats).abs() <= (sats * 0.005).max(0.5),
                "{hps}"
            );
        }
    }

    #[test]
    fn calculator_tells_window_payment_and_solo() {
        let found = calculation(&circumstances(1.2e12)).unwrap();
        assert!(is_near(found.share_secs, 25_000.0));
        // 1 − e^(−259200/25000).
        assert!(is_near(found.share_in_window, 0.999_969));
        assert!(is_near(found.pool_block_secs, 5.5835e8));
        // 1 − e^(−30 d/17.69 y), and likewise for a year and for five.
        let fractions = found.paid_within.map(|chance| chance.fraction);
        assert!(is_near(fractions[0], 0.004_631) && is_near(fractions[1], 0.054_92));
        assert!(is_near(fractions[2], 0.246_1));
        assert!(is_near(found.solo_block_secs, 4.6529e11));
    }

    #[test]
    fn chance_of_payment_is_that_of_a_block_and_a_share_in_its_window() {
        // A CPU of 50 MH/s: a share in 19 years, so 0.043 % of the time one is in the window.
        let found = calculation(&circumstances(50e6)).unwrap();
        assert!(is_near(found.share_in_window, 4.319e-4));
        assert!(is_near(found.paid_within[2].fraction, 1.5768e8 / 5.5835e8 * 4.319e-4));
    }

    #[test]
    fn other_hash_rate_changes_the_pool_with_it() {
        // As much again as the whole pool: half of each block, and shares twice as hard.
        let about = Circumstances { mine_hps: 0.0, ..circumstances(1e15) };
        let found = calculation(&about).unwrap();
        assert_eq!(found.per_block_sats, Sats(156_250_000));
        assert!(is_near(found.share_secs, 60.0) && is_near(found.pool_block_secs, 2.7917e8));
    }

    #[test]
    fn nothing_is_calculated_of_nothing() {
        for hps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(calculation(&circumstances(hps)), None, "{hps}");
        }
        let unknown = Circumstances { share_difficulty: 0.0, ..circumstances(1e12) };
        assert_eq!(calculation(&unknown), None);
    }
}
