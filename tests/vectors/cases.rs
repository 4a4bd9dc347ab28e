//! Counting cases, and comparing what is expected with what there is.

use core::fmt::Debug;

/// The cases of one file.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    passed: usize,
    failures: Vec<String>,
}

impl Cases {
    /// Runs one case.
    pub(crate) fn run(&mut self, name: &str, case: impl FnOnce() -> Result<(), String>) {
        match case() {
            Ok(()) => self.passed += 1,
            Err(reason) => self.fail(name, &reason),
        }
    }

    /// Counts a failure.
    pub(crate) fn fail(&mut self, name: &str, reason: &str) {
        self.failures.push(format!("{name}: {reason}"));
    }

    /// Number of cases that agree.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// The cases that do not, each with what was expected and what there was.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }
}

/// Fails unless both are equal.
pub(crate) fn same<T: PartialEq + Debug>(
    what: &str,
    expected: &T,
    actual: &T,
) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    Err(format!("{what}: expected {}, got {}", shown(expected), shown(actual)))
}

/// As [`same`] for bytes, shown as hexadecimal digits.
pub(crate) fn same_bytes(what: &str, expected: &[u8], actual: &[u8]) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    let at = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
    let (expected, actual) = (hex(expected), hex(actual));
    Err(format!("{what}: expected {expected}, got {actual} (differs from byte {at} on)"))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Long enough to see what differs, short enough to read.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(1000) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
