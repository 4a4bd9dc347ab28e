use proptest::prelude::*;

use super::*;

const WIDE: Bounds = Bounds { floor: 0.000_01, ceiling: 1e15 };

fn at(seconds: f64) -> MonoTime {
    MonoTime::ZERO + Duration::from_secs_f64(seconds)
}

/// A miner whose solutions come by chance, from a fixed seed.
struct SimulatedMiner {
    hashrate_hps: f64,
    random: u64,
}

struct Run {
    vardiff: Vardiff,
    changes: Vec<(f64, f64)>,
    shares: Vec<f64>,
}

impl SimulatedMiner {
    fn uniform(&mut self) -> f64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mines for `seconds`, with a timer each 10 s as the session has it.
    fn run(&mut self, start: f64, bounds: &Bounds, seconds: f64) -> Run {
        let settings = VardiffSettings::default();
        let mut vardiff = Vardiff::new(&settings, start, false, at(0.0));
        let (mut changes, mut shares) = (Vec::new(), Vec::new());
        let (mut clock, mut timer) = (0.0, 10.0);
        loop {
            let rate = self.hashrate_hps / (vardiff.current() * 2_f64.powi(32));
            let next_share = clock - (1.0 - self.uniform()).ln() / rate;
            clock = next_share.min(timer);
            if clock > seconds {
                return Run { vardiff, changes, shares };
            }
            // Chance has no memory: after a timer the wait for the next share starts over.
            if next_share < timer {
                vardiff.count(vardiff.current(), at(clock));
                shares.push(clock);
            } else {
                timer += 10.0;
            }
            if let Some(new) = vardiff.decide(bounds, at(clock)) {
                changes.push((clock, new));
            }
        }
    }
}

#[test]
fn every_size_of_miner_settles_near_the_wanted_rate_and_stays() {
    for hashrate_hps in [50e3, 400e3, 24e6, 20e9, 1.2e12, 14e12, 200e12, 5e15] {
        for start in [0.00025, 1000.0, 65_536.0] {
            let mut miner = SimulatedMiner { hashrate_hps, random: 7 };
            let run = miner.run(start, &WIDE, 7200.0);
            let ideal = hashrate_hps * 6.0 / 2_f64.powi(32);
            let found = run.vardiff.current();
            let case =
                format!("{hashrate_hps} H/s from {start}: {found} of {ideal}, {:?}", run.changes);
            assert!((0.45..2.2).contains(&(found / ideal)), "{case}");
            let settled = run.shares.iter().filter(|time| **time > 3600.0).count();
            assert!((360..1150).contains(&settled), "{case}: {settled} shares in the second hour");
            let late = run.changes.iter().filter(|(time, _)| *time > 3600.0).count();
            assert!(late <= 3, "{case}");
        }
    }
}

#[test]
fn large_miner_is_slowed_within_half_a_minute() {
    let mut miner = SimulatedMiner { hashrate_hps: 200e12, random: 3 };
    let run = miner.run(1000.0, &WIDE, 30.0);
    assert!(run.vardiff.current() > 100_000.0, "{:?}", run.changes);
    assert!(run.shares.len() < 300, "{}", run.shares.len());
}

#[test]
fn lottery_miner_gets_its_first_share_within_ten_minutes_of_a_far_too_hard_start() {
    let mut miner = SimulatedMiner { hashrate_hps: 50e3, random: 11 };
    let run = miner.run(1000.0, &WIDE, 900.0);
    assert!(run.shares.first().is_some_and(|time| *time < 600.0), "{:?}", run.changes);
}

#[test]
fn burst_after_a_pause_does_not_leap_without_bound() {
    let mut vardiff = Vardiff::new(&VardiffSettings::default(), 1.0, false, at(0.0));
    for _ in 0..6 {
        vardiff.count(1.0, at(0.01));
    }
    let new = vardiff.decide(&WIDE, at(0.01)).unwrap();
    assert!((10.0..=64.0).contains(&new), "{new}");
    assert_eq!(vardiff.decide(&WIDE, at(0.01)), None);
}

#[test]
fn fixed_difficulty_stays_until_it_floods() {
    let mut vardiff = Vardiff::new(&VardiffSettings::default(), 2.0, true, at(0.0));
    assert_eq!(vardiff.decide(&WIDE, at(600.0)), None);
    for number in 0..100 {
        vardiff.count(2.0, at(600.0 + f64::from(number) * 0.1));
        assert_eq!(vardiff.decide(&WIDE, at(600.0 + f64::from(number) * 0.1)), None);
    }
    let mut flooding = Vardiff::new(&VardiffSettings::default(), 0.001, true, at(0.0));
    let mut raised = None;
    for number in 0..2000 {
        let now = at(f64::from(number) * 0.01);
        flooding.count(0.001, now);
        raised = raised.or(flooding.decide(&WIDE, now).map(|new| (now, new)));
    }
    let (when, new) = raised.unwrap();
    assert!(when >= at(10.0) && new > 0.01);
}

#[test]
fn ceiling_wins_over_floor_and_is_never_rounded_up() {
    let bounds = Bounds { floor: 0.001, ceiling: 0.000_123_4 };
    assert_eq!(bounds.cut(5.0), 0.000_12);
    assert_eq!(Bounds { floor: 0.001, ceiling: 1.99 }.cut(5.0), 1.0);
    assert_eq!(Bounds { floor: 0.001, ceiling: 199.0 }.cut(500.0), 190.0);
    assert_eq!(Bounds { floor: 0.001, ceiling: 0.000_12 }.cut(1.0), 0.000_12);
    assert_eq!(Bounds { floor: 524_288.0, ceiling: 100_000.0 }.cut(1.0), 100_000.0);
}

#[test]
fn proposal_at_the_ceiling_is_none() {
    let mut vardiff = Vardiff::new(&VardiffSettings::default(), 0.01, false, at(0.0));
    let bounds = Bounds { floor: 0.000_01, ceiling: 0.01 };
    for number in 0..1000 {
        let now = at(f64::from(number) * 0.01);
        vardiff.count(0.01, now);
        assert_eq!(vardiff.decide(&bounds, now), None);
    }
}

#[test]
fn difficulties_have_two_digits() {
    for (given, shown) in [
        (1_234.0, 1_200.0),
        (65_536.0, 66_000.0),
        (1.4, 1.0),
        (9.6, 10.0),
        (0.0567, 0.057),
        (0.000_256, 0.000_26),
    ] {
        assert_eq!(rounded(given, f64::round), shown);
    }
    assert_eq!(crate::message::difficulty_text(rounded(4.672e-10, f64::round)), "0.00000000047");
}

#[test]
fn devices_are_known_by_what_they_call_themselves() {
    assert_eq!(device_defaults("bitaxe/BM1370/v2.9").unwrap().start, 1000.0);
    assert_eq!(device_defaults("NerdMinerV2/1.8").unwrap().start, 0.000_25);
    assert_eq!(device_defaults("nerdqaxe++/BM1370").unwrap().start, 4000.0);
    assert_eq!(device_defaults("NiceHash/1.0.0").unwrap().floor, Some(524_288.0));
    assert_eq!(device_defaults("something else"), None);
}

proptest! {
    #[test]
    fn cut_keeps_the_ceiling_and_prints_plainly(
        difficulty in 1e-12_f64..1e18,
        floor in 1e-6_f64..1e6,
        ceiling in 1e-12_f64..1e18,
    ) {
        let cut = Bounds { floor, ceiling }.cut(difficulty);
        prop_assert!(cut > 0.0 && cut <= ceiling);
        let text = crate::message::difficulty_text(cut);
        prop_assert!(!text.contains('e'));
        prop_assert!(cut < 1.0 || !text.contains('.') || cut == ceiling, "{}", text);
        prop_assert!(text.trim_matches(['0', '.']).replace('.', "").trim_start_matches('0').len() <= 2 || cut == ceiling, "{}", text);
    }

    #[test]
    fn any_order_of_shares_and_questions_keeps_the_bounds(
        steps in prop::collection::vec((0_u32..40_000, any::<bool>(), 1e-6_f64..1e9), 0..200),
        start in 1e-3_f64..1e6,
    ) {
        let mut vardiff = Vardiff::new(&VardiffSettings::default(), WIDE.cut(start), false, at(0.0));
        let mut clock_ms = 0_u32;
        for (gap_ms, is_share, difficulty) in steps {
            clock_ms += gap_ms;
            let now = at(f64::from(clock_ms) / 1000.0);
            if is_share {
                vardiff.count(difficulty, now);
            }
            vardiff.decide(&WIDE, now);
            prop_assert!(vardiff.current() >= 0.000_009 && vardiff.current() <= WIDE.ceiling);
        }
    }
}
