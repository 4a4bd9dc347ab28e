//! Targets and their 32-bit compact form as the share chain reads it.
//!
//! Differs from Bitcoin's own reading: there is no sign bit, and values above 2^256 can be
//! written. Source: protocol notes, encoding.md section 8.

use core::fmt;

use ruint::Uint;
use ruint::aliases::U256;

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
        if exponent < 3 {
            return Some(mantissa >> (8 * (3 - exponent)));
        }
        let shift = 8 * (exponent - 3);
        if mantissa.is_zero() {
            return Some(U256::ZERO);
        }
        if mantissa.bit_len() + shift > 256 {
            return None;
        }
        Some(mantissa << shift)
    }

    /// The target, values of 2^256 and above cut to 2^256 - 1.
    ///
    /// For comparisons with limits that lie well below 2^256.
    pub fn target_saturating(self) -> U256 {
        self.target().unwrap_or(U256::MAX)
    }

    /// Greatest representable value that is not above `target`: the one normal form of it.
    pub fn from_target(target: U256) -> Self {
        let bytes = target.to_be_bytes::<32>();
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(32);
        let mut digits = [0_u8; 36];
        digits[1..33].copy_from_slice(&bytes);
        // `digits[first..33]` are the significant bytes, with a zero in front of a high bit.
        let first = if start < 32 && bytes[start] >= 0x80 { start } else { start + 1 };
        let length = (33 - first) as u32;
        let mantissa = u32::from_be_bytes([0, digits[first], digits[first + 1], digits[first + 2]]);
        Self((length << 24) | mantissa)
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
    two_256() / (Attempts::from(target) + Attempts::from(1))
}

/// Nearest double to `numerator / denominator`, ties to even; infinite for a zero denominator.
///
/// For display and local policy, where the network's other programs divide whole numbers into
/// doubles of exactly this value.
pub fn ratio(numerator: Attempts, denominator: Attempts) -> f64 {
    /// Bits of a double's mantissa, and two more to round by.
    const DIGITS: usize = 55;
    type Wide = Uint<768, 12>;
    if numerator.is_zero() {
        return 0.0;
    }
    if denominator.is_zero() {
        return f64::INFINITY;
    }
    // Scaled so that the quotient has 55 or 56 digits; at most 384 + 56 bits are in use.
    let up = (denominator.bit_len() + DIGITS).saturating_sub(numerator.bit_len());
    let down = numerator.bit_len().saturating_sub(denominator.bit_len() + DIGITS);
    let (quotient, rest) = (Wide::from(numerator) << up).div_rem(Wide::from(denominator) << down);
    let digits: u64 = quotient.to();
    let extra = 64 - digits.leading_zeros() - 53;
    let (mantissa, dropped) = (digits >> extra, digits & ((1 << extra) - 1));
    let half = 1_u64 << (extra - 1);
    let rounds_up = dropped > half || dropped == half && (!rest.is_zero() || mantissa & 1 == 1);
    let mantissa = mantissa + u64::from(rounds_up);
    // 2^53 at most: exact. The exponent stays within 384 either way, far from a double's limits.
    let exponent = i32::try_from(extra).expect("2 or 3") + exponent_of(down) - exponent_of(up);
    mantissa as f64 * 2_f64.powi(exponent)
}

fn exponent_of(shift: usize) -> i32 {
    i32::try_from(shift).expect("a shift within 440 bits")
}

/// Numerator of difficulties: difficulty 1 has the target `ffff * 2^208`.
fn difficulty_one() -> Attempts {
    (Attempts::from(0xffff_0000_u64) << 192) + Attempts::from(1)
}

pub(crate) fn two_256() -> Attempts {
    Attempts::from(1) << 256
}

/// Difficulty of `target` relative to difficulty 1, for display and Stratum only.
pub fn difficulty(target: U256) -> f64 {
    ratio(difficulty_one(), Attempts::from(target) + Attempts::from(1))
}

/// Target of a difficulty, for display and Stratum only; 2^256 - 1 for zero, negative or no number.
pub fn target_of_difficulty(difficulty: f64) -> U256 {
    target_of_quotient(ratio(difficulty_one(), Attempts::from(1)), difficulty)
}

/// Target that takes `attempts` hashes on average, for local policy only.
pub fn target_of_attempts(attempts: f64) -> U256 {
    target_of_quotient(ratio(two_256(), Attempts::from(1)), attempts)
}

/// As [`target_of_attempts`], for whole numbers that a double may not hold.
pub fn target_of_whole_attempts(attempts: Attempts) -> U256 {
    from_f64_saturating(ratio(two_256(), attempts) - 1.0 + 0.5)
}

fn target_of_quotient(one: f64, divisor: f64) -> U256 {
    if divisor.is_nan() || divisor <= 0.0 {
        return U256::MAX;
    }
    from_f64_saturating(one / divisor - 1.0 + 0.5)
}

fn from_f64_saturating(value: f64) -> U256 {
    if value <= 0.0 {
        U256::ZERO
    } else if value >= 2_f64.powi(256) {
        U256::MAX
    } else {
        let bits = value.to_bits();
        let exponent = i64::from(((bits >> 52) & 0x7ff) as u32) - 1075;
        let mantissa = U256::from((bits & ((1 << 52) - 1)) | (1 << 52));
        if exponent >= 0 {
            mantissa << usize::try_from(exponent).expect("below 2^11")
        } else if exponent > -64 {
            mantissa >> usize::try_from(-exponent).expect("below 64")
        } else {
            U256::ZERO
        }
    }
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
    fn ratios_are_rounded_to_the_nearest_double() {
        let ratio = |top: u128, bottom: u128| ratio(Attempts::from(top), Attempts::from(bottom));
        for (top, bottom) in [(1_u32, 3_u32), (2, 3), (1, 10), (7, 1), (0, 5), (u32::MAX, 17)] {
            assert_eq!(ratio(top.into(), bottom.into()), f64::from(top) / f64::from(bottom));
        }
        // Half way between two doubles: to the even one, unless anything follows.
        let odd = (1_u128 << 53) + 1;
        assert_eq!(ratio(odd, 1), 2_f64.powi(53));
        assert_eq!(ratio(odd + 2, 1), 2_f64.powi(53) + 4.0);
        assert_eq!(ratio((odd << 60) + 1, 1 << 60), 2_f64.powi(53) + 2.0);
        assert_eq!(ratio(u128::MAX, 1), 2_f64.powi(128));
        assert_eq!(super::ratio(Attempts::MAX, Attempts::from(1)), 2_f64.powi(384));
        assert_eq!(super::ratio(Attempts::from(1), Attempts::MAX), 2_f64.powi(-384));
        assert_eq!(ratio(1, 0), f64::INFINITY);
    }

    #[test]
    fn attempts_of_the_extremes() {
        assert_eq!(attempts(U256::ZERO), Attempts::from(1) << 256);
        assert_eq!(attempts(U256::MAX), Attempts::from(1));
        assert_eq!(CompactBits(0x1d00_ffff).attempts(), Attempts::from(4_295_032_833_u64));
        assert_eq!(CompactBits(0x1b04_04cb).attempts(), Attempts::from(70_040_908_352_512_u64));
    }
}
