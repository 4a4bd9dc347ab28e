//! Who mines how fast: counters of all sessions, per worker name.

mod health;
pub(crate) mod tally;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_store::{SeriesPoint, Step};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::state::{
    Arrivals, DoorNotes, Miner, MinerNotice, MinersSnapshot, NodeEvent, NodeEventKind,
    UnknownProtocol,
};
use crate::storage::StoreCommand;

use health::Health;
use tally::Results;

/// Counters under way; what does not fit is lost, and nobody waits.
pub(crate) const QUEUE: usize = 256;
/// Hash rates are taken over this much time.
const RATE_WINDOW: Duration = Duration::from_secs(300);
/// A rate over less time than this says nothing.
const RATE_WINDOW_MIN: Duration = Duration::from_secs(5);
/// Late work is taken over this much time.
const LATE_WINDOW: Duration = Duration::from_secs(3600);
/// Names that are remembered; the longest away go first.
const WORKERS_MAX: usize = 1000;
/// Addresses whose arrivals are counted; of more nobody asks.
const ARRIVALS_MAX: usize = 1000;
/// Names whose rates are kept for charts in one minute.
const CHARTED_MAX: usize = 100;
/// Results remembered for each name's rate.
const RESULTS_MAX: usize = 4096;
/// Expected hashes for difficulty 1.
pub(crate) const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

/// What a session reports.
#[derive(Clone, Debug)]
pub(crate) enum Count {
    /// A worker name was authorised on a connection.
    Joined(Joined),
    /// A connection of that name ended.
    Left { worker: String },
    /// Results of a connection since its last report.
    Results(Results),
    /// A share was found.
    Share,
    /// A connection from outside the own networks was refused.
    RefusedOutside { ip: IpAddr, at: UnixTime },
    /// A connection spoke neither Stratum nor HTTP.
    UnknownProtocol(UnknownProtocol),
    /// The page for phones was looked at from another device.
    HelloSeen { at: UnixTime },
}

/// A worker name that was authorised on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) worker: String,
    pub(crate) user_agent: String,
    pub(crate) is_helper: bool,
    pub(crate) ip: Option<IpAddr>,
    /// Notices that hold as long as the connection.
    pub(crate) notices: Vec<MinerNotice>,
}

/// The service's state.
#[derive(Debug)]
pub(crate) struct Stats {
    clock: Clock,
    counts: mpsc::Receiver<Count>,
    snapshot: watch::Sender<Arc<MinersSnapshot>>,
    events: broadcast::Sender<NodeEvent>,
    store: mpsc::Sender<StoreCommand>,
    workers: BTreeMap<String, Worker>,
    late: VecDeque<Sample>,
    work_since_share: f64,
    minute: UnixTime,
    rates: MinuteRates,
    /// Shares to expect of the work since the last minute was over.
    expected_shares: f64,
    door: DoorNotes,
    arrivals: BTreeMap<IpAddr, Arrivals>,
}

#[derive(Debug)]
struct Worker {
    miner: Miner,
    joined: MonoTime,
    results: VecDeque<Sample>,
    health: Health,
    rates: MinuteRates,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: MonoTime,
    /// Sum of the difficulties, and of those of late results.
    work: f64,
    late_work: f64,
}

/// Rates seen during the present minute.
#[derive(Clone, Copy, Debug, Default)]
struct MinuteRates {
    count: u32,
    sum: f64,
    min: f64,
    max: f64,
}

impl MinuteRates {
    fn note(&mut self, rate: f64) {
        self.min = if self.count == 0 { rate } else { self.min.min(rate) };
        self.max = self.max.max(rate);
        self.sum += rate;
        self.count += 1;
    }

    /// The minute's point, if there was anything in it; then begins anew.
    fn take(&mut self, subject: &str, at: UnixTime) -> Option<SeriesPoint> {
        let Self { count, sum, min, max } = std::mem::take(self);
        (count > 0).then(|| point("hashrate", subject, at, (min, sum / f64::from(count), max)))
    }
}

fn point(name: &str, subject: &str, at: UnixTime, (min, avg, max): (f64, f64, f64)) -> SeriesPoint {
    let (name, subject) = (name.to_owned(), subject.to_owned());
    SeriesPoint { name, subject, step: Step::Minute, at, min, avg, max }
}

impl Stats {
    pub(crate) fn new(
        clock: Clock,
        counts: mpsc::Receiver<Count>,
        snapshot: watch::Sender<Arc<MinersSnapshot>>,
        events: broadcast::Sender<NodeEvent>,
        store: mpsc::Sender<StoreCommand>,
    ) -> Self {
        Self {
            clock,
            counts,
            snapshot,
            events,
            store,
            workers: BTreeMap::new(),
            late: VecDeque::new(),
            work_since_share: 0.0,
            minute: UnixTime::default(),
            rates: MinuteRates::default(),
            expected_shares: 0.0,
            door: DoorNotes::default(),
            arrivals: BTreeMap::new(),
        }
    }

    /// Counts until cancelled; publishes once a second.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                Some(count) = self.counts.recv() => self.take(self.clock.now(), count),
                _ = second.tick() => self.publish(self.clock.now()),
            }
        }
        self.record_expected(self.clock.now().wall);
    }

    fn take(&mut self, now: Now, count: Count) {
        match count {
            Count::Joined(joined) => self.join(now, joined),
            Count::Left { worker } => self.leave(now, &worker),
            Count::Results(results) => self.count(now, &results),
            Count::RefusedOutside { ip, at } => self.door.refused_outside = Some((ip, at)),
            Count::UnknownProtocol(unknown) => self.door.unknown_protocol = Some(unknown),
            Count::HelloSeen { at } => self.door.hello_seen_at = Some(at),
            Count::Share => self.work_since_share = 0.0,
        }
    }

    fn count(&mut self, now: Now, results: &Results) {
        let Results { accepted, late, rejected, work, late_work, .. } = *results;
        let sample = Sample { at: now.mono, work, late_work };
        if accepted > 0 {
            self.late.push_back(sample);
            if self.late.len() > RESULTS_MAX * 4 {
                self.late.pop_front();
            }
            self.work_since_share += work * HASHES_PER_DIFFICULTY;
            self.expected_shares += results.expected_shares;
        }
        if let Some(seen) = results.ip.and_then(|ip| self.arrivals.get_mut(&ip)) {
            seen.results += u64::from(accepted);
        }
        let Some(entry) = self.workers.get_mut(&results.worker) else { return };
        entry.miner.accepted += u64::from(accepted);
        entry.miner.late += u64::from(late);
        entry.miner.rejected += u64::from(rejected);
        entry.health.count(results);
        for (reason, count) in &results.reasons {
            *entry.miner.reasons.entry(reason.text()).or_default() += u64::from(*count);
        }
        if accepted > 0 {
            entry.miner.difficulty = Some(work / f64::from(accepted));
            entry.miner.last_result_at = Some(now.wall);
            entry.results.push_back(sample);
            if entry.results.len() > RESULTS_MAX {
                entry.results.pop_front();
            }
        }
    }

    fn join(&mut self, now: Now, joined: Joined) {
        let Joined { worker, user_agent, is_helper, ip, notices } = joined;
        self.forget_longest_away();
        if let Some(ip) = ip
            && (self.arrivals.len() < ARRIVALS_MAX || self.arrivals.contains_key(&ip))
        {
            self.arrivals.entry(ip).or_default().logins += 1;
        }
        let entry = self.workers.entry(worker.clone()).or_insert_with(|| Worker {
            miner: Miner {
                worker: worker.clone(),
                is_helper,
                connections: 0,
                user_agent: String::new(),
                hashrate_hps: 0.0,
                accepted: 0,
                late: 0,
                rejected: 0,
                reasons: BTreeMap::new(),
                difficulty: None,
                last_result_at: None,
                since: now.wall,
                ip,
                notices: Vec::new(),
            },
            joined: now.mono,
            results: VecDeque::new(),
            health: Health::default(),
            rates: MinuteRates::default(),
        });
        entry.miner.connections += 1;
        entry.miner.user_agent = user_agent;
        entry.miner.ip = ip;
        entry.health.standing = notices;
        if entry.miner.connections == 1 {
            entry.miner.since = now.wall;
            entry.joined = now.mono;
            entry.results.clear();
            self.event(now, NodeEventKind::MinerConnected { worker, is_helper });
        }
    }

    fn leave(&mut self, now: Now, worker: &str) {
        let Some(entry) = self.workers.get_mut(worker) else { return };
        entry.miner.connections = entry.miner.connections.saturating_sub(1);
        if entry.miner.connections == 0 {
            entry.miner.since = now.wall;
            entry.results.clear();
            let is_helper = entry.miner.is_helper;
            let worker = worker.to_owned();
            self.event(now, NodeEventKind::MinerLeft { worker, is_helper });
        }
    }

    fn forget_longest_away(&mut self) {
        if self.workers.len() < WORKERS_MAX {
            return;
        }
        let away = self.workers.iter().filter(|(_, worker)| worker.miner.connections == 0);
        if let Some(name) = away.min_by_key(|(_, w)| w.miner.since).map(|(name, _)| name.clone()) {
            self.workers.remove(&name);
        }
    }

    fn publish(&mut self, now: Now) {
        for worker in self.workers.values_mut() {
            let oldest = now.mono - RATE_WINDOW;
            while worker.results.front().is_some_and(|sample| sample.at < oldest) {
                worker.results.pop_front();
            }
            worker.miner.hashrate_hps = worker.rate(now.mono);
            worker.miner.notices = worker.health.notices(&worker.miner, now.wall);
        }
        while self.late.front().is_some_and(|sample| sample.at < now.mono - LATE_WINDOW) {
            self.late.pop_front();
        }
        let total: f64 = self.workers.values().map(|worker| worker.miner.hashrate_hps).sum();
        let snapshot = MinersSnapshot {
            miners: self.workers.values().map(|worker| worker.miner.clone()).collect(),
            hashrate_hps: total,
            work_since_share: self.work_since_share,
            late_part: self.late_part(),
            door: self.door.clone(),
            arrivals: self.arrivals.clone(),
        };
        self.snapshot.send_if_modified(|old| {
            let is_new = **old != snapshot;
            if is_new {
                *old = Arc::new(snapshot);
            }
            is_new
        });
        self.chart(now, total);
    }

    fn late_part(&self) -> Option<f64> {
        let all: f64 = self.late.iter().map(|sample| sample.work).sum();
        let late: f64 = self.late.iter().map(|sample| sample.late_work).sum();
        (all > 0.0).then(|| late / all)
    }

    /// One point a minute for the charts; a minute without miners leaves a gap.
    fn chart(&mut self, now: Now, total: f64) {
        let minute = Step::Minute.start_of(now.wall);
        if minute != self.minute {
            let points = self.points();
            self.minute = minute;
            self.record_expected(now.wall);
            // History may be lost; mining must not wait for it.
            if !points.is_empty() {
                let _ = self.store.try_send(StoreCommand::Series(points));
            }
        }
        let mut is_connected = false;
        for worker in self.workers.values_mut().filter(|worker| worker.miner.connections > 0) {
            is_connected = true;
            worker.rates.note(worker.miner.hashrate_hps);
        }
        if is_connected {
            self.rates.note(total);
        }
    }

    /// What does not go now goes with the next minute.
    fn record_expected(&mut self, at: UnixTime) {
        let shares = self.expected_shares;
        if shares > 0.0 && self.store.try_send(StoreCommand::Expected { at, shares }).is_ok() {
            self.expected_shares = 0.0;
        }
    }

    /// Points of the minute that is over: of all together, and of each name.
    fn points(&mut self) -> Vec<SeriesPoint> {
        let at = self.minute;
        let Some(whole) = self.rates.take("", at) else { return Vec::new() };
        let mut points = vec![whole];
        points.extend(self.late_part().map(|late| point("late", "", at, (late, late, late))));
        let workers = self.workers.iter_mut();
        let of_each = workers.filter_map(|(name, worker)| worker.rates.take(name, at));
        points.extend(of_each.take(CHARTED_MAX));
        points
    }

    fn event(&self, now: Now, kind: NodeEventKind) {
        // Nobody has to listen.
        let _ = self.events.send(NodeEvent { at: now.wall, kind });
    }
}

impl Worker {
    /// Accepted work over the time it took, hashes per second.
    fn rate(&self, now: MonoTime) -> f64 {
        if self.miner.connections == 0 {
            return 0.0;
        }
        let time = now.since(self.joined).min(RATE_WINDOW).max(RATE_WINDOW_MIN);
        let work: f64 = self.results.iter().map(|sample| sample.work).sum();
        work * HASHES_PER_DIFFICULTY / time.as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
