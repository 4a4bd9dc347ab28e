//! Hashes a second of one thread, with each backend and with a plain loop over the crate `sha2`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p2pool_miner::scan::{Backend, HEADER_BYTES, Scanner};
use p2pool_sharechain::U256;
use sha2::{Digest as _, Sha256};

const HEADER: [u8; HEADER_BYTES] = [0x5a; HEADER_BYTES];
const NONCES: u32 = 1 << 16;

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(u64::from(NONCES)));
    group.bench_function("plain sha2", |bencher| {
        let mut first = 0_u32;
        bencher.iter(|| {
            first = first.wrapping_add(NONCES);
            plain(first)
        });
    });
    for backend in Backend::available() {
        let scanner = Scanner::new(backend, &HEADER, U256::ZERO);
        group.bench_function(backend.name(), |bencher| {
            let mut first = 0_u32;
            bencher.iter(|| {
                first = first.wrapping_add(NONCES);
                scanner.scan(first, NONCES)
            });
        });
    }
    group.finish();
}

/// What one would write first: no midstate, no early end, one hash after the other.
fn plain(first: u32) -> Option<u32> {
    let mut header = HEADER;
    (first..=first.saturating_add(NONCES - 1)).find(|nonce| {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        let hash = Sha256::digest(Sha256::digest(header));
        hash.ends_with(&[0; 8])
    })
}

criterion_group!(benches, scan);
criterion_main!(benches);
