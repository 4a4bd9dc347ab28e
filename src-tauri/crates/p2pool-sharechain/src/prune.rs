//! Removal of side branches that lost, and of shares too old to matter.
//!
//! Source: protocol notes, chain-selection.md section 6.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use crate::hash::ShareHash;
use crate::time::{MonoTime, Now};
use crate::tracker::Tracker;

/// Best heads that stay however old they are, while they are not hopelessly low.
const HEADS_KEPT: usize = 5;
/// Heads younger than this stay.
const HEAD_AGE_MIN: Duration = Duration::from_secs(300);
/// Unverified heads stay while their chain has grown downwards within this time.
const GROWTH_AGE_MIN: Duration = Duration::from_secs(120);
/// Most shares taken off one side branch at a time.
const BRANCH_ROUNDS_MAX: u32 = 1000;
/// Most shares taken off the old end of one chain at a time. The network's other programs take
/// up to 1000; fewer at a time keep this short, and the rest goes at the next cleaning.
const END_ROUNDS_MAX: u32 = 250;

/// Removes what is no longer needed and returns it: first side branches from their tops
/// downwards, then the old ends of chains longer than twice the chain length.
///
/// `heads` is [`Choice::heads`](crate::best::Choice::heads) of the latest choice; without any,
/// no side branch is known to have lost, and only old ends are removed.
pub fn prune(tracker: &mut Tracker, heads: &[ShareHash], now: Now) -> Vec<ShareHash> {
    let mut removed = Vec::new();
    if !heads.is_empty() {
        let kept = &heads[heads.len().saturating_sub(HEADS_KEPT)..];
        let kept: Vec<ShareHash> =
            kept.iter().copied().filter(|head| may_win(tracker, *head, heads)).collect();
        drop_side_branches(tracker, &kept, now, &mut removed);
    }
    drop_old_ends(tracker, &mut removed);
    removed
}

/// Whether a head is less than a chain length below the best one. The reference keeps lower ones,
/// too; where side branches are rare, one of them would keep the old end of its chain for ever.
fn may_win(tracker: &Tracker, head: ShareHash, heads: &[ShareHash]) -> bool {
    let Some(best) = heads.last() else { return true };
    let (height, tail) = tracker.height_and_last(Some(head));
    let (best_height, best_tail) = tracker.height_and_last(Some(*best));
    tail != best_tail || height.saturating_add(tracker.params().chain_length) > best_height
}

fn drop_side_branches(
    tracker: &mut Tracker,
    kept: &[ShareHash],
    now: Now,
    removed: &mut Vec<ShareHash>,
) {
    // A share removed here was seen long ago: it does not change what is newest at a tail.
    let mut newest = BTreeMap::new();
    let mut open: VecDeque<_> = tracker.heads().map(|(head, tail)| (head, tail, 0)).collect();
    while let Some((head, tail, round)) = open.pop_front() {
        let is_needed = kept.contains(&head)
            || tracker.known(head).is_none_or(|known| !is_aged(known.seen, HEAD_AGE_MIN, now));
        let mut may_grow = || {
            let newest = *newest.entry(tail).or_insert_with(|| newest_child(tracker, tail));
            !tracker.is_verified(head) && !is_aged(newest, GROWTH_AGE_MIN, now)
        };
        if is_needed || may_grow() {
            continue;
        }
        let parent = tracker.forest().parent(head).flatten();
        if tracker.remove(head).is_err() {
            continue;
        }
        removed.push(head);
        if let Some(parent) = parent
            && round < BRANCH_ROUNDS_MAX
            && tracker.forest().heads().contains_key(&parent)
        {
            open.push_back((parent, tail, round.saturating_add(1)));
        }
    }
}

fn newest_child(tracker: &Tracker, tail: Option<ShareHash>) -> MonoTime {
    let children = tracker.children(tail).into_iter();
    let seen = children.filter_map(|child| tracker.known(child)).map(|known| known.seen);
    seen.max().unwrap_or(MonoTime::ZERO)
}

/// Whether a share was seen so long ago. Loaded shares were, whenever the clock started.
fn is_aged(seen: MonoTime, age: Duration, now: Now) -> bool {
    seen == MonoTime::ZERO || now.mono.since(seen) >= age
}

fn drop_old_ends(tracker: &mut Tracker, removed: &mut Vec<ShareHash>) {
    let height_max = tracker.params().chain_length.saturating_mul(2).saturating_add(10);
    for _ in 0..END_ROUNDS_MAX {
        let forest = tracker.forest();
        let is_long = |head: &ShareHash| forest.height_and_last(Some(*head)).0 >= height_max;
        let long = forest.tails().iter().filter(|(_, heads)| heads.iter().all(is_long));
        let ends: Vec<ShareHash> = long.flat_map(|(tail, _)| forest.children(*tail)).collect();
        if ends.is_empty() {
            return;
        }
        for end in ends {
            if tracker.remove(end).is_ok() {
                removed.push(end);
            }
        }
    }
}
