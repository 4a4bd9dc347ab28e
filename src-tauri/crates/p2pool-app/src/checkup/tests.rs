//! Health list, ladder and advice from nodes that these tests make up.

use std::sync::Arc;

use bitcoin::Network;
use p2pool_node::{
    BitcoinDetails, BitcoinNode, BitcoinState, ChainSummary, HelperState, Miner, MinersSnapshot,
    NodeSnapshot, PoolBlock, StorageState, WindowShare,
};
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{Params, ShareHash};

use super::*;
use crate::api::{
    CheckName, CheckOutcome, HealthSubject, HealthText, LateMeasure, LightState, Problem,
    ProblemCode, Rung, Severity, UnixSeconds,
};
use crate::views::{Parties, Sight};

const NOW: u64 = 1_800_000_000;
const ME: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const MY_SCRIPT: [u8; 22] = [
    0x00, 0x14, 0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3,
    0xa3, 0x23, 0xf1, 0x43, 0x3b, 0xd6,
];

/// A live node whose owner has been paid.
fn paid() -> NodeSnapshot {
    let window = (0..200u8).map(|number| share(number, number == 9)).collect();
    NodeSnapshot {
        started_at: UnixTime(NOW - 90_000),
        chain: Network::Bitcoin,
        is_practice: false,
        is_continued: true,
        is_mining: true,
        stratum_address: "192.168.1.20:9332".parse().unwrap(),
        payout_address: ME.into(),
        bitcoin: BitcoinState::Ready { tip_height: 975_120 },
        bitcoin_details: Arc::default(),
        summary: Arc::new(ChainSummary {
            peers: 7,
            height: 200,
            verified_height: 200,
            has_work: true,
            share_difficulty: 7e6,
            network_difficulty: 1.3e14,
            pool_hashrate_hps: 1e15,
            own_found: 3,
            window,
            blocks: vec![block(BlockStatus::Mature, 100)],
            ..ChainSummary::default()
        }),
        p2p: Arc::default(),
        miners: Arc::new(MinersSnapshot {
            miners: vec![miner("bitaxe", 0)],
            hashrate_hps: 1.2e12,
            work_since_share: 1e15,
            late_part: Some(0.02),
            ..MinersSnapshot::default()
        }),
        helper: HelperState::Off,
        storage: StorageState::Ok,
        members: Vec::new(),
        database: "pool.sqlite".into(),
        practice_rpc: None,
        failure: None,
        donation: Default::default(),
    }
}

fn share(number: u8, is_own: bool) -> WindowShare {
    WindowShare {
        hash: ShareHash::from_internal([number; 32]),
        timestamp: u32::try_from(NOW).unwrap() - 30 * u32::from(number),
        payee: if is_own { ME.into() } else { "other".into() },
        is_own,
        difficulty: 7e6,
        is_stale_notice: false,
        is_block: false,
    }
}

fn block(status: BlockStatus, confirmations: u32) -> PoolBlock {
    let block = FoundBlock {
        hash: ShareHash::from_internal([9; 32]),
        height: 975_000,
        found_at: UnixTime(NOW - 80_000),
        own: false,
        status,
        reason: None,
        raw: None,
        payouts: vec![(MY_SCRIPT.to_vec(), 35_988), (vec![0x51], 312_000_000)],
        paid_heights: Default::default(),
        txid: Default::default(),
        standing: None,
    };
    PoolBlock { block, confirmations, round_effort: None }
}

fn miner(name: &str, late: u64) -> Miner {
    Miner {
        worker: name.into(),
        is_helper: false,
        connections: 1,
        user_agent: "bitaxe".into(),
        hashrate_hps: 1.2e12,
        accepted: 100,
        late,
        rejected: 0,
        last_result_at: Some(UnixTime(NOW - 5)),
        since: UnixTime(NOW - 7_000),
        ip: None,
        notices: Vec::new(),
        reasons: Default::default(),
        difficulty: None,
    }
}

/// Looks at a node as the page does.
fn with<T>(node: &NodeSnapshot, look: impl FnOnce(&Sight<'_>) -> T) -> T {
    let params = Params::mainnet();
    let parties = Parties::new(node, &params);
    look(&Sight {
        now: UnixSeconds(NOW),
        node,
        params: &params,
        parties: &parties,
        mine_hps: Some(1.2e12),
        mine_over_secs: 3_600.0,
    })
}

fn changed(
    change: impl FnOnce(&mut NodeSnapshot, &mut ChainSummary, &mut MinersSnapshot),
) -> NodeSnapshot {
    let mut node = paid();
    let (mut summary, mut miners) = ((*node.summary).clone(), (*node.miners).clone());
    change(&mut node, &mut summary, &mut miners);
    (node.summary, node.miners) = (Arc::new(summary), Arc::new(miners));
    node
}

fn climb(node: &NodeSnapshot) -> (u32, Option<Rung>) {
    let ladder = with(node, |sight| ladder(sight, Some(UnixSeconds(NOW - 500))));
    (ladder.reached, ladder.open)
}

#[test]
fn a33_ladder_opens_the_first_rung_that_is_not_reached() {
    let since = UnixTime(NOW - 60);
    let code = p2pool_node::ProblemCode::NodeUnreachable;
    let down = BitcoinState::Unavailable { code, reason: "refused".into(), since };
    let (reached, open) = climb(&changed(|node, _, _| node.bitcoin = down));
    assert_eq!((reached, open), (0, Some(Rung::Node { progress: None })));

    let (reached, open) = climb(&changed(|_, chain, _| {
        (chain.verified_height, chain.height) = (4_210, 8_640);
        chain.has_work = false;
    }));
    assert_eq!((reached, open), (1, Some(Rung::Pool { members: 7, done: 4_210, total: 8_640 })));

    let (reached, open) = climb(&changed(|_, _, miners| miners.miners.clear()));
    let miner_url = Some("stratum+tcp://192.168.1.20:9332".to_owned());
    assert_eq!((reached, open), (2, Some(Rung::Miner { miner_url, is_stopped: false })));

    let (reached, open) = climb(&changed(|_, _, miners| {
        miners.miners[0].last_result_at = Some(UnixTime(NOW - 700));
    }));
    assert_eq!((reached, open), (3, Some(Rung::Results { connected: 1 })));

    let (reached, open) = climb(&changed(|_, _, miners| miners.late_part = Some(0.31)));
    assert_eq!((reached, open), (4, Some(Rung::InTime { late_part: 0.31 })));

    let (reached, open) = climb(&changed(|_, chain, miners| {
        chain.own_found = 0;
        // 0.8916 of 7e6 · 2^32.
        miners.work_since_share = 0.891_6 * 7e6 * 4_294_967_296.0;
    }));
    let Some(Rung::FirstShare { effort, average_secs, none_yet_part }) = open else {
        panic!("{open:?}")
    };
    assert_eq!(reached, 5);
    assert!(
        (effort.unwrap() - 0.891_6).abs() < 1e-6 && (none_yet_part.unwrap() - 0.41).abs() < 1e-4
    );
    assert!((average_secs.unwrap() - 25_054.0).abs() < 1.0);

    let (reached, open) =
        climb(&changed(|_, chain, _| chain.window.iter_mut().for_each(|it| it.is_own = false)));
    let Some(Rung::InWindow { last_left_at, is_normal, .. }) = open else { panic!("{open:?}") };
    assert_eq!((reached, last_left_at), (6, Some(UnixSeconds(NOW - 500))));
    assert!(!is_normal, "seven hours are shorter than the window");

    let (reached, open) = climb(&changed(|_, chain, _| chain.blocks.clear()));
    let Some(Rung::PoolBlock { effort, average_secs, chance }) = open else { panic!("{open:?}") };
    assert_eq!((reached, effort), (7, None));
    assert!((average_secs.unwrap() / (365.25 * 86_400.0) - 17.69).abs() < 0.1);
    assert!(chance.unwrap().fraction < 0.006);

    let young = block(BlockStatus::Accepted, 12);
    let (reached, open) = climb(&changed(|_, chain, _| chain.blocks = vec![young]));
    let payment = Rung::Payment { sats: crate::api::Sats(35_988), confirmations: 12, needed: 100 };
    assert_eq!((reached, open), (8, Some(payment)));

    assert_eq!(climb(&paid()), (9, None));
}

#[test]
fn gap_longer_than_the_window_is_called_normal() {
    let open = climb(&changed(|_, chain, _| {
        chain.window.iter_mut().for_each(|it| it.is_own = false);
        chain.share_difficulty = 7e10;
    }));
    assert!(matches!(open.1, Some(Rung::InWindow { is_normal: true, .. })), "{open:?}");
}

#[test]
fn block_that_was_lost_pays_nobody() {
    let lost = block(BlockStatus::Orphaned, 0);
    let (reached, _) = climb(&changed(|_, chain, _| chain.blocks = vec![lost]));
    assert_eq!(reached, 7);
}

#[test]
fn a32_late_work_is_explained_by_what_was_measured() {
    let node = changed(|_, chain, miners| {
        chain.peers = 2;
        miners.late_part = Some(0.31);
        miners.miners = vec![miner("bitaxe", 60), miner("s9", 1)];
    });
    let slow = CheckResult {
        test: CheckName::NodeTemplate,
        outcome: CheckOutcome::Weak,
        took_ms: 2_400.0,
        technical: String::new(),
    };
    let computer = ComputerFacts { wait_ms: 12.0, ..ComputerFacts::default() };
    let advice = with(&node, |sight| late(sight, &computer, std::slice::from_ref(&slow)));
    assert!(advice.is_high);
    let causes: Vec<_> = advice.causes.iter().map(|it| (it.is_cause, &it.measure)).collect();
    let name = Some("bitaxe".to_owned());
    assert_eq!(
        causes,
        [
            (true, &LateMeasure::OneMiner { name, late_part: 0.6, others_part: 0.01 }),
            (true, &LateMeasure::NodeAnswer { answer_ms: 2_400.0, is_remote: false }),
            (true, &LateMeasure::FewMembers { connected: 2 }),
            (false, &LateMeasure::ComputerBusy { wait_ms: 12.0 }),
        ]
    );
    assert!(!with(&paid(), |sight| late(sight, &computer, &[])).is_high);
}

fn list(node: Option<&NodeSnapshot>, problems: &[Problem]) -> Vec<crate::api::HealthLine> {
    let computer = ComputerFacts { disk_free: Some(5 << 30), ..ComputerFacts::default() };
    let facts = Facts { computer: &computer, problems, results: &[], version: "0.1.0" };
    match node {
        Some(node) => with(node, |sight| health(Some(sight), facts)),
        None => health(None, facts),
    }
}

fn problem(code: ProblemCode, severity: Severity, name: &str) -> Problem {
    Problem {
        id: 7,
        code,
        severity,
        since: UnixSeconds(NOW),
        values: [("name".to_owned(), name.to_owned())].into(),
        technical: String::new(),
        actions: Vec::new(),
    }
}

#[test]
fn health_list_stands_in_its_order_and_is_well_when_all_is() {
    use HealthSubject as Of;
    let lines = list(Some(&paid()), &[]);
    let subjects: Vec<_> = lines.iter().map(|line| line.subject).collect();
    assert_eq!(
        subjects,
        [
            Of::BitcoinNode,
            Of::Clock,
            Of::ShareChain,
            Of::Members,
            Of::MinersDoor,
            Of::Miner,
            Of::PayoutAddress,
            Of::Disk,
            Of::Sleep,
            Of::Updates
        ]
    );
    let unwell: Vec<_> = lines.iter().filter(|line| line.state == LightState::Stopped).collect();
    assert!(unwell.is_empty(), "{unwell:?}");
    assert_eq!(
        lines[4].text,
        HealthText::DoorOpen { address: "192.168.1.20:9332".into(), phone_seen_at: None }
    );
}

#[test]
fn problem_stands_in_the_line_it_is_about() {
    let late = problem(ProblemCode::MinerLate, Severity::Warning, "s9");
    let node = changed(|_, _, miners| miners.miners.push(miner("s9", 40)));
    let lines = list(Some(&node), std::slice::from_ref(&late));
    let of_miners: Vec<_> = lines
        .iter()
        .filter(|line| line.subject == HealthSubject::Miner)
        .map(|line| (line.state, line.problem))
        .collect();
    assert_eq!(of_miners, [(LightState::Ok, None), (LightState::Attention, Some(7))]);
    let down = problem(ProblemCode::NodeUnreachable, Severity::Error, "");
    let lines = list(Some(&paid()), &[down]);
    assert_eq!((lines[0].state, &lines[0].text), (LightState::Stopped, &HealthText::Problem));
}

#[test]
fn every_code_that_has_a_line_finds_one() {
    let without: Vec<ProblemCode> = ProblemCode::ALL
        .into_iter()
        .filter(|code| {
            let found = problem(*code, Severity::Warning, "bitaxe");
            let node = changed(|_, _, miners| {
                miners.miners.push(Miner { is_helper: true, ..miner("cpu", 0) });
            });
            list(Some(&node), &[found]).iter().all(|line| line.problem.is_none())
        })
        .collect();
    // Of a block, of devices being set up, of the program itself: these have cards alone.
    assert!(without.len() == 16, "{without:?}");
}

#[test]
fn without_a_node_the_computer_still_has_its_lines() {
    let lines = list(None, &[]);
    assert_eq!(lines[0].text, HealthText::NotStarted);
    assert!(lines.iter().any(|line| matches!(line.text, HealthText::DiskFree { .. })));
}

fn with_clock(off: i64) -> NodeSnapshot {
    let facts = p2pool_bitcoind::NodeFacts {
        version: 310_000,
        subversion: "/Satoshi:31.0.0/".into(),
        blocks: 975_120,
        headers: 975_120,
        initial_block_download: false,
        verification_progress: 1.0,
        pruned: true,
        median_time: 0,
        tip_time: None,
        connections: 8,
        clock_offset_s: Some(off),
        size_on_disk: None,
        warnings: Vec::new(),
    };
    let own = BitcoinNode {
        url: "http://127.0.0.1:8332".into(),
        is_reserve: false,
        is_remote: false,
        is_in_use: true,
        tip_height: Some(975_120),
        facts: Some(Arc::new(facts)),
        problem: None,
    };
    let details = Arc::new(BitcoinDetails { nodes: vec![own], warnings: Vec::new() });
    changed(|node, _, _| node.bitcoin_details = details)
}

#[test]
fn clock_is_noted_after_a_minute_and_useless_after_ten() {
    let of = |off| {
        let found = crate::problems::of_node(&with_clock(off), UnixSeconds(NOW));
        let clock = found.into_iter().find(|it| it.code() == ProblemCode::ClockOff)?;
        Some((clock.severity, clock.values["minutes"].clone()))
    };
    assert_eq!(of(60), None);
    assert_eq!(of(-60), None);
    assert_eq!(of(170), Some((Severity::Warning, "3".into())));
    assert_eq!(of(-600), Some((Severity::Warning, "10".into())));
    assert_eq!(of(-601), Some((Severity::Error, "11".into())));
    let lines = list(Some(&with_clock(-4)), &[]);
    assert_eq!(lines[1].text, HealthText::ClockRight { off_secs: 4 });
}

#[test]
fn shares_are_told_beside_the_blocks_of_their_time() {
    let own = [
        OwnFound { hash: "b".into(), found_at: UnixSeconds(NOW - 60), is_late: false },
        OwnFound { hash: "a".into(), found_at: UnixSeconds(NOW - 81_000), is_late: false },
        OwnFound { hash: "0".into(), found_at: UnixSeconds(NOW - 81_000), is_late: true },
    ];
    let told = with(&paid(), |sight| unpaid(sight, &own));
    let blocks: Vec<_> = told.shares.iter().map(|it| (it.blocks, it.left_at.is_some())).collect();
    assert_eq!(blocks, [(0, true), (1, true), (0, false)]);
}
