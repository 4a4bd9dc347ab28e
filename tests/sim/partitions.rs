//! Networks that fall apart come together again.

use std::time::Duration;

use crate::seed;
use crate::world::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn halves_agree_again_when_the_cut_heals() {
    let mut world = World::new(Scenario { seed: seed(11), nodes: 16, ..Scenario::default() });
    world.run_for(MINUTE * 5);
    world.split(|node| u32::from(node < 8));
    world.run_for(MINUTE * 15);
    assert!(!world.agrees(), "each half went on alone");
    world.heal();
    world.run_for(MINUTE * 5);
    world.settle(MINUTE * 2);
    let fates = world.fates();
    assert!(fates.orphan >= 3, "one half's shares are lost: {fates:?}");
}

#[test]
fn short_cuts_do_not_even_end_connections() {
    let mut world = World::new(Scenario { seed: seed(12), nodes: 12, ..Scenario::default() });
    world.run_for(MINUTE * 5);
    let before = world.connections_made();
    for round in 0..10 {
        world.split(|node| u32::from((node + round) % 3 == 0));
        world.run_for(Duration::from_secs(10));
        world.heal();
        world.run_for(MINUTE);
    }
    assert_eq!(world.connections_made(), before);
    world.settle(MINUTE * 2);
}

#[test]
fn three_parts_that_change_come_together() {
    let mut world = World::new(Scenario { seed: seed(13), nodes: 15, ..Scenario::default() });
    for round in 0..8_usize {
        world.split(|node| u32::try_from((node / 2 + round) % 3).expect("below three"));
        world.run_for(MINUTE * 4);
    }
    world.heal();
    world.run_for(MINUTE * 5);
    world.settle(MINUTE * 2);
}
