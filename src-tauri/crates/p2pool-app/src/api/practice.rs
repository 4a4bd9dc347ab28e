//! What practice mode runs on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Facts about the practice chain, shown under the band of practice mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PracticeFacts {
    /// The rules of the private chain.
    pub chain: ChainKind,
    /// Average time to a block at the practice pool's present hash rate; `None` until known.
    pub block_secs: Option<f64>,
    /// Time between shares the practice pool aims for.
    pub share_secs: f64,
    /// Simulated members running.
    pub simulated_members: u32,
    /// Threads of the built-in CPU miner.
    pub threads: u32,
    /// Threads this computer has.
    pub threads_available: u32,
    /// How the built-in CPU miner is.
    pub helper: HelperState,
}

/// The rules of the private chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ChainKind {
    /// Testnet4's rules from its genesis, difficulty 1.
    Testnet4,
    /// Regression-test rules, for fast tests.
    Regtest,
}

/// How the built-in CPU miner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum HelperState {
    /// Not asked to run.
    Off,
    /// Started, no result yet.
    Starting,
    /// Mining.
    Running,
    /// Pausing while the computer runs on its battery.
    PausedOnBattery,
    /// Pausing while somebody uses the computer.
    PausedUserActive,
    /// Stopped, for its time is over.
    Finished,
    /// Stopped, for the processor was too hot.
    TooHot,
    /// Missing, blocked or ended by itself (`E-CPU-01`).
    Failed,
}
