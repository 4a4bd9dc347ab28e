//! The whole way with a true Bitcoin node: from its mempool to blocks that it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::transaction::OutPoint;
use bitcoin::{Address, Block, BlockHash, Network};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{RpcClient, RpcError, chain_check};
use p2pool_node::{Event, NodeSnapshot};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::BlockStatus;
use p2pool_tests::{Bitcoind, StratumMiner};
use serde_json::{Value, json};

use crate::pool::{Pool, SOON, settings};
use crate::transactions::{Coin, KINDS, Kind, Owner};

/// Transactions in the first block.
const MIXED: usize = 500;
/// Blocks found in a row.
const BLOCKS: u32 = 10;
/// New tips that the way to the miner is measured over.
const TIPS: usize = 60;
/// Work must be back this soon after the node is back.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// A true node, and whom its coins belong to.
struct Chain {
    node: Bitcoind,
    client: RpcClient,
    owner: Owner,
    address: String,
}

impl Chain {
    async fn start(folder: &Path) -> Option<Self> {
        let node = Bitcoind::start(folder, "regtest", &[])?;
        let client = RpcClient::new(&node.rpc_config()).unwrap();
        let owner = Owner::new();
        let script = owner.script(Kind::Segwit);
        let address = Address::from_script(&script, Network::Regtest).unwrap().to_string();
        let chain = Self { node, client, owner, address };
        chain.until_ready().await;
        Some(chain)
    }

    /// Asks until the node answers; says whether it was seen starting.
    async fn until_ready(&self) -> bool {
        let deadline = Instant::now() + SOON;
        let mut was_starting = false;
        loop {
            match self.client.blockchain_info().await {
                Ok(_) => return was_starting,
                Err(RpcError::WarmUp(words)) => {
                    assert!(!words.is_empty());
                    was_starting = true;
                }
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn call<R: serde::de::DeserializeOwned>(&self, method: &str, params: Value) -> R {
        let answer = self.client.call(method, params, Limits::BLOCK).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn generate(&self, count: u32) -> Vec<String> {
        self.call("generatetoaddress", json!([count, self.address])).await
    }

    async fn block(&self, hash: &str) -> Block {
        deserialize_hex(&self.call::<String>("getblock", json!([hash, 0])).await).unwrap()
    }

    /// Puts transactions of every kind into the mempool; gives back their fees.
    async fn fill_mempool(&self) -> u64 {
        let blocks = self.generate(101).await;
        let spent = self.block(&blocks[0]).await.txdata.remove(0);
        let coin = Coin {
            kind: Kind::Segwit,
            at: OutPoint { txid: spent.compute_txid(), vout: 0 },
            output: spent.output[0].clone(),
        };
        let (split, coins) = self.owner.split(&coin, MIXED);
        let _: String = self.call("sendrawtransaction", json!([serialize_hex(&split)])).await;
        self.generate(1).await;
        let mut fees = 0;
        for ((coin, to), fee_sats) in
            coins.iter().zip(KINDS.into_iter().cycle().skip(1)).zip(1000_u64..)
        {
            let moved = self.owner.moved(coin, to, fee_sats);
            let _: String = self.call("sendrawtransaction", json!([serialize_hex(&moved)])).await;
            fees += fee_sats;
        }
        fees
    }
}

/// Finds a block on the newest work and waits until the node has it.
async fn find_block(pool: &mut Pool, miner: &mut StratumMiner, tip: BlockHash) -> ShareHash {
    let tip = tip.to_byte_array();
    let work = miner.work(SOON, |work| work.notify.previous_block == tip).await;
    let hash = ShareHash::from_internal(miner.find(&work.work).await);
    accepted(pool, hash).await;
    hash
}

async fn accepted(pool: &mut Pool, wanted: ShareHash) {
    pool.chain_event("accepted", |event| {
        let Event::BlockAccepted { hash, .. } = event else { return None };
        (hash == wanted).then_some(())
    })
    .await;
}

async fn replaced(pool: &mut Pool, wanted: ShareHash) {
    pool.chain_event("replaced", |event| {
        let Event::BlockReplaced { hash } = event else { return None };
        (hash == wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_blocks_a_restart_and_a_reorganisation() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut chain) = Chain::start(&folder.path().join("bitcoin")).await else { return };
    let fees = chain.fill_mempool().await;
    let rpc = chain.node.rpc_config();
    let settings = settings(&folder.path().join("pool"), Network::Regtest, rpc, None);
    let mut pool = Pool::start(settings).await;
    let mut miner = pool.miner();

    // All of the mempool goes into the first block, and its fees are paid out.
    let tip = chain.client.best_block_hash().await.unwrap();
    let first = find_block(&mut pool, &mut miner, tip).await;
    let block = chain.block(&first.to_string()).await;
    assert_eq!(block.txdata.len(), MIXED + 1);
    let paid: u64 = block.txdata[0].output.iter().map(|output| output.value.to_sat()).sum();
    assert_eq!(paid, 5_000_000_000 + fees);
    let mut newest = first;
    for _ in 1..BLOCKS {
        newest = find_block(&mut pool, &mut miner, newest.to_block_hash()).await;
    }
    assert_eq!(chain.client.best_block_hash().await.unwrap(), newest.to_block_hash());

    newest =
        no_block_is_lost_while_the_node_is_away(&mut chain, &mut pool, &mut miner, newest).await;
    blocks_leave_the_chain_and_come_back(&chain, &mut pool, &mut miner, newest).await;
    report_way_to_the_miner(&chain, &mut miner).await;
    first_block_matures(&chain, &pool, first).await;
    assert_eq!(pool.node.stop().await.late, Vec::<&str>::new());
}

#[expect(clippy::print_stdout, reason = "a measured figure")]
async fn no_block_is_lost_while_the_node_is_away(
    chain: &mut Chain,
    pool: &mut Pool,
    miner: &mut StratumMiner,
    newest: ShareHash,
) -> ShareHash {
    let tip = newest.to_block_hash().to_byte_array();
    let work = miner.work(SOON, |work| work.notify.previous_block == tip).await;
    chain.node.stop();
    pool.until_code("N-01").await;
    let found = ShareHash::from_internal(miner.find(&work.work).await);
    let is_known =
        |now: &Arc<NodeSnapshot>| now.summary.blocks.iter().any(|block| block.block.hash == found);
    pool.until("the block is kept", is_known).await;
    chain.node.start_again();
    let was_starting = chain.until_ready().await;
    let back = Instant::now();
    let tip = found.to_block_hash().to_byte_array();
    let work = miner.work(SOON, |work| work.notify.previous_block == tip).await;
    let took = work.at.saturating_duration_since(back);
    println!(
        "work on the block found meanwhile {took:?} after the node's return; starting: {was_starting}"
    );
    assert!(took < BACK_WITHIN, "{took:?}");
    assert!(was_starting, "the node was seen warming up");
    accepted(pool, found).await;
    found
}

async fn blocks_leave_the_chain_and_come_back(
    chain: &Chain,
    pool: &mut Pool,
    miner: &mut StratumMiner,
    ours: ShareHash,
) {
    let _: Value = chain.call("invalidateblock", json!([ours.to_string()])).await;
    let rivals = chain.generate(2).await;
    replaced(pool, ours).await;
    let tip: BlockHash = rivals[1].parse().unwrap();
    let on_rivals = find_block(pool, miner, tip).await;

    let _: Value = chain.call("reconsiderblock", json!([ours.to_string()])).await;
    let _: Value = chain.call("invalidateblock", json!([rivals[0]])).await;
    chain.generate(3).await;
    accepted(pool, ours).await;
    let is_lost = |now: &Arc<NodeSnapshot>| {
        let blocks = &now.summary.blocks;
        let status =
            |hash| blocks.iter().find(|block| block.block.hash == hash).map(|b| b.block.status);
        status(on_rivals) == Some(BlockStatus::Orphaned)
            && status(ours) == Some(BlockStatus::Accepted)
    };
    pool.until("the other block is lost", is_lost).await;
}

/// Prints the time from handing a block to the node until the miner has work on it.
#[expect(clippy::print_stdout, reason = "measured figures")]
async fn report_way_to_the_miner(chain: &Chain, miner: &mut StratumMiner) {
    let (mut ways, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..TIPS {
        let asked = Instant::now();
        let _: Value = chain.call("getblocktemplate", json!([{"rules": ["segwit"]}])).await;
        calls.push(asked.elapsed());
        let begun = Instant::now();
        let tip: BlockHash = chain.generate(1).await[0].parse().unwrap();
        let tip = tip.to_byte_array();
        let work = miner.work(SOON, |work| work.notify.previous_block == tip).await;
        ways.push(work.at.duration_since(begun));
    }
    ways.sort_unstable();
    calls.sort_unstable();
    let (half, most) = (TIPS / 2, TIPS * 99 / 100);
    let ratio = ways[half].as_secs_f64() / calls[half].as_secs_f64();
    println!(
        "new block until work at the miner: p50 {:?}, p99 {:?}; getblocktemplate alone: p50 {:?}, \
         p99 {:?}; ratio of the p50: {ratio:.1}",
        ways[half], ways[most], calls[half], calls[most]
    );
}

async fn first_block_matures(chain: &Chain, pool: &Pool, first: ShareHash) {
    chain.generate(100).await;
    let is_mature = |now: &Arc<NodeSnapshot>| {
        now.summary
            .blocks
            .iter()
            .any(|block| block.block.hash == first && block.block.status == BlockStatus::Mature)
    };
    pool.until("the first block is mature", is_mature).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lonely_node_and_one_that_fetches_the_chain_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let port = p2pool_tests::free_port();
    let bind = format!("-bind=127.0.0.1:{port}");
    let listening = ["-listen=1", &bind, "-connect=0"];
    let Some(mut node) = Bitcoind::start(&folder.path().join("one"), "main", &listening) else {
        return;
    };
    let pool_folder = folder.path().join("pool");
    let pool = Pool::start(settings(&pool_folder, Network::Bitcoin, node.rpc_config(), None)).await;
    pool.until_code("N-09").await;

    let connect = format!("-connect=127.0.0.1:{port}");
    let other = Bitcoind::start(&folder.path().join("two"), "main", &["-listen=0", &connect]);
    let told = pool.until_code("N-07").await;
    let facts = told.bitcoin_details.nodes[0].facts.clone().unwrap();
    assert!(facts.initial_block_download && facts.connections > 0);
    drop(other);
    node.stop();
    pool.until_code("N-01").await;
    pool.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signet_that_anybody_may_mine_takes_our_blocks_and_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let free = ["-signetchallenge=51"];
    let Some(open) = Bitcoind::start(&folder.path().join("open"), "signet", &free) else {
        return;
    };
    let data = folder.path().join("open-pool");
    let mut pool = Pool::start(settings(&data, Network::Signet, open.rpc_config(), None)).await;
    let mut miner = pool.miner();
    let work = miner.work(SOON, |_| true).await;
    // A block is a thousandth of difficulty 1: some millions of hashes.
    let block = loop {
        let hash = miner.find(&work.work).await;
        let bits = bitcoin::CompactTarget::from_consensus(work.work.notify.bits);
        if bitcoin::Target::from(bits).is_met_by(BlockHash::from_byte_array(hash)) {
            break ShareHash::from_internal(hash);
        }
    };
    accepted(&mut pool, block).await;
    let client = RpcClient::new(&open.rpc_config()).unwrap();
    let facts = chain_check(&client, Network::Signet).await.unwrap();
    assert_eq!(facts.blocks, 1);
    pool.node.stop().await;

    let closed = Bitcoind::start(&folder.path().join("closed"), "signet", &[]).unwrap();
    let data = folder.path().join("closed-pool");
    let pool = Pool::start(settings(&data, Network::Signet, closed.rpc_config(), None)).await;
    pool.until_code("N-12").await;
    pool.node.stop().await;
}
