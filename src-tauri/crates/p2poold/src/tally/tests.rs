use std::sync::Arc;

use p2pool_node::{
    BitcoinState, BlockOutput, ChainSummary, HelperState, PoolBlock, StorageState, WindowShare,
};
use p2pool_sharechain::change::FoundBlock;

use super::*;
use crate::payees::tests::{MINE, payees, script};

fn hash(number: u8) -> ShareHash {
    ShareHash::from_internal([number; 32])
}

pub(crate) fn snapshot(summary: ChainSummary) -> NodeSnapshot {
    NodeSnapshot {
        started_at: UnixTime(1000),
        chain: bitcoin::Network::Regtest,
        is_practice: true,
        is_continued: false,
        is_mining: true,
        stratum_address: ([127, 0, 0, 1], 19332).into(),
        payout_address: MINE.into(),
        donation: 0,
        bitcoin: BitcoinState::Ready { tip_height: 0 },
        bitcoin_details: Arc::default(),
        summary: Arc::new(summary),
        p2p: Arc::default(),
        miners: Arc::default(),
        helper: HelperState::Starting,
        storage: StorageState::Ok,
        members: Vec::new(),
        database: "/data/node.sqlite".into(),
        practice_rpc: None,
        failure: None,
    }
}

fn window(shares: &[(u8, bool)]) -> ChainSummary {
    let share = |(number, is_own): &(u8, bool)| WindowShare {
        hash: hash(*number),
        timestamp: 1000,
        payee: String::new(),
        is_own: *is_own,
        difficulty: 1.0,
        is_stale_notice: false,
        is_block: false,
    };
    ChainSummary {
        best: shares.first().map(|(number, _)| hash(*number)),
        window: shares.iter().map(share).collect(),
        ..ChainSummary::default()
    }
}

fn best(number: u8, is_own: bool) -> Event {
    Event::BestShare { hash: hash(number), height: 1, is_own }
}

fn check(number: u8, paid_sats: u64) -> BlockCheck {
    let paying = BlockOutput { script: script(MINE), value_sats: paid_sats };
    let commitment = BlockOutput { script: vec![0x6a], value_sats: 0 };
    BlockCheck {
        hash: hash(number),
        height: 1,
        confirmations: 1,
        subsidy_sats: 100,
        fees_sats: 0,
        outputs: vec![paying, commitment],
    }
}

#[test]
fn a_share_of_others_counts_once_whoever_tells_of_it() {
    let mut tally = Tally::new(&snapshot(ChainSummary::default()));
    tally.event(&best(1, false));
    tally.event(&best(2, true));
    tally.snapshot(&snapshot(window(&[(3, false), (2, true), (1, false)])));
    tally.event(&best(3, false));
    tally.event(&Event::ShareFound { hash: hash(2), worker: "cpu".into(), is_on_time: true });
    tally.event(&Event::ShareFound { hash: hash(4), worker: "cpu".into(), is_on_time: false });
    assert_eq!((tally.shares_mine, tally.shares_late, tally.shares_others), (2, 1, 2));
}

#[test]
fn shares_of_an_earlier_run_are_not_counted() {
    let started = NodeSnapshot { is_continued: true, ..snapshot(ChainSummary::default()) };
    let mut tally = Tally::new(&started);
    tally.event(&best(2, false));
    tally.snapshot(&snapshot(window(&[(2, false), (1, false)])));
    assert_eq!(tally.shares_others, 0);
    tally.event(&best(3, false));
    assert_eq!(tally.shares_others, 1);
}

#[test]
fn a_block_is_accepted_once_and_those_of_earlier_runs_never() {
    let block = |number, found_at| PoolBlock {
        block: FoundBlock {
            hash: hash(number),
            height: 1,
            found_at: UnixTime(found_at),
            own: true,
            status: BlockStatus::Accepted,
            reason: None,
            raw: None,
            payouts: Vec::new(),
            txid: None,
            paid_heights: None,
            standing: None,
        },
        confirmations: 1,
        round_effort: None,
    };
    let blocks = vec![block(1, 1000), block(2, 1001), block(3, 1001)];
    let now = snapshot(ChainSummary { blocks, ..ChainSummary::default() });
    let mut tally = Tally::new(&now);
    let accepted = tally.event(&Event::BlockAccepted { hash: hash(2), height: 1 });
    assert_eq!(accepted, Some(hash(2)));
    assert_eq!(tally.snapshot(&now), [hash(3)]);
    assert_eq!(tally.snapshot(&now), []);
    assert_eq!((tally.blocks_found, tally.blocks_accepted), (2, 2));
}

#[test]
fn payouts_are_summed_and_those_of_replaced_blocks_taken_back() {
    let mut tally = Tally::new(&snapshot(ChainSummary::default()));
    let accepted = Event::BlockAccepted { hash: hash(1), height: 1 };
    tally.event(&accepted);
    tally.checked(check(1, 100));
    tally.checked(check(2, 99));
    let summary = tally.summary(7, &payees());
    assert_eq!((summary.blocks_exact, tally.blocks_inexact), (1, 1));
    assert_eq!(summary.payouts.len(), 1);
    assert_eq!((summary.payouts[0].who.as_str(), summary.payouts[0].value_sats), ("you", 199));
    assert_eq!(summary.blocks[1].outputs.len(), 1, "outputs without value are left out");

    tally.event(&Event::BlockReplaced { hash: hash(1) });
    let summary = tally.summary(7, &payees());
    assert_eq!((summary.payouts[0].value_sats, summary.blocks.len()), (99, 1));
    assert_eq!((summary.blocks_accepted, summary.blocks_exact), (0, 0));
    assert_eq!(tally.event(&accepted), Some(hash(1)), "it may come back");
}
