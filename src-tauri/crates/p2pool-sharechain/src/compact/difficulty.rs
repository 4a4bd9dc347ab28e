//! Doubles, for people's eyes, for Stratum and for local policy: never for a rule of the chain.
#![expect(clippy::float_arithmetic, reason = "this is where numbers leave consensus")]
#![expect(clippy::arithmetic_side_effects, reason = "bounds stand beside each operation")]

use ruint::Uint;
use ruint::aliases::U256;

use super::{Attempts, two_256};

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
}
