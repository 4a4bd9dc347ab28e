//! The one task that owns [`Peering`]: it dials, lets in, looks up names, keeps addresses.
//!
//! It never waits for a connection or for storage: orders to them are tried, and whoever does
//! not keep up is let go. Connections may wait for it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use p2pool_engine::{Input, PeerId};
use p2pool_sharechain::time::UnixTime;
use p2pool_wire::addrbook::{AddressChanges, AddressRecord};
use p2pool_wire::peering::{
    BanRecord, Departure, DialTarget, Host, Peering, PeeringConfig, PeeringInput, PeeringOutput,
};
use p2pool_wire::{Peer, Services};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::addresses::ban_to_stored;
use super::connection::{Connection, Heard, Order, PeerLinks, Traffic};
use super::deed::MemberDeed;
use super::dial::dial;
use super::doors::Doors;
use super::host::HostPort;
use super::problem::{Facts, problem};
use super::settings::P2pSettings;
use super::state::{BANS_SHOWN_MAX, BanState, MappingState, P2pState, PeerState};
use crate::driver::FromPeer;
use crate::storage::StoreCommand;

/// What connections tell; when full they wait.
const HEARD: usize = 256;
/// Orders to one connection under way; who cannot keep up is let go.
const ORDERS: usize = 64;
/// Names under way at once are as many as there are bootstrap hosts; each takes at most so long.
const LOOKUP_WITHIN: Duration = Duration::from_secs(10);
/// Byte counts are told this often.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Connections have so long to end.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Storage has so long to take the last addresses.
const LAST_SAVE_WITHIN: Duration = Duration::from_millis(500);
/// After a failed accept (no free descriptors) others get a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// A visitor confirms an open port for so long.
const CONFIRMED_FOR: Duration = Duration::from_secs(24 * 3600);

/// What the service is made of.
#[derive(Debug)]
pub(crate) struct P2pParts {
    pub(crate) settings: P2pSettings,
    pub(crate) doors: Doors,
    pub(crate) links: PeerLinks,
    /// Addresses from storage.
    pub(crate) loaded: Vec<AddressRecord>,
    pub(crate) loaded_bans: Vec<BanRecord>,
    /// What a person decides.
    pub(crate) deeds: mpsc::Receiver<MemberDeed>,
    /// `None`: addresses are not kept.
    pub(crate) store: Option<mpsc::Sender<StoreCommand>>,
    pub(crate) mapping: watch::Receiver<MappingState>,
    pub(crate) state: watch::Sender<Arc<P2pState>>,
    pub(crate) is_practice: bool,
    pub(crate) seed: u64,
}

impl P2pParts {
    /// Those of a simulated member: one connection to the user's node, and nothing kept.
    pub(crate) fn of_member(pool: SocketAddr, links: PeerLinks) -> Self {
        let settings = P2pSettings {
            listen: Vec::new(),
            fixed: vec![pool.into()],
            bootstrap: Vec::new(),
            outgoing_max: 0,
            incoming_max: 0,
            external_address: None,
            proxy: None,
            is_low_bandwidth: false,
            maps_port: false,
            is_private: true,
        };
        Self {
            settings,
            doors: Doors::default(),
            seed: links.nonce,
            links,
            loaded: Vec::new(),
            loaded_bans: Vec::new(),
            deeds: mpsc::channel(1).1,
            store: None,
            mapping: watch::Sender::default().subscribe(),
            state: watch::Sender::default(),
            is_practice: true,
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct P2pService {
    parts: P2pParts,
    peering: Peering,
    heard: mpsc::Receiver<Heard>,
    /// Kept for connections to come.
    teller: mpsc::Sender<Heard>,
    members: BTreeMap<PeerId, Member>,
    connections: JoinSet<End>,
    tasks: HashMap<Id, PeerId>,
    lookups: JoinSet<(Host, Vec<SocketAddr>)>,
    /// Peers in a row that hung up on our greeting.
    hang_ups: u32,
}

/// One connection, from the attempt to its end.
#[derive(Debug)]
struct Member {
    /// `None`: let go, because it did not keep up.
    orders: Option<mpsc::Sender<Order>>,
    traffic: Arc<Traffic>,
    address: Option<SocketAddr>,
    is_incoming: bool,
    /// Whether this node wants it ended.
    is_closing: bool,
    joined: Option<(Peer, UnixTime)>,
}

/// How an attempt or a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    DialFailed,
    Left(Departure),
}

impl P2pService {
    pub(crate) fn new(parts: P2pParts) -> Self {
        let settings = &parts.settings;
        let hosts = |places: &[HostPort]| -> Vec<Host> {
            let host = |p: &HostPort| Host { name: p.host().to_owned(), port: p.port() };
            places.iter().map(host).collect()
        };
        let is_straight = settings.proxy.is_none();
        let own_port = parts.doors.addresses().first().map(SocketAddr::port);
        let config = PeeringConfig {
            outgoing_wanted: settings.outgoing_max,
            incoming_max: settings.incoming_max,
            fixed_peers: hosts(&settings.fixed),
            bootstrap: hosts(&settings.bootstrap),
            resolves_names: is_straight,
            listen_port: own_port.filter(|_| is_straight),
            external_address: settings.external_address.filter(|_| is_straight),
            services: parts.links.services,
            allows_private: settings.is_private,
            seed: parts.seed,
        };
        let (teller, heard) = mpsc::channel(HEARD);
        let peering = Peering::new(config, parts.links.clock.now());
        Self {
            parts,
            peering,
            heard,
            teller,
            members: BTreeMap::new(),
            connections: JoinSet::new(),
            tasks: HashMap::new(),
            lookups: JoinSet::new(),
            hang_ups: 0,
        }
    }

    /// Runs until cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let child = token.child_token();
        let loaded = std::mem::take(&mut self.parts.loaded);
        self.tell_peering(PeeringInput::Loaded(loaded));
        let bans = std::mem::take(&mut self.parts.loaded_bans);
        self.tell_peering(PeeringInput::LoadedBans(bans));
        let mut tell = tokio::time::interval(TELL_EVERY);
        tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.carry_out(&child);
            let wake = self.parts.links.clock.instant(self.peering.wakes_at());
            tokio::select! {
                () = token.cancelled() => break,
                accepted = accept(&self.parts.doors.listeners) => match accepted {
                    Ok((stream, address)) => self.let_in(stream, address, &child),
                    Err(error) => {
                        tracing::debug!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(heard) = self.heard.recv() => self.hear(heard),
                Some(deed) = self.parts.deeds.recv() => {
                    tracing::info!(?deed, "members");
                    self.tell_peering(deed.into_input());
                }
                Some(ended) = self.connections.join_next_with_id() => self.ended(ended).await,
                Some(found) = self.lookups.join_next() => {
                    if let Ok((host, addresses)) = found {
                        self.tell_peering(PeeringInput::Resolved { host, addresses });
                    }
                }
                Ok(()) = self.parts.mapping.changed() => self.mapped(),
                () = tokio::time::sleep_until(wake) => self.tell_peering(PeeringInput::Wake),
                _ = tell.tick() => {}
            }
            self.publish();
        }
        child.cancel();
        self.end().await;
    }

    fn tell_peering(&mut self, input: PeeringInput) {
        self.peering.handle(self.parts.links.clock.now(), input);
    }

    /// Carries out what peering wants.
    fn carry_out(&mut self, token: &CancellationToken) {
        while let Some(output) = self.peering.poll() {
            match output {
                PeeringOutput::Dial { peer, target } => self.dial(peer, target, token),
                PeeringOutput::Send { peer, message } => self.order(peer, Order::Send(message)),
                PeeringOutput::Close { peer, reason } => {
                    tracing::debug!(peer, %reason, "connection ended");
                    if let Some(member) = self.members.get_mut(&peer) {
                        member.is_closing = true;
                    }
                    self.order(peer, Order::Close);
                }
                PeeringOutput::Resolve(host) => {
                    self.lookups.spawn(look_up(host));
                }
                PeeringOutput::Save(changes) => {
                    if let Some(store) = &self.parts.store {
                        // Storage that is behind gets the next changes; these are only lost.
                        let _ = store.try_send(save(changes));
                    }
                }
                PeeringOutput::SaveBan(ban) => {
                    if let Some(store) = &self.parts.store {
                        // A ban that storage has no room for lasts until the end of the run.
                        let _ = store.try_send(StoreCommand::Ban(ban_to_stored(&ban)));
                    }
                }
            }
        }
    }

    fn order(&mut self, peer: PeerId, order: Order) {
        let Some(member) = self.members.get_mut(&peer) else { return };
        if member.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_err()) {
            tracing::debug!(peer, "peer does not keep up");
            member.orders = None;
        }
    }

    /// Puts a new connection on the list.
    fn enter(
        &mut self,
        peer: PeerId,
        address: Option<SocketAddr>,
        is_incoming: bool,
    ) -> (mpsc::Receiver<Order>, Arc<Traffic>) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let traffic = Arc::<Traffic>::default();
        let member = Member {
            orders: Some(orders),
            traffic: Arc::clone(&traffic),
            address,
            is_incoming,
            is_closing: false,
            joined: None,
        };
        self.members.insert(peer, member);
        (receiver, traffic)
    }

    fn let_in(&mut self, stream: TcpStream, address: SocketAddr, token: &CancellationToken) {
        let now = self.parts.links.clock.now();
        let peer = match self.peering.accept(now, address) {
            Ok(peer) => peer,
            Err(refusal) => {
                tracing::debug!(%address, %refusal, "not let in");
                return;
            }
        };
        let (orders, traffic) = self.enter(peer, Some(address), true);
        let (links, heard) = (self.parts.links.clone(), self.teller.clone());
        let connection = Connection { peer, address, stream, links, heard, orders, traffic };
        let token = token.clone();
        let task = self.connections.spawn(async move { End::Left(connection.run(&token).await) });
        self.tasks.insert(task.id(), peer);
    }

    fn dial(&mut self, peer: PeerId, target: DialTarget, token: &CancellationToken) {
        let (orders, traffic) = self.enter(peer, None, false);
        let (links, heard) = (self.parts.links.clone(), self.teller.clone());
        let proxy = self.parts.settings.proxy.clone();
        let token = token.clone();
        let task = self.connections.spawn(async move {
            let began = Instant::now();
            let dialled = tokio::select! {
                () = token.cancelled() => return End::DialFailed,
                dialled = dial(&target, proxy.as_ref()) => dialled,
            };
            let dialled = dialled.and_then(|(stream, known)| {
                let address = stream.peer_addr()?;
                Ok((stream, known, address))
            });
            let (stream, known, address) = match dialled {
                Ok(dialled) => dialled,
                Err(error) => {
                    tracing::debug!(%target, %error, "nobody answers");
                    return End::DialFailed;
                }
            };
            if proxy.is_none() {
                traffic.note_round_trip(began.elapsed());
            }
            if heard.send(Heard::Connected { peer, address: known }).await.is_err() {
                return End::DialFailed;
            }
            let connection = Connection { peer, address, stream, links, heard, orders, traffic };
            End::Left(connection.run(&token).await)
        });
        self.tasks.insert(task.id(), peer);
    }

    fn hear(&mut self, heard: Heard) {
        let input = match heard {
            Heard::Connected { peer, address } => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.address = address;
                }
                PeeringInput::Connected { peer, address }
            }
            Heard::Joined { peer, info } => {
                self.hang_ups = 0;
                if let Some(member) = self.members.get_mut(&peer) {
                    member.joined = Some((info.clone(), self.parts.links.clock.now().wall));
                }
                PeeringInput::Joined { peer, info }
            }
            Heard::Received { peer, message } => PeeringInput::Received { peer, message },
        };
        self.tell_peering(input);
    }

    /// A task is over. What it told before it ended is heard first.
    async fn ended(&mut self, ended: Result<(Id, End), JoinError>) {
        while let Ok(heard) = self.heard.try_recv() {
            self.hear(heard);
        }
        let (id, end) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let id = error.id();
                if error.is_panic() {
                    tracing::error!(%error, "a peer's session failed");
                }
                if let Some(peer) = self.tasks.get(&id) {
                    // It could not say goodbye itself.
                    let left = FromPeer::Engine(Input::PeerLeft { peer: *peer });
                    let _ = self.parts.links.driver.send(left).await;
                }
                (id, End::Left(Departure::Failed))
            }
        };
        let Some(peer) = self.tasks.remove(&id) else { return };
        let member = self.members.remove(&peer);
        let input = match end {
            End::DialFailed => PeeringInput::DialFailed { peer },
            End::Left(how) => {
                let is_hang_up =
                    member.is_some_and(|m| m.joined.is_none() && !m.is_incoming && !m.is_closing);
                if is_hang_up && how == Departure::Ended {
                    self.hang_ups = self.hang_ups.saturating_add(1);
                }
                PeeringInput::Left { peer, how }
            }
        };
        self.tell_peering(input);
    }

    fn mapped(&mut self) {
        let mapping = *self.parts.mapping.borrow_and_update();
        let settings = &self.parts.settings;
        if settings.external_address.is_none() && settings.proxy.is_none() {
            self.tell_peering(PeeringInput::ExternalAddress(mapping.external()));
        }
    }

    fn publish(&self) {
        let state = Arc::new(self.state());
        self.parts.state.send_if_modified(|old| {
            let is_new = *old != state;
            if is_new {
                *old = state;
            }
            is_new
        });
    }

    fn state(&self) -> P2pState {
        let now = self.parts.links.clock.now();
        let status = self.peering.status(now);
        let summary = Arc::clone(&self.parts.links.summary.borrow());
        let mut peers: Vec<PeerState> =
            self.members.iter().filter_map(|(id, m)| self.peer(*id, m)).collect();
        peers.sort_by_key(|peer| (peer.since, peer.address));
        let bans = self.peering.bans(now).into_iter().take(BANS_SHOWN_MAX);
        let bans = bans.map(|ban| BanState { host: ban.host, until: ban.until }).collect();
        let is_other_port = self.parts.doors.is_other_port;
        P2pState {
            listening: self.parts.doors.addresses(),
            is_other_port,
            outgoing: peers.iter().filter(|peer| !peer.is_incoming).count(),
            incoming: peers.iter().filter(|peer| peer.is_incoming).count(),
            known_addresses: status.known_addresses,
            tried: status.tried_addresses,
            reached: status.reached_addresses,
            resolved_names: status.resolved_names,
            dialling: status.dialling,
            peers,
            bans,
            mapping: confirmed(*self.parts.mapping.borrow(), status.last_visitor, now.wall),
            problem: problem(Facts {
                status: &status,
                summary: &summary,
                hang_ups: self.hang_ups,
                is_other_port,
                is_practice: self.parts.is_practice,
                now: now.wall,
            }),
        }
    }

    fn peer(&self, id: PeerId, member: &Member) -> Option<PeerState> {
        let (info, since) = member.joined.as_ref()?;
        let theirs = info.services;
        let wants = Services::SHARE_HASHES | Services::WANTS_SHARE_HASHES;
        let is_low_bandwidth = theirs.contains(wants)
            || theirs.contains(Services::SHARE_HASHES) && self.parts.settings.is_low_bandwidth;
        Some(PeerState {
            id,
            shares_received: member.traffic.shares.load(Ordering::Relaxed),
            round_trip: member.traffic.round_trip(),
            address: member.address,
            is_incoming: member.is_incoming,
            program: info.sub_version.clone(),
            protocol: info.version,
            since: *since,
            sent_bytes: member.traffic.sent.load(Ordering::Relaxed),
            received_bytes: member.traffic.received.load(Ordering::Relaxed),
            is_low_bandwidth,
        })
    }

    /// Every connection ends, then the last addresses are stored.
    async fn end(mut self) {
        let rest = async {
            while let Some(ended) = self.connections.join_next().await {
                drop(ended);
            }
        };
        // Who is late is aborted with the set.
        let _ = tokio::time::timeout(END_WITHIN, rest).await;
        let changes = self.peering.take_unsaved(self.parts.links.clock.now());
        if let Some(store) = &self.parts.store
            && changes != AddressChanges::default()
        {
            let _ = tokio::time::timeout(LAST_SAVE_WITHIN, store.send(save(changes))).await;
        }
    }
}

/// What peers are told that this node understands.
pub(crate) fn services(settings: &P2pSettings) -> Services {
    let all = Services::COMPACT_BLOCKS | Services::SHARE_HASHES;
    if settings.is_low_bandwidth { all | Services::WANTS_SHARE_HASHES } else { all }
}

/// The next connection at any of the doors; safe to cancel.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    std::future::poll_fn(|context| {
        let mut polled = listeners.iter().map(|listener| listener.poll_accept(context));
        polled.find(std::task::Poll::is_ready).unwrap_or(std::task::Poll::Pending)
    })
    .await
}

/// The addresses of a name; none if there are none, or not in time.
async fn look_up(host: Host) -> (Host, Vec<SocketAddr>) {
    let place = (host.name.clone(), host.port);
    let found = tokio::time::timeout(LOOKUP_WITHIN, tokio::net::lookup_host(place)).await;
    let addresses = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            tracing::debug!(%host, %error, "name not found");
            Vec::new()
        }
        Err(_) => Vec::new(),
    };
    (host, addresses)
}

/// An open port is confirmed by a visitor within the last day.
fn confirmed(mapping: MappingState, visitor: Option<UnixTime>, now: UnixTime) -> MappingState {
    let lately = visitor.filter(|at| now.0.saturating_sub(at.0) < CONFIRMED_FOR.as_secs());
    match (mapping.external(), lately) {
        (Some(external), Some(since)) => MappingState::Confirmed { external, since },
        _ => mapping,
    }
}

fn save(changes: AddressChanges) -> StoreCommand {
    let changed = changes.changed.iter().map(super::addresses::to_stored).collect();
    StoreCommand::Peers { changed, removed: changes.removed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_port_is_confirmed_by_visitors_of_the_last_day_alone() {
        let external = "203.0.113.5:9333".parse().unwrap();
        let granted = MappingState::Granted { external };
        let (now, day) = (UnixTime(1_700_000_000), CONFIRMED_FOR.as_secs());
        let since = UnixTime(now.0 - day + 1);
        let is_confirmed = MappingState::Confirmed { external, since };
        assert_eq!(confirmed(granted, Some(since), now), is_confirmed);
        assert_eq!(confirmed(granted, Some(UnixTime(now.0 - day)), now), granted);
        assert_eq!(confirmed(granted, None, now), granted);
        assert_eq!(confirmed(MappingState::NoAnswer, Some(now), now), MappingState::NoAnswer);
    }
}
