//! Everything that this program tells, as values; `--json` prints them as they are.
//!
//! The shape is a promise to scripts, written down in `docs/events.md`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use p2pool_node::{
    BitcoinState, HelperPause, HelperState, PracticeMember, ProblemCode, StorageState,
};
use serde::{Deserialize, Serialize};

use crate::payees::Payment;
use crate::problems::Problem;

/// One thing to tell. Numbers carry their unit in their name; hashes are in displayed order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Notice {
    Started(Box<Started>),
    ShareFound { hash: String, worker: String, is_on_time: bool },
    BestShare { hash: String, height: u32, is_own: bool },
    BlockFound { hash: String, height: u32, is_own: bool },
    BlockAccepted(CheckedBlock),
    BlockUnchecked { hash: String, reason: String },
    BlockRejected { hash: String, reason: String },
    BlockReplaced { hash: String },
    CpuMiner(CpuMiner),
    Bitcoin(Bitcoin),
    Storage { is_degraded: bool, reason: Option<String> },
    StorageSlow,
    MinerConnected { worker: String, is_cpu_miner: bool },
    MinerLeft { worker: String, is_cpu_miner: bool },
    MemberJoined { address: String },
    MemberLeft { address: String },
    MiningStarted,
    MiningPaused,
    DatabaseReplaced { old: PathBuf },
    Missed { events: u64 },
    Status(Box<Status>),
    Summary(Box<Summary>),
    Stopping,
    Stopped { took_ms: u64, late: Vec<&'static str> },
    Failed { code: &'static str, message: String, details: String },
}

/// The node runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Started {
    pub(crate) version: &'static str,
    pub(crate) chain: String,
    /// Whether the chain is a private one and its coins worth nothing.
    pub(crate) is_practice: bool,
    /// Whether the share chain of an earlier run goes on.
    pub(crate) is_continued: bool,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: PathBuf,
    /// What miners connect to.
    pub(crate) stratum_url: String,
    /// Where own work is paid.
    pub(crate) payout_address: String,
    pub(crate) members: Vec<PracticeMember>,
    /// JSON-RPC of the Bitcoin node, or the practice chain's own.
    pub(crate) rpc_url: String,
    /// In practice, the file with its login.
    pub(crate) rpc_cookie: Option<PathBuf>,
    /// How the Bitcoin node is logged in to, in words; `None` in practice.
    pub(crate) rpc_login: Option<String>,
}

/// A block that is in the chain, as the chain itself has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CheckedBlock {
    pub(crate) hash: String,
    pub(crate) height: u32,
    pub(crate) is_own: bool,
    pub(crate) confirmations: u32,
    pub(crate) subsidy_sats: u64,
    pub(crate) fees_sats: u64,
    pub(crate) outputs_sum_sats: u64,
    /// Whether the outputs' sum is subsidy plus fees, to the satoshi.
    pub(crate) is_exact: bool,
    /// Outputs with a value, in their order.
    pub(crate) outputs: Vec<Payment>,
}

/// How the CPU miner does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum CpuMiner {
    Off,
    Starting,
    Running {
        threads: u32,
        /// What it was to pause for, but cannot, because this system does not tell.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        cannot_tell: Vec<HelperPause>,
    },
    Paused {
        reason: HelperPause,
    },
    Finished,
    /// The processor became too hot.
    TooHot {
        celsius: f64,
    },
    Missing {
        code: &'static str,
        path: PathBuf,
        reason: String,
    },
    Stopped {
        reason: String,
    },
}

/// How the Bitcoin node does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Bitcoin {
    Connecting,
    Ready,
    Unavailable { code: &'static str, reason: String },
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Seconds since the start.
    pub(crate) ran_seconds: u64,
    /// Own miners together, from their accepted work.
    pub(crate) hashrate_hps: f64,
    /// The CPU miner's own measurement, while it runs.
    pub(crate) cpu_hashrate_hps: Option<f64>,
    pub(crate) pool_hashrate_hps: f64,
    pub(crate) is_mining: bool,
    pub(crate) state: MiningState,
    pub(crate) problems: Vec<Problem>,
    /// In this run.
    pub(crate) shares_mine: u64,
    /// Of these, late ones.
    pub(crate) shares_late: u64,
    /// Seen in this run.
    pub(crate) shares_others: u64,
    pub(crate) best_share: Option<String>,
    /// Shares from the best one down.
    pub(crate) height: u32,
    pub(crate) window_shares: u64,
    pub(crate) window_mine: u64,
    /// Connected members.
    pub(crate) peers: u64,
    pub(crate) blocks_found: u64,
    pub(crate) blocks_accepted: u64,
    /// Height of the block being worked on, and what it pays altogether.
    pub(crate) next_block_height: u32,
    pub(crate) next_block_sats: u64,
    pub(crate) share_difficulty: f64,
    pub(crate) block_difficulty: f64,
    /// What a block found now would pay, largest first.
    pub(crate) payouts: Vec<Payment>,
}

/// Whether miners have work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MiningState {
    /// They have.
    Mining,
    /// They will, once what is missing has come.
    Waiting,
    /// Somebody wants them to rest.
    Paused,
}

/// The whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) is_practice: bool,
    pub(crate) ran_seconds: u64,
    pub(crate) shares_mine: u64,
    pub(crate) shares_late: u64,
    pub(crate) shares_others: u64,
    pub(crate) blocks_found: u64,
    pub(crate) blocks_accepted: u64,
    /// Accepted blocks whose outputs pay subsidy plus fees exactly.
    pub(crate) blocks_exact: u64,
    pub(crate) blocks_rejected: u64,
    pub(crate) blocks_replaced: u64,
    /// What accepted blocks paid, by address, largest first.
    pub(crate) payouts: Vec<Payment>,
    /// The newest accepted blocks, oldest first.
    pub(crate) blocks: Vec<CheckedBlock>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    notice: &'a Notice,
    /// Unix seconds.
    at: u64,
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Notice {
    /// One line of JSON, without its end.
    pub(crate) fn to_json(&self, at: u64) -> String {
        serde_json::to_string(&Line { notice: self, at }).expect("texts and numbers are JSON")
    }
}

impl From<&HelperState> for CpuMiner {
    fn from(state: &HelperState) -> Self {
        match state {
            HelperState::Off => Self::Off,
            HelperState::Starting => Self::Starting,
            HelperState::Running { threads, cannot_tell, .. } => {
                Self::Running { threads: *threads, cannot_tell: cannot_tell.clone() }
            }
            HelperState::Paused { reason } => Self::Paused { reason: *reason },
            HelperState::Finished => Self::Finished,
            HelperState::TooHot { celsius } => Self::TooHot { celsius: *celsius },
            HelperState::Missing { path, reason } => Self::Missing {
                code: ProblemCode::HelperMissing.as_str(),
                path: path.clone(),
                reason: reason.clone(),
            },
            HelperState::Stopped { reason } => Self::Stopped { reason: reason.clone() },
        }
    }
}

impl From<&BitcoinState> for Bitcoin {
    fn from(state: &BitcoinState) -> Self {
        match state {
            BitcoinState::Connecting => Self::Connecting,
            BitcoinState::Ready { .. } => Self::Ready,
            BitcoinState::Unavailable { code, reason, .. } => {
                Self::Unavailable { code: code.as_str(), reason: reason.clone() }
            }
        }
    }
}

impl From<&StorageState> for Notice {
    fn from(state: &StorageState) -> Self {
        match state {
            StorageState::Ok => Self::Storage { is_degraded: false, reason: None },
            StorageState::Degraded { reason } => {
                Self::Storage { is_degraded: true, reason: Some(reason.clone()) }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
