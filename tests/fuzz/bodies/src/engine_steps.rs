//! A node's engine in a small world on virtual time: the bytes are read as a list of events.
//!
//! Peers come and go, send good shares, bad ones, old ones and orphans, ask and answer or do not;
//! Bitcoin's templates change, miners find shares and blocks, storage lags, the clock jumps, and
//! the node restarts from what it had stored. After each event the engine's promises are checked
//! ([`ledger`]).

mod bitcoin_side;
mod extensions;
mod forge;
mod ledger;
mod node;
mod pool;
mod world;

use crate::choices::Choices;
use world::World;

/// Events of one run.
const EVENTS_MAX: usize = 192;

/// Plays the events; now and then twice, to see that the same inputs give the same outputs.
///
/// # Panics
/// Where the engine breaks a promise.
pub fn engine_steps(data: &[u8]) {
    let mut choices = Choices::new(data);
    let is_played_twice = choices.u8() % 8 == 7;
    let first = play(choices.clone());
    if is_played_twice {
        assert_eq!(play(choices), first, "the same inputs give other outputs");
    }
}

/// Plays a run and returns a digest of all outputs.
fn play(mut choices: Choices<'_>) -> u64 {
    let mut world = World::new(&mut choices);
    for _ in 0..EVENTS_MAX {
        if choices.is_empty() {
            break;
        }
        world.event(&mut choices);
    }
    world.finish()
}
