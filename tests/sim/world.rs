//! One network: virtual time, the events to come, and everybody who takes part.

mod bitcoin;
pub(crate) mod carry_out;
mod churn;
pub(crate) mod connection;
mod disk;
mod history;
mod judge;
mod measure;
pub(crate) mod miner;
mod net;
mod node;
mod peering;
mod pump;
mod scenario;
pub(crate) mod strangers;
mod trace;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use p2pool_engine::{Input, PeerId};
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::{CheckedShare, Hash32, Params, ShareHash};
use p2pool_wire::peering::{Departure, Host};

use connection::{Connection, ConnectionId, Side, Who};
pub(crate) use measure::{Fates, Measure, quantile};
pub(crate) use node::{End, Node};
pub(crate) use scenario::{START_WALL, Scenario};

/// Monotonic clocks start here, so that nothing is earlier than their beginning.
pub(crate) const START_MONO: Duration = Duration::from_secs(1_000);

/// Something that will happen.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The engine asked to be woken.
    Wake { node: usize, at: MonoTime },
    /// A session's timer.
    SessionWake { connection: ConnectionId, side: Side },
    /// Bytes reach the other end.
    Deliver { connection: ConnectionId, from: Side },
    /// A node's peering wants to be woken.
    PeeringWake { node: usize, at: MonoTime },
    /// A name server answers.
    Resolved { node: usize, incarnation: u32, host: Host },
    /// A node's attempt to connect has come through, or has failed.
    Dialled { node: usize, incarnation: u32, peer: PeerId, target: Option<Who> },
    /// A stranger's attempt to connect has come through.
    StrangerDials { who: Who, node: Who },
    /// A stranger may do something.
    StrangerActs { who: Who },
    /// The disk has written up to a change set.
    Written { node: usize, incarnation: u32 },
    /// New work reaches a miner.
    Job { node: usize, sequence: u64 },
    /// A miner finds a share.
    Find { node: usize, generation: u64 },
    /// A find reaches its node.
    Solved { node: usize, find: Box<miner::Find> },
    /// Somebody outside of the pool finds a Bitcoin block.
    OutsideBlock,
    /// A Bitcoin node hears of a block.
    BlockArrives { node: usize, block: Hash32 },
    /// A Bitcoin node has newer transactions.
    Refresh { node: usize, generation: u64 },
    /// A Bitcoin node looks at the blocks that were handed in.
    TakeBlocks { node: usize, generation: u64 },
    /// A Bitcoin node answers where a block stands.
    HeightFound { node: usize, incarnation: u32, block: Hash32 },
    /// A Bitcoin node answers with its tip's header.
    TipFound { node: usize, incarnation: u32, block: Hash32 },
    /// A Bitcoin node is asked for a template out of turn.
    Nudge { node: usize, generation: u64 },
    /// A Bitcoin node has been silent for too long.
    TemplateLost { node: usize, generation: u64 },
}

#[derive(Debug)]
struct Entry {
    at: Duration,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// See the module's documentation.
pub(crate) struct World {
    /// Virtual time since the beginning.
    pub(crate) now: Duration,
    pub(crate) params: Arc<Params>,
    pub(crate) scenario: Scenario,
    pub(crate) nodes: Vec<Node>,
    pub(crate) bitcoin: bitcoin::Bitcoin,
    pub(crate) measure: Measure,
    pub(crate) faults: Vec<judge::Fault>,
    /// What nodes hold against strangers.
    pub(crate) complaints: Vec<judge::Fault>,
    pub(crate) forge: strangers::Forge,
    strangers: Vec<strangers::Stranger>,
    by_address: BTreeMap<SocketAddr, Who>,
    trace: trace::Trace,
    net: net::Net,
    rng: Rng,
    queue: BinaryHeap<Reverse<Entry>>,
    next_number: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: ConnectionId,
    /// Ends of connections that may have something to do.
    ready: BTreeSet<(ConnectionId, Side)>,
}

impl World {
    /// A network about to start: every node up, with the common history on its disk.
    pub(crate) fn new(scenario: Scenario) -> Self {
        eprintln!("simulation with seed {}", scenario.seed);
        let mut rng = Rng::with_seed(scenario.seed);
        let params = Arc::new(scenario.params());
        let history = history::mine(&params, &scenario);
        let mut world = Self {
            now: Duration::ZERO,
            nodes: (0..scenario.nodes)
                .map(|number| Node::new(number, &scenario, &mut rng))
                .collect(),
            bitcoin: bitcoin::Bitcoin::new(&scenario, rng.fork()),
            measure: Measure::default(),
            faults: Vec::new(),
            complaints: Vec::new(),
            forge: strangers::Forge::new(&params, scenario.bits),
            strangers: Vec::new(),
            by_address: BTreeMap::new(),
            trace: trace::Trace::new(scenario.seed),
            net: net::Net::new(&scenario, &mut rng),
            rng,
            queue: BinaryHeap::new(),
            next_number: 0,
            connections: BTreeMap::new(),
            next_connection: 0,
            ready: BTreeSet::new(),
            params,
            scenario,
        };
        for node in &mut world.nodes {
            node.disk.fill(&history);
        }
        for share in &history {
            let share = CheckedShare::parse(&share.raw, &world.params).expect("it was checked");
            world.forge.learn(Arc::new(share));
        }
        let addresses = world.nodes.iter().map(|node| node.address).zip(0..);
        world.by_address.extend(addresses);
        for node in 0..world.nodes.len() {
            world.start(node);
        }
        world.expect_outside_block();
        world
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.queue.peek().is_some_and(|Reverse(entry)| entry.at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until `is_done`, at most for `limit`; says whether it was.
    pub(crate) fn run_until(&mut self, limit: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !is_done(self) {
            if self.now >= end {
                return false;
            }
            self.run_for(Duration::from_secs(1).min(end - self.now));
        }
        true
    }

    /// A number that differs as soon as one step of two runs does.
    pub(crate) fn digest(&self) -> u64 {
        let mut trace = self.trace.clone();
        trace.mix(format!("{:?} {:?}", self.bests(), self.measure).as_bytes());
        trace.digest()
    }

    fn step(&mut self) {
        let Some(Reverse(entry)) = self.queue.pop() else { return };
        assert!(entry.at >= self.now, "time goes forward");
        self.now = entry.at;
        self.trace.note(entry.at, &entry.event);
        self.happen(entry.event);
        while let Some((connection, side)) = self.ready.pop_first() {
            self.pump(connection, side);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake { node, at } => {
                if self.nodes[node].run.as_ref().is_some_and(|run| run.wake == at) {
                    self.give(node, Input::Wake);
                }
            }
            Event::SessionWake { connection, side } => self.session_wake(connection, side),
            Event::Deliver { connection, from } => self.deliver(connection, from),
            Event::PeeringWake { node, at } => self.peering_wake(node, at),
            Event::Resolved { node, incarnation, host } => self.resolved(node, incarnation, host),
            Event::Dialled { node, incarnation, peer, target } => {
                self.dialled(node, incarnation, peer, target);
            }
            Event::StrangerDials { who, node } => self.stranger_dials(who, node),
            Event::StrangerActs { who } => self.stranger_acts(who),
            Event::Written { node, incarnation } => self.written(node, incarnation),
            Event::Job { node, sequence } => self.job_arrives(node, sequence),
            Event::Find { node, generation } => self.miner_finds(node, generation),
            Event::Solved { node, find } => self.find_arrives(node, *find),
            Event::OutsideBlock => self.outside_block(),
            Event::BlockArrives { node, block } => self.block_arrives(node, block),
            Event::Refresh { node, generation } => self.refresh(node, generation),
            Event::TakeBlocks { node, generation } => self.blocks_handed_in(node, generation),
            Event::HeightFound { node, incarnation, block } => {
                self.height_found(node, incarnation, block);
            }
            Event::TipFound { node, incarnation, block } => {
                self.tip_found(node, incarnation, block);
            }
            Event::Nudge { node, generation } => self.nudged(node, generation),
            Event::TemplateLost { node, generation } => self.template_lost(node, generation),
        }
    }

    fn at(&mut self, at: Duration, event: Event) {
        let number = self.next_number;
        self.next_number += 1;
        self.queue.push(Reverse(Entry { at: at.max(self.now), number, event }));
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.at(self.now + delay, event);
    }

    /// The best share of every node that is up.
    pub(crate) fn bests(&self) -> Vec<Option<ShareHash>> {
        self.engines().map(|engine| engine.best()).collect()
    }

    /// The engines of all nodes that are up.
    pub(crate) fn engines(&self) -> impl Iterator<Item = &p2pool_engine::Engine> + '_ {
        self.nodes.iter().filter_map(|node| node.run.as_ref()).map(|run| &run.engine)
    }

    /// Miners rest; within a bound all nodes build on the same share, and everything is in order.
    pub(crate) fn settle(&mut self, within: Duration) {
        self.stop_miners();
        let is_settled = self.run_until(within, Self::agrees);
        assert!(is_settled, "no agreement:\n{}", self.describe());
        self.judge_disks();
        self.judge_bans();
    }

    /// Whether all nodes that are up build on the same share.
    pub(crate) fn agrees(&self) -> bool {
        let bests = self.bests();
        bests.first().is_some_and(Option::is_some) && bests.iter().all(|best| *best == bests[0])
    }
}
