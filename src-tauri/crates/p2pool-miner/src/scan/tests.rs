use bitcoin::hashes::{Hash as _, sha256d};
use p2pool_sharechain::ShareHash;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert_eq, proptest};

use super::*;

/// Header of block 125,552.
fn real_header() -> [u8; 80] {
    let text = "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000\
                e320b6c2fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122b\
                c7f5d74df2b9441a42a14695";
    let mut header = [0; 80];
    for (index, byte) in header.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    }
    header
}

fn slow_hash(header: &[u8; 80], nonce: u32) -> U256 {
    let mut header = *header;
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    ShareHash::of_header(&header).to_uint()
}

#[test]
fn nonce_of_a_real_block_is_found() {
    let header = real_header();
    let nonce = 0x9546_a142;
    let target = slow_hash(&header, nonce);
    let expected: ShareHash =
        "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d".parse().unwrap();
    assert_eq!(target, expected.to_uint());
    for backend in Backend::available() {
        let scanner = Scanner::new(backend, &header, target);
        assert_eq!(scanner.scan(nonce - 1000, 2000), Some(nonce), "the target itself fits");
        let harder = Scanner::new(backend, &header, target - U256::from(1));
        assert_eq!(harder.scan(nonce - 1000, 2000), None);
    }
}

#[test]
fn every_hash_is_that_of_the_plain_way() {
    let header = real_header();
    let scanner = Scanner::new(Backend::fastest(), &header, U256::ZERO);
    for nonce in [0, 1, 0xff, 0x0100, 0x1234_5678, u32::MAX] {
        assert_eq!(scanner.hash(nonce), slow_hash(&header, nonce));
    }
}

#[test]
fn scan_gives_the_first_that_fits_and_skips_none() {
    let header = real_header();
    let target = U256::MAX >> 6;
    for backend in Backend::available() {
        let scanner = Scanner::new(backend, &header, target);
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(nonce) = scanner.scan(next, 5000 - next) {
            found.push(nonce);
            next = nonce + 1;
        }
        let expected: Vec<u32> =
            (0..5000).filter(|nonce| slow_hash(&header, *nonce) <= target).collect();
        assert_eq!(found, expected, "{}", backend.name());
        assert!(found.len() > 30);
    }
}

#[test]
fn range_ends_where_it_should_and_at_the_highest_nonce() {
    for backend in Backend::available() {
        let all = Scanner::new(backend, &real_header(), U256::MAX);
        assert_eq!(all.scan(u32::MAX, 10), Some(u32::MAX));
        assert_eq!(all.scan(5, 0), None);
        let none = Scanner::new(backend, &real_header(), U256::ZERO);
        assert_eq!(none.scan(u32::MAX - 10, u32::MAX), None);
    }
}

#[test]
fn every_processor_has_a_backend_and_they_have_names() {
    let backends = Backend::available();
    assert_eq!(backends.last().unwrap().name(), "portable");
    assert_eq!(backends.first(), Some(&Backend::fastest()));
    let names: std::collections::BTreeSet<&str> = backends.iter().map(|it| it.name()).collect();
    assert_eq!(names.len(), backends.len());
}

/// The highest 32 bits of a header's hash, by code that shares nothing with the hash loops.
fn reference_top(header: &[u8; 80], nonce: u32) -> u32 {
    let mut header = *header;
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    let hash = sha256d::Hash::hash(&header).to_byte_array();
    u32::from_le_bytes(*hash.last_chunk().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One limit after another that is just met and just missed, so that each nonce's 32 bits are
    /// known in full.
    #[test]
    fn hashes_of_random_headers_are_those_of_bitcoin_hashes(
        bytes in vec(any::<u8>(), 80),
        first in any::<u32>(),
    ) {
        let header: [u8; 80] = bytes.try_into().unwrap();
        let prepared = Prepared::new(&header);
        let start = u64::from(first);
        let end = (start + 33).min(1 << 32);
        for backend in Backend::available() {
            for nonce in start..end {
                let number = u32::try_from(nonce).unwrap();
                let top = reference_top(&header, number);
                let found = backend.find(&prepared, nonce, nonce + 1, top);
                prop_assert_eq!(found, Some(number), "{} {}", backend.name(), number);
                if let Some(less) = top.checked_sub(1) {
                    let found = backend.find(&prepared, nonce, nonce + 1, less);
                    prop_assert_eq!(found, None, "{} {}", backend.name(), number);
                }
            }
        }
    }

    /// Every lane of a register, found among its neighbours.
    #[test]
    fn least_of_some_hashes_is_found_wherever_it_is(
        bytes in vec(any::<u8>(), 80),
        first in 0..u32::MAX - 100,
        count in 1_u32..50,
    ) {
        let header: [u8; 80] = bytes.try_into().unwrap();
        let prepared = Prepared::new(&header);
        let nonces = first..first + count;
        let least = nonces.min_by_key(|nonce| reference_top(&header, *nonce)).unwrap();
        let top = reference_top(&header, least);
        let (start, end) = (u64::from(first), u64::from(first + count));
        for backend in Backend::available() {
            prop_assert_eq!(backend.find(&prepared, start, end, top), Some(least), "{}", backend.name());
            let alone = backend.find(&prepared, start, u64::from(least), top);
            prop_assert_eq!(alone, None, "{}", backend.name());
        }
    }
}
