//! Clocks that are off.

use std::time::Duration;

use crate::seed;
use crate::world::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn clocks_a_few_minutes_off_do_no_harm() {
    let mut world = World::new(Scenario { seed: seed(21), nodes: 16, ..Scenario::default() });
    let skews = [-280, 280, -120, 0, 200, 90, -60, 15];
    for (number, node) in world.nodes.iter_mut().enumerate() {
        node.skew = skews[number % skews.len()];
    }
    world.run_for(MINUTE * 40);
    world.settle(MINUTE * 2);
    let fates = world.fates();
    assert!(fates.orphan <= 4, "{fates:?}");
}
#[test]
fn clocks_far_ahead_disturb_nobody_else() {
    let mut world = World::new(Scenario { seed: seed(22), nodes: 16, ..Scenario::default() });
    world.nodes[3].skew = 7_200;
    world.nodes[4].skew = 900;
    world.run_for(MINUTE * 40);
    world.stop_miners();
    assert!(world.run_until(MINUTE * 2, |world| agree_without(world, &[3, 4])));
    world.judge_bans();
    world.judge_company();
}

#[test]
fn clock_far_behind_disturbs_nobody_else() {
    let mut world = World::new(Scenario { seed: seed(23), nodes: 16, ..Scenario::default() });
    world.nodes[3].skew = -7_200;
    world.run_for(MINUTE * 30);
    assert!(world.run_until(MINUTE * 2, |world| agree_without(world, &[3])));
    world.judge_bans();
    world.judge_company();
    // The clock is set right: it is one of them again.
    world.nodes[3].skew = 0;
    world.run_for(MINUTE * 10);
    world.settle(MINUTE * 2);
}

/// Whether all others build on the same share.
fn agree_without(world: &World, without: &[usize]) -> bool {
    let bests = world.bests();
    let others = (0..bests.len()).filter(|node| !without.contains(node));
    let others: Vec<_> = others.map(|node| bests[node]).collect();
    others.iter().all(|best| best.is_some() && *best == others[0])
}
