//! The one button that starts, pauses and resumes mining.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the mining button offers. The button is never dead: if something is not ready, pressing
/// **Start mining** arms it and mining begins by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum MiningControl {
    /// No button: nothing is set up.
    None,
    /// **Start mining**; sends `StartMining`.
    Start {
        /// What is not ready yet, in the order in which it will be; empty if mining starts at once.
        waits_for: Vec<WaitReason>,
    },
    /// Start was pressed and something is not ready: "Starts when ready", with the reasons under
    /// it and *Cancel*, which sends `CancelStart`.
    Armed {
        /// What is being waited for, never empty.
        waits_for: Vec<WaitReason>,
    },
    /// Mining: **Pause**; sends `PauseMining`.
    Pause,
    /// Paused by the user: **Resume**; sends `ResumeMining`.
    Resume,
}

/// One thing mining waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum WaitReason {
    /// The Bitcoin node does not answer or still starts.
    Node,
    /// The Bitcoin node is catching up.
    NodeSync,
    /// The share chain is being downloaded and checked.
    ShareChain,
    /// No pool member is connected.
    Members,
    /// No block template has been made yet.
    Template,
    /// The miners' door is not open yet.
    MinersDoor,
}
