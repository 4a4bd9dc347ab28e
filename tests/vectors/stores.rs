//! Share stores of running nodes of the reference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CheckedShare, Params, ShareHash, Tracker};
use serde_json::Value;

use crate::cases::{Cases, hex, same, same_bytes};
use crate::chains::add;
use crate::read::{Read, bytes, text};
use crate::{computation, networks, record};

/// Checks a `live/*_share_store*`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let params = Arc::new(networks::of_file(doc)?);
    let entries = doc.list("shares")?;
    cases.run("counts", || counts(doc, entries));
    for (index, line) in doc.list("first_lines")?.iter().enumerate() {
        cases.run(&format!("line {index}"), || store_line(text(line)?, &params));
    }
    let mut tracker = Tracker::new(Arc::clone(&params), 1);
    for (index, entry) in entries.iter().enumerate() {
        let name = format!("share {index} ({})", entry.text("hash").unwrap_or("?"));
        cases.run(&name, || {
            let share = add(record::check(entry, &params)?, &mut tracker)?;
            in_chain(entry, &share, &mut tracker)
        });
    }
    Ok(())
}

/// Runs the contextual checks of a share whose history is in the store.
fn in_chain(entry: &Value, share: &CheckedShare, tracker: &mut Tracker) -> Result<(), String> {
    let hash = share.hash();
    if tracker.can_judge(hash) {
        // The store was written at some later time: no timestamp in it lay ahead.
        let now = UnixTime(u64::from(share.share().info.timestamp));
        tracker.verify(hash, now).map_err(|e| format!("verifying: {e}"))?;
    }
    if entry.maybe("gentx_nonwitness_hex").is_none() {
        return Ok(());
    }
    same("enough history is in the store", &true, &tracker.can_judge(hash))?;
    if entry.maybe("pool_attempts_per_second").is_some() {
        computation::rate_above(entry, share, tracker)?;
    }
    computation::weights(entry.at("weights")?, share, tracker)?;
    computation::generation(entry, share, tracker)
}

fn counts(doc: &Value, entries: &[Value]) -> Result<(), String> {
    same("shares", &doc.whole("share_count")?, &(entries.len() as u64))?;
    // Every share was found valid later on; the node itself had not checked the oldest.
    let verified = doc.whole("verified_count")?;
    same("lines", &doc.whole("lines")?, &(entries.len() as u64 + verified))?;
    let parents: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| {
            let data = entry.at("share_info")?.at("share_data")?;
            Ok((entry.share_hash("hash")?, data.share_hash("previous_share_hash")?))
        })
        .collect::<Result<_, String>>()?;
    let mut at = doc.share_hash("best")?;
    let mut chain = BTreeSet::new();
    while let Some(parent) = parents.get(&at) {
        chain.insert(at);
        at = *parent;
    }
    for entry in entries {
        same("is valid", &true, &entry.truth("verified_by_reference")?)?;
        let is_in_chain = chain.contains(&entry.share_hash("hash")?);
        same("in the best chain", &entry.truth("in_best_chain")?, &is_in_chain)?;
    }
    Ok(())
}

/// One line of the file: a share as we write it, or the name of a verified one.
fn store_line(line: &str, params: &Params) -> Result<(), String> {
    match line.split_once(' ') {
        Some(("5", digits)) => {
            let share = CheckedShare::parse(&bytes(digits)?, params).map_err(|e| e.to_string())?;
            same("line", &digits, &hex(&share.share().to_bytes()).as_str())
        }
        Some(("2", digits)) => {
            let hash: ShareHash = format!("{digits:0>64}").parse().map_err(|_| "not a hash")?;
            same_bytes(
                "line",
                digits.as_bytes(),
                hash.to_string().trim_start_matches('0').as_bytes(),
            )
        }
        _ => Err(format!("{line} is not a line of a share store")),
    }
}
