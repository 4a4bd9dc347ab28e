//! The main job: shares become blocks, blocks pay.

use std::collections::BTreeSet;

use p2pool_tests::TempNode;
use serde_json::Value;

use crate::{GENTLE, SOON};

fn sats(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("whole sats, not {value}"))
}

/// Adds a block's outputs up again.
fn assert_exact(block: &Value) {
    let outputs = block["outputs"].as_array().expect("a list");
    let sum: u64 = outputs.iter().map(|output| sats(&output["value_sats"])).sum();
    let due = sats(&block["subsidy_sats"]) + sats(&block["fees_sats"]);
    assert!(due > 0 && sum == due, "pays {sum} of {due}: {block}");
    assert_eq!((&block["is_exact"], sats(&block["outputs_sum_sats"])), (&Value::Bool(true), due));
}

#[test]
fn own_shares_become_accepted_blocks_that_pay_subsidy_and_fees_to_the_members() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    let started = node.wait_for("started", SOON, |_| true);
    let own_address = started["payout_address"].clone();
    let members = started["members"].as_array().expect("a list");
    assert_eq!(members.len(), 3);
    let member_addresses: BTreeSet<String> =
        members.iter().map(|m| m["address"].as_str().unwrap().to_owned()).collect();

    let share = node.wait_for("share_found", SOON, |share| share["is_on_time"] == true);
    assert_eq!(share["worker"], "cpu");
    let block = node.wait_for("block_accepted", SOON, |block| block["is_own"] == true);
    assert_exact(&block);
    let pays = |block: &Value, wanted: &dyn Fn(&str) -> bool| {
        let outputs = block["outputs"].as_array().expect("a list");
        outputs.iter().any(|output| output["address"].as_str().is_some_and(wanted))
    };
    assert!(pays(&block, &|address| own_address == address), "the finder is paid: {block}");
    node.wait_for("block_accepted", SOON, |block| {
        pays(block, &|address| member_addresses.contains(address))
    });
    node.wait_for("status", SOON, |status| {
        status["shares_others"].as_u64() > Some(0) && status["window_shares"].as_u64() > Some(0)
    });
    for block in node.seen().iter().filter(|line| line["type"] == "block_accepted") {
        assert_exact(block);
    }
}

#[test]
fn testnet4_gives_work_of_difficulty_1_and_shares_within_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--chain", "testnet4", "--limit-hps", "8000000"];
    let mut node = TempNode::start(folder.path(), &arguments);
    let started = node.wait_for("started", SOON, |_| true);
    assert_eq!(started["chain"], "testnet4");
    assert!(started["payout_address"].as_str().unwrap().starts_with("tb1"));

    let status = node.wait_for("status", SOON, |s| s["next_block_height"].as_u64() > Some(0));
    assert_eq!(status["block_difficulty"], 1.0);
    assert_eq!(status["next_block_sats"], 5_000_000_000_u64);
    node.wait_for("share_found", SOON, |share| share["is_on_time"] == true);
    let status = node.wait_for("status", SOON, |s| s["window_mine"].as_u64() > Some(0));
    let payouts = status["payouts"].as_array().expect("a list");
    let sum: u64 = payouts.iter().map(|payout| sats(&payout["value_sats"])).sum();
    assert_eq!(sum, 5_000_000_000, "a block found now would pay all of the subsidy");
}
