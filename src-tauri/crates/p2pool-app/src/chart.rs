//! The hash rate chart: fine buckets of the last hour in memory, older ones from history.

use std::collections::VecDeque;

use crate::api::{ChartRange, PauseSpan, SERIES_POINTS_MAX, Series, SeriesPoint, UnixSeconds};

/// Width of a bucket in memory, in seconds: that of the shortest range.
const BUCKET_SECS: u64 = 10;
/// Buckets in memory: one hour.
const BUCKETS_MAX: usize = 360;

/// One look at the miners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) mine_hps: f64,
    pub(crate) late_hps: f64,
}

/// The last hour, bucket by bucket.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    closed: VecDeque<SeriesPoint>,
    open: Option<Bucket>,
}

/// A bucket that still fills.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    at: UnixSeconds,
    sum: Sample,
    low_hps: f64,
    high_hps: f64,
    samples: u32,
}

impl Bucket {
    fn new(at: UnixSeconds) -> Self {
        let sum = Sample { mine_hps: 0.0, late_hps: 0.0 };
        Self { at, sum, low_hps: f64::INFINITY, high_hps: 0.0, samples: 0 }
    }

    fn add(&mut self, sample: Sample) {
        self.sum.mine_hps += sample.mine_hps;
        self.sum.late_hps += sample.late_hps;
        self.low_hps = self.low_hps.min(sample.mine_hps);
        self.high_hps = self.high_hps.max(sample.mine_hps);
        self.samples += 1;
    }

    fn point(&self) -> SeriesPoint {
        if self.samples == 0 {
            return SeriesPoint { at: self.at, ..SeriesPoint::default() };
        }
        let mean = |sum: f64| Some(sum / f64::from(self.samples));
        SeriesPoint {
            at: self.at,
            mine_hps: mean(self.sum.mine_hps),
            low_hps: Some(self.low_hps),
            high_hps: Some(self.high_hps),
            late_hps: mean(self.sum.late_hps),
        }
    }
}

impl Chart {
    /// Takes in a look at the miners, `None` while nothing mines; returns the present bucket.
    /// The chart begins with the first time that something does.
    pub(crate) fn sample(
        &mut self,
        now: UnixSeconds,
        sample: Option<Sample>,
    ) -> Option<SeriesPoint> {
        if self.open.is_none() && sample.is_none() {
            return None;
        }
        let at = UnixSeconds(now.0 - now.0 % BUCKET_SECS);
        let mut open = match self.open.take() {
            Some(bucket) if bucket.at == at => bucket,
            other => {
                self.close(other, at);
                Bucket::new(at)
            }
        };
        if let Some(sample) = sample {
            open.add(sample);
        }
        self.open = Some(open);
        Some(open.point())
    }

    fn close(&mut self, bucket: Option<Bucket>, next: UnixSeconds) {
        self.closed.extend(bucket.map(|bucket| bucket.point()));
        let oldest = next.0.saturating_sub(BUCKETS_MAX as u64 * BUCKET_SECS);
        // A clock that was set back starts the hour anew.
        self.closed.retain(|point| point.at.0 >= oldest && point.at < next);
    }

    /// Mean rate over the buckets of the last hour in which something mined, and their time.
    pub(crate) fn average(&self) -> (Option<f64>, f64) {
        let rates: Vec<f64> = self.points().filter_map(|point| point.mine_hps).collect();
        let mean = (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64);
        (mean, rates.len() as f64 * BUCKET_SECS as f64)
    }

    /// The buckets, oldest first.
    pub(crate) fn points(&self) -> impl Iterator<Item = SeriesPoint> + '_ {
        self.closed.iter().copied().chain(self.open.map(|bucket| bucket.point()))
    }
}

/// Makes a chart of points, oldest first: drops those out of range, shows gaps as gaps.
pub(crate) fn series(
    range: ChartRange,
    points: impl IntoIterator<Item = SeriesPoint>,
    now: UnixSeconds,
) -> Series {
    let mut series = Series::empty(range);
    let oldest = now.0.saturating_sub(u64::from(range.span_secs()));
    let step = u64::from(range.step_secs());
    let mut next = None;
    for point in points {
        let is_next = next.is_none_or(|next: u64| point.at.0 >= next);
        if point.at.0 < oldest || !is_next {
            continue;
        }
        if let Some(expected) = next
            && point.at.0 > expected
        {
            let at = UnixSeconds(expected);
            series.points.push(SeriesPoint { at, ..SeriesPoint::default() });
        }
        next = Some(point.at.0 + step);
        series.points.push(point);
    }
    let surplus = series.points.len().saturating_sub(SERIES_POINTS_MAX);
    series.points.drain(..surplus);
    let rates: Vec<f64> = series.points.iter().filter_map(|point| point.mine_hps).collect();
    series.average_hps =
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64);
    series.lowest_hps = series.points.iter().filter_map(|point| point.low_hps).reduce(f64::min);
    series.highest_hps = series.points.iter().filter_map(|point| point.high_hps).reduce(f64::max);
    series
}

/// The pauses that touch a range.
pub(crate) fn pauses_in(
    pauses: &[PauseSpan],
    range: ChartRange,
    now: UnixSeconds,
) -> Vec<PauseSpan> {
    let oldest = UnixSeconds(now.0.saturating_sub(u64::from(range.span_secs())));
    let touches = |pause: &&PauseSpan| pause.to.is_none_or(|to| to > oldest);
    pauses
        .iter()
        .filter(touches)
        .map(|pause| PauseSpan { from: pause.from.max(oldest), ..*pause })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mine_hps: f64) -> Option<Sample> {
        Some(Sample { mine_hps, late_hps: 0.0 })
    }

    fn point(at: u64, mine_hps: Option<f64>) -> SeriesPoint {
        let late_hps = mine_hps.map(|_| 0.0);
        let (low_hps, high_hps) = (mine_hps, mine_hps);
        SeriesPoint { at: UnixSeconds(at), mine_hps, low_hps, high_hps, late_hps }
    }

    #[test]
    fn samples_of_ten_seconds_make_one_point() {
        let mut chart = Chart::default();
        chart.sample(UnixSeconds(1_000), sample(2.0));
        let both =
            SeriesPoint { low_hps: Some(2.0), high_hps: Some(4.0), ..point(1_000, Some(3.0)) };
        assert_eq!(chart.sample(UnixSeconds(1_009), sample(4.0)), Some(both));
        assert_eq!(chart.sample(UnixSeconds(1_010), None), Some(point(1_010, None)));
        let points: Vec<_> = chart.points().collect();
        assert_eq!(points, [both, point(1_010, None)]);
    }

    #[test]
    fn chart_begins_with_the_first_result() {
        let mut chart = Chart::default();
        assert_eq!(chart.sample(UnixSeconds(10), None), None);
        assert_eq!(chart.points().count(), 0);
        assert_eq!(chart.sample(UnixSeconds(20), sample(1.0)), Some(point(20, Some(1.0))));
    }

    #[test]
    fn average_leaves_out_times_without_mining() {
        let mut chart = Chart::default();
        chart.sample(UnixSeconds(0), sample(2.0));
        chart.sample(UnixSeconds(10), None);
        chart.sample(UnixSeconds(20), sample(4.0));
        assert_eq!(chart.average(), (Some(3.0), 20.0));
    }

    #[test]
    fn memory_holds_an_hour() {
        let mut chart = Chart::default();
        for second in 0..10_000 {
            chart.sample(UnixSeconds(second), sample(1.0));
        }
        assert_eq!(chart.points().count(), BUCKETS_MAX + 1);
        assert_eq!(chart.points().next(), Some(point(6_390, Some(1.0))));
    }

    #[test]
    fn clock_set_back_starts_anew_and_points_keep_rising() {
        let mut chart = Chart::default();
        chart.sample(UnixSeconds(5_000), sample(1.0));
        chart.sample(UnixSeconds(100), sample(2.0));
        let series = series(ChartRange::Hour1, chart.points(), UnixSeconds(100));
        assert_eq!(series.points, [point(100, Some(2.0))]);
    }

    #[test]
    fn missing_buckets_are_a_gap_and_old_ones_leave() {
        let points = [point(100, Some(9.0)), point(4_000, Some(1.0)), point(4_030, Some(3.0))];
        let series = series(ChartRange::Hour1, points, UnixSeconds(4_040));
        let expected = [point(4_000, Some(1.0)), point(4_010, None), point(4_030, Some(3.0))];
        assert_eq!(series.points, expected);
        let extremes = (series.average_hps, series.lowest_hps, series.highest_hps);
        assert_eq!(extremes, (Some(2.0), Some(1.0), Some(3.0)));
    }

    #[test]
    fn pauses_are_cut_to_the_range() {
        let span =
            |from, to: Option<u64>| PauseSpan { from: UnixSeconds(from), to: to.map(UnixSeconds) };
        let pauses = [span(10, Some(20)), span(900, Some(1_500)), span(4_000, None)];
        let kept = pauses_in(&pauses, ChartRange::Hour1, UnixSeconds(4_600));
        assert_eq!(kept, [span(1_000, Some(1_500)), span(4_000, None)]);
    }
}
