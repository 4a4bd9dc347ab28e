//! "Shares found but not paid": each share, its time in the window, the blocks found meanwhile.

use p2pool_sharechain::change::BlockStatus;

use crate::api::{UNPAID_SHARES_MAX, UnixSeconds, UnpaidShare, UnpaidShares};
use crate::views::{Sight, Window, count};

/// A share of mine, as the records have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnFound {
    /// Its hash, in display order.
    pub(crate) hash: String,
    /// When it was found.
    pub(crate) found_at: UnixSeconds,
    /// Whether it came late, or lost its race.
    pub(crate) is_late: bool,
}

/// My shares beside the blocks of their time; `own` is newest first.
pub(crate) fn unpaid(sight: &Sight<'_>, own: &[OwnFound]) -> UnpaidShares {
    let window_secs = Window::new(&sight.node.summary, sight.params).span_secs();
    let blocks = &sight.node.summary.blocks;
    let found: Vec<u64> = blocks
        .iter()
        .filter(|block| block.block.status != BlockStatus::Rejected)
        .map(|block| block.block.found_at.0)
        .collect();
    let shares = own.iter().take(UNPAID_SHARES_MAX).map(|share| {
        // Truncation is right: the time it leaves is an estimate of hours.
        let left_at = UnixSeconds(share.found_at.0.saturating_add(window_secs as u64));
        let time = share.found_at.0..=left_at.0;
        let blocks = found.iter().filter(|at| time.contains(at)).count();
        UnpaidShare {
            hash: share.hash.clone(),
            found_at: share.found_at,
            left_at: (!share.is_late).then_some(left_at),
            blocks: if share.is_late { 0 } else { count(blocks) },
        }
    });
    UnpaidShares { shares: shares.collect(), window_secs }
}
