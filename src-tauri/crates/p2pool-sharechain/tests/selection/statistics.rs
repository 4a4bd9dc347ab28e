//! Statistics, against cases computed by hand, and own stale accounting.

use std::sync::Arc;

use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::stats::{
    self, LeadingVote, Losses, OwnShares, StaleCounts, UserStale, leading_vote,
};
use p2pool_sharechain::{Attempts, CheckedShare, CompactBits, ShareHash, Tracker};
use proptest::prelude::*;

use crate::forge::{Forge, Terms, add, at, params};

fn tracker_with(shares: &[Arc<CheckedShare>]) -> Tracker {
    let mut tracker = Tracker::new(params(), 1);
    for share in shares {
        add(&mut tracker, share, at(1), 1);
    }
    tracker
}

/// Six shares of two expected hashes each, the fourth announcing an orphan, the fifth a dead one.
fn six() -> (Tracker, Option<ShareHash>) {
    let mut forge = Forge::new(&params());
    let stale = [
        StaleInfo::NONE,
        StaleInfo::NONE,
        StaleInfo::NONE,
        StaleInfo::ORPHAN,
        StaleInfo::DEAD_ON_ARRIVAL,
        StaleInfo::NONE,
    ];
    let mut chain: Vec<Arc<CheckedShare>> = Vec::new();
    for (stale_info, payee) in stale.into_iter().zip([1, 1, 2, 2, 1, 1]) {
        let parent = chain.last().map(|share| share.hash());
        chain.push(forge.share(parent, Terms { stale_info, payee, ..Terms::default() }));
    }
    (tracker_with(&chain), chain.last().map(|share| share.hash()))
}

#[test]
fn stale_figures_of_six_shares() {
    let (tracker, best) = six();
    assert_eq!(stats::stale_proportion(&tracker, best, 6), 2.0 / 8.0);
    assert_eq!(stats::stale_proportion(&tracker, best, 2), 1.0 / 3.0);
    assert_eq!(stats::stale_proportion(&tracker, best, 1), 0.0);
    let two = Attempts::from(2);
    let counts = StaleCounts {
        good: Attempts::from(10),
        orphan: two,
        dead_on_arrival: two,
        other: Attempts::ZERO,
    };
    assert_eq!(stats::stale_counts(&tracker, best, 6), counts);
    let users = stats::stale_by_user(&tracker, best, 6);
    let users: Vec<UserStale> = users.into_values().collect();
    // Of the newest five shares: three of payee 1 with one announcement, two of payee 2 with one.
    assert_eq!(users.len(), 2);
    assert!(users.contains(&UserStale { stale: 1, total: 4 }));
    assert!(users.contains(&UserStale { stale: 1, total: 3 }));
}

#[test]
fn rates_of_six_shares() {
    let (tracker, best) = six();
    assert_eq!(stats::seconds(&tracker, best, 6), Some(150));
    assert_eq!(stats::seconds(&tracker, best, 7), None);
    assert_eq!(stats::attempts_per_second(&tracker, best, 6), Some(10.0 / 150.0));
    let pool = stats::pool_rate(&tracker, best, 720).unwrap();
    assert_eq!(pool, 10.0 / 150.0 / (1.0 - 0.25));
    assert_eq!(stats::pool_rate(&tracker, best, 1), None);
    assert_eq!(stats::pool_rate(&tracker, None, 720), None);
    let seconds = stats::expected_seconds_to_block(CompactBits(0x2100_8000), pool);
    assert_eq!(seconds, 2.0 / pool);
}

#[test]
fn users_have_their_parts_of_the_work() {
    let mut forge = Forge::new(&params());
    let mut chain = forge.chain(None, 3, Terms::default());
    let half = Terms { payee: 2, donation: 32_768, ..Terms::default() };
    chain.push(forge.share(Some(chain[2].hash()), half));
    let mut tracker = tracker_with(&chain);
    let users = stats::users(&mut tracker, Some(chain[3].hash()));
    let mut parts: Vec<f64> = users.iter().map(|(_, part)| *part).collect();
    parts.sort_by(f64::total_cmp);
    assert_eq!(parts, vec![32_767.0 / 65_535.0 / 4.0, 0.75]);
}

#[test]
fn majority_for_an_unknown_share_type_is_noticed() {
    let mut forge = Forge::new(&params());
    let mut chain = forge.chain(None, 3, Terms::default());
    let parent = Some(chain[2].hash());
    chain.extend(forge.chain(parent, 3, Terms { desired_version: 36, ..Terms::default() }));
    let tracker = tracker_with(&chain);
    let vote = leading_vote(&tracker, Some(chain[4].hash())).unwrap();
    assert_eq!(vote, LeadingVote { version: 35, part: 0.6, is_supported: true });
    let vote = leading_vote(&tracker, Some(chain[5].hash())).unwrap();
    assert_eq!(vote.part, 0.5);
    assert!(!vote.is_unsupported_majority());
    let seventh =
        forge.share(Some(chain[5].hash()), Terms { desired_version: 36, ..Terms::default() });
    let mut tracker = tracker;
    add(&mut tracker, &seventh, at(1), 1);
    let vote = leading_vote(&tracker, Some(seventh.hash())).unwrap();
    assert_eq!((vote.version, vote.is_supported), (36, false));
    assert!(vote.is_unsupported_majority());
    assert_eq!(leading_vote(&tracker, None), None);
}

#[test]
fn each_loss_is_announced_once() {
    let mut forge = Forge::new(&params());
    let trunk = forge.chain(None, 4, Terms::default());
    let mut tracker = tracker_with(&trunk);
    let mut own = OwnShares::default();
    own.set_best(&tracker, Some(trunk[3].hash()));
    assert_eq!(own.next_announcement(), StaleInfo::NONE);
    // An own share that another overtakes, and one that was late from the start.
    let lost = forge.share(Some(trunk[3].hash()), Terms::default());
    let late = forge.share(Some(trunk[2].hash()), Terms::default());
    add(&mut tracker, &lost, at(2), 1);
    add(&mut tracker, &late, at(2), 1);
    own.add(lost.hash(), false, StaleInfo::NONE);
    own.add(late.hash(), true, StaleInfo::NONE);
    own.set_best(&tracker, Some(lost.hash()));
    assert_eq!(own.losses(), Losses { made: 2, orphans: 0, dead: 1 });
    let rivals = forge.chain(Some(trunk[3].hash()), 2, Terms::default());
    for share in &rivals {
        add(&mut tracker, share, at(3), 1);
    }
    own.set_best(&tracker, Some(rivals[1].hash()));
    assert_eq!(own.losses(), Losses { made: 2, orphans: 1, dead: 1 });
    // Both are announced, one after the other, the orphan first.
    let mut parent = rivals[1].hash();
    for expected in [StaleInfo::ORPHAN, StaleInfo::DEAD_ON_ARRIVAL, StaleInfo::NONE] {
        let announced = own.next_announcement();
        assert_eq!(announced, expected);
        let terms = Terms { stale_info: announced, ..Terms::default() };
        let share = forge.share(Some(parent), terms);
        add(&mut tracker, &share, at(4), 1);
        own.add(share.hash(), false, announced);
        own.set_best(&tracker, Some(share.hash()));
        parent = share.hash();
    }
    // Pruning changes nothing.
    own.forget(&[lost.hash(), late.hash()]);
    assert_eq!(own.losses(), Losses { made: 5, orphans: 1, dead: 1 });
    assert_eq!(own.next_announcement(), StaleInfo::NONE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Following the best share from fork to fork counts the same as walking its chain.
    #[test]
    fn counting_along_equals_counting_anew(
        plans in prop::collection::vec((0..5_usize, any::<bool>(), any::<bool>(), 0..3_u8), 1..20),
        moves in prop::collection::vec(0..20_usize, 1..20),
    ) {
        let mut forge = Forge::new(&params());
        let mut tracker = Tracker::new(params(), 1);
        let mut own = OwnShares::default();
        let mut made: Vec<(ShareHash, bool, bool)> = Vec::new();
        for (back, is_own, is_dead, announces) in plans {
            let parent = made.len().checked_sub(back + 1).map(|index| made[index].0);
            let stale_info =
                [StaleInfo::NONE, StaleInfo::ORPHAN, StaleInfo::DEAD_ON_ARRIVAL][usize::from(announces)];
            let share = forge.share(parent, Terms { stale_info, ..Terms::default() });
            add(&mut tracker, &share, at(1), 1);
            if is_own {
                own.add(share.hash(), is_dead, stale_info);
            }
            made.push((share.hash(), is_own, is_own && is_dead));
        }
        for step in moves {
            let best = made[step % made.len()].0;
            own.set_best(&tracker, Some(best));
            let chain: Vec<ShareHash> =
                tracker.chain(Some(best)).map(|known| known.share.hash()).collect();
            let lost = made.iter().filter(|(hash, is_own, _)| *is_own && !chain.contains(hash));
            let dead = lost.clone().filter(|(_, _, is_dead)| *is_dead).count() as u64;
            let lost = lost.count() as u64;
            let losses = own.losses();
            prop_assert_eq!((losses.orphans, losses.dead), (lost - dead, dead));
            let announced = |kind| {
                let count = tracker.chain(Some(best)).filter(|known| {
                    let is_own = made.contains(&(known.share.hash(), true, true))
                        || made.contains(&(known.share.hash(), true, false));
                    is_own && known.share.share().info.data.stale_info == kind
                });
                count.count() as u64
            };
            let expected = if lost - dead > announced(StaleInfo::ORPHAN) {
                StaleInfo::ORPHAN
            } else if dead > announced(StaleInfo::DEAD_ON_ARRIVAL) {
                StaleInfo::DEAD_ON_ARRIVAL
            } else {
                StaleInfo::NONE
            };
            prop_assert_eq!(own.next_announcement(), expected);
        }
    }
}
