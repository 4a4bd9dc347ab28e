//! What peers say beyond shares: hashes of shares, Bitcoin's tip, found blocks in compact form.

use std::sync::Arc;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash};
use p2pool_engine::{Input, PeerId};
use p2pool_sharechain::template::Solution;
use p2pool_sharechain::{ShareHash, U256};
use p2pool_wire::Services;

use super::bitcoin_side::share_template;
use super::forge::{self, PAYEES};
use super::world::World;
use crate::choices::Choices;

/// Blocks of others that are remembered.
const BLOCKS_MAX: usize = 8;

/// What a peer may understand.
pub(super) fn services(number: u8) -> Services {
    let all = Services::COMPACT_BLOCKS | Services::SHARE_HASHES;
    match number % 4 {
        0 => Services::NONE,
        1 => all,
        2 => all | Services::WANTS_SHARE_HASHES,
        _ => Services::COMPACT_BLOCKS,
    }
}

impl World {
    pub(super) fn hashes_are_announced(&mut self, choices: &mut Choices<'_>) {
        let Some(peer) = self.some_peer(choices) else { return };
        let count = 1 + choices.below(8);
        let mut hashes: Vec<ShareHash> = (0..count).map(|_| self.some_share(choices)).collect();
        if choices.flag() {
            hashes.push(ShareHash::from_internal([choices.u8(); 32]));
        }
        self.node.ledger.note_announcement(peer, &hashes);
        self.give(Input::ShareHashes { peer, hashes });
    }

    /// A header with or without the work that it claims.
    pub(super) fn best_block_is_told(&mut self, choices: &mut Choices<'_>) {
        let Some(peer) = self.some_peer(choices) else { return };
        let mut header = [choices.u8(); 80];
        header[72..76].copy_from_slice(&self.bits().0.to_le_bytes());
        if choices.flag() {
            self.node.ledger.note_bad(peer);
        } else if let Some(nonce) = forge::search(header, self.bits().target_saturating()) {
            header[76..].copy_from_slice(&nonce.to_le_bytes());
        } else {
            return;
        }
        self.give(Input::BestBlock { peer, header });
    }

    /// Somebody else found a block on work like ours; a peer passes it on, perhaps spoilt.
    pub(super) fn block_is_passed_on(&mut self, choices: &mut Choices<'_>) {
        let Some(peer) = self.some_peer(choices) else { return };
        let how = choices.u8();
        let known = self.blocks.last().filter(|_| how & 1 != 0).cloned();
        let Some(block) = known.or_else(|| self.block_of_others(choices)) else { return };
        let given: &[usize] = if block.txdata.len() > 1 && how & 2 != 0 { &[1] } else { &[] };
        let nonce = u64::from(choices.u8());
        let Ok(mut compact) = HeaderAndShortIds::from_block(&block, nonce, 2, given) else {
            return;
        };
        match how >> 4 {
            0 => drop(compact.prefilled_txs.pop()),
            1 => drop(compact.short_ids.pop()),
            2 => {
                compact.header.time ^= 1;
                self.node.ledger.note_bad(peer);
            }
            3 => drop(compact.prefilled_txs[0].tx.output.pop()),
            _ => {}
        }
        self.node.ledger.note_block_holder(peer, block.block_hash());
        self.give(Input::CompactBlock { peer, block: Box::new(compact) });
    }

    fn block_of_others(&mut self, choices: &mut Choices<'_>) -> Option<Arc<Block>> {
        let works = self.node.ledger.works();
        let base = works.get(choices.below(works.len()))?.clone();
        let payee = choices.below(PAYEES);
        let template = share_template(&base, self.params(), payee, 99, U256::MAX);
        let mut solution = Solution {
            version: template.header_version(),
            coinbase_nonce: [choices.u8(); 8],
            time: self.wall().to_u32(),
            nonce: 0,
        };
        solution.nonce = forge::search(template.header(&solution), template.block_target())?;
        let block = Arc::new(deserialize(&template.block(&solution)).expect("a block can be read"));
        if self.blocks.len() >= BLOCKS_MAX {
            self.blocks.remove(0);
        }
        self.blocks.push(Arc::clone(&block));
        Some(block)
    }

    /// A peer answers for transactions that it was asked for, honestly or not.
    pub(super) fn transactions_are_sent(&mut self, choices: &mut Choices<'_>) {
        let Some((peer, request)) = self.node.ledger.take_block_question() else { return };
        let how = choices.u8();
        let block = self.blocks.iter().find(|block| block.block_hash() == request.block_hash);
        let Some(block) = block else { return };
        let place = |index: &u64| usize::try_from(*index).expect("a place in a block");
        let mut transactions: Vec<_> =
            request.indexes.iter().map(|index| block.txdata[place(index)].clone()).collect();
        match how % 4 {
            0 => drop(transactions.pop()),
            1 => transactions.fill(block.txdata[0].clone()),
            _ => {}
        }
        let transactions = BlockTransactions { block_hash: request.block_hash, transactions };
        self.give(Input::BlockTxn { peer, transactions });
    }

    /// A peer asks for transactions of a block, of a known one or any.
    pub(super) fn transactions_are_asked_for(&mut self, choices: &mut Choices<'_>) {
        let Some(peer) = self.some_peer(choices) else { return };
        let blocks: Vec<ShareHash> = self.node.ledger.blocks().map(|block| block.hash).collect();
        let hash = blocks.get(choices.below(blocks.len())).map(|hash| hash.to_block_hash());
        let block_hash = hash.unwrap_or_else(|| BlockHash::from_byte_array([choices.u8(); 32]));
        let indexes = (0..choices.below(4)).map(|_| u64::from(choices.u8() % 5)).collect();
        self.give(Input::GetBlockTxn {
            peer,
            request: BlockTransactionsRequest { block_hash, indexes },
        });
    }

    pub(super) fn tip_is_told(&mut self, choices: &mut Choices<'_>) {
        let header = match self.blocks.get(choices.below(self.blocks.len())) {
            Some(block) => serialize(&block.header).try_into().expect("a header has 80 bytes"),
            None => [choices.u8(); 80],
        };
        self.give(Input::TipHeader { header });
    }
}

/// One peer's part of what was said about blocks.
pub(super) type BlockQuestion = (PeerId, BlockTransactionsRequest);
