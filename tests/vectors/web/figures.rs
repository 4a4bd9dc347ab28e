//! Figures about the pool.

use std::collections::BTreeMap;

use bitcoin::Script;
use p2pool_sharechain::generation::expected_payouts;
use p2pool_sharechain::{Attempts, compact, stats};
use serde_json::Value;

use super::{Node, double, double_at, sats};
use crate::blocks::height_of;
use crate::cases::{same, same_bytes};
use crate::read::Read;
use crate::targets::same_double;

/// A difficulty of 1 in hashes.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

pub(super) fn rate(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let rate = stats::pool_rate(&node.tracker, node.best, stats::RATE_SHARES).ok_or("no rate")?;
    same_double("rate", double(page)?, rate)
}

pub(super) fn difficulty(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    same_double("difficulty", double(page)?, easiest(node)?)
}

/// Difficulty that the best share had to meet at least.
fn easiest(node: &Node<'_>) -> Result<f64, String> {
    let best = node.best.and_then(|hash| node.tracker.get(hash)).ok_or("no best share")?;
    Ok(compact::difficulty(best.share().info.max_bits.target_saturating()))
}

/// An object of doubles.
fn doubles(page: &Value) -> Result<BTreeMap<&str, f64>, String> {
    let members = page.as_object().ok_or("not an object")?.iter();
    members.map(|(key, value)| Ok((key.as_str(), double(value)?))).collect()
}

/// Compares an object of doubles, key by key.
fn same_doubles(expected: &Value, actual: &BTreeMap<String, f64>) -> Result<(), String> {
    let expected = doubles(expected)?;
    let keys: Vec<&str> = expected.keys().copied().collect();
    same("keys", &keys, &actual.keys().map(String::as_str).collect())?;
    for (key, expected) in expected {
        same_double(key, expected, actual[key])?;
    }
    Ok(())
}

fn key(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

pub(super) fn users(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let users = stats::users(&mut node.tracker, node.best);
    let users = users.iter().map(|(payee, part)| (key(payee.text()), *part)).collect();
    same_doubles(page, &users)
}

/// The recorded page counts no announcements in shares of types below 34. Those are not made any
/// more, and there is no chain of both kinds to tell how it mixes them.
pub(super) fn user_stales(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let mut users = stats::stale_by_user(&node.tracker, node.best, node.height);
    let mut chain = node.tracker.chain(node.best);
    if chain.all(|known| !known.share.share().version.pays_addresses()) {
        users.values_mut().for_each(|user| user.stale = 0);
    }
    let part = |user: &stats::UserStale| f64::from(user.stale) / f64::from(user.total);
    let users = users.iter().map(|(payee, user)| (key(payee), part(user))).collect();
    same_doubles(page, &users)
}

pub(super) fn current_payouts(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let mut expected = BTreeMap::new();
    for (payee, amount) in page.as_object().ok_or("not an object")? {
        expected.insert(payee.clone().into_bytes(), sats(amount)?);
    }
    // The value of the block being worked on; what the pages read before and after this one say
    // of it may differ by the fees of a moment.
    let value: u64 = expected.values().sum();
    let window = node.tracker.expected_window(node.best, node.bits);
    let mut payouts: BTreeMap<Vec<u8>, u64> =
        expected_payouts(&window, value).into_iter().collect();
    let rest = value - payouts.values().sum::<u64>();
    *payouts.entry(node.tracker.params().donation_key().to_vec()).or_default() += rest;
    same("payouts", &expected, &payouts)
}

pub(super) fn global_stats(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let (tracker, best, shares) = (&node.tracker, node.best, node.recent);
    let stale = stats::stale_proportion(tracker, best, shares);
    same_double("stale part", double_at(page, "pool_stale_prop")?, stale)?;
    let rate = stats::attempts_per_second(tracker, best, shares).ok_or("no rate")?;
    same_double("rate without stales", double_at(page, "pool_nonstale_hash_rate")?, rate)?;
    let rate = stats::pool_rate(tracker, best, shares).ok_or("no rate")?;
    same_double("rate", double_at(page, "pool_hash_rate")?, rate)?;
    same_double("least difficulty", double_at(page, "min_difficulty")?, easiest(node)?)?;
    let difficulty = compact::difficulty(node.bits.target_saturating());
    same_double("difficulty", double_at(page, "network_block_difficulty")?, difficulty)?;
    let period = f64::from(tracker.params().block_period);
    let rate = (difficulty * HASHES_PER_DIFFICULTY / period).floor();
    same_double("network's rate", double_at(page, "network_hashrate")?, rate)
}

pub(super) fn stale_rates(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let shares = node.height.min(stats::RATE_SHARES);
    let rates = rates(node, shares)?;
    same_doubles(page, &rates)
}

/// Work per second by what shares announce, over so many of them; kinds without work left out.
pub(super) fn rates(node: &Node<'_>, shares: u32) -> Result<BTreeMap<String, f64>, String> {
    let counts = stats::stale_counts(&node.tracker, node.best, shares);
    let seconds = stats::seconds(&node.tracker, node.best, shares).ok_or("no rate")?;
    let kinds = [("good", counts.good), ("orphan", counts.orphan), ("doa", counts.dead_on_arrival)];
    let kinds = kinds.into_iter().filter(|(_, work)| !work.is_zero());
    let rate = |work| compact::ratio(work, Attempts::from(seconds));
    Ok(kinds.map(|(kind, work)| (kind.to_owned(), rate(work))).collect())
}

pub(super) fn recent_blocks(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let shares = node.height.min(node.tracker.params().chain_length);
    let chain = node.tracker.chain(node.best).take(shares as usize);
    let blocks: Vec<_> = chain.filter(|known| known.share.claims_block()).collect();
    let expected = page.as_array().ok_or("not a list")?;
    same("blocks", &expected.len(), &blocks.len())?;
    for (expected, known) in expected.iter().zip(blocks) {
        let share = &known.share;
        same_bytes("share", &expected.hash("share")?, &share.hash().to_internal())?;
        same_bytes("hash", &expected.hash("hash")?, &share.hash().to_internal())?;
        let info = &share.share().info;
        same("time", &expected.whole_32("ts")?, &info.timestamp)?;
        let height = height_of(Script::from_bytes(&info.data.coinbase))?;
        same("height", &expected.whole_32("number")?, &height)?;
    }
    Ok(())
}
