//! Nodes that find each other over loopback.

use std::path::Path;
use std::time::Duration;

use p2pool_node::{NodeEventKind, NodeHandle, RawP2p, RawPractice, Settings, start};

/// Safety net: everything here takes a moment.
const SOON: Duration = Duration::from_secs(30);

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

fn node(dir: &Path, p2p: RawP2p) -> NodeHandle {
    start(settings(dir, p2p)).expect("nothing is in the way")
}

/// Knows where `other` listens.
fn peer_of(other: &NodeHandle) -> RawP2p {
    let peers = other.snapshot().p2p.listening.iter().map(ToString::to_string).collect();
    RawP2p { peers, ..RawP2p::default() }
}

#[test]
fn a_node_joins_the_peer_that_it_is_told_of() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = node(one.path(), RawP2p::default());
    let mut heard = first.events();
    let second = node(two.path(), peer_of(&first));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let joined = async {
            while !matches!(heard.recv().await.unwrap().kind, NodeEventKind::MemberJoined { .. }) {}
        };
        tokio::time::timeout(SOON, joined).await.unwrap();
        first.stop().await;
        second.stop().await;
    });
}
