//! The choice depends on what is known, not on how it came.

use std::sync::Arc;

use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Selector};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::{CheckedShare, ShareHash, Tracker};
use proptest::prelude::*;

use crate::forge::{EASY_BITS, Forge, HARD_BITS, Terms, add, at, choose, params};

/// How one share of a random tree comes about.
#[derive(Clone, Debug)]
struct Plan {
    /// Which of the shares before it is the parent, counted from the newest; the first of a
    /// chain if there are not so many.
    back: usize,
    harder: u64,
    is_block: bool,
    /// When it is seen, whenever it is added.
    seen: u64,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = (
        prop_oneof![6 => Just(0_usize), 3 => 1..4_usize, 1 => 4..40_usize],
        1..6_u64,
        prop::bool::weighted(0.1),
        1..8_u64,
    );
    let plan =
        plan.prop_map(|(back, harder, is_block, seen)| Plan { back, harder, is_block, seen });
    prop::collection::vec(plan, 1..28)
}

fn grow(plans: &[Plan]) -> Vec<(Arc<CheckedShare>, u64)> {
    let mut forge = Forge::new(&params());
    let mut shares: Vec<(Arc<CheckedShare>, u64)> = Vec::new();
    for plan in plans {
        let parent: Option<ShareHash> =
            shares.len().checked_sub(plan.back + 1).map(|index| shares[index].0.hash());
        let bits = if plan.is_block { EASY_BITS } else { HARD_BITS };
        let terms = Terms { harder: plan.harder, bits, ..Terms::default() };
        shares.push((forge.share(parent, terms), plan.seen));
    }
    shares
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order of arrival, selection now and then in slices of any size: the same end.
    #[test]
    fn choice_is_independent_of_arrival_order_and_slices(
        plans in plans(),
        keys in prop::collection::vec(any::<u32>(), 28),
        slice in 1..6_usize,
    ) {
        let shares = grow(&plans);
        let heights = BlockHeights::new();
        let now = at(10);

        let mut tracker = Tracker::new(params(), 1);
        for (share, seen) in &shares {
            add(&mut tracker, share, at(*seen), 1);
        }
        let mut selector = Selector::new(BlockSolutionRule::Plain);
        let expected = choose(&mut selector, &mut tracker, &heights, now, 1000);
        prop_assert!(expected.best.is_some());
        prop_assert_eq!(expected.verified.len(), shares.len());

        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|index| keys[*index]);
        let mut tracker = Tracker::new(params(), 2);
        let mut selector = Selector::new(BlockSolutionRule::Plain);
        for index in order {
            let (share, seen) = &shares[index];
            add(&mut tracker, share, at(*seen), 1);
            // One slice only: what is left of it runs together with what comes next.
            if keys[index] % 3 == 0 {
                let _ = selector.step(&mut tracker, now, &heights, slice);
            }
        }
        let choice = choose(&mut selector, &mut tracker, &heights, now, slice);
        prop_assert_eq!(choice.best, expected.best);
        prop_assert_eq!(choice.heads, expected.heads);
        prop_assert_eq!(choice.ranking, expected.ranking);
        prop_assert_eq!(choice.tails, expected.tails);
        prop_assert_eq!(choice.punish, expected.punish);
        prop_assert_eq!(choice.desired, vec![]);
        prop_assert_eq!(tracker.verified().len(), shares.len());
    }

    /// Pruning takes away what lost and leaves the choice as it is.
    #[test]
    fn pruning_never_changes_the_choice(plans in plans(), later in 0..700_u64) {
        let shares = grow(&plans);
        let heights = BlockHeights::new();
        let mut tracker = Tracker::new(params(), 1);
        for (share, seen) in &shares {
            add(&mut tracker, share, at(*seen), 1);
        }
        let mut selector = Selector::new(BlockSolutionRule::Plain);
        let before = choose(&mut selector, &mut tracker, &heights, at(10), 1000);
        let removed = prune(&mut tracker, &before.heads, at(10 + later));
        let after = choose(&mut selector, &mut tracker, &heights, at(10 + later), 1000);
        prop_assert_eq!(after.best, before.best);
        prop_assert_eq!(after.punish, before.punish);
        let kept = before.heads.len().min(5);
        prop_assert_eq!(&after.heads[after.heads.len() - kept..], &before.heads[before.heads.len() - kept..]);
        prop_assert_eq!(tracker.len() + removed.len(), shares.len());
        if later >= 300 {
            prop_assert!(after.heads.len() <= 5);
        }
    }
}
