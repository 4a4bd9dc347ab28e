//! The one overall state that drives the status pill, the tray icon and the hero of Home.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ProblemCode, UnixSeconds};

/// Which node the window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Mode {
    /// The real network; also while nothing is set up yet.
    Live,
    /// The private practice chain: a violet band stands on every page, coins have no value.
    Practice,
}

/// The overall state, exactly one at a time. Practice is a [`Mode`], not a state: a practice node
/// passes through the same states as a live one.
///
/// The tags are the names of section 5.1 of the design (`data-state` in the page) and stay in
/// snake case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum OverallState {
    /// No valid settings and no practice running: the window shows Welcome.
    Setup,
    /// The Bitcoin node (practice: the private chain) does not answer.
    NodeDown {
        /// Since when it has been silent.
        since: UnixSeconds,
    },
    /// The Bitcoin node is in its initial block download.
    NodeSyncing {
        /// Part of the download done, 0 to 1.
        progress: f64,
        /// Estimated time left; `None` while there is no estimate.
        remaining_secs: Option<f64>,
    },
    /// The share chain is being downloaded or checked, or the node is still starting.
    Joining {
        /// Shares checked so far; `None` while the node starts and nothing can be counted.
        shares_done: Option<u32>,
        /// Shares to check in all; `None` until members have said so.
        shares_total: Option<u32>,
    },
    /// No other pool member has been reachable for a minute.
    NoMembers {
        /// Addresses tried so far.
        tried: u32,
    },
    /// The pool is ready and nothing mines: no miner has connected, or **Start mining** has not
    /// been pressed (then [`MiningControl`](super::MiningControl) is `Start`).
    WaitingMiner {
        /// Where a miner can be pointed, as a URL (`stratum+tcp://192.168.1.20:9332`); `None`
        /// while the miners' door is closed.
        miner_url: Option<String>,
    },
    /// Mining, and none of my shares has ever been found. The hero is the effort bar.
    FirstShare,
    /// Mining; there were shares of mine, none is in the window now. The hero is the effort bar.
    Between {
        /// When my last share left the window.
        last_left_at: Option<UnixSeconds>,
    },
    /// Mining with at least one share of mine in the window. The hero is the amount.
    Earning,
    /// The user paused mining.
    Paused {
        /// How long my shares in the window still count; `None` if none is in the window.
        shares_count_secs: Option<f64>,
    },
    /// Mining with a problem, which is the first of the problem list.
    Degraded {
        /// Whether the hero shows the amount (`true`, a share of mine is in the window) or the
        /// effort bar.
        has_share_in_window: bool,
    },
    /// Must not mine: wrong chain, unsupported rules, bad address.
    Blocked {
        /// Why; the same code heads the problem list.
        code: ProblemCode,
    },
}
