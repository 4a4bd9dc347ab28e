//! The CPU miner is a process of its own: its end is not the node's, but the node's is its end.

use p2pool_tests::TempNode;
use p2pool_tests::processes::{child_of, signal, wait_until_gone};

use crate::{GENTLE, MINER, SOON, STOP_WITHIN};

#[test]
fn a_killed_cpu_miner_is_told_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    node.wait_for("share_found", SOON, |_| true);
    let first = child_of(node.id(), MINER).expect("it has found a share");

    assert!(signal(first, "KILL"));

    let is_state = |line: &serde_json::Value, state: &str| {
        line["type"] == "cpu_miner" && line["state"] == state
    };
    node.wait_for_next("the miner's end", SOON, |line| is_state(line, "stopped"));
    node.wait_for_next("the miner's return", SOON, |line| is_state(line, "running"));
    node.wait_for_next("another share of the miner", SOON, |line| line["type"] == "share_found");
    let second = child_of(node.id(), MINER).expect("it has found a share");
    assert_ne!(first, second);
}

#[test]
fn the_cpu_miner_ends_with_its_node_even_if_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    node.wait_for("cpu_miner", SOON, |line| line["state"] == "running");
    let miner = child_of(node.id(), MINER).expect("it runs");
    node.kill();
    wait_until_gone(miner, STOP_WITHIN);

    let mut node = TempNode::start(folder.path(), &GENTLE);
    node.wait_for("cpu_miner", SOON, |line| line["state"] == "running");
    let miner = child_of(node.id(), MINER).expect("it runs");
    node.terminate(STOP_WITHIN).assert_good();
    wait_until_gone(miner, STOP_WITHIN);
}
