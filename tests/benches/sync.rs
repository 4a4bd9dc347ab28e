//! From an empty disk to work for miners, over a real connection to a node that has the chain.
//!
//! `cargo bench -p p2pool-tests --bench sync`. Both nodes are whole: database, own Bitcoin chain,
//! sockets. Lengths are those of the live network; hashes are cheap.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use p2pool_engine::Output;
use p2pool_node::{NodeHandle, RawP2p, RawPractice, Settings, start};
use p2pool_sharechain::Params;
use p2pool_sharechain::change::{ChangeSet, StoredShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::Store;
use tokio::runtime::Runtime;

#[path = "../../src-tauri/crates/p2pool-engine/tests/rig/mod.rs"]
mod rig;

use rig::{HARD_BITS, Rig};

/// Wanted seconds between shares of these chains.
const PERIOD_S: u64 = 10;
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The live network's lengths; no work alone, so that work means a finished sync.
fn params() -> Params {
    let live = Params::mainnet();
    Params {
        chain_length: live.chain_length,
        real_chain_length: live.real_chain_length,
        target_lookbehind: live.target_lookbehind,
        needs_peers: true,
        ..rig::params()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs()
}

/// A chain that ends now.
fn mined(count: u32) -> Vec<StoredShare> {
    let alone = Params { needs_peers: false, ..params() };
    let mut rig = Rig::new(alone, 0);
    rig.now.wall = UnixTime(now() - u64::from(count) * PERIOD_S - 60);
    rig.template(10, HARD_BITS);
    let mut stored = Vec::new();
    for _ in 0..count {
        rig.advance(Duration::from_secs(PERIOD_S));
        let (template, solution) = rig.find_share();
        for output in rig.hand_in(template, solution, true) {
            if let Output::Persist { changes, .. } = output {
                stored.extend(changes.added);
            }
        }
        rig.outputs.retain(|output| matches!(output, Output::Publish(_)));
        let surplus = rig.outputs.len().saturating_sub(1);
        rig.outputs.drain(..surplus);
    }
    assert_eq!(stored.len(), count as usize);
    stored
}

fn settings(dir: &Path, peer: Option<String>) -> Settings {
    let raw = RawPractice {
        chain: Some("regtest".into()),
        threads: Some(0),
        stratum_port: Some(0),
        members: Some(0),
        p2p: RawP2p { peers: peer.into_iter().collect(), ..RawP2p::default() },
        ..RawPractice::default()
    };
    let checked = raw.check(dir.to_owned(), "none".into()).expect("these settings are fine");
    Settings { params: Arc::new(params()), ..checked }
}

/// A node that has the chain, and listens.
fn full_node(dir: &Path, added: Vec<StoredShare>) -> NodeHandle {
    let params = params();
    let identifier: String = params.identifier.iter().map(|byte| format!("{byte:02x}")).collect();
    let network = format!("{} {identifier}", params.name);
    let mut store = Store::open(dir, &network, "0", UnixTime(now())).expect("it opens").store;
    store.apply(&ChangeSet { added, ..ChangeSet::default() }).expect("it is written");
    drop(store);
    start(settings(dir, None)).expect("nothing is in the way")
}

async fn until_loaded(node: &NodeHandle, shares: u32) {
    let mut snapshots = node.watch();
    let loaded = snapshots.wait_for(|node| node.summary.height == shares);
    let is_loaded = tokio::time::timeout(PATIENCE, loaded).await.is_ok_and(|it| it.is_ok());
    let summary = &node.snapshot().summary;
    assert!(is_loaded, "{} of {shares} shares", summary.height);
}

/// Starts a node without anything; returns the time until it has work for miners.
fn join(runtime: &Runtime, peer: &str, shares: u32) -> Duration {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let node = start(settings(dir.path(), Some(peer.to_owned()))).expect("nothing is in the way");
    runtime.block_on(async {
        let mut snapshots = node.watch();
        let ready = snapshots.wait_for(|node| node.summary.has_work);
        let is_ready = tokio::time::timeout(PATIENCE, ready).await.is_ok_and(|it| it.is_ok());
        let now = node.snapshot();
        let (summary, p2p) = (&now.summary, &now.p2p);
        assert!(is_ready, "{:?}, {:?}, {p2p:?}", summary.why_no_work, summary.sync);
    });
    let took = began.elapsed();
    // Work needs the newest part of a long chain; the rest comes while miners work.
    assert!(node.snapshot().summary.height >= shares.min(params().chain_length));
    runtime.block_on(node.stop());
    took
}

fn sync(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads are there");
    let mut group = criterion.benchmark_group("empty disk to work");
    group.sample_size(10);
    for shares in [1_000, 9_000, 17_000] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let full = full_node(dir.path(), mined(shares));
        runtime.block_on(until_loaded(&full, shares));
        let peer = full.snapshot().p2p.listening[0].to_string();
        group.bench_function(BenchmarkId::from_parameter(shares), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| join(&runtime, &peer, shares)).sum());
        });
        runtime.block_on(full.stop());
    }
}

criterion_group!(benches, sync);
criterion_main!(benches);
