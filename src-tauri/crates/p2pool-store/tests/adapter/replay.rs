//! Storing the sum of change sets equals storing one after the other.

use std::sync::Arc;

use p2pool_sharechain::change::{BlockStatus, ChangeSet, Fate, FoundBlock, OwnShare, StoredShare};
use p2pool_sharechain::time::UnixTime;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{block, contents, hash, open, own_share, share};

fn shares() -> impl Strategy<Value = StoredShare> {
    (0_u8..6, any::<bool>(), any::<u8>()).prop_map(|(number, verified, variant)| StoredShare {
        verified,
        // The same share seen at another time.
        seen_at: UnixTime(u64::from(variant)),
        raw: Arc::from([number]),
        ..share(number)
    })
}

fn own_shares() -> impl Strategy<Value = OwnShare> {
    let fate = prop_oneof![Just(Fate::Open), Just(Fate::InChain), Just(Fate::Orphan)];
    (0_u8..4, fate).prop_map(|(number, fate)| OwnShare { fate, ..own_share(number) })
}

fn blocks() -> impl Strategy<Value = FoundBlock> {
    let status = prop_oneof![Just(BlockStatus::Submitting), Just(BlockStatus::Accepted)];
    let payouts = vec((vec(any::<u8>(), 0..3), 0_u64..100), 0..3);
    (0_u8..3, status, any::<Option<u8>>(), payouts).prop_map(|(number, status, raw, payouts)| {
        FoundBlock { status, raw: raw.map(|byte| Arc::from([byte])), payouts, ..block(number) }
    })
}

fn change_sets() -> impl Strategy<Value = ChangeSet> {
    (
        vec(shares(), 0..4),
        vec((0_u8..6).prop_map(hash), 0..3),
        vec((0_u8..6).prop_map(hash), 0..3),
        proptest::option::of((0_u8..6).prop_map(hash)),
        vec(own_shares(), 0..3),
        vec(blocks(), 0..3),
    )
        .prop_map(|(added, verified, removed, best, own, blocks)| ChangeSet {
            added,
            verified,
            removed,
            best,
            own,
            blocks,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn merged_change_sets_equal_their_sequence(sets in vec(change_sets(), 1..6)) {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut in_turn = open(one.path()).store;
        let mut at_once = open(other.path()).store;

        let mut sum = ChangeSet::default();
        for set in sets {
            in_turn.apply(&set).unwrap();
            sum.merge(set);
        }
        at_once.apply(&sum).unwrap();

        prop_assert_eq!(contents(&in_turn), contents(&at_once));
    }
}
