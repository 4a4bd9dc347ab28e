//! What never happens, whatever others do.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[test]
fn incoming_connections_are_limited_in_all_and_by_part_of_the_network() {
    let mut rig = Rig::new(config());
    for n in 0..3 {
        rig.visit(public(1, n));
    }
    assert_eq!(rig.peering.accept(rig.now, public(1, 9)), Err(Refusal::GroupFull));
    for n in 2..39 {
        rig.visit(public(n, 1));
    }
    assert_eq!(rig.peering.accept(rig.now, public(100, 9)), Err(Refusal::Full));
    assert_eq!(rig.status().incoming, 40);
    rig.leave(1, Departure::Ended);
    assert!(rig.peering.accept(rig.now, public(1, 9)).is_ok());
}

#[test]
fn connections_from_this_computer_and_the_own_network_are_limited_in_all_only() {
    let mut rig = Rig::new(config());
    for n in 1..=5 {
        rig.visit(SocketAddr::from(([127, 0, 0, 1], n)));
        rig.visit(SocketAddr::from(([192, 168, 1, 1], n)));
    }
    assert_eq!(rig.status().incoming, 10);
    assert_eq!(rig.status().last_visitor, None, "neighbours do not prove an open port");
    rig.visit(public(1, 1));
    assert_eq!(rig.status().last_visitor, Some(rig.now.wall));
}

#[test]
fn a_banned_host_is_refused_not_dialled_and_loses_its_other_connections() {
    let mut rig = Rig::new(config());
    let bad = public(1, 1);
    let (first, second) = (rig.visit(bad), rig.visit(bad));
    rig.leave(first, Rig::misbehaved());
    assert_eq!(rig.closed, [(second, CloseReason::Banned)]);
    rig.leave(second, Departure::Ended);
    let refused = rig.peering.accept(rig.now, bad);
    assert_eq!(refused, Err(Refusal::Banned { until: rig.now.mono + HOUR }));
    rig.load([bad]);
    rig.pass(HOUR - SECOND);
    assert!(rig.dialled.is_empty());
    rig.pass(SECOND * 10);
    assert_eq!(rig.dialled.len(), 1);
    assert!(rig.peering.accept(rig.now, bad).is_ok());
}

#[test]
fn failed_requests_ban_for_half_a_minute() {
    let mut rig = Rig::new(config());
    let peer = rig.visit(public(1, 1));
    rig.leave(peer, Departure::Misbehaved { ban: BAN_FAILED_REQUEST });
    assert!(rig.peering.accept(rig.now, public(1, 1)).is_err());
    rig.pass(SECOND * 30);
    assert!(rig.peering.accept(rig.now, public(1, 1)).is_ok());
}

#[test]
fn a_name_that_leads_to_a_banned_host_is_let_go() {
    let bootstrap = vec![host("a.example")];
    let mut rig = Rig::new(PeeringConfig { bootstrap, resolves_names: false, ..config() });
    let peer = rig.visit(public(1, 1));
    rig.leave(peer, Rig::misbehaved());
    let (peer, _) = rig.next_dial();
    rig.connect(peer, Some(public(1, 1)));
    assert_eq!(rig.closed, [(peer, CloseReason::Banned)]);
}

/// What one driver may tell one state machine.
#[derive(Clone, Debug)]
enum Event {
    Load { group: u16, host: u16 },
    Accept { group: u16, host: u16 },
    Progress { which: prop::sample::Index, fails: bool },
    Leave { which: prop::sample::Index, how: u8 },
    Addresses { which: prop::sample::Index, start: u16, count: u16 },
    AddrMe { which: prop::sample::Index, port: u16 },
    Ask { which: prop::sample::Index },
    Pass { millis: u32 },
}

fn events() -> impl Strategy<Value = Event> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        3 => (0..80_u16, 0..3_u16).prop_map(|(group, host)| Event::Load { group, host }),
        3 => (0..20_u16, 0..8_u16).prop_map(|(group, host)| Event::Accept { group, host }),
        6 => (which(), prop::bool::weighted(0.3))
            .prop_map(|(which, fails)| Event::Progress { which, fails }),
        2 => (which(), any::<u8>()).prop_map(|(which, how)| Event::Leave { which, how }),
        2 => (which(), 0..2000_u16, 0..120_u16)
            .prop_map(|(which, start, count)| Event::Addresses { which, start, count }),
        1 => (which(), any::<u16>()).prop_map(|(which, port)| Event::AddrMe { which, port }),
        1 => which().prop_map(|which| Event::Ask { which }),
        4 => (0..60_000_u32).prop_map(|millis| Event::Pass { millis }),
    ]
}

/// The driver's side: every connection there is, with its address.
#[derive(Default)]
struct Driver {
    dialling: BTreeMap<PeerId, SocketAddr>,
    connected: BTreeMap<PeerId, SocketAddr>,
    joined: BTreeMap<PeerId, SocketAddr>,
    incoming: BTreeSet<PeerId>,
    closing: BTreeSet<PeerId>,
}

impl Driver {
    fn play(&mut self, rig: &mut Rig, event: &Event) {
        let now = rig.now;
        match event {
            Event::Load { group, host } => rig.load([public(*group, *host)]),
            Event::Accept { group, host } => {
                let from = SocketAddr::new(public(*group, *host).ip(), 50_000);
                let is_banned = rig.peering.bans.until(now.mono, from.ip()).is_some();
                if let Ok(peer) = rig.peering.accept(now, from) {
                    assert!(!is_banned);
                    self.connected.insert(peer, from);
                    self.incoming.insert(peer);
                }
            }
            Event::Progress { which, fails } => self.progress(rig, which, *fails),
            Event::Leave { which, how } => self.leave(rig, which, *how),
            Event::Addresses { which, start, count } => {
                let told: Vec<_> = (*start..start + count).map(|n| public(n, n % 5)).collect();
                if let Some((peer, _)) = pick(&self.joined, which) {
                    rig.hear(peer, gossip::addrs(&told));
                }
            }
            Event::AddrMe { which, port } => {
                if let Some((peer, _)) = pick(&self.joined, which) {
                    rig.hear(peer, Message::AddrMe { port: *port });
                }
            }
            Event::Ask { which } => {
                if let Some((peer, _)) = pick(&self.joined, which) {
                    rig.hear(peer, Message::GetAddrs { count: u32::MAX });
                }
            }
            Event::Pass { millis } => rig.pass(Duration::from_millis(u64::from(*millis))),
        }
        self.see(rig);
    }

    /// A connection gets as far as the next stage, or not.
    fn progress(&mut self, rig: &mut Rig, which: &prop::sample::Index, fails: bool) {
        if let Some((peer, at)) = pick(&self.dialling, which) {
            self.dialling.remove(&peer);
            if fails {
                rig.give(PeeringInput::DialFailed { peer });
            } else {
                self.connected.insert(peer, at);
                rig.connect(peer, Some(at));
            }
        } else if let Some((peer, at)) = pick(&self.connected, which) {
            self.connected.remove(&peer);
            if fails {
                self.incoming.remove(&peer);
                rig.leave(peer, Departure::Failed);
            } else {
                self.joined.insert(peer, at);
                rig.join(peer, peer);
            }
        }
    }

    fn leave(&mut self, rig: &mut Rig, which: &prop::sample::Index, how: u8) {
        let Some((peer, _)) = pick(&self.joined, which) else { return };
        self.joined.remove(&peer);
        self.incoming.remove(&peer);
        let how = match how % 4 {
            0 => Departure::Failed,
            1 => Rig::misbehaved(),
            _ => Departure::Ended,
        };
        rig.leave(peer, how);
    }

    /// Carries out what is wanted and checks what must hold.
    fn see(&mut self, rig: &mut Rig) {
        for (peer, target) in core::mem::take(&mut rig.dialled) {
            let DialTarget::Address(at) = target else { panic!("no names were given") };
            assert!(rig.peering.bans.until(rig.now.mono, at.ip()).is_none(), "{at} is banned");
            self.dialling.insert(peer, at);
        }
        for (peer, _) in core::mem::take(&mut rig.closed) {
            let is_there = self.connected.remove(&peer).or(self.joined.remove(&peer)).is_some();
            assert!(is_there, "{peer} is closed twice or was never there");
            self.incoming.remove(&peer);
            rig.leave(peer, Departure::Ended);
            self.closing.insert(peer);
        }
        for (peer, message) in core::mem::take(&mut rig.sent) {
            // Told to be sent before it left, at the latest.
            assert!(self.joined.contains_key(&peer) || peer <= self.last_id(), "{peer}");
            if let Message::Addrs(records) = message {
                assert!(records.len() <= 100);
            }
        }
        self.check(rig);
    }

    fn last_id(&self) -> PeerId {
        let ids = [&self.dialling, &self.connected, &self.joined];
        let last = ids.into_iter().filter_map(|map| map.last_key_value()).map(|(id, _)| *id).max();
        last.max(self.closing.last().copied()).unwrap_or(0)
    }

    fn check(&self, rig: &Rig) {
        let status = rig.status();
        assert_eq!(status.outgoing + status.incoming, self.joined.len());
        assert!(status.outgoing <= OUTGOING_WANTED, "{status:?}");
        assert!(self.dialling.len() <= 30 && self.incoming.len() <= 40, "{status:?}");
        assert!(rig.peering.wakes_at() >= rig.now.mono, "time that has passed wakes nobody");

        let mut outgoing: BTreeMap<NetGroup, usize> = BTreeMap::new();
        let mut incoming: BTreeMap<NetGroup, usize> = BTreeMap::new();
        for (peer, at) in self.dialling.iter().chain(&self.connected).chain(&self.joined) {
            let groups = if self.incoming.contains(peer) { &mut incoming } else { &mut outgoing };
            *groups.entry(NetGroup::of(at.ip()).unwrap()).or_default() += 1;
        }
        assert!(outgoing.values().all(|count| *count == 1), "{outgoing:?}");
        assert!(incoming.values().all(|count| *count <= 3), "{incoming:?}");
    }
}

fn pick(
    among: &BTreeMap<PeerId, SocketAddr>,
    which: &prop::sample::Index,
) -> Option<(PeerId, SocketAddr)> {
    let place = (!among.is_empty()).then(|| which.index(among.len()))?;
    among.iter().nth(place).map(|(peer, at)| (*peer, *at))
}

proptest! {
    #[test]
    fn limits_hold_whatever_happens(events in vec(events(), 0..150)) {
        let mut rig = Rig::new(PeeringConfig { listen_port: Some(9333), ..config() });
        let mut driver = Driver::default();
        for event in &events {
            driver.play(&mut rig, event);
        }
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_outputs(
        seed in any::<u64>(),
        inputs in vec((0..40_u16, 0..5_000_u32), 0..60),
    ) {
        let run = || {
            let config = PeeringConfig { seed, listen_port: Some(1), ..config() };
            let mut peering = Peering::new(config, at(Duration::ZERO));
            let mut outputs = Vec::new();
            let mut time = Duration::ZERO;
            for (number, millis) in &inputs {
                time += Duration::from_millis(u64::from(*millis));
                let now = at(time);
                if let Ok(peer) = peering.accept(now, public(*number, 1)) {
                    peering.handle(now, PeeringInput::Joined { peer, info: info(peer) });
                    let message = gossip::addrs(&[public(number + 50, 1), public(number + 90, 2)]);
                    peering.handle(now, PeeringInput::Received { peer, message });
                }
                outputs.extend(std::iter::from_fn(|| peering.poll()));
            }
            outputs
        };
        prop_assert_eq!(run(), run());
    }
}

/// Honest nodes, all reachable, and liars in four parts of the network, who go on telling addresses:
/// their own and invented ones at which nobody answers. Says how many of our outgoing connections
/// end up with liars.
fn connections_to_liars(seed: u64) -> (usize, usize) {
    let mut rig = Rig::new(PeeringConfig { seed, ..config() });
    let honest: Vec<_> = (0..40_u16).map(|n| public(n * 3, 1)).collect();
    rig.give(PeeringInput::Resolved { host: host("a.example"), addresses: honest[..4].to_vec() });
    // Liars come by themselves, three from each of four parts of the network.
    let liars: Vec<_> = (0..12_u16).map(|n| rig.visit(lie(n / 3, n))).collect();
    let mut peers = BTreeMap::new();
    let mut nonce = 10_000;
    let mut invented = 0_u16;
    for round in 0..400_u32 {
        rig.pass(SECOND * 5);
        for liar in &liars {
            let lies: Vec<_> = (0..5).map(|n| lie((invented + n) % 200, invented + n)).collect();
            invented = (invented + 5) % 20_000;
            rig.hear(*liar, gossip::addrs(&lies));
        }
        for (peer, target) in core::mem::take(&mut rig.dialled) {
            let DialTarget::Address(at) = target else { panic!("no names were given") };
            if is_lie(at) && !is_liar(at) {
                rig.give(PeeringInput::DialFailed { peer });
                continue;
            }
            nonce += 1;
            rig.connect(peer, Some(at));
            rig.join(peer, nonce);
            peers.insert(peer, at);
        }
        for (peer, _) in core::mem::take(&mut rig.closed) {
            peers.remove(&peer);
            rig.leave(peer, Departure::Ended);
        }
        // Honest peers answer questions, and some connection ends now and then.
        for (peer, at) in &peers.clone() {
            if !is_lie(*at) {
                let start = usize::try_from(round * 8).unwrap_or(0) % 40;
                rig.hear(*peer, gossip::addrs(&honest[start..start + 8]));
            }
        }
        if round % 10 == 9
            && let Some((peer, _)) = peers.pop_first()
        {
            rig.leave(peer, Departure::Ended);
        }
    }
    let lost = peers.values().filter(|at| is_lie(**at)).count();
    let known = honest.iter().filter(|at| rig.peering.book.get(**at).is_some()).count();
    assert!(known > 35, "{known} of 40 honest addresses are left");
    (lost, peers.len())
}

/// An address of the liars.
fn lie(group: u16, host: u16) -> SocketAddr {
    let [b, _] = [u8::try_from(group % 256).unwrap_or(0), 0];
    let [c, d] = host.to_be_bytes();
    SocketAddr::from(([150, b, c, d], 9333))
}

fn is_lie(at: SocketAddr) -> bool {
    matches!(at.ip(), IpAddr::V4(ip) if ip.octets()[0] == 150)
}

/// Whether there is a liar's node.
fn is_liar(at: SocketAddr) -> bool {
    is_lie(at) && matches!(at.ip(), IpAddr::V4(ip) if ip.octets()[1] < 4)
}

#[test]
fn a_few_liars_do_not_get_the_majority_of_our_connections() {
    let runs: Vec<_> = (0..5).map(connections_to_liars).collect();
    let lost: usize = runs.iter().map(|(lost, _)| lost).sum();
    let all: usize = runs.iter().map(|(_, all)| all).sum();
    assert!(lost * 2 < all, "{runs:?}");
}
