//! Who is dialled, and when.

use super::*;

#[test]
fn wanted_connections_are_made_one_after_the_other() {
    let mut rig = Rig::new(config());
    rig.load((0..40).map(|n| public(n, 1)));
    let mut nonce = 0;
    while rig.status().outgoing < OUTGOING_WANTED {
        let (peer, address) = rig.next_address();
        nonce += 1;
        rig.connect(peer, Some(address));
        rig.join(peer, nonce);
    }
    let took = rig.now.mono.since(MonoTime::ZERO);
    assert!((SECOND..SECOND * 20).contains(&took), "{took:?}");
    rig.pass(HOUR);
    assert!(rig.dialled.is_empty(), "enough is enough");
    assert!(rig.closed.is_empty());
}

#[test]
fn attempts_come_about_once_a_second_and_never_more_than_thirty_at_once() {
    let mut rig = Rig::new(config());
    rig.load((0..300).map(|n| public(n, 1)));
    rig.pass(SECOND * 15);
    assert!((5..30).contains(&rig.dialled.len()), "{}", rig.dialled.len());
    rig.pass(SECOND * 600);
    assert_eq!(rig.dialled.len(), 30);
}

#[test]
fn one_part_of_the_network_is_dialled_once_at_a_time() {
    let mut rig = Rig::new(config());
    rig.load((0..50).map(|n| public(1, n)));
    rig.pass(SECOND * 60);
    assert_eq!(rig.dialled.len(), 1);
    let (peer, address) = rig.next_address();
    rig.connect(peer, Some(address));
    rig.join(peer, 1);
    rig.pass(SECOND * 600);
    assert!(rig.dialled.is_empty());
    rig.leave(peer, Departure::Ended);
    rig.pass(SECOND * 60);
    assert_eq!(rig.dialled.len(), 1);
}

#[test]
fn those_who_answer_when_there_are_enough_are_let_go_without_blame() {
    let mut rig = Rig::new(PeeringConfig { outgoing_wanted: 1, ..config() });
    rig.load((0..9).map(|n| public(n, 1)));
    rig.pass(SECOND * 60);
    let dialled: Vec<_> = rig.dialled.keys().copied().collect();
    dialled.iter().for_each(|peer| rig.connect(*peer, None));
    assert_eq!(rig.closed.len(), dialled.len() - 1);
    assert!(rig.closed.iter().all(|(_, reason)| *reason == CloseReason::Surplus));
    for (peer, _) in rig.closed.clone() {
        rig.leave(peer, Departure::Ended);
    }
    assert!(rig.peering.book.records().all(|known| known.failures == 0));
    assert_eq!(rig.status().known_addresses, 9);
}

#[test]
fn a_fixed_peer_is_dialled_for_ever_with_growing_pauses() {
    let fixed_peers = vec![host("pool.example")];
    let mut rig = Rig::new(PeeringConfig { fixed_peers, outgoing_wanted: 0, ..config() });
    let mut last = MonoTime::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let (peer, target) = rig.next_dial();
        assert_eq!(target, DialTarget::Host(host("pool.example")));
        pauses.push(rig.now.mono.since(last));
        last = rig.now.mono;
        rig.give(PeeringInput::DialFailed { peer });
    }
    assert_eq!(pauses[0], Duration::ZERO);
    assert!((SECOND / 4..SECOND).contains(&pauses[1]), "{pauses:?}");
    let longest = SECOND * 45..=SECOND * 75;
    assert!(pauses[9..].iter().all(|pause| longest.contains(pause)), "{pauses:?}");

    // One that was there for a while is looked for at once.
    let (peer, _) = rig.next_dial();
    rig.connect(peer, Some(public(1, 1)));
    rig.join(peer, 1);
    rig.pass(HOUR);
    rig.leave(peer, Departure::Ended);
    let left = rig.now.mono;
    rig.next_dial();
    assert!(rig.now.mono.since(left) < SECOND);
}

#[test]
fn a_fixed_peer_is_extra_and_never_banned() {
    let fixed_peers = vec![host("1.2.3.4")];
    let mut rig = Rig::new(PeeringConfig { fixed_peers, outgoing_wanted: 1, ..config() });
    let (peer, target) = rig.next_dial();
    assert_eq!(target, DialTarget::Address(address("1.2.3.4:9333")));
    rig.connect(peer, Some(address("1.2.3.4:9333")));
    rig.join(peer, 1);
    rig.load([public(1, 1)]);
    let (ordinary, at) = rig.next_address();
    rig.connect(ordinary, Some(at));
    rig.join(ordinary, 2);
    assert_eq!((rig.status().outgoing, rig.closed.len()), (2, 0));

    rig.leave(peer, Rig::misbehaved());
    assert_eq!(rig.status().banned_hosts, 0);
    let visitor = rig.visit(address("1.2.3.4:40000"));
    rig.leave(visitor, Rig::misbehaved());
    assert!(rig.peering.accept(rig.now, address("1.2.3.4:40001")).is_ok());
    assert!(
        matches!(rig.next_dial(), (_, DialTarget::Address(at)) if at == address("1.2.3.4:9333"))
    );
}

#[test]
fn a_fixed_peer_that_has_come_by_itself_is_not_dialled_until_it_leaves() {
    let fixed_peers = vec![host("1.2.3.4")];
    let mut rig = Rig::new(PeeringConfig { fixed_peers, ..config() });
    let (peer, _) = rig.next_dial();
    rig.connect(peer, Some(address("1.2.3.4:9333")));
    let visitor = rig.peering.accept(rig.now, address("1.2.3.4:50000")).unwrap();
    rig.join(visitor, 77);
    rig.leave(peer, Departure::Duplicate { nonce: 77 });
    rig.pass(HOUR);
    assert!(rig.dialled.is_empty());
    rig.leave(visitor, Departure::Ended);
    rig.next_dial();
}

#[test]
fn bootstrap_names_are_looked_up_at_the_start_and_again_while_nobody_is_found() {
    let bootstrap = vec![host("a.example"), host("b.example")];
    let mut rig = Rig::new(PeeringConfig { bootstrap: bootstrap.clone(), ..config() });
    assert_eq!(rig.resolving, bootstrap);
    assert!(!rig.status().has_tried_all, "the names may know somebody");
    let [a, b] = [host("a.example"), host("b.example")];
    rig.give(PeeringInput::Resolved { host: a, addresses: vec![public(1, 1), public(2, 1)] });
    rig.give(PeeringInput::Resolved { host: b, addresses: vec![] });
    assert_eq!(rig.status().resolved_names, 1);

    let mut lookups = 0;
    for _ in 0..2000 {
        let due = rig.peering.wakes_at();
        rig.now = at(due.since(MonoTime::ZERO));
        rig.give(PeeringInput::Wake);
        for peer in core::mem::take(&mut rig.dialled).into_keys() {
            rig.give(PeeringInput::DialFailed { peer });
        }
        for asked in rig.resolving.split_off(2) {
            lookups += 1;
            rig.give(PeeringInput::Resolved { host: asked, addresses: vec![public(1, 1)] });
        }
    }
    assert!(lookups > 4, "{lookups}");
    let status = rig.status();
    assert!(status.has_tried_all);
    assert_eq!((status.tried_addresses, status.reached_addresses, status.outgoing), (2, 0, 0));
    assert_eq!(status.known_addresses, 2, "being offline costs no addresses");
}

#[test]
fn who_is_banned_does_not_keep_the_search_from_ending() {
    let mut rig = Rig::new(config());
    let bad = rig.visit(public(1, 1));
    rig.leave(bad, Rig::misbehaved());
    rig.load([public(1, 1), public(2, 1)]);
    let (peer, at) = rig.next_address();
    assert_eq!(at, public(2, 1));
    assert!(!rig.status().has_tried_all);
    rig.give(PeeringInput::DialFailed { peer });
    rig.pass(SECOND * 8);
    assert!(rig.dialled.is_empty() && rig.status().has_tried_all);
}

#[test]
fn lookups_while_alone_come_after_growing_pauses_and_not_while_somebody_is_there() {
    let bootstrap = vec![host("a.example")];
    let mut rig = Rig::new(PeeringConfig { bootstrap, ..config() });
    let mut times = vec![MonoTime::ZERO];
    rig.give(PeeringInput::Resolved { host: host("a.example"), addresses: vec![] });
    rig.resolving.clear();
    while times.len() < 9 {
        let due = rig.peering.wakes_at();
        rig.now = at(due.since(MonoTime::ZERO));
        rig.give(PeeringInput::Wake);
        for asked in core::mem::take(&mut rig.resolving) {
            times.push(rig.now.mono);
            rig.give(PeeringInput::Resolved { host: asked, addresses: vec![] });
        }
    }
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    assert!((SECOND * 22..SECOND * 38).contains(&pauses[0]), "{pauses:?}");
    assert!((HOUR * 3 / 4..=HOUR * 5 / 4).contains(&pauses[7]), "{pauses:?}");

    rig.visit(public(1, 1));
    rig.pass(HOUR * 48);
    assert!(rig.resolving.is_empty());
}

#[test]
fn behind_a_proxy_names_are_dialled_and_never_looked_up() {
    let bootstrap = vec![host("a.example"), host("b.example")];
    let mut rig = Rig::new(PeeringConfig { bootstrap, resolves_names: false, ..config() });
    let mut names = BTreeSet::new();
    for nonce in 1..=2 {
        let (peer, target) = rig.next_dial();
        names.insert(target.to_string());
        rig.connect(peer, None);
        rig.join(peer, nonce);
    }
    assert_eq!(names, ["a.example:9333", "b.example:9333"].map(String::from).into());
    rig.pass(HOUR);
    assert!(rig.resolving.is_empty() && rig.dialled.is_empty());
    assert_eq!(rig.status().outgoing, 2);
}

#[test]
fn an_evening_without_a_line_costs_no_addresses() {
    let mut rig = Rig::new(config());
    rig.load((0..20).map(|n| public(n, 1)));
    let visitor = rig.visit(public(500, 1));
    let told: Vec<_> = (100..105).map(|n| public(n, 1)).collect();
    rig.hear(visitor, gossip::addrs(&told));
    assert_eq!(rig.status().known_addresses, 25);
    rig.leave(visitor, Departure::Ended);
    let evening = rig.now.mono + HOUR * 5;
    while rig.now.mono < evening {
        let (peer, _) = rig.next_dial();
        rig.give(PeeringInput::DialFailed { peer });
    }
    assert_eq!(rig.status().known_addresses, 25);

    // Nor does an evening with a neighbour only.
    let neighbour = rig.visit(address("127.0.0.1:40000"));
    let evening = rig.now.mono + HOUR * 5;
    while rig.now.mono < evening {
        let (peer, _) = rig.next_dial();
        rig.give(PeeringInput::DialFailed { peer });
    }
    assert_eq!(rig.status().known_addresses, 25);
    rig.leave(neighbour, Departure::Ended);

    // With somebody there, those who never answer are forgotten.
    rig.visit(public(501, 1));
    let night = rig.now.mono + HOUR * 5;
    while rig.now.mono < night {
        let (peer, _) = rig.next_dial();
        rig.give(PeeringInput::DialFailed { peer });
    }
    assert_eq!(rig.status().known_addresses, 20);
}

#[test]
fn whoever_was_dialled_and_is_ourselves_is_not_dialled_again() {
    let mut rig = Rig::new(config());
    rig.load([public(1, 1)]);
    let (peer, at) = rig.next_address();
    rig.connect(peer, Some(at));
    rig.leave(peer, Departure::from(&crate::SessionError::ConnectedToSelf));
    let visitor = rig.visit(public(2, 1));
    rig.hear(visitor, gossip::addrs(&[public(1, 1)]));
    rig.pass(HOUR);
    assert!(rig.dialled.is_empty());
    assert_eq!((rig.status().known_addresses, rig.status().banned_hosts), (0, 0));
}

#[test]
fn a_host_that_is_connected_already_is_not_dialled() {
    let mut rig = Rig::new(config());
    rig.visit(SocketAddr::new(public(1, 1).ip(), 50_000));
    rig.load([public(1, 1)]);
    rig.pass(HOUR);
    assert!(rig.dialled.is_empty());
}

#[test]
fn on_one_computer_every_port_is_a_node_of_its_own() {
    let mut rig = Rig::new(PeeringConfig { allows_private: true, ..config() });
    rig.load((1..=6).map(|port| SocketAddr::from(([127, 0, 0, 1], port))));
    for nonce in 1..=6 {
        let (peer, at) = rig.next_address();
        rig.connect(peer, Some(at));
        rig.join(peer, nonce);
    }
    assert_eq!(rig.status().outgoing, 6);
}

#[test]
fn what_is_learnt_is_saved_and_makes_the_same_book_after_a_restart() {
    let mut rig = Rig::new(config());
    let visitor = rig.visit(public(2, 1));
    rig.hear(visitor, gossip::addrs(&[public(1, 1), public(3, 1)]));
    rig.pass(SECOND * 400);
    let saved: usize = rig.saved.iter().map(|changes| changes.changed.len()).sum();
    assert!(saved >= 2, "{:?}", rig.saved);

    let mut books = BTreeMap::new();
    rig.saved.push(rig.peering.take_unsaved(rig.now));
    for changes in &rig.saved {
        for record in &changes.changed {
            books.insert(record.address, record.clone());
        }
        for address in &changes.removed {
            books.remove(address);
        }
    }
    assert!(rig.peering.book.records().eq(books.values()));
    assert_eq!(rig.peering.take_unsaved(rig.now), AddressChanges::default());
}
