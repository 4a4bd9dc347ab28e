//! Compact targets, difficulties and expected attempts.

use std::path::Path;

use p2pool_sharechain::compact::{
    attempts, difficulty, target_of_attempts, target_of_difficulty, target_of_whole_attempts,
};
use p2pool_sharechain::{CompactBits, U256};
use serde_json::Value;

use crate::cases::{Cases, same};
use crate::read::{Read, compact, target, text};

/// Checks `floating_integer`.
pub(crate) fn check_compact(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    for case in doc.list("from_target_upper_bound")? {
        cases.run(&format!("from_target_upper_bound {case}"), || {
            let bits = CompactBits::from_target(target(column(case, 0)?)?);
            same("bits", &compact(column(case, 1)?)?, &bits)?;
            same("target of bits", &Some(target(column(case, 2)?)?), &bits.target())
        });
    }
    for case in doc.list("from_bits")? {
        cases.run(&format!("from_bits {case}"), || {
            // Targets that do not fit 256 bits are all the same to us: met by every hash.
            let expected = U256::from_str_radix(column(case, 1)?, 16).ok();
            let bits = compact(column(case, 0)?)?;
            same("target", &expected, &bits.target())?;
            same("saturating target", &expected.unwrap_or(U256::MAX), &bits.target_saturating())
        });
    }
    Ok(())
}

fn column(case: &Value, index: usize) -> Result<&str, String> {
    text(case.get(index).unwrap_or(&Value::Null))
}

/// Checks `difficulty`.
pub(crate) fn check_difficulty(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    for case in doc.list("target_to")? {
        cases.run(&format!("target_to {case}"), || {
            let target = case.target("target")?;
            same("attempts", &case.attempts("average_attempts")?, &attempts(target))?;
            same_double("difficulty", case.double("difficulty")?, difficulty(target))
        });
    }
    for case in doc.list("difficulty_to_target")? {
        cases.run(&format!("difficulty_to_target {case}"), || {
            let actual = target_of_difficulty(case.double("difficulty")?);
            same("target", &case.target("target")?, &actual)
        });
    }
    for case in doc.list("average_attempts_to_target")? {
        cases.run(&format!("average_attempts_to_target {case}"), || {
            let actual = if case.maybe("attempts_int").is_some() {
                target_of_whole_attempts(case.attempts("attempts_int")?)
            } else {
                target_of_attempts(case.double("attempts_float")?)
            };
            same("target", &case.target("target")?, &actual)
        });
    }
    Ok(())
}

/// Equal to the last bit.
pub(crate) fn same_double(what: &str, expected: f64, actual: f64) -> Result<(), String> {
    if expected.to_bits() == actual.to_bits() {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, got {actual:?}"))
}
