//! The payout window: my shares in it, and who else is in it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::UnixSeconds;

/// Most marks of the event strip; the newest are kept.
pub const MARKS_MAX: usize = 1_000;

/// Most rows of [`Shares::members`]; the smallest are added up in one row of
/// [`Party::Others`].
pub const WINDOW_MEMBERS_MAX: usize = 20;

/// My shares and the payout window. Push on change, at most once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Shares {
    /// Good shares of mine ever found in this mode (they came into the share chain).
    pub mine_total: u32,
    /// Late shares of mine ever found in this mode (orphan or dead on arrival).
    pub mine_late_total: u32,
    /// Good shares of mine in the window now.
    pub mine_in_window: u32,
    /// Shares of all members in the window now.
    pub window_shares: u32,
    /// Shares a full window holds (live: 8640).
    pub window_shares_max: u32,
    /// Time the event strip covers: the age of the oldest share in the window, and at least the
    /// design length of a full window once that is reached.
    pub window_secs: f64,
    /// Right end of the event strip: the moment this section was made.
    pub window_end: UnixSeconds,
    /// Marks of the event strip, oldest first, at most [`MARKS_MAX`].
    pub marks: Vec<ShareMark>,
    /// Who is in the window, largest part first, mine wherever it falls; at most
    /// [`WINDOW_MEMBERS_MAX`] rows.
    pub members: Vec<WindowMember>,
}

/// One mark of the event strip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareMark {
    /// The share's timestamp; for a block, when it was found.
    pub at: UnixSeconds,
    /// What it is.
    pub kind: MarkKind,
}

/// What a mark of the event strip stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum MarkKind {
    /// A good share of mine.
    Good,
    /// A late share of mine.
    Late,
    /// A block found by anyone in the pool.
    PoolBlock,
}

/// One payout address of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WindowMember {
    /// Whose address it is.
    pub party: Party,
    /// The payout address in full; `None` for [`Party::Others`].
    pub address: Option<String>,
    /// Its shares in the window.
    pub shares: u32,
    /// Its weight divided by the window's total weight, 0 to 1.
    pub part: f64,
}

/// Whose payout address something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Party {
    /// Mine.
    Me,
    /// A simulated member of practice mode.
    Simulated {
        /// 1, 2, 3.
        number: u32,
    },
    /// Another member of the pool, known by the address alone.
    Member,
    /// The donation output that every generation transaction ends with.
    Donation,
    /// All that did not fit in the list, added up.
    Others,
}
