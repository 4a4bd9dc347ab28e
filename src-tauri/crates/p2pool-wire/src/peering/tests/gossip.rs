//! Addresses told and heard.

use super::*;
use crate::message::{AddrRecord, NetAddr};

/// A list of addresses, seen at the start of the test.
pub(super) fn addrs(addresses: &[SocketAddr]) -> Message {
    let record = |address: &SocketAddr| AddrRecord {
        timestamp: 1_700_000_000,
        address: NetAddr::from(*address),
    };
    Message::Addrs(addresses.iter().map(record).collect())
}

fn listening() -> PeeringConfig {
    PeeringConfig { listen_port: Some(9333), outgoing_wanted: 0, ..config() }
}

fn silent() -> PeeringConfig {
    PeeringConfig { outgoing_wanted: 0, ..config() }
}

fn records_of(message: &Message) -> Option<&Vec<AddrRecord>> {
    if let Message::Addrs(records) = message { Some(records) } else { None }
}

/// Addresses sent to others, alone, as news are.
fn forwarded(rig: &mut Rig) -> Vec<(PeerId, AddrRecord)> {
    let sent = core::mem::take(&mut rig.sent);
    let news = sent.iter().filter_map(|(peer, message)| match records_of(message)?[..] {
        [record] => Some((*peer, record)),
        _ => None,
    });
    news.collect()
}

#[test]
fn a_listener_says_so_at_once_and_then_now_and_then() {
    let mut rig = Rig::new(listening());
    let peer = rig.visit(public(1, 1));
    assert!(rig.sent.contains(&(peer, Message::AddrMe { port: 9333 })));
    rig.sent.clear();
    rig.pass(HOUR * 10);
    let told = rig.sent.iter().filter(|(_, message)| *message == Message::AddrMe { port: 9333 });
    // Every 101 seconds on average.
    let told = told.count();
    assert!((270..450).contains(&told), "{told}");
}

#[test]
fn whoever_does_not_listen_says_nothing() {
    let mut rig = Rig::new(silent());
    rig.visit(public(1, 1));
    rig.pass(HOUR);
    assert!(rig.sent.iter().all(|(_, message)| matches!(message, Message::GetAddrs { .. })));
}

#[test]
fn a_known_external_address_is_told_in_full_and_never_taken_from_others() {
    let mut rig = Rig::new(listening());
    rig.give(PeeringInput::ExternalAddress(Some(address("9.9.9.9:1234"))));
    let peer = rig.visit(public(1, 1));
    let told = forwarded(&mut rig);
    let [(to, record)] = told[..] else { panic!("{told:?}") };
    assert_eq!((to, record.address.socket_addr()), (peer, address("9.9.9.9:1234")));
    assert_eq!(record.address.services, Services::SHARE_HASHES);
    assert_eq!(record.timestamp, rig.now.wall.0);
    rig.hear(peer, addrs(&[address("9.9.9.9:1234")]));
    assert_eq!(rig.status().known_addresses, 0);

    // An address that means nothing to strangers is none.
    rig.give(PeeringInput::ExternalAddress(Some(address("192.168.1.9:1234"))));
    let other = rig.visit(public(2, 1));
    assert!(rig.sent.contains(&(other, Message::AddrMe { port: 9333 })));
}

#[test]
fn heard_addresses_are_kept_and_four_of_five_passed_on_to_one_other() {
    let mut rig = Rig::new(silent());
    let peers: Vec<_> = (0..3).map(|n| rig.visit(public(n, 1))).collect();
    let mut count = 0;
    let mut told = Vec::new();
    for n in 0..150 {
        rig.hear(peers[0], addrs(&[public(100 + n, 7)]));
        let news = forwarded(&mut rig);
        assert!(news.len() <= 1);
        count += news.len();
        told.extend(news);
    }
    assert_eq!(rig.status().known_addresses, 150);
    assert!((105..135).contains(&count), "{count}");
    let to = |peer| told.iter().filter(|(to, _)| *to == peer).count();
    assert!(to(peers[1]) > 40 && to(peers[2]) > 40 && to(peers[0]) == 0);
}

#[test]
fn answers_are_kept_and_not_passed_on() {
    let mut rig = Rig::new(silent());
    let peers: Vec<_> = (0..3).map(|n| rig.visit(public(n, 1))).collect();
    let answer: Vec<_> = (0..11).map(|n| public(100 + n, 7)).collect();
    rig.hear(peers[0], addrs(&answer));
    assert_eq!((rig.status().known_addresses, forwarded(&mut rig).len()), (11, 0));
}

#[test]
fn addrme_means_the_address_we_see_and_from_this_computer_the_address_others_see() {
    let mut rig = Rig::new(silent());
    let other = rig.visit(public(2, 1));
    let from = public(1, 1).ip();
    let mut news = Vec::new();
    for port in 1..=4 {
        let peer = rig.visit(SocketAddr::new(public(1, 1).ip(), 40_000));
        rig.hear(peer, Message::AddrMe { port });
        news.extend(forwarded(&mut rig));
        rig.leave(peer, Departure::Ended);
    }
    let known: Vec<_> = rig.peering.book.records().map(|known| known.address).collect();
    assert_eq!(known, (1..=4).map(|port| SocketAddr::new(from, port)).collect::<Vec<_>>());
    assert!(!news.is_empty() && news.iter().all(|(to, _)| *to == other));

    let neighbour = rig.visit(address("127.0.0.1:40000"));
    (0..20).for_each(|_| rig.hear(neighbour, Message::AddrMe { port: 5 }));
    let passed = rig.sent.iter().filter(|sent| **sent == (other, Message::AddrMe { port: 5 }));
    let passed = passed.count();
    assert!((10..20).contains(&passed), "{passed}");
    assert_eq!(rig.status().known_addresses, 4);
}

#[test]
fn a_question_is_answered_with_at_most_a_hundred_and_only_so_often() {
    let mut rig = Rig::new(silent());
    rig.load((0..300).map(|n| public(n, 1)));
    let peer = rig.visit(public(900, 1));
    rig.sent.clear();
    for count in [8, 100, u32::MAX] {
        rig.hear(peer, Message::GetAddrs { count });
    }
    let answers = rig.sent.iter().filter_map(|(_, message)| records_of(message));
    let lengths: Vec<_> = answers.map(Vec::len).collect();
    rig.sent.clear();
    assert_eq!(lengths, [8, 100, 100]);
    for _ in 0..1000 {
        rig.hear(peer, Message::GetAddrs { count: 100 });
    }
    let answers = rig.sent.iter().filter(|(_, message)| matches!(message, Message::Addrs(_)));
    assert_eq!(answers.count(), 7);
}

#[test]
fn a_flood_of_addresses_is_read_to_its_allowance_only() {
    let mut rig = Rig::new(silent());
    let peer = rig.visit(public(1, 1));
    rig.visit(public(2, 1));
    rig.sent.clear();
    for n in 0..5000 {
        rig.hear(peer, addrs(&[public(n, n)]));
    }
    assert_eq!(rig.status().known_addresses, 200);
    assert!(rig.sent.len() < 200);
    rig.pass(SECOND * 50);
    for n in 5000..6000 {
        rig.hear(peer, addrs(&[public(n, n)]));
    }
    assert_eq!(rig.status().known_addresses, 210);
}

#[test]
fn whoever_floods_and_comes_again_gets_no_more_passed_on() {
    let mut rig = Rig::new(silent());
    rig.visit(public(2, 1));
    rig.sent.clear();
    for visit in 0..50 {
        let peer = rig.visit(public(1, 1));
        for n in 0..200 {
            rig.hear(peer, addrs(&[public(n, visit * 200 + n)]));
        }
        rig.leave(peer, Departure::Ended);
    }
    assert!(forwarded(&mut rig).len() <= 300);
    assert!(rig.status().known_addresses <= 256);
}

#[test]
fn peers_are_asked_for_addresses_until_there_are_enough() {
    let mut rig = Rig::new(silent());
    rig.visit(public(1, 1));
    rig.pass(HOUR);
    let asked = rig.sent.iter().filter(|(_, m)| *m == Message::GetAddrs { count: 8 }).count();
    // Every 20 seconds on average.
    assert!((130..240).contains(&asked), "{asked}");
    rig.load((0..1000).map(|n| public(n, 1)));
    rig.sent.clear();
    rig.pass(HOUR);
    assert!(rig.sent.is_empty());
}

#[test]
fn messages_from_nobody_mean_nothing() {
    let mut rig = Rig::new(listening());
    let waiting = rig.peering.accept(rig.now, public(1, 1)).unwrap();
    for peer in [waiting, 99] {
        rig.hear(peer, addrs(&[public(2, 1)]));
        rig.hear(peer, Message::GetAddrs { count: 8 });
        rig.hear(peer, Message::AddrMe { port: 9 });
    }
    assert!(rig.sent.is_empty());
    assert_eq!(rig.status().known_addresses, 0);
}
