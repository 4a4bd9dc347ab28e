//! Byte-exact agreement with the reference implementation: every vector file in a folder, checked.
//!
//! `P2POOL_VECTORS` names the folder; without it, it is this one. No file has to be there, but
//! each `.json` or `.json.gz` that is there has to be known, and to agree. What the files hold is
//! said in each one's `header`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "reports to the terminal")]

mod addresses;
mod blocks;
mod cases;
mod chains;
mod computation;
mod encodings;
mod files;
mod gossip;
mod history;
mod invalid;
mod links;
#[path = "../../src-tauri/crates/p2pool-wire/tests/vectors/messages/mod.rs"]
mod messages;
mod miners;
mod networks;
mod read;
mod record;
mod rpc;
mod stores;
mod targets;
mod templates;
mod trees;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::cases::Cases;
use crate::files::VectorFile;
use crate::history::Histories;

/// How one kind of file is checked.
enum Check {
    /// By itself.
    Alone(fn(&Value, &Path, &mut Cases) -> Result<(), String>),
    /// Together with the shares of the run that it belongs to.
    InRun(fn(&Value, &Path, &mut Histories, &mut Cases) -> Result<(), String>),
}

/// The check for a file, by its name and that of the folder it lies in.
fn check_of(folder: &str, name: &str) -> Option<Check> {
    let alone = match (folder, name) {
        ("live", _) => return check_of_run(name),
        ("chains", _) => chains::check,
        ("invalid", _) => invalid::check,
        ("trees", _) => trees::check,
        (_, "encodings") => encodings::check,
        (_, "floating_integer") => targets::check_compact,
        (_, "difficulty") => targets::check_difficulty,
        (_, "merkle") => links::check_merkle,
        (_, "hash_link") => links::check_hash_link,
        (_, "networks_subsidy") => networks::check,
        (_, "addresses") => addresses::check,
        (_, name) if name.starts_with("p2p_messages_") => check_messages,
        _ => return None,
    };
    Some(Check::Alone(alone))
}

/// The check for a file of nodes that ran.
fn check_of_run(name: &str) -> Option<Check> {
    Some(match name {
        "accepted_blocks" => Check::InRun(blocks::check),
        _ if name.contains("_share_store") => Check::Alone(stores::check),
        _ if name.contains("_p2p") => Check::InRun(gossip::check),
        _ if name.contains("_rpc") => Check::InRun(rpc::check),
        _ if name.contains("_stratum") => Check::InRun(miners::check),
        _ if name.contains("_web_api") => Check::InRun(web::check),
        _ => return None,
    })
}

/// Recorded messages between nodes, by the check of the crate that reads them.
fn check_messages(document: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    messages::check(document, &mut |name, result| cases.run(name, || result));
    Ok(())
}

/// The folder named, or this one. A relative name counts from the root of the repository, where
/// the command is typed, not from the package's folder, where cargo runs it.
fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(named) = std::env::var_os("P2POOL_VECTORS") else { return package.join("vectors") };
    package.parent().unwrap_or(package).join(named)
}

/// Checks one file.
fn run(file: &VectorFile, histories: &mut Histories, cases: &mut Cases) {
    let Some(check) = check_of(&file.folder, &file.name) else {
        cases.fail("the file", "not a kind of vectors that is known here");
        return;
    };
    let outcome = files::load(&file.path).and_then(|doc| match check {
        Check::Alone(check) => check(&doc, &file.path, cases),
        Check::InRun(check) => check(&doc, &file.path, histories, cases),
    });
    if let Err(reason) = outcome {
        cases.fail("the file", &reason);
    }
}

fn main() -> ExitCode {
    let files = match files::below(&folder()) {
        Ok(files) => files,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut histories = Histories::default();
    let (mut passed, mut failed) = (0, 0);
    for file in &files {
        let mut cases = Cases::default();
        run(file, &mut histories, &mut cases);
        println!("{:>6} cases  {}", cases.passed(), file.shown);
        for failure in cases.failures() {
            println!("        FAILED {failure}");
        }
        passed += cases.passed();
        failed += cases.failures().len();
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
