//! Connections between two ends, as TCP gives them: in order, slow, bounded, sometimes broken.

use std::collections::VecDeque;
use std::time::Duration;

use p2pool_engine::PeerId;
use p2pool_wire::{Message, Services, Session, SessionConfig};

use super::node::{REDIAL_FIRST, REDIAL_MAX};
use super::{Event, World};

/// Names a connection.
pub(crate) type ConnectionId = u64;

/// Which end: 0 dialled, 1 accepted.
pub(crate) type Side = usize;

/// Bytes that the network and both sockets take before a writer has to wait.
const WINDOW_BYTES: usize = 256 << 10;
/// Messages to one peer under way.
const COMMANDS_MAX: usize = 64;
/// Connections that a node takes in.
const INCOMING_MAX: usize = 40;
/// An attempt to connect that nobody answers ends after this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// When a cut heals, what was under way is sent again within this time.
const RESEND_WITHIN: Duration = Duration::from_secs(20);

/// Who is at an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An honest node.
    Node(usize),
}

/// See the module's documentation.
pub(crate) struct Connection {
    pub(crate) ends: [End; 2],
    /// What each end has sent.
    pub(crate) pipes: [Pipe; 2],
}

/// One end.
pub(crate) struct End {
    pub(crate) owner: Owner,
    pub(crate) session: Session,
    /// Number of the other end, in the engine.
    pub(crate) peer: PeerId,
    /// Random number of the other end's process, once the handshake is done.
    pub(crate) joined: Option<u64>,
    pub(crate) commands: VecDeque<Message>,
    /// What the session wants written and the network does not take yet.
    pub(crate) unwritten: VecDeque<Vec<u8>>,
    pub(crate) blocked_since: Option<Duration>,
    /// Bytes that have arrived and were not read.
    pub(crate) arrived: Vec<u8>,
    /// The other end will send no more.
    pub(crate) is_finished: bool,
    /// To be closed at the next occasion.
    pub(crate) is_doomed: bool,
    pub(crate) is_open: bool,
    /// When the session's timer was set to go off.
    pub(crate) wake: Option<Duration>,
}

/// One direction.
#[derive(Default)]
pub(crate) struct Pipe {
    in_flight: VecDeque<Segment>,
    bytes: usize,
    last_at: Duration,
}

struct Segment {
    at: Duration,
    /// `None`: the end.
    bytes: Option<Vec<u8>>,
}

impl Connection {
    fn cost(&self, from: Side) -> usize {
        self.pipes[from].bytes + self.ends[1 - from].arrived.len()
    }

    /// Whether the network takes more from this end.
    pub(crate) fn takes_more(&self, from: Side) -> bool {
        self.cost(from) < WINDOW_BYTES
    }
}

impl Owner {
    /// Its number on the map.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Node(number) => number,
        }
    }
}

/// What a node says that it understands.
fn node_services(is_low_bandwidth: bool) -> Services {
    let all = Services::COMPACT_BLOCKS | Services::SHARE_HASHES;
    if is_low_bandwidth { all | Services::WANTS_SHARE_HASHES } else { all }
}

impl World {
    pub(super) fn dial(&mut self, node: usize, incarnation: u32, target: usize) {
        if !self.is_run(node, incarnation) {
            return;
        }
        let there = self.net.latency(node, target);
        let answers = self.nodes[target].is_up() && !self.net.is_cut(node, target);
        let takes = if answers { there * 2 } else { CONNECT_WITHIN };
        self.after(takes, Event::Dialled { node, incarnation, target });
    }

    pub(super) fn dialled(&mut self, node: usize, incarnation: u32, target: usize) {
        if !self.is_run(node, incarnation) {
            return;
        }
        let is_reached = self.nodes[target].is_up() && !self.net.is_cut(node, target);
        let accepted = self.connections.values().filter(|connection| {
            connection.ends[1].owner == Owner::Node(target) && connection.ends[1].is_open
        });
        if !is_reached || accepted.count() >= INCOMING_MAX {
            self.dial_again(node, target);
            return;
        }
        self.connect(Owner::Node(node), Owner::Node(target));
    }

    fn is_run(&self, node: usize, incarnation: u32) -> bool {
        self.nodes[node].is_up() && self.nodes[node].incarnation == incarnation
    }

    /// After a pause a node tries again to reach a neighbour.
    pub(super) fn dial_again(&mut self, node: usize, target: usize) {
        let incarnation = self.nodes[node].incarnation;
        let Some(pause) = self.nodes[node].neighbours.get_mut(&target) else { return };
        let jittered = pause.mul_f64(0.5 + self.rng.f64());
        *pause = (*pause * 2).min(REDIAL_MAX);
        self.after(jittered, Event::Dial { node, incarnation, target });
    }

    fn connect(&mut self, dialler: Owner, listener: Owner) {
        let id = self.next_connection;
        self.next_connection += 1;
        let ends = [self.end(dialler, listener), self.end(listener, dialler)];
        let pipes = [Pipe::default(), Pipe::default()];
        self.connections.insert(id, Connection { ends, pipes });
        self.ready.extend([(id, 0), (id, 1)]);
    }

    fn end(&mut self, owner: Owner, other: Owner) -> End {
        let Owner::Node(number) = owner;
        let seed = self.rng.u64(..);
        let mono = self.clock(number).mono;
        let Owner::Node(other) = other;
        let peer_addr = self.nodes[other].address;
        let node = &mut self.nodes[number];
        let is_low_bandwidth = node.is_low_bandwidth;
        let run = node.run.as_mut().expect("only nodes that are up connect");
        let peer = run.next_peer;
        run.next_peer += 1;
        let config = SessionConfig {
            prefix: self.params.prefix,
            version_min: p2pool_wire::session::PROTOCOL_VERSION_MIN,
            nonce: run.nonce,
            sub_version: "simulated".to_owned(),
            best_share: run.engine.best(),
            services: node_services(is_low_bandwidth),
            own_addr: node.address,
            peer_addr,
            seed,
        };
        End {
            owner,
            session: Session::new(config, mono),
            peer,
            joined: None,
            commands: VecDeque::new(),
            unwritten: VecDeque::new(),
            blocked_since: None,
            arrived: Vec::new(),
            is_finished: false,
            is_doomed: false,
            is_open: true,
            wake: None,
        }
    }

    /// Queues a message for writing; `false` if there are too many already.
    pub(super) fn queue_message(&mut self, id: ConnectionId, side: Side, message: Message) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return true };
        let end = &mut connection.ends[side];
        if !end.is_open || end.is_doomed {
            return true;
        }
        if end.commands.len() >= COMMANDS_MAX {
            return false;
        }
        end.commands.push_back(message);
        true
    }

    /// Ends the connection from this side as soon as the present step is over.
    pub(super) fn doom(&mut self, id: ConnectionId, side: Side) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ends[side].is_doomed = true;
            self.ready.insert((id, side));
        }
    }

    /// Gives bytes, or the end of all bytes, to the network.
    pub(super) fn send(&mut self, id: ConnectionId, from: Side, bytes: Option<Vec<u8>>) {
        let now = self.now;
        let Self { connections, net, rng, scenario, .. } = self;
        let connection = connections.get_mut(&id).expect("it is open");
        let [here, there] = [from, 1 - from].map(|side| connection.ends[side].owner.place());
        let count = bytes.as_ref().map_or(40, Vec::len);
        let leaves = Duration::from_nanos(count as u64 * 1_000_000_000 / scenario.uplink);
        let pipe = &mut connection.pipes[from];
        let at = now + leaves + net.travel(here, there, count, rng);
        let at = at.max(pipe.last_at);
        pipe.last_at = at;
        pipe.bytes += bytes.as_ref().map_or(0, Vec::len);
        pipe.in_flight.push_back(Segment { at, bytes });
        self.at(at, Event::Deliver { connection: id, from });
    }

    /// What is due arrives, unless the two cannot reach each other.
    pub(super) fn deliver(&mut self, id: ConnectionId, from: Side) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let [here, there] = [from, 1 - from].map(|side| connection.ends[side].owner.place());
        if self.net.is_cut(here, there) {
            return;
        }
        let Connection { ends, pipes } = connection;
        let (pipe, end) = (&mut pipes[from], &mut ends[1 - from]);
        while pipe.in_flight.front().is_some_and(|segment| segment.at <= now) {
            let segment = pipe.in_flight.pop_front().expect("one is there");
            match segment.bytes {
                Some(bytes) => {
                    pipe.bytes -= bytes.len();
                    if end.is_open {
                        end.arrived.extend_from_slice(&bytes);
                    }
                }
                None => end.is_finished = true,
            }
        }
        self.ready.insert((id, 1 - from));
        // There may be room for more now.
        self.ready.insert((id, from));
    }

    /// All ends of somebody.
    pub(super) fn ends_of(&self, owner: Owner) -> Vec<(ConnectionId, Side)> {
        let sides = |(id, connection): (&ConnectionId, &Connection)| {
            let id = *id;
            let owned = [0, 1].map(|side| connection.ends[side].owner == owner);
            [0, 1].into_iter().filter(move |side| owned[*side]).map(move |side| (id, side))
        };
        self.connections.iter().flat_map(sides).collect()
    }

    /// Closes an end whose owner is gone or will have no more of it.
    pub(super) fn abandon(&mut self, id: ConnectionId, side: Side, tells_the_other: bool) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        if !end.is_open {
            return;
        }
        end.is_open = false;
        end.arrived = Vec::new();
        let (owner, other) = (end.owner, connection.ends[1 - side].owner);
        let is_over = !connection.ends[1 - side].is_open;
        if is_over {
            self.connections.remove(&id);
        } else if tells_the_other {
            self.send(id, side, None);
        }
        let (Owner::Node(node), Owner::Node(other)) = (owner, other);
        if side == 0 && self.nodes[node].is_up() {
            self.dial_again(node, other);
        }
    }

    /// Forgets how often a neighbour was tried in vain.
    pub(super) fn note_reached(&mut self, owner: Owner, other: Owner) {
        let (Owner::Node(node), Owner::Node(other)) = (owner, other);
        if let Some(pause) = self.nodes[node].neighbours.get_mut(&other) {
            *pause = REDIAL_FIRST;
        }
    }

    /// Connections made so far.
    pub(crate) fn connections_made(&self) -> u64 {
        self.next_connection
    }

    /// Splits the network: nodes of different regions cannot reach each other.
    pub(crate) fn split(&mut self, region_of: impl Fn(usize) -> u32) {
        for node in 0..self.nodes.len() {
            self.net.set_region(node, region_of(node));
        }
    }

    /// Everybody can reach everybody again; what was under way is sent again.
    pub(crate) fn heal(&mut self) {
        self.split(|_| 0);
        let stalled: Vec<(ConnectionId, Side)> = self
            .connections
            .iter()
            .flat_map(|(id, connection)| {
                let is_late = |side: &Side| {
                    let front = connection.pipes[*side].in_flight.front();
                    front.is_some_and(|segment| segment.at <= self.now)
                };
                [0, 1].into_iter().filter(is_late).map(move |side| (*id, side)).collect::<Vec<_>>()
            })
            .collect();
        for (connection, from) in stalled {
            let pause = RESEND_WITHIN.mul_f64(self.rng.f64());
            self.after(pause, Event::Deliver { connection, from });
        }
    }
}
