//! Every bad start ends with a code, a sentence and an exit code, and never with a panic.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use p2pool_tests::{Outcome, TempNode, run};
use serde_json::Value;

use crate::SOON;

/// Exit code of everything that is the fault of options or settings.
const INPUT: i32 = 2;
/// Exit code of everything else.
const FAILURE: i32 = 1;

fn start(data_dir: &Path, arguments: &[&str]) -> Outcome {
    let folder = data_dir.to_str().expect("temporary folders have plain names");
    let base = ["practice", "--json", "--chain", "regtest", "--data-dir", folder];
    run(&[&base, arguments].concat())
}

/// Checks code and words, on standard error and in JSON.
fn assert_refused(outcome: &Outcome, code: &str, exit: i32, words: &str) {
    let Outcome { code: exit_code, stdout, stderr } = outcome;
    assert_eq!(*exit_code, Some(exit), "{stderr}");
    assert!(stderr.starts_with(&format!("{code}: ")), "{stderr}");
    assert!(stderr.contains(words), "'{words}' in: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    if !stdout.is_empty() {
        let lines: Vec<Value> =
            stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let failed = lines.last().unwrap();
        assert_eq!((&failed["type"], &failed["code"]), (&"failed".into(), &code.into()));
        assert!(stderr.contains(failed["message"].as_str().unwrap()), "{stderr}");
    }
}

#[test]
fn an_unknown_option_is_named_with_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = start(folder.path(), &["--thread", "2"]);
    assert_refused(&outcome, "E-CLI-01", INPUT, "'--threads'");
    let outcome = start(folder.path(), &["--members", "9"]);
    assert_refused(&outcome, "E-CLI-01", INPUT, "at most 8, not 9");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was begun");
}

#[test]
fn help_and_version_are_no_failures() {
    let version = run(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert_eq!(version.stdout.trim(), concat!("p2poold ", env!("CARGO_PKG_VERSION")));
    let help = run(&["practice", "--help"]);
    assert_eq!(help.code, Some(0));
    for option in ["--data-dir", "--json", "--for", "--blocks", "--stratum-port", "--limit-hps"] {
        assert!(help.stdout.contains(option), "{option} in:\n{}", help.stdout);
    }
}

#[test]
fn a_damaged_settings_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    fs::write(&file, "[practice]\nthreads = many\n").unwrap();
    let outcome = start(folder.path(), &[]);
    assert_refused(&outcome, "E-APP-03", INPUT, file.to_str().unwrap());
    assert!(outcome.stderr.contains("line 2"), "says where: {}", outcome.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[practice]\nthreads = many\n");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let outcome = start(folder.path(), &["--stratum-port", &port]);
    assert_refused(&outcome, "S-01", FAILURE, &format!("Port {port} is used"));
}

#[test]
fn a_folder_where_nothing_can_be_saved_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let data_dir = file.join("data");
    let outcome = start(&data_dir, &["--stratum-port", "0"]);
    assert_refused(&outcome, "E-APP-01", FAILURE, data_dir.to_str().unwrap());
}

#[test]
fn a_folder_in_use_and_one_of_another_network_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &["--threads", "0", "--members", "0"]);
    node.wait_for("started", SOON, |_| true);

    let outcome = start(folder.path(), &["--stratum-port", "0"]);
    assert_refused(&outcome, "E-APP-02", FAILURE, "Another P2Pool node");

    node.kill();
    let other = ["practice", "--chain", "testnet4", "--stratum-port", "0", "--data-dir"];
    let outcome = run(&[&other[..], &[folder.path().to_str().unwrap()]].concat());
    assert_refused(&outcome, "E-APP-06", FAILURE, "another network");

    let mut again = TempNode::start(folder.path(), &["--threads", "0", "--members", "0"]);
    again.wait_for("started", SOON, |_| true);
}

#[test]
fn a_missing_cpu_miner_is_told_and_all_else_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no-such-miner");
    let mut node = TempNode::start(folder.path(), &["--miner", nowhere.to_str().unwrap()]);
    let told = node.wait_for("cpu_miner", SOON, |line| line["state"] == "missing");
    assert_eq!(told["code"], "E-CPU-01");
    assert_eq!(told["path"], nowhere.to_str().unwrap());

    node.wait_for("best_share", SOON, |share| share["is_own"] == false);
    node.wait_for("block_accepted", SOON, |block| block["is_exact"] == true);
}
