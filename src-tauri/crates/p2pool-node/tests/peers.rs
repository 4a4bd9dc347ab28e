//! Nodes that find each other over loopback, and strangers at their doors.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use p2pool_node::{
    HostPort, MappingState, MemberDeed, NodeHandle, NodeSnapshot, ProblemCode, RawP2p, RawPractice,
    Settings, WhyNoWork, start,
};
use p2pool_sharechain::compact::CompactBits;
use p2pool_sharechain::private_pool::PrivatePool;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Safety net: everything here takes a moment.
const SOON: Duration = Duration::from_secs(60);

fn settings(dir: &Path, p2p: RawP2p) -> Settings {
    let raw = RawPractice {
        chain: Some("regtest".into()),
        threads: Some(0),
        stratum_port: Some(0),
        members: Some(0),
        p2p,
        ..RawPractice::default()
    };
    raw.check(dir.to_owned(), "none".into()).expect("these settings are fine")
}

/// A node in a folder of its own.
fn node(p2p: RawP2p) -> (NodeHandle, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("there is room");
    (start(settings(dir.path(), p2p)).expect("nothing is in the way"), dir)
}

fn door(node: &NodeHandle) -> SocketAddr {
    node.snapshot().p2p.listening[0]
}

/// Knows where `other` listens.
fn peer_of(other: &NodeHandle) -> RawP2p {
    RawP2p { peers: vec![door(other).to_string()], ..RawP2p::default() }
}

/// Waits until the node is as wanted.
async fn until(node: &NodeHandle, is_it: impl FnMut(&Arc<NodeSnapshot>) -> bool) {
    let mut snapshots = node.watch();
    let reached = tokio::time::timeout(SOON, snapshots.wait_for(is_it)).await;
    let is_reached = reached.is_ok_and(|reached| reached.is_ok());
    assert!(is_reached, "{:?}", node.snapshot().p2p);
}

async fn until_connected(node: &NodeHandle, peers: usize) {
    until(node, |snapshot| snapshot.p2p.peers.len() == peers).await;
}

fn runtime() -> Runtime {
    Runtime::new().expect("threads are there")
}

#[test]
fn a_node_joins_the_peer_that_it_is_told_of_and_both_tell_about_it() {
    let (first, _one) = node(RawP2p::default());
    let (second, _two) = node(peer_of(&first));
    runtime().block_on(async {
        until_connected(&first, 1).await;
        until_connected(&second, 1).await;
        until(&second, |snapshot| snapshot.p2p.peers[0].received_bytes > 100).await;
        let (at_first, at_second) = (first.snapshot(), second.snapshot());
        assert_eq!((at_first.p2p.incoming, at_first.p2p.outgoing), (1, 0));
        assert_eq!((at_second.p2p.incoming, at_second.p2p.outgoing), (0, 1));
        let peer = &at_second.p2p.peers[0];
        assert_eq!(peer.address, Some(door(&first)));
        assert!(peer.program.starts_with("p2pool-desktop/") && !peer.is_incoming);
        assert_eq!((at_second.p2p.mapping, at_second.p2p.problem), (MappingState::Off, None));
        second.stop().await;
        until_connected(&first, 0).await;
        first.stop().await;
    });
}

#[test]
fn addresses_spread_and_are_kept_over_a_restart() {
    let (hub, _one) = node(RawP2p::default());
    let (left, _two) = node(peer_of(&hub));
    let (right, dir) = node(peer_of(&hub));
    runtime().block_on(async {
        for node in [&hub, &left, &right] {
            until_connected(node, 2).await;
        }
        right.stop().await;
        let again = tokio::task::block_in_place(|| {
            start(settings(dir.path(), RawP2p::default())).expect("nothing is in the way")
        });
        until(&again, |snapshot| snapshot.p2p.outgoing > 0 || snapshot.p2p.incoming > 0).await;
        assert!(again.snapshot().p2p.known_addresses > 0);
        for node in [again, left, hub] {
            node.stop().await;
        }
    });
}

#[test]
fn a_node_that_does_not_listen_still_connects() {
    let (first, _one) = node(RawP2p::default());
    let (second, _two) = node(RawP2p { listen: Some(false), ..peer_of(&first) });
    assert!(second.snapshot().p2p.listening.is_empty());
    runtime().block_on(async {
        until_connected(&second, 1).await;
        second.stop().await;
        first.stop().await;
    });
}

#[test]
fn a_port_in_use_is_replaced_and_told() {
    let (first, _one) = node(RawP2p::default());
    let (second, _two) = node(RawP2p { port: Some(door(&first).port()), ..RawP2p::default() });
    let p2p = &second.snapshot().p2p;
    assert!(p2p.is_other_port && door(&second) != door(&first));
    assert_eq!(p2p.problem, Some(ProblemCode::PoolPortTaken));
    runtime().block_on(async {
        second.stop().await;
        first.stop().await;
    });
}

#[test]
fn a_node_that_is_alone_on_a_network_of_others_hands_out_no_work() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path(), RawP2p::default());
    let params = p2pool_sharechain::Params::clone(&settings.params);
    settings.params = Arc::new(p2pool_sharechain::Params { needs_peers: true, ..params });
    let alone = start(settings).expect("nothing is in the way");
    runtime().block_on(async {
        // Only asked once there is a template from Bitcoin's side.
        let is_told =
            |node: &Arc<NodeSnapshot>| node.summary.why_no_work == Some(WhyNoWork::NoPeers);
        until(&alone, is_told).await;
        assert!(!alone.snapshot().summary.has_work);
        alone.stop().await;
    });
}

#[test]
fn members_of_a_private_pool_join_with_its_text() {
    let bits = CompactBits(0x1f00_ffff);
    let pool = PrivatePool::new(Network::Regtest, [7; 8], [8; 8], 10, 360, bits).unwrap();
    let in_pool = |p2p| RawP2p { pool: Some(pool.to_string()), ..p2p };
    let (first, _one) = node(in_pool(RawP2p::default()));
    let (second, _two) = node(in_pool(peer_of(&first)));
    runtime().block_on(async {
        until_connected(&first, 1).await;
        until_connected(&second, 1).await;
        second.stop().await;
        first.stop().await;
    });
}

/// Bytes until the other side hangs up.
async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await;
    // A reset is a way of hanging up, too.
    let _ = read.expect("the node hangs up in time");
    bytes
}

#[test]
fn who_finds_all_places_taken_is_turned_away_without_a_word() {
    let (full, _dir) = node(RawP2p { max_incoming: Some(0), ..RawP2p::default() });
    runtime().block_on(async {
        let mut stream = TcpStream::connect(door(&full)).await.unwrap();
        assert_eq!(read_all(&mut stream).await, b"");
        full.stop().await;
    });
}

#[test]
fn who_speaks_before_greeting_is_greeted_and_shown_out() {
    let (host, _dir) = node(RawP2p::default());
    let prefix = p2pool_sharechain::Params::practice(Network::Regtest).prefix;
    runtime().block_on(async {
        let mut stream = TcpStream::connect(door(&host)).await.unwrap();
        let mut greeting = [0; 15];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!((&greeting[..8], &greeting[8..]), (&prefix[..], &b"version"[..]));
        let ping = p2pool_wire::Message::Ping.encode(prefix).unwrap();
        stream.write_all(&ping).await.unwrap();
        read_all(&mut stream).await;
        assert_eq!(host.snapshot().p2p.peers, []);
        host.stop().await;
    });
}

/// A SOCKS5 proxy that knows one place, whatever it is asked for. Gives the name asked for.
async fn one_way_proxy(listener: TcpListener, place: SocketAddr) -> (String, TcpStream, TcpStream) {
    let (mut inside, _) = listener.accept().await.unwrap();
    let mut greeting = [0; 3];
    inside.read_exact(&mut greeting).await.unwrap();
    inside.write_all(&[5, 0]).await.unwrap();
    let mut head = [0; 5];
    inside.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..4], [5, 1, 0, 3], "a name, not an address");
    let mut name = vec![0; usize::from(head[4]) + 2];
    inside.read_exact(&mut name).await.unwrap();
    name.truncate(usize::from(head[4]));
    inside.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let outside = TcpStream::connect(place).await.unwrap();
    (String::from_utf8(name).unwrap(), inside, outside)
}

#[test]
fn behind_a_proxy_names_are_the_proxys_and_nobody_is_told_of_a_door() {
    let (first, _one) = node(RawP2p::default());
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let p2p = RawP2p {
            peers: vec!["pool.invalid:9333".into()],
            proxy: Some(listener.local_addr().unwrap().to_string()),
            ..RawP2p::default()
        };
        let (second, _two) = tokio::task::block_in_place(|| node(p2p));
        assert!(second.snapshot().p2p.listening.is_empty());
        let asked = tokio::time::timeout(SOON, one_way_proxy(listener, door(&first)));
        let (name, mut inside, mut outside) = asked.await.unwrap();
        assert_eq!(name, "pool.invalid");
        let relay = async { copy_bidirectional(&mut inside, &mut outside).await };
        let joined = async {
            until_connected(&second, 1).await;
            assert_eq!(second.snapshot().p2p.peers[0].address, None);
            second.stop().await;
        };
        let (_, ()) = tokio::join!(relay, joined);
        first.stop().await;
    });
}

#[test]
fn a_ban_by_hand_survives_a_restart_and_can_be_lifted() {
    let (first, dir) = node(RawP2p::default());
    let ip = "203.0.113.5".parse().unwrap();
    runtime().block_on(async {
        first.decide(MemberDeed::Ban { ip, time: Duration::from_secs(24 * 3600) }).await;
        until(&first, |node| node.p2p.bans.len() == 1).await;
        let until_when = first.snapshot().p2p.bans[0].until;
        first.stop().await;
        let again = tokio::task::block_in_place(|| {
            start(settings(dir.path(), RawP2p::default())).expect("nothing is in the way")
        });
        until(&again, |node| node.p2p.bans.len() == 1).await;
        let ban = again.snapshot().p2p.bans[0];
        assert_eq!(ban.host, ip);
        // Whole seconds are lost on the way to a clock without a date and back.
        assert!(until_when.0.abs_diff(ban.until.0) <= 2, "{until_when:?} and {:?}", ban.until);
        again.decide(MemberDeed::Unban { ip }).await;
        until(&again, |node| node.p2p.bans.is_empty()).await;
        again.stop().await;
        let last = tokio::task::block_in_place(|| {
            start(settings(dir.path(), RawP2p::default())).expect("nothing is in the way")
        });
        until(&last, |node| !node.p2p.listening.is_empty()).await;
        assert_eq!(last.snapshot().p2p.bans, []);
        last.stop().await;
    });
}

#[test]
fn a_member_added_by_hand_is_connected_and_timed() {
    let (first, _one) = node(RawP2p::default());
    let (second, _two) = node(RawP2p::default());
    let place = HostPort::parse(&door(&first).to_string(), None).unwrap();
    runtime().block_on(async {
        second.decide(MemberDeed::Add(place)).await;
        until_connected(&second, 1).await;
        let peer = second.snapshot().p2p.peers[0].clone();
        assert!(peer.round_trip.is_some_and(|took| took < SOON));
        assert_eq!(
            second.share_details(p2pool_sharechain::ShareHash::from_internal([1; 32])).await,
            None
        );
        assert_eq!(second.share_tree().await, []);
        second.stop().await;
        first.stop().await;
    });
}
