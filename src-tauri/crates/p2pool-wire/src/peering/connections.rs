//! The connections that there are, in either direction and at any stage.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use p2pool_sharechain::time::MonoTime;

use super::bans::host_of;
use super::gossip::Allowance;
use super::interface::PeerId;
use crate::addrbook::{NetGroup, canonical, is_public};
use crate::services::Services;

/// Addresses remembered of one peer beyond the one that it is connected at.
const ALSO_AT_MAX: usize = 8;

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) kind: Kind,
    pub(super) stage: Stage,
    /// The other end, if it is known.
    pub(super) address: Option<SocketAddr>,
    /// Other addresses of the same node.
    also_at: BTreeSet<SocketAddr>,
    /// We are closing it.
    pub(super) is_closing: bool,
}

/// Why there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Incoming,
    /// One of the outgoing ones wanted.
    Outgoing,
    /// The same, by the bootstrap name at this place.
    Named(usize),
    /// To the fixed peer at this place.
    Fixed(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    Dialling,
    /// In the handshake.
    Connected,
    Joined(Member),
}

/// What matters of a peer once its handshake is done.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) since: MonoTime,
    pub(super) nonce: u64,
    pub(super) services: Services,
    /// When we tell it our address next.
    pub(super) advertise_at: Option<MonoTime>,
    pub(super) allowance: Allowance,
}

impl Connection {
    pub(super) fn new(kind: Kind, stage: Stage, address: Option<SocketAddr>) -> Self {
        let address = address.map(canonical);
        Self { kind, stage, address, also_at: BTreeSet::new(), is_closing: false }
    }

    /// Whether it is one of the outgoing ones wanted.
    pub(super) fn is_ordinary(&self) -> bool {
        matches!(self.kind, Kind::Outgoing | Kind::Named(_))
    }

    pub(super) fn is_dialling(&self) -> bool {
        matches!(self.stage, Stage::Dialling)
    }

    pub(super) fn member(&self) -> Option<&Member> {
        match &self.stage {
            Stage::Joined(member) => Some(member),
            Stage::Dialling | Stage::Connected => None,
        }
    }

    pub(super) fn member_mut(&mut self) -> Option<&mut Member> {
        match &mut self.stage {
            Stage::Joined(member) => Some(member),
            Stage::Dialling | Stage::Connected => None,
        }
    }

    /// The node can also be reached here.
    pub(super) fn note_also_at(&mut self, address: SocketAddr) {
        if self.also_at.len() < ALSO_AT_MAX {
            self.also_at.insert(canonical(address));
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    by_id: BTreeMap<PeerId, Connection>,
    next_id: PeerId,
}

impl Connections {
    pub(super) fn add(&mut self, connection: Connection) -> PeerId {
        self.next_id = self.next_id.saturating_add(1);
        self.by_id.insert(self.next_id, connection);
        self.next_id
    }

    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Connection> {
        self.by_id.get_mut(&peer)
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Connection> {
        self.by_id.remove(&peer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerId, &Connection)> {
        self.by_id.iter().map(|(peer, connection)| (*peer, connection))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = (PeerId, &mut Connection)> {
        self.by_id.iter_mut().map(|(peer, connection)| (*peer, connection))
    }

    pub(super) fn count(&self, matches: impl Fn(&Connection) -> bool) -> usize {
        self.by_id.values().filter(|connection| matches(connection)).count()
    }

    /// Outgoing ones wanted that are past dialling and not being closed.
    pub(super) fn ordinary(&self) -> usize {
        self.count(|c| c.is_ordinary() && !c.is_dialling() && !c.is_closing)
    }

    pub(super) fn joined(&self) -> impl Iterator<Item = (PeerId, &Connection, &Member)> {
        self.iter().filter_map(|(peer, connection)| Some((peer, connection, connection.member()?)))
    }

    /// The connection to the node with this random number.
    pub(super) fn with_nonce(&self, nonce: u64) -> Option<PeerId> {
        self.joined().find(|(_, _, member)| member.nonce == nonce).map(|(peer, _, _)| peer)
    }

    /// Incoming connections from this part of the network.
    pub(super) fn incoming_from(&self, group: NetGroup) -> usize {
        self.count(|connection| {
            let ip = connection.address.map(|address| address.ip());
            connection.kind == Kind::Incoming && ip.and_then(NetGroup::of) == Some(group)
        })
    }

    /// Connections from a host, without fixed peers.
    pub(super) fn of_host(&self, ip: IpAddr) -> Vec<PeerId> {
        let host = host_of(ip);
        let of_host = |connection: &Connection| {
            let ip = connection.address.map(|address| host_of(address.ip()));
            ip == Some(host) && !matches!(connection.kind, Kind::Fixed(_)) && !connection.is_closing
        };
        self.iter().filter(|(_, connection)| of_host(connection)).map(|(peer, _)| peer).collect()
    }

    /// What is taken by the present connections.
    pub(super) fn taken(&self) -> Taken {
        let mut taken = Taken::default();
        for connection in self.by_id.values() {
            let addresses = connection.address.iter().chain(&connection.also_at);
            addresses.for_each(|address| taken.add_host(*address));
            if connection.kind != Kind::Incoming {
                taken.groups.extend(connection.address.and_then(|at| NetGroup::of(at.ip())));
            }
        }
        taken
    }
}

/// Addresses that must not be dialled because somebody is there already.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// Parts of the network with an outgoing connection.
    groups: BTreeSet<NetGroup>,
    /// Public addresses with any connection.
    hosts: BTreeSet<IpAddr>,
    /// Addresses of the own network, where one host has many nodes.
    addresses: BTreeSet<SocketAddr>,
}

impl Taken {
    /// Nobody else at this host is dialled.
    pub(super) fn add_host(&mut self, address: SocketAddr) {
        if is_public(address.ip()) {
            self.hosts.insert(address.ip());
        } else {
            self.addresses.insert(address);
        }
    }

    pub(super) fn contains(&self, address: SocketAddr) -> bool {
        let ip = address.ip();
        self.addresses.contains(&address)
            || self.hosts.contains(&ip)
            || NetGroup::of(ip).is_some_and(|group| self.groups.contains(&group))
    }
}
