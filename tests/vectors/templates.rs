//! The same share once more, made by us: from a block template and a miner's terms.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::share::Payee;
use p2pool_sharechain::template::{
    BlockTemplate, MinerTerms, Solution, TemplateBase, TemplateTransaction,
};
use p2pool_sharechain::{CheckedShare, Tracker};
use serde_json::Value;

use crate::cases::{same, same_bytes};
use crate::read::Read;

/// Makes the share and its block anew, and compares both with the record.
///
/// Types below 34 cannot be made, only checked: of them, the fields that follow from the chain.
pub(crate) fn check(
    record: &Value,
    share: &CheckedShare,
    transactions: Vec<TemplateTransaction>,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let fields = share.share();
    let input = record.at("generate_input")?;
    same("version made", &input.whole("version")?, &fields.version.number())?;
    same_bytes("payee wanted", input.text("address")?.as_bytes(), share.payee())?;
    same("block target", &Some(input.target("block_target")?), &fields.header.bits.target())?;
    let included = transactions.len() as u64;
    same("transactions taken", &input.whole("transactions_included")?, &included)?;
    let (wanted_target, timestamp) =
        (input.target("desired_target")?, input.whole_32("desired_timestamp")?);
    let info = Position::above(tracker, fields.version, fields.parent()).share_info(
        fields.info.data.clone(),
        fields.info.segwit.clone(),
        fields.info.tx_refs.clone(),
        timestamp,
        wanted_target,
    );
    same("fields that follow", &fields.info, &info)?;

    let Payee::Address(payout_address) = &fields.info.data.payee else { return Ok(()) };
    let payout_address = payout_address.clone();
    let terms =
        MinerTerms { payout_address, wanted_target, nonce: fields.info.data.nonce, timestamp };
    whole(record, share, transactions, &terms, tracker)
}

/// The share through a template, as a miner's session makes it, and its block.
fn whole(
    record: &Value,
    share: &CheckedShare,
    transactions: Vec<TemplateTransaction>,
    terms: &MinerTerms,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let fields = share.share();
    let solution = Solution {
        version: u32::try_from(fields.header.version).map_err(|e| e.to_string())?,
        coinbase_nonce: fields.last_txout_nonce.to_le_bytes(),
        time: fields.header.timestamp,
        nonce: fields.header.nonce,
    };
    let mut block = record.bytes("header_hex")?;
    block.push(u8::try_from(transactions.len() + 1).map_err(|e| e.to_string())?);
    block.extend(record.bytes("gentx_hex")?);
    block.extend(transactions.iter().flat_map(|tx| tx.data.iter()));

    let template = base(share, transactions, tracker)?.for_miner(terms);
    let template = template.map_err(|e| e.to_string())?;
    same("fields", &fields.info, template.info())?;
    let grade = template.grade(&solution);
    same("hash", &share.hash(), &grade.hash)?;
    same("is a share", &true, &grade.is_share)?;
    same("is a block", &share.claims_block(), &grade.is_block)?;
    let made = template.share(&solution).map_err(|e| e.to_string())?;
    let mut expected = fields.clone();
    // Dead weight from type 34 on; left empty.
    expected.merkle_branch.clear();
    same("share", &expected, made.share())?;
    same_bytes("block", &block, &template.block(&solution))
}

fn base(
    share: &CheckedShare,
    transactions: Vec<TemplateTransaction>,
    tracker: &mut Tracker,
) -> Result<Arc<TemplateBase>, String> {
    let fields = share.share();
    let data = &fields.info.data;
    let parent = fields.parent();
    let block = BlockTemplate {
        version: u32::try_from(fields.header.version).map_err(|e| e.to_string())?,
        previous_block: BlockHash::from_byte_array(fields.header.previous_block),
        transactions,
        coinbase_value_sats: data.subsidy_sats,
        coinbase_aux: Vec::new(),
        bits: fields.header.bits,
        current_time: fields.header.timestamp,
        min_time: 0,
        max_time: None,
        height: 0,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    };
    Ok(Arc::new(TemplateBase {
        sequence: 0,
        new_block: true,
        params: Arc::clone(tracker.params()),
        segwit: block.segwit_data(),
        block: Arc::new(block),
        previous_share: parent,
        version: fields.version,
        desired_version: data.desired_version,
        stale_info: data.stale_info,
        donation: data.donation,
        position: Position::above(tracker, fields.version, parent),
        window: Arc::new(tracker.payout_window(parent, fields.header.bits)),
        coinbase: data.coinbase.clone(),
    }))
}
