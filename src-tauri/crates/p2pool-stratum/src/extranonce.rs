//! The part of the coinbase that makes each connection's work its own.

use core::fmt;
use std::collections::BTreeSet;

/// Bytes of the coinbase that the server sets per connection.
pub const EXTRANONCE1_BYTES: usize = 4;
/// Bytes of the coinbase that the miner counts.
///
/// A share leaves eight nonce bytes at the end of its coinbase; the other half is the server's.
pub const EXTRANONCE2_BYTES: usize = 4;

/// What one connection's coinbases carry before the miner's own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extranonce1(pub u32);

impl Extranonce1 {
    /// The bytes in coinbase order.
    pub fn to_bytes(self) -> [u8; EXTRANONCE1_BYTES] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Extranonce1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Gives out extranonces: no two live connections share one, and a freed one rests for as long as
/// the counter needs to come round.
#[derive(Debug)]
pub struct ExtranonceAllocator {
    next: u32,
    live: BTreeSet<Extranonce1>,
}

impl ExtranonceAllocator {
    /// Starts counting at `process_part`, a number that should differ between runs of the program.
    pub fn new(process_part: u32) -> Self {
        Self { next: process_part, live: BTreeSet::new() }
    }

    /// Takes the next free value. Zero is left out: some devices take it for "none".
    ///
    /// # Panics
    /// With 2^32 - 1 live connections.
    pub fn allocate(&mut self) -> Extranonce1 {
        loop {
            let candidate = Extranonce1(self.next);
            self.next = self.next.wrapping_add(1);
            if candidate.0 != 0 && self.live.insert(candidate) {
                return candidate;
            }
        }
    }

    /// Gives a value back when its connection has ended.
    pub fn release(&mut self, extranonce: Extranonce1) {
        self.live.remove(&extranonce);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn freed_value_is_not_given_out_again_at_once() {
        let mut allocator = ExtranonceAllocator::new(7);
        let first = allocator.allocate();
        allocator.release(first);
        assert_ne!(allocator.allocate(), first);
    }

    #[test]
    fn counter_passes_zero_and_values_in_use() {
        let mut allocator = ExtranonceAllocator::new(u32::MAX);
        let taken = allocator.allocate();
        assert_eq!((taken, allocator.allocate()), (Extranonce1(u32::MAX), Extranonce1(1)));
        allocator.next = u32::MAX;
        assert_eq!(allocator.allocate(), Extranonce1(2));
    }

    #[test]
    fn text_has_eight_digits() {
        assert_eq!(Extranonce1(0x0bad).to_string(), "00000bad");
        assert_eq!(Extranonce1(0x0bad_cafe).to_bytes(), [0x0b, 0xad, 0xca, 0xfe]);
    }

    proptest! {
        #[test]
        fn live_values_never_repeat(start in any::<u32>(), ends in prop::collection::vec(any::<bool>(), 0..100)) {
            let mut allocator = ExtranonceAllocator::new(start);
            let mut live = Vec::new();
            for end_one in ends {
                if end_one && !live.is_empty() {
                    allocator.release(live.remove(0));
                } else {
                    let fresh = allocator.allocate();
                    prop_assert!(!live.contains(&fresh));
                    live.push(fresh);
                }
            }
        }
    }
}
