//! The payout window as a clock: how many shares fill it, how fast they come.

use p2pool_node::{ChainSummary, WindowShare};
use p2pool_sharechain::Params;

use super::count;

/// Shares below which the pace is taken from the rules, not from the shares.
const PACE_SHARES_MIN: usize = 10;

/// Pace and size of the payout window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// Shares in it now.
    pub(crate) shares: u32,
    /// Shares that fill it.
    pub(crate) shares_max: u32,
    /// Time between shares.
    pub(crate) share_secs: f64,
}

impl Window {
    pub(crate) fn new(summary: &ChainSummary, params: &Params) -> Self {
        Self {
            shares: count(summary.window.len()),
            shares_max: shares_max(summary, params),
            share_secs: share_secs(&summary.window, params),
        }
    }

    /// Whether an old share leaves with each new one.
    pub(crate) fn is_full(&self) -> bool {
        self.shares > 0 && self.shares >= self.shares_max
    }

    /// Time that it spans once it is full.
    pub(crate) fn span_secs(&self) -> f64 {
        f64::from(self.shares_max) * self.share_secs
    }

    /// Time until the last of my shares leaves, should no other come; `None` without any.
    pub(crate) fn leaves_secs(&self, window: &[WindowShare]) -> Option<f64> {
        let newest = window.iter().position(|share| share.is_own)?;
        let left = self.shares_max.saturating_sub(count(newest));
        Some(f64::from(left) * self.share_secs)
    }
}

/// A window is cut at a number of shares and at an amount of work, whichever comes first.
fn shares_max(summary: &ChainSummary, params: &Params) -> u32 {
    let shares = count(summary.window.len());
    if summary.height > shares && shares > 0 {
        return shares;
    }
    let blocks = summary.network_difficulty * f64::from(params.spread);
    let by_work = (blocks / summary.share_difficulty).ceil();
    let by_work = if by_work.is_finite() && by_work >= 1.0 {
        // Saturates; a window of more shares is cut by their number.
        by_work as u32
    } else {
        u32::MAX
    };
    by_work.min(params.real_chain_length).max(shares)
}

fn share_secs(window: &[WindowShare], params: &Params) -> f64 {
    let aim = f64::from(params.share_period);
    let (Some(newest), Some(oldest)) = (window.first(), window.last()) else { return aim };
    if window.len() < PACE_SHARES_MIN {
        return aim;
    }
    let secs = newest.timestamp.saturating_sub(oldest.timestamp).max(1);
    f64::from(secs) / (window.len() - 1) as f64
}
