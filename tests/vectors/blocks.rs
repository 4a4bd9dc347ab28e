//! Blocks that Bitcoin Core took: parts that every block has in common with a share, and the whole
//! block anew where its share is in one of the share stores beside this file.

use std::path::Path;
use std::sync::Arc;

use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, Instruction};
use bitcoin::{Block, Script, Transaction};
use p2pool_sharechain::hash_link::{self, CONSTANT_ENDING, HashLinkEngine};
use p2pool_sharechain::params::WITNESS_RESERVED_VALUE;
use p2pool_sharechain::share::HashLink;
use p2pool_sharechain::template::witness_commitment_script;
use p2pool_sharechain::{Hash32, ShareHash, Tracker, merkle_link, pack};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::history::{Histories, History};
use crate::read::Read;

/// Checks `live/accepted_blocks`.
pub(crate) fn check(
    doc: &Value,
    path: &Path,
    histories: &mut Histories,
    cases: &mut Cases,
) -> Result<(), String> {
    let histories = histories.all(path)?;
    for entry in doc.list("blocks")? {
        cases.run(&format!("block {}", entry.text("hash")?), || {
            let raw = entry.bytes("block_hex")?;
            let block: Block = encode::deserialize(&raw).map_err(|e| e.to_string())?;
            facts(entry, &block)?;
            proofs(&block)?;
            assembled(&block, &raw, histories)
        });
    }
    Ok(())
}

fn facts(entry: &Value, block: &Block) -> Result<(), String> {
    same_bytes("hash", &entry.hash("hash")?, &block.block_hash().to_byte_array())?;
    let header: [u8; 80] =
        encode::serialize(&block.header).try_into().map_err(|_| "the header is not 80 bytes")?;
    same_bytes("share hash", &entry.hash("hash")?, &ShareHash::of_header(&header).to_internal())?;
    same("transactions", &entry.whole("tx_count")?, &(block.txdata.len() as u64))?;
    same("weight", &entry.whole("weight")?, &block.weight().to_wu())?;
    let coinbase = block.txdata.first().ok_or("no transactions")?;
    let txid = coinbase.compute_txid().to_byte_array();
    same_bytes("txid", &entry.hash("coinbase_txid")?, &txid)?;
    let value: u64 = coinbase.output.iter().map(|output| output.value.to_sat()).sum();
    same("value", &entry.whole("coinbase_value_sum")?, &value)
}

/// The links and commitments that a share of this block would carry.
pub(crate) fn proofs(block: &Block) -> Result<(), String> {
    let (coinbase, others) = block.txdata.split_first().ok_or("no transactions")?;
    let txid = coinbase.compute_txid().to_byte_array();
    let txids: Vec<Hash32> = others.iter().map(|tx| tx.compute_txid().to_byte_array()).collect();
    let root = merkle_link::fold(txid, &merkle_link::branch_of_first(&txids));
    same_bytes("root", &block.header.merkle_root.to_byte_array(), &root)?;

    let witness_id = |tx: &Transaction| tx.compute_wtxid().to_byte_array();
    let leaves: Vec<Hash32> =
        core::iter::once([0; 32]).chain(others.iter().map(witness_id)).collect();
    let commitment = witness_commitment_script(&merkle_link::root(&leaves));
    let first = coinbase.output.first().ok_or("no outputs")?;
    same_bytes("commitment", first.script_pubkey.as_bytes(), &commitment)?;
    let witness: Vec<&[u8]> =
        coinbase.input.iter().flat_map(|input| input.witness.iter()).collect();
    same("witness", &vec![WITNESS_RESERVED_VALUE.as_slice()], &witness)?;

    let mut stripped = coinbase.clone();
    stripped.input.iter_mut().for_each(|input| input.witness.clear());
    let stripped = encode::serialize(&stripped);
    let (prefix, data) = stripped.split_last_chunk::<44>().ok_or("a short coinbase")?;
    same_bytes("ending", &CONSTANT_ENDING, &prefix[prefix.len() - CONSTANT_ENDING.len()..])?;
    let reached = HashLinkEngine::new(prefix).midstate();
    let link = HashLink { state: reached.state, length: reached.length };
    same("linked txid", &Some(txid), &hash_link::check(&link, data))
}

/// Header and generation transaction from the share, the other transactions from the block.
pub(crate) fn assembled(
    block: &Block,
    raw: &[u8],
    histories: &mut [History],
) -> Result<(), String> {
    let hash = ShareHash::from_internal(block.block_hash().to_byte_array());
    let mut trackers = histories.iter_mut().map(|history| &mut history.tracker);
    let Some(tracker) = trackers.find(|tracker| judges(tracker, hash)) else { return Ok(()) };
    let share = Arc::clone(tracker.get(hash).ok_or("the share has gone")?);
    let fields = share.share();
    let branch = match &fields.info.segwit {
        Some(segwit) => &segwit.txid_branch,
        None => &fields.merkle_branch,
    };
    let root = merkle_link::fold(*share.txid(), branch);
    let mut out = fields.header.to_bytes(root).ok_or("the header version is too large")?.to_vec();
    pack::write_var_int(&mut out, block.txdata.len() as u64);
    let generation = tracker.generation_of(&share).map_err(|e| e.to_string())?;
    generation.write_with_witness(&mut out, fields.last_txout_nonce.to_le_bytes());
    for transaction in &block.txdata[1..] {
        out.extend_from_slice(&encode::serialize(transaction));
    }
    same_bytes("block", raw, &out)
}

/// Whether the tracker has the share and enough history to rebuild its transaction.
fn judges(tracker: &Tracker, hash: ShareHash) -> bool {
    tracker.get(hash).is_some() && tracker.can_judge(hash)
}

/// The height that a scriptSig starts with.
pub(crate) fn height_of(script: &Script) -> Result<u32, String> {
    let first = script.instructions().next().ok_or("an empty scriptSig")?;
    let Ok(Instruction::PushBytes(bytes)) = first else {
        return Err("the scriptSig does not start with a push".to_owned());
    };
    let number = bytes.as_bytes().iter().rev().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    let pushed = Builder::new().push_int(number).into_script();
    let start = script.as_bytes().get(..pushed.len()).unwrap_or_default();
    same_bytes("height", pushed.as_bytes(), start)?;
    u32::try_from(number).map_err(|e| e.to_string())
}
