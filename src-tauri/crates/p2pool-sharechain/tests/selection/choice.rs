//! Single rules of selection.

use std::sync::Arc;

use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Choice, Progress, Selector};
use p2pool_sharechain::time::{Now, UnixTime};
use p2pool_sharechain::verify::ContextError;
use p2pool_sharechain::{CheckedShare, Hash32, Tracker};

use crate::forge::{Forge, START, Terms, add, at, choose, params};

fn run(tracker: &mut Tracker, seconds: u64) -> Choice {
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    choose(&mut selector, tracker, &BlockHeights::new(), at(seconds), 1000)
}

fn with(shares: &[Arc<CheckedShare>]) -> Tracker {
    let mut tracker = Tracker::new(params(), 1);
    for share in shares {
        add(&mut tracker, share, at(1), 1);
    }
    tracker
}

#[test]
fn nothing_known_gives_no_choice() {
    assert_eq!(run(&mut Tracker::new(params(), 1), 1), Choice::default());
}

#[test]
fn earlier_of_two_equal_heads_stays_best() {
    let mut forge = Forge::new(&params());
    let trunk = forge.chain(None, 8, Terms::default());
    let parent = Some(trunk[7].hash());
    let (first, second) =
        (forge.share(parent, Terms::default()), forge.share(parent, Terms::default()));
    for (early, late) in [(&first, &second), (&second, &first)] {
        let mut tracker = with(&trunk);
        add(&mut tracker, late, at(3), 1);
        add(&mut tracker, early, at(2), 1);
        assert_eq!(run(&mut tracker, 4).best, Some(early.hash()));
    }
}

#[test]
fn verified_shares_are_told_once_and_oldest_first() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 20, Terms::default());
    let mut tracker = with(&chain);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let heights = BlockHeights::new();
    let choice = choose(&mut selector, &mut tracker, &heights, at(1), 3);
    let hashes: Vec<_> = chain.iter().map(|share| share.hash()).collect();
    assert_eq!(choice.verified, hashes);
    let choice = choose(&mut selector, &mut tracker, &heights, at(2), 3);
    assert_eq!(choice.verified, vec![]);
    assert_eq!(choice.best, hashes.last().copied());
}

#[test]
fn no_slice_verifies_more_than_it_may() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 20, Terms::default());
    let mut tracker = with(&chain);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let mut slices = 0;
    loop {
        let before = tracker.verified().len();
        let progress = selector.step(&mut tracker, at(1), &BlockHeights::new(), 3);
        assert!(tracker.verified().len() - before <= 3);
        slices += 1;
        match progress {
            Progress::More => {}
            Progress::Done(choice) => {
                assert_eq!(choice.verified.len(), 20);
                break;
            }
        }
    }
    assert_eq!(slices, 7);
}

#[test]
fn share_that_comes_between_slices_is_part_of_the_choice() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 20, Terms::default());
    let mut tracker = with(&chain[..19]);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let heights = BlockHeights::new();
    for _ in 0..5 {
        assert_eq!(selector.step(&mut tracker, at(1), &heights, 2), Progress::More);
    }
    add(&mut tracker, &chain[19], at(2), 1);
    let choice = choose(&mut selector, &mut tracker, &heights, at(2), 2);
    assert_eq!(choice.best, Some(chain[19].hash()));
    assert_eq!(choice.verified.len(), 20);
}

#[test]
fn bad_head_is_removed_and_its_sender_named() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 10, Terms::default());
    let bad = forge.invalid_share(Some(chain[9].hash()), Terms::default());
    let mut tracker = with(&chain);
    add(&mut tracker, &bad, at(2), 66);
    let choice = run(&mut tracker, 2);
    assert_eq!(choice.best, Some(chain[9].hash()));
    assert_eq!(choice.bad_senders, vec![66]);
    assert_eq!(choice.removed, vec![bad.hash()]);
    assert_eq!(choice.failures, vec![(bad.hash(), ContextError::Field("absheight"))]);
    assert!(tracker.get(bad.hash()).is_none());
}

#[test]
fn bad_share_inside_a_chain_is_checked_once() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 10, Terms::default());
    let bad = forge.invalid_share(Some(chain[9].hash()), Terms::default());
    let child = forge.share(Some(bad.hash()), Terms::default());
    let mut tracker = with(&chain);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let heights = BlockHeights::new();
    choose(&mut selector, &mut tracker, &heights, at(1), 100);
    add(&mut tracker, &bad, at(2), 66);
    add(&mut tracker, &child, at(2), 66);
    let choice = choose(&mut selector, &mut tracker, &heights, at(2), 1);
    assert_eq!(choice.failures.len(), 1);
    assert!(choice.removed.is_empty() && choice.bad_senders.is_empty());
    assert_eq!(choice.best, Some(chain[9].hash()), "the longer verified chain");
    let choice = choose(&mut selector, &mut tracker, &heights, at(3), 1);
    assert_eq!(choice.failures, vec![]);
}

#[test]
fn share_from_the_future_is_tried_again_when_it_comes_again() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 3, Terms { pause: 1000, ..Terms::default() });
    let mut tracker = Tracker::new(params(), 1);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let heights = BlockHeights::new();
    let early = Now { wall: UnixTime(u64::from(START) + 1000), ..at(1) };
    for share in &chain {
        add(&mut tracker, share, early, 5);
    }
    let choice = choose(&mut selector, &mut tracker, &heights, early, 1);
    assert_eq!(choice.best, Some(chain[1].hash()));
    assert_eq!(choice.failures, vec![(chain[2].hash(), ContextError::Future(START + 2000))]);
    assert_eq!((choice.removed, choice.bad_senders), (vec![chain[2].hash()], vec![5]));
    let later = Now { wall: UnixTime(u64::from(START) + 1400), ..at(2) };
    add(&mut tracker, &chain[2], later, 5);
    let choice = choose(&mut selector, &mut tracker, &heights, later, 1);
    assert_eq!(choice.best, Some(chain[2].hash()));
}

#[test]
fn missing_parent_is_desired_from_those_who_sent_its_children() {
    let mut forge = Forge::new(&params());
    let chain = forge.chain(None, 6, Terms::default());
    let fork = forge.share(Some(chain[2].hash()), Terms { harder: 4, ..Terms::default() });
    let mut tracker = Tracker::new(params(), 1);
    add(&mut tracker, &chain[3], at(1), 8);
    add(&mut tracker, &chain[4], at(1), 9);
    add(&mut tracker, &fork, at(1), 7);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let heights = BlockHeights::new();
    let mut select = |tracker: &mut Tracker, wall: u64| {
        let now = Now { wall: UnixTime(u64::from(START) + wall), ..at(1) };
        choose(&mut selector, tracker, &heights, now, 1)
    };
    let choice = select(&mut tracker, 500);
    assert_eq!((choice.best, choice.desired.len()), (None, 1));
    let desire = &choice.desired[0];
    assert_eq!(desire.hash, chain[2].hash());
    assert_eq!(desire.senders, vec![7, 8]);
    assert_eq!(desire.timestamp_max, START + 120);
    assert_eq!(desire.target_min, fork.target());
    // A day after the newest share, nobody wants its parents any more.
    assert_eq!(select(&mut tracker, 120 + 86_400).desired.len(), 1);
    assert_eq!(select(&mut tracker, 120 + 86_401).desired.len(), 0);
    // With a best share, an hour before that one (or now, if that is earlier) is the limit.
    let other = forge.chain(None, 2, Terms { pause: 3600 + 120, ..Terms::default() });
    add(&mut tracker, &other[0], at(1), 1);
    add(&mut tracker, &other[1], at(1), 1);
    assert_eq!(select(&mut tracker, 10_000).desired.len(), 1);
    let third = forge.share(Some(other[1].hash()), Terms { pause: 1, ..Terms::default() });
    add(&mut tracker, &third, at(1), 1);
    let choice = select(&mut tracker, 10_000);
    assert_eq!((choice.best, choice.desired.len()), (Some(third.hash()), 0));
}

/// Two chains of full length from different first shares: `old` with more work on an old block,
/// `new` with less work on a new one.
fn rivals(old_block: Hash32, new_block: Hash32) -> (Tracker, Arc<CheckedShare>, Arc<CheckedShare>) {
    let mut forge = Forge::new(&params());
    let old = forge.chain(None, 241, Terms { harder: 3, block: old_block, ..Terms::default() });
    let new = forge.chain(None, 241, Terms { harder: 2, block: new_block, ..Terms::default() });
    let mut tracker = Tracker::new(params(), 1);
    // From the tip downwards, so that each has an end of its own.
    for share in old.iter().chain(&new).rev() {
        add(&mut tracker, share, at(1), 1);
    }
    let last = |chain: &[Arc<CheckedShare>]| Arc::clone(&chain[240]);
    (tracker, last(&old), last(&new))
}

#[test]
fn work_per_time_decides_between_chains_of_full_length() {
    let (mut tracker, old, new) = rivals([1; 32], [2; 32]);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let mut heights = BlockHeights::new();
    heights.insert([1; 32], 1000);
    heights.insert([2; 32], 1000);
    let choice = choose(&mut selector, &mut tracker, &heights, at(1), 50);
    assert_eq!(choice.best, Some(old.hash()), "the same time, more work");
    assert_eq!(choice.tails.len(), 2);
    assert_eq!(choice.unknown_blocks, Vec::<Hash32>::new());
    let rate = choice.tails[1].score.rate.unwrap();
    assert_eq!(rate.seconds, 600);
    heights.insert([2; 32], 1001);
    let choice = choose(&mut selector, &mut tracker, &heights, at(2), 50);
    assert_eq!(choice.best, Some(new.hash()), "twice the time, not twice the work");
    assert_eq!(choice.tails[0].score.rate.unwrap().seconds, 1200);
}

#[test]
fn unknown_blocks_are_asked_for_once_and_count_as_ancient() {
    let (mut tracker, _, new) = rivals([1; 32], [2; 32]);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let mut heights = BlockHeights::new();
    heights.note_tip(800_000);
    let choice = choose(&mut selector, &mut tracker, &heights, at(1), 50);
    let mut unknown = choice.unknown_blocks;
    unknown.sort_unstable();
    assert_eq!(unknown, vec![[1; 32], [2; 32]]);
    heights.insert([2; 32], 799_999);
    heights.insert_unknown([1; 32]);
    let choice = choose(&mut selector, &mut tracker, &heights, at(2), 50);
    assert_eq!(choice.best, Some(new.hash()));
    assert_eq!(choice.unknown_blocks, Vec::<Hash32>::new());
}
