//! Processes that end in the middle of everything, and disks that are slow.

use std::time::Duration;

use crate::seed;
use crate::world::{End, Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn nothing_stored_is_lost_however_often_nodes_are_killed() {
    let mut world = World::new(Scenario { seed: seed(31), nodes: 8, ..Scenario::default() });
    // A node's start compares what it knows with what its disk holds.
    world.churn_for(MINUTE * 60, Duration::from_secs(7));
    world.run_for(MINUTE * 5);
    world.settle(MINUTE * 2);
}

#[test]
fn whole_network_restarts_from_its_disks() {
    let mut world = World::new(Scenario { seed: seed(32), nodes: 10, ..Scenario::default() });
    world.run_for(MINUTE * 20);
    let before = world.bests();
    for node in 0..10 {
        world.stop(node, End::PowerCut);
    }
    world.run_for(MINUTE);
    for node in 0..10 {
        world.start(node);
    }
    world.run_for(MINUTE * 2);
    let tracker = world.engines().next().expect("all are up").tracker();
    assert!(before.iter().flatten().any(|best| tracker.get(*best).is_some()));
    world.settle(MINUTE * 2);
}

#[test]
fn slow_disks_cost_no_share() {
    let mut world = World::new(Scenario {
        seed: seed(33),
        nodes: 12,
        disk: Duration::from_millis(500)..Duration::from_secs(4),
        ..Scenario::default()
    });
    world.run_for(MINUTE * 30);
    world.settle(MINUTE * 2);
    assert!(world.measure.storage_slow > 0, "somebody's disk was too slow");
    let fates = world.fates();
    assert!(fates.orphan <= 4, "{fates:?}");
}
