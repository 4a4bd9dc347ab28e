//! Whole chains, from the first share on: each share by itself, and in its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bitcoin::Transaction;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use p2pool_sharechain::template::TemplateTransaction;
use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{CheckedShare, Hash32, Tracker};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::read::{Read, bytes, hash};
use crate::{computation, networks, record, templates};

/// A file's transactions by their hash with witness.
pub(crate) type Transactions = BTreeMap<Hash32, TemplateTransaction>;

/// Checks a file of `chains`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let params = Arc::new(networks::of_file(doc)?);
    let now = UnixTime(doc.at("header")?.whole("now")?);
    let transactions = transactions(doc.at("transactions")?)?;
    let mut tracker = Tracker::new(Arc::clone(&params), 1);
    for (index, entry) in doc.list("shares")?.iter().enumerate() {
        let name = format!("share {index} ({})", entry.text("hash").unwrap_or("?"));
        cases.run(&name, || {
            let share = record::check(entry, &params)?;
            let included = included(entry, &transactions)?;
            record::transactions(&share, &hashes(&included))?;
            templates::check(entry, &share, included, &mut tracker)?;
            let share = judge(share, now, &mut tracker)?;
            computation::generation(entry, &share, &mut tracker)?;
            computation::check(entry.at("computation")?, &share, &mut tracker)?;
            after(entry, &share, &mut tracker)
        });
    }
    Ok(())
}

fn after(entry: &Value, share: &CheckedShare, tracker: &mut Tracker) -> Result<(), String> {
    if entry.maybe("after").is_some() {
        for expected in entry.list("after")? {
            computation::after(expected, share, tracker)?;
        }
    }
    match entry.maybe("after_stats") {
        Some(expected) => computation::after_stats(expected, share, tracker),
        None => Ok(()),
    }
}

/// Adds a share to the tracker and runs its contextual checks.
pub(crate) fn judge(
    share: CheckedShare,
    now: UnixTime,
    tracker: &mut Tracker,
) -> Result<Arc<CheckedShare>, String> {
    let share = add(share, tracker)?;
    tracker.verify(share.hash(), now).map_err(|e| format!("verifying: {e}"))?;
    Ok(share)
}

/// Adds a share to the tracker, which must not know it.
pub(crate) fn add(share: CheckedShare, tracker: &mut Tracker) -> Result<Arc<CheckedShare>, String> {
    let share = Arc::new(share);
    let known = KnownShare { share: Arc::clone(&share), seen: MonoTime::ZERO, sender: None };
    let is_new = tracker.insert(known).map_err(|e| format!("inserting: {e}"))?;
    same("is new", &true, &is_new)?;
    Ok(share)
}

fn transactions(doc: &Value) -> Result<Transactions, String> {
    let mut transactions = Transactions::new();
    for (key, entry) in doc.as_object().ok_or("transactions: not an object")? {
        let transaction = transaction(&bytes(entry.text("hex")?)?)?;
        same_bytes("witness id", &entry.hash("wtxid")?, &transaction.wtxid)?;
        same_bytes("txid", &entry.hash("txid")?, &transaction.txid)?;
        same_bytes("key", &hash(&Value::from(key.as_str()))?, &transaction.wtxid)?;
        transactions.insert(transaction.wtxid, transaction);
    }
    Ok(transactions)
}

/// A transaction as block templates hold it. Fee and costs play no part here.
fn transaction(data: &[u8]) -> Result<TemplateTransaction, String> {
    let parsed: Transaction = encode::deserialize(data).map_err(|e| e.to_string())?;
    Ok(TemplateTransaction {
        data: data.into(),
        txid: parsed.compute_txid().to_byte_array(),
        wtxid: parsed.compute_wtxid().to_byte_array(),
        fee_sats: 0,
        weight: 0,
        sigops: 0,
        depends: Vec::new(),
    })
}

/// The transactions of a share's block, in order.
fn included(
    entry: &Value,
    transactions: &Transactions,
) -> Result<Vec<TemplateTransaction>, String> {
    let hashes = entry.hashes("other_transaction_hashes")?;
    let find = |hash| transactions.get(hash).cloned().ok_or("a transaction is missing".to_owned());
    hashes.iter().map(find).collect()
}

fn hashes(included: &[TemplateTransaction]) -> record::Hashes {
    record::Hashes {
        txids: included.iter().map(|tx| tx.txid).collect(),
        wtxids: included.iter().map(|tx| tx.wtxid).collect(),
    }
}
