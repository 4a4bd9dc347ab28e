//! A Bitcoin chain in memory, with the rules of regtest as far as a pool meets them.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bitcoin::constants::genesis_block;
use bitcoin::{Amount, Block, BlockHash, Network};
use p2pool_bitcoind::model::{Place, TemplateTransactionAnswer};
use p2pool_sharechain::Params;

/// Blocks that the median time is taken over.
const MEDIAN_BLOCKS: usize = 11;

/// All blocks that were ever handed in and found good.
#[derive(Debug)]
pub(super) struct Chain {
    blocks: HashMap<BlockHash, (u32, Block)>,
    /// By height.
    best: Vec<BlockHash>,
    params: Params,
    /// For the next template.
    pub(super) mempool: Vec<TemplateTransactionAnswer<'static>>,
}

impl Chain {
    pub(super) fn new() -> Self {
        let genesis = genesis_block(Network::Regtest);
        let hash = genesis.block_hash();
        Self {
            blocks: HashMap::from([(hash, (0, genesis))]),
            best: vec![hash],
            params: Params::test_pool(Network::Regtest),
            mempool: Vec::new(),
        }
    }

    pub(super) fn tip(&self) -> BlockHash {
        *self.best.last().expect("the first block stays")
    }

    /// Height of the tip.
    pub(super) fn height(&self) -> u32 {
        u32::try_from(self.best.len() - 1).expect("short chains")
    }

    pub(super) fn at(&self, height: u32) -> Option<BlockHash> {
        self.best.get(height as usize).copied()
    }

    pub(super) fn block(&self, hash: BlockHash) -> Option<&Block> {
        self.blocks.get(&hash).map(|(_, block)| block)
    }

    pub(super) fn header(&self) -> Header {
        self.blocks[&self.tip()].1.header
    }

    /// Where a block stands.
    pub(super) fn place(&self, hash: BlockHash) -> Option<Place> {
        let (height, _) = self.blocks.get(&hash)?;
        let is_in_best = self.at(*height) == Some(hash);
        let depth = i64::from(self.height()) - i64::from(*height) + 1;
        Some(Place {
            height: *height,
            confirmations: if is_in_best { depth } else { -1 },
            median_time: self.median_time(hash),
            next: if is_in_best { self.at(height + 1) } else { None },
        })
    }

    /// Median time past of a block.
    pub(super) fn median_time(&self, mut hash: BlockHash) -> u32 {
        let mut times = Vec::new();
        while times.len() < MEDIAN_BLOCKS
            && let Some((_, block)) = self.blocks.get(&hash)
        {
            times.push(block.header.time);
            hash = block.header.prev_blockhash;
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Subsidy and fees of the next block.
    pub(super) fn next_value_sats(&self) -> u64 {
        let fees: u64 = self.mempool.iter().map(|transaction| transaction.fee).sum();
        self.params.subsidy_sats(self.height() + 1) + fees
    }

    /// Takes a block or says why not, in bitcoind's words.
    ///
    /// # Errors
    /// The block does not decode.
    pub(super) fn submit(&mut self, raw: &[u8]) -> Result<Option<&'static str>, ()> {
        let block: Block = deserialize(raw).map_err(|_| ())?;
        Ok(self.take(block).err())
    }

    fn take(&mut self, block: Block) -> Result<(), &'static str> {
        let hash = block.block_hash();
        if self.blocks.contains_key(&hash) {
            return Err("duplicate");
        }
        if block.header.validate_pow(block.header.target()).is_err() {
            return Err("high-hash");
        }
        let parent = block.header.prev_blockhash;
        let Some((parent_height, _)) = self.blocks.get(&parent) else {
            return Err("prev-blk-not-found");
        };
        let height = parent_height + 1;
        if block.header.bits != self.header().bits {
            return Err("bad-diffbits");
        }
        if block.header.time <= self.median_time(parent) {
            return Err("time-too-old");
        }
        if !block.check_merkle_root() {
            return Err("bad-txnmrklroot");
        }
        if !block.check_witness_commitment() {
            return Err("bad-witness-merkle-match");
        }
        let paid: Amount = block.txdata[0].output.iter().map(|output| output.value).sum();
        let is_next = height == self.height() + 1;
        let fees = if is_next { self.next_value_sats() } else { 0 };
        if paid.to_sat() > self.params.subsidy_sats(height).max(fees) {
            return Err("bad-cb-amount");
        }
        self.blocks.insert(hash, (height, block));
        if height <= self.height() {
            return Err("inconclusive");
        }
        self.follow(hash);
        Ok(())
    }

    /// Makes a block the tip.
    fn follow(&mut self, tip: BlockHash) {
        let mut branch = Vec::new();
        let mut hash = tip;
        while self.place(hash).is_none_or(|place| place.confirmations < 0) {
            branch.push(hash);
            hash = self.blocks[&hash].1.header.prev_blockhash;
        }
        let fork = self.blocks[&hash].0 as usize;
        self.best.truncate(fork + 1);
        self.best.extend(branch.into_iter().rev());
        self.mempool.clear();
    }

    /// Leaves the tip, as a node does that is told to find it invalid.
    pub(super) fn leave_tip(&mut self) {
        if self.best.len() > 1 {
            self.best.pop();
        }
    }

    /// Mines a block that pays nobody in particular.
    pub(super) fn mine(&mut self) {
        let mut block = genesis_block(Network::Regtest);
        block.header.prev_blockhash = self.tip();
        block.header.time = self.next_time();
        block.txdata[0].input[0].script_sig = bitcoin::script::Builder::new()
            .push_int(i64::from(self.height() + 1))
            .push_int(i64::try_from(self.blocks.len()).expect("short chains"))
            .into_script();
        block.txdata[0].output[0].value = Amount::ZERO;
        block.header.merkle_root = block.compute_merkle_root().expect("one transaction");
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        self.take(block).expect("a good block");
    }

    /// The node's clock, at least the lowest time allowed.
    pub(super) fn next_time(&self) -> u32 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        u32::try_from(now).unwrap_or(u32::MAX).max(self.median_time(self.tip()) + 1)
    }
}
