//! Those who do not mean well, or run something else: connections, but no node behind them.

mod flood;
mod forge;
mod noise;
mod shares;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use fastrand::Rng;
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::UnixTime;
use p2pool_wire::Message;

pub(crate) use self::flood::{Asker, Poisoner, SlowReader};
pub(crate) use self::forge::{Forge, Made};
pub(crate) use self::noise::{Babbler, Repeater};
pub(crate) use self::shares::{FakeHistory, FutureMiner, Spammer, Withholder};
use super::connection::{ConnectionId, Who};
use super::peering::PORT;
use super::{Event, World};

/// Who acts without being a node.
pub(crate) trait Behaviour {
    /// Something happened; now it may do something.
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>);

    /// Time between two [`Seen::Tick`].
    fn pace(&self) -> Duration;

    /// The best share that it claims to have.
    fn best(&self) -> Option<ShareHash> {
        None
    }
}

/// What a stranger notices.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Time has passed.
    Tick,
    /// A connection was made; nothing was said yet.
    Connected { connection: ConnectionId },
    /// The handshake is done.
    Joined { connection: ConnectionId },
    /// A message came.
    Received { connection: ConnectionId, message: Message },
    /// A connection is over.
    Left { connection: ConnectionId },
}

/// What a stranger can do.
pub(crate) struct Hands<'w> {
    pub(crate) rng: &'w mut Rng,
    pub(crate) forge: &'w mut Forge,
    pub(crate) wall: UnixTime,
    /// Number of nodes.
    pub(crate) nodes: usize,
    deeds: Vec<Deed>,
}

enum Deed {
    Dial(Who),
    Send(ConnectionId, Message),
    Bytes(ConnectionId, Vec<u8>),
    StopReading(ConnectionId),
}

impl Hands<'_> {
    /// Connects to some node.
    pub(crate) fn dial_somebody(&mut self) {
        let node = self.rng.usize(..self.nodes);
        self.deeds.push(Deed::Dial(node));
    }

    pub(crate) fn send(&mut self, connection: ConnectionId, message: Message) {
        self.deeds.push(Deed::Send(connection, message));
    }

    /// Writes what no session would.
    pub(crate) fn write(&mut self, connection: ConnectionId, bytes: Vec<u8>) {
        self.deeds.push(Deed::Bytes(connection, bytes));
    }

    pub(crate) fn stop_reading(&mut self, connection: ConnectionId) {
        self.deeds.push(Deed::StopReading(connection));
    }
}

/// Somebody without a node.
pub(crate) struct Stranger {
    address: SocketAddr,
    behaviour: Option<Box<dyn Behaviour>>,
}

impl World {
    /// Lets somebody without a node take part, in a part of the network of its own.
    pub(crate) fn add_stranger(&mut self, behaviour: Box<dyn Behaviour>) -> Who {
        let number = self.strangers.len();
        let octet = u8::try_from(number).expect("few strangers");
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(80, octet, 9, 1)), PORT);
        let who = self.nodes.len() + number;
        let pace = behaviour.pace();
        self.strangers.push(Stranger { address, behaviour: Some(behaviour) });
        self.by_address.insert(address, who);
        self.net.add(&mut self.rng);
        self.after(pace, Event::StrangerActs { who });
        who
    }

    pub(super) fn address(&self, who: Who) -> SocketAddr {
        match self.nodes.get(who) {
            Some(node) => node.address,
            None => self.strangers[who - self.nodes.len()].address,
        }
    }

    /// Whether this is somebody without a node.
    pub(super) fn is_stranger(&self, who: Who) -> bool {
        who >= self.nodes.len()
    }

    pub(super) fn stranger_listens(&self, who: Who) -> bool {
        self.strangers.get(who - self.nodes.len()).is_some()
    }

    pub(super) fn claimed_best(&self, who: Who) -> Option<ShareHash> {
        let stranger = &self.strangers[who - self.nodes.len()];
        stranger.behaviour.as_ref().and_then(|behaviour| behaviour.best())
    }

    pub(super) fn stranger_acts(&mut self, who: Who) {
        let stranger = &self.strangers[who - self.nodes.len()];
        let pace = stranger.behaviour.as_ref().map_or(Duration::MAX, |behaviour| behaviour.pace());
        self.after(pace, Event::StrangerActs { who });
        self.stranger_sees(who, Seen::Tick);
    }

    pub(super) fn stranger_is_dialled(&mut self, who: Who, connection: ConnectionId) {
        if self.is_stranger(who) {
            self.stranger_sees(who, Seen::Connected { connection });
        }
    }

    /// An attempt of a stranger to connect comes through.
    pub(super) fn stranger_dials(&mut self, who: Who, node: Who) {
        if !self.answers(who, node) {
            return;
        }
        if let Some(peer) = self.let_in(node, who) {
            let connection = self.connect([who, node], [0, peer]);
            self.stranger_sees(who, Seen::Connected { connection });
        }
    }

    pub(super) fn stranger_sees(&mut self, who: Who, seen: Seen) {
        let place = who - self.nodes.len();
        let Some(mut behaviour) = self.strangers[place].behaviour.take() else { return };
        let wall = self.wall(who);
        let nodes = self.nodes.len();
        let Self { rng, forge, .. } = self;
        let mut hands = Hands { rng, forge, wall, nodes, deeds: Vec::new() };
        behaviour.see(seen, &mut hands);
        let deeds = hands.deeds;
        self.strangers[place].behaviour = Some(behaviour);
        for deed in deeds {
            self.carry_out_deed(who, deed);
        }
    }

    fn carry_out_deed(&mut self, who: Who, deed: Deed) {
        match deed {
            Deed::Dial(node) => {
                let takes = self.net.latency(who, node) * 2;
                self.after(takes, Event::StrangerDials { who, node });
            }
            Deed::Send(connection, message) => {
                if let Some((end, side)) = self.end_of(connection, who) {
                    end.commands.push_back(message);
                    self.ready.insert((connection, side));
                }
            }
            Deed::Bytes(connection, bytes) => {
                if let Some((end, side)) = self.end_of(connection, who) {
                    end.outgoing_bytes += bytes.len();
                    end.outgoing.push_back(bytes);
                    self.ready.insert((connection, side));
                }
            }
            Deed::StopReading(connection) => {
                if let Some((end, _)) = self.end_of(connection, who) {
                    end.is_deaf = true;
                }
            }
        }
    }

    fn end_of(
        &mut self,
        connection: ConnectionId,
        who: Who,
    ) -> Option<(&mut super::connection::End, usize)> {
        let connection = self.connections.get_mut(&connection)?;
        let side = usize::from(connection.ends[0].owner != who);
        let end = &mut connection.ends[side];
        (end.is_open && end.owner == who).then_some((end, side))
    }
}
