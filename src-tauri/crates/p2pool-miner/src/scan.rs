//! The hash loop: which nonce makes a header's double SHA-256 small enough.
//!
//! A header has two SHA-256 blocks of which the nonce touches the second only, so the first is
//! hashed once per header. The processor's SHA instructions are used where they exist; which is
//! found out at run time.

use p2pool_sharechain::U256;
use sha2::block_api::compress256;

/// Bytes of a block header.
pub const HEADER_BYTES: usize = 80;

/// State of SHA-256 before the first block.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// A block of SHA-256 as big-endian words.
type Words = [[u8; 4]; 16];
/// Which word of the second block is the nonce.
const NONCE_WORD: usize = 3;
/// Nonces that are hashed together: the processor works on the second hashes of some while the first
/// ones of others are still under way. Measured; 8 and 32 are about as good, 1 half as good.
const BATCH: usize = 16;

/// A header prepared for trying nonces.
///
/// ```
/// use p2pool_miner::scan::Scanner;
/// use p2pool_sharechain::U256;
///
/// let easy = U256::MAX >> 8;
/// let scanner = Scanner::new(&[7; 80], easy);
/// let nonce = scanner.scan(0, 100_000).expect("one hash in 256 is small enough");
/// assert!(scanner.hash(nonce) <= easy);
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    /// After the header's first 64 bytes.
    midstate: [u32; 8],
    /// The other 16, padded.
    tail: Words,
    target: U256,
    /// The target's highest 32 bits: what nearly every hash fails at.
    target_top: u32,
}

impl Scanner {
    /// Prepares a header, whose nonce does not matter.
    pub fn new(header: &[u8; HEADER_BYTES], target: U256) -> Self {
        let (first, rest) = header.split_first_chunk().expect("a header is longer than a block");
        let mut midstate = INITIAL;
        compress256(&mut midstate, core::slice::from_ref(first));
        let mut tail = padded(rest.len() / 4, HEADER_BYTES);
        tail.as_flattened_mut()[..rest.len()].copy_from_slice(rest);
        let target_top = (target >> 224_usize).to::<u32>();
        Self { midstate, tail, target, target_top }
    }

    /// Tries `count` nonces from `first` on, ending at the highest, and gives the first that fits.
    pub fn scan(&self, first: u32, count: u32) -> Option<u32> {
        let mut batch = Batch::new(&self.tail);
        let end = u64::from(first).saturating_add(u64::from(count)).min(1 << 32);
        let mut start = u64::from(first);
        while start < end {
            let states = batch.hash(&self.midstate, start as u32);
            for (nonce, state) in (start..end).zip(&states) {
                // The last word holds the number's highest bits, in turned order.
                if state[7].swap_bytes() <= self.target_top && number(state) <= self.target {
                    return u32::try_from(nonce).ok();
                }
            }
            start += BATCH as u64;
        }
        None
    }

    /// The hash with this nonce, as the number that is compared with targets.
    pub fn hash(&self, nonce: u32) -> U256 {
        number(&Batch::new(&self.tail).hash(&self.midstate, nonce)[0])
    }
}

/// The blocks of several nonces' hashes, of which little changes from time to time.
struct Batch {
    /// What the midstate is followed by.
    first: [Words; BATCH],
    /// What is hashed the second time: a hash, padded.
    second: [Words; BATCH],
}

impl Batch {
    fn new(tail: &Words) -> Self {
        Self { first: [*tail; BATCH], second: [padded(8, 32); BATCH] }
    }

    /// Hashes with nonces from `start` on, wrapping.
    #[inline]
    fn hash(&mut self, midstate: &[u32; 8], start: u32) -> [[u32; 8]; BATCH] {
        for (nonce, block) in (0..).zip(&mut self.first) {
            block[NONCE_WORD] = start.wrapping_add(nonce).to_le_bytes();
        }
        let mut states = [*midstate; BATCH];
        for (state, block) in states.iter_mut().zip(&self.first) {
            compress256(state, blocks(block));
        }
        for (state, block) in states.iter().zip(&mut self.second) {
            for (word, place) in state.iter().zip(block) {
                *place = word.to_be_bytes();
            }
        }
        let mut states = [INITIAL; BATCH];
        for (state, block) in states.iter_mut().zip(&self.second) {
            compress256(state, blocks(block));
        }
        states
    }
}

fn blocks(words: &Words) -> &[[u8; 64]] {
    words.as_flattened().as_chunks().0
}

fn number(state: &[u32; 8]) -> U256 {
    let bytes = state.map(u32::to_be_bytes);
    U256::from_le_slice(bytes.as_flattened())
}

/// The last block of a message of `total` bytes, of which it holds `used` words, all zero yet.
fn padded(used: usize, total: usize) -> Words {
    let mut words = [[0; 4]; 16];
    words[used] = [0x80, 0, 0, 0];
    words[15] = u32::try_from(8 * total).expect("messages are short").to_be_bytes();
    words
}

/// What hashes: the processor's SHA instructions, or plain code.
pub fn hashing_unit() -> &'static str {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if std::is_x86_feature_detected!("sha") && std::is_x86_feature_detected!("sse4.1") {
        return "SHA-NI";
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("sha2") {
        return "ARMv8 SHA2";
    }
    "portable"
}

#[cfg(test)]
mod tests {
    use p2pool_sharechain::ShareHash;

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
        let scanner = Scanner::new(&header, target);
        assert_eq!(scanner.scan(nonce - 1000, 2000), Some(nonce), "the target itself fits");
        let harder = Scanner::new(&header, target - U256::from(1));
        assert_eq!(harder.scan(nonce - 1000, 2000), None);
    }

    #[test]
    fn every_hash_is_that_of_the_plain_way() {
        let header = real_header();
        let scanner = Scanner::new(&header, U256::ZERO);
        for nonce in [0, 1, 0xff, 0x0100, 0x1234_5678, u32::MAX] {
            assert_eq!(scanner.hash(nonce), slow_hash(&header, nonce));
        }
    }

    #[test]
    fn scan_gives_the_first_that_fits_and_skips_none() {
        let header = real_header();
        let target = U256::MAX >> 6;
        let scanner = Scanner::new(&header, target);
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(nonce) = scanner.scan(next, 5000 - next) {
            found.push(nonce);
            next = nonce + 1;
        }
        let expected: Vec<u32> =
            (0..5000).filter(|nonce| slow_hash(&header, *nonce) <= target).collect();
        assert_eq!(found, expected);
        assert!(found.len() > 30);
    }

    #[test]
    fn range_ends_at_the_highest_nonce() {
        let all = Scanner::new(&real_header(), U256::MAX);
        assert_eq!(all.scan(u32::MAX, 10), Some(u32::MAX));
        assert_eq!(all.scan(5, 0), None);
        let none = Scanner::new(&real_header(), U256::ZERO);
        assert_eq!(none.scan(u32::MAX - 10, u32::MAX), None);
    }
}
