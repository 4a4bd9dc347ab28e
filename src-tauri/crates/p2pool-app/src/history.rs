//! What earlier minutes and earlier runs left in the node's database.

pub(crate) mod payments;

use std::collections::BTreeMap;
use std::path::Path;

use p2pool_sharechain::change::{Fate, OwnShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{HistoryReader, Step, StoreError};

use crate::api::pages::SPARK_POINTS_MAX;
use crate::api::{ChartRange, PauseSpan, SeriesPoint, UnixSeconds};
use crate::latest::Tale;
use crate::views::LateMark;

/// Events looked through for those of the list and for pauses.
const EVENTS_READ_MAX: u32 = 5_000;
/// Own shares looked through for late ones.
const OWN_SHARES_READ_MAX: u32 = 5_000;
/// Entries of the list that are kept of earlier runs.
const TALES_MAX: usize = 60;
/// Names of the series that the node records.
const HASHRATE: &str = "hashrate";
const LATE_PART: &str = "late";
/// Everything recorded by the node as a whole.
const WHOLE: &str = "";

/// What earlier runs left.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Newest first, with their numbers.
    pub(crate) tales: Vec<(u64, UnixSeconds, Tale)>,
    /// Oldest first.
    pub(crate) pauses: Vec<PauseSpan>,
    /// The last hour in buckets of the shortest range, oldest first.
    pub(crate) last_hour: Vec<SeriesPoint>,
    /// When the oldest point was recorded.
    pub(crate) data_since: Option<UnixSeconds>,
}

/// Reads what earlier runs left, up to `end`, the start of this one.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn past(database: &Path, end: UnixSeconds) -> Result<Past, StoreError> {
    let reader = HistoryReader::open(database)?;
    let mut past = Past {
        last_hour: finer(points(&reader, WHOLE, ChartRange::Hour1, end)?),
        data_since: data_since(&reader, end)?,
        ..Past::default()
    };
    let events = reader.events(None, EVENTS_READ_MAX)?;
    for stored in events.iter().rev().filter(|stored| stored.event.at.0 < end.0) {
        let at = UnixSeconds(stored.event.at.0);
        let Some(tale) = Tale::of_record(&stored.event.kind, &stored.event.json) else { continue };
        note_pause(&mut past.pauses, at, &tale);
        // Numbers of a database start at one.
        past.tales.push((u64::try_from(stored.seq).unwrap_or_default(), at, tale));
    }
    past.tales.reverse();
    past.tales.truncate(TALES_MAX);
    Ok(past)
}

/// Keeps a list of pauses true.
pub(crate) fn note_pause(pauses: &mut Vec<PauseSpan>, at: UnixSeconds, tale: &Tale) {
    let open = pauses.last_mut().filter(|pause| pause.to.is_none());
    match (tale, open) {
        (Tale::MiningPaused, None) => pauses.push(PauseSpan { from: at, to: None }),
        (Tale::MiningStarted, Some(open)) => open.to = Some(at),
        _ => {}
    }
}

/// Late shares of mine since `from`.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn late_shares(
    database: &Path,
    from: UnixSeconds,
    to: UnixSeconds,
) -> Result<Vec<LateMark>, StoreError> {
    let (from, to) = (UnixTime(from.0), UnixTime(to.0));
    let shares = HistoryReader::open(database)?.own_shares(from, to, OWN_SHARES_READ_MAX)?;
    let late = shares.iter().filter(|share| matches!(share.fate, Fate::Orphan | Fate::Dead));
    Ok(late.map(|share| UnixSeconds(share.found_at.0)).collect())
}

/// The newest shares of mine, newest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn own_shares(
    database: &Path,
    now: UnixSeconds,
    most: usize,
) -> Result<Vec<OwnShare>, StoreError> {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    HistoryReader::open(database)?.own_shares(UnixTime(0), UnixTime(now.0), most)
}

/// The points of a range, oldest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn range(
    database: &Path,
    range: ChartRange,
    now: UnixSeconds,
) -> Result<Vec<SeriesPoint>, StoreError> {
    points(&HistoryReader::open(database)?, WHOLE, range, now)
}

/// The points of a range of one miner, oldest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn miner_range(
    database: &Path,
    worker: &str,
    range: ChartRange,
    now: UnixSeconds,
) -> Result<Vec<SeriesPoint>, StoreError> {
    points(&HistoryReader::open(database)?, worker, range, now)
}

/// The last day of several miners in half hours, oldest first; `None` is a gap.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn sparks(
    database: &Path,
    workers: Vec<String>,
    now: UnixSeconds,
) -> Result<BTreeMap<String, Vec<Option<f64>>>, StoreError> {
    let reader = HistoryReader::open(database)?;
    let width = u64::from(Step::HalfHour.secs());
    let end = now.0 - now.0 % width;
    let mut sparks = BTreeMap::new();
    for worker in workers {
        let mut buckets: BTreeMap<u64, (f64, u32)> = BTreeMap::new();
        for point in points(&reader, &worker, ChartRange::Hours24, now)? {
            let (sum, count) = buckets.entry(point.at.0 - point.at.0 % width).or_default();
            *sum += point.mine_hps.unwrap_or_default();
            *count += 1;
        }
        let first = end.saturating_sub(width * (SPARK_POINTS_MAX as u64 - 1));
        let starts = (first..=end).step_by(Step::HalfHour.secs() as usize);
        let mean = |at| buckets.get(&at).map(|(sum, count)| sum / f64::from(*count));
        let line: Vec<_> = starts.map(mean).collect();
        sparks.insert(worker, line);
    }
    Ok(sparks)
}

/// Coarse points are made some minutes after their time; until then the finer ones stand in.
fn points(
    reader: &HistoryReader,
    subject: &str,
    range: ChartRange,
    now: UnixSeconds,
) -> Result<Vec<SeriesPoint>, StoreError> {
    let step = step_of(range);
    let width = u64::from(step.secs());
    let mut sums: BTreeMap<u64, Sum> = BTreeMap::new();
    let mut from = now.0.saturating_sub(u64::from(range.span_secs()));
    for finer in Step::ALL.into_iter().rev().filter(|finer| *finer <= step) {
        let read = |name| reader.series(name, subject, UnixTime(from), UnixTime(now.0), finer);
        let (rates, late) = (read(HASHRATE)?, read(LATE_PART)?);
        let late: BTreeMap<u64, f64> = late.iter().map(|point| (point.at.0, point.avg)).collect();
        let secs = f64::from(finer.secs());
        for point in &rates {
            let late_part = late.get(&point.at.0).copied().unwrap_or_default();
            let sum = sums.entry(point.at.0 - point.at.0 % width).or_default();
            sum.secs += secs;
            sum.mine += point.avg * secs;
            sum.low = sum.low.min(point.min);
            sum.high = sum.high.max(point.max);
            sum.late += point.avg * late_part * secs;
        }
        if let Some(last) = rates.last() {
            from = last.at.0 + u64::from(finer.secs());
        }
    }
    Ok(sums.into_iter().map(|(at, sum)| sum.point(UnixSeconds(at))).collect())
}

/// Hash rates times seconds, while a bucket is added up.
#[derive(Clone, Copy, Debug)]
struct Sum {
    secs: f64,
    mine: f64,
    late: f64,
    low: f64,
    high: f64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { secs: 0.0, mine: 0.0, late: 0.0, low: f64::INFINITY, high: 0.0 }
    }
}

impl Sum {
    fn point(self, at: UnixSeconds) -> SeriesPoint {
        let mean = |sum: f64| Some(sum / self.secs);
        SeriesPoint {
            at,
            mine_hps: mean(self.mine),
            low_hps: Some(self.low),
            high_hps: Some(self.high),
            late_hps: mean(self.late),
        }
    }
}

fn step_of(range: ChartRange) -> Step {
    match range {
        ChartRange::Hour1 | ChartRange::Hours6 => Step::Minute,
        ChartRange::Hours24 => Step::FiveMinutes,
        ChartRange::Days7 => Step::HalfHour,
        ChartRange::Days30 => Step::TwoHours,
        ChartRange::Year1 => Step::Day,
    }
}

/// Minutes as the buckets of the shortest range: each says what its minute said.
fn finer(minutes: Vec<SeriesPoint>) -> Vec<SeriesPoint> {
    let step = u64::from(ChartRange::Hour1.step_secs());
    let minute = u64::from(Step::Minute.secs());
    let buckets = |point: SeriesPoint| {
        (0..minute / step)
            .map(move |index| SeriesPoint { at: UnixSeconds(point.at.0 + index * step), ..point })
    };
    minutes.into_iter().flat_map(buckets).collect()
}

fn data_since(reader: &HistoryReader, end: UnixSeconds) -> Result<Option<UnixSeconds>, StoreError> {
    let mut oldest: Option<u64> = None;
    for step in Step::ALL {
        let points = reader.series(HASHRATE, WHOLE, UnixTime(0), UnixTime(end.0), step)?;
        let first = points.first().map(|point| point.at.0);
        oldest = [oldest, first].into_iter().flatten().min();
    }
    Ok(oldest.map(UnixSeconds))
}

#[cfg(test)]
mod tests;
