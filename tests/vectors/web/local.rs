//! Figures about the node itself, as far as they follow from its shares.

use std::collections::BTreeSet;

use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::stats::OwnShares;
use p2pool_sharechain::{Attempts, ShareHash, compact, stats as figures};
use serde_json::Value;

use super::{Node, double_at};
use crate::cases::same;
use crate::read::{Read, text, whole};
use crate::targets::same_double;

pub(super) fn stats(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let own: BTreeSet<ShareHash> = node.own()?.into_iter().collect();
    since_start(node, &own, page)?;
    last_hour(node, &own, page)?;
    rates(node, &own, page)?;
    donation(node, &own, page)?;

    let best = node.best.and_then(|hash| node.tracker.get(hash)).ok_or("no best share")?;
    let attempts = best.share().info.max_bits.attempts();
    same("attempts to find a share", &page.attempts("attempts_to_share")?, &attempts)?;
    same("version", &node.page("/web/version")?, &page.at("version")?)?;
    same("fee", &node.page("/fee")?, &page.at("fee")?)?;
    warnings(node, page)
}

/// What became of the node's own shares. Which of the lost ones were late when they were made is
/// not recorded, only how many.
fn since_start(node: &Node<'_>, own: &BTreeSet<ShareHash>, page: &Value) -> Result<(), String> {
    let mut shares = OwnShares::default();
    own.iter().for_each(|hash| shares.add(*hash, false, StaleInfo::NONE));
    // Own shares that the node has forgotten since stay counted.
    shares.set_best(&node.history.tracker, node.best);
    let losses = shares.losses();
    let recorded = page.at("shares")?;
    same("shares made", &recorded.whole("total")?, &losses.made)?;
    let lost = recorded.whole("orphan")? + recorded.whole("dead")?;
    same("shares lost", &lost, &losses.orphans)?;

    let total = double_at(recorded, "total")?;
    let pool = 1.0 - figures::stale_proportion(&node.tracker, node.best, node.recent);
    let efficiency = |lost: f64| (1.0 - lost / total) / pool;
    let orphans = double_at(recorded, "orphan")?;
    let dead = double_at(recorded, "dead")?;
    same_double("efficiency", double_at(page, "efficiency")?, efficiency(orphans + dead))?;
    let perfect = double_at(page, "efficiency_if_miner_perfect")?;
    same_double("efficiency of a perfect miner", perfect, efficiency(orphans))
}

/// Own shares of the last hour, and the losses that they announce.
fn last_hour(node: &Node<'_>, own: &BTreeSet<ShareHash>, page: &Value) -> Result<(), String> {
    let (mut shares, mut orphans, mut dead) = (0_u32, 0_u32, 0_u32);
    for known in node.tracker.chain(node.best).take(node.recent as usize) {
        if own.contains(&known.share.hash()) {
            let announced = known.share.share().info.data.stale_info;
            shares += 1;
            orphans += u32::from(announced == StaleInfo::ORPHAN);
            dead += u32::from(announced == StaleInfo::DEAD_ON_ARRIVAL);
        }
    }
    let stale = orphans + dead;
    let counts = page.at("my_share_counts_in_last_hour")?;
    for (key, count) in [
        ("unstale_shares", shares),
        ("orphan_stale_shares", orphans),
        ("doa_stale_shares", dead),
        ("stale_shares", stale),
        ("shares", shares + stale),
    ] {
        same(key, &counts.whole_32(key)?, &count)?;
    }
    let parts = page.at("my_stale_proportions_in_last_hour")?;
    for (key, count) in [("stale", stale), ("orphan_stale", orphans), ("dead_stale", dead)] {
        let part = f64::from(count) / f64::from(shares + stale);
        same_double(key, double_at(parts, key)?, part)?;
    }
    Ok(())
}

/// The node's part of the pool's rate, and what it must have been with all lost shares.
fn rates(node: &Node<'_>, own: &BTreeSet<ShareHash>, page: &Value) -> Result<(), String> {
    let (tracker, best, shares) = (&node.tracker, node.best, node.recent);
    let rate = page.at("my_hash_rates_in_last_hour")?;
    let chain = tracker.chain(best).take(shares.saturating_sub(1) as usize);
    let made = chain.filter(|known| own.contains(&known.share.hash()));
    let work =
        made.fold(Attempts::ZERO, |sum, known| sum + compact::attempts(known.share.target()));
    let seconds = figures::seconds(tracker, best, shares).ok_or("no rate")?;
    let nonstale = compact::ratio(work, Attempts::from(seconds));
    same_double("rate without stales", double_at(rate, "nonstale")?, nonstale)?;
    let pool = figures::stale_proportion(tracker, best, shares);
    same_double("rewarded rate", double_at(rate, "rewarded")?, nonstale / (1.0 - pool))?;
    let lost = double_at(page.at("my_stale_proportions_in_last_hour")?, "stale")?;
    same_double("actual rate", double_at(rate, "actual")?, nonstale / (1.0 - lost))
}

/// Each own share gives the part that the node gives, up to rounding by chance.
fn donation(node: &Node<'_>, own: &BTreeSet<ShareHash>, page: &Value) -> Result<(), String> {
    let wanted = double_at(page, "donation_proportion")? * 65_535.0;
    let known = own.iter().filter_map(|hash| node.history.tracker.get(*hash));
    for share in known {
        let given = f64::from(share.share().info.data.donation);
        same("gives its part", &true, &(given == wanted.floor() || given == wanted.ceil()))?;
    }
    Ok(())
}

/// The recorded node knows all types that were voted for, so that it only passes on what its
/// Bitcoin node warns of.
fn warnings(node: &Node<'_>, page: &Value) -> Result<(), String> {
    for warning in page.list("warnings")? {
        let is_passed_on = text(warning)?.starts_with("(from bitcoind)");
        same("is from the Bitcoin node", &true, &is_passed_on)?;
    }
    let vote = figures::leading_vote(&node.tracker, node.best).ok_or("no votes")?;
    same("an unknown type wins", &false, &vote.is_unsupported_majority())
}

/// As many as were counted; those in the best chain are known.
pub(super) fn own_shares(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let own = node.own()?;
    let distinct: BTreeSet<&ShareHash> = own.iter().collect();
    same("distinct", &own.len(), &distinct.len())?;
    let counted = node.page("/local_stats")?.at("shares")?;
    same("number", &whole(counted.at("total")?)?, &(own.len() as u64))?;
    let known = own.iter().filter(|hash| node.history.tracker.get(**hash).is_some()).count() as u64;
    let lost = counted.whole("orphan")? + counted.whole("dead")?;
    same("those not lost are recorded", &true, &(known >= own.len() as u64 - lost))?;
    let first = node.page("/web/my_share_hashes50")?.as_array().ok_or("not a list")?;
    let all = page.as_array().ok_or("not a list")?;
    same("first fifty", first, &all[..all.len().min(50)].to_vec())
}
