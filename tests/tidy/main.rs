//! Checks of the repository itself: the rules of `ARCHITECTURE.md` and `CONTRIBUTING.md` that a
//! machine can read. Each module holds one rule, says what breaks it, and tries itself on a broken
//! example first: a check that finds nothing is no check.

mod commands;
mod dependencies;
mod generated;
mod links;
mod map;
mod names;
mod purity;
mod repository;
mod sizes;
mod targets;
mod words;

/// Fails with every complaint on a line of its own.
#[track_caller]
fn expect_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n  {}\n", complaints.join("\n  "));
}
