//! The hash loop: which nonce makes a header's double SHA-256 small enough.
//!
//! A header has two SHA-256 blocks of which the nonce touches the second only, so the first is
//! hashed once per header, and so is what the second has before its nonce. Nearly all hashes fail
//! at their highest 32 bits, which are known three rounds before the end. What hashes is a
//! [`Backend`], found out at run time; the few nonces that it finds are hashed once more by other
//! code before anybody hears of them.

mod backend;
#[macro_use]
mod lanes;
#[cfg(target_arch = "aarch64")]
mod armv8;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
mod words;

use p2pool_sharechain::U256;

pub use self::backend::Backend;
use self::words::Prepared;

/// Bytes of a block header.
pub const HEADER_BYTES: usize = 80;

/// A header prepared for trying nonces.
///
/// ```
/// use p2pool_miner::scan::{Backend, Scanner};
/// use p2pool_sharechain::U256;
///
/// let easy = U256::MAX >> 8;
/// let scanner = Scanner::new(Backend::fastest(), &[7; 80], easy);
/// let nonce = scanner.scan(0, 100_000).expect("one hash in 256 is small enough");
/// assert!(scanner.hash(nonce) <= easy);
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    backend: Backend,
    header: Prepared,
    target: U256,
    /// The target's highest 32 bits: what nearly every hash fails at.
    target_top: u32,
}

impl Scanner {
    /// Prepares a header, whose nonce does not matter.
    pub fn new(backend: Backend, header: &[u8; HEADER_BYTES], target: U256) -> Self {
        let target_top = (target >> 224_usize).to::<u32>();
        Self { backend, header: Prepared::new(header), target, target_top }
    }

    /// Tries `count` nonces from `first` on, ending at the highest, and gives the first that fits.
    pub fn scan(&self, first: u32, count: u32) -> Option<u32> {
        let mut start = u64::from(first);
        let end = start.saturating_add(u64::from(count)).min(1 << 32);
        loop {
            let nonce = self.backend.find(&self.header, start, end, self.target_top)?;
            if self.hash(nonce) <= self.target {
                return Some(nonce);
            }
            start = u64::from(nonce) + 1;
        }
    }

    /// The hash with this nonce, as the number that is compared with targets.
    pub fn hash(&self, nonce: u32) -> U256 {
        let bytes = self.header.hash(nonce).map(u32::to_be_bytes);
        U256::from_le_slice(bytes.as_flattened())
    }
}

#[cfg(test)]
mod tests;
