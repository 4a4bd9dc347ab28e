//! The engine with a long chain: from disk to work, from a find to new work, and what it weighs.
//!
//! `cargo bench -p p2pool-tests --bench engine`. Shares cost one hash in 256 here, and every
//! third pays somebody else of 100 payees; lengths are those of the live network.

#![expect(clippy::print_stderr, reason = "memory is a figure beside criterion's own")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use p2pool_engine::{Input, Loaded, LoadedShare, Output};
use p2pool_sharechain::change::{ChangeSet, StoredShare};
use p2pool_sharechain::{CheckedShare, Params, address};
use p2pool_store::Store;
use p2pool_wire::Message;
use p2pool_wire::message::{RawShare, ReplyResult, ShareReply, ShareReq};

#[path = "../../src-tauri/crates/p2pool-engine/tests/rig/mod.rs"]
mod rig;

use rig::{HARD_BITS, Rig};

const FULL: u32 = 17_290;
const PAYEES: u8 = 100;

fn params() -> Params {
    let live = Params::mainnet();
    Params {
        chain_length: live.chain_length,
        real_chain_length: live.real_chain_length,
        target_lookbehind: live.target_lookbehind,
        ..rig::params()
    }
}

/// A chain of `count` shares, as it is stored.
fn mined(count: u32) -> (Rig, Vec<StoredShare>) {
    let params = params();
    let payees: Vec<String> =
        (0..PAYEES).map(|number| address::p2pkh_text(&[number; 20], &params.addresses)).collect();
    let mut rig = Rig::new(params, 0);
    rig.template(10, HARD_BITS);
    let mut stored = Vec::new();
    for (_, payee) in (0..count).zip(payees.iter().cycle()) {
        rig.advance(Duration::from_secs(10));
        let (template, solution) = rig.find_share_for(payee);
        for output in rig.hand_in(template, solution, true) {
            if let Output::Persist { changes, .. } = output {
                stored.extend(changes.added);
            }
        }
        keep_newest_work(&mut rig);
    }
    assert_eq!(stored.len(), count as usize);
    (rig, stored)
}

fn keep_newest_work(rig: &mut Rig) {
    rig.outputs.retain(|output| matches!(output, Output::Publish(_)));
    let surplus = rig.outputs.len().saturating_sub(1);
    rig.outputs.drain(..surplus);
}

fn load(store: &Store, params: &Params) -> Loaded {
    let shares = store.load_shares().map(|stored| {
        let stored = stored.expect("the row was just written");
        let share = CheckedShare::parse(&stored.raw, params).expect("stored shares are good");
        LoadedShare { share: Arc::new(share), is_verified: false }
    });
    Loaded { shares: shares.collect(), ..Loaded::default() }
}

fn start(store: &Store, now: &Rig) -> Rig {
    let mut fresh = Rig::new(params(), 1);
    fresh.now = now.now;
    fresh.template(10, HARD_BITS);
    let loaded = load(store, &params());
    fresh.handle(Input::Load(Box::new(loaded)));
    fresh
}

fn engine(criterion: &mut Criterion) {
    for count in [1_000, 9_000, FULL] {
        // Growing a chain takes longer than all measurements on it.
        let (mut rig, added) = mined(count);
        answers(criterion, count, &rig);
        from_disk(criterion, count, &rig, added);
        own_find(criterion, count, &mut rig);
    }
}

/// What a peer that syncs asks for: the best share and 999 below it, ready to be sent.
fn answers(criterion: &mut Criterion, count: u32, rig: &Rig) {
    let hashes = vec![rig.engine.best().expect("there are shares")];
    let question = ShareReq { id: [7; 32], hashes, parents: 999, stops: Vec::new() };
    let served = rig.engine.served();
    let mut group =
        criterion.benchmark_group("question for 1,000 shares to the frame that answers");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
        bencher.iter(|| {
            let shares = served.answer(&question);
            assert_eq!(shares.len(), 1_000);
            let raw = |share: &Arc<CheckedShare>| RawShare {
                version: share.share().version.number(),
                contents: share.share().contents_to_bytes(),
            };
            let shares = shares.iter().map(raw).collect();
            let reply = ShareReply { id: question.id, result: ReplyResult::Good, shares };
            Message::ShareReply(reply).encode([0; 8]).expect("it fits a frame").len()
        });
    });
}

fn from_disk(criterion: &mut Criterion, count: u32, rig: &Rig, added: Vec<StoredShare>) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut store = Store::open(dir.path(), "bench", "0", rig.now.wall).expect("it opens").store;
    store.apply(&ChangeSet { added, ..ChangeSet::default() }).expect("it is written");
    let before = resident_bytes();
    let started = start(&store, rig);
    let weighs = resident_bytes().saturating_sub(before);
    assert_eq!(started.engine.best(), rig.engine.best());
    assert_eq!(started.engine.tracker().verified().len(), count.min(8_640) as usize);
    eprintln!("{count} shares: {:.1} MB resident", weighs as f64 / 1e6);
    drop(started);
    let mut group = criterion.benchmark_group("SQLite to a verified chain with best share");
    group.sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
        bencher.iter(|| start(&store, rig).engine.best());
    });
}

fn own_find(criterion: &mut Criterion, count: u32, rig: &mut Rig) {
    let mut group = criterion.benchmark_group("own find to new work");
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    let rig = core::cell::RefCell::new(rig);
    group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
        bencher.iter_batched(
            || {
                let mut rig = rig.borrow_mut();
                // At the pace of the chain: faster, and shares would become dear.
                rig.advance(Duration::from_secs(10));
                keep_newest_work(&mut rig);
                rig.find_share()
            },
            |(template, solution)| {
                let outputs = rig.borrow_mut().hand_in(template, solution, true);
                let is_work = |output: &Output| matches!(output, Output::Publish(Some(_)));
                assert!(outputs.iter().any(is_work));
            },
            BatchSize::PerIteration,
        );
    });
}

/// Memory of this process, where the system tells it simply.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    resident.unwrap_or_default() * 4096
}

criterion_group!(benches, engine);
criterion_main!(benches);
