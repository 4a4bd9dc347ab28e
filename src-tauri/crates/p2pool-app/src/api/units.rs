//! Units that cross the border as plain JSON numbers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A Bitcoin amount in whole satoshis.
///
/// Travels as a JSON number: all bitcoins together are 2.1e15 satoshis, below 2^53.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[ts(export, type = "number")]
pub struct Sats(
    /// Whole satoshis.
    pub u64,
);

/// A moment of wall time in whole seconds since 1970-01-01 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[ts(export, type = "number")]
pub struct UnixSeconds(
    /// Seconds since the epoch.
    pub u64,
);
