//! `cargo xtask run`: the application in its window, or practice mode in the terminal.

use std::path::Path;
use std::process::ExitCode;

use crate::needs::Scope;
use crate::process::{Call, Stop};
use crate::setup;
use crate::workspace::Workspace;

/// Advice for a failed build, whatever failed.
const BUILD_ADVICE: &str = "The first error above is the one to mend; if a system library is named, run cargo xtask setup.";

/// Builds and starts; the exit code is the application's own.
///
/// # Errors
///
/// Stops when something is missing or does not build.
pub(crate) fn start(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Stop> {
    let has_display = has_display();
    setup::prepare(workspace, if has_display { Scope::Window } else { Scope::Node })?;

    println!("\n== Building the node and the CPU miner (the first time takes several minutes)");
    // The CPU miner is a program of its own, found beside the program that starts it.
    Call::cargo(&["build", "--package", "p2pool-miner", "--package", "p2poold"], workspace.root())
        .must(BUILD_ADVICE)?;

    let mut line: Vec<&str> = if has_display {
        println!("\n== Starting P2Pool Desktop");
        vec!["run", "--package", "p2pool-desktop", "--"]
    } else {
        println!("\n== No display here: starting practice mode in this terminal (Ctrl-C ends it)");
        vec!["run", "--package", "p2poold", "--", "practice"]
    };
    line.extend(arguments.iter().map(String::as_str));
    // In the caller's own folder, so that relative paths among the arguments mean what they say.
    Call::cargo(&line, Path::new(".")).become_it()
}

/// Whether a window can be shown. macOS and Windows always have a display in this sense.
fn has_display() -> bool {
    cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
