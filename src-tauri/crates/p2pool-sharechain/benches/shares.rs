//! How long shares take: by themselves, in their chain, and when they are made.

#[path = "../tests/selection/forge.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod forge;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use p2pool_sharechain::generation::{self, Position, Window};
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, MinerTerms, TemplateBase, TemplateTransaction};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Attempts, CheckedShare, Params, ShareHash, Tracker, U256};

use crate::forge::{Forge, HARD_BITS, START, Terms, add, at};

/// The most shares that pruning leaves.
const SHARES_MAX: u32 = 17_290;
/// Shares verified in a row before they are taken away again.
const RUN: usize = 256;

/// The live network's lengths, and targets that need no work.
fn params() -> Arc<Params> {
    Arc::new(Params { chain_length: 8640, real_chain_length: 8640, ..Params::regtest() })
}

/// A chain whose shares are paid to `payees` in turn.
fn chain(params: &Arc<Params>, shares: u32, payees: u32) -> Vec<Arc<CheckedShare>> {
    let mut forge = Forge::new(params);
    let mut chain: Vec<Arc<CheckedShare>> = Vec::new();
    for index in 0..shares {
        let parent = chain.last().map(|share| share.hash());
        let payee = u8::try_from(index % payees).expect("below 256");
        chain.push(forge.share(parent, Terms { payee, donation: 65, ..Terms::default() }));
    }
    chain
}

fn tracker(params: &Arc<Params>, shares: &[Arc<CheckedShare>]) -> Tracker {
    let mut tracker = Tracker::new(Arc::clone(params), 1);
    for share in shares {
        add(&mut tracker, share, at(1), 1);
    }
    tracker
}

fn standalone(c: &mut Criterion) {
    let params = params();
    let share = chain(&params, 300, 25).pop().expect("300 shares");
    let bytes = share.share().to_bytes();
    c.bench_function("standalone: parse and check", |b| {
        b.iter(|| black_box(CheckedShare::parse(black_box(&bytes), &params)));
    });
}

/// Verifies tips one after the other, each with a full window below it.
fn contextual(c: &mut Criterion) {
    let params = params();
    for payees in [25, 100, 200] {
        let shares = chain(&params, 9_000, payees);
        let (below, tips) = shares.split_at(shares.len() - RUN);
        let mut tracker = tracker(&params, below);
        c.bench_function(&format!("contextual: a tip, 8,640 shares, {payees} payees"), |b| {
            b.iter_custom(|iterations| time_verification(&mut tracker, tips, iterations));
        });
    }
}

/// The worst for the moving window: claimed Bitcoin targets that make it small and large in turn.
fn windows(c: &mut Criterion) {
    let params = params();
    let shares = chain(&params, 9_000, 100);
    let mut tracker = tracker(&params, &shares);
    let tip = shares.last().map(|share| share.hash());
    c.bench_function("window: cut to nothing and filled again, 8,640 shares", |b| {
        b.iter(|| {
            black_box(tracker.window_from(tip, 1, Attempts::MAX));
            black_box(tracker.window_from(tip, 8_640, Attempts::MAX))
        });
    });
}

/// Time of so many verifications, without the work of taking shares away and back.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn time_verification(
    tracker: &mut Tracker,
    tips: &[Arc<CheckedShare>],
    iterations: u64,
) -> Duration {
    let mut passed = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        for share in tips {
            add(tracker, share, at(1), 1);
        }
        // The first finds the window at the wrong place; it is not counted.
        tracker.verify(tips[0].hash(), at(1).wall).expect("a valid share");
        let count = usize::try_from(left).unwrap_or(RUN).min(RUN - 1);
        let start = Instant::now();
        for share in &tips[1..=count] {
            black_box(tracker.verify(share.hash(), at(1).wall)).expect("a valid share");
        }
        passed += start.elapsed();
        left -= count as u64;
        for share in tips.iter().rev() {
            tracker.remove(share.hash()).expect("a head");
        }
    }
    passed
}

/// The generation transaction alone, with weights as large as on the live network.
fn generated(c: &mut Criterion) {
    let params = params();
    for payees in [25, 200] {
        let shares = chain(&params, payees + 10, payees);
        let mut tracker = tracker(&params, &shares);
        let tip = shares.last().expect("some shares");
        let mut window = tracker.payout_window(tip.share().parent(), HARD_BITS);
        let scale = Attempts::from(3_000_000_000_000_u64) * Attempts::from(8_640 / payees);
        window.total *= scale;
        window.weights.iter_mut().for_each(|(_, weight)| *weight *= scale);
        let info = &tip.share().info;
        c.bench_function(&format!("generation transaction, {payees} payees"), |b| {
            b.iter(|| generation::generate(&params, ShareVersion::V35, info, &window, &[]));
        });
    }
}

fn block(transactions: u32) -> BlockTemplate {
    let transaction = |index: u32| TemplateTransaction {
        data: vec![7; 400].into(),
        txid: p2pool_sharechain::hash::sha256d(&index.to_le_bytes()),
        wtxid: p2pool_sharechain::hash::sha256d(&index.to_be_bytes()),
        fee_sats: 1_000,
        weight: 1_000,
        sigops: 4,
        depends: Vec::new(),
    };
    BlockTemplate {
        version: 0x2000_0000,
        previous_block: BlockHash::all_zeros(),
        transactions: (0..transactions).map(transaction).collect(),
        coinbase_value_sats: 312_500_000,
        coinbase_aux: Vec::new(),
        bits: HARD_BITS,
        current_time: START,
        min_time: START,
        max_time: None,
        height: 900_000,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    }
}

fn base(tracker: &mut Tracker, block: &Arc<BlockTemplate>, parent: ShareHash) -> TemplateBase {
    let window: Window = tracker.payout_window(Some(parent), block.bits);
    TemplateBase {
        sequence: 1,
        new_block: true,
        params: Arc::clone(tracker.params()),
        block: Arc::clone(block),
        previous_share: Some(parent),
        version: ShareVersion::V35,
        desired_version: 35,
        stale_info: StaleInfo::NONE,
        donation: 0,
        position: Position::above(tracker, ShareVersion::V35, Some(parent)),
        window: Arc::new(window),
        segwit: block.segwit_data(),
        coinbase: vec![3, 160, 187, 13],
    }
}

fn templates(c: &mut Criterion) {
    let params = params();
    let shares = chain(&params, 9_000, 100);
    let mut tracker = tracker(&params, &shares);
    let tip = shares.last().expect("9,000 shares");
    let block = Arc::new(block(3_000));
    c.bench_function("template: witness data of 3,000 transactions", |b| {
        b.iter(|| black_box(block.segwit_data()));
    });
    c.bench_function("template: base of 3,000 transactions, 100 payees", |b| {
        b.iter(|| black_box(base(&mut tracker, &block, tip.hash())));
    });
    let base = Arc::new(base(&mut tracker, &block, tip.hash()));
    let terms = MinerTerms {
        payout_address: tip.payee().to_vec(),
        wanted_target: U256::MAX,
        nonce: 1,
        timestamp: START,
    };
    c.bench_function("template: a miner's, 100 payees", |b| {
        b.iter(|| black_box(base.for_miner(&terms)));
    });
}

/// All that a start with a full share store has to do, but for the disk.
fn whole_chains(c: &mut Criterion) {
    let params = params();
    let shares = chain(&params, SHARES_MAX, 100);
    let bytes: Vec<Vec<u8>> = shares.iter().map(|share| share.share().to_bytes()).collect();
    let parse =
        |bytes: &Vec<u8>| Arc::new(CheckedShare::parse(bytes, &params).expect("a valid share"));
    let mut group = c.benchmark_group("17,290 shares");
    group.sample_size(10);
    group.bench_function("parse and check", |b| {
        b.iter(|| bytes.iter().map(parse).collect::<Vec<_>>());
    });
    for (name, upwards) in [("verify upwards", true), ("verify downwards", false)] {
        group.bench_function(name, |b| {
            let setup = || tracker(&params, &shares);
            let verify = |tracker: &mut Tracker| {
                let mut one = |share: &Arc<CheckedShare>| {
                    tracker.verify(share.hash(), at(1).wall).expect("a valid share");
                };
                if upwards {
                    shares.iter().for_each(&mut one);
                } else {
                    shares.iter().rev().for_each(&mut one);
                }
            };
            b.iter_batched_ref(setup, verify, BatchSize::PerIteration);
        });
    }
    group.bench_function("parse, insert and verify", |b| {
        b.iter(|| {
            let mut tracker = Tracker::new(Arc::clone(&params), 1);
            for share in bytes.iter().map(parse) {
                add(&mut tracker, &share, at(1), 1);
                tracker.verify(share.hash(), at(1).wall).expect("a valid share");
            }
            tracker
        });
    });
    group.finish();
}

criterion_group!(benches, standalone, contextual, windows, generated, templates, whole_chains);
criterion_main!(benches);
