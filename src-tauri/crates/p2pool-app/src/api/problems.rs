//! Problems by code. The words live in the window's text catalogue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::UnixSeconds;

/// Most problems in the list.
pub const PROBLEMS_MAX: usize = 20;

/// A code of the error catalogue. Buttons, messages and severity look are chosen by it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum ProblemCode {
    /// The Bitcoin node refuses the connection.
    #[serde(rename = "N-01")]
    NodeUnreachable,
    /// The Bitcoin node is slow to answer.
    #[serde(rename = "N-02")]
    NodeSlow,
    /// The Bitcoin node refused the login.
    #[serde(rename = "N-03")]
    LoginRefused,
    /// The node takes no requests from this computer.
    #[serde(rename = "N-04")]
    ComputerRefused,
    /// The node's cookie file cannot be read.
    #[serde(rename = "N-05")]
    CookieUnreadable,
    /// The Bitcoin node is still starting. Value: `reason`, the node's own words.
    #[serde(rename = "N-06")]
    NodeStarting,
    /// The Bitcoin node is still fetching the chain. Value: `percent`.
    #[serde(rename = "N-07")]
    NodeCatchingUp,
    /// The Bitcoin node is on another chain. Value: `reason`.
    #[serde(rename = "N-08")]
    WrongChain,
    /// The Bitcoin node has no connection to the Bitcoin network.
    #[serde(rename = "N-09")]
    NodeWithoutPeers,
    /// The Bitcoin node has seen no new block for hours.
    #[serde(rename = "N-10")]
    NodeStuck,
    /// The Bitcoin node is too old.
    #[serde(rename = "N-11")]
    NodeTooOld,
    /// The node could not make a block template. Value: `reason`.
    #[serde(rename = "N-12")]
    TemplateFailed,
    /// The node rejected a block we found. Value: `reason`.
    #[serde(rename = "N-13")]
    BlockRefused,
    /// The login would cross the open internet unprotected.
    #[serde(rename = "N-14")]
    LoginUnprotected,
    /// The pool is ahead of the Bitcoin node.
    #[serde(rename = "N-15")]
    NodeBehindPool,
    /// No other pool members found. Value: `tried`.
    #[serde(rename = "P-01")]
    NoMembers,
    /// The network seems to block the pool's port.
    #[serde(rename = "P-02")]
    PoolPortBlocked,
    /// The pool's port is in use, another one was taken. Value: `port`, the other one.
    #[serde(rename = "P-03")]
    PoolPortInUse,
    /// What members sent does not fit together.
    #[serde(rename = "P-04")]
    ChainWrong,
    /// The pool votes for rules that this version does not know.
    #[serde(rename = "P-05")]
    RulesUnknown,
    /// Members disconnect this node.
    #[serde(rename = "P-07")]
    RefusedByMembers,
    /// The pool has been silent. Value: `minutes`.
    #[serde(rename = "P-08")]
    PoolSilent,
    /// Nobody else mines in the pool.
    #[serde(rename = "P-09")]
    OnlyMiner,
    /// The miners' port is in use. Value: `port`.
    #[serde(rename = "S-01")]
    PortInUse,
    /// The data folder cannot be written or is full. Value: `path`.
    #[serde(rename = "E-APP-01")]
    DataUnwritable,
    /// The application already runs on this data folder.
    #[serde(rename = "E-APP-02")]
    AlreadyRunning,
    /// The settings file was damaged; a copy was restored. Value: `date`.
    #[serde(rename = "E-APP-03")]
    SettingsDamaged,
    /// The engine stopped and was restarted. Value: `count`, times today.
    #[serde(rename = "E-APP-04")]
    EngineRestarted,
    /// The data folder belongs to another network or a newer version. Value: `path`.
    #[serde(rename = "E-APP-06")]
    DataOfOther,
    /// The CPU miner's helper program is missing, blocked or ended by itself.
    #[serde(rename = "E-CPU-01")]
    HelperBlocked,
    /// The window lost the engine. Raised by the window itself, or by a subscription that finds no
    /// controller.
    #[serde(rename = "W-01")]
    EngineLost,
    /// Anything without a code of its own. Value: `doing`, the deed as an English gerund
    /// ("starting the practice chain"); put the rest in the technical text.
    #[serde(rename = "E-APP-00")]
    Unexpected,
}

/// How much a problem matters; also the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Mining goes on, something suffers.
    Warning,
    /// Mining stopped or something was lost.
    Error,
}

/// One present problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Problem {
    /// Names this occurrence in requests; unique for the life of the controller.
    pub id: u32,
    /// What it is.
    pub code: ProblemCode,
    /// How much it matters.
    pub severity: Severity,
    /// Since when.
    pub since: UnixSeconds,
    /// Values for the sentence, by the names given at each [`ProblemCode`].
    pub values: BTreeMap<String, String>,
    /// Technical text for *Details*, copyable; empty if there is none. Without secrets and paths
    /// of other users.
    pub technical: String,
    /// Buttons that have an effect now, safest first.
    pub actions: Vec<ProblemAction>,
}

/// A button of a problem card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ProblemAction {
    /// *Try again*: sends `TryAgain`.
    TryAgain,
    /// *Hide*: sends `DismissProblem`.
    Dismiss,
    /// *Reload*: the window subscribes again (only `W-01`).
    Reload,
}
