//! Whom to dial, whom to let in, which addresses to tell, whom to avoid.
//!
//! A state machine beside the connections, each of which is a [`Session`](crate::Session): it
//! hears who comes and goes, and says what is to be done. Share chains do not concern it.
//!
//! ```text
//! peering.handle(now, input);
//! while let Some(output) = peering.poll() { carry_out(output); }
//! // then wait for the next input, at most until `wakes_at`
//! ```
//!
//! Every connection has a [`PeerId`], given out by [`PeeringOutput::Dial`] or by
//! [`Peering::accept`], and ends with exactly one [`PeeringInput::DialFailed`] or
//! [`PeeringInput::Left`].
//!
//! ```
//! use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
//! use p2pool_wire::peering::{DialTarget, Host, OUTGOING_WANTED, Peering, PeeringConfig, PeeringOutput};
//! use p2pool_wire::Services;
//!
//! let now = Now { wall: UnixTime(1_700_000_000), mono: MonoTime::ZERO };
//! let friend = Host { name: "pool.example".into(), port: 9333 };
//! let config = PeeringConfig {
//!     outgoing_wanted: OUTGOING_WANTED,
//!     incoming_max: 40,
//!     fixed_peers: vec![friend.clone()],
//!     bootstrap: vec![],
//!     resolves_names: true,
//!     listen_port: Some(9333),
//!     external_address: None,
//!     services: Services::NONE,
//!     allows_private: false,
//!     seed: 7,
//! };
//! let mut peering = Peering::new(config, now);
//! let target = DialTarget::Host(friend);
//! assert_eq!(peering.poll(), Some(PeeringOutput::Dial { peer: 1, target }));
//! ```

mod bans;
mod by_hand;
mod connections;
mod dial;
mod gossip;
mod interface;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use p2pool_sharechain::time::{MonoTime, Now, UnixTime};

use self::bans::Bans;
use self::connections::{Connection, Connections, Kind, Member, Stage};
use self::dial::{NamedPeer, Resolving, Search};
use self::gossip::{Allowance, Bucket, forwarding_allowance};
use crate::addrbook::{AddrBook, AddressChanges, NetGroup, canonical, is_public};
use crate::session::Peer;

pub use self::interface::*;

/// Incoming connections from one net group.
const INCOMING_OF_GROUP_MAX: usize = 3;
/// Addresses remembered as our own.
const OWN_ADDRESSES_MAX: usize = 16;
/// Changed addresses are saved so often.
const SAVE_EVERY: Duration = Duration::from_secs(300);

/// The state machine.
#[derive(Clone, Debug)]
pub struct Peering {
    config: PeeringConfig,
    rng: fastrand::Rng,
    book: AddrBook,
    bans: Bans,
    connections: Connections,
    fixed: Vec<NamedPeer>,
    /// Bootstrap names, where they are dialled as such.
    names: Vec<NamedPeer>,
    resolving: Resolving,
    search: Search,
    /// Addresses at which we would find ourselves.
    own: BTreeSet<SocketAddr>,
    /// Where others reach us.
    external: Option<SocketAddr>,
    forwarding: Bucket,
    dial_at: MonoTime,
    /// There was nobody to dial when we last looked.
    is_idle: bool,
    ask_at: MonoTime,
    save_at: MonoTime,
    last_visitor: Option<UnixTime>,
    outputs: VecDeque<PeeringOutput>,
}

impl Peering {
    /// Without any connection. Fixed peers are dialled and bootstrap names looked up at once.
    pub fn new(config: PeeringConfig, now: Now) -> Self {
        let outgoing_wanted = config.outgoing_wanted.min(OUTGOING_MAX);
        let config = PeeringConfig { outgoing_wanted, ..config };
        let named = |hosts: &[Host], make: fn(Host, MonoTime) -> NamedPeer| {
            hosts.iter().map(|host| make(host.clone(), now.mono)).collect::<Vec<_>>()
        };
        let names = if config.resolves_names { &[][..] } else { &config.bootstrap };
        let mut peering = Self {
            rng: fastrand::Rng::with_seed(config.seed),
            book: AddrBook::new(config.allows_private),
            bans: Bans::default(),
            connections: Connections::default(),
            fixed: named(&config.fixed_peers, NamedPeer::fixed),
            names: named(names, NamedPeer::bootstrap),
            resolving: Resolving::new(now.mono),
            search: Search::new(now.mono),
            own: BTreeSet::new(),
            external: None,
            forwarding: forwarding_allowance(now.mono),
            dial_at: now.mono,
            is_idle: false,
            ask_at: now.mono,
            save_at: now.mono + SAVE_EVERY,
            last_visitor: None,
            outputs: VecDeque::new(),
            config,
        };
        peering.set_external(peering.config.external_address);
        peering.run_timers(now);
        peering
    }

    /// Takes in one fact. Afterwards [`Peering::poll`] must be called until it returns `None`.
    pub fn handle(&mut self, now: Now, input: PeeringInput) {
        match input {
            PeeringInput::Loaded(records) => {
                records.iter().for_each(|record| self.book.load(now.wall, record));
                self.dial_soon(now.mono);
            }
            PeeringInput::LoadedBans(bans) => self.load_bans(now, &bans),
            PeeringInput::AddPeer(host) => self.add_peer(now, host),
            PeeringInput::Ban { ip, time } => self.ban_by_hand(now, ip, time),
            PeeringInput::Unban { ip } => self.unban(now, ip),
            PeeringInput::SearchNow => self.search_now(now),
            PeeringInput::Reset => self.reset(now),
            PeeringInput::Resolved { host, addresses } => self.resolved(now, host, &addresses),
            PeeringInput::DialFailed { peer } => self.left(now, peer, Departure::Failed),
            PeeringInput::Connected { peer, address } => self.connected(now, peer, address),
            PeeringInput::Joined { peer, info } => self.joined(now, peer, &info),
            PeeringInput::Left { peer, how } => self.left(now, peer, how),
            PeeringInput::Received { peer, message } => self.hear(now, peer, message),
            PeeringInput::ExternalAddress(address) => self.set_external(address),
            PeeringInput::Wake => {}
        }
        self.run_timers(now);
    }

    /// The next thing to be done; `None` when there is nothing left to do for now.
    pub fn poll(&mut self) -> Option<PeeringOutput> {
        self.outputs.pop_front()
    }

    /// Takes a place for an incoming connection. To be asked before a byte is sent; whoever is
    /// refused is closed in silence.
    ///
    /// # Errors
    /// Banned hosts, and when all places are taken.
    pub fn accept(&mut self, now: Now, address: SocketAddr) -> Result<PeerId, Refusal> {
        if let Some(until) = self.bans.until(now.mono, address.ip()) {
            return Err(Refusal::Banned { until });
        }
        let incoming = self.connections.count(|connection| connection.kind == Kind::Incoming);
        if incoming >= self.config.incoming_max {
            return Err(Refusal::Full);
        }
        let group = NetGroup::of(address.ip());
        let of_group = group.map_or(0, |group| self.connections.incoming_from(group));
        if of_group >= INCOMING_OF_GROUP_MAX {
            return Err(Refusal::GroupFull);
        }
        let connection = Connection::new(Kind::Incoming, Stage::Connected, Some(address));
        Ok(self.connections.add(connection))
    }

    /// When [`PeeringInput::Wake`] is due.
    pub fn wakes_at(&self) -> MonoTime {
        let advertise = self.connections.joined().filter_map(|(_, _, member)| member.advertise_at);
        let times = [
            self.fixed_due(),
            self.wants_to_dial().then_some(self.dial_at),
            self.wants_addresses().then_some(self.ask_at),
            self.resolve_due(),
        ];
        times.into_iter().flatten().chain(advertise).fold(self.save_at, MonoTime::min)
    }

    /// How things are.
    pub fn status(&self, now: Now) -> PeeringStatus {
        let joined = |incoming: bool| {
            let members = self.connections.joined();
            members.filter(|(_, c, _)| (c.kind == Kind::Incoming) == incoming).count()
        };
        PeeringStatus {
            outgoing: joined(false),
            incoming: joined(true),
            dialling: self.connections.count(Connection::is_dialling),
            known_addresses: self.book.len(),
            tried_addresses: self.search.tried.len(),
            reached_addresses: self.search.reached.len(),
            has_tried_all: self.has_tried_all(),
            resolved_names: self.resolving.found.len(),
            banned_hosts: self.bans.count(now.mono),
            last_visitor: self.last_visitor,
        }
    }

    /// What is not yet saved: for the end, when nobody will wait for the next
    /// [`PeeringOutput::Save`].
    pub fn take_unsaved(&mut self, now: Now) -> AddressChanges {
        let present: Vec<_> = self
            .connections
            .joined()
            .filter(|(_, connection, _)| connection.kind == Kind::Outgoing)
            .filter_map(|(_, connection, member)| Some((connection.address?, member.services)))
            .collect();
        for (address, services) in present {
            self.book.note_success(now.wall, address, services);
        }
        self.book.expire(now.wall);
        self.book.take_changes()
    }

    fn run_timers(&mut self, now: Now) {
        self.dial_fixed(now);
        self.dial_ordinary(now);
        self.resolve(now);
        self.advertise(now);
        self.ask_for_addresses(now);
        if self.save_at <= now.mono {
            self.save_at = now.mono + SAVE_EVERY;
            let changes = self.take_unsaved(now);
            if changes != AddressChanges::default() {
                self.outputs.push_back(PeeringOutput::Save(changes));
            }
        }
    }

    fn set_external(&mut self, address: Option<SocketAddr>) {
        let address = address.map(canonical);
        let is_usable = |ip| self.config.allows_private || is_public(ip);
        self.external = address.filter(|address| is_usable(address.ip()));
        if let Some(address) = address {
            self.add_own(address);
        }
    }

    fn add_own(&mut self, address: SocketAddr) {
        if self.own.len() < OWN_ADDRESSES_MAX {
            self.own.insert(address);
        }
        self.book.forget(address);
    }

    fn connected(&mut self, now: Now, peer: PeerId, address: Option<SocketAddr>) {
        let is_enough = self.connections.ordinary() >= self.config.outgoing_wanted;
        let is_alone = self.is_alone();
        let Some(connection) = self.connections.get_mut(peer) else { return };
        if !connection.is_dialling() {
            return;
        }
        connection.stage = Stage::Connected;
        connection.address = address.map(canonical).or(connection.address);
        let address = connection.address;
        match connection.kind {
            Kind::Fixed(place) => {
                if let Some(fixed) = self.fixed.get_mut(place) {
                    fixed.connected(address);
                }
                // Only a person bans a fixed peer.
                if address.is_some_and(|at| self.bans.until(now.mono, at.ip()).is_some()) {
                    self.close(peer, CloseReason::Banned);
                }
            }
            Kind::Outgoing | Kind::Named(_) => {
                if let Some(address) = address.filter(|_| is_alone) {
                    self.search.reached.insert(address.to_string());
                }
                let is_banned =
                    address.is_some_and(|at| self.bans.until(now.mono, at.ip()).is_some());
                if is_banned {
                    self.close(peer, CloseReason::Banned);
                } else if is_enough {
                    self.close(peer, CloseReason::Surplus);
                }
            }
            Kind::Incoming => {}
        }
    }

    fn joined(&mut self, now: Now, peer: PeerId, info: &Peer) {
        let Some(connection) = self.connections.get_mut(peer) else { return };
        if !matches!(connection.stage, Stage::Connected) {
            return;
        }
        connection.stage = Stage::Joined(Member {
            since: now.mono,
            nonce: info.nonce,
            services: info.services,
            advertise_at: self.config.listen_port.map(|_| now.mono),
            allowance: Allowance::new(now.mono),
        });
        let (kind, address) = (connection.kind, connection.address);
        match (kind, address) {
            (Kind::Incoming, Some(address)) => {
                if self.config.allows_private || is_public(address.ip()) {
                    self.last_visitor = Some(now.wall);
                }
            }
            (Kind::Outgoing, Some(address)) => {
                self.book.note_success(now.wall, address, info.services);
            }
            (Kind::Fixed(place), _) => {
                if let Some(fixed) = self.fixed.get_mut(place) {
                    fixed.joined(info.nonce);
                }
            }
            (Kind::Incoming | Kind::Outgoing | Kind::Named(_), _) => {}
        }
        self.found_somebody(now.mono);
        if kind != Kind::Incoming && self.wants_addresses() {
            self.ask(peer);
        }
    }

    fn left(&mut self, now: Now, peer: PeerId, how: Departure) {
        let Some(connection) = self.connections.remove(peer) else { return };
        let lasted = connection.member().map(|member| now.mono.since(member.since));
        match connection.kind {
            Kind::Incoming => {}
            Kind::Outgoing => self.outgoing_left(now, &connection, how),
            Kind::Named(place) => {
                if let Some(name) = self.names.get_mut(place) {
                    name.left(now.mono, lasted.unwrap_or_default(), &mut self.rng);
                }
            }
            Kind::Fixed(place) => {
                if let Some(fixed) = self.fixed.get_mut(place) {
                    fixed.left(now.mono, lasted.unwrap_or_default(), &mut self.rng);
                    if let Departure::Duplicate { nonce } = how {
                        fixed.joined(nonce);
                    }
                }
            }
        }
        if let (Departure::Misbehaved { ban }, Some(address)) = (how, connection.address)
            && !matches!(connection.kind, Kind::Fixed(_))
        {
            self.ban(now, address, ban);
        }
        if lasted.is_some() {
            self.lost_somebody(now.mono);
        }
    }

    fn outgoing_left(&mut self, now: Now, connection: &Connection, how: Departure) {
        let Some(address) = connection.address else { return };
        let has_joined = connection.member().map(|member| member.services);
        match (how, has_joined) {
            (Departure::Itself, _) => self.add_own(address),
            (Departure::Duplicate { nonce }, _) => {
                let other = self.connections.with_nonce(nonce);
                if let Some(other) = other.and_then(|other| self.connections.get_mut(other)) {
                    other.note_also_at(address);
                }
            }
            (Departure::Ended, Some(services)) => {
                self.book.note_success(now.wall, address, services);
            }
            _ if connection.is_closing => {}
            _ => self.note_failure(now, Some(address)),
        }
    }

    /// Avoids a host, unless it is one that the user wants in any case.
    fn ban(&mut self, now: Now, address: SocketAddr, base: Duration) {
        let is_fixed =
            |fixed: &NamedPeer| fixed.address().is_some_and(|at| at.ip() == address.ip());
        if self.fixed.iter().any(is_fixed) {
            return;
        }
        self.bans.add(now.mono, address.ip(), base);
        if self.bans.until(now.mono, address.ip()).is_some() {
            self.save_ban(now, address.ip());
            for peer in self.connections.of_host(address.ip()) {
                self.close(peer, CloseReason::Banned);
            }
        }
    }

    fn close(&mut self, peer: PeerId, reason: CloseReason) {
        if let Some(connection) = self.connections.get_mut(peer) {
            connection.is_closing = true;
            self.outputs.push_back(PeeringOutput::Close { peer, reason });
        }
    }
}

#[cfg(test)]
mod tests;
