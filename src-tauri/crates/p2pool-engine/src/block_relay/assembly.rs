//! A block from its compact form and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bitcoin::bip152::{HeaderAndShortIds, PrefilledTransaction, ShortId};
use bitcoin::block::Header;
use bitcoin::consensus::{deserialize_partial, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Block, Transaction, VarInt};
use p2pool_sharechain::Hash32;
use p2pool_sharechain::merkle_link;
use p2pool_sharechain::params::{DONATION_SCRIPT, WITNESS_RESERVED_VALUE};
use p2pool_sharechain::template::{BlockTemplate, witness_commitment_script};

/// Most transactions of a block: each weighs at least 240 of 4,000,000 units.
const TRANSACTIONS_MAX: usize = 16_667;
/// Most bytes of a block, which weigh at least one unit each.
const BLOCK_BYTES_MAX: usize = 4_000_000;
/// What the last output of a generation transaction begins with, and its length.
const REF_SCRIPT: [u8; 2] = [0x6a, 0x28];
const REF_SCRIPT_BYTES: usize = 42;

/// One transaction of a block.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// With witness.
    pub(super) raw: Arc<[u8]>,
    txid: Hash32,
    wtxid: Hash32,
}

impl Part {
    fn of(transaction: &Transaction) -> Self {
        Self {
            raw: serialize(transaction).into(),
            txid: transaction.compute_txid().to_byte_array(),
            wtxid: transaction.compute_wtxid().to_byte_array(),
        }
    }
}

/// A block of which parts may be missing.
#[derive(Debug)]
pub(super) struct Assembly {
    header: Header,
    coinbase: Transaction,
    /// Short names in block order; `None` for transactions that came with the block.
    names: Vec<Option<ShortId>>,
    keys: (u64, u64),
    parts: Vec<Option<Part>>,
    /// Whether all that was found by its name has been forgotten once.
    is_started_over: bool,
}

impl Assembly {
    /// Begins with what templates know; `None` for what cannot be a block of this pool.
    pub(super) fn new<'a>(
        block: &HeaderAndShortIds,
        templates: impl Iterator<Item = &'a BlockTemplate>,
    ) -> Option<Self> {
        let count = block.short_ids.len().checked_add(block.prefilled_txs.len())?;
        let first = block.prefilled_txs.first().filter(|first| first.idx == 0)?;
        if count > TRANSACTIONS_MAX || !is_generation(&first.tx) {
            return None;
        }
        let mut parts: Vec<Option<Part>> = vec![None; count];
        let mut place = 0_usize;
        for given in &block.prefilled_txs {
            place = place.checked_add(usize::from(given.idx))?;
            *parts.get_mut(place)? = Some(Part::of(&given.tx));
            place = place.checked_add(1)?;
        }
        let mut short_ids = block.short_ids.iter();
        let names = parts.iter().map(|part| match part {
            Some(_) => None,
            None => short_ids.next().copied(),
        });
        let names = names.collect();
        let keys = ShortId::calculate_siphash_keys(&block.header, block.nonce);
        let coinbase = first.tx.clone();
        let mut assembly =
            Self { header: block.header, coinbase, names, keys, parts, is_started_over: false };
        assembly.fill_from(templates);
        Some(assembly)
    }

    fn fill_from<'a>(&mut self, templates: impl Iterator<Item = &'a BlockTemplate>) {
        let named = self.names.iter().enumerate();
        let places: BTreeMap<ShortId, usize> =
            named.filter_map(|(place, name)| Some(((*name)?, place))).collect();
        for tx in templates.flat_map(|template| &template.transactions) {
            let name = ShortId::with_siphash_keys(&tx.wtxid, self.keys);
            let place = places.get(&name).and_then(|place| self.parts.get_mut(*place));
            if let Some(place @ None) = place {
                let raw = Arc::clone(&tx.data);
                *place = Some(Part { raw, txid: tx.txid, wtxid: tx.wtxid });
            }
        }
    }

    /// Places of transactions that are missing.
    pub(super) fn missing(&self) -> Vec<u64> {
        let places = self.parts.iter().enumerate().filter(|(_, part)| part.is_none());
        places.map(|(place, _)| place as u64).collect()
    }

    /// Puts in what was missing; `false` if it is not that.
    pub(super) fn fill(&mut self, transactions: &[Transaction]) -> bool {
        let missing = self.parts.iter().filter(|part| part.is_none()).count();
        if missing != transactions.len() {
            return false;
        }
        let mut next = transactions.iter();
        for part in self.parts.iter_mut().filter(|part| part.is_none()) {
            *part = next.next().map(Part::of);
        }
        true
    }

    /// Whether the header commits to the transactions, and the generation transaction to their
    /// witnesses.
    pub(super) fn is_sound(&self) -> bool {
        let parts: Vec<&Part> = self.parts.iter().flatten().collect();
        let txids: Vec<Hash32> = parts.iter().map(|part| part.txid).collect();
        // Repeated transactions can give the same root; see CVE-2012-2459.
        let is_repeated = txids.iter().collect::<BTreeSet<_>>().len() < txids.len();
        let mut wtxids: Vec<Hash32> = parts.iter().map(|part| part.wtxid).collect();
        if let Some(coinbase) = wtxids.first_mut() {
            *coinbase = [0; 32];
        }
        let commitment = witness_commitment_script(&merkle_link::root(&wtxids));
        let mut outputs = self.coinbase.output.iter();
        let bytes: usize = parts.iter().map(|part| part.raw.len()).sum();
        parts.len() == self.parts.len()
            && !is_repeated
            && bytes <= BLOCK_BYTES_MAX
            && merkle_link::root(&txids) == self.header.merkle_root.to_byte_array()
            && outputs.any(|output| output.script_pubkey.as_bytes() == commitment)
    }

    /// Forgets all that did not come with the block; `false` if that was done before.
    pub(super) fn start_over(&mut self) -> bool {
        for (part, name) in self.parts.iter_mut().zip(&self.names) {
            if name.is_some() {
                *part = None;
            }
        }
        !core::mem::replace(&mut self.is_started_over, true)
    }

    pub(super) fn coinbase(&self) -> &Transaction {
        &self.coinbase
    }

    /// The whole block.
    pub(super) fn raw(&self) -> Vec<u8> {
        let parts = self.parts.iter().flatten();
        let mut raw = serialize(&self.header);
        raw.extend(serialize(&VarInt::from(self.parts.len())));
        parts.for_each(|part| raw.extend_from_slice(&part.raw));
        raw
    }

    /// The compact form for others.
    pub(super) fn into_compact(self, nonce: u64) -> (HeaderAndShortIds, Vec<Part>) {
        let parts: Vec<Part> = self.parts.into_iter().flatten().collect();
        (compact(self.header, self.coinbase, &parts, nonce), parts)
    }
}

/// The compact form of a block, only the generation transaction in full.
fn compact(header: Header, coinbase: Transaction, parts: &[Part], nonce: u64) -> HeaderAndShortIds {
    let keys = ShortId::calculate_siphash_keys(&header, nonce);
    let name = |part: &Part| ShortId::with_siphash_keys(&part.wtxid, keys);
    let short_ids = parts.iter().skip(1).map(name).collect();
    let prefilled_txs = vec![PrefilledTransaction { idx: 0, tx: coinbase }];
    HeaderAndShortIds { header, nonce, short_ids, prefilled_txs }
}

/// Splits a block that was made from a template.
pub(super) fn split(
    raw: &[u8],
    template: &BlockTemplate,
    nonce: u64,
) -> Option<(HeaderAndShortIds, Vec<Part>)> {
    let (header, used) = deserialize_partial::<Header>(raw).ok()?;
    let (_, count_bytes) = deserialize_partial::<VarInt>(raw.get(used..)?).ok()?;
    let rest = raw.get(used.checked_add(count_bytes)?..)?;
    let (coinbase, _) = deserialize_partial::<Transaction>(rest).ok()?;
    let mut parts = vec![Part::of(&coinbase)];
    parts.extend(template.transactions.iter().map(|tx| Part {
        raw: Arc::clone(&tx.data),
        txid: tx.txid,
        wtxid: tx.wtxid,
    }));
    Some((compact(header, coinbase, &parts, nonce), parts))
}

/// Splits any block.
pub(super) fn split_whole(raw: &[u8], nonce: u64) -> Option<(HeaderAndShortIds, Vec<Part>)> {
    let (block, _) = deserialize_partial::<Block>(raw).ok()?;
    let parts: Vec<Part> = block.txdata.iter().map(Part::of).collect();
    let coinbase = block.txdata.into_iter().next()?;
    Some((compact(block.header, coinbase, &parts, nonce), parts))
}

/// Whether a transaction ends as this pool's generation transactions do, and has their witness.
fn is_generation(transaction: &Transaction) -> bool {
    let [.., donation, reference] = transaction.output.as_slice() else { return false };
    let reference = reference.script_pubkey.as_bytes();
    let witness = transaction.input.first().map(|input| input.witness.to_vec());
    transaction.is_coinbase()
        && donation.script_pubkey.as_bytes() == DONATION_SCRIPT
        && reference.starts_with(&REF_SCRIPT)
        && reference.len() == REF_SCRIPT_BYTES
        && witness == Some(vec![WITNESS_RESERVED_VALUE.to_vec()])
}
