//! Killed without warning and started again: nothing that was told is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bitcoin::Network;
use p2pool_bitcoind::model::BlockHeaderInfo;
use p2pool_bitcoind::{Auth, RpcClient, RpcConfig, RpcError};
use p2pool_sharechain::change::BlockStatus;
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{Params, ShareHash};
use p2pool_store::{HistoryReader, Store};
use p2pool_tests::TempNode;
use serde_json::Value;

use crate::{GENTLE, SOON, STOP_WITHIN};

/// Shares this deep do not lose their place any more.
const SETTLED_DEPTH: usize = 5;
/// Shares in the chain when the node is killed.
const CHAIN_MIN: usize = 15;
/// A block at the tip may lose it to another of the same height when the chain is opened again.
const BURIED: u64 = 2;
/// A busy chain is asked again after this time.
const AGAIN: Duration = Duration::from_millis(100);

/// What a database holds.
struct Records {
    /// From the best share down.
    chain: Vec<ShareHash>,
    shares: BTreeSet<ShareHash>,
    own: BTreeSet<ShareHash>,
    blocks: BTreeMap<ShareHash, BlockStatus>,
}

impl Records {
    /// Reads a copy of a stopped or killed node's database, so that the node itself has to deal
    /// with whatever state it was left in.
    fn copied_from(data_dir: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(data_dir.join("practice")).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            }
        }
        let params = Params::practice(Network::Regtest);
        let identifier: String = params.identifier.iter().map(|b| format!("{b:02x}")).collect();
        let network = format!("{} {identifier}", params.name);
        let opened = Store::open(copy.path(), &network, "test", UnixTime(0)).unwrap();
        assert_eq!(opened.recovered, None, "the database is whole");
        let store = opened.store;
        let parents: BTreeMap<ShareHash, Option<ShareHash>> = store
            .load_shares()
            .map(|share| share.map(|share| (share.hash, share.parent)).unwrap())
            .collect();
        let best = store.load_best().unwrap();
        let mut chain = Vec::new();
        let mut next = best;
        while let Some(hash) = next {
            next = *parents.get(&hash).unwrap_or_else(|| panic!("share {hash} is missing"));
            chain.push(hash);
        }
        Self {
            chain,
            shares: parents.into_keys().collect(),
            own: store.load_own_shares(10_000).unwrap().into_iter().map(|own| own.hash).collect(),
            blocks: store
                .load_blocks(10_000)
                .unwrap()
                .into_iter()
                .map(|block| (block.hash, block.status))
                .collect(),
        }
    }
}

fn hash(line: &Value) -> ShareHash {
    line["hash"].as_str().unwrap().parse().unwrap()
}

fn of_kind<'l>(lines: &'l [Value], kind: &str) -> impl Iterator<Item = &'l Value> {
    lines.iter().filter(move |line| line["type"] == kind)
}

/// Blocks that were told to be in the chain, and have others on top of them.
fn buried_blocks(lines: &[Value]) -> BTreeSet<ShareHash> {
    let height = |line: &Value| line["height"].as_u64().unwrap();
    let tip = of_kind(lines, "block_accepted").map(height).max().unwrap();
    let replaced: BTreeSet<_> = of_kind(lines, "block_replaced").map(hash).collect();
    let buried = of_kind(lines, "block_accepted").filter(|line| height(line) + BURIED <= tip);
    buried.map(hash).filter(|hash| !replaced.contains(hash)).collect()
}

/// Mines until there is something to lose and the database has all of it that was told by then:
/// own shares, and blocks.
fn mine_until_stored(node: &mut TempNode) -> (BTreeSet<ShareHash>, BTreeSet<ShareHash>) {
    let started = node.wait_for("started", SOON, |_| true);
    node.wait_for("block_accepted", SOON, |block| block["is_own"] == true);
    node.wait_for("block_accepted", SOON, |block| block["height"].as_u64() > Some(BURIED));
    node.wait_for("best_share", SOON, |share| {
        share["height"].as_u64().is_some_and(|height| height >= CHAIN_MIN as u64)
    });
    let own: BTreeSet<_> = of_kind(node.seen(), "share_found").map(hash).collect();
    let blocks = buried_blocks(node.seen());
    assert!(!own.is_empty() && !blocks.is_empty());
    let database = started["database"].as_str().unwrap();
    let history = HistoryReader::open(Path::new(database)).unwrap();
    let is_stored = || {
        let stored = history.own_shares(UnixTime(0), UnixTime(u64::MAX), 10_000).unwrap();
        let stored_own: BTreeSet<_> = stored.into_iter().map(|own| own.hash).collect();
        let stored_blocks: BTreeSet<_> = history
            .blocks(10_000)
            .unwrap()
            .into_iter()
            .filter(|block| block.status == BlockStatus::Accepted)
            .map(|block| block.hash)
            .collect();
        own.is_subset(&stored_own) && blocks.is_subset(&stored_blocks)
    };
    if !is_stored() {
        node.wait_for_next("everything in the database", SOON, |_| is_stored());
    }
    (own, blocks)
}

/// Asks again while the node is busy, as every client has to.
async fn header(client: &RpcClient, hash: ShareHash) -> BlockHeaderInfo {
    let deadline = Instant::now() + SOON;
    loop {
        match client.block_header(hash.to_block_hash()).await {
            Err(RpcError::Overloaded) if Instant::now() < deadline => {
                tokio::time::sleep(AGAIN).await;
            }
            outcome => return outcome.unwrap_or_else(|error| panic!("{hash}: {error}")),
        }
    }
}

/// Asks the practice chain of a running node where its blocks are.
fn assert_in_bitcoin_chain(started: &Value, blocks: &BTreeSet<ShareHash>) {
    let config = RpcConfig {
        url: started["rpc_url"].as_str().unwrap().to_owned(),
        auth: Auth::Cookie(started["rpc_cookie"].as_str().unwrap().into()),
        allows_public: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = RpcClient::new(&config).unwrap();
    for hash in blocks {
        let header = runtime.block_on(header(&client, *hash));
        assert!(header.confirmations >= 1, "{hash} has left the chain: {header:?}");
    }
}

#[test]
fn a_killed_node_goes_on_with_its_share_chain_its_blocks_and_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = TempNode::start(folder.path(), &GENTLE);
    assert_eq!(node.wait_for("started", SOON, |_| true)["is_continued"], false);
    let (own, blocks) = mine_until_stored(&mut node);
    node.kill();

    let before = Records::copied_from(folder.path());
    assert!(before.own.is_superset(&own), "own shares that were told are stored");
    let (depth, known) = (before.chain.len(), before.shares.len());
    assert!(depth > SETTLED_DEPTH, "{depth} of {known} shares in the chain");

    let mut node = TempNode::start(folder.path(), &GENTLE);
    let started = node.wait_for("started", SOON, |_| true);
    assert_eq!(started["is_continued"], true);
    let best = node.wait_for("best_share", SOON, |_| true);
    let height = usize::try_from(best["height"].as_u64().unwrap()).unwrap();
    assert!(height + SETTLED_DEPTH >= depth, "goes on at height {height}, was {depth}");
    assert_in_bitcoin_chain(&started, &blocks);
    node.wait_for("best_share", SOON, |share| share["height"].as_u64() > Some(depth as u64 + 2));
    node.wait_for("share_found", SOON, |_| true);
    node.wait_for("block_accepted", SOON, |block| block["is_exact"] == true);
    node.terminate(STOP_WITHIN).assert_good();

    let after = Records::copied_from(folder.path());
    assert!(after.shares.is_superset(&before.shares), "every share is still known");
    assert!(after.own.is_superset(&before.own), "and every own share");
    let settled = &before.chain[SETTLED_DEPTH..];
    let chain: BTreeSet<_> = after.chain.iter().collect();
    assert!(settled.iter().all(|hash| chain.contains(hash)), "the same chain goes on");
    assert!(after.chain.len() > depth, "and has grown");
    for hash in &blocks {
        let status = after.blocks.get(hash);
        let is_in_chain = matches!(status, Some(BlockStatus::Accepted | BlockStatus::Mature));
        assert!(is_in_chain, "block {hash}: {status:?}");
    }
}
