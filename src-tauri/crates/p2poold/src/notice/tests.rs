use p2pool_node::HelperPause;
use serde_json::Value;

use super::*;

const DOCS: &str = include_str!("../../docs/events.md");

fn payment(who: &str, value_sats: u64) -> Payment {
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".into();
    Payment { address, who: who.into(), value_sats }
}

pub(crate) fn started() -> Started {
    Started {
        version: "0.1.0",
        chain: "regtest".into(),
        is_practice: true,
        is_continued: true,
        data_dir: "/data".into(),
        database: "/data/practice/node.sqlite".into(),
        stratum_url: "stratum+tcp://127.0.0.1:19332".into(),
        payout_address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".into(),
        members: vec![PracticeMember { name: "Ada".into(), address: "bcrt1qada".into() }],
        rpc_url: "http://127.0.0.1:1".into(),
        rpc_cookie: Some("/data/practice/chain/.cookie".into()),
        rpc_login: None,
    }
}

pub(crate) fn status() -> Status {
    Status {
        ran_seconds: 65,
        hashrate_hps: 12_300_000.0,
        cpu_hashrate_hps: Some(12_000_000.0),
        pool_hashrate_hps: 13_000_000.0,
        is_mining: true,
        state: MiningState::Mining,
        problems: vec![Problem {
            code: "P-09".into(),
            message: "You're the only one.".into(),
            details: String::new(),
        }],
        shares_mine: 7,
        shares_late: 1,
        shares_others: 5,
        best_share: Some("00ab".into()),
        height: 12,
        window_shares: 12,
        window_mine: 7,
        peers: 3,
        blocks_found: 2,
        blocks_accepted: 1,
        next_block_height: 2,
        next_block_sats: 5_000_000_000,
        share_difficulty: 0.001,
        block_difficulty: 1.0,
        payouts: vec![payment("you", 3_750_000_000), payment("Ada", 1_250_000_000)],
    }
}

fn block() -> CheckedBlock {
    CheckedBlock {
        hash: "000000000000000000000000000000000000000000000000000000000000abcd".into(),
        height: 7,
        is_own: true,
        confirmations: 1,
        subsidy_sats: 5_000_000_000,
        fees_sats: 0,
        outputs_sum_sats: 5_000_000_000,
        is_exact: true,
        outputs: vec![payment("you", 3_750_000_000), payment("Ada", 1_250_000_000)],
    }
}

pub(crate) fn summary() -> Summary {
    Summary {
        is_practice: true,
        ran_seconds: 600,
        shares_mine: 7,
        shares_late: 1,
        shares_others: 5,
        blocks_found: 2,
        blocks_accepted: 1,
        blocks_exact: 1,
        blocks_rejected: 1,
        blocks_replaced: 0,
        payouts: block().outputs,
        blocks: vec![block()],
    }
}

/// One of each.
fn all() -> Vec<Notice> {
    let hash = || "00ab".to_owned();
    let reason = || "why".to_owned();
    let worker = || "cpu".to_owned();
    let address = || "127.0.0.1:1".to_owned();
    let code = "N-01";
    vec![
        Notice::Started(Box::new(started())),
        Notice::ShareFound { hash: hash(), worker: worker(), is_on_time: true },
        Notice::BestShare { hash: hash(), height: 1, is_own: false },
        Notice::BlockFound { hash: hash(), height: 1, is_own: true },
        Notice::BlockAccepted(block()),
        Notice::BlockUnchecked { hash: hash(), reason: reason() },
        Notice::BlockRejected { hash: hash(), reason: reason() },
        Notice::BlockReplaced { hash: hash() },
        Notice::CpuMiner(CpuMiner::Off),
        Notice::CpuMiner(CpuMiner::Starting),
        Notice::CpuMiner(CpuMiner::Running { threads: 1, cannot_tell: Vec::new() }),
        Notice::CpuMiner(CpuMiner::Paused { reason: HelperPause::OnBattery }),
        Notice::CpuMiner(CpuMiner::Finished),
        Notice::CpuMiner(CpuMiner::Missing { code, path: "/x".into(), reason: reason() }),
        Notice::CpuMiner(CpuMiner::Stopped { reason: reason() }),
        Notice::Bitcoin(Bitcoin::Connecting),
        Notice::Bitcoin(Bitcoin::Ready),
        Notice::Bitcoin(Bitcoin::Unavailable { code, reason: reason() }),
        Notice::Storage { is_degraded: true, reason: Some(reason()) },
        Notice::StorageSlow,
        Notice::MinerConnected { worker: worker(), is_cpu_miner: true },
        Notice::MinerLeft { worker: worker(), is_cpu_miner: true },
        Notice::MemberJoined { address: address() },
        Notice::MemberLeft { address: address() },
        Notice::MiningStarted,
        Notice::MiningPaused,
        Notice::DatabaseReplaced { old: "/old".into() },
        Notice::Missed { events: 3 },
        Notice::Status(Box::new(status())),
        Notice::Summary(Box::new(summary())),
        Notice::Stopping,
        Notice::Stopped { took_ms: 5, late: vec!["storage"] },
        Notice::Failed { code, message: reason(), details: String::new() },
    ]
}

/// All names of fields in a value, inner ones too.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                found.push(name.clone());
                names(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_line_has_its_type_and_time_and_stands_in_the_docs() {
    for notice in all() {
        let line = notice.to_json(1_800_000_000);
        assert!(!line.contains('\n'), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["at"], 1_800_000_000);
        let kind = value["type"].as_str().unwrap();
        assert!(DOCS.contains(&format!("| `{kind}` |")), "{kind} is not in docs/events.md");
        let mut fields = Vec::new();
        names(&value, &mut fields);
        for field in fields {
            assert!(DOCS.contains(&format!("`{field}`")), "{field} of {kind} is not documented");
        }
    }
}
