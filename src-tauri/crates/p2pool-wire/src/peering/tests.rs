//! One state machine and a driver that does what the test says.

mod by_hand;
mod gossip;
mod limits;
mod network;
mod search;

use core::net::IpAddr;
use std::collections::BTreeMap;

use super::*;
use crate::addrbook::AddressRecord;
use crate::message::Message;
use crate::services::Services;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A public address: `group` picks the /16, `host` the rest.
fn public(group: u16, host: u16) -> SocketAddr {
    let [a, b] = group.to_be_bytes();
    let [c, d] = host.to_be_bytes();
    SocketAddr::from(([11 + a % 80, b, c, d], 9333))
}

fn host(name: &str) -> Host {
    Host { name: name.into(), port: 9333 }
}

fn config() -> PeeringConfig {
    PeeringConfig {
        outgoing_wanted: OUTGOING_WANTED,
        incoming_max: INCOMING_MAX,
        fixed_peers: vec![],
        bootstrap: vec![],
        resolves_names: true,
        listen_port: None,
        external_address: None,
        services: Services::SHARE_HASHES,
        allows_private: false,
        seed: 3,
    }
}

fn info(nonce: u64) -> Peer {
    Peer {
        version: 3502,
        services: Services::NONE,
        nonce,
        sub_version: String::new(),
        best_share: None,
    }
}

fn at(after: Duration) -> Now {
    let wall = UnixTime(1_700_000_000 + after.as_secs());
    Now { wall, mono: MonoTime(after) }
}

/// The state machine and what it wants done.
struct Rig {
    peering: Peering,
    now: Now,
    /// Attempts under way.
    dialled: BTreeMap<PeerId, DialTarget>,
    sent: Vec<(PeerId, Message)>,
    closed: Vec<(PeerId, CloseReason)>,
    resolving: Vec<Host>,
    saved: Vec<AddressChanges>,
    saved_bans: Vec<BanRecord>,
}

impl Rig {
    fn new(config: PeeringConfig) -> Self {
        let now = at(Duration::ZERO);
        let mut rig = Self {
            peering: Peering::new(config, now),
            now,
            dialled: BTreeMap::new(),
            sent: Vec::new(),
            closed: Vec::new(),
            resolving: Vec::new(),
            saved: Vec::new(),
            saved_bans: Vec::new(),
        };
        rig.drain();
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.peering.poll() {
            match output {
                PeeringOutput::Dial { peer, target } => {
                    assert!(self.dialled.insert(peer, target).is_none());
                }
                PeeringOutput::Send { peer, message } => self.sent.push((peer, message)),
                PeeringOutput::Close { peer, reason } => self.closed.push((peer, reason)),
                PeeringOutput::Resolve(host) => self.resolving.push(host),
                PeeringOutput::Save(changes) => self.saved.push(changes),
                PeeringOutput::SaveBan(ban) => self.saved_bans.push(ban),
            }
        }
    }

    fn give(&mut self, input: PeeringInput) {
        self.peering.handle(self.now, input);
        self.drain();
    }

    /// Lets time pass, waking whenever it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while self.peering.wakes_at() <= end {
            let due = self.peering.wakes_at().max(self.now.mono);
            self.now = at(due.since(MonoTime::ZERO));
            self.give(PeeringInput::Wake);
        }
        self.now = at(end.since(MonoTime::ZERO));
    }

    /// Lets time pass until something is dialled.
    fn next_dial(&mut self) -> (PeerId, DialTarget) {
        for _ in 0..100_000 {
            if let Some(dial) = self.dialled.pop_first() {
                return dial;
            }
            let due = self.peering.wakes_at().max(self.now.mono);
            self.now = at(due.since(MonoTime::ZERO));
            self.give(PeeringInput::Wake);
        }
        panic!("nobody is dialled");
    }

    fn next_address(&mut self) -> (PeerId, SocketAddr) {
        match self.next_dial() {
            (peer, DialTarget::Address(address)) => (peer, address),
            (_, target @ DialTarget::Host(_)) => panic!("{target} is a name"),
        }
    }

    fn connect(&mut self, peer: PeerId, address: Option<SocketAddr>) {
        self.give(PeeringInput::Connected { peer, address });
    }

    fn join(&mut self, peer: PeerId, nonce: u64) {
        self.give(PeeringInput::Joined { peer, info: info(nonce) });
    }

    fn leave(&mut self, peer: PeerId, how: Departure) {
        self.give(PeeringInput::Left { peer, how });
    }

    /// An incoming connection, as far as joined.
    fn visit(&mut self, from: SocketAddr) -> PeerId {
        let peer = self.peering.accept(self.now, from).unwrap();
        self.join(peer, 1_000_000 + peer);
        peer
    }

    fn hear(&mut self, peer: PeerId, message: Message) {
        self.give(PeeringInput::Received { peer, message });
    }

    fn load(&mut self, addresses: impl IntoIterator<Item = SocketAddr>) {
        let wall = self.now.wall;
        let record = |address| AddressRecord {
            address,
            services: Services::NONE,
            first_seen: UnixTime(wall.0 - 1_000_000),
            last_seen: UnixTime(wall.0 - 1000),
            proven_at: Some(UnixTime(wall.0 - 1000)),
            last_try: None,
            failures: 0,
            source: None,
        };
        self.give(PeeringInput::Loaded(addresses.into_iter().map(record).collect()));
    }

    fn status(&self) -> PeeringStatus {
        self.peering.status(self.now)
    }

    fn misbehaved() -> Departure {
        Departure::Misbehaved { ban: BAN_MISBEHAVIOUR }
    }
}
