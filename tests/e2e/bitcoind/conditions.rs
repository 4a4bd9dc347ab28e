//! Every condition of a Bitcoin node with its code; none ends the pool node, each passes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitcoin::Network;
use p2pool_bitcoind::{Auth, RpcConfig};
use p2pool_node::{Event, NodeSnapshot};
use p2pool_sharechain::change::BlockStatus;
use p2pool_tests::{Behaviour, FakeBitcoind};

use crate::pool::{Pool, SOON, settings};

/// Connections that end without an answer.
const VAIN: usize = 10;
/// Work must be back this soon after a node is back.
const BACK_WITHIN: Duration = Duration::from_secs(2);

type Change = fn(&mut Behaviour);

/// What the node is brought into, and the code that has to be told.
const CONDITIONS: [(&str, Change); 10] = [
    ("N-02", |node| node.status = Some(503)),
    ("N-03", |node| node.status = Some(401)),
    ("N-04", |node| node.status = Some(403)),
    ("N-06", |node| node.warm_up = Some("Verifying blocks…".into())),
    ("N-07", |node| node.syncing = Some((900, 0.63))),
    ("N-08", |node| node.chain = "testnet4".into()),
    ("N-09", |node| node.connections = 0),
    ("N-11", |node| node.version = 180_000),
    ("N-11", |node| node.rules = vec!["!covenants".into()]),
    ("N-12", |node| node.template_error = Some((-1, "CreateNewBlock failed".into()))),
];

fn main_node() -> FakeBitcoind {
    let fake = FakeBitcoind::start();
    fake.set(|node| node.chain = "main".into());
    fake
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_is_told_by_its_code_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let mut fake = main_node();
    let pool =
        Pool::start(settings(folder.path(), Network::Bitcoin, fake.rpc_config(), None)).await;
    pool.until_ready().await;
    for (code, change) in CONDITIONS {
        fake.stop();
        fake.set(change);
        fake.start_again();
        let told = pool.until_code(code).await;
        let problem = told.bitcoin_details.nodes[0].problem.clone();
        fake.set(|node| *node = Behaviour { chain: "main".into(), ..Behaviour::default() });
        let took = pool.until_ready().await;
        println!("{code} told as {:?}, work again after {took:?}", problem.map(|p| p.reason));
    }
    assert!(pool.node.snapshot().failure.is_none());
    assert_eq!(pool.node.stop().await.late, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn miners_have_work_again_within_two_seconds_of_the_nodes_return() {
    let folder = tempfile::tempdir().unwrap();
    let mut fake = FakeBitcoind::start();
    let pool =
        Pool::start(settings(folder.path(), Network::Regtest, fake.rpc_config(), None)).await;
    let mut miner = pool.miner();
    let first = miner.work(SOON, |_| true).await;
    fake.stop();
    // Asked in vain so often that every wait has grown to its cap.
    fake.hang_up(VAIN);
    pool.until_code("N-01").await;
    fake.mine();
    fake.start_again();
    let back = Instant::now();
    let known = first.work.notify.previous_block;
    let work = miner.work(SOON, |work| work.notify.previous_block != known).await;
    let took = work.at.duration_since(back);
    println!("work {took:?} after the node's return");
    assert!(took < BACK_WITHIN, "{took:?}");
    pool.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_cookie_and_a_public_address_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeBitcoind::start();
    let cookie = folder.path().join("cookie");
    // A folder where the file should be can be seen but not read, even by an administrator.
    std::fs::create_dir(&cookie).unwrap();
    let unreadable = RpcConfig { auth: Auth::Cookie(cookie), ..fake.rpc_config() };
    // An address for documentation: nobody has it.
    let public = RpcConfig { url: "http://203.0.113.7:8332".into(), ..fake.rpc_config() };
    for (code, rpc) in [("N-05", unreadable), ("N-14", public)] {
        let data = folder.path().join(code);
        let pool = Pool::start(settings(&data, Network::Regtest, rpc, None)).await;
        pool.until_code(code).await;
        pool.node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_tip_is_a_warning_and_mining_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let fake = main_node();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let hours_ago = u32::try_from(now - 3 * 3600).unwrap();
    fake.set(|node| {
        node.tip_time = Some(hours_ago);
        node.is_pruned = true;
    });
    let pool =
        Pool::start(settings(folder.path(), Network::Bitcoin, fake.rpc_config(), None)).await;
    let is_warned = |now: &Arc<NodeSnapshot>| {
        now.bitcoin_details.warnings.iter().any(|warning| warning.code.as_str() == "N-10")
    };
    let (now, _) = pool.until("a warning", is_warned).await;
    assert!(now.summary.has_work || pool.miner().work(SOON, |_| true).await.at.elapsed() < SOON);
    let facts = now.bitcoin_details.nodes[0].facts.clone().unwrap();
    assert!(facts.pruned, "told, and no problem");
    fake.set(|node| node.tip_time = None);
    fake.mine();
    pool.until("no warning", |now| now.bitcoin_details.warnings.is_empty()).await;
    pool.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_block_is_told_with_the_nodes_words() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeBitcoind::start();
    fake.set(|node| node.verdict = Some("bad-cb-amount".into()));
    let mut pool =
        Pool::start(settings(folder.path(), Network::Regtest, fake.rpc_config(), None)).await;
    let mut miner = pool.miner();
    let work = miner.work(SOON, |_| true).await;
    let hash = miner.find(&work.work).await;
    let (refused, reason) = pool
        .chain_event("refused", |event| {
            let Event::BlockRejected { hash, reason } = event else { return None };
            Some((hash, reason))
        })
        .await;
    assert_eq!((refused.to_internal(), reason.as_str()), (hash, "bad-cb-amount"));
    let is_told = |now: &Arc<NodeSnapshot>| {
        now.summary.blocks.iter().any(|block| block.block.status == BlockStatus::Rejected)
    };
    pool.until("refused", is_told).await;
    pool.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reserve_stands_in_and_blocks_go_to_both_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, reserve) = (FakeBitcoind::start(), FakeBitcoind::start());
    let both =
        settings(folder.path(), Network::Regtest, first.rpc_config(), Some(reserve.rpc_config()));
    let mut pool = Pool::start(both).await;
    let uses = |index: usize| {
        move |now: &Arc<NodeSnapshot>| {
            let nodes = &now.bitcoin_details.nodes;
            nodes.get(index).is_some_and(|node| node.is_in_use && node.problem.is_none())
        }
    };
    let mut miner = pool.miner();
    miner.work(SOON, |_| true).await;
    pool.until("the first node", uses(0)).await;
    first.stop();
    pool.until("the reserve", uses(1)).await;
    pool.until_ready().await;

    let work = miner.work(SOON, |_| true).await;
    let hash = miner.find(&work.work).await;
    let accepted = pool
        .chain_event("accepted", |event| {
            let Event::BlockAccepted { hash, .. } = event else { return None };
            Some(hash)
        })
        .await;
    assert_eq!((accepted.to_internal(), reserve.height(), first.height()), (hash, 1, 0));
    first.start_again();
    pool.until("the first node again", uses(0)).await;
    assert_eq!(first.height(), 1, "it was given the block as well");
    pool.node.stop().await;
}
