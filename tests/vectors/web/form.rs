//! Status, type and shape of each page.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;

use super::{double, double_at, find, graphs};
use crate::cases::same;
use crate::read::{Read, hash, text};

/// Members of the records that have names of their own.
const GLOBAL_STATS: [&str; 6] = [
    "pool_nonstale_hash_rate",
    "pool_hash_rate",
    "pool_stale_prop",
    "min_difficulty",
    "network_block_difficulty",
    "network_hashrate",
];
const LOCAL_STATS: [&str; 19] = [
    "my_hash_rates_in_last_hour",
    "my_share_counts_in_last_hour",
    "my_stale_proportions_in_last_hour",
    "miner_hash_rates",
    "miner_dead_hash_rates",
    "miner_last_difficulties",
    "efficiency_if_miner_perfect",
    "efficiency",
    "peers",
    "shares",
    "uptime",
    "attempts_to_share",
    "attempts_to_block",
    "block_value",
    "warnings",
    "donation_proportion",
    "version",
    "protocol_version",
    "fee",
];
const LOG: [&str; 13] = [
    "time",
    "pool_hash_rate",
    "pool_stale_prop",
    "local_hash_rates",
    "local_dead_hash_rates",
    "shares",
    "stale_shares",
    "stale_shares_breakdown",
    "current_payout",
    "peers",
    "attempts_to_share",
    "attempts_to_block",
    "block_value",
];
const CURRENCY_INFO: [&str; 4] = [
    "symbol",
    "block_explorer_url_prefix",
    "address_explorer_url_prefix",
    "tx_explorer_url_prefix",
];
/// Most hours of log, a row every five minutes.
const LOG_ROWS_MAX: usize = 24 * 12;

/// Checks a page of a node with these pages.
pub(super) fn check(page: &Value, pages: &[Value]) -> Result<(), String> {
    let path = page.text("path")?;
    let Some(contents) = page.get("json") else { return other(page, path) };
    served(page, "application/json", true)?;
    match path {
        "/rate" | "/difficulty" | "/fee" | "/uptime" => not_negative(contents),
        "/users" | "/user_stales" | "/stale_rates" | "/current_payouts" => numbers(contents),
        "/global_stats" => members(contents, &GLOBAL_STATS),
        "/local_stats" => local_stats(contents),
        "/peer_addresses" => addresses(contents, pages),
        "/peer_txpool_sizes" | "/pings" | "/peer_versions" => peers(path, contents, pages),
        "/payout_addr" | "/web/version" => text(contents).map(drop),
        "/payout_addrs" => each(contents, |entry| text(entry).map(drop)),
        "/recent_blocks" => each(contents, |row| members(row, &["ts", "hash", "number", "share"])),
        "/web/best_share_hash" => hash(contents).map(drop),
        "/web/heads"
        | "/web/verified_heads"
        | "/web/tails"
        | "/web/verified_tails"
        | "/web/my_share_hashes"
        | "/web/my_share_hashes50" => each(contents, |entry| hash(entry).map(drop)),
        "/web/log" => log(contents),
        "/web/currency_info" => members(contents, &CURRENCY_INFO),
        _ if path.starts_with("/web/payout_address/") => text(contents).map(drop),
        _ if path.starts_with("/web/share/") => share(contents, path),
        _ => match graphs::named(path) {
            Some((source, view)) => graphs::form(source, view, contents),
            None => Err("not a page that is known here".to_owned()),
        },
    }
}

/// Status 200, with this type, open to pages from elsewhere or not.
fn served(page: &Value, content_type: &str, is_open: bool) -> Result<(), String> {
    same("status", &200, &page.whole("status")?)?;
    same("type", &content_type, &page.text("content_type")?)?;
    let open = page.maybe("access_control_allow_origin").map(text).transpose()?;
    same("open to", &is_open.then_some("*"), &open)
}

/// Pages that are no JSON, and errors.
fn other(page: &Value, path: &str) -> Result<(), String> {
    let status = page.whole("status")?;
    match path {
        // The front page, and getwork without a request.
        "/" if status == 500 => same("type", &"application/json", &page.text("content_type")?),
        "/" => served(page, "text/html", false),
        "/patron_sendmany" => served(page, "text/plain", true),
        _ if path.starts_with("/patron_sendmany/") || path == "/web/share/zz" => {
            same("status", &500, &status)
        }
        "/nosuch" | "/web/nosuch" => same("status", &404, &status),
        _ if path.starts_with("/web/share_data/") => served(page, "application/octet-stream", true),
        _ => Err("not a page that is known here".to_owned()),
    }
}

fn not_negative(value: &Value) -> Result<(), String> {
    let number = double(value)?;
    same("is finite and not negative", &true, &(number.is_finite() && number >= 0.0))
}

fn numbers(contents: &Value) -> Result<(), String> {
    contents.as_object().ok_or("not an object")?.values().try_for_each(not_negative)
}

fn each(contents: &Value, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    contents.as_array().ok_or("not a list")?.iter().try_for_each(check)
}

/// Just these members.
fn members(contents: &Value, expected: &[&str]) -> Result<(), String> {
    let actual: BTreeSet<&str> =
        contents.as_object().ok_or("not an object")?.keys().map(String::as_str).collect();
    same("members", &expected.iter().copied().collect(), &actual)
}

fn local_stats(contents: &Value) -> Result<(), String> {
    members(contents, &LOCAL_STATS)?;
    for key in ["miner_hash_rates", "miner_dead_hash_rates", "miner_last_difficulties"] {
        numbers(contents.at(key)?).map_err(|e| format!("{key}: {e}"))?;
    }
    for key in ["uptime", "block_value", "donation_proportion", "fee", "protocol_version"] {
        not_negative(contents.at(key)?).map_err(|e| format!("{key}: {e}"))?;
    }
    members(contents.at("peers")?, &["incoming", "outgoing"])?;
    members(contents.at("shares")?, &["total", "orphan", "dead"])?;
    let rates = contents.at("my_hash_rates_in_last_hour")?;
    members(rates, &["note", "nonstale", "rewarded", "actual"])?;
    same("note", &"DEPRECATED", &rates.text("note")?)
}

fn log(contents: &Value) -> Result<(), String> {
    let rows = contents.as_array().ok_or("not a list")?;
    same("no more than a day", &true, &(rows.len() <= LOG_ROWS_MAX))?;
    for row in rows {
        members(row, &LOG)?;
        numbers(row.at("local_hash_rates")?)?;
        numbers(row.at("local_dead_hash_rates")?)?;
        not_negative(row.at("current_payout")?)?;
        not_negative(row.at("block_value")?)?;
        members(row.at("stale_shares_breakdown")?, &["orphan", "doa"])?;
        members(row.at("peers")?, &["incoming", "outgoing"])?;
    }
    let times: Vec<f64> =
        rows.iter().map(|row| double_at(row, "time")).collect::<Result<_, _>>()?;
    same("in order of time", &true, &times.is_sorted())
}

fn share(contents: &Value, path: &str) -> Result<(), String> {
    let is_none = path.trim_start_matches("/web/share/").bytes().all(|digit| digit == b'0');
    if is_none {
        return same("no share", &true, &contents.is_null());
    }
    members(
        contents,
        &["share_data", "parent", "far_parent", "children", "type_name", "local", "block"],
    )?;
    members(contents.at("local")?, &["verified", "time_first_seen", "peer_first_received_from"])?;
    members(contents.at("block")?, &["hash", "header", "gentx", "other_transaction_hashes"])
}

fn connected(pages: &[Value]) -> Result<u64, String> {
    let peers = find(pages, "/local_stats")?.at("json")?.at("peers")?;
    Ok(peers.whole("incoming")? + peers.whole("outgoing")?)
}

/// Addresses in one text, as many as there are peers.
fn addresses(contents: &Value, pages: &[Value]) -> Result<(), String> {
    let all: Vec<&str> = text(contents)?.split_whitespace().collect();
    same("peers", &connected(pages)?, &(all.len() as u64))?;
    all.into_iter().try_for_each(address)
}

fn address(text: &str) -> Result<(), String> {
    text.parse::<SocketAddr>().map(drop).map_err(|e| format!("{text}: {e}"))
}

/// Something of each peer, by its address.
fn peers(path: &str, contents: &Value, pages: &[Value]) -> Result<(), String> {
    let peers = contents.as_object().ok_or("not an object")?;
    same("peers", &connected(pages)?, &(peers.len() as u64))?;
    for (peer, value) in peers {
        address(peer)?;
        match (path, value) {
            ("/pings", Value::Null) => {}
            ("/peer_versions", version) => text(version).map(drop)?,
            _ => not_negative(value)?,
        }
    }
    Ok(())
}
