//! What a person decides while the node runs.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ban(rig: &mut Rig, ip: IpAddr) {
    rig.give(PeeringInput::Ban { ip, time: DAY });
}

#[test]
fn a_ban_by_hand_ends_every_connection_of_the_host_and_is_stored() {
    let mut rig = Rig::new(config());
    let bad = public(1, 1);
    let (first, second, other) = (rig.visit(bad), rig.visit(bad), rig.visit(public(2, 1)));
    ban(&mut rig, bad.ip());
    assert_eq!(rig.closed, [(first, CloseReason::Banned), (second, CloseReason::Banned)]);
    let until = UnixTime(rig.now.wall.0 + DAY.as_secs());
    let record = BanRecord { host: bad.ip(), until };
    assert_eq!(rig.saved_bans, [record]);
    assert_eq!(rig.peering.bans(rig.now), [record]);
    assert!(rig.peering.accept(rig.now, bad).is_err());
    assert!(!rig.closed.iter().any(|(peer, _)| *peer == other));
}

#[test]
fn bans_from_storage_hold_for_the_rest_of_their_time() {
    let mut rig = Rig::new(config());
    let bad = public(1, 1);
    let until = UnixTime(rig.now.wall.0 + 3600);
    let past = BanRecord { host: public(2, 1).ip(), until: UnixTime(1) };
    rig.give(PeeringInput::LoadedBans(vec![BanRecord { host: bad.ip(), until }, past]));
    assert!(rig.peering.accept(rig.now, public(2, 1)).is_ok());
    assert!(rig.peering.accept(rig.now, bad).is_err());
    rig.pass(HOUR);
    assert!(rig.peering.accept(rig.now, bad).is_ok());
}

#[test]
fn a_lifted_ban_is_over_and_stored_as_such() {
    let mut rig = Rig::new(config());
    let bad = public(1, 1);
    ban(&mut rig, bad.ip());
    rig.give(PeeringInput::Unban { ip: bad.ip() });
    assert!(rig.peering.accept(rig.now, bad).is_ok());
    assert_eq!(rig.saved_bans.last(), Some(&BanRecord { host: bad.ip(), until: UnixTime(0) }));
    assert!(rig.peering.bans(rig.now).is_empty());
}

#[test]
fn misbehaviour_is_stored_and_short_bans_are_not() {
    let mut rig = Rig::new(config());
    let peer = rig.visit(public(1, 1));
    rig.leave(peer, Departure::Misbehaved { ban: BAN_FAILED_REQUEST });
    assert!(rig.saved_bans.is_empty());
    let peer = rig.visit(public(2, 1));
    rig.leave(peer, Rig::misbehaved());
    assert_eq!(rig.saved_bans.len(), 1);
}

#[test]
fn a_fixed_peer_can_be_banned_by_hand_and_is_dialled_again_after_it() {
    let friend = Host { name: public(1, 1).ip().to_string(), port: 9333 };
    let mut rig = Rig::new(PeeringConfig { fixed_peers: vec![friend], ..config() });
    let (peer, _) = rig.next_dial();
    rig.connect(peer, Some(public(1, 1)));
    rig.join(peer, 5);
    ban(&mut rig, public(1, 1).ip());
    assert_eq!(rig.closed, [(peer, CloseReason::Banned)]);
    rig.leave(peer, Departure::Ended);
    rig.pass(DAY - HOUR);
    assert!(rig.dialled.is_empty());
    rig.pass(HOUR * 2);
    assert_eq!(rig.dialled.len(), 1);
}

#[test]
fn an_added_peer_is_dialled_at_once_and_again_when_it_is_gone() {
    let mut rig = Rig::new(config());
    rig.give(PeeringInput::AddPeer(host("friend.example")));
    let (peer, target) = rig.dialled.pop_first().unwrap();
    assert_eq!(target, DialTarget::Host(host("friend.example")));
    rig.give(PeeringInput::AddPeer(host("friend.example")));
    assert!(rig.dialled.is_empty(), "it is being dialled already");
    rig.give(PeeringInput::DialFailed { peer });
    assert_eq!(rig.next_dial().1, DialTarget::Host(host("friend.example")));
}

#[test]
fn added_peers_are_bounded() {
    let mut rig = Rig::new(config());
    for number in 0..200 {
        rig.give(PeeringInput::AddPeer(host(&format!("friend{number}.example"))));
    }
    assert_eq!(rig.dialled.len(), FIXED_PEERS_MAX);
}

#[test]
fn adding_a_banned_peer_lifts_its_ban() {
    let mut rig = Rig::new(config());
    let address = public(1, 1);
    ban(&mut rig, address.ip());
    rig.give(PeeringInput::AddPeer(Host { name: address.ip().to_string(), port: 9333 }));
    assert_eq!(rig.dialled.len(), 1);
    assert!(rig.peering.bans(rig.now).is_empty());
}

#[test]
fn a_search_by_hand_looks_up_names_and_tries_resting_addresses_at_once() {
    let bootstrap = vec![host("a.example")];
    let mut rig = Rig::new(PeeringConfig { bootstrap, ..config() });
    rig.give(PeeringInput::Resolved { host: host("a.example"), addresses: vec![public(1, 1)] });
    let (peer, address) = rig.next_address();
    rig.give(PeeringInput::DialFailed { peer });
    rig.resolving.clear();
    rig.give(PeeringInput::SearchNow);
    assert_eq!(rig.resolving, [host("a.example")]);
    let again: Vec<_> = rig.dialled.values().collect();
    assert_eq!(again, [&DialTarget::Address(address)]);
}

#[test]
fn a_reset_forgets_addresses_and_members_but_neither_friends_nor_bans() {
    let bootstrap = vec![host("a.example")];
    let friend = host("friend.example");
    let fixed_peers = vec![friend];
    let mut rig = Rig::new(PeeringConfig { bootstrap, fixed_peers, ..config() });
    let (kept, _) = rig.next_dial();
    rig.connect(kept, Some(public(9, 9)));
    rig.join(kept, 1);
    rig.load([public(1, 1)]);
    let (peer, address) = rig.next_address();
    rig.connect(peer, Some(address));
    rig.join(peer, 2);
    ban(&mut rig, public(3, 3).ip());
    rig.resolving.clear();

    rig.give(PeeringInput::Reset);
    assert_eq!(rig.closed, [(peer, CloseReason::Reset)]);
    assert_eq!(rig.resolving, [host("a.example")]);
    rig.leave(peer, Departure::Ended);
    assert_eq!(rig.status().known_addresses, 0);
    assert!(rig.saved.iter().any(|changes| changes.removed.contains(&address)));
    assert_eq!(rig.peering.bans(rig.now).len(), 1);
}
