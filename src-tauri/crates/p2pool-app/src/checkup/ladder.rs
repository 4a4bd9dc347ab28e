//! "Why am I not earning yet?": the first thing that is not reached.

use p2pool_node::{BitcoinState, PoolBlock};
use p2pool_sharechain::change::BlockStatus;

use crate::api::{Chance, Ladder, RUNGS, Rung, Sats, UnixSeconds};
use crate::estimate;
use crate::problems;
use crate::views::{self, Sight, Window, count};

/// Results younger than this count, in seconds.
const RESULT_SECS_MAX: u64 = 600;
/// Part of late work from which results do not arrive in time.
const LATE_MIN: f64 = 0.1;
/// Confirmations that make a payment spendable.
const MATURE: u32 = 100;
/// Period of the chance of a pool block, live and in practice.
const LIVE_CHANCE_SECS: f64 = 30.0 * 86_400.0;
const PRACTICE_CHANCE_SECS: f64 = 600.0;

/// A rung: what stands in the way of it, if anything does.
type Look = fn(&Sight<'_>, Option<UnixSeconds>) -> Option<Rung>;

const LADDER: [Look; RUNGS as usize] = [
    |sight, _| node(sight),
    |sight, _| pool(sight),
    |sight, _| miner(sight),
    |sight, _| results(sight),
    |sight, _| in_time(sight),
    |sight, _| first_share(sight),
    in_window,
    |sight, _| pool_block(sight),
    |sight, _| payment(sight),
];

/// How far one has come. Rungs after the open one are not looked at.
pub(crate) fn ladder(sight: &Sight<'_>, last_left_at: Option<UnixSeconds>) -> Ladder {
    let open = LADDER.iter().enumerate().find_map(|(index, look)| {
        let rung = look(sight, last_left_at)?;
        Some((count(index), rung))
    });
    match open {
        Some((reached, rung)) => Ladder { reached, open: Some(rung) },
        None => Ladder { reached: RUNGS, open: None },
    }
}

/// The ladder while no node runs.
pub(crate) fn no_node() -> Ladder {
    Ladder { reached: 0, open: Some(Rung::Node { progress: None }) }
}

fn node(sight: &Sight<'_>) -> Option<Rung> {
    if matches!(sight.node.bitcoin, BitcoinState::Ready { .. }) {
        return None;
    }
    let progress = problems::sync_progress(sight.node).filter(|progress| *progress < 1.0);
    Some(Rung::Node { progress })
}

fn pool(sight: &Sight<'_>) -> Option<Rung> {
    let summary = &sight.node.summary;
    let is_verified = summary.has_work && summary.verified_height >= summary.height;
    let has_members = sight.node.is_practice || summary.peers > 0;
    (!is_verified || !has_members).then(|| Rung::Pool {
        members: count(summary.peers),
        done: summary.verified_height.min(summary.sync.wanted.max(summary.height)),
        total: summary.sync.wanted.max(summary.height),
    })
}

fn miner(sight: &Sight<'_>) -> Option<Rung> {
    let is_stopped = !sight.node.is_mining;
    let address = sight.node.stratum_address;
    let miner_url = (address.port() != 0).then(|| format!("stratum+tcp://{address}"));
    let is_open = is_stopped || sight.connected_miners() == 0;
    is_open.then_some(Rung::Miner { miner_url, is_stopped })
}

fn results(sight: &Sight<'_>) -> Option<Rung> {
    let oldest = sight.now.0.saturating_sub(RESULT_SECS_MAX);
    let miners = &sight.node.miners.miners;
    let has_sent =
        |at: Option<p2pool_sharechain::time::UnixTime>| at.is_some_and(|at| at.0 >= oldest);
    let has_results =
        miners.iter().any(|miner| miner.accepted > 0 && has_sent(miner.last_result_at));
    (!has_results).then(|| Rung::Results { connected: sight.connected_miners() })
}

fn in_time(sight: &Sight<'_>) -> Option<Rung> {
    let late_part = sight.late_part()?;
    (late_part >= LATE_MIN).then_some(Rung::InTime { late_part })
}

fn first_share(sight: &Sight<'_>) -> Option<Rung> {
    if sight.node.summary.own_found > 0 {
        return None;
    }
    let effort = views::effort(sight);
    Some(Rung::FirstShare {
        effort: effort.fraction,
        average_secs: effort.average_secs,
        none_yet_part: effort.fraction.map(estimate::none_after),
    })
}

fn in_window(sight: &Sight<'_>, last_left_at: Option<UnixSeconds>) -> Option<Rung> {
    let summary = &sight.node.summary;
    if summary.window.iter().any(|share| share.is_own) {
        return None;
    }
    let average_secs = views::effort(sight).average_secs;
    let window_secs = Window::new(summary, sight.params).span_secs();
    let is_normal = average_secs.is_some_and(|secs| secs > window_secs);
    Some(Rung::InWindow { last_left_at, average_secs, window_secs, is_normal })
}

/// Blocks that have not been lost.
fn kept<'a>(sight: &Sight<'a>) -> impl Iterator<Item = &'a PoolBlock> + use<'a> {
    let is_kept = |block: &&PoolBlock| {
        !matches!(block.block.status, BlockStatus::Orphaned | BlockStatus::Rejected)
    };
    sight.node.summary.blocks.iter().filter(is_kept)
}

fn pool_block(sight: &Sight<'_>) -> Option<Rung> {
    if kept(sight).any(|block| views::mine(block, sight.parties) > 0) {
        return None;
    }
    let average_secs = sight.pool_block_secs();
    let within_secs = if sight.node.is_practice { PRACTICE_CHANCE_SECS } else { LIVE_CHANCE_SECS };
    Some(Rung::PoolBlock {
        effort: sight.node.summary.round_effort,
        average_secs,
        chance: average_secs.map(|average| Chance {
            within_secs,
            fraction: estimate::chance_within(within_secs, average),
        }),
    })
}

fn payment(sight: &Sight<'_>) -> Option<Rung> {
    let paying = kept(sight).filter(|block| views::mine(block, sight.parties) > 0);
    let nearest = paying.max_by_key(|block| block.confirmations)?;
    let is_spendable =
        nearest.block.status == BlockStatus::Mature || nearest.confirmations >= MATURE;
    (!is_spendable).then(|| Rung::Payment {
        sats: Sats(views::mine(nearest, sight.parties)),
        confirmations: nearest.confirmations,
        needed: MATURE,
    })
}
