//! Runs the real programs for the end-to-end tests.
//!
//! [`TempNode`] is a `p2poold` of its own folder and ports, read line by line with deadlines and
//! killed when the test is over; [`Bitcoind`] is a true Bitcoin node and [`FakeBitcoind`] one that can
//! be brought into every condition; [`StratumMiner`] finds what it is told to find. Nothing here
//! needs a network.

mod bitcoind;
mod fake_bitcoind;
mod node;
#[cfg(target_os = "linux")]
pub mod processes;
mod programs;
mod stratum_miner;

pub use bitcoind::{Bitcoind, free_port};
pub use fake_bitcoind::{Behaviour, FakeBitcoind};
pub use node::{Exit, TempNode};
pub use programs::{Outcome, program, run};
pub use stratum_miner::{Answers, MinerWork, StratumMiner};
