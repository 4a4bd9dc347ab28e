//! *Latest*: what happened, newest first.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Party, ProblemCode, Sats, UnixSeconds};

/// Most entries of the list; the window forgets older ones by itself.
pub const EVENTS_MAX: usize = 20;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LatestEvent {
    /// Rising number of the event in the history (`events.seq` of the database).
    #[ts(type = "number")]
    pub id: u64,
    /// When it happened.
    pub at: UnixSeconds,
    /// What happened.
    pub what: LatestKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum LatestKind {
    /// Practice mode began; the private chain is new or goes on.
    PracticeStarted {
        /// Whether an earlier practice chain is continued.
        is_continued: bool,
    },
    /// The user started mining, or an armed start became real.
    MiningStarted,
    /// The user paused.
    MiningPaused,
    /// The user resumed.
    MiningResumed,
    /// A share of mine came into the share chain.
    ShareFound {
        /// Its difficulty (a display ratio).
        difficulty: f64,
    },
    /// A share of mine lost the race.
    ShareLate,
    /// The pool found a block and the Bitcoin node took it.
    PoolBlock {
        /// Its height.
        height: u32,
        /// Who found it.
        found_by: Party,
        /// What it pays to my address; `None` if I had no share in the window.
        mine_sats: Option<Sats>,
    },
    /// The Bitcoin node refused a block of the pool.
    BlockRefused {
        /// Its height.
        height: u32,
    },
    /// A payment got its hundredth confirmation.
    PaymentSpendable {
        /// The block's height.
        height: u32,
        /// The amount.
        mine_sats: Sats,
    },
    /// A member connected.
    MemberJoined {
        /// Who it is.
        party: Party,
        /// Members connected now.
        connected: u32,
    },
    /// A member left.
    MemberLeft {
        /// Who it was.
        party: Party,
        /// Members connected now.
        connected: u32,
    },
    /// A miner connected and was authorised.
    MinerConnected {
        /// Its worker name; `None` for the built-in CPU miner.
        name: Option<String>,
    },
    /// A miner left.
    MinerLeft {
        /// Its worker name; `None` for the built-in CPU miner.
        name: Option<String>,
    },
    /// This computer was asleep.
    Slept {
        /// For how long.
        slept_secs: f64,
    },
    /// A problem appeared.
    ProblemRaised {
        /// Its code.
        code: ProblemCode,
    },
    /// A problem went away.
    ProblemSolved {
        /// Its code.
        code: ProblemCode,
    },
}
