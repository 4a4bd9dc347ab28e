//! What a network is made of.

use std::ops::Range;
use std::time::Duration;

use p2pool_sharechain::{CompactBits, Params};

/// Wall time at the beginning, unix seconds.
pub(crate) const START_WALL: u64 = 1_800_000_000;

/// A network, before it exists.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Where all chance comes from.
    pub(crate) seed: u64,
    /// Nodes, each with one miner.
    pub(crate) nodes: usize,
    /// Wanted seconds between shares of the whole pool.
    pub(crate) share_period: u32,
    /// Shares below a share that make its history complete.
    pub(crate) chain_length: u32,
    /// Shares that every node has from the beginning.
    pub(crate) history: u32,
    /// Nodes in low bandwidth mode, the first ones.
    pub(crate) low_bandwidth: usize,
    /// Nodes that nobody can connect to, the last ones.
    pub(crate) hidden: usize,
    /// Connections that each node makes.
    pub(crate) outgoing: usize,
    /// Time that bytes take between two nodes, by the nodes' places.
    pub(crate) latency: Range<Duration>,
    /// Part of the packets that are lost and sent again.
    pub(crate) loss: f64,
    /// Bytes that a node can send in a second.
    pub(crate) uplink: u64,
    /// Hashes that a share takes once the share target has settled.
    pub(crate) hashes_per_share: f64,
    /// Time that storage takes for one change set.
    pub(crate) disk: Range<Duration>,
    /// Mean time that a Bitcoin block takes to a Bitcoin node.
    pub(crate) bitcoin_lag: Duration,
    /// Mean time between Bitcoin blocks.
    pub(crate) block_period: Duration,
    /// Bitcoin's target.
    pub(crate) bits: CompactBits,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 10,
            share_period: 30,
            chain_length: 120,
            history: 60,
            low_bandwidth: 0,
            hidden: 0,
            outgoing: 6,
            latency: Duration::from_millis(10)..Duration::from_millis(150),
            loss: 0.002,
            uplink: 1_000_000,
            hashes_per_share: 1_000.0,
            disk: Duration::from_millis(1)..Duration::from_millis(20),
            bitcoin_lag: Duration::from_secs(2),
            block_period: Duration::from_secs(600),
            // One hash in 2^18: a share is a block by accident, now and then.
            bits: CompactBits(0x1e3f_ffff),
        }
    }
}

impl Scenario {
    /// The share-chain network of this scenario.
    pub(crate) fn params(&self) -> Params {
        assert!(self.chain_length > 100, "shares name their hundredth ancestor");
        Params {
            share_period: self.share_period,
            chain_length: self.chain_length,
            real_chain_length: self.chain_length,
            ..Params::simulation()
        }
    }

    /// Hashes per second of the whole pool.
    pub(crate) fn hashrate_hps(&self) -> f64 {
        self.hashes_per_share / f64::from(self.share_period)
    }
}
