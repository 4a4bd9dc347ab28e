//! Honest nodes come to build on the same share, whatever the wires do.

use std::time::Duration;

use crate::seed;
use crate::world::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn fifty_nodes_agree_in_spite_of_latency_loss_and_churn() {
    let scenario =
        Scenario { seed: seed(1), nodes: 50, hidden: 20, loss: 0.01, ..Scenario::default() };
    let mut world = World::new(scenario);
    world.churn_for(MINUTE * 20, MINUTE / 6);
    world.run_for(MINUTE * 5);
    world.settle(MINUTE * 2);
    let fates = world.fates();
    eprintln!("50 nodes, churn: {fates:?}, orphan rate {:.4}", fates.orphan_rate());
    assert!(fates.in_chain > 30, "{fates:?}");
}

#[test]
fn nodes_that_begin_with_nothing_agree() {
    let scenario = Scenario { seed: seed(2), nodes: 12, history: 0, ..Scenario::default() };
    let mut world = World::new(scenario);
    world.run_for(MINUTE * 40);
    world.settle(MINUTE * 2);
    assert!(world.fates().in_chain > 50, "{:?}", world.fates());
}

#[test]
fn chain_goes_on_when_old_shares_are_pruned() {
    let scenario = Scenario {
        seed: seed(3),
        nodes: 8,
        chain_length: 105,
        history: 215,
        share_period: 10,
        ..Scenario::default()
    };
    let mut world = World::new(scenario);
    world.churn_for(MINUTE * 60, MINUTE);
    world.run_for(MINUTE * 5);
    world.settle(MINUTE * 2);
    assert!(world.fates().found > 300, "{:?}", world.fates());
}

#[test]
fn newcomer_with_an_empty_disk_catches_up() {
    let scenario = Scenario {
        seed: seed(4),
        nodes: 10,
        chain_length: 300,
        history: 600,
        ..Scenario::default()
    };
    let mut world = World::new(scenario);
    world.stop(0, crate::world::End::Orderly);
    world.nodes[0].disk.wipe();
    world.run_for(MINUTE);
    world.start(0);
    let started = world.now;
    assert!(world.run_until(MINUTE * 2, World::agrees), "the newcomer lags behind");
    eprintln!("600 shares synchronised after {:?} at most", world.now - started);
    world.settle(MINUTE);
}
