//! Shares that claim to be a block's solution.

use std::sync::Arc;

use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Selector};
use p2pool_sharechain::{CheckedShare, Tracker};

use crate::forge::{EASY_BITS, Forge, HARD_BITS, Terms, add, at, choose, params};

/// A trunk with two heads: an honest one, seen first, and one whose header claims a Bitcoin
/// target that it happens to meet.
struct Fork {
    tracker: Tracker,
    honest: Arc<CheckedShare>,
    claiming: Arc<CheckedShare>,
}

fn fork() -> Fork {
    let params = params();
    let mut forge = Forge::new(&params);
    let trunk = forge.chain(None, 10, Terms::default());
    let parent = trunk.last().map(|share| share.hash());
    let honest = forge.share(parent, Terms::default());
    let claiming = forge.share(parent, Terms { bits: EASY_BITS, payee: 2, ..Terms::default() });
    assert!(claiming.claims_block() && !honest.claims_block());
    let mut tracker = Tracker::new(params, 1);
    for share in &trunk {
        assert!(add(&mut tracker, share, at(1), 1));
    }
    assert!(add(&mut tracker, &honest, at(2), 1));
    assert!(add(&mut tracker, &claiming, at(3), 2));
    Fork { tracker, honest, claiming }
}

#[test]
fn invented_header_target_wins_by_the_plain_rule() {
    let Fork { mut tracker, claiming, .. } = fork();
    let mut heights = BlockHeights::new();
    heights.note_bits(HARD_BITS);
    let mut selector = Selector::new(BlockSolutionRule::Plain);
    let choice = choose(&mut selector, &mut tracker, &heights, at(3), 100);
    assert_eq!(choice.best, Some(claiming.hash()));
    assert_eq!(choice.ranking.last().map(|head| head.punish), Some(-1));
}

#[test]
fn invented_header_target_gains_nothing_by_the_hardened_rule() {
    let Fork { mut tracker, honest, claiming } = fork();
    let mut heights = BlockHeights::new();
    heights.note_bits(HARD_BITS);
    let mut selector = Selector::new(BlockSolutionRule::Hardened);
    let choice = choose(&mut selector, &mut tracker, &heights, at(3), 100);
    assert_eq!(choice.best, Some(honest.hash()));
    assert!(choice.ranking.iter().all(|head| head.punish == 0));
    assert_eq!(choice.punish, 0);
    assert!(tracker.is_verified(claiming.hash()), "policy of selection, never of validity");
}

#[test]
fn true_block_solution_wins_by_the_hardened_rule_too() {
    let Fork { mut tracker, claiming, .. } = fork();
    let mut heights = BlockHeights::new();
    heights.note_bits(EASY_BITS);
    let mut selector = Selector::new(BlockSolutionRule::Hardened);
    let choice = choose(&mut selector, &mut tracker, &heights, at(3), 100);
    assert_eq!(choice.best, Some(claiming.hash()));
}

#[test]
fn lone_block_solution_raises_the_punish_flag_only_if_believed() {
    let params = params();
    let mut forge = Forge::new(&params);
    let chain = forge.chain(None, 8, Terms { bits: EASY_BITS, ..Terms::default() });
    for (rule, flag) in [(BlockSolutionRule::Plain, 1), (BlockSolutionRule::Hardened, 0)] {
        let mut tracker = Tracker::new(Arc::clone(&params), 1);
        for share in &chain {
            add(&mut tracker, share, at(1), 1);
        }
        let heights = BlockHeights::new();
        let choice = choose(&mut Selector::new(rule), &mut tracker, &heights, at(1), 100);
        assert_eq!(choice.punish, flag);
        assert_eq!(choice.best, chain.last().map(|share| share.hash()));
    }
}
