//! P2Pool Desktop: a P2Pool node with a window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "without a window there is no other place for a sentence")]
fn main() -> ExitCode {
    match p2pool_desktop::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
