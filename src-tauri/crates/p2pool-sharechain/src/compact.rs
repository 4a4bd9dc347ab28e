//! Targets and their 32-bit compact form as the share chain reads it.
//!
//! Differs from Bitcoin's own reading: there is no sign bit, and values above 2^256 can be
//! written. Source: protocol notes, encoding.md section 8.

mod difficulty;

use core::fmt;

use ruint::Uint;
use ruint::aliases::U256;

pub use difficulty::{
    difficulty, ratio, target_of_attempts, target_of_difficulty, target_of_whole_attempts,
};

/// Expected number of hashes, sums of such, and payout weights.
///
/// Wide enough for all that is computed with them: one target takes up to 2^256 hashes, a
/// window's weights stay below 2^287, their products with an amount and 199 below 2^360.
pub type Attempts = Uint<384, 6>;

/// The compact form of a target, four bytes. Equality is that of the encoding, not of the target.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompactBits(pub u32);

impl CompactBits {
    /// The target, or `None` for values of 2^256 and above, which every hash meets.
    pub fn target(self) -> Option<U256> {
        let exponent = (self.0 >> 24) as usize;
        let mantissa = U256::from(self.0 & 0x00ff_ffff);
        let bits_down = 3_usize.saturating_sub(exponent).wrapping_mul(8);
        let bits_up = exponent.saturating_sub(3).wrapping_mul(8);
        // Only one of both is not zero. A mantissa of zero may be moved as far as one likes.
        if !mantissa.is_zero() && mantissa.bit_len().wrapping_add(bits_up) > 256 {
            return None;
        }
        Some(mantissa.wrapping_shr(bits_down).wrapping_shl(bits_up))
    }

    /// The target, values of 2^256 and above cut to 2^256 - 1.
    ///
    /// For comparisons with limits that lie well below 2^256.
    pub fn target_saturating(self) -> U256 {
        self.target().unwrap_or(U256::MAX)
    }

    /// Greatest representable value that is not above `target`: the one normal form of it.
    pub fn from_target(target: U256) -> Self {
        // Bytes without leading zeros, but for one in front of a high bit: 0 to 33 of them.
        let length = match target.bit_len() {
            0 => 0,
            bits => bits.wrapping_div(8).wrapping_add(1),
        };
        // Its first three, zeros following where there are fewer.
        let bits_up = 3_usize.saturating_sub(length).wrapping_mul(8);
        let bits_down = length.saturating_sub(3).wrapping_mul(8);
        let mantissa: u32 = target.wrapping_shl(bits_up).wrapping_shr(bits_down).wrapping_to();
        let length = u32::try_from(length).expect("33 at most");
        Self(length.wrapping_shl(24) | mantissa)
    }

    /// Expected number of hashes to meet this target; zero if every hash does so twice over.
    pub fn attempts(self) -> Attempts {
        self.target().map_or(Attempts::ZERO, attempts)
    }
}

impl fmt::Debug for CompactBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for CompactBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Expected number of hashes to meet `target`: `2^256 / (target + 1)`, rounded down.
pub fn attempts(target: U256) -> Attempts {
    // 257 bits at most, and never zero.
    let above = Attempts::from(target).wrapping_add(Attempts::ONE);
    two_256().checked_div(above).unwrap_or_default()
}

pub(crate) fn two_256() -> Attempts {
    Attempts::ONE.wrapping_shl(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_table_of_the_notes_holds() {
        for (target, bits) in [
            (U256::ZERO, 0x0000_0000),
            (U256::from(1), 0x0101_0000),
            (U256::from(0x7f), 0x017f_0000),
            (U256::from(0x80), 0x0200_8000),
            (U256::from(0x100), 0x0201_0000),
            (U256::from(0x8000), 0x0300_8000),
            (U256::from(0x7f_ffff), 0x037f_ffff),
            (U256::from(0xff_ffff), 0x0400_ffff),
            (U256::from(0x123_4567), 0x0401_2345),
            ((U256::from(1) << 224) - U256::from(1), 0x1d00_ffff),
            (U256::MAX >> 1, 0x207f_ffff),
            (U256::MAX, 0x2100_ffff),
        ] {
            assert_eq!(CompactBits::from_target(target), CompactBits(bits), "{target}");
        }
        assert_eq!(CompactBits(0x0112_3456).target(), Some(U256::from(0x12)));
        assert_eq!(CompactBits(0x0180_3456).target(), Some(U256::from(0x80)));
        assert_eq!(CompactBits(0x1f00_0001).target(), Some(U256::from(1) << 224));
        assert_eq!(CompactBits(0xff12_3456).target(), None);
        assert_eq!(CompactBits(0xff12_3456).attempts(), Attempts::ZERO);
        assert_eq!(CompactBits(0xff00_0000).target(), Some(U256::ZERO));
    }

    #[test]
    fn attempts_of_the_extremes() {
        assert_eq!(attempts(U256::ZERO), Attempts::from(1) << 256);
        assert_eq!(attempts(U256::MAX), Attempts::from(1));
        assert_eq!(CompactBits(0x1d00_ffff).attempts(), Attempts::from(4_295_032_833_u64));
        assert_eq!(CompactBits(0x1b04_04cb).attempts(), Attempts::from(70_040_908_352_512_u64));
    }
}
