//! What is removed, and when.

use std::sync::Arc;

use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Selector};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{CheckedShare, ShareHash, Tracker};

use crate::forge::{Forge, Terms, add, at, choose, params};

fn hash(share: &Arc<CheckedShare>) -> ShareHash {
    share.hash()
}

fn select(tracker: &mut Tracker, seconds: u64) -> Vec<ShareHash> {
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    choose(&mut selector, tracker, &BlockHeights::new(), at(seconds), 1000).heads
}

/// A trunk of ten shares with side branches of `lengths` at its seventh.
fn branched(lengths: &[usize]) -> (Tracker, Vec<Arc<CheckedShare>>, Vec<Vec<ShareHash>>) {
    let mut forge = Forge::new(&params());
    let trunk = forge.chain(None, 10, Terms::default());
    let mut tracker = Tracker::new(params(), 1);
    for share in &trunk {
        add(&mut tracker, share, at(1), 1);
    }
    let branches = lengths.iter().map(|length| {
        let branch = forge.chain(Some(trunk[6].hash()), *length, Terms::default());
        for share in &branch {
            add(&mut tracker, share, at(1), 1);
        }
        branch.iter().map(hash).collect()
    });
    let branches = branches.collect();
    (tracker, trunk, branches)
}

#[test]
fn side_branch_beyond_the_five_best_heads_goes_after_300_seconds() {
    let (mut tracker, trunk, branches) = branched(&[1, 2, 3, 3, 3]);
    let heads = select(&mut tracker, 2);
    assert_eq!(heads.len(), 6);
    assert_eq!(heads[0], branches[0][0], "the shortest branch is the worst");
    assert_eq!(prune(&mut tracker, &heads, at(300)), vec![]);
    assert_eq!(prune(&mut tracker, &heads, at(301)), branches[0]);
    assert_eq!(prune(&mut tracker, &heads, at(100_000)), vec![]);
    assert_eq!(tracker.len(), 10 + 2 + 3 + 3 + 3);
    assert!(tracker.is_verified(trunk[9].hash()));
}

#[test]
fn side_branch_is_removed_down_to_the_fork_at_once() {
    let (mut tracker, _, branches) = branched(&[2, 3, 3, 3, 3]);
    let heads = select(&mut tracker, 2);
    let removed = prune(&mut tracker, &heads, at(301));
    assert_eq!(removed, branches[0].iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(tracker.len(), 10 + 12);
}

#[test]
fn nothing_is_a_side_branch_before_the_first_choice() {
    let (mut tracker, _, _) = branched(&[1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(prune(&mut tracker, &[], at(100_000)), vec![]);
}

#[test]
fn loaded_side_branch_counts_as_old() {
    let (mut tracker, _, _) = branched(&[2, 3, 3, 3, 3]);
    let mut forge = Forge::new(&params());
    let loaded = forge.chain(None, 1, Terms { payee: 9, ..Terms::default() });
    let share = Arc::clone(&loaded[0]);
    let known = KnownShare { share, seen: MonoTime::ZERO, sender: None };
    tracker.insert(known).unwrap();
    let heads = select(&mut tracker, 2);
    assert!(heads.contains(&loaded[0].hash()));
    assert_eq!(prune(&mut tracker, &heads, at(3)), vec![loaded[0].hash()]);
}

#[test]
fn unverified_branch_stays_while_its_chain_grows_downwards() {
    let (mut tracker, _, _) = branched(&[]);
    let mut forge = Forge::new(&params());
    let other = forge.chain(None, 6, Terms { payee: 3, ..Terms::default() });
    add(&mut tracker, &other[5], at(1), 1);
    add(&mut tracker, &other[4], at(1), 1);
    add(&mut tracker, &other[3], at(400), 1);
    let heads = select(&mut tracker, 400);
    assert_eq!(heads.len(), 1);
    assert_eq!(prune(&mut tracker, &heads, at(519)), vec![]);
    // The share seen at 400 is younger than 300 seconds and stays for now.
    let removed = prune(&mut tracker, &heads, at(520));
    assert_eq!(removed, vec![other[5].hash(), other[4].hash()]);
    assert_eq!(prune(&mut tracker, &heads, at(700)), vec![other[3].hash()]);
}

#[test]
fn chain_is_cut_below_twice_its_length_and_ten() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 260, Terms::default());
    let mut tracker = Tracker::new(params(), 1);
    for share in &chain {
        add(&mut tracker, share, at(1), 1);
    }
    let heads = select(&mut tracker, 1);
    let removed = prune(&mut tracker, &heads, at(1));
    assert_eq!(removed, chain[..11].iter().map(hash).collect::<Vec<_>>());
    assert_eq!(tracker.height_and_last(Some(chain[259].hash())).0, 249);
    assert_eq!(select(&mut tracker, 1), heads);
}

#[test]
fn low_head_keeps_the_old_end_of_its_chain() {
    let (mut tracker, _, _) = with_low_head(139);
    let heads = select(&mut tracker, 1);
    assert_eq!(prune(&mut tracker, &heads, at(100_000)), vec![]);
    assert_eq!(tracker.len(), 261);
}

#[test]
fn head_a_chain_length_below_the_best_keeps_nothing() {
    let (mut tracker, chain, side) = with_low_head(138);
    let heads = select(&mut tracker, 1);
    assert_eq!(prune(&mut tracker, &heads, at(300)), vec![]);
    let removed = prune(&mut tracker, &heads, at(301));
    assert_eq!(removed[0], side);
    assert_eq!(removed[1..], chain[..11].iter().map(hash).collect::<Vec<_>>());
}

/// A chain of 260 shares, and one more on top of that with the given number.
fn with_low_head(below: usize) -> (Tracker, Vec<Arc<CheckedShare>>, ShareHash) {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 260, Terms::default());
    let side = forge.share(Some(chain[below].hash()), Terms::default());
    let mut tracker = Tracker::new(params(), 1);
    for share in chain.iter().chain([&side]) {
        add(&mut tracker, share, at(1), 1);
    }
    (tracker, chain, side.hash())
}
