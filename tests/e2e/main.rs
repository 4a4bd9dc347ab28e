//! End to end: real processes, real sockets on loopback, Bitcoin Core's consensus code.
//!
//! Each test has a folder and ports of its own, so all run at once; none needs a network.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_starts;
#[cfg(target_os = "linux")]
mod cpu_miner;
mod mining;
#[cfg(unix)]
mod own_node;
#[cfg(target_os = "linux")]
mod restart;
mod stopping;
#[cfg(target_os = "linux")]
mod three_nodes;

use std::time::Duration;

/// Time for anything that mining must bring about. It takes seconds on a quiet computer.
const SOON: Duration = Duration::from_secs(50);
/// Time in which a node that was asked to must have ended.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Mining at this pace leaves the members a part of the work.
const GENTLE: [&str; 2] = ["--limit-hps", "200000"];
/// The CPU miner's program.
#[cfg(target_os = "linux")]
const MINER: &str = "p2pool-miner";
