//! The top of Home: what a block would bring now, and how the next share is coming along.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Sats;

/// "If the pool found a block now, you'd get", with the facts it must never be shown without.
///
/// Push on new work, at most once every 2 s.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Hero {
    /// Sum of the outputs to my address in the coinbase being mined now; `None` without a template.
    pub amount_sats: Option<Sats>,
    /// `amount_sats` as a part of the coinbase's whole value, 0 to 1.
    pub block_part: Option<f64>,
    /// Value of the block being mined: subsidy plus fees.
    pub block_value_sats: Option<Sats>,
    /// Time until the last of my shares leaves the window, should no other come; `None` if none is
    /// in it.
    pub leaves_window_secs: Option<f64>,
    /// Average time to a pool block at the pool's present hash rate (network difficulty times 2^32
    /// divided by the pool's hash rate); `None` until both are known. Welcome uses it too.
    pub pool_block_secs: Option<f64>,
    /// Chance that the pool finds a block within a period that suits its pace (live: 30 days,
    /// practice: ten minutes).
    pub pool_block_chance: Option<Chance>,
}

/// Chance of an event within a period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Chance {
    /// The period.
    pub within_secs: f64,
    /// `1 - e^(-within / average)`, 0 to 1.
    pub fraction: f64,
}

/// How the next share of mine is coming along. Push every 5 s.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Effort {
    /// Work done since my last share (or since mining first started) divided by the work an
    /// average share takes; 1 is 100 %, may exceed it. `None` before any work was done.
    pub fraction: Option<f64>,
    /// Average time to a share of mine at my hash rate; `None` while that is unknown.
    pub average_secs: Option<f64>,
    /// Difficulty of the share my node is working on (a display ratio).
    pub share_difficulty: Option<f64>,
}
