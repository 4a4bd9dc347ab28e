//! Figures of a pool of fifty nodes: lost shares, time and bytes that a share takes.
//!
//! `cargo test -p p2pool-tests --test sim figures -- --nocapture` prints them.

use std::time::Duration;

use crate::seed;
use crate::world::{Fates, Scenario, World, quantile};

const MINUTE: Duration = Duration::from_secs(60);
const NODES: usize = 50;
/// Virtual time that is measured.
const MEASURED: Duration = Duration::from_secs(3_600);

/// What a pool was like for an hour.
#[derive(Debug)]
struct Figures {
    fates: Fates,
    half: Duration,
    most: Duration,
    /// Bytes about shares and all others, per share and node.
    relayed: u64,
    all: u64,
}

/// A pool of which some, or all, nodes save bandwidth.
fn pool(seed: u64, low_bandwidth: usize) -> Figures {
    let mut world = World::new(Scenario {
        seed,
        nodes: NODES,
        low_bandwidth,
        // So long a chain that no share of the run is pruned.
        chain_length: 500,
        hidden: 20,
        ..Scenario::default()
    });
    world.run_for(MINUTE * 10);
    world.measure.restart();
    world.run_for(MEASURED);
    let times = world.measure.propagation();
    let bytes = |command: &str| world.measure.bytes.get(command).copied().unwrap_or_default();
    let receivers = world.measure.count() as u64 * (NODES as u64 - 1);
    let about_shares = ["shares", "sharehashes", "sharereq", "sharereply"];
    let relayed = about_shares.map(bytes).iter().sum::<u64>() / receivers;
    let all = world.measure.bytes_sent() / receivers;
    world.settle(MINUTE * 2);
    let [half, most] = [0.5, 0.99].map(|part| quantile(&times, part));
    let figures = Figures { fates: world.fates(), half, most, relayed, all };
    eprintln!("{NODES} nodes, {low_bandwidth} of them in low bandwidth mode: {figures:?}");
    eprintln!("orphan rate {:.2} %", figures.fates.orphan_rate() * 100.0);
    eprintln!("{} bytes of {} are about shares", figures.relayed, figures.all);
    figures
}

#[test]
fn shares_are_rarely_lost_and_spread_within_seconds() {
    let figures = pool(seed(51), 0);
    assert!(figures.fates.orphan_rate() < 0.05, "{figures:?}");
    assert!(figures.half < Duration::from_millis(500), "{figures:?}");
    assert!(figures.most < Duration::from_secs(3), "{figures:?}");
}

#[test]
fn low_bandwidth_saves_most_bytes_and_costs_little_time() {
    let figures = pool(seed(51), NODES);
    assert!(figures.relayed < 1_500, "a share is fetched about once: {figures:?}");
    assert!(figures.fates.orphan_rate() < 0.05, "{figures:?}");
    assert!(figures.most < Duration::from_secs(5), "{figures:?}");
}
