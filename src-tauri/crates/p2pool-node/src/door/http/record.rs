//! Figures of the last day in memory, for the classic log and graphs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::local::late_rate;
use super::pages::bitcoins;
use crate::clock::Clock;
use crate::state::{Miner, NodeSnapshot};

/// A sample this often, for a day.
const SAMPLE_SECONDS: u64 = 20;
const SAMPLES_MAX: usize = 24 * 3600 / SAMPLE_SECONDS as usize;
/// A row of the log this often.
const ROW_SECONDS: u64 = 300;
/// Miners in one sample.
const MINERS_MAX: usize = 20;

/// Names of views, their seconds and their bins.
const VIEWS: [(&str, f64, u32); 5] = [
    ("last_hour", 3600.0, 150),
    ("last_day", 24.0 * 3600.0, 300),
    ("last_week", 7.0 * 24.0 * 3600.0, 300),
    ("last_month", 30.0 * 24.0 * 3600.0, 300),
    ("last_year", 365.25 * 24.0 * 3600.0, 300),
];

/// What was so at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    at: u64,
    pool_rate: f64,
    local_rate: f64,
    late_rate: f64,
    miners: BTreeMap<String, f64>,
    late_miners: BTreeMap<String, f64>,
    pool_stale_part: f64,
    current_payout: f64,
    incoming: usize,
    outgoing: usize,
    block_value: f64,
    shares: usize,
    stale_shares: usize,
    dead_shares: usize,
    attempts_to_share: f64,
    attempts_to_block: f64,
}

/// The samples, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    samples: VecDeque<Arc<Sample>>,
}

/// Adds a sample from time to time, until cancelled.
pub(crate) async fn keep_record(
    clock: Clock,
    snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    record: watch::Sender<Arc<Record>>,
    token: CancellationToken,
) {
    let mut time = tokio::time::interval(Duration::from_secs(SAMPLE_SECONDS));
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            _ = time.tick() => {
                let sample = Sample::of(&snapshots.borrow(), clock.now().wall.0);
                record.send_modify(|record| Arc::make_mut(record).add(sample));
            }
        }
    }
}

impl Sample {
    fn of(node: &NodeSnapshot, at: u64) -> Self {
        let (summary, miners) = (&node.summary, &node.miners);
        let hashes = |difficulty: f64| (difficulty * 4_294_967_296.0).round();
        Self {
            at,
            pool_rate: summary.pool_hashrate_hps,
            local_rate: miners.hashrate_hps,
            late_rate: miners.hashrate_hps * miners.late_part.unwrap_or_default(),
            miners: by_name(&miners.miners, |miner| miner.hashrate_hps),
            late_miners: by_name(&miners.miners, late_rate),
            pool_stale_part: summary.pool_stale_part,
            current_payout: bitcoins(summary.own_payout_sats),
            incoming: node.p2p.incoming,
            outgoing: node.p2p.outgoing,
            block_value: bitcoins(summary.block_value_sats),
            shares: summary.own_found,
            stale_shares: summary.own_lost,
            dead_shares: summary.own_dead,
            attempts_to_share: hashes(summary.share_difficulty),
            attempts_to_block: hashes(summary.network_difficulty),
        }
    }

    fn row(&self) -> Value {
        json!({
            "time": self.at as f64,
            "pool_hash_rate": self.pool_rate,
            "pool_stale_prop": self.pool_stale_part,
            "local_hash_rates": self.miners,
            "local_dead_hash_rates": self.late_miners,
            "shares": self.shares,
            "stale_shares": self.stale_shares,
            "stale_shares_breakdown": {
                "orphan": self.stale_shares.saturating_sub(self.dead_shares),
                "doa": self.dead_shares,
            },
            "current_payout": self.current_payout,
            "peers": { "incoming": self.incoming, "outgoing": self.outgoing },
            "attempts_to_share": self.attempts_to_share,
            "attempts_to_block": self.attempts_to_block,
            "block_value": self.block_value,
        })
    }
}

impl Record {
    fn add(&mut self, sample: Sample) {
        if self.samples.len() >= SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(Arc::new(sample));
    }

    /// A row every five minutes, oldest first.
    pub(super) fn log(&self) -> Value {
        let mut next = 0;
        let mut rows = Vec::new();
        for sample in &self.samples {
            if sample.at >= next {
                rows.push(sample.row());
                next = (sample.at / ROW_SECONDS + 1) * ROW_SECONDS;
            }
        }
        rows.into()
    }

    /// A graph, newest bin first; `None` for a source or view that there is not. Sources that are
    /// not recorded have empty bins.
    pub(super) fn graph(&self, source: &str, view: &str, now: f64) -> Option<Value> {
        let (_, seconds, bins) = VIEWS.iter().find(|(name, ..)| *name == view)?;
        let default = default_of(source)?;
        let width = seconds / f64::from(*bins);
        let begin_of_newest = (now / width).floor() * width;
        let mut graph = Vec::new();
        for bin in 0..*bins {
            let begin = begin_of_newest - f64::from(bin) * width;
            let end = if bin == 0 { now.max(begin + 0.001) } else { begin + width };
            let value = self.mean(source, begin, end);
            graph.push(json!([(begin + end) / 2.0, value, end - begin, default]));
        }
        Some(graph.into())
    }

    /// The mean of what was sampled in this time; null without a sample.
    fn mean(&self, source: &str, begin: f64, end: f64) -> Value {
        let first = self.samples.partition_point(|sample| (sample.at as f64) < begin);
        let samples: Vec<&Arc<Sample>> =
            self.samples.iter().skip(first).take_while(|sample| (sample.at as f64) < end).collect();
        if samples.is_empty() {
            return Value::Null;
        }
        let count = samples.len() as f64;
        let mean =
            |what: &dyn Fn(&Sample) -> f64| samples.iter().map(|s| what(s)).sum::<f64>() / count;
        match source {
            "local_hash_rate" => json!(mean(&|s| s.local_rate)),
            "local_dead_hash_rate" => json!(mean(&|s| s.late_rate)),
            "pool_rates" => json!({ "good": mean(&|s| s.pool_rate) }),
            "current_payout" => json!(mean(&|s| s.current_payout)),
            "peers" => json!({
                "incoming": mean(&|s| s.incoming as f64),
                "outgoing": mean(&|s| s.outgoing as f64),
            }),
            "miner_hash_rates" => means_by_name(&samples, |sample| &sample.miners),
            "miner_dead_hash_rates" => means_by_name(&samples, |sample| &sample.late_miners),
            _ => Value::Null,
        }
    }
}

/// Positive rates of a bounded number of miners.
fn by_name(miners: &[Miner], rate: impl Fn(&Miner) -> f64) -> BTreeMap<String, f64> {
    let rates = miners.iter().map(|miner| (miner.worker.clone(), rate(miner)));
    rates.filter(|(_, rate)| *rate > 0.0).take(MINERS_MAX).collect()
}

/// Each miner's mean over the samples; where a sample does not name it, it had none.
fn means_by_name(
    samples: &[&Arc<Sample>],
    rates: impl for<'a> Fn(&'a Sample) -> &'a BTreeMap<String, f64>,
) -> Value {
    let mut sums: BTreeMap<&String, f64> = BTreeMap::new();
    for (name, rate) in samples.iter().flat_map(|sample| rates(sample)) {
        *sums.entry(name).or_default() += rate;
    }
    let count = samples.len() as f64;
    sums.into_iter()
        .map(|(name, sum)| (name.clone(), json!(sum / count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What a bin without samples counts as; `None` for no source.
fn default_of(source: &str) -> Option<Value> {
    match source {
        "local_hash_rate"
        | "local_dead_hash_rate"
        | "local_share_hash_rates"
        | "pool_rates"
        | "miner_hash_rates"
        | "miner_dead_hash_rates"
        | "desired_version_rates"
        | "traffic_rate" => Some(json!(0)),
        "current_payout" | "getwork_latency" | "memory_usage" | "current_payouts" | "peers" => {
            Some(Value::Null)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(samples: &[(u64, f64)]) -> Record {
        let mut record = Record::default();
        for (at, local_rate) in samples.iter().copied() {
            record.add(Sample { at, local_rate, ..Sample::default() });
        }
        record
    }

    #[test]
    fn graph_has_the_bins_of_its_view_newest_first() {
        let record = record(&[(999_970, 8.0), (1_000_000, 2.0), (1_000_005, 4.0)]);
        for (view, seconds, bins) in VIEWS {
            let graph = record.graph("local_hash_rate", view, 1_000_007.0).unwrap();
            let bins_made = graph.as_array().unwrap();
            assert_eq!(bins_made.len(), bins as usize);
            let width = bins_made[1][2].as_f64().unwrap();
            assert!((width - seconds / f64::from(bins)).abs() < 1e-6);
            assert!(bins_made[0][2].as_f64().unwrap() <= width);
            assert_eq!(bins_made[0][3], 0);
        }
        let hour = record.graph("local_hash_rate", "last_hour", 1_000_007.0).unwrap();
        assert_eq!(hour[0][1], 3.0, "the mean of the bin's samples");
        assert_eq!(record.graph("nothing", "last_hour", 0.0), None);
        assert_eq!(record.graph("peers", "last_century", 0.0), None);
    }

    #[test]
    fn lost_work_is_told_by_miner_and_by_kind() {
        let mut record = Record::default();
        for (at, rates) in [(999_995, &[("a", 4.0)][..]), (1_000_000, &[("a", 2.0), ("b", 1.0)])] {
            let late_miners = rates.iter().map(|(name, rate)| ((*name).to_owned(), *rate));
            record.add(Sample {
                at,
                late_miners: late_miners.collect(),
                pool_stale_part: 0.25,
                stale_shares: 5,
                dead_shares: 2,
                ..Sample::default()
            });
        }
        let graph = record.graph("miner_dead_hash_rates", "last_year", 1_000_001.0).unwrap();
        assert_eq!(graph[0][1], json!({ "a": 3.0, "b": 0.5 }));
        let row = &record.log()[0];
        assert_eq!(row["local_dead_hash_rates"], json!({ "a": 4.0 }));
        assert_eq!(row["pool_stale_prop"], 0.25);
        assert_eq!(row["stale_shares_breakdown"], json!({ "orphan": 3, "doa": 2 }));
    }

    #[test]
    fn log_has_a_row_each_five_minutes_and_samples_are_bounded() {
        let samples: Vec<(u64, f64)> = (0..5000).map(|n| (n * SAMPLE_SECONDS, 1.0)).collect();
        let record = record(&samples);
        assert_eq!(record.samples.len(), SAMPLES_MAX);
        let log = record.log();
        let rows = log.as_array().unwrap();
        assert!((287..=289).contains(&rows.len()), "{}", rows.len());
        assert!(rows.windows(2).all(|pair| pair[0]["time"].as_f64() < pair[1]["time"].as_f64()));
    }
}
