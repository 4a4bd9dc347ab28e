//! One seed fixes every step of a run.

use std::time::Duration;

use crate::seed;
use crate::world::strangers::{Poisoner, Spammer};
use crate::world::{Scenario, World};

fn run(seed: u64) -> u64 {
    let scenario = Scenario { seed, nodes: 8, history: 20, ..Scenario::default() };
    let mut world = World::new(scenario);
    world.add_stranger(Box::new(Spammer::default()));
    world.add_stranger(Box::new(Poisoner::default()));
    world.churn_for(Duration::from_secs(400), Duration::from_secs(40));
    world.digest()
}

#[test]
fn the_same_seed_is_the_same_run_step_for_step() {
    let seed = seed(2);
    let digest = run(seed);
    assert_eq!(digest, run(seed));
    assert_ne!(digest, run(seed + 1));
}
