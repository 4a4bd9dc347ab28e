//! Runs the real programs for the end-to-end tests.
//!
//! [`TempNode`] is a `p2poold` of its own folder and ports, read line by line with deadlines and
//! killed when the test is over. Nothing here needs a network.

mod node;
#[cfg(target_os = "linux")]
pub mod processes;
mod programs;

pub use node::{Exit, TempNode};
pub use programs::{Outcome, program, run};
