//! A whole pool node of this process, on any Bitcoin node.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::Network;
use p2pool_bitcoind::RpcConfig;
use p2pool_node::{
    BitcoinSource, BitcoinState, Event, NodeEventKind, NodeHandle, NodeSnapshot, P2pSettings,
    Settings, start,
};
use p2pool_sharechain::{Params, address};
use p2pool_tests::StratumMiner;
use tokio::sync::broadcast;

/// Time for anything that must come about. It takes far less on a quiet computer.
pub(crate) const SOON: Duration = Duration::from_secs(40);

/// A running node.
pub(crate) struct Pool {
    pub(crate) node: NodeHandle,
    pub(crate) events: broadcast::Receiver<p2pool_node::NodeEvent>,
}

/// Settings of a node that mines alone on a test pool of this chain.
pub(crate) fn settings(
    folder: &Path,
    chain: Network,
    rpc: RpcConfig,
    reserve: Option<RpcConfig>,
) -> Settings {
    let params = Arc::new(Params::test_pool(chain));
    let payout_address = address::p2pkh_text(&[7; 20], &params.addresses);
    Settings {
        data_dir: folder.to_owned(),
        params,
        bitcoin: BitcoinSource::Bitcoind { rpc, reserve },
        payout_address: Some(payout_address),
        stratum: ([127, 0, 0, 1], 0).into(),
        door: Default::default(),
        p2p: P2pSettings {
            listen: Vec::new(),
            fixed: Vec::new(),
            bootstrap: Vec::new(),
            outgoing_max: 0,
            incoming_max: 0,
            external_address: None,
            proxy: None,
            is_low_bandwidth: false,
            maps_port: false,
            is_private: true,
        },
        helper: None,
        members: 0,
        mines_at_start: true,
        record_shares: false,
        coinbase_text: "test".into(),
        donation: 0,
    }
}

impl Pool {
    pub(crate) async fn start(settings: Settings) -> Self {
        let node = tokio::task::spawn_blocking(move || start(settings)).await.unwrap().unwrap();
        let events = node.events();
        Self { node, events }
    }

    /// A miner of this node.
    pub(crate) fn miner(&self) -> StratumMiner {
        StratumMiner::start(self.node.snapshot().stratum_address, "rig")
    }

    /// Waits for a state of the node; says how long it took.
    pub(crate) async fn until(
        &self,
        what: &str,
        is_it: impl FnMut(&Arc<NodeSnapshot>) -> bool,
    ) -> (Arc<NodeSnapshot>, Duration) {
        let started = Instant::now();
        let mut snapshots = self.node.watch();
        // What is found holds the channel: nobody may look at the node before it is let go.
        let found = tokio::time::timeout(SOON, snapshots.wait_for(is_it)).await;
        let found = found.ok().map(|found| Arc::clone(&found.unwrap()));
        let took = started.elapsed();
        let Some(found) = found else {
            let now = self.node.snapshot();
            panic!("{what}: {:?} {:?}", now.bitcoin, now.bitcoin_details);
        };
        (found, took)
    }

    /// Waits until the node has work.
    pub(crate) async fn until_ready(&self) -> Duration {
        let is_it = |now: &Arc<NodeSnapshot>| matches!(now.bitcoin, BitcoinState::Ready { .. });
        self.until("ready", is_it).await.1
    }

    /// Waits until the node says why it has no work, in the catalogue's code.
    pub(crate) async fn until_code(&self, code: &str) -> Arc<NodeSnapshot> {
        let is_it = |now: &Arc<NodeSnapshot>| match &now.bitcoin {
            BitcoinState::Unavailable { code: now, .. } => now.as_str() == code,
            BitcoinState::Connecting | BitcoinState::Ready { .. } => false,
        };
        self.until(code, is_it).await.0
    }

    /// The next event of the share chain of which `pick` makes something.
    pub(crate) async fn chain_event<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(Event) -> Option<T>,
    ) -> T {
        let found = tokio::time::timeout(SOON, async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let NodeEventKind::Chain(event) = event.kind
                    && let Some(found) = pick(event)
                {
                    return found;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no event: {what}"))
    }
}
