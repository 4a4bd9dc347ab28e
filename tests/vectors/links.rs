//! Merkle trees and prefix-hash proofs.

use std::path::Path;

use p2pool_sharechain::Hash32;
use p2pool_sharechain::hash_link::{self, CONSTANT_ENDING, HashLinkEngine};
use p2pool_sharechain::params::WITNESS_RESERVED_VALUE;
use p2pool_sharechain::share::HashLink;
use p2pool_sharechain::{merkle_link, template};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::read::{Read, hash};

/// Checks `merkle`.
pub(crate) fn check_merkle(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    for (index, case) in doc.list("calculate_merkle_link")?.iter().enumerate() {
        cases.run(&format!("calculate_merkle_link {index}"), || calculated(case));
    }
    for (index, case) in doc.list("check_merkle_link")?.iter().enumerate() {
        cases.run(&format!("check_merkle_link {index}"), || {
            let expected = case.maybe("root").map(hash).transpose()?;
            let branch = case.hashes("branch")?;
            let at = case.whole("index")?;
            same("root", &expected, &merkle_link::fold_at(case.hash("tip")?, &branch, at))
        });
    }
    for (index, case) in doc.list("merkle_hash")?.iter().enumerate() {
        cases.run(&format!("merkle_hash {index}"), || {
            same("root", &case.hash("merkle_hash")?, &merkle_link::root(&case.hashes("hashes")?))
        });
    }
    for (index, case) in doc.list("witness_commitment")?.iter().enumerate() {
        cases.run(&format!("witness_commitment {index}"), || {
            let reserved = case.bytes("witness_reserved_value_bytes")?;
            same_bytes("reserved value", &reserved, &WITNESS_RESERVED_VALUE)?;
            let script = template::witness_commitment_script(&case.hash("wtxid_merkle_root")?);
            same_bytes("commitment", &case.hash("commitment_hash")?, &script[6..])?;
            same_bytes("script", &case.bytes("commitment_script")?, &script)
        });
    }
    Ok(())
}

/// A branch made from all leaves, one of which may not be known yet.
fn calculated(case: &Value) -> Result<(), String> {
    let leaves = case.list("hashes")?;
    let or_zero = |leaf: &Value| if leaf.is_null() { Ok([0; 32]) } else { hash(leaf) };
    let known: Vec<Hash32> = leaves.iter().map(or_zero).collect::<Result<_, _>>()?;
    let index = case.whole("index")?;
    let at = usize::try_from(index).map_err(|e| e.to_string())?;
    let branch = merkle_link::branch(&known, at);
    same("branch", &case.hashes("branch")?, &branch)?;
    let leaf = *known.get(at).ok_or("the index lies outside the list")?;
    let tip = if case.maybe("tip").is_some() { case.hash("tip")? } else { leaf };
    let root = merkle_link::fold_at(tip, &branch, index);
    same("root", &Some(case.hash("root_by_check")?), &root)?;
    if case.maybe("merkle_hash").is_some() {
        same("merkle hash", &case.hash("merkle_hash")?, &merkle_link::root(&known))?;
    }
    if at == 0 {
        same("branch of the first", &branch, &merkle_link::branch_of_first(&known[1..]))?;
        same("fold", &root, &Some(merkle_link::fold(tip, &branch)))?;
    }
    Ok(())
}

/// Checks `hash_link`.
pub(crate) fn check_hash_link(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    for (index, case) in doc.list("share_cases")?.iter().enumerate() {
        cases.run(&format!("share_cases {index}"), || {
            same_bytes("ending", &case.bytes("const_ending")?, &CONSTANT_ENDING)?;
            same_bytes("extra data", &[], &case.bytes("extra_data")?)?;
            let link = linked(case)?;
            let data: [u8; 44] =
                case.bytes("data")?.try_into().map_err(|_| "data is not 44 bytes long")?;
            same("result", &Some(case.hash("result")?), &hash_link::check(&link, &data))
        });
    }
    for (index, case) in doc.list("general_cases")?.iter().enumerate() {
        cases.run(&format!("general_cases {index}"), || {
            let link = linked(case)?;
            let (extra, ending) = (case.bytes("extra_data")?, case.bytes("const_ending")?);
            let engine = HashLinkEngine::resume(&link, &extra, &ending).ok_or("refused")?;
            same_bytes("result", &case.hash("result")?, &engine.finish_double(&case.bytes("data")?))
        });
    }
    Ok(())
}

/// The link to a case's prefix, equal to that recorded.
fn linked(case: &Value) -> Result<HashLink, String> {
    let reached = HashLinkEngine::new(&case.bytes("prefix")?).midstate();
    same_bytes("state", &case.bytes("state")?, &reached.state)?;
    same("length", &case.whole("length")?, &reached.length)?;
    Ok(HashLink { state: reached.state, length: reached.length })
}
