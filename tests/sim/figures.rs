//! Figures of a pool of fifty nodes: lost shares, time and bytes that a share takes.
//!
//! `cargo test -p p2pool-tests --test sim figures -- --nocapture` prints them.

use std::time::Duration;

use crate::seed;
use crate::world::{Scenario, World, quantile};

const MINUTE: Duration = Duration::from_secs(60);
const NODES: usize = 50;

fn pool(seed: u64) -> World {
    // So long a chain that no share of the run is pruned.
    let scenario = Scenario { seed, nodes: NODES, chain_length: 500, ..Scenario::default() };
    let mut world = World::new(scenario);
    world.run_for(MINUTE * 10);
    world.measure.restart();
    world.run_for(MINUTE * 180);
    world
}

#[test]
fn shares_are_rarely_lost_and_spread_within_seconds() {
    let mut world = pool(seed(51));
    let times = world.measure.propagation();
    let relayed = world.measure.bytes.get("shares").copied().unwrap_or_default();
    let all = world.measure.bytes_sent();
    let count = world.measure.count() as u64;
    world.settle(MINUTE * 2);
    let fates = world.fates();
    let [half, most] = [0.5, 0.99].map(|part| quantile(&times, part));
    eprintln!("{NODES} nodes, {fates:?}: orphan rate {:.2} %", fates.orphan_rate() * 100.0);
    eprintln!("a share is built on after {half:?} (p50), {most:?} (p99)");
    let receivers = count * (NODES as u64 - 1);
    eprintln!(
        "{} bytes pushed, {} in all, per share and node",
        relayed / receivers,
        all / receivers
    );
    assert!(fates.orphan_rate() < 0.05, "{fates:?}");
    assert!(half < Duration::from_millis(500) && most < Duration::from_secs(3));
}
