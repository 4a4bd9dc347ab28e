//! Engines on virtual time, with real hashes at an easy target.

#![allow(dead_code, reason = "each test file uses its part of the rig")]
#![allow(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

pub(crate) mod talk;

use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_engine::{Config, Engine, Input, Output, PeerId, Solved};
use p2pool_sharechain::template::{
    BlockTemplate, MinerTerms, ShareTemplate, Solution, TemplateBase, TemplateTransaction,
};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::{CompactBits, Params, ShareHash, U256};
use p2pool_wire::Services;

/// Bitcoin's difficulty 1, hard enough that no share is a block by accident.
pub(crate) const HARD_BITS: CompactBits = CompactBits(0x1d00_ffff);
/// Every second hash is a block.
pub(crate) const EASY_BITS: CompactBits = CompactBits(0x207f_ffff);

const ADDRESSES: [&str; 2] =
    ["mz2eM6oqRgUh6VAJSvDpTRBq7crJNMvpRH", "msfKJ2VcgfENoV1hLNaeaY92BBLRy9ypUJ"];

/// A network on which one hash in 256 is a share.
pub(crate) fn params() -> Params {
    Params::simulation()
}

/// A peer with these abilities joins.
pub(crate) fn joined(peer: PeerId, best_share: Option<ShareHash>) -> Input {
    Input::PeerJoined { peer, best_share, services: Services::NONE }
}

/// A peer that understands whatever this program does joins.
pub(crate) fn joined_with(peer: PeerId, services: Services) -> Input {
    Input::PeerJoined { peer, best_share: None, services }
}

/// A transaction, by number.
pub(crate) fn transaction(number: u8) -> TemplateTransaction {
    let tx = bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![bitcoin::TxIn {
            previous_output: bitcoin::OutPoint::new(
                bitcoin::Txid::from_byte_array([number; 32]),
                0,
            ),
            witness: bitcoin::Witness::from_slice(&[[number; 8]]),
            ..bitcoin::TxIn::default()
        }],
        output: vec![bitcoin::TxOut {
            value: bitcoin::Amount::from_sat(1_000),
            script_pubkey: bitcoin::ScriptBuf::new(),
        }],
    };
    TemplateTransaction {
        data: bitcoin::consensus::serialize(&tx).into(),
        txid: tx.compute_txid().to_byte_array(),
        wtxid: tx.compute_wtxid().to_byte_array(),
        fee_sats: 0,
        weight: 400,
        sigops: 1,
        depends: Vec::new(),
    }
}

/// One engine with its clock and what it has put out.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    pub(crate) outputs: Vec<Output>,
    address: &'static str,
    nonce: u32,
}

impl Rig {
    pub(crate) fn new(params: Params, number: usize) -> Self {
        Self::with(params, number, false)
    }

    /// A node that announces shares instead of sending them.
    pub(crate) fn low_bandwidth(params: Params, number: usize) -> Self {
        Self::with(params, number, true)
    }

    fn with(params: Params, number: usize, low_bandwidth: bool) -> Self {
        let address = ADDRESSES[number % ADDRESSES.len()];
        let engine = Engine::new(Config {
            params: Arc::new(params),
            seed: number as u64,
            payout_address: address.as_bytes().to_vec(),
            donation: 0,
            coinbase_text: b"test".to_vec(),
            low_bandwidth,
        });
        let start = MonoTime(Duration::from_secs(1_000));
        let now = Now { wall: UnixTime(1_800_000_000), mono: start };
        Self { engine, now, outputs: Vec::new(), address, nonce: 0 }
    }

    /// Gives one input and collects all outputs, waking the engine for work left over.
    pub(crate) fn handle(&mut self, input: Input) -> Vec<Output> {
        self.engine.handle(self.now, input);
        let mut fresh = Vec::new();
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 10_000, "the engine never comes to rest");
            let mut is_work_left = false;
            while let Some(output) = self.engine.poll() {
                if let Output::WakeAt(at) = &output {
                    is_work_left = *at <= self.now.mono;
                }
                fresh.push(output);
            }
            if !is_work_left {
                break;
            }
            self.engine.handle(self.now, Input::Wake);
        }
        self.outputs.extend(fresh.iter().cloned());
        fresh
    }

    pub(crate) fn advance(&mut self, time: Duration) -> Vec<Output> {
        self.now.mono = self.now.mono + time;
        self.now.wall = UnixTime(self.now.wall.0 + time.as_secs());
        self.handle(Input::Wake)
    }

    pub(crate) fn template(&mut self, height: u32, bits: CompactBits) -> Vec<Output> {
        self.template_with(height, bits, Vec::new())
    }

    /// Gives a template with transactions.
    pub(crate) fn template_with(
        &mut self,
        height: u32,
        bits: CompactBits,
        transactions: Vec<TemplateTransaction>,
    ) -> Vec<Output> {
        let template = BlockTemplate {
            version: 0x2000_0000,
            previous_block: BlockHash::from_byte_array([height as u8; 32]),
            transactions,
            coinbase_value_sats: 5_000_000_000,
            coinbase_aux: Vec::new(),
            bits,
            current_time: self.now.wall.to_u32(),
            min_time: 0,
            max_time: None,
            height,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        self.handle(Input::Template(Arc::new(template)))
    }

    /// The newest work published, if the last word was not "none".
    pub(crate) fn work(&self) -> Option<Arc<TemplateBase>> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::Publish(work) => Some(work.clone()),
            _ => None,
        })?
    }

    /// Hashes the newest work until it makes a share.
    pub(crate) fn find_share(&mut self) -> (Arc<ShareTemplate>, Solution) {
        self.find_share_for(self.address)
    }

    /// The same for any payee.
    pub(crate) fn find_share_for(&mut self, address: &str) -> (Arc<ShareTemplate>, Solution) {
        self.find(address, U256::MAX)
    }

    /// A share that meets a harder target than it must.
    pub(crate) fn find_harder_share(&mut self, target: U256) -> (Arc<ShareTemplate>, Solution) {
        self.find(self.address, target)
    }

    fn find(&mut self, address: &str, wanted_target: U256) -> (Arc<ShareTemplate>, Solution) {
        let base = self.work().expect("there is work");
        self.nonce += 1;
        let terms = MinerTerms {
            payout_address: address.as_bytes().to_vec(),
            wanted_target,
            nonce: self.nonce,
            timestamp: self.now.wall.to_u32(),
        };
        let template = Arc::new(base.for_miner(&terms).expect("the address is good"));
        let mut solution = Solution {
            version: template.header_version(),
            coinbase_nonce: [0; 8],
            time: base.block.current_time,
            nonce: 0,
        };
        while !template.grade(&solution).is_share {
            solution.nonce += 1;
            assert!(solution.nonce < 1_000_000, "shares are cheap here: {:?}", template.info());
        }
        (template, solution)
    }

    /// Finds a share and hands it in.
    pub(crate) fn mine(&mut self, is_on_time: bool) -> Vec<Output> {
        let (template, solution) = self.find_share();
        self.hand_in(template, solution, is_on_time)
    }

    pub(crate) fn hand_in(
        &mut self,
        template: Arc<ShareTemplate>,
        solution: Solution,
        is_on_time: bool,
    ) -> Vec<Output> {
        let found_at = self.now.wall;
        let worker = "rig".to_owned();
        let solved = Solved { template, solution, worker, is_on_time, found_at };
        self.handle(Input::Solved(Box::new(solved)))
    }

    /// Tells the engine that everything it wanted stored has been.
    pub(crate) fn store_everything(&mut self) -> Vec<Output> {
        let sequence = self.outputs.iter().rev().find_map(|output| match output {
            Output::Persist { sequence, .. } => Some(*sequence),
            _ => None,
        });
        self.handle(Input::Persisted { sequence: sequence.unwrap_or_default() })
    }
}
