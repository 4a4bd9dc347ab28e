//! Figures of a run: shares found and lost, how fast they spread, what they cost.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pool_sharechain::ShareHash;

use super::World;

/// Where the command stands in a frame.
const COMMAND: core::ops::Range<usize> = 8..20;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    finds: BTreeMap<ShareHash, Found>,
    /// Bytes on the wire by command.
    pub(crate) bytes: BTreeMap<String, u64>,
    /// How often a node asked for a template because a peer knew of a newer block.
    pub(crate) nudges: u64,
    /// How often a share was relayed before it was stored.
    pub(crate) storage_slow: u64,
}

#[derive(Debug)]
struct Found {
    node: usize,
    at: Duration,
    is_on_time: bool,
    /// When each node began to build on it, or on something above it for all we know.
    best_at: BTreeMap<usize, Duration>,
}

/// What became of the shares found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fates {
    pub(crate) found: usize,
    pub(crate) in_chain: usize,
    pub(crate) orphan: usize,
    /// Found for old work.
    pub(crate) dead: usize,
}

impl Fates {
    /// Part of the shares that lost a race.
    pub(crate) fn orphan_rate(&self) -> f64 {
        self.orphan as f64 / (self.found as f64).max(1.0)
    }
}

impl Measure {
    pub(super) fn found(&mut self, hash: ShareHash, node: usize, at: Duration, is_on_time: bool) {
        let best_at = BTreeMap::new();
        self.finds.insert(hash, Found { node, at, is_on_time, best_at });
    }

    pub(super) fn became_best(&mut self, hash: ShareHash, node: usize, at: Duration) {
        if let Some(found) = self.finds.get_mut(&hash) {
            found.best_at.entry(node).or_insert(at);
        }
    }

    /// Counts a frame.
    pub(super) fn wrote(&mut self, frame: &[u8]) {
        let command = frame.get(COMMAND).unwrap_or_default();
        let command = String::from_utf8_lossy(command).trim_end_matches('\0').to_owned();
        *self.bytes.entry(command).or_default() += frame.len() as u64;
    }

    /// Forgets everything: what follows is measured.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Times from a find until another node built on it, sorted.
    pub(crate) fn propagation(&self) -> Vec<Duration> {
        let mut times: Vec<Duration> = self
            .finds
            .values()
            .filter(|found| found.is_on_time)
            .flat_map(|found| {
                let others = found.best_at.iter().filter(|(node, _)| **node != found.node);
                others.map(|(_, at)| at.saturating_sub(found.at))
            })
            .collect();
        times.sort_unstable();
        times
    }

    /// Shares found.
    pub(crate) fn count(&self) -> usize {
        self.finds.len()
    }

    /// Bytes that all nodes together have sent.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.bytes.values().sum()
    }
}

/// The value below which this part of all lies.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

impl World {
    /// What became of the shares found so far; to be asked when all nodes agree.
    pub(crate) fn fates(&self) -> Fates {
        let engine = self.engines().next().expect("somebody is up");
        let tracker = engine.tracker();
        let best = engine.best();
        let mut fates = Fates::default();
        for (hash, found) in &self.measure.finds {
            fates.found += 1;
            if best.is_some_and(|best| tracker.is_ancestor(*hash, best)) {
                fates.in_chain += 1;
            } else if found.is_on_time {
                fates.orphan += 1;
            } else {
                fates.dead += 1;
            }
        }
        fates
    }
}
