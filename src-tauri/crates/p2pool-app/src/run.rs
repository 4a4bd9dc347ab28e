//! One run of a node, as the application remembers it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use p2pool_bitcoind::RpcConfig;
use p2pool_node::{NodeEvent, NodeSnapshot, PoolBlock};
use p2pool_sharechain::change::BlockStatus;
use p2pool_sharechain::{Params, ShareHash};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::{LatestKind, Party, PauseSpan, Sats, SeriesPoint, UnixSeconds};
use crate::chart::{Chart, Sample};
use crate::history::{self, Past};
use crate::latest::Tale;
use crate::link::NodeDeed;
use crate::problems;
use crate::sync_pace::SyncPace;
use crate::views::{self, LateMark, Parties, Sight};

/// Time in which a snapshot has to catch up with an event before it is told without.
const CATCH_UP: Duration = Duration::from_secs(5);
/// Events waiting for their snapshot.
const WAITING_MAX: usize = 256;
/// Time without another member after which it is told.
const ALONE_SECS: u64 = 60;
/// Pauses that are remembered.
const PAUSES_MAX: usize = 1_000;

/// Who found which block, by their shares.
pub(crate) type Finders = BTreeMap<ShareHash, Party>;

/// A line for the list, without its number.
pub(crate) type Line = (UnixSeconds, LatestKind);

/// What a run is begun with.
#[derive(Clone, Debug)]
pub(crate) struct RunFacts {
    pub(crate) params: Arc<Params>,
    /// Threads of the CPU miner.
    pub(crate) threads: u32,
    /// How to call the Bitcoin node; practice tells in its snapshot.
    pub(crate) rpc: Option<RpcConfig>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) facts: RunFacts,
    pub(crate) node: Arc<NodeSnapshot>,
    pub(crate) chart: Chart,
    pub(crate) last_hour_before: Vec<SeriesPoint>,
    pub(crate) pauses: Vec<PauseSpan>,
    pub(crate) data_since: Option<UnixSeconds>,
    pub(crate) late: Vec<LateMark>,
    pub(crate) last_left_at: Option<UnixSeconds>,
    /// Since when no other member is connected.
    alone_since: Option<UnixSeconds>,
    sync: SyncPace,
    /// What the node was asked last.
    pub(crate) is_mining_asked: bool,
    parties: Parties,
    finders: BTreeMap<ShareHash, Party>,
    waiting: Vec<Waiting>,
    deeds: mpsc::Sender<NodeDeed>,
}

/// An event that is ahead of the snapshots.
#[derive(Debug)]
struct Waiting {
    at: UnixSeconds,
    tale: Tale,
    deadline: Instant,
}

impl Run {
    pub(crate) fn new(
        facts: RunFacts,
        node: Arc<NodeSnapshot>,
        deeds: mpsc::Sender<NodeDeed>,
    ) -> Self {
        let parties = Parties::new(&node, &facts.params);
        let mut run = Self {
            is_mining_asked: node.is_mining,
            parties,
            facts,
            node,
            chart: Chart::default(),
            last_hour_before: Vec::new(),
            pauses: Vec::new(),
            data_since: None,
            late: Vec::new(),
            last_left_at: None,
            alone_since: None,
            sync: SyncPace::default(),
            finders: BTreeMap::new(),
            waiting: Vec::new(),
            deeds,
        };
        run.learn_finders();
        run
    }

    /// The node as the views see it.
    pub(crate) fn sight(&self, now: UnixSeconds) -> Sight<'_> {
        let (average, mine_over_secs) = self.chart.average();
        let mine_hps = average.filter(|hps| self.is_rated() && *hps > 0.0);
        Sight {
            now,
            node: &self.node,
            params: &self.facts.params,
            parties: &self.parties,
            mine_hps,
            mine_over_secs,
        }
    }

    /// Takes note of what only time shows.
    pub(crate) fn note_time(&mut self, now: UnixSeconds) {
        if self.node.summary.peers > 0 {
            self.alone_since = None;
        } else {
            self.alone_since.get_or_insert(now);
        }
        self.sync.note(now, problems::sync_progress(&self.node));
    }

    /// Whether no other member has been connected for so long that it deserves a word.
    pub(crate) fn is_alone(&self, now: UnixSeconds) -> bool {
        let long_ago = now.0.saturating_sub(ALONE_SECS);
        self.alone_since.is_some_and(|since| since.0 <= long_ago)
    }

    /// Time until the Bitcoin node has caught up, at its present pace.
    pub(crate) fn sync_secs(&self) -> Option<f64> {
        self.sync.remaining_secs()
    }

    /// Whether there is a rate to speak of: something mines, and a result has come.
    fn is_rated(&self) -> bool {
        let miners = &self.node.miners.miners;
        self.node.is_mining && miners.iter().any(|miner| miner.accepted > 0)
    }

    /// Takes in a newer snapshot and returns what is worth telling.
    pub(crate) fn observe(&mut self, node: Arc<NodeSnapshot>, now: UnixSeconds) -> Vec<Line> {
        let before = std::mem::replace(&mut self.node, node);
        if !self.parties.are_those_of(&self.node) {
            self.parties = Parties::new(&self.node, &self.facts.params);
        }
        self.learn_finders();
        if has_own(&before) && !has_own(&self.node) {
            self.last_left_at = Some(now);
        }
        let mut lines = self.matured(&before, now);
        lines.extend(self.tell_waiting(now));
        lines
    }

    /// Takes in an event and returns what is worth telling now.
    pub(crate) fn happened(&mut self, event: &NodeEvent, now: UnixSeconds) -> Vec<Line> {
        let Some(tale) = Tale::of_event(&event.kind) else { return Vec::new() };
        let at = UnixSeconds(event.at.0);
        history::note_pause(&mut self.pauses, at, &tale);
        let surplus = self.pauses.len().saturating_sub(PAUSES_MAX);
        self.pauses.drain(..surplus);
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(Waiting { at, tale, deadline: Instant::now() + CATCH_UP });
        }
        self.tell_waiting(now)
    }

    /// Tells what waited for its snapshot, or waited too long.
    pub(crate) fn tell_waiting(&mut self, now: UnixSeconds) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut still = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let sight = self.sight(now);
            let told = waiting.tale.tell(&sight, &self.finders);
            if told.is_none() && waiting.deadline > Instant::now() {
                still.push(waiting);
                continue;
            }
            let told = told.or_else(|| waiting.tale.tell_now(&sight, &self.finders));
            lines.extend(told.map(|line| (waiting.at, line)));
        }
        self.waiting = still;
        lines
    }

    /// Takes in what earlier runs left; returns the lines of the list, newest first.
    pub(crate) fn remember(&mut self, past: Past, now: UnixSeconds) -> Vec<(u64, Line)> {
        let Past { tales, pauses, last_hour, data_since } = past;
        let mut pauses = pauses;
        pauses.append(&mut self.pauses);
        self.pauses = pauses;
        self.last_hour_before = last_hour;
        self.data_since = data_since.or(self.data_since);
        let sight = self.sight(now);
        let line = |(number, at, tale): (u64, UnixSeconds, Tale)| {
            tale.tell_past(&sight, &self.finders).map(|line| (number, (at, line)))
        };
        tales.into_iter().filter_map(line).collect()
    }

    /// Looks at the miners for the chart; returns the present bucket, once there is one.
    pub(crate) fn sample(&mut self, now: UnixSeconds) -> Option<SeriesPoint> {
        let sample = self.is_rated().then(|| {
            let mine_hps = self.node.miners.hashrate_hps;
            let late_part = self.sight(now).late_part().unwrap_or_default();
            Sample { mine_hps, late_hps: mine_hps * late_part }
        });
        if sample.is_some() && self.data_since.is_none() {
            self.data_since = Some(now);
        }
        self.chart.sample(now, sample)
    }

    /// Asks the node to mine or not, once for each change of mind.
    pub(crate) fn ask_mining(&mut self, is_mining: bool) {
        if self.is_mining_asked == is_mining {
            return;
        }
        // A queue full of clicks, or a node that is gone: asked again when it has room.
        if self.deeds.try_send(NodeDeed::SetMining(is_mining)).is_ok() {
            self.is_mining_asked = is_mining;
        }
    }

    /// The end of the channel for deeds.
    pub(crate) fn deeds(&self) -> mpsc::Sender<NodeDeed> {
        self.deeds.clone()
    }

    /// Whose addresses have names.
    pub(crate) fn parties(&self) -> &Parties {
        &self.parties
    }

    /// The script that pays me.
    pub(crate) fn my_script(&self) -> Option<Vec<u8>> {
        self.parties.my_script().map(<[u8]>::to_vec)
    }

    /// Finders of pool blocks, as far as their shares have told.
    pub(crate) fn finders(&self) -> &BTreeMap<ShareHash, Party> {
        &self.finders
    }

    fn learn_finders(&mut self) {
        let summary = &self.node.summary;
        let hashes: BTreeSet<ShareHash> =
            summary.blocks.iter().map(|block| block.block.hash).collect();
        for share in summary.window.iter().filter(|share| share.is_block) {
            if hashes.contains(&share.hash) {
                self.finders.insert(share.hash, self.parties.of_address(&share.payee));
            }
        }
        self.finders.retain(|hash, _| hashes.contains(hash));
    }

    /// Payments to me that have become spendable.
    fn matured(&self, before: &NodeSnapshot, now: UnixSeconds) -> Vec<Line> {
        let is_old = |block: &&PoolBlock| block.block.status == BlockStatus::Mature;
        let young = before.summary.blocks.iter().filter(|block| !is_old(block));
        let young: BTreeSet<ShareHash> = young.map(|block| block.block.hash).collect();
        let matured = self.node.summary.blocks.iter().filter(is_old);
        matured
            .filter(|block| young.contains(&block.block.hash))
            .filter_map(|block| {
                let mine = views::mine(block, &self.parties);
                let height = block.block.height;
                let line = LatestKind::PaymentSpendable { height, mine_sats: Sats(mine) };
                (mine > 0).then_some((now, line))
            })
            .collect()
    }
}

fn has_own(node: &NodeSnapshot) -> bool {
    node.summary.window.iter().any(|share| share.is_own)
}
