//! Mutated shares, accepted or refused at the stage and with the blame recorded.

use std::path::Path;
use std::sync::Arc;

use p2pool_sharechain::share::Share;
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::verify::{Blame, ContextError};
use p2pool_sharechain::{CheckedShare, Params, Tracker};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::chains::{add, judge};
use crate::read::Read;
use crate::{computation, networks, record};

/// Checks a file of `invalid`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let params = Arc::new(networks::of_file(doc)?);
    let mut tracker = Tracker::new(Arc::clone(&params), 1);
    let entries = doc.list("cases")?;
    let latest = entries.iter().filter_map(|case| case.whole("now").ok()).max();
    let latest = UnixTime(latest.ok_or("no case has a time")?);
    for (index, entry) in doc.list("context")?.iter().enumerate() {
        cases.run(&format!("context {index}"), || {
            let share = CheckedShare::parse(&entry.bytes("packed")?, &params);
            let share = share.map_err(|e| e.to_string())?;
            same_bytes("hash", &entry.hash("hash")?, &share.hash().to_internal())?;
            judge(share, latest, &mut tracker).map(drop)
        });
    }
    let valid = doc.at("valid_share")?;
    cases.run("the valid share", || {
        let share = judge(record::check(valid, &params)?, latest, &mut tracker)?;
        computation::generation(valid, &share, &mut tracker)?;
        // Many cases have the same hash: each must be judged as the first of its kind.
        tracker.remove(share.hash()).map_err(|e| e.to_string())
    });
    for (index, case) in entries.iter().enumerate() {
        // One mutation could not even be written down by the reference.
        if case.maybe("not_encodable").is_none() {
            let name = format!("case {index} ({})", case.text("description").unwrap_or("?"));
            cases.run(&name, || one(case, &params, &mut tracker));
        }
    }
    Ok(())
}

/// How far a share came.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Loaded(Blame),
    Checked,
    ParentUnknown,
}

fn one(case: &Value, params: &Params, tracker: &mut Tracker) -> Result<(), String> {
    let (outcome, reason) = outcome(case, params, tracker)?;
    same("outcome", &expected(case)?, &outcome).map_err(|e| format!("{e} {reason}"))
}

fn expected(case: &Value) -> Result<Outcome, String> {
    if case.truth("accepted")? {
        return Ok(Outcome::Accepted);
    }
    match case.text("stage")? {
        "load" => Ok(Outcome::Loaded(match case.at("error")?.text("class")? {
            "PeerMisbehavingError" => Blame::Sender,
            _ => Blame::Nobody,
        })),
        "check" => Ok(Outcome::Checked),
        stage if stage.starts_with("parent unknown") => Ok(Outcome::ParentUnknown),
        stage => Err(format!("{stage} is not a known stage")),
    }
}

/// What we make of the share, and why.
fn outcome(
    case: &Value,
    params: &Params,
    tracker: &mut Tracker,
) -> Result<(Outcome, String), String> {
    let packed = case.bytes("packed")?;
    let share = match CheckedShare::parse(&packed, params) {
        Ok(share) => share,
        Err(error) => return Ok((Outcome::Loaded(error.blame()), format!("({error})"))),
    };
    if case.maybe("hash").is_some() {
        same_bytes("hash", &case.hash("hash")?, &share.hash().to_internal())?;
        let parent = case.share_hash("previous_share_hash")?;
        same("parent", &parent, &share.share().parent())?;
    }
    // What was read leniently is written in full, and stays the same from then on.
    let again = Share::parse(&share.share().to_bytes(), params).map_err(|e| e.to_string())?;
    same("parsed again", share.share(), &again)?;
    let share = add(share, tracker)?;
    let verdict = tracker.verify(share.hash(), UnixTime(case.whole("now")?));
    tracker.remove(share.hash()).map_err(|e| e.to_string())?;
    Ok(match verdict {
        Ok(()) => (Outcome::Accepted, String::new()),
        Err(ContextError::NoHistory) => (Outcome::ParentUnknown, String::new()),
        Err(error) => (Outcome::Checked, format!("({error})")),
    })
}
