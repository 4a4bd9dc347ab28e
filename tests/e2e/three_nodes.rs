//! Three nodes, each with a Bitcoin chain of its own kernel: shares and blocks reach all of them,
//! and none is missed when another is killed.

use std::net::SocketAddr;
use std::path::Path;

use p2pool_sharechain::{ShareHash, U256};
use p2pool_stratum::client::Work;
use p2pool_tests::{StratumMiner, TempNode, free_port};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{SOON, STOP_WITHIN};

/// A quarter of the easiest share target, so that a find is a share while the pool is young.
const FIND_BITS: usize = 238;

/// A node that can be killed and started again.
struct Node {
    folder: TempDir,
    arguments: Vec<String>,
    process: Option<TempNode>,
}

impl Node {
    /// Listens on the first port and always connects to the others.
    fn start(port: u16, others: &[u16], is_low_bandwidth: bool) -> Self {
        let mut arguments: Vec<String> =
            ["--members", "0", "--threads", "0", "--p2p-port"].map(str::to_owned).to_vec();
        arguments.push(port.to_string());
        for other in others {
            arguments.extend(["--peer".to_owned(), format!("127.0.0.1:{other}")]);
        }
        if is_low_bandwidth {
            arguments.push("--low-bandwidth".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let process = Some(run(folder.path(), &arguments));
        Self { folder, arguments, process }
    }

    fn process(&mut self) -> &mut TempNode {
        self.process.as_mut().expect("it runs")
    }

    fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    fn start_again(&mut self) {
        self.process = Some(run(self.folder.path(), &self.arguments));
        let started = self.process().wait_for("started", SOON, |_| true);
        assert_eq!(started["is_continued"], true);
    }

    fn wait_for_peers(&mut self, peers: u64) {
        let is_it = |line: &Value| line["type"] == "status" && line["peers"] == peers;
        self.process().wait_for_next("peers", SOON, is_it);
    }

    /// A share that was the best one before the start is told by the status alone.
    fn wait_for_best(&mut self, hash: &str) {
        let is_it = |line: &Value| match line["type"].as_str() {
            Some("best_share") => line["hash"] == hash,
            Some("status") => line["best_share"] == hash,
            _ => false,
        };
        if !self.process().seen().iter().any(is_it) {
            self.process().wait_for_next("best share", SOON, is_it);
        }
    }

    /// The block is in the chain of this node's own Bitcoin kernel.
    fn wait_for_block(&mut self, hash: &str) {
        self.process().wait_for("block_accepted", SOON, |line| line["hash"] == hash);
    }

    /// Finds a share on top of `tip`, which is a block on regtest. Its hash as shown, and as is.
    fn find(&mut self, runtime: &Runtime, tip: Option<ShareHash>) -> ShareHash {
        let started = self.process().wait_for("started", SOON, |_| true);
        let url = started["stratum_url"].as_str().unwrap();
        let door: SocketAddr = url.strip_prefix("stratum+tcp://").unwrap().parse().unwrap();
        let hash = runtime.block_on(async {
            let mut miner = StratumMiner::start(door, "test");
            let fits =
                |work: &Work| tip.is_none_or(|tip| work.notify.previous_block == tip.to_internal());
            let work = Work::clone(&miner.work(SOON, fits).await.work);
            let target = work.target.min(U256::MAX >> (256 - FIND_BITS));
            let hash = miner.find(&Work { target, ..work }).await;
            assert_eq!(miner.answered(1, SOON).await.accepted, 1);
            hash
        });
        let hash = ShareHash::from_internal(hash);
        let shown = hash.to_string();
        self.process().wait_for("share_found", SOON, |line| line["hash"] == shown.as_str());
        hash
    }
}

fn run(folder: &Path, arguments: &[String]) -> TempNode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    TempNode::start(folder, &arguments)
}

fn start_three() -> [Node; 3] {
    let ports = [free_port(), free_port(), free_port()];
    [0, 1, 2].map(|index: usize| {
        let others: Vec<u16> = ports.iter().copied().filter(|port| *port != ports[index]).collect();
        // One of them is told of shares before it is sent any.
        let is_low_bandwidth = index == 2;
        Node::start(ports[index], &others, is_low_bandwidth)
    })
}

#[test]
fn shares_and_blocks_reach_all_nodes_whoever_finds_them_and_whoever_was_killed() {
    let runtime = Runtime::new().unwrap();
    let mut nodes = start_three();
    nodes.iter_mut().for_each(|node| node.wait_for_peers(2));
    let mut tip = None;
    let mut find_everywhere = |nodes: &mut [Node; 3], finder: usize| {
        let found = nodes[finder].find(&runtime, tip);
        for node in nodes.iter_mut() {
            node.wait_for_best(&found.to_string());
            node.wait_for_block(&found.to_string());
        }
        tip = Some(found);
        found
    };
    for finder in 0..3 {
        find_everywhere(&mut nodes, finder);
    }
    for killed in 0..3 {
        let before = find_everywhere(&mut nodes, (killed + 1) % 3);
        nodes[killed].kill();
        nodes[killed].start_again();
        nodes.iter_mut().for_each(|node| node.wait_for_peers(2));
        nodes[killed].wait_for_best(&before.to_string());
        find_everywhere(&mut nodes, killed);
        find_everywhere(&mut nodes, (killed + 2) % 3);
    }
    nodes[2].kill();
    let missed = nodes[0].find(&runtime, tip).to_string();
    nodes[1].wait_for_block(&missed);
    nodes[2].start_again();
    nodes[2].wait_for_best(&missed);
    for node in nodes {
        node.process.expect("it runs").terminate(STOP_WITHIN).assert_good();
    }
}
