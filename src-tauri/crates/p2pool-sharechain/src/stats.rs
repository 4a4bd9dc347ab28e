//! Figures about the pool for people and for local policy: rates, stale shares, votes.
//!
//! Nothing here decides which shares are valid or best. Source: protocol notes,
//! chain-selection.md section 9.

mod own;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compact::{Attempts, CompactBits, ratio, two_256};
use crate::hash::ShareHash;
use crate::payout::PayeeKey;
use crate::share::StaleInfo;
use crate::tracker::{KnownShare, Tracker};
use crate::versions::ShareVersion;

pub use self::own::{Losses, OwnShares};

/// Shares over which the pool's rate and its users are shown.
pub const RATE_SHARES: u32 = 720;
/// Seconds of shares over which votes and the rate of the statistics page are counted.
pub const RECENT_SECONDS: u32 = 3600;

/// Work in shares that announce nothing or a lost share, each kind by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaleCounts {
    /// Work of all shares counted.
    pub good: Attempts,
    /// Work of those that announce a lost race.
    pub orphan: Attempts,
    /// Work of those that announce a late share.
    pub dead_on_arrival: Attempts,
    /// Work of those that announce something unknown.
    pub other: Attempts,
}

/// Shares of one payee, and how many losses they announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserStale {
    /// Announced losses.
    pub stale: u32,
    /// Shares, and announced losses once more.
    pub total: u32,
}

/// The share type that most work votes for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeadingVote {
    /// Number of the share type.
    pub version: u64,
    /// Its part of the work, 0 to 1.
    pub part: f64,
    /// Whether this program knows the type.
    pub is_supported: bool,
}

impl LeadingVote {
    /// Whether more than half of the work votes for a type that this program does not know.
    pub fn is_unsupported_majority(&self) -> bool {
        !self.is_supported && self.part > 0.5
    }
}

fn newest(
    tracker: &Tracker,
    from: Option<ShareHash>,
    shares: u32,
) -> impl Iterator<Item = &KnownShare> + '_ {
    tracker.chain(from).take(shares as usize)
}

fn stale_info(known: &KnownShare) -> StaleInfo {
    known.share.share().info.data.stale_info
}

fn timestamp(tracker: &Tracker, hash: Option<ShareHash>) -> Option<u32> {
    hash.and_then(|hash| tracker.get(hash)).map(|share| share.share().info.timestamp)
}

/// Shares as many as are made in [`RECENT_SECONDS`].
pub fn recent_shares(tracker: &Tracker) -> u32 {
    RECENT_SECONDS.checked_div(tracker.params().share_period).unwrap_or(RECENT_SECONDS)
}

/// Part of the shares that are lost, 0 to below 1, as `shares` shares from `from` down tell.
pub fn stale_proportion(tracker: &Tracker, from: Option<ShareHash>, shares: u32) -> f64 {
    let stale = newest(tracker, from, shares).filter(|known| stale_info(known).is_stale()).count();
    let stale = u32::try_from(stale).unwrap_or(u32::MAX);
    if stale == 0 { 0.0 } else { f64::from(stale) / (f64::from(shares) + f64::from(stale)) }
}

/// Work by announcement over `shares - 1` shares from `from` down.
pub fn stale_counts(tracker: &Tracker, from: Option<ShareHash>, shares: u32) -> StaleCounts {
    let mut counts = StaleCounts::default();
    for known in newest(tracker, from, shares.saturating_sub(1)) {
        let work = crate::compact::attempts(known.share.target());
        counts.good = counts.good.wrapping_add(work);
        let kind = match stale_info(known) {
            StaleInfo::NONE => continue,
            StaleInfo::ORPHAN => &mut counts.orphan,
            StaleInfo::DEAD_ON_ARRIVAL => &mut counts.dead_on_arrival,
            _ => &mut counts.other,
        };
        *kind = kind.wrapping_add(work);
    }
    counts
}

/// Seconds from the oldest to the newest of `shares` shares from `from` down, at least one;
/// `None` if the chain is shorter. Counts by it become rates.
pub fn seconds(tracker: &Tracker, from: Option<ShareHash>, shares: u32) -> Option<u32> {
    let far = tracker.nth_parent(from, shares.checked_sub(1)?);
    let seconds = timestamp(tracker, from)?.saturating_sub(timestamp(tracker, far)?);
    Some(seconds.max(1))
}

/// Work per second in `shares - 1` shares from `from` down, hashes per second, not counting
/// lost shares; `None` if the chain is shorter.
pub fn attempts_per_second(tracker: &Tracker, from: Option<ShareHash>, shares: u32) -> Option<f64> {
    let seconds = seconds(tracker, from, shares)?;
    let work = tracker.forest().sum_of(from, shares.saturating_sub(1)).work;
    Some(ratio(work, Attempts::from(seconds)))
}

/// The pool's hashes per second over the last `shares` shares (fewer if the chain is shorter),
/// lost ones included; `None` below two shares.
pub fn pool_rate(tracker: &Tracker, best: Option<ShareHash>, shares: u32) -> Option<f64> {
    let (height, _) = tracker.height_and_last(best);
    let shares = height.min(shares);
    if shares < 2 {
        return None;
    }
    let rate = attempts_per_second(tracker, best, shares)?;
    Some(rate / (1.0 - stale_proportion(tracker, best, shares)))
}

/// Seconds that a pool of this rate takes for a block on average; infinite without any rate.
pub fn expected_seconds_to_block(block_bits: CompactBits, hashes_per_second: f64) -> f64 {
    let target = block_bits.target_saturating();
    ratio(two_256(), Attempts::from(target)) / hashes_per_second
}

/// Announced losses by payee over `shares - 1` shares from `from` down.
pub fn stale_by_user(
    tracker: &Tracker,
    from: Option<ShareHash>,
    shares: u32,
) -> BTreeMap<Vec<u8>, UserStale> {
    let mut users: BTreeMap<Vec<u8>, UserStale> = BTreeMap::new();
    for known in newest(tracker, from, shares.saturating_sub(1)) {
        let user = users.entry(known.share.payee().to_vec()).or_default();
        let losses = u32::from(stale_info(known).is_stale());
        user.stale = user.stale.saturating_add(losses);
        user.total = user.total.saturating_add(1).saturating_add(losses);
    }
    users
}

/// Each payee's part of the pool's work over the last [`RATE_SHARES`] shares, 0 to 1.
///
/// The parts add up to less than one where payees donate.
pub fn users(tracker: &mut Tracker, best: Option<ShareHash>) -> Vec<(Arc<PayeeKey>, f64)> {
    let window = tracker.window_from(best, RATE_SHARES, two_256());
    let total = window.total;
    window.weights.into_iter().map(|(key, weight)| (key, ratio(weight, total))).collect()
}

/// The share type that most of the recent work votes for; `None` without shares.
pub fn leading_vote(tracker: &Tracker, best: Option<ShareHash>) -> Option<LeadingVote> {
    let shares = tracker.params().chain_length.min(recent_shares(tracker));
    let votes = tracker.votes(best, shares);
    let sum = votes.values().fold(Attempts::ZERO, |sum, vote| sum.wrapping_add(*vote));
    let (version, work) = votes.into_iter().max_by_key(|(_, work)| *work)?;
    let is_supported = ShareVersion::from_number(version).is_some();
    Some(LeadingVote { version, part: ratio(work, sum), is_supported })
}
