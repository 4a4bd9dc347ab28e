//! The node's root task: requests in, snapshots and events out, start to stop.

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{ChainSummary, Event};
use p2pool_store::EventRecord;
use serde_json::json;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bitcoin::BitcoinReaders;
use crate::clock::Clock;
use crate::cpu_miner::HelperLink;
use crate::driver::Control;
use crate::handle::NodeRequest;
use crate::p2p::state::P2pState;
use crate::state::{
    MinersSnapshot, NodeEvent, NodeEventKind, NodeSnapshot, StopReport, StorageState,
};
use crate::storage::StoreCommand;
use crate::supervise::{Ended, Tasks};

/// Time for each group of tasks to end, the whole staying below ten seconds.
const EDGES_WITHIN: Duration = Duration::from_secs(4);
const CORE_WITHIN: Duration = Duration::from_secs(2);
const STORAGE_WITHIN: Duration = Duration::from_secs(2);
const CHAIN_WITHIN: Duration = Duration::from_millis(1500);

/// The node's tasks, in the order in which they end.
#[derive(Debug)]
pub(crate) struct Groups {
    /// Miners, members, Bitcoin service, CPU miner, statistics.
    pub(crate) edges: Tasks,
    /// The driver.
    pub(crate) core: Tasks,
    /// The database's writer; ends when nobody can send to it any more.
    pub(crate) storage: Tasks,
    /// The practice chain.
    pub(crate) chain: Tasks,
}

impl Groups {
    pub(crate) fn new(whole: &CancellationToken) -> Self {
        let group = || Tasks::under(whole);
        Self { edges: group(), core: group(), storage: group(), chain: group() }
    }

    async fn next_ended(&mut self) -> Ended {
        tokio::select! {
            ended = self.edges.next_ended() => ended,
            ended = self.core.next_ended() => ended,
            ended = self.storage.next_ended() => ended,
            ended = self.chain.next_ended() => ended,
        }
    }
}

/// What the snapshot is made of.
#[derive(Debug)]
pub(crate) struct Watches {
    pub(crate) summary: watch::Receiver<Arc<ChainSummary>>,
    pub(crate) bitcoin: BitcoinReaders,
    pub(crate) miners: watch::Receiver<Arc<MinersSnapshot>>,
    pub(crate) helper: HelperLink,
    pub(crate) storage: watch::Receiver<StorageState>,
    pub(crate) p2p: watch::Receiver<Arc<P2pState>>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) clock: Clock,
    pub(crate) groups: Groups,
    pub(crate) requests: mpsc::Receiver<NodeRequest>,
    pub(crate) snapshots: watch::Sender<Arc<NodeSnapshot>>,
    pub(crate) events: broadcast::Sender<NodeEvent>,
    pub(crate) engine_events: mpsc::Receiver<Event>,
    pub(crate) control: mpsc::Sender<Control>,
    pub(crate) store: Option<mpsc::Sender<StoreCommand>>,
    pub(crate) mining: watch::Sender<bool>,
    pub(crate) watches: Watches,
}

impl Root {
    /// Runs until asked to stop, until the handle is gone, or until an essential task has ended.
    pub(crate) async fn run(mut self) {
        let mut heard = self.events.subscribe();
        let reply = loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(NodeRequest::SetMining(is_mining)) => self.set_mining(is_mining).await,
                    Some(NodeRequest::SetHelper(settings)) => {
                        self.watches.helper.wishes.send_replace(settings);
                    }
                    Some(NodeRequest::Stop(reply)) => break Some(reply),
                    None => break None,
                },
                Some(event) = self.engine_events.recv() => {
                    self.event(NodeEventKind::Chain(event));
                }
                Ok(event) = heard.recv() => self.keep(&event),
                Ok(()) = self.watches.summary.changed() => self.update(),
                Ok(()) = self.watches.miners.changed() => self.update(),
                Ok(()) = self.watches.p2p.changed() => self.update(),
                Ok(()) = self.watches.bitcoin.details.changed() => self.update(),
                Ok(()) = self.watches.bitcoin.state.changed() => {
                    let state = self.watches.bitcoin.state.borrow_and_update().clone();
                    let is_known = same_kind(&state, &self.snapshots.borrow().bitcoin);
                    self.event_unless(is_known, NodeEventKind::Bitcoin(state));
                    self.update();
                }
                Ok(()) = self.watches.helper.state.changed() => {
                    let state = self.watches.helper.state.borrow_and_update().clone();
                    let is_known = same_kind(&state, &self.snapshots.borrow().helper);
                    self.event_unless(is_known, NodeEventKind::Helper(state));
                    self.update();
                }
                Ok(()) = self.watches.storage.changed() => {
                    let state = self.watches.storage.borrow_and_update().clone();
                    self.event(NodeEventKind::Storage(state));
                    self.update();
                }
                ended = self.groups.next_ended() => if self.is_fatal(&ended) {
                    break None;
                },
            }
        };
        self.stop(reply).await;
    }

    async fn set_mining(&mut self, is_mining: bool) {
        if *self.mining.borrow() == is_mining {
            return;
        }
        self.mining.send_replace(is_mining);
        // A driver that is gone is noticed by the loop.
        let _ = self.control.send(Control::SetMining(is_mining)).await;
        let kind =
            if is_mining { NodeEventKind::MiningStarted } else { NodeEventKind::MiningPaused };
        self.event(kind);
        self.update();
    }

    /// Makes the newest snapshot from the newest parts.
    fn update(&mut self) {
        let mut snapshot = NodeSnapshot::clone(&self.snapshots.borrow());
        snapshot.is_mining = *self.mining.borrow();
        snapshot.summary = Arc::clone(&self.watches.summary.borrow_and_update());
        snapshot.p2p = Arc::clone(&self.watches.p2p.borrow_and_update());
        snapshot.bitcoin = self.watches.bitcoin.state.borrow_and_update().clone();
        snapshot.bitcoin_details = Arc::clone(&self.watches.bitcoin.details.borrow_and_update());
        snapshot.miners = Arc::clone(&self.watches.miners.borrow_and_update());
        snapshot.helper = self.watches.helper.state.borrow_and_update().clone();
        snapshot.storage = self.watches.storage.borrow_and_update().clone();
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    fn event(&self, kind: NodeEventKind) {
        // Nobody has to listen; the root itself does, for the history.
        let _ = self.events.send(NodeEvent { at: self.clock.now().wall, kind });
    }

    /// Tells of a state, unless one of the same kind is known already.
    fn event_unless(&self, is_known: bool, kind: NodeEventKind) {
        if !is_known {
            self.event(kind);
        }
    }

    /// Puts an event into the history.
    fn keep(&self, event: &NodeEvent) {
        if let Some(store) = &self.store {
            // History may be lost; mining must not wait for it.
            let _ = store.try_send(StoreCommand::Events(vec![record(event)]));
        }
    }

    /// Whether the node cannot go on without the task that ended.
    fn is_fatal(&mut self, ended: &Ended) -> bool {
        if let Some(panic) = &ended.panic {
            tracing::error!(task = ended.name, panic, "task failed");
        }
        let is_fatal = matches!(ended.name, "driver" | "storage" | "practice chain");
        if is_fatal {
            let words = ended.panic.as_deref().unwrap_or("it ended");
            let failure = format!("{}: {words}", ended.name);
            let mut snapshot = NodeSnapshot::clone(&self.snapshots.borrow());
            snapshot.failure = Some(failure);
            self.snapshots.send_replace(Arc::new(snapshot));
        }
        is_fatal
    }

    /// Ends everything in order: doors, driver, database, chain.
    async fn stop(self, reply: Option<oneshot::Sender<StopReport>>) {
        let Self { groups, store, engine_events, control, .. } = self;
        let started = Instant::now();
        let mut late = groups.edges.finish(EDGES_WITHIN).await;
        late.extend(groups.core.finish(CORE_WITHIN).await);
        // The writer ends once nobody can send to it any more.
        drop((store, control, engine_events));
        late.extend(groups.storage.finish(STORAGE_WITHIN).await);
        late.extend(groups.chain.finish(CHAIN_WITHIN).await);
        for name in &late {
            tracing::warn!(task = name, "did not end in time");
        }
        if let Some(reply) = reply {
            // Who asked may have gone.
            let _ = reply.send(StopReport { took: started.elapsed(), late });
        }
    }
}

fn same_kind<T>(a: &T, b: &T) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// An event as the history keeps it.
pub(crate) fn record(event: &NodeEvent) -> EventRecord {
    let (kind, data) = match &event.kind {
        NodeEventKind::Chain(event) => chain_record(event),
        NodeEventKind::MinerConnected { worker, is_helper } => {
            ("miner_connected", json!({ "worker": worker, "is_helper": is_helper }))
        }
        NodeEventKind::MinerLeft { worker, is_helper } => {
            ("miner_left", json!({ "worker": worker, "is_helper": is_helper }))
        }
        NodeEventKind::MemberJoined { address } => {
            ("member_joined", json!({ "address": address.to_string() }))
        }
        NodeEventKind::MemberLeft { address } => {
            ("member_left", json!({ "address": address.to_string() }))
        }
        NodeEventKind::Helper(state) => ("helper", json!({ "state": format!("{state:?}") })),
        NodeEventKind::Bitcoin(state) => ("bitcoin", json!({ "state": format!("{state:?}") })),
        NodeEventKind::Storage(state) => ("storage", json!({ "state": format!("{state:?}") })),
        NodeEventKind::MiningStarted => ("mining_started", json!({})),
        NodeEventKind::MiningPaused => ("mining_paused", json!({})),
        NodeEventKind::DatabaseReplaced { old } => {
            ("database_replaced", json!({ "old": old.display().to_string() }))
        }
    };
    EventRecord { at: event.at, kind: kind.to_owned(), json: data.to_string() }
}

fn chain_record(event: &Event) -> (&'static str, serde_json::Value) {
    match event {
        Event::BestShare { hash, height, is_own } => {
            ("best_share", json!({ "hash": hash.to_string(), "height": height, "is_own": is_own }))
        }
        Event::ShareFound { hash, worker, is_on_time } => (
            "share_found",
            json!({ "hash": hash.to_string(), "worker": worker, "is_on_time": is_on_time }),
        ),
        Event::BlockFound { hash, height, is_own } => {
            ("block_found", json!({ "hash": hash.to_string(), "height": height, "is_own": is_own }))
        }
        Event::BlockAccepted { hash, height } => {
            ("block_accepted", json!({ "hash": hash.to_string(), "height": height }))
        }
        Event::BlockRejected { hash, reason } => {
            ("block_rejected", json!({ "hash": hash.to_string(), "reason": reason }))
        }
        Event::BlockReplaced { hash } => ("block_replaced", json!({ "hash": hash.to_string() })),
        Event::StorageSlow => ("storage_slow", json!({})),
    }
}
