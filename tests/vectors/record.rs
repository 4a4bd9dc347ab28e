//! The fields of one recorded share, and all that follows from the share alone.

use p2pool_sharechain::share::{HashLink, Payee, SegwitData, ShareInfo, TxRefs};
use p2pool_sharechain::{CheckedShare, Hash32, Params, Share, address, generation, merkle_link};
use serde_json::Value;

use crate::cases::{same, same_bytes};
use crate::encodings;
use crate::read::{Read, whole};

/// Parses a recorded share and compares every field; returns it checked.
pub(crate) fn check(record: &Value, params: &Params) -> Result<CheckedShare, String> {
    let packed = record.bytes("packed")?;
    let parsed = Share::parse(&packed, params).map_err(|e| format!("parsing: {e}"))?;
    same_bytes("serialised again", &packed, &parsed.to_bytes())?;
    let share = CheckedShare::check(parsed, params).map_err(|e| format!("checking: {e}"))?;
    header(record, &share)?;
    share_data(record.at("share_info")?.at("share_data")?, &share)?;
    share_info(record.at("share_info")?, &share.share().info)?;
    proofs(record, &share, params)?;
    derived(record, &share, params)?;
    Ok(share)
}

fn header(record: &Value, share: &CheckedShare) -> Result<(), String> {
    let expected = record.at("header")?;
    let header = &share.share().header;
    let previous = expected.share_hash("previous_block")?;
    same("type", &record.whole("type")?, &share.share().version.number())?;
    same("header version", &expected.whole("version")?, &header.version)?;
    same_bytes(
        "previous block",
        &previous.map_or([0; 32], |hash| hash.to_internal()),
        &header.previous_block,
    )?;
    same("header time", &expected.whole_32("timestamp")?, &header.timestamp)?;
    same("header bits", &expected.compact("bits")?, &header.bits)?;
    same("header nonce", &expected.whole_32("nonce")?, &header.nonce)?;
    let info = &share.share().info;
    let branch = match &info.segwit {
        Some(segwit) => &segwit.txid_branch,
        None => &share.share().merkle_branch,
    };
    let root = merkle_link::fold(*share.txid(), branch);
    same_bytes("merkle root", &expected.hash("merkle_root")?, &root)?;
    let bytes = header.to_bytes(root).ok_or("the header version is too large")?;
    same_bytes("header", &record.bytes("header_hex")?, &bytes)?;
    same_bytes("hash", &record.hash("hash")?, &share.hash().to_internal())?;
    same_bytes("proof of work", &record.hash("pow_hash")?, &share.hash().to_internal())
}

fn share_data(expected: &Value, share: &CheckedShare) -> Result<(), String> {
    let data = &share.share().info.data;
    let previous = expected.share_hash("previous_share_hash")?;
    same("previous share", &previous, &data.previous_share)?;
    same_bytes("coinbase", &expected.bytes("coinbase")?, &data.coinbase)?;
    same("nonce", &expected.whole_32("nonce")?, &data.nonce)?;
    match &data.payee {
        Payee::Address(text) => same_bytes("address", expected.text("address")?.as_bytes(), text)?,
        Payee::PubkeyHash(hash) => {
            let mut number = *hash;
            number.reverse();
            same_bytes("pubkey hash", &expected.bytes("pubkey_hash")?, &number)?;
        }
    }
    same("subsidy", &expected.whole("subsidy")?, &data.subsidy_sats)?;
    same("donation", &expected.whole("donation")?, &u64::from(data.donation))?;
    let stale = encodings::stale(expected.at("stale_info")?)?;
    same("stale info", &stale, &data.stale_info)?;
    same("desired version", &expected.whole("desired_version")?, &data.desired_version)
}

fn share_info(expected: &Value, info: &ShareInfo) -> Result<(), String> {
    let segwit = match expected.maybe("segwit_data") {
        None => None,
        Some(segwit) => Some(SegwitData {
            txid_branch: segwit.hashes("txid_merkle_link_branch")?,
            wtxid_root: segwit.hash("wtxid_merkle_root")?,
        }),
    };
    same("witness data", &segwit, &info.segwit)?;
    same("transaction references", &tx_refs(expected)?, &info.tx_refs)?;
    same("far share", &expected.share_hash("far_share_hash")?, &info.far_share)?;
    same("max bits", &expected.compact("max_bits")?, &info.max_bits)?;
    same("bits", &expected.compact("bits")?, &info.bits)?;
    same("timestamp", &expected.whole_32("timestamp")?, &info.timestamp)?;
    same("absheight", &expected.whole_32("absheight")?, &info.abs_height)?;
    let work = expected.text("abswork")?.parse::<u128>().map_err(|e| format!("abswork: {e}"))?;
    same("abswork", &work, &info.abs_work)
}

fn tx_refs(expected: &Value) -> Result<Option<TxRefs>, String> {
    if expected.maybe("new_transaction_hashes").is_none() {
        return Ok(None);
    }
    let numbers = expected.list("transaction_hash_refs")?;
    let refs = numbers.chunks(2).map(|pair| match pair {
        [generations, index] => Ok((whole(generations)?, whole(index)?)),
        _ => Err("half a reference".to_owned()),
    });
    let refs = refs.collect::<Result<_, String>>()?;
    Ok(Some(TxRefs { new_hashes: expected.hashes("new_transaction_hashes")?, refs }))
}

/// The fields that lead from the share's data to its hash.
fn proofs(record: &Value, share: &CheckedShare, params: &Params) -> Result<(), String> {
    let fields = share.share();
    let branch = record.hashes("ref_merkle_link_branch")?;
    same("ref merkle branch", &branch, &fields.ref_merkle_branch)?;
    same("last nonce", &record.whole("last_txout_nonce")?, &fields.last_txout_nonce)?;
    let link = record.at("hash_link")?;
    let state = link.bytes("state")?.try_into().map_err(|_| "the state is not 32 bytes long")?;
    let link = HashLink { state, length: link.whole("length")? };
    same("hash link", &link, &fields.hash_link)?;
    same("merkle branch", &record.hashes("merkle_link_branch")?, &fields.merkle_branch)?;
    let ref_hash = generation::ref_hash(params, fields.version, &fields.info, &branch);
    same_bytes("ref hash", &record.bytes("ref_hash")?, &ref_hash)?;
    same_bytes("txid", &record.hash("gentx_txid")?, share.txid())
}

/// What a share's fields mean.
fn derived(record: &Value, share: &CheckedShare, params: &Params) -> Result<(), String> {
    let fields = share.share();
    same("target", &record.target("target")?, &share.target())?;
    let easiest = fields.info.max_bits.target();
    same("max target", &Some(record.target("max_target")?), &easiest)?;
    same_bytes("payee", record.text("address")?.as_bytes(), share.payee())?;
    let decoded = address::decode(share.payee(), &params.addresses).map_err(|e| e.to_string())?;
    let script = address::script(&decoded, fields.version.pads_programs());
    same("script", &Ok(record.bytes("new_script")?), &script)?;
    if record.maybe("is_block_solution").is_some() {
        same("is a block", &record.truth("is_block_solution")?, &share.claims_block())?;
    }
    Ok(())
}

/// Hashes of a block's transactions, as links and witness data are made of them.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    /// Without witness.
    pub(crate) txids: Vec<Hash32>,
    /// With witness.
    pub(crate) wtxids: Vec<Hash32>,
}

/// The witness data and the merkle branch that a share carries for these transactions.
pub(crate) fn transactions(share: &CheckedShare, hashes: &Hashes) -> Result<(), String> {
    let branch = merkle_link::branch_of_first(&hashes.wtxids);
    same("branch of the transactions", &branch, &share.share().merkle_branch)?;
    let Some(segwit) = &share.share().info.segwit else { return Ok(()) };
    let branch = merkle_link::branch_of_first(&hashes.txids);
    same("branch of txids", &branch, &segwit.txid_branch)?;
    let leaves: Vec<Hash32> = core::iter::once([0; 32]).chain(hashes.wtxids.clone()).collect();
    same_bytes("root of witness ids", &merkle_link::root(&leaves), &segwit.wtxid_root)
}
