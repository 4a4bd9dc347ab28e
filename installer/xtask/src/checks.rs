//! `cargo xtask test`: the list of checks in `CONTRIBUTING.md`, one after the other.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::needs::Scope;
use crate::process::{Call, Stop};
use crate::setup;
use crate::workspace::Workspace;

/// One check: a command line that a person could type, and what to do when it fails.
#[derive(Clone, Copy, Debug)]
struct Check {
    title: &'static str,
    tool: Tool,
    arguments: &'static [&'static str],
    advice: &'static str,
}

/// Which program runs the check, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    /// cargo in the root.
    Cargo,
    /// npm in `ui`.
    Npm,
    /// npm in `tests/ui`.
    NpmTests,
    /// A cargo subcommand that is not part of Rust: skipped, aloud, where it is not installed.
    OptionalCargo,
}

/// Quick ones first. The window shell is tested last because it alone needs the web view.
const CHECKS: &[Check] = &[
    Check {
        title: "Format of the Rust code",
        tool: Tool::Cargo,
        arguments: &["fmt", "--all", "--check"],
        advice: "Run cargo fmt --all.",
    },
    Check {
        title: "Types of the UI",
        tool: Tool::Npm,
        arguments: &["run", "check"],
        advice: "Mend the types named above; again with: npm --prefix ui run check",
    },
    Check {
        title: "Lint of the UI",
        tool: Tool::Npm,
        arguments: &["run", "lint"],
        advice: "Mend the lines named above; again with: npm --prefix ui run lint",
    },
    Check {
        title: "Unit tests of the UI",
        tool: Tool::Npm,
        arguments: &["test"],
        advice: "Again with: npm --prefix ui test",
    },
    Check {
        title: "Every page in a browser: barriers, clipping, keyboard, policy",
        tool: Tool::NpmTests,
        arguments: &["run", "browser"],
        advice: "Again with: npm --prefix tests/ui run browser; pictures are in tests/artifacts/ui.",
    },
    Check {
        title: "Lint of the Rust code",
        tool: Tool::Cargo,
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        advice: "Mend the warnings above; where one is wrong, #[expect(lint, reason = \"..\")].",
    },
    Check {
        title: "Programs for the end-to-end tests",
        tool: Tool::Cargo,
        arguments: &["build", "--bin", "p2poold", "--bin", "p2pool-miner"],
        advice: "The first error above is the one to mend.",
    },
    Check {
        title: "Unit and property tests",
        tool: Tool::Cargo,
        arguments: &[
            "test",
            "--workspace",
            "--exclude",
            "p2pool-desktop",
            "--exclude",
            "p2pool-tests",
        ],
        advice: "Again, one crate only: cargo test -p CRATE NAME_OF_THE_TEST",
    },
    Check {
        title: "Vectors of the protocol, rules of the repository, finds of the fuzzer",
        tool: Tool::Cargo,
        arguments: &[
            "test", "--test", "vectors", "--test", "tidy", "--test", "corpus", "--test", "sim",
        ],
        advice: "A vector never bends to the code. A rule is changed in CONTRIBUTING.md first.",
    },
    Check {
        title: "End to end: real processes",
        tool: Tool::Cargo,
        arguments: &["test", "--test", "e2e"],
        advice: "Again with: cargo test -p p2pool-tests --test e2e -- --nocapture",
    },
    Check {
        title: "End to end: Bitcoin nodes in every condition",
        tool: Tool::Cargo,
        arguments: &["test", "--test", "bitcoind"],
        advice: "Again with: cargo test -p p2pool-tests --test bitcoind -- --nocapture",
    },
    Check {
        title: "The window, driven by WebDriver",
        tool: Tool::Cargo,
        arguments: &["test", "-p", "p2pool-desktop"],
        advice: "Again with: cargo test -p p2pool-desktop; screenshots are in tests/artifacts.",
    },
    Check {
        title: "Licences, sources and bans of the dependencies",
        tool: Tool::OptionalCargo,
        arguments: &["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"],
        advice: "Leave the dependency, or explain it in deny.toml.",
    },
];

impl Check {
    fn call(&self, workspace: &Workspace) -> Call {
        match self.tool {
            Tool::Cargo | Tool::OptionalCargo => Call::cargo(self.arguments, workspace.root()),
            Tool::Npm => Call::npm(self.arguments, &workspace.ui()).env("CI", "1"),
            Tool::NpmTests => Call::npm(self.arguments, &workspace.ui_tests()).env("CI", "1"),
        }
    }

    /// The subcommand to install, if this check needs one that is not there.
    fn missing_tool(&self, workspace: &Workspace) -> Option<&'static str> {
        let (true, Some(&subcommand)) = (self.tool == Tool::OptionalCargo, self.arguments.first())
        else {
            return None;
        };
        let root: PathBuf = workspace.root().to_owned();
        let found = Call::cargo(&[subcommand, "--version"], &root).answer().is_some();
        (!found).then_some(subcommand)
    }
}

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// The closing line. Programs read it: nothing else stands on it.
    fn line(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// Runs all checks in order and stops at the first that fails.
///
/// # Errors
///
/// Stops before the first check when something needed is missing.
pub(crate) fn run_all(workspace: &Workspace) -> Result<ExitCode, Stop> {
    setup::prepare(workspace, Scope::Tests)?;
    let start = Instant::now();
    let mut tally = Tally::default();
    for (number, check) in (1..).zip(CHECKS) {
        println!("\n== {number} of {}: {}", CHECKS.len(), check.title);
        if let Some(subcommand) = check.missing_tool(workspace) {
            println!(
                "-- skipped: cargo-{subcommand} is not installed (cargo install --locked cargo-{subcommand})"
            );
            continue;
        }
        let began = Instant::now();
        let call = check.call(workspace);
        let line = call.shown().to_owned();
        let passed = match call.status() {
            Ok(status) => status.success(),
            Err(stop) => {
                println!("{stop}");
                false
            }
        };
        let took = shown(began.elapsed());
        if passed {
            tally.passed += 1;
            println!("-- passed in {took}");
        } else {
            tally.failed += 1;
            println!("-- FAILED after {took}: {}", check.title);
            println!("   command: {line}");
            println!("   {}", check.advice);
            break;
        }
    }
    println!("\nAll of it took {}.", shown(start.elapsed()));
    println!("{}", tally.line());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{}.{} s", seconds, time.subsec_millis() / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_counts_steps() {
        let tally = Tally { passed: 7, failed: 1 };
        assert_eq!(tally.line(), "7 passed, 1 failed");
    }

    #[test]
    fn every_check_has_a_title_a_command_and_advice() {
        for check in CHECKS {
            assert!(!check.title.is_empty() && !check.arguments.is_empty());
            assert!(check.advice.len() > 10, "{}", check.title);
        }
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(shown(Duration::from_millis(1_230)), "1.2 s");
        assert_eq!(shown(Duration::from_secs(125)), "2 min 05 s");
    }
}
