//! Rows of the node's log: what each says of the pool was so above some share of the chain.

use p2pool_sharechain::{ShareHash, stats};
use serde_json::Value;

use super::{Node, double_at};
use crate::cases::same;
use crate::read::Read;

pub(super) fn check(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    let first = node.history.tracker.chain(node.best).last();
    let is_whole = first.is_some_and(|first| first.share.share().parent().is_none());
    for row in page.as_array().ok_or("not a list")? {
        let lost = row.at("stale_shares_breakdown")?;
        let lost = lost.whole("orphan")? + lost.whole("doa")?;
        same("stale shares", &row.whole("stale_shares")?, &lost)?;
        if !is_whole {
            // The row may be older than what the files hold.
            continue;
        }
        let mut fits = node.history.all().map(|hash| above(node, hash, row));
        let is_found = fits.find(|fits| *fits != Ok(false)).transpose()?;
        same("was so at some time", &Some(true), &is_found)?;
    }
    Ok(())
}

/// Whether the row says what was so while this share was the best.
fn above(node: &Node<'_>, hash: ShareHash, row: &Value) -> Result<bool, String> {
    let tracker = &node.history.tracker;
    let best = Some(hash);
    let (height, _) = tracker.height_and_last(best);
    let shares = height.min(stats::recent_shares(tracker));
    let Some(rate) = stats::pool_rate(tracker, best, shares) else { return Ok(false) };
    let share = tracker.get(hash).ok_or("the share is not known")?;
    let easiest = share.share().info.max_bits.attempts();
    Ok(rate.to_bits() == double_at(row, "pool_hash_rate")?.to_bits()
        && stats::stale_proportion(tracker, best, shares).to_bits()
            == double_at(row, "pool_stale_prop")?.to_bits()
        && easiest == row.attempts("attempts_to_share")?)
}
