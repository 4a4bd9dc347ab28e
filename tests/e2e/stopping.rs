//! Ends: asked for, at a goal, and when nobody listens any more.

use p2pool_tests::{TempNode, run};

use crate::{GENTLE, SOON, STOP_WITHIN};

#[test]
#[cfg(unix)]
fn a_termination_signal_stops_cleanly_within_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    node.wait_for("block_accepted", SOON, |_| true);

    let exit = node.terminate(STOP_WITHIN);

    exit.assert_good();
    assert!(exit.took < STOP_WITHIN);
    let stopped = exit.line("stopped");
    assert_eq!(stopped["late"], serde_json::json!([]));
    assert!(!folder.path().join("practice/chain/.cookie").exists(), "the login is for one run");
    let accepted = exit.line("summary")["blocks_accepted"].as_u64();
    assert!(accepted >= Some(1), "{accepted:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_ends_at_once() {
    use p2pool_tests::processes::{child_of, signal};

    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    node.wait_for("cpu_miner", SOON, |line| line["state"] == "running");
    let miner = child_of(node.id(), crate::MINER).expect("it runs");
    // A miner that does not react is waited for: time for the second signal.
    assert!(signal(miner, "STOP") && signal(node.id(), "TERM"));
    node.wait_for("stopping", SOON, |_| true);

    let exit = node.terminate(STOP_WITHIN);

    // The system may have ended it with its parent, or not.
    signal(miner, "KILL");
    assert_eq!(exit.code, Some(1), "{}", exit.stderr);
    assert!(exit.stderr.contains("Ended at once"), "{}", exit.stderr);
    assert!(exit.lines.iter().all(|line| line["type"] != "stopped"), "it had not stopped");
    exit.line("summary");
}

#[test]
fn a_wanted_number_of_blocks_ends_with_a_summary_that_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = GENTLE.to_vec();
    arguments.extend(["--blocks", "3"]);
    let mut node = TempNode::start(folder.path(), &arguments);
    node.wait_for("summary", SOON, |_| true);

    let exit = node.wait(STOP_WITHIN);

    exit.assert_good();
    let summary = exit.line("summary");
    assert!(summary["blocks_accepted"].as_u64() >= Some(3), "{summary}");
    assert_eq!(summary["blocks_exact"], summary["blocks_accepted"]);
    let sum = |list: &serde_json::Value, field: &str| -> u64 {
        list.as_array().unwrap().iter().map(|entry| entry[field].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&summary["payouts"], "value_sats"), sum(&summary["blocks"], "outputs_sum_sats"));
    assert!(summary["shares_mine"].is_u64() && summary["shares_others"].is_u64());
    assert_eq!(exit.lines.last().unwrap()["type"], "stopped");
}

#[test]
fn a_time_limit_ends_in_words_when_no_program_reads() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let arguments =
        ["practice", "--data-dir", data_dir, "--chain", "regtest", "--stratum-port", "0"];

    let outcome = run(&[&arguments[..], &GENTLE, &["--for", "5"]].concat());

    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for part in ["these coins have no value", "Practice ran for 0:00:0", "Stopped cleanly in "] {
        assert!(outcome.stdout.contains(part), "{part} in:\n{}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains('\x1b'), "no escapes where there is no terminal");
}

#[test]
fn a_closed_output_stops_the_node() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(p2pool_tests::program("p2poold"))
        .args(["practice", "--json", "--chain", "regtest", "--stratum-port", "0", "--data-dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    assert!(first.contains("\"started\""), "{first}");
    drop(output);

    let end = child.wait_with_output().unwrap();

    let stderr = String::from_utf8_lossy(&end.stderr);
    assert_eq!(end.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("output was closed") && !stderr.contains("panicked"), "{stderr}");
}
