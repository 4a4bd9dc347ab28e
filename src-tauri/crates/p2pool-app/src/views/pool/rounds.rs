//! Pool blocks and the rounds between them.

use p2pool_node::PoolBlock;
use p2pool_sharechain::change::BlockStatus;

use super::Sight;
use crate::api::pages::pool::{CurrentRound, PoolBlockRow, ROUNDS_MAX};
use crate::api::{Sats, UnixSeconds};
use crate::run::Finders;
use crate::views::payouts::state;
use crate::views::{finder, mine, part, sats};

pub(super) fn current(sight: &Sight<'_>) -> CurrentRound {
    let summary = &sight.node.summary;
    let last = summary.blocks.iter().rev().find(|block| is_end_of_round(block));
    CurrentRound {
        since: last.map(|block| UnixSeconds(block.block.found_at.0)),
        effort: summary.round_effort,
        average_secs: sight.pool_block_secs(),
    }
}

/// Blocks, newest first.
pub(super) fn blocks(sight: &Sight<'_>, finders: &Finders) -> Vec<PoolBlockRow> {
    let blocks = &sight.node.summary.blocks;
    let mut before: Option<&PoolBlock> = None;
    let mut rows = Vec::with_capacity(blocks.len());
    for block in blocks {
        let value: u64 = block.block.payouts.iter().map(|(_, amount)| amount).sum();
        let mine = mine(block, sight.parties);
        let round_secs = before
            .filter(|_| is_end_of_round(block))
            .map(|before| block.block.found_at.0.saturating_sub(before.block.found_at.0) as f64);
        rows.push(PoolBlockRow {
            block_hash: block.block.hash.to_string(),
            height: block.block.height,
            at: UnixSeconds(block.block.found_at.0),
            value_sats: Sats(value),
            found_by: finder(block, finders),
            round_secs,
            luck: block.round_effort.map(|effort| 1.0 / effort).filter(|luck| luck.is_finite()),
            mine_sats: sats(mine),
            mine_part: (mine > 0).then(|| part(mine, value)).flatten(),
            state: state(sight, block),
        });
        if is_end_of_round(block) {
            before = Some(block);
        }
    }
    rows.reverse();
    rows.truncate(ROUNDS_MAX);
    rows
}

/// One that lost its place to another block was found all the same.
fn is_end_of_round(block: &PoolBlock) -> bool {
    block.block.status != BlockStatus::Rejected
}
