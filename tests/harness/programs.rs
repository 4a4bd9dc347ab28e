//! The programs under test, and short runs of them.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where cargo has put a program of this workspace.
///
/// # Panics
/// It has not been built.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a running test has a file");
    // target/debug/deps/e2e-0123 -> target/debug
    let folder = test.parent().and_then(|deps| deps.parent()).expect("tests lie in target/*/deps");
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing; first: cargo build --bin p2poold --bin p2pool-miner",
        path.display()
    );
    path
}

/// How a program that ended by itself did.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `p2poold` with these arguments until it ends by itself.
///
/// # Panics
/// It cannot be started.
pub fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Outcome {
    let output = Command::new(program("p2poold"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program can be started");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
