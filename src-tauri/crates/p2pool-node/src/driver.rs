//! The loop that feeds an engine and carries out its outputs, on a thread of its own.
//!
//! It takes inputs by worth: finds, work, timers, storage, peers. It never waits for anyone.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{ChainSummary, Engine, Event, Input, Output, PeerId, Served, Solved};
use p2pool_sharechain::change::ChangeSet;
use p2pool_sharechain::template::TemplateBase;
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_wire::Services;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::bitcoin::BitcoinCommand;
use crate::clock::Clock;
use crate::p2p::PeerCommand;
use crate::storage::StoreCommand;

/// Finds are rare; results that are none stay in their sessions.
const SOLVED_QUEUE: usize = 64;
/// Work, block results, requests.
const CONTROL_QUEUE: usize = 64;
/// Shares from peers; a full queue makes peers wait.
const PEERS_QUEUE: usize = 256;
/// Readers get a new summary at most this often.
const SUMMARY_EVERY: Duration = Duration::from_millis(250);
/// Changes waiting in memory while storage is slow; beyond, peers wait.
const UNSTORED_SHARES_MAX: usize = 50_000;

/// What a driver hears besides miners' finds.
#[derive(Debug)]
pub(crate) enum Control {
    /// For the engine.
    Engine(Input),
    /// Whether work is published.
    SetMining(bool),
    /// Something to be computed from the engine, for a page.
    Look(Look),
}

/// What somebody wants to know of the engine. It takes a millisecond or so, like a step.
pub(crate) struct Look(pub(crate) Box<dyn FnOnce(&mut Engine) + Send>);

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

/// What a driver hears from a peer's task.
#[derive(Debug)]
pub(crate) enum FromPeer {
    /// A handshake is done.
    Joined {
        peer: PeerId,
        best_share: Option<p2pool_sharechain::ShareHash>,
        services: Services,
        commands: mpsc::Sender<PeerCommand>,
    },
    /// For the engine.
    Engine(Input),
}

/// The ends of a driver's channels that everybody else holds.
#[derive(Clone, Debug)]
pub(crate) struct DriverHandle {
    pub(crate) solved: mpsc::Sender<Solved>,
    pub(crate) control: mpsc::Sender<Control>,
    pub(crate) peers: mpsc::Sender<FromPeer>,
    pub(crate) work: watch::Receiver<Option<Arc<TemplateBase>>>,
    pub(crate) summary: watch::Receiver<Arc<ChainSummary>>,
    /// What peers may ask for.
    pub(crate) served: watch::Receiver<Served>,
}

/// Where a driver's outputs go.
#[derive(Debug)]
pub(crate) struct Sinks {
    /// `None`: nothing is stored, and everything counts as stored at once.
    pub(crate) store: Option<mpsc::Sender<StoreCommand>>,
    /// Newest change set that storage has written.
    pub(crate) persisted: watch::Receiver<u64>,
    pub(crate) bitcoin: mpsc::Sender<BitcoinCommand>,
    pub(crate) events: mpsc::Sender<Event>,
}

/// The ends that the loop itself holds.
#[derive(Debug)]
struct Intake {
    solved: mpsc::Receiver<Solved>,
    control: mpsc::Receiver<Control>,
    peers: mpsc::Receiver<FromPeer>,
}

/// A driver before its thread starts.
#[derive(Debug)]
pub(crate) struct Driver {
    engine: Engine,
    clock: Clock,
    sinks: Sinks,
    intake: Intake,
    work: watch::Sender<Option<Arc<TemplateBase>>>,
    summary: watch::Sender<Arc<ChainSummary>>,
    served: watch::Sender<Served>,
    /// Work as the engine wants it; published only while mining.
    newest: Option<Arc<TemplateBase>>,
    is_mining: bool,
    peers: BTreeMap<PeerId, mpsc::Sender<PeerCommand>>,
    wake: MonoTime,
    unstored: Option<(u64, ChangeSet)>,
    unsent: VecDeque<BitcoinCommand>,
    is_summary_old: bool,
    next_summary: MonoTime,
    /// Tenths of the votes for an unknown share type that were reported; below zero for none.
    reported_votes: f64,
}

impl Driver {
    pub(crate) fn new(
        engine: Engine,
        clock: Clock,
        sinks: Sinks,
        is_mining: bool,
    ) -> (Self, DriverHandle) {
        let (solved_sender, solved) = mpsc::channel(SOLVED_QUEUE);
        let (control_sender, control) = mpsc::channel(CONTROL_QUEUE);
        let (peers_sender, peers) = mpsc::channel(PEERS_QUEUE);
        let (work, work_reader) = watch::channel(None);
        let (summary, summary_reader) = watch::channel(Arc::default());
        let (served, served_reader) = watch::channel(Served::default());
        let handle = DriverHandle {
            solved: solved_sender,
            control: control_sender,
            peers: peers_sender,
            work: work_reader,
            summary: summary_reader,
            served: served_reader,
        };
        let driver = Self {
            engine,
            clock,
            sinks,
            intake: Intake { solved, control, peers },
            work,
            summary,
            served,
            newest: None,
            is_mining,
            peers: BTreeMap::new(),
            wake: MonoTime::ZERO,
            unstored: None,
            unsent: VecDeque::new(),
            is_summary_old: true,
            next_summary: MonoTime::ZERO,
            reported_votes: -1.0,
        };
        (driver, handle)
    }

    /// Runs on the calling thread until cancelled, then hands the last changes to storage.
    pub(crate) fn run(mut self, runtime: &Handle, token: &CancellationToken) {
        runtime.block_on(async {
            while let Some(step) = self.next_step(token).await {
                self.take(step);
                self.carry_out_all();
                self.catch_up();
            }
            self.hand_over_rest().await;
        });
    }

    async fn next_step(&mut self, token: &CancellationToken) -> Option<Step> {
        let is_full =
            self.unstored.as_ref().is_some_and(|(_, rest)| rest.added.len() > UNSTORED_SHARES_MAX);
        let mut wake = self.wake;
        if self.is_summary_old {
            wake = wake.min(self.next_summary);
        }
        let intake = &mut self.intake;
        let step = tokio::select! {
            biased;
            () = token.cancelled() => return None,
            Some(solved) = intake.solved.recv() => Step::Solved(solved),
            Some(control) = intake.control.recv() => Step::Control(control),
            () = tokio::time::sleep_until(self.clock.instant(wake)) => Step::Wake,
            Ok(()) = self.sinks.persisted.changed() => Step::Persisted,
            Some(input) = intake.peers.recv(), if !is_full => Step::Peer(input),
        };
        Some(step)
    }

    fn take(&mut self, step: Step) {
        let now = self.clock.now();
        let input = match step {
            Step::Solved(solved) => Input::Solved(Box::new(solved)),
            Step::Control(Control::Engine(input)) | Step::Peer(FromPeer::Engine(input)) => input,
            Step::Control(Control::Look(Look(look))) => return look(&mut self.engine),
            Step::Control(Control::SetMining(is_mining)) => {
                self.is_mining = is_mining;
                self.publish();
                return;
            }
            Step::Peer(FromPeer::Joined { peer, best_share, services, commands }) => {
                self.peers.insert(peer, commands);
                Input::PeerJoined { peer, best_share, services }
            }
            Step::Persisted => Input::Persisted { sequence: *self.sinks.persisted.borrow() },
            Step::Wake => Input::Wake,
        };
        if let Input::PeerLeft { peer } = &input {
            self.peers.remove(peer);
        }
        self.is_summary_old |= !matches!(input, Input::Wake | Input::Persisted { .. });
        self.engine.handle(now, input);
    }

    fn carry_out_all(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::SendShares { peer, shares } => self.tell(peer, PeerCommand::Shares(shares)),
            Output::RequestShares { peer, request, hashes, parents, stops } => {
                self.tell(peer, PeerCommand::Request { request, hashes, parents, stops });
            }
            Output::AnnounceShares { peer, hashes } => {
                self.tell(peer, PeerCommand::Announce(hashes));
            }
            Output::SendBestBlock { peer, header } => {
                self.tell(peer, PeerCommand::BestBlock(header));
            }
            Output::SendCompactBlock { peer, block } => {
                self.tell(peer, PeerCommand::CompactBlock(block));
            }
            Output::RequestBlockTxn { peer, request } => {
                self.tell(peer, PeerCommand::RequestBlockTxn(request));
            }
            Output::SendBlockTxn { peer, transactions } => {
                self.tell(peer, PeerCommand::BlockTxn(transactions));
            }
            Output::DropPeer { peer, is_ban, reason } => {
                tracing::debug!(peer, is_ban, ?reason, "peer dropped");
                self.drop_peer(peer, is_ban);
            }
            Output::Persist { sequence, changes } => self.store(sequence, changes),
            Output::Publish(base) => {
                self.newest = base;
                self.is_summary_old = true;
                self.publish();
            }
            Output::SubmitBlock { hash, raw } => {
                self.unsent.push_back(BitcoinCommand::Submit { hash, raw });
            }
            Output::WatchBlock { hash } => {
                self.unsent.push_back(BitcoinCommand::Watch { hash });
            }
            Output::LookUpHeight { block } => {
                self.unsent.push_back(BitcoinCommand::LookUpHeight { block });
            }
            Output::LookUpTip { block } => {
                self.unsent.push_back(BitcoinCommand::LookUpTip { block });
            }
            Output::RefreshTemplate => self.unsent.push_back(BitcoinCommand::RefreshTemplate),
            Output::WakeAt(at) => self.wake = at,
            Output::Event(event) => {
                self.is_summary_old = true;
                // Readers that are behind look at the snapshot instead.
                let _ = self.sinks.events.try_send(event);
            }
        }
    }

    /// A peer that cannot keep up, or is gone, is let go: its task ends with its channel.
    fn tell(&mut self, peer: PeerId, command: PeerCommand) {
        let Some(commands) = self.peers.get(&peer) else { return };
        if commands.try_send(command).is_err() {
            tracing::debug!(peer, "peer does not keep up");
            self.peers.remove(&peer);
        }
    }

    /// Tells a peer's task why it ends, if there is room; without the channel it ends anyway.
    fn drop_peer(&mut self, peer: PeerId, is_ban: bool) {
        if let Some(commands) = self.peers.remove(&peer) {
            let _ = commands.try_send(PeerCommand::Drop { is_ban });
        }
    }

    fn publish(&mut self) {
        let work = self.newest.clone().filter(|_| self.is_mining);
        self.work.send_replace(work);
    }

    fn store(&mut self, sequence: u64, changes: ChangeSet) {
        match &mut self.unstored {
            Some((newest, rest)) => {
                *newest = sequence;
                rest.merge(changes);
            }
            None => self.unstored = Some((sequence, changes)),
        }
    }

    /// Sends on what storage and the Bitcoin service have room for, and a summary if it is time.
    fn catch_up(&mut self) {
        while let Some(command) = self.unsent.pop_front() {
            if let Err(error) = self.sinks.bitcoin.try_send(command) {
                if let mpsc::error::TrySendError::Full(command) = error {
                    self.unsent.push_front(command);
                }
                break;
            }
        }
        if let Some((sequence, changes)) = self.unstored.take() {
            self.unstored = self.send_changes(sequence, changes);
        }
        self.served.send_if_modified(|served| {
            let is_new = served.revision() != self.engine.served().revision();
            if is_new {
                *served = self.engine.served().clone();
            }
            is_new
        });
        let now = self.clock.now().mono;
        if self.is_summary_old && now >= self.next_summary {
            self.is_summary_old = false;
            self.next_summary = now + SUMMARY_EVERY;
            let summary = self.engine.summary();
            self.report_votes(&summary);
            self.summary.send_replace(Arc::new(summary));
        }
    }

    /// Says once for every ten percent that the pool moves to a share type unknown here.
    fn report_votes(&mut self, summary: &ChainSummary) {
        let Some(vote) = &summary.unsupported_vote else { return };
        let percent = (vote.part * 100.0).round();
        let step = (vote.part * 10.0).floor();
        if step > self.reported_votes {
            self.reported_votes = step;
            let (voted, known) = (vote.version, ShareVersion::NEWEST.number());
            tracing::warn!(
                "{percent} % of the window votes for share version {voted}, this version knows {known}"
            );
        }
    }

    fn send_changes(&mut self, sequence: u64, changes: ChangeSet) -> Option<(u64, ChangeSet)> {
        let Some(store) = &self.sinks.store else {
            let now = self.clock.now();
            self.engine.handle(now, Input::Persisted { sequence });
            self.carry_out_all();
            return self.unstored.take();
        };
        match store.try_send(StoreCommand::Changes { sequence, changes }) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
            Err(mpsc::error::TrySendError::Full(command)) => match command {
                StoreCommand::Changes { sequence, changes } => Some((sequence, changes)),
                StoreCommand::Series(_)
                | StoreCommand::Expected { .. }
                | StoreCommand::Events(_)
                | StoreCommand::Peers { .. }
                | StoreCommand::Ban(_) => None,
            },
        }
    }

    /// The end: what storage has not got yet goes there, with patience.
    async fn hand_over_rest(&mut self) {
        let (Some((sequence, changes)), Some(store)) = (self.unstored.take(), &self.sinks.store)
        else {
            return;
        };
        // A closed storage has reported its own end.
        let _ = store.send(StoreCommand::Changes { sequence, changes }).await;
    }
}

enum Step {
    Solved(Solved),
    Control(Control),
    Wake,
    Persisted,
    Peer(FromPeer),
}
