//! Graphs: their form, and what they show of the time in which the best share stayed the same.

use std::collections::BTreeMap;

use p2pool_sharechain::{Attempts, compact};
use serde_json::Value;

use super::{Node, double, double_at, figures};
use crate::cases::same;
use crate::read::Read;

/// Views with the seconds that they show and the number of their bins.
const VIEWS: [(&str, f64, usize); 5] = [
    ("last_hour", 3600.0, 150),
    ("last_day", 86_400.0, 300),
    ("last_week", 604_800.0, 300),
    ("last_month", 2_592_000.0, 300),
    ("last_year", 31_557_600.0, 300),
];
/// What an average of equal samples may be off.
const ROUNDING: f64 = 1e-12;

/// Sources of one value.
const SINGLE: [&str; 5] = [
    "local_hash_rate",
    "local_dead_hash_rate",
    "current_payout",
    "getwork_latency",
    "memory_usage",
];
/// Sources of a value per key.
const MULTI: [&str; 8] = [
    "local_share_hash_rates",
    "pool_rates",
    "miner_hash_rates",
    "miner_dead_hash_rates",
    "desired_version_rates",
    "traffic_rate",
    "current_payouts",
    "peers",
];
/// Sources whose default is "nothing known", not zero.
const UNKNOWN_BY_DEFAULT: [&str; 5] =
    ["current_payout", "getwork_latency", "memory_usage", "current_payouts", "peers"];

/// Checks the form of a graph.
pub(super) fn form(source: &str, view: &str, page: &Value) -> Result<(), String> {
    let view = VIEWS.iter().find(|(name, ..)| *name == view).ok_or("not a view")?;
    let width = view.1 / f64::from(u32::try_from(view.2).map_err(|e| e.to_string())?);
    let bins = page.as_array().ok_or("not a list")?;
    same("bins", &view.2, &bins.len())?;
    let mut end: Option<f64> = None;
    for bin in bins {
        let [centre, value, seconds, default] = bin.as_array().map_or(&[][..], Vec::as_slice)
        else {
            return Err("a bin has not four members".to_owned());
        };
        let (centre, seconds) = (double(centre)?, double(seconds)?);
        match end {
            // The newest is still being filled.
            None => same("is no wider than the others", &true, &(seconds <= width))?,
            Some(end) => {
                same("width", &width, &seconds)?;
                let off = (centre + seconds / 2.0 - end).abs();
                same("ends where the next begins", &true, &(off < 0.001))?;
            }
        }
        end = Some(centre - seconds / 2.0);
        let is_unknown = UNKNOWN_BY_DEFAULT.contains(&source);
        same("default", &is_unknown, &default.is_null())?;
        members(source, value)?;
    }
    Ok(())
}

/// A number or nothing, or an object of numbers or nothing.
fn members(source: &str, value: &Value) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    if SINGLE.contains(&source) {
        return double(value).map(drop);
    }
    same("is a source", &true, &MULTI.contains(&source))?;
    let members = value.as_object().ok_or("not an object")?;
    let keys: Option<&[&str]> = match source {
        "local_share_hash_rates" => Some(&["good", "dead", "orphan", "null"]),
        "pool_rates" => Some(&["good", "orphan", "doa", "null"]),
        "peers" => Some(&["incoming", "outgoing"]),
        "traffic_rate" => Some(&["p2p/in", "p2p/out"]),
        _ => None,
    };
    for (key, value) in members {
        let is_known = keys.is_none_or(|keys| keys.contains(&key.as_str()));
        same("is a key", &true, &is_known)?;
        double(value)?;
    }
    Ok(())
}

/// Values of the bins that begin after the best share was first seen, and are not empty.
fn quiet<'a>(node: &Node<'_>, page: &'a Value) -> Result<Vec<&'a Value>, String> {
    let best = node.best.ok_or("no best share")?;
    let seen = node.page(&format!("/web/share/{best}"))?.at("local")?;
    let seen = double_at(seen, "time_first_seen")?;
    let mut values = Vec::new();
    for bin in page.as_array().ok_or("not a list")? {
        let begin = double(&bin[0])? - double(&bin[2])? / 2.0;
        if begin > seen && !bin[1].is_null() {
            values.push(&bin[1]);
        }
    }
    Ok(values)
}

fn near(value: &Value, expected: &BTreeMap<String, f64>) -> Result<(), String> {
    for (key, expected) in expected {
        let recorded = double_at(value, key)?;
        let off = (recorded - expected).abs() / expected;
        same(&format!("{key} is {expected}"), &true, &(off < ROUNDING))?;
    }
    // Beside them only the number of samples, as "null".
    same("keys", &(expected.len() + 1), &value.as_object().map_or(0, |members| members.len()))
}

pub(super) fn pool_rates(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let expected = figures::rates(node, node.recent)?;
    quiet(node, page)?.into_iter().try_for_each(|value| near(value, &expected))
}

/// The pool's rate, lost shares included, parted by the votes of the last hour.
pub(super) fn desired_versions(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let rate: f64 = figures::rates(node, node.recent)?.values().sum();
    let votes = node.tracker.votes(node.best, node.recent);
    let all = votes.values().fold(Attempts::ZERO, |sum, work| sum + *work);
    let part = |work: &Attempts| rate * compact::ratio(*work, all);
    let expected = votes.iter().map(|(version, work)| (version.to_string(), part(work))).collect();
    quiet(node, page)?.into_iter().try_for_each(|value| near(value, &expected))
}

/// Takes a graph's path apart: source and view.
pub(super) fn named(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/web/graph_data/")?.split_once('/')
}
