//! Records of the history: chart points and events.

use p2pool_sharechain::time::UnixTime;

/// Width of a chart point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// One minute, as recorded.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// Half an hour.
    HalfHour,
    /// Two hours.
    TwoHours,
    /// One day.
    Day,
}

impl Step {
    /// All steps, finest first.
    pub const ALL: [Self; 5] =
        [Self::Minute, Self::FiveMinutes, Self::HalfHour, Self::TwoHours, Self::Day];

    /// Its length in seconds.
    pub const fn secs(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::HalfHour => 1800,
            Self::TwoHours => 7200,
            Self::Day => 86_400,
        }
    }

    /// Start of the step that `at` lies in.
    pub fn start_of(self, at: UnixTime) -> UnixTime {
        UnixTime(at.0 - at.0 % u64::from(self.secs()))
    }
}

/// One point of a chart: what a quantity was during one step.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPoint {
    /// The quantity, unit last: `hashrate_hps`.
    pub name: String,
    /// Whose: a worker, a peer; empty for the node's own.
    pub subject: String,
    /// Width of the point.
    pub step: Step,
    /// Start of the step; other times are rounded down to one when stored.
    pub at: UnixTime,
    /// Least value during the step.
    pub min: f64,
    /// Mean value during the step.
    pub avg: f64,
    /// Greatest value during the step.
    pub max: f64,
}

/// Something that happened and that the window may list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// When it happened.
    pub at: UnixTime,
    /// Which kind of event.
    pub kind: String,
    /// Its data, a JSON text.
    pub json: String,
}

/// An event with its place in the order of recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Rises with each event, never used twice.
    pub seq: i64,
    /// The event.
    pub event: EventRecord,
}
