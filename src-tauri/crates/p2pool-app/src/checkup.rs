//! Check-up: from the node and the computer to the page of that name; pure functions.

mod health;
mod ladder;
mod late;
pub(crate) mod tests_run;
mod unpaid;

pub(crate) use health::{DISK_LOW_BYTES, Facts, health};
pub(crate) use ladder::{ladder, no_node};
pub(crate) use late::late;
pub(crate) use unpaid::{OwnFound, unpaid};

use crate::api::CheckResult;

#[cfg(test)]
mod tests;

/// What the computer says, beside the node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ComputerFacts {
    /// Free bytes of the data folder's disk.
    pub(crate) disk_free: Option<u64>,
    /// Whether this computer is kept awake; `None` if that cannot be asked for.
    pub(crate) is_kept_awake: Option<bool>,
    /// The longest wait for the processor lately, in milliseconds.
    pub(crate) wait_ms: f64,
}

/// The result of a test, if it was run.
fn result(results: &[CheckResult], test: crate::api::CheckName) -> Option<&CheckResult> {
    results.iter().find(|result| result.test == test)
}
