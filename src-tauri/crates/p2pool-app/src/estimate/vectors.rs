//! Estimates against numbers that were worked out elsewhere.

use super::*;

const DAY: f64 = 86_400.0;

/// Whether two numbers differ by at most half a percent.
fn is_near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= expected.abs() * 0.005
}

/// One set of what is known, and what the formulas give for it.
struct Fixture {
    mine_hps: f64,
    pool_hps: f64,
    network: f64,
    share: f64,
    work: f64,
    /// Good and late.
    mine: (u32, u32),
    pool: (u32, u32),
    share_secs: f64,
    block_secs: f64,
    chance_30_days: f64,
    effort: f64,
    efficiency: Option<f64>,
}

/// Worked out with forty decimal digits by the formulas of the design, apart from this program.
const FIXTURES: [Fixture; 10] = [
    Fixture {
        mine_hps: 1.200000e12,
        pool_hps: 1.000000e15,
        network: 1.300000e14,
        share: 6.985000e6,
        work: 1.290000e16,
        mine: (48, 2),
        pool: (190, 10),
        share_secs: 2.500028880e4,
        block_secs: 5.583457485e8,
        chance_30_days: 4.631526084e-3,
        effort: 4.299950327e-1,
        efficiency: Some(1.010526316e0),
    },
    Fixture {
        mine_hps: 5.000000e7,
        pool_hps: 1.000000e15,
        network: 1.300000e14,
        share: 6.985000e6,
        work: 3.000000e14,
        mine: (0, 0),
        pool: (8500, 140),
        share_secs: 6.000069313e8,
        block_secs: 5.583457485e8,
        chance_30_days: 4.631526084e-3,
        effort: 9.999884480e-3,
        efficiency: None,
    },
    Fixture {
        mine_hps: 4.800000e12,
        pool_hps: 1.000000e15,
        network: 1.300000e14,
        share: 6.985000e6,
        work: 9.000000e16,
        mine: (120, 1),
        pool: (8300, 340),
        share_secs: 6.250072201e3,
        block_secs: 5.583457485e8,
        chance_30_days: 4.631526084e-3,
        effort: 2.999965344e0,
        efficiency: Some(1.032360848e0),
    },
    Fixture {
        mine_hps: 1.350000e13,
        pool_hps: 1.000000e15,
        network: 1.300000e14,
        share: 6.985000e6,
        work: 1.000000e16,
        mine: (30, 3),
        pool: (8600, 40),
        share_secs: 2.222247894e3,
        block_secs: 5.583457485e8,
        chance_30_days: 4.631526084e-3,
        effort: 3.333294827e-1,
        efficiency: Some(9.133192389e-1),
    },
    Fixture {
        mine_hps: 9.500000e13,
        pool_hps: 1.000000e15,
        network: 1.300000e14,
        share: 6.985000e6,
        work: 3.100000e16,
        mine: (2000, 50),
        pool: (8400, 240),
        share_secs: 3.157931217e2,
        block_secs: 5.583457485e8,
        chance_30_days: 4.631526084e-3,
        effort: 1.033321396e0,
        efficiency: Some(1.003484321e0),
    },
    Fixture {
        mine_hps: 1.200000e12,
        pool_hps: 2.000000e16,
        network: 1.300000e14,
        share: 1.397000e8,
        work: 7.000000e17,
        mine: (11, 0),
        pool: (8640, 0),
        share_secs: 5.000057760e5,
        block_secs: 2.791728742e7,
        chance_30_days: 8.866588866e-2,
        effort: 1.166653189e0,
        efficiency: Some(1.000000000e0),
    },
    Fixture {
        mine_hps: 4.600000e7,
        pool_hps: 9.200000e7,
        network: 1.000000e0,
        share: 6.100000e-3,
        work: 2.619930e7,
        mine: (48, 2),
        pool: (190, 10),
        share_secs: 5.695500110e-1,
        block_secs: 4.668442713e1,
        chance_30_days: 1.000000000e0,
        effort: 9.999999807e-1,
        efficiency: Some(1.010526316e0),
    },
    Fixture {
        mine_hps: 6.000000e14,
        pool_hps: 3.000000e15,
        network: 8.800000e13,
        share: 2.100000e7,
        work: 2.200000e17,
        mine: (4000, 44),
        pool: (8000, 640),
        share_secs: 1.503238554e2,
        block_secs: 1.259857073e8,
        chance_30_days: 2.036356646e-2,
        effort: 2.439178172e0,
        efficiency: Some(1.068249258e0),
    },
    Fixture {
        mine_hps: 2.500000e11,
        pool_hps: 4.400000e14,
        network: 1.210000e14,
        share: 3.070000e6,
        work: 1.100000e16,
        mine: (10, 10),
        pool: (8640, 100),
        share_secs: 5.274219839e4,
        block_secs: 1.181116006e9,
        chance_30_days: 2.192128418e-3,
        effort: 8.342466059e-1,
        efficiency: Some(5.057870370e-1),
    },
    Fixture {
        mine_hps: 1.100000e15,
        pool_hps: 1.100000e15,
        network: 1.500000e14,
        share: 7.700000e6,
        work: 5.000000e17,
        mine: (8640, 0),
        pool: (8640, 0),
        share_secs: 3.006477107e1,
        block_secs: 5.856773585e8,
        chance_30_days: 4.415866139e-3,
        effort: 1.511887296e1,
        efficiency: Some(1.000000000e0),
    },
];

/// Acceptance 25: estimates equal the formulas for ten fixture sets, within half a percent.
#[test]
fn estimates_equal_the_formulas_for_ten_fixture_sets() {
    let outcome = |(good, late)| Outcome { good, late };
    for (number, it) in FIXTURES.iter().enumerate() {
        let block_secs = wait_secs(it.network, it.pool_hps).unwrap();
        let pairs = [
            (wait_secs(it.share, it.mine_hps).unwrap(), it.share_secs),
            (block_secs, it.block_secs),
            (chance_within(30.0 * DAY, block_secs), it.chance_30_days),
            (effort(it.work, it.share).unwrap(), it.effort),
        ];
        for (estimate, expected) in pairs {
            assert!(is_near(estimate, expected), "set {number}: {estimate} is not {expected}");
        }
        let found = efficiency(outcome(it.mine), outcome(it.pool));
        assert_eq!(found.is_some(), it.efficiency.is_some(), "set {number}");
        assert!(is_near(found.unwrap_or(1.0), it.efficiency.unwrap_or(1.0)), "set {number}");
    }
}

#[test]
fn share_sizes_are_those_of_the_miners_door() {
    let block = BlockFacts { difficulty: 1.3e14, spread: 3.0, value_sats: 312_500_000 };
    let size = |choice| asked_difficulty(choice, &block, 7e6);
    assert_eq!(size(ShareSizeChoice::Automatic), 7e6);
    assert_eq!(size(ShareSizeChoice::Bigger { factor: 7 }), 49e6);
    assert_eq!(size(ShareSizeChoice::Bigger { factor: 100 }), 210e6, "cut by the chain");
    // 1.3e14 · 3 · 100 / 312,500,000.
    assert!(is_near(size(ShareSizeChoice::Worth { sats: 100 }), 124.8e6));
    assert_eq!(size(ShareSizeChoice::Worth { sats: 100_000 }), 210e6, "cut by the chain");
    assert_eq!(size(ShareSizeChoice::Worth { sats: 1 }), 7e6, "never below the smallest");
}

#[test]
fn time_left_follows_the_pace_so_far() {
    assert!(is_near(remaining_secs(0.5, 0.6, 600.0).unwrap(), 2_400.0));
    for (before, after, within) in [(0.5, 0.5, 60.0), (0.6, 0.5, 60.0), (0.5, 0.6, 0.0)] {
        assert_eq!(remaining_secs(before, after, within), None);
    }
}
