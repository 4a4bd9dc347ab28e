//! Connections between two ends, as TCP gives them: in order, slow, bounded, sometimes broken.

use std::collections::VecDeque;
use std::time::Duration;

use p2pool_engine::PeerId;
use p2pool_wire::peering::Departure;
use p2pool_wire::{Message, Services, Session, SessionConfig};

use super::{Event, START_MONO, World};

/// Names a connection.
pub(crate) type ConnectionId = u64;

/// Which end: 0 dialled, 1 accepted.
pub(crate) type Side = usize;

/// Names whoever has an address: first all nodes, then all strangers.
pub(crate) type Who = usize;

/// Bytes that the network and both sockets take before a writer has to wait.
const WINDOW_BYTES: usize = 256 << 10;
/// Messages to one peer under way.
const COMMANDS_MAX: usize = 64;
/// When a cut heals, what was under way is sent again within this time.
const RESEND_WITHIN: Duration = Duration::from_secs(20);

/// See the module's documentation.
pub(crate) struct Connection {
    pub(crate) ends: [End; 2],
    /// What each end has sent.
    pub(crate) pipes: [Pipe; 2],
}

/// One end.
pub(crate) struct End {
    pub(crate) owner: Who,
    pub(crate) session: Session,
    /// Name of the connection in the owner's peering and engine.
    pub(crate) peer: PeerId,
    /// Random number of the other end's process, once the handshake is done.
    pub(crate) joined: Option<u64>,
    pub(crate) commands: VecDeque<Message>,
    /// Bytes that the network has not taken yet.
    pub(crate) outgoing: VecDeque<Vec<u8>>,
    pub(crate) outgoing_bytes: usize,
    /// When the network last took bytes, or there were none to take.
    pub(crate) taken_at: Duration,
    /// Bytes that have arrived and were not read.
    pub(crate) arrived: Vec<u8>,
    /// Strangers may stop reading.
    pub(crate) is_deaf: bool,
    /// The other end will send no more.
    pub(crate) is_finished: bool,
    /// How it is to be closed at the next occasion.
    pub(crate) doom: Option<Departure>,
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
    /// Bytes that the network takes from this end now.
    pub(crate) fn room(&self, from: Side) -> usize {
        WINDOW_BYTES.saturating_sub(self.pipes[from].bytes + self.ends[1 - from].arrived.len())
    }
}

impl End {
    fn new(owner: Who, peer: PeerId, session: Session, now: Duration) -> Self {
        Self {
            owner,
            session,
            peer,
            joined: None,
            commands: VecDeque::new(),
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            taken_at: now,
            arrived: Vec::new(),
            is_deaf: false,
            is_finished: false,
            doom: None,
            is_open: true,
            wake: None,
        }
    }
}

/// What a node says that it understands.
pub(super) fn services(is_low_bandwidth: bool) -> Services {
    let all = Services::COMPACT_BLOCKS | Services::SHARE_HASHES;
    if is_low_bandwidth { all | Services::WANTS_SHARE_HASHES } else { all }
}

impl World {
    /// Makes a connection between two who can reach each other, under their names for it.
    pub(super) fn connect(&mut self, who: [Who; 2], peers: [PeerId; 2]) -> ConnectionId {
        let id = self.next_connection;
        self.next_connection += 1;
        let sessions = [self.session_of(who[0], who[1]), self.session_of(who[1], who[0])];
        let now = self.now;
        let mut ends = who.into_iter().zip(peers).zip(sessions);
        let mut end = || {
            let ((who, peer), session) = ends.next().expect("there are two");
            End::new(who, peer, session, now)
        };
        let ends = [end(), end()];
        let pipes = [Pipe::default(), Pipe::default()];
        self.connections.insert(id, Connection { ends, pipes });
        self.ready.extend([(id, 0), (id, 1)]);
        id
    }

    fn session_of(&mut self, who: Who, other: Who) -> Session {
        let mut config = SessionConfig {
            prefix: self.params.prefix,
            version_min: p2pool_wire::session::PROTOCOL_VERSION_MIN,
            nonce: self.rng.u64(1..),
            services: services(false),
            sub_version: "simulated".to_owned(),
            best_share: None,
            own_addr: self.address(who),
            peer_addr: self.address(other),
            seed: self.rng.u64(..),
        };
        if let Some(node) = self.nodes.get(who) {
            let run = node.run.as_ref().expect("only nodes that are up connect");
            config.nonce = run.nonce;
            config.best_share = run.engine.best();
            config.services = services(node.is_low_bandwidth);
        } else {
            config.best_share = self.claimed_best(who);
        }
        Session::new(config, self.mono())
    }

    /// Queues a message for writing; `false` if there are too many already.
    pub(super) fn queue_message(&mut self, id: ConnectionId, side: Side, message: Message) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return true };
        let end = &mut connection.ends[side];
        if !end.is_open || end.doom.is_some() {
            return true;
        }
        if end.commands.len() >= COMMANDS_MAX {
            return false;
        }
        end.commands.push_back(message);
        true
    }

    /// Ends the connection from this side as soon as the present step is over.
    pub(super) fn doom(&mut self, id: ConnectionId, side: Side, how: Departure) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ends[side].doom.get_or_insert(how);
            self.ready.insert((id, side));
        }
    }

    /// Gives bytes, or the end of all bytes, to the network.
    pub(super) fn send(&mut self, id: ConnectionId, from: Side, bytes: Option<Vec<u8>>) {
        let now = self.now;
        let Self { connections, net, rng, scenario, .. } = self;
        let connection = connections.get_mut(&id).expect("it is open");
        let [here, there] = [from, 1 - from].map(|side| connection.ends[side].owner);
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
        let [here, there] = [from, 1 - from].map(|side| connection.ends[side].owner);
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
    pub(super) fn ends_of(&self, owner: Who) -> Vec<(ConnectionId, Side)> {
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
        end.outgoing.clear();
        let is_over = !connection.ends[1 - side].is_open;
        if is_over {
            self.connections.remove(&id);
        } else if tells_the_other {
            self.send(id, side, None);
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
        let now = self.now;
        let mut stalled: Vec<(ConnectionId, Side)> = Vec::new();
        for (id, connection) in &self.connections {
            let is_late = |side: &Side| {
                let front = connection.pipes[*side].in_flight.front();
                front.is_some_and(|segment| segment.at <= now)
            };
            stalled.extend([0, 1].into_iter().filter(is_late).map(|side| (*id, side)));
        }
        for (connection, from) in stalled {
            let pause = RESEND_WITHIN.mul_f64(self.rng.f64());
            self.after(pause, Event::Deliver { connection, from });
        }
    }

    pub(super) fn mono(&self) -> p2pool_sharechain::time::MonoTime {
        p2pool_sharechain::time::MonoTime(START_MONO + self.now)
    }
}
