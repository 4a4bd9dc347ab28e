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
    assert!(world.faults.is_empty(), "{:?}", world.faults);
}
