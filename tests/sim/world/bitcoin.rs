//! The Bitcoin network, and each node's Bitcoin node: templates, blocks, lags, deaths, returns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid,
    Witness, absolute, transaction,
};
use fastrand::Rng;
use p2pool_engine::{BlockOutcome, Input};
use p2pool_sharechain::hash::sha256d;
use p2pool_sharechain::template::{BlockTemplate, TemplateTransaction};
use p2pool_sharechain::{CompactBits, Hash32, ShareHash};

use super::miner::search;
use super::scenario::Scenario;
use super::{Event, World};

/// The block that everything begins with, and its height.
const FIRST: (Hash32, u32) = ([1; 32], 99);
/// Somebody makes a transaction this often.
const TRANSACTION_EVERY: Duration = Duration::from_secs(20);
/// Templates are fetched this often, block or not.
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// Time for a Bitcoin node to answer.
const ANSWERS_WITHIN: Duration = Duration::from_millis(20);
/// Work is taken back when the Bitcoin node has been silent for this long.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// A block this deep is not watched any longer.
const WATCH_DEPTH: u32 = 100;

/// What is true for everybody.
pub(crate) struct Bitcoin {
    bits: CompactBits,
    blocks: BTreeMap<Hash32, BlockEntry>,
    tip: Hash32,
    transactions: Vec<TemplateTransaction>,
    numbers: BTreeMap<Hash32, u64>,
    rng: Rng,
}

#[derive(Clone, Copy, Debug)]
struct BlockEntry {
    previous: Hash32,
    height: u32,
    header: [u8; 80],
    /// Transactions below this number are in it or below it.
    confirmed: u64,
}

/// One node's Bitcoin node.
#[derive(Debug)]
pub(crate) struct Bitcoind {
    pub(crate) is_alive: bool,
    /// Mean time until it hears of a block.
    pub(crate) lag: Duration,
    /// Time until it hears of a transaction.
    pub(crate) transaction_lag: Duration,
    tip: Hash32,
    known: BTreeSet<Hash32>,
    /// Blocks that its pool node hands in, until it answers.
    waiting: BTreeMap<ShareHash, Arc<[u8]>>,
    watched: BTreeSet<ShareHash>,
    /// Blocks that its pool node has handed in with success.
    pub(crate) handed_in: BTreeSet<ShareHash>,
    /// Counts up when the connection to the pool node begins and ends.
    generation: u64,
}

impl Bitcoind {
    pub(crate) fn new(scenario: &Scenario, rng: &mut Rng) -> Self {
        Self {
            is_alive: true,
            lag: scenario.bitcoin_lag,
            transaction_lag: Duration::from_secs(10).mul_f64(rng.f64()),
            tip: FIRST.0,
            known: BTreeSet::from([FIRST.0]),
            waiting: BTreeMap::new(),
            watched: BTreeSet::new(),
            handed_in: BTreeSet::new(),
            generation: 0,
        }
    }

    /// Its pool node's process has ended, with all that it wanted.
    pub(crate) fn disconnect(&mut self) {
        self.waiting.clear();
        self.watched.clear();
        self.generation += 1;
    }
}

impl Bitcoin {
    pub(crate) fn new(scenario: &Scenario, rng: Rng) -> Self {
        let first =
            BlockEntry { previous: [0; 32], height: FIRST.1, header: [0; 80], confirmed: 0 };
        Self {
            bits: scenario.bits,
            blocks: BTreeMap::from([(FIRST.0, first)]),
            tip: FIRST.0,
            transactions: Vec::new(),
            numbers: BTreeMap::new(),
            rng,
        }
    }

    /// Height of the highest block.
    pub(crate) fn height(&self) -> u32 {
        self.blocks[&self.tip].height
    }

    /// Makes the transactions that exist by now.
    fn make_transactions(&mut self, now: Duration) {
        let count = now.as_secs() / TRANSACTION_EVERY.as_secs();
        for number in self.transactions.len() as u64..count {
            let tx = transaction(number);
            self.numbers.insert(tx.txid, number);
            self.transactions.push(tx);
        }
    }

    fn template(&self, tip: Hash32, known: u64, time: u32, subsidy_sats: u64) -> BlockTemplate {
        let entry = self.blocks[&tip];
        let range = entry.confirmed.min(known)..known;
        let transactions: Vec<TemplateTransaction> =
            range.map(|number| self.transactions[number as usize].clone()).collect();
        let fees: u64 = transactions.iter().map(|tx| tx.fee_sats).sum();
        BlockTemplate {
            version: 0x2000_0000,
            previous_block: BlockHash::from_byte_array(tip),
            transactions,
            coinbase_value_sats: subsidy_sats + fees,
            coinbase_aux: Vec::new(),
            bits: self.bits,
            current_time: time,
            min_time: 0,
            max_time: None,
            height: entry.height + 1,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        }
    }

    /// Adds a block on top of a known one; a higher one becomes the tip.
    fn add(&mut self, header: [u8; 80], previous: Hash32, confirmed: u64) {
        let hash = sha256d(&header);
        let height = self.blocks[&previous].height + 1;
        self.blocks.insert(hash, BlockEntry { previous, height, header, confirmed });
        if height > self.height() {
            self.tip = hash;
        }
    }

    fn mine_outside(&mut self, time: u32, confirmed: u64) -> Hash32 {
        let previous = self.tip;
        let mut header = [0_u8; 80];
        header[..4].copy_from_slice(&0x2000_0000_u32.to_le_bytes());
        header[4..36].copy_from_slice(&previous);
        header[36..68].copy_from_slice(&sha256d(&previous));
        header[68..72].copy_from_slice(&time.to_le_bytes());
        header[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        let nonce = search(header, self.bits.target_saturating());
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        self.add(header, previous, confirmed);
        sha256d(&header)
    }

    /// How deep a block lies below a tip, the tip counting one; `None` if elsewhere.
    fn depth(&self, block: Hash32, tip: Hash32) -> Option<u32> {
        let mut hash = tip;
        let mut depth = 1;
        while hash != block {
            hash = self.blocks.get(&hash)?.previous;
            depth += 1;
        }
        Some(depth)
    }
}

impl World {
    /// Somebody outside of the pool will find the next Bitcoin block, sooner or later.
    pub(super) fn expect_outside_block(&mut self) {
        let luck = -(1.0 - self.bitcoin.rng.f64()).ln();
        let pause = self.scenario.block_period.mul_f64(luck);
        self.after(pause, Event::OutsideBlock);
    }

    pub(super) fn outside_block(&mut self) {
        self.bitcoin.make_transactions(self.now);
        let time = u32::try_from(super::START_WALL + self.now.as_secs()).expect("before 2106");
        let confirmed = self.bitcoin.transactions.len() as u64;
        let block = self.bitcoin.mine_outside(time, confirmed);
        self.spread_block(block);
        self.expect_outside_block();
    }

    /// All Bitcoin nodes will hear of a block.
    fn spread_block(&mut self, block: Hash32) {
        for node in 0..self.nodes.len() {
            let luck = -(1.0 - self.rng.f64()).ln();
            let lag = self.nodes[node].bitcoind.lag.mul_f64(luck);
            self.after(lag, Event::BlockArrives { node, block });
        }
    }

    pub(super) fn block_arrives(&mut self, node: usize, block: Hash32) {
        if self.nodes[node].bitcoind.is_alive {
            self.adopt(node, block);
        }
    }

    /// A Bitcoin node learns of a block and of all below it.
    fn adopt(&mut self, node: usize, block: Hash32) {
        let bitcoind = &mut self.nodes[node].bitcoind;
        let mut hash = block;
        while bitcoind.known.insert(hash) {
            hash = self.bitcoin.blocks[&hash].previous;
        }
        let height = |hash: &Hash32| self.bitcoin.blocks[hash].height;
        if height(&block) > height(&bitcoind.tip) {
            bitcoind.tip = block;
            self.give_template(node);
            self.report_blocks(node);
        }
    }

    /// A pool node has started, or its Bitcoin node has come back.
    pub(super) fn bitcoind_connects(&mut self, node: usize) {
        let bitcoind = &mut self.nodes[node].bitcoind;
        bitcoind.generation += 1;
        let generation = bitcoind.generation;
        if !bitcoind.is_alive {
            return;
        }
        self.adopt(node, self.bitcoin.tip);
        self.give_template(node);
        self.refresh_later(node, generation);
        self.take_blocks(node);
        self.report_blocks(node);
    }

    /// A node's Bitcoin node dies.
    pub(crate) fn kill_bitcoind(&mut self, node: usize) {
        let bitcoind = &mut self.nodes[node].bitcoind;
        bitcoind.is_alive = false;
        bitcoind.generation += 1;
        let generation = bitcoind.generation;
        self.after(SILENCE_MAX, Event::TemplateLost { node, generation });
    }

    /// It is back.
    pub(crate) fn revive_bitcoind(&mut self, node: usize) {
        self.nodes[node].bitcoind.is_alive = true;
        self.bitcoind_connects(node);
    }

    pub(super) fn template_lost(&mut self, node: usize, generation: u64) {
        let bitcoind = &self.nodes[node].bitcoind;
        if bitcoind.generation == generation && !bitcoind.is_alive {
            self.give(node, Input::TemplateLost);
        }
    }

    pub(super) fn refresh(&mut self, node: usize, generation: u64) {
        let bitcoind = &self.nodes[node].bitcoind;
        if bitcoind.generation != generation || !bitcoind.is_alive {
            return;
        }
        self.give_template(node);
        self.refresh_later(node, generation);
    }

    fn refresh_later(&mut self, node: usize, generation: u64) {
        let pause = REFRESH_EVERY.mul_f64(0.8 + 0.4 * self.rng.f64());
        self.after(pause, Event::Refresh { node, generation });
    }

    fn give_template(&mut self, node: usize) {
        self.bitcoin.make_transactions(self.now);
        let time = self.wall(node).to_u32();
        let bitcoind = &self.nodes[node].bitcoind;
        let heard = self.now.saturating_sub(bitcoind.transaction_lag).as_secs();
        let known = heard / TRANSACTION_EVERY.as_secs();
        let height = self.bitcoin.blocks[&bitcoind.tip].height + 1;
        let subsidy = self.params.subsidy_sats(height);
        let template = self.bitcoin.template(bitcoind.tip, known, time, subsidy);
        self.give(node, Input::Template(Arc::new(template)));
    }

    pub(super) fn submit_block(&mut self, node: usize, hash: ShareHash, raw: Arc<[u8]>) {
        let bitcoind = &mut self.nodes[node].bitcoind;
        bitcoind.waiting.insert(hash, raw);
        bitcoind.watched.insert(hash);
        let generation = bitcoind.generation;
        self.after(ANSWERS_WITHIN, Event::TakeBlocks { node, generation });
    }

    pub(super) fn watch_block(&mut self, node: usize, hash: ShareHash) {
        self.nodes[node].bitcoind.watched.insert(hash);
    }

    pub(super) fn blocks_handed_in(&mut self, node: usize, generation: u64) {
        if self.nodes[node].bitcoind.generation == generation {
            self.take_blocks(node);
        }
    }

    /// The Bitcoin node looks at the blocks that were handed in.
    fn take_blocks(&mut self, node: usize) {
        if !self.nodes[node].bitcoind.is_alive {
            return;
        }
        let waiting = core::mem::take(&mut self.nodes[node].bitcoind.waiting);
        for (hash, raw) in waiting {
            match self.judge_block(hash, &raw) {
                Ok(()) => {
                    self.nodes[node].bitcoind.handed_in.insert(hash);
                    self.adopt(node, hash.to_internal());
                    self.report_blocks(node);
                }
                Err(reason) => {
                    self.nodes[node].bitcoind.watched.remove(&hash);
                    let outcome = BlockOutcome::Rejected { reason: reason.to_owned() };
                    self.give(node, Input::BlockOutcome { hash, outcome });
                }
            }
        }
    }

    /// What every Bitcoin node checks.
    fn judge_block(&mut self, hash: ShareHash, raw: &[u8]) -> Result<(), &'static str> {
        let block: Block = deserialize(raw).map_err(|_| "undecodable")?;
        let mut header = [0; 80];
        header.copy_from_slice(&raw[..80]);
        assert_eq!(block.block_hash(), hash.to_block_hash(), "a block goes under its hash");
        let previous = block.header.prev_blockhash.to_byte_array();
        if hash.to_uint() > self.bitcoin.bits.target_saturating() {
            return Err("high-hash");
        }
        if !block.check_merkle_root() || !block.check_witness_commitment() {
            return Err("bad-txnmrklroot");
        }
        let Some(entry) = self.bitcoin.blocks.get(&previous).copied() else {
            return Err("prev-blk-not-found");
        };
        let paid: Amount = block.txdata[0].output.iter().map(|output| output.value).sum();
        let numbers: Vec<u64> = block.txdata[1..]
            .iter()
            .map(|tx| self.bitcoin.numbers[&tx.compute_txid().to_byte_array()])
            .collect();
        let fees: u64 =
            numbers.iter().map(|number| self.bitcoin.transactions[*number as usize].fee_sats).sum();
        let due = self.params.subsidy_sats(entry.height + 1) + fees;
        assert_eq!(paid.to_sat(), due, "subsidy and fees, to the last");
        if !self.bitcoin.blocks.contains_key(&hash.to_internal()) {
            let confirmed = numbers.iter().max().map_or(entry.confirmed, |newest| newest + 1);
            self.bitcoin.add(header, previous, confirmed);
            self.spread_block(hash.to_internal());
        }
        Ok(())
    }

    /// Tells the pool node how its blocks fare.
    fn report_blocks(&mut self, node: usize) {
        let bitcoind = &self.nodes[node].bitcoind;
        let tip = bitcoind.tip;
        let known: Vec<ShareHash> = bitcoind
            .watched
            .iter()
            .copied()
            .filter(|hash| bitcoind.known.contains(&hash.to_internal()))
            .collect();
        for hash in known {
            let outcome = match self.bitcoin.depth(hash.to_internal(), tip) {
                Some(confirmations) => BlockOutcome::Accepted { confirmations },
                None => BlockOutcome::Replaced,
            };
            if matches!(outcome, BlockOutcome::Accepted { confirmations } if confirmations >= WATCH_DEPTH)
            {
                self.nodes[node].bitcoind.watched.remove(&hash);
            }
            self.give(node, Input::BlockOutcome { hash, outcome });
        }
    }

    pub(super) fn look_up_height(&mut self, node: usize, block: Hash32) {
        let incarnation = self.nodes[node].incarnation;
        self.after(ANSWERS_WITHIN, Event::HeightFound { node, incarnation, block });
    }

    pub(super) fn look_up_tip(&mut self, node: usize, block: Hash32) {
        let incarnation = self.nodes[node].incarnation;
        self.after(ANSWERS_WITHIN, Event::TipFound { node, incarnation, block });
    }

    pub(super) fn tip_found(&mut self, node: usize, incarnation: u32, block: Hash32) {
        let this = &self.nodes[node];
        let is_asked = this.incarnation == incarnation && this.bitcoind.is_alive;
        // Nobody has the header of the first block.
        if is_asked && block != FIRST.0 && this.bitcoind.known.contains(&block) {
            let header = self.bitcoin.blocks[&block].header;
            self.give(node, Input::TipHeader { header });
        }
    }

    /// The pool node has heard of a newer block: its Bitcoin node is asked for a template at once.
    pub(super) fn nudge_bitcoind(&mut self, node: usize) {
        let generation = self.nodes[node].bitcoind.generation;
        self.measure.nudges += 1;
        self.after(ANSWERS_WITHIN, Event::Nudge { node, generation });
    }

    pub(super) fn nudged(&mut self, node: usize, generation: u64) {
        let bitcoind = &self.nodes[node].bitcoind;
        if bitcoind.generation == generation && bitcoind.is_alive {
            self.give_template(node);
        }
    }

    pub(super) fn height_found(&mut self, node: usize, incarnation: u32, block: Hash32) {
        let this = &self.nodes[node];
        if this.incarnation != incarnation || !this.bitcoind.is_alive {
            return;
        }
        let is_known = this.bitcoind.known.contains(&block);
        let height = is_known.then(|| self.bitcoin.blocks[&block].height);
        self.give(node, Input::BlockHeight { block, height });
    }
}

/// A transaction unlike all others.
fn transaction(number: u64) -> TemplateTransaction {
    let tx = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(
                Txid::from_byte_array(sha256d(&number.to_le_bytes())),
                0,
            ),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[vec![7; 70 + (number % 40) as usize]]),
        }],
        output: vec![TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::new() }],
    };
    TemplateTransaction {
        data: serialize(&tx).into(),
        txid: tx.compute_txid().to_byte_array(),
        wtxid: tx.compute_wtxid().to_byte_array(),
        fee_sats: 500 + number % 1_000,
        weight: u32::try_from(tx.weight().to_wu()).expect("small"),
        sigops: 1,
        depends: Vec::new(),
    }
}
