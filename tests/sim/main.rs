//! Whole networks in one process, on virtual time, from one seed.
//!
//! The second driver of the engine, the sessions and the peering: nodes with their miners, disks
//! and Bitcoin nodes, joined by connections that are slow, lose packets, break and lie. Nothing
//! here waits: hours of a network pass in seconds, and a seed fixes every step of them.
//!
//! `cargo test -p p2pool-tests --test sim` runs fixed seeds. `P2POOL_SIM_SEED=7` runs that seed
//! in their place; a failing test prints its own, and the last events before the failure.

#![expect(clippy::print_stderr, reason = "a failing run tells its seed and its last events")]

mod agreement;
mod blocks;
mod clocks;
mod determinism;
mod figures;
mod hostile;
mod partitions;
mod restarts;
mod world;

/// The seed of a test, unless the environment names another.
fn seed(fixed: u64) -> u64 {
    let named = std::env::var("P2POOL_SIM_SEED").ok();
    named.map_or(fixed, |text| text.parse().expect("P2POOL_SIM_SEED is a number"))
}
