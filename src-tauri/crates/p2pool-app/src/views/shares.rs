//! The payout window: my shares in it, and who else is in it.

use std::collections::BTreeMap;

use p2pool_node::{ChainSummary, PoolBlock};

use super::{Sight, Window, count};
use crate::api::{
    MARKS_MAX, MarkKind, Party, ShareMark, Shares, UnixSeconds, WINDOW_MEMBERS_MAX, WindowMember,
};

/// When a late share of mine was found.
pub(crate) type LateMark = UnixSeconds;

/// The window; `late` are my late shares, in any order.
pub(crate) fn shares(sight: &Sight<'_>, late: &[LateMark]) -> Shares {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    let window_secs = window_secs(sight, &window);
    let mine_in_window = summary.window.iter().filter(|share| share.is_own).count();
    Shares {
        mine_total: count(summary.own_found.saturating_sub(summary.own_lost)),
        mine_late_total: count(summary.own_lost),
        mine_in_window: count(mine_in_window),
        window_shares: window.shares,
        window_shares_max: window.shares_max,
        window_secs,
        window_end: sight.now,
        marks: marks(sight, late, window_secs),
        members: members(sight),
    }
}

fn window_secs(sight: &Sight<'_>, window: &Window) -> f64 {
    let aim = f64::from(sight.params.share_period);
    let oldest = sight.node.summary.window.last();
    let age = oldest.map_or(0, |share| sight.now.0.saturating_sub(u64::from(share.timestamp)));
    let least = if window.is_full() { f64::from(window.shares_max) * aim } else { aim };
    (age as f64).max(least)
}

fn marks(sight: &Sight<'_>, late: &[LateMark], window_secs: f64) -> Vec<ShareMark> {
    let summary = &sight.node.summary;
    // Truncation is right: a mark in the first second is at the edge either way.
    let from = sight.now.0.saturating_sub(window_secs as u64);
    let good = summary.window.iter().filter(|share| share.is_own).map(|share| ShareMark {
        at: UnixSeconds(u64::from(share.timestamp)),
        kind: MarkKind::Good,
    });
    let late = late.iter().map(|at| ShareMark { at: *at, kind: MarkKind::Late });
    let blocks = blocks(summary).map(|block| ShareMark {
        at: UnixSeconds(block.block.found_at.0),
        kind: MarkKind::PoolBlock,
    });
    let mut marks: Vec<_> =
        good.chain(late).chain(blocks).filter(|mark| mark.at.0 >= from).collect();
    marks.sort_by_key(|mark| mark.at);
    let surplus = marks.len().saturating_sub(MARKS_MAX);
    marks.drain(..surplus);
    marks
}

/// Blocks that the Bitcoin node did not refuse.
fn blocks(summary: &ChainSummary) -> impl Iterator<Item = &PoolBlock> {
    use p2pool_sharechain::change::BlockStatus;
    summary.blocks.iter().filter(|block| block.block.status != BlockStatus::Rejected)
}

/// One payout address while the window is added up.
#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    shares: u32,
    /// Sum of difficulties: the weight, as long as nobody donates.
    weight: f64,
}

fn members(sight: &Sight<'_>) -> Vec<WindowMember> {
    let mut claims: BTreeMap<&str, Claim> = BTreeMap::new();
    for share in &sight.node.summary.window {
        let claim = claims.entry(&share.payee).or_default();
        claim.shares += 1;
        claim.weight += share.difficulty;
    }
    let total: f64 = claims.values().map(|claim| claim.weight).sum();
    let mut members: Vec<WindowMember> = claims
        .into_iter()
        .map(|(address, claim)| WindowMember {
            party: sight.parties.of_address(address),
            address: Some(address.to_owned()),
            shares: claim.shares,
            part: if total > 0.0 { claim.weight / total } else { 0.0 },
        })
        .collect();
    members.sort_by(|one, other| other.part.total_cmp(&one.part));
    bounded(members)
}

/// The largest rows, mine among them in any case, and the rest added up.
fn bounded(mut members: Vec<WindowMember>) -> Vec<WindowMember> {
    if members.len() <= WINDOW_MEMBERS_MAX {
        return members;
    }
    let last_kept = WINDOW_MEMBERS_MAX - 2;
    if let Some(mine) = members.iter().position(|member| member.party == Party::Me)
        && mine > last_kept
    {
        members[last_kept..=mine].rotate_right(1);
    }
    let rest = members.split_off(WINDOW_MEMBERS_MAX - 1);
    members.push(WindowMember {
        party: Party::Others,
        address: None,
        shares: rest.iter().map(|member| member.shares).sum(),
        part: rest.iter().map(|member| member.part).sum(),
    });
    members
}
