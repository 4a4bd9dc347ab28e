//! The present hash rates and what to think of late work.

use super::{Sight, count};
use crate::api::{LateVerdict, Rates};
use crate::estimate::{self, Outcome};

/// Part of late work from which something is wrong.
const LATE_HIGH_MIN: f64 = 0.1;
/// Results below which the part of late ones says nothing.
const LATE_RESULTS_MIN: u64 = 20;

/// The present numbers.
pub(crate) fn rates(sight: &Sight<'_>) -> Rates {
    let late_fraction = sight.late_part();
    Rates {
        mine_hps: sight.mine_hps,
        mine_over_secs: sight.mine_over_secs,
        pool_hps: sight.pool_hps(),
        late_fraction,
        late_verdict: match late_fraction {
            Some(_) if sight.accepted() < LATE_RESULTS_MIN => LateVerdict::TooEarly,
            Some(part) if part >= LATE_HIGH_MIN => LateVerdict::High,
            Some(_) => LateVerdict::Normal,
            None => LateVerdict::TooEarly,
        },
        efficiency: efficiency(sight),
    }
}

fn efficiency(sight: &Sight<'_>) -> Option<f64> {
    let summary = &sight.node.summary;
    let mine = Outcome { good: count(summary.own_in_chain), late: count(summary.own_lost) };
    let notices = summary.window.iter().filter(|share| share.is_stale_notice).count();
    let pool = Outcome { good: count(summary.window.len()), late: count(notices) };
    estimate::efficiency(mine, pool)
}
