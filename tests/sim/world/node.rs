//! A node: an engine with its disk, miner and Bitcoin node, up or down.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use fastrand::Rng;
use p2pool_engine::{Config, Engine, Input, PeerId};
use p2pool_sharechain::template::TemplateBase;
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_wire::peering::{Peering, PeeringInput};

use super::bitcoin::Bitcoind;
use super::connection::{ConnectionId, Side};
use super::disk::Disk;
use super::miner::{Miner, payout_address};
use super::peering::PORT;
use super::scenario::{START_WALL, Scenario};
use super::{START_MONO, World};

/// See the module's documentation.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    /// What ends with the process.
    pub(crate) run: Option<Running>,
    /// How often it was started.
    pub(crate) incarnation: u32,
    pub(crate) disk: Disk,
    pub(crate) miner: Miner,
    pub(crate) bitcoind: Bitcoind,
    /// Whether shares are announced by hash, from it and to it.
    pub(crate) is_low_bandwidth: bool,
    /// How far the wall clock is off, seconds.
    pub(crate) skew: i64,
    /// Whether others can connect to it.
    pub(crate) listens: bool,
}

/// A node's process.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) wake: MonoTime,
    pub(crate) peering: Peering,
    pub(crate) peering_wake: MonoTime,
    /// Random number of this process.
    pub(crate) nonce: u64,
    pub(crate) peers: BTreeMap<PeerId, (ConnectionId, Side)>,
    /// Random numbers of the processes it is connected to.
    pub(crate) connected: BTreeSet<u64>,
    pub(crate) work: Option<Arc<TemplateBase>>,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is asked to: everything is written.
    Orderly,
    /// It is killed: what storage had not written is lost.
    Killed,
    /// The power fails: others are not even told that connections have ended.
    PowerCut,
}

impl Node {
    pub(crate) fn new(number: usize, scenario: &Scenario, rng: &mut Rng) -> Self {
        // Every node in a neighbourhood of its own, so that no limit on neighbours applies.
        let (high, low) = (number / 200, number % 200);
        let octet = |number: usize| u8::try_from(number).expect("a thousand nodes are enough");
        let ip = Ipv4Addr::new(60 + octet(high), 1 + octet(low), 7, 1);
        let rate = scenario.hashrate_hps() / scenario.nodes as f64;
        Self {
            address: SocketAddr::new(IpAddr::V4(ip), PORT),
            run: None,
            incarnation: 0,
            disk: Disk::new(scenario.disk.clone()),
            miner: Miner::new(rate, rng),
            bitcoind: Bitcoind::new(scenario, rng),
            is_low_bandwidth: number < scenario.low_bandwidth,
            skew: 0,
            listens: number < scenario.nodes - scenario.hidden,
        }
    }

    /// Whether its process runs.
    pub(crate) fn is_up(&self) -> bool {
        self.run.is_some()
    }
}

impl World {
    /// The clocks as a node sees them.
    pub(crate) fn clock(&self, node: usize) -> Now {
        Now { wall: self.wall(node), mono: MonoTime(START_MONO + self.now) }
    }

    /// The wall clock of a node.
    pub(crate) fn wall(&self, node: usize) -> UnixTime {
        let skew = self.nodes.get(node).map_or(0, |node| node.skew);
        UnixTime((START_WALL + self.now.as_secs()).saturating_add_signed(skew))
    }

    /// Starts a node with what is on its disk.
    pub(crate) fn start(&mut self, number: usize) {
        let engine = Engine::new(Config {
            params: Arc::clone(&self.params),
            seed: self.rng.u64(..),
            payout_address: payout_address(number, &self.params),
            donation: 0,
            coinbase_text: b"sim".to_vec(),
            low_bandwidth: self.nodes[number].is_low_bandwidth,
        });
        let nonce = self.rng.u64(1..);
        let peering = self.new_peering(number);
        let node = &mut self.nodes[number];
        assert!(node.run.is_none(), "a node is started once at a time");
        node.incarnation += 1;
        node.run = Some(Running {
            engine,
            wake: MonoTime::ZERO,
            peering,
            peering_wake: MonoTime::ZERO,
            nonce,
            peers: BTreeMap::new(),
            connected: BTreeSet::new(),
            work: None,
        });
        let loaded = node.disk.load(&self.params);
        self.give(number, Input::Load(Box::new(loaded)));
        self.judge_loaded(number);
        self.bitcoind_connects(number);
        let addresses = self.nodes[number].disk.addresses.values().cloned().collect();
        self.tell_peering(number, PeeringInput::Loaded(addresses));
        let bans = self.nodes[number].disk.bans.values().copied().collect();
        self.tell_peering(number, PeeringInput::LoadedBans(bans));
    }

    /// Ends a node's process.
    pub(crate) fn stop(&mut self, number: usize, how: End) {
        let node = &mut self.nodes[number];
        if node.run.take().is_none() {
            return;
        }
        match how {
            End::Orderly => node.disk.flush(),
            End::Killed | End::PowerCut => node.disk.crash(),
        }
        node.miner.stop();
        node.bitcoind.disconnect();
        let ends = self.ends_of(number);
        for (connection, side) in ends {
            self.abandon(connection, side, how != End::PowerCut);
        }
    }

    /// Whether a node gives work to miners.
    pub(crate) fn has_work(&self, node: usize) -> bool {
        self.nodes[node].run.as_ref().is_some_and(|run| run.work.is_some())
    }

    /// What was waiting for the disk is written.
    pub(super) fn written(&mut self, node: usize, incarnation: u32) {
        if self.nodes[node].incarnation != incarnation || !self.nodes[node].is_up() {
            return;
        }
        if let Some(sequence) = self.nodes[node].disk.advance() {
            self.give(node, Input::Persisted { sequence });
        }
    }
}
