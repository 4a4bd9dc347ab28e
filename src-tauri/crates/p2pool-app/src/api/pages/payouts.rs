//! The Payouts page: payments received, my shares, expected versus actual, the calculator.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::{Chance, Payout, Sats, UiError, UnixSeconds};

/// Rows of one page of payments.
pub const RECEIVED_ROWS_MAX: usize = 25;
/// Rows of one page of my shares.
pub const SHARE_ROWS_MAX: usize = 50;
/// Months that are listed, the newest.
pub const MONTHS_MAX: usize = 120;
/// Days of the timeline of my shares, the newest.
pub const SHARE_DAYS_MAX: usize = 90;

/// A tab of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PayoutsTab {
    /// Payments.
    #[default]
    Received,
    /// My shares.
    Shares,
    /// What a hash rate would bring.
    Calculator,
    /// Shares expected and found, by month.
    Expected,
}

/// What the shown tab shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
#[ts(export)]
pub enum PayoutsView {
    /// It is being read.
    Loading(PayoutsTab),
    /// It cannot be read.
    Failed(PayoutsFailure),
    /// Payments.
    Received(Received),
    /// My shares.
    Shares(MyShares),
    /// Shares expected and found.
    Expected(ExpectedShares),
    /// Facts for the calculator.
    Calculator(CalculatorFacts),
}

/// A tab that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PayoutsFailure {
    /// The tab.
    pub tab: PayoutsTab,
    /// Why.
    pub error: UiError,
}

/// Which part of a list is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Pages {
    /// The page shown, from zero.
    pub page: u32,
    /// Pages in all, at least one.
    pub pages: u32,
    /// Rows of all pages.
    pub rows: u32,
}

/// Pool blocks with what they paid me.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Received {
    /// The part of the list that is shown.
    pub pages: Pages,
    /// Newest first, at most [`RECEIVED_ROWS_MAX`].
    pub rows: Vec<Payout>,
    /// All that was paid to me, lost blocks left out.
    pub mine_total_sats: Sats,
    /// Sums of the months with payments, newest first, at most [`MONTHS_MAX`].
    pub months: Vec<MonthSum>,
    /// The pool's newest block; `None` before the first.
    pub last_block: Option<LastBlock>,
}

/// The pool's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LastBlock {
    /// Its height.
    pub height: u32,
    /// When it was found.
    pub at: UnixSeconds,
}

/// Payments of a month (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MonthSum {
    /// First second of the month.
    pub month: UnixSeconds,
    /// Blocks that paid me.
    pub blocks: u32,
    /// What they paid me.
    pub sats: Sats,
}

/// My shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MyShares {
    /// The part of the list that is shown.
    pub pages: Pages,
    /// Newest first, at most [`SHARE_ROWS_MAX`].
    pub rows: Vec<MyShare>,
    /// Days with shares (UTC), newest first, at most [`SHARE_DAYS_MAX`].
    pub days: Vec<ShareDay>,
    /// Time a share stays in the window.
    pub window_secs: f64,
    /// Pool blocks known, so that "found but not paid" can be explained.
    pub blocks_total: u32,
}

/// My shares of a day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareDay {
    /// First second of the day.
    pub day: UnixSeconds,
    /// Shares that came into the chain.
    pub good: u32,
    /// Shares that came late.
    pub late: u32,
}

/// One share of mine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MyShare {
    /// Its hash, display order.
    pub hash: String,
    /// When it was found.
    pub at: UnixSeconds,
    /// Login name of the miner that found it.
    pub worker: String,
    /// Its difficulty; `None` for a share of an older version of the program.
    pub difficulty: Option<f64>,
    /// What has become of it.
    pub state: MyShareState,
    /// Pool blocks that paid it.
    pub paid_blocks: u32,
    /// Height of the first of them.
    pub paid_height: Option<u32>,
}

/// What has become of a share of mine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum MyShareState {
    /// In the payout window.
    InWindow {
        /// When it leaves it, at the pool's present pace.
        until: UnixSeconds,
    },
    /// Counted, and out of the window by now.
    LeftWindow,
    /// On its way into the chain.
    OnItsWay,
    /// It lost a race: another share was in its place first.
    LostRace,
    /// It was built on an old share when it was found.
    TooOld,
}

/// Shares expected and found, by month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ExpectedShares {
    /// Newest first, at most [`MONTHS_MAX`].
    pub months: Vec<ExpectedMonth>,
    /// Since when the work has been recorded; `None` before the first result.
    pub since: Option<UnixSeconds>,
}

/// Shares expected and found in a month (UTC), since the work is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ExpectedMonth {
    /// First second of the month.
    pub month: UnixSeconds,
    /// Shares to expect of the work done.
    pub expected: f64,
    /// Shares found, late ones included.
    pub found: u32,
    /// Fewest and most shares that 95 of 100 such months bring; `None` below five expected.
    pub usual: Option<UsualRange>,
    /// What to think of it.
    pub verdict: LuckVerdict,
}

/// What 95 of 100 months bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsualRange {
    /// The fewest.
    pub low: u32,
    /// The most.
    pub high: u32,
}

/// What to think of a number of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LuckVerdict {
    /// Fewer than five were to be expected.
    TooEarly,
    /// Within the usual range.
    Normal,
    /// Fewer than usual: worth a check-up.
    Few,
    /// More than usual.
    Many,
}

/// Facts that the calculator begins with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CalculatorFacts {
    /// My hash rate, if something mines.
    pub mine_hps: Option<f64>,
    /// The pool's hash rate; without it nothing can be calculated.
    pub pool_hps: Option<f64>,
}

/// What a hash rate would bring, on average, at the present size of pool and network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Calculation {
    /// The hash rate.
    pub hashrate_hps: f64,
    /// Average time to a share.
    pub share_secs: f64,
    /// Time a share stays in the window.
    pub window_secs: f64,
    /// Chance of at least one share in the window at a random moment.
    pub share_in_window: f64,
    /// Average part of a block, in satoshis.
    pub per_block_sats: Sats,
    /// Average time to a pool block.
    pub pool_block_secs: f64,
    /// Chances of being paid within a month, a year and five years.
    pub paid_within: [Chance; 3],
    /// Average time to a block of one's own, alone.
    pub solo_block_secs: f64,
}

/// What the Payouts page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum PayoutsRequest {
    /// Looks at a tab, and at a part of its list; its view follows as an event.
    ShowTab {
        /// The tab.
        tab: PayoutsTab,
        /// The page of its list, from zero.
        page: u32,
    },
    /// Calculates; answered by [`AppReply::Calculated`](super::super::AppReply::Calculated).
    Calculate {
        /// The hash rate, hashes per second.
        hashrate_hps: f64,
    },
    /// Writes all payments to me into a CSV file in the folder of downloads; answered by
    /// [`AppReply::Saved`](super::super::AppReply::Saved).
    Export,
}
