//! What everybody outside the node may see of it: snapshots and events.

mod bitcoin;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::bitcoin::Network;
use p2pool_bitcoind::{Auth, RpcConfig};
use p2pool_engine::{ChainSummary, Event};
use p2pool_sharechain::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::p2p::state::P2pState;

pub use bitcoin::{BitcoinDetails, BitcoinNode, BitcoinState, NodeProblem};

/// The whole node at one moment. Immutable; a newer one replaces it.
#[derive(Clone, Debug)]
pub struct NodeSnapshot {
    /// When the node was started.
    pub started_at: UnixTime,
    /// Which Bitcoin chain it works on.
    pub chain: Network,
    /// Whether it is a practice node, on a private chain of its own.
    pub is_practice: bool,
    /// Whether the stored share chain of an earlier run is continued.
    pub is_continued: bool,
    /// Whether work is handed to miners.
    pub is_mining: bool,
    /// Where miners connect.
    pub stratum_address: SocketAddr,
    /// Address text that own work pays.
    pub payout_address: String,
    /// Part of own work that is given to the developers, in 65535ths.
    pub donation: u16,
    /// The Bitcoin node.
    pub bitcoin: BitcoinState,
    /// The same in detail: each node that is asked, and warnings.
    pub bitcoin_details: Arc<BitcoinDetails>,
    /// The share chain and the work on it.
    pub summary: Arc<ChainSummary>,
    /// Connections to other nodes.
    pub p2p: Arc<P2pState>,
    /// Connected miners.
    pub miners: Arc<MinersSnapshot>,
    /// The CPU miner.
    pub helper: HelperState,
    /// The database.
    pub storage: StorageState,
    /// Simulated members; empty outside practice.
    pub members: Vec<PracticeMember>,
    /// Where the database lies, for read-only history pages.
    pub database: PathBuf,
    /// How to ask the practice chain itself; `None` outside practice.
    pub practice_rpc: Option<PracticeRpc>,
    /// Why the node has stopped by itself, if it has.
    pub failure: Option<String>,
}

/// The practice chain's JSON-RPC, as any Bitcoin node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeRpc {
    /// Its address, `http://127.0.0.1:port`.
    pub url: String,
    /// File with the login of this run.
    pub cookie: PathBuf,
}

impl PracticeRpc {
    /// How to call it.
    pub fn config(&self) -> RpcConfig {
        let auth = Auth::Cookie(self.cookie.clone());
        RpcConfig { url: self.url.clone(), auth, allows_public: false }
    }
}

/// A simulated member of the practice pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PracticeMember {
    /// Its name.
    pub name: String,
    /// Address text that it is paid at.
    pub address: String,
}

/// Why the CPU miner pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelperPause {
    /// The computer runs on its battery.
    OnBattery,
    /// Somebody uses the computer.
    UserActive,
}

/// How the CPU miner is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum HelperState {
    /// Not wanted.
    Off,
    /// Wanted, not connected yet.
    Starting,
    /// At work.
    Running {
        /// Threads.
        threads: u32,
        /// Its own measurement, hashes per second.
        hashrate_hps: f64,
        /// What it was to pause for, but cannot, because this system does not tell.
        cannot_tell: Vec<HelperPause>,
    },
    /// It pauses, and goes on by itself.
    Paused {
        /// Why.
        reason: HelperPause,
    },
    /// It was to stop after some time, and did. Switching mining off and on starts it again.
    Finished,
    /// It stopped because the processor was too hot. Switching mining off and on starts it again.
    TooHot {
        /// What was measured, in degrees Celsius.
        celsius: f64,
    },
    /// Its program file is not where it should be, or may not be run.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// It ended by itself and is started again later.
    Stopped {
        /// What is known of the end.
        reason: String,
    },
}

/// How the database is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageState {
    /// Everything is written.
    Ok,
    /// Changes wait in memory; mining goes on.
    Degraded {
        /// Why.
        reason: String,
    },
}

/// Connected miners and their sums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MinersSnapshot {
    /// One entry a worker name, in order of first connection.
    pub miners: Vec<Miner>,
    /// Hashes per second of all together, from accepted work of the last minutes.
    pub hashrate_hps: f64,
    /// Work done since the newest own share: expected hashes.
    pub work_since_share: f64,
    /// Late work divided by all work of the last hour; `None` without any.
    pub late_part: Option<f64>,
    /// What happened at the door that the user should know.
    pub door: DoorNotes,
    /// What came from each address in this run.
    pub arrivals: BTreeMap<IpAddr, Arrivals>,
}

/// What came from one address, under whatever names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Accepted logins.
    pub logins: u64,
    /// Accepted results.
    pub results: u64,
}

/// What happened at the miners' door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorNotes {
    /// Somebody from outside the own networks, who was not let in, and when.
    pub refused_outside: Option<(IpAddr, UnixTime)>,
    /// Something that speaks neither Stratum version 1 nor HTTP.
    pub unknown_protocol: Option<UnknownProtocol>,
    /// When another device last saw the page for phones: it came through the firewall.
    pub hello_seen_at: Option<UnixTime>,
}

/// A connection that spoke an unknown protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProtocol {
    /// From where.
    pub ip: IpAddr,
    /// Whether it tried to encrypt.
    pub is_tls: bool,
    /// When.
    pub at: UnixTime,
}

/// Something about a miner that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MinerNotice {
    /// Connected for ten minutes without a result (M-01).
    NoResult,
    /// More than a tenth of its work is late (M-04).
    Late,
    /// More than a twentieth of its results is refused (M-05), with the newest reason.
    Rejected {
        /// As the miner was told.
        reason: &'static str,
    },
    /// All its results are refused: it cannot read its work (M-08).
    CannotRead,
    /// Its coinbase transaction is longer than this kind of device can take (M-08).
    CoinbaseTooLong {
        /// Bytes of the coinbase transaction.
        bytes: usize,
        /// Bytes that such devices can take.
        bytes_max: usize,
    },
    /// Its user name is an address that is not paid (M-09).
    ForeignAddress {
        /// The address.
        address: String,
    },
}

/// One miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Miner {
    /// Login name, printable and short.
    pub worker: String,
    /// Whether it is the node's own CPU miner.
    pub is_helper: bool,
    /// Open connections under this name.
    pub connections: u32,
    /// Program name as the miner gives it.
    pub user_agent: String,
    /// Hashes per second, from accepted work of the last minutes.
    pub hashrate_hps: f64,
    /// Accepted results in this run.
    pub accepted: u64,
    /// Of these, late ones.
    pub late: u64,
    /// Refused results in this run.
    pub rejected: u64,
    /// Of these, how many for which reason, as the miner was told.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Difficulty of its newest accepted result.
    pub difficulty: Option<f64>,
    /// When the newest result arrived.
    pub last_result_at: Option<UnixTime>,
    /// When it connected, or left.
    pub since: UnixTime,
    /// Where it last connected from; `None` for what is not connected by network.
    pub ip: Option<IpAddr>,
    /// What the user should know.
    pub notices: Vec<MinerNotice>,
}

/// Codes of the error catalogue that the node can raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ProblemCode {
    /// The Bitcoin node cannot be reached.
    #[serde(rename = "N-01")]
    NodeUnreachable,
    /// The Bitcoin node is slow to answer.
    #[serde(rename = "N-02")]
    NodeSlow,
    /// The Bitcoin node refuses the login.
    #[serde(rename = "N-03")]
    NodeLogin,
    /// The Bitcoin node takes no requests from this computer.
    #[serde(rename = "N-04")]
    NodeForbidden,
    /// The Bitcoin node's cookie file cannot be read.
    #[serde(rename = "N-05")]
    NodeCookie,
    /// The Bitcoin node is still starting.
    #[serde(rename = "N-06")]
    NodeStarting,
    /// The Bitcoin node is still fetching the chain.
    #[serde(rename = "N-07")]
    NodeSyncing,
    /// The Bitcoin node is on another chain.
    #[serde(rename = "N-08")]
    NodeChain,
    /// The Bitcoin node has no connection to the Bitcoin network.
    #[serde(rename = "N-09")]
    NodeAlone,
    /// The Bitcoin node has seen no new block for hours.
    #[serde(rename = "N-10")]
    NodeTipOld,
    /// The Bitcoin node is too old, or its rules are too new.
    #[serde(rename = "N-11")]
    NodeTooOld,
    /// The Bitcoin node gives no usable template.
    #[serde(rename = "N-12")]
    NodeTemplate,
    /// A found block was refused.
    #[serde(rename = "N-13")]
    BlockRejected,
    /// The login would cross the open internet unprotected.
    #[serde(rename = "N-14")]
    NodePublic,
    /// The pool builds on blocks that the Bitcoin node does not have.
    #[serde(rename = "N-15")]
    NodeBehindPool,
    /// No other node was found.
    #[serde(rename = "P-01")]
    PoolMembersMissing,
    /// The pool's port seems to be blocked outward.
    #[serde(rename = "P-02")]
    PoolPortBlocked,
    /// The pool's port is in use by another program.
    #[serde(rename = "P-03")]
    PoolPortTaken,
    /// What members sent does not fit together.
    #[serde(rename = "P-04")]
    PoolChainWrong,
    /// The pool votes for rules that this version does not know.
    #[serde(rename = "P-05")]
    PoolRulesUnknown,
    /// Part of the pool seems to have gone another way.
    #[serde(rename = "P-06")]
    PoolSplit,
    /// Members disconnect this node.
    #[serde(rename = "P-07")]
    PoolRefusesUs,
    /// The pool has been silent for a quarter of an hour.
    #[serde(rename = "P-08")]
    PoolSilent,
    /// Nobody else mines in the pool.
    #[serde(rename = "P-09")]
    PoolAlone,
    /// The miners' port is taken.
    #[serde(rename = "S-01")]
    PortTaken,
    /// Data cannot be saved.
    #[serde(rename = "E-APP-01")]
    DataFolder,
    /// Another instance uses the data folder.
    #[serde(rename = "E-APP-02")]
    DataLocked,
    /// The settings file is damaged.
    #[serde(rename = "E-APP-03")]
    SettingsDamaged,
    /// A part of the node failed and was started again.
    #[serde(rename = "E-APP-04")]
    EngineRestarted,
    /// The data folder belongs to another network or a newer version.
    #[serde(rename = "E-APP-06")]
    DataOfOther,
    /// The CPU miner is missing or blocked.
    #[serde(rename = "E-CPU-01")]
    HelperMissing,
}

impl ProblemCode {
    /// The code as the catalogue prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NodeUnreachable => "N-01",
            Self::NodeSlow => "N-02",
            Self::NodeLogin => "N-03",
            Self::NodeForbidden => "N-04",
            Self::NodeCookie => "N-05",
            Self::NodeStarting => "N-06",
            Self::NodeSyncing => "N-07",
            Self::NodeChain => "N-08",
            Self::NodeAlone => "N-09",
            Self::NodeTipOld => "N-10",
            Self::NodeTooOld => "N-11",
            Self::NodeTemplate => "N-12",
            Self::BlockRejected => "N-13",
            Self::NodePublic => "N-14",
            Self::NodeBehindPool => "N-15",
            Self::PoolMembersMissing => "P-01",
            Self::PoolPortBlocked => "P-02",
            Self::PoolPortTaken => "P-03",
            Self::PoolChainWrong => "P-04",
            Self::PoolRulesUnknown => "P-05",
            Self::PoolSplit => "P-06",
            Self::PoolRefusesUs => "P-07",
            Self::PoolSilent => "P-08",
            Self::PoolAlone => "P-09",
            Self::PortTaken => "S-01",
            Self::DataFolder => "E-APP-01",
            Self::DataLocked => "E-APP-02",
            Self::SettingsDamaged => "E-APP-03",
            Self::EngineRestarted => "E-APP-04",
            Self::DataOfOther => "E-APP-06",
            Self::HelperMissing => "E-CPU-01",
        }
    }
}

/// Something that happened, with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeEvent {
    /// When.
    pub at: UnixTime,
    /// What.
    pub kind: NodeEventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEventKind {
    /// On the share chain.
    Chain(Event),
    /// A miner's first connection under a name.
    MinerConnected {
        /// Login name.
        worker: String,
        /// Whether it is the node's own CPU miner.
        is_helper: bool,
    },
    /// A miner's last connection under a name ended.
    MinerLeft {
        /// Login name.
        worker: String,
        /// Whether it is the node's own CPU miner.
        is_helper: bool,
    },
    /// A pool member connected.
    MemberJoined {
        /// Where from.
        address: SocketAddr,
    },
    /// A pool member left.
    MemberLeft {
        /// Where from.
        address: SocketAddr,
    },
    /// The CPU miner changed its state.
    Helper(HelperState),
    /// The Bitcoin node changed its state.
    Bitcoin(BitcoinState),
    /// The database changed its state.
    Storage(StorageState),
    /// Mining began, or went on after a pause.
    MiningStarted,
    /// Mining was paused.
    MiningPaused,
    /// A damaged database was set aside and a new one begun.
    DatabaseReplaced {
        /// Where the old one lies.
        old: PathBuf,
    },
}

/// How stopping went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopReport {
    /// Time it took.
    pub took: Duration,
    /// Tasks that did not end in time.
    pub late: Vec<&'static str>,
}
