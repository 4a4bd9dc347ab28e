//! How long selection takes on a chain of 17,290 shares, the most that pruning leaves.

#[path = "../tests/selection/forge.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod forge;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Choice, Selector};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::{CheckedShare, Params, Tracker};

use crate::forge::{Forge, HARD_BITS, Terms, add, at, choose};

const SHARES: u32 = 17_290;
const PAYEES: u32 = 100;

/// The live network's constants, but for targets that need no work.
fn params() -> Arc<Params> {
    Arc::new(Params {
        chain_length: 8640,
        real_chain_length: 8640,
        target_lookbehind: 200,
        ..Params::regtest()
    })
}

/// Terms of the share number `index`: a new Bitcoin block every twenty shares.
fn terms(index: u32) -> Terms {
    let mut block = [7; 32];
    block[..4].copy_from_slice(&(index / 20).to_le_bytes());
    let payee = u8::try_from(index % PAYEES).expect("below 256");
    Terms { payee, block, ..Terms::default() }
}

fn chain_of(params: &Arc<Params>, shares: u32) -> (Forge, Vec<Arc<CheckedShare>>) {
    let mut forge = Forge::new(params);
    let mut chain: Vec<Arc<CheckedShare>> = Vec::new();
    for index in 0..shares {
        let parent = chain.last().map(|share| share.hash());
        chain.push(forge.share(parent, terms(index)));
    }
    (forge, chain)
}

struct World {
    tracker: Tracker,
    selector: Selector,
    heights: BlockHeights,
}

impl World {
    fn new(params: &Arc<Params>, shares: &[Arc<CheckedShare>]) -> Self {
        let mut tracker = Tracker::new(Arc::clone(params), 1);
        for share in shares {
            add(&mut tracker, share, at(1), 1);
        }
        let mut heights = BlockHeights::new();
        heights.note_bits(HARD_BITS);
        for index in 0..=SHARES / 20 {
            heights.insert(terms(index * 20).block, 800_000 + index);
        }
        Self { tracker, selector: Selector::new(BlockSolutionRule::Hardened), heights }
    }

    fn choose(&mut self) -> Choice {
        choose(&mut self.selector, &mut self.tracker, &self.heights, at(2), 16)
    }
}

fn selection(c: &mut Criterion) {
    let params = params();
    let (mut forge, chain) = chain_of(&params, SHARES);
    let parent = chain.last().map(|share| share.hash());
    let tip = forge.share(parent, terms(SHARES));
    let fork = forge.share(chain.get(17_000).map(|share| share.hash()), terms(SHARES + 1));

    let mut world = World::new(&params, &chain);
    let choice = world.choose();
    assert_eq!(choice.best, parent);
    assert_eq!(choice.verified.len(), 8640);
    c.bench_function("choice with nothing new", |b| b.iter(|| black_box(world.choose())));
    for (name, share) in [("choice with a new tip", &tip), ("choice with a new side branch", &fork)]
    {
        c.bench_function(name, |b| {
            b.iter(|| {
                add(&mut world.tracker, share, at(2), 1);
                let choice = world.choose();
                world.tracker.remove(share.hash()).expect("a head");
                black_box(choice)
            });
        });
    }
    c.bench_function("cleaning with nothing to remove", |b| {
        b.iter(|| black_box(prune(&mut world.tracker, &choice.heads, at(2))));
    });
    let mut group = c.benchmark_group("long");
    group.sample_size(10);
    group.bench_function("verification of 8,640 shares from the tip down", |b| {
        b.iter_batched_ref(|| World::new(&params, &chain), World::choose, BatchSize::PerIteration);
    });
    let (_, longer) = chain_of(&params, SHARES + 250);
    let long = || World::new(&params, &longer);
    group.bench_function("cutting 250 shares off the old end", |b| {
        let cut = |world: &mut World| prune(&mut world.tracker, &[], at(2)).len();
        b.iter_batched_ref(long, cut, BatchSize::PerIteration);
    });
    let many: Vec<_> = (0..5000).map(|index| forge.share(None, terms(index))).collect();
    let mut crowd = World::new(&params, &many);
    crowd.choose();
    group.bench_function("choice among 5,000 chains of one share", |b| {
        b.iter(|| black_box(crowd.choose()));
    });
    group.finish();
}

criterion_group!(benches, selection);
criterion_main!(benches);
