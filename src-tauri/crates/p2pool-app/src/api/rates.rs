//! Hash rates: the present numbers and the chart.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::UnixSeconds;

/// Most points one [`Series`] carries.
pub const SERIES_POINTS_MAX: usize = 2_400;

/// The present numbers. Push every 2 s while the window is visible, every 30 s while it is hidden
/// (then with a [`Change::Beat`](super::Change::Beat) in between).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Rates {
    /// My hash rate: accepted work over the last hour, or since mining started if that is less;
    /// `None` before the first result and while paused.
    pub mine_hps: Option<f64>,
    /// Time `mine_hps` is averaged over.
    pub mine_over_secs: f64,
    /// The pool's hash rate, mine included, from the share chain.
    pub pool_hps: Option<f64>,
    /// Late work divided by all work of my miners, 0 to 1.
    pub late_fraction: Option<f64>,
    /// What to think of `late_fraction`.
    pub late_verdict: LateVerdict,
    /// My good shares per share divided by the same for the pool; 1 is "as good as the pool".
    /// `None` while there are too few shares.
    pub efficiency: Option<f64>,
}

/// What to think of the late rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LateVerdict {
    /// Too few results to say.
    #[default]
    TooEarly,
    /// Below 10 %.
    Normal,
    /// 10 % or more over the last hour.
    High,
}

/// The time range of the hash rate chart and the width of its buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ChartRange {
    /// One hour in buckets of 10 s.
    #[default]
    Hour1,
    /// Six hours in buckets of 1 min.
    Hours6,
    /// One day in buckets of 5 min.
    Hours24,
    /// A week in buckets of 30 min.
    Days7,
    /// 30 days in buckets of 2 h.
    Days30,
    /// A year in buckets of a day.
    Year1,
}

impl ChartRange {
    /// Returns how far back the chart reaches, in seconds.
    pub fn span_secs(self) -> u32 {
        match self {
            Self::Hour1 => 3_600,
            Self::Hours6 => 6 * 3_600,
            Self::Hours24 => 24 * 3_600,
            Self::Days7 => 7 * 86_400,
            Self::Days30 => 30 * 86_400,
            Self::Year1 => 365 * 86_400,
        }
    }

    /// Returns the width of one bucket, in seconds.
    pub fn step_secs(self) -> u32 {
        match self {
            Self::Hour1 => 10,
            Self::Hours6 => 60,
            Self::Hours24 => 300,
            Self::Days7 => 1_800,
            Self::Days30 => 7_200,
            Self::Year1 => 86_400,
        }
    }
}

/// The hash rate chart for the range the window chose last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Series {
    /// The range; [`AppRequest::ShowRange`](super::AppRequest::ShowRange) changes it.
    pub range: ChartRange,
    /// [`ChartRange::span_secs`] of `range`.
    pub span_secs: u32,
    /// [`ChartRange::step_secs`] of `range`.
    pub step_secs: u32,
    /// Oldest first, `at` strictly rising; at most [`SERIES_POINTS_MAX`].
    pub points: Vec<SeriesPoint>,
    /// Times in which mining was paused, oldest first, within the range.
    pub pauses: Vec<PauseSpan>,
    /// When the oldest point of any range was recorded; `None` before the first.
    pub data_since: Option<UnixSeconds>,
    /// Average over the points that have a value.
    pub average_hps: Option<f64>,
    /// Lowest point that has a value.
    pub lowest_hps: Option<f64>,
    /// Highest point that has a value.
    pub highest_hps: Option<f64>,
}

impl Series {
    /// Makes an empty chart of a range.
    pub fn empty(range: ChartRange) -> Self {
        Self {
            range,
            span_secs: range.span_secs(),
            step_secs: range.step_secs(),
            points: Vec::new(),
            pauses: Vec::new(),
            data_since: None,
            average_hps: None,
            lowest_hps: None,
            highest_hps: None,
        }
    }

    /// Appends a bucket: replaces the last one if it starts at the same time, and drops buckets
    /// that fell out of the range.
    pub fn append(&mut self, point: SeriesPoint) {
        if self.points.last().is_some_and(|last| last.at == point.at) {
            self.points.pop();
        }
        self.points.push(point);
        let oldest = point.at.0.saturating_sub(u64::from(self.span_secs));
        self.points.retain(|kept| kept.at.0 >= oldest);
    }
}

impl Default for Series {
    fn default() -> Self {
        Self::empty(ChartRange::default())
    }
}

/// One bucket of the chart; the default is a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SeriesPoint {
    /// Start of the bucket, a multiple of the step.
    pub at: UnixSeconds,
    /// My average hash rate from accepted work; `None` is a gap (not mining), drawn as a gap.
    pub mine_hps: Option<f64>,
    /// The lowest rate seen during the bucket.
    pub low_hps: Option<f64>,
    /// The highest rate seen during the bucket.
    pub high_hps: Option<f64>,
    /// Hash rate whose results came late; `None` is a gap.
    pub late_hps: Option<f64>,
}

/// A time in which mining was paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PauseSpan {
    /// Begin.
    pub from: UnixSeconds,
    /// End; `None` if it still lasts.
    pub to: Option<UnixSeconds>,
}
