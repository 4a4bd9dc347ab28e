//! Hashes a second of one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p2pool_miner::scan::{Scanner, hashing_unit};
use p2pool_sharechain::U256;

const NONCES: u32 = 1 << 18;

fn scan(criterion: &mut Criterion) {
    let scanner = Scanner::new(&[0x5a; 80], U256::ZERO);
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(u64::from(NONCES)));
    group.bench_function(hashing_unit(), |bencher| {
        let mut first = 0_u32;
        bencher.iter(|| {
            first = first.wrapping_add(NONCES);
            scanner.scan(first, NONCES)
        });
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
