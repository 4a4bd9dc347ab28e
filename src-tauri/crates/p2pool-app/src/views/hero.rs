//! The top of Home: what a block would bring now, and how the next share is coming along.

use super::{Sight, Window, part};
use crate::api::{Chance, Effort, Hero, Sats};
use crate::estimate;

/// Period of the chance of a pool block, live and in practice.
const LIVE_CHANCE_SECS: f64 = 30.0 * 86_400.0;
const PRACTICE_CHANCE_SECS: f64 = 600.0;

/// The amount, never without the wait that goes with it.
pub(crate) fn hero(sight: &Sight<'_>) -> Hero {
    let summary = &sight.node.summary;
    let value = summary.block_value_sats;
    let own = summary.own_payout_sats;
    let within_secs = if sight.node.is_practice { PRACTICE_CHANCE_SECS } else { LIVE_CHANCE_SECS };
    let pool_block_secs = sight.pool_block_secs();
    let window = Window::new(summary, sight.params);
    Hero {
        amount_sats: summary.has_work.then_some(Sats(own)),
        block_part: summary.has_work.then(|| part(own, value)).flatten(),
        block_value_sats: summary.has_work.then_some(Sats(value)),
        leaves_window_secs: window.leaves_secs(&summary.window),
        pool_block_secs,
        pool_block_chance: pool_block_secs.map(|average| Chance {
            within_secs,
            fraction: estimate::chance_within(within_secs, average),
        }),
    }
}

/// The way to the next share of mine.
pub(crate) fn effort(sight: &Sight<'_>) -> Effort {
    let summary = &sight.node.summary;
    let difficulty = summary.share_difficulty;
    let work = sight.node.miners.work_since_share;
    let has_worked = work > 0.0 || sight.accepted() > 0;
    Effort {
        fraction: has_worked.then(|| estimate::effort(work, difficulty)).flatten(),
        average_secs: sight.mine_hps.and_then(|hps| estimate::wait_secs(difficulty, hps)),
        share_difficulty: (difficulty > 0.0).then_some(difficulty),
    }
}
