//! Payments page by page, and own shares day by day.

use p2pool_sharechain::change::{BlockStatus, ChangeSet, Fate, FoundBlock, OwnShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::PayingBlocks;

use super::{NOW, block, hash, open, own_share};

#[test]
fn payments_are_read_page_by_page_and_summed_day_by_day() {
    const DAY: u64 = 86_400;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let found = |number: u8, days: u64, status| FoundBlock {
        status,
        found_at: UnixTime(NOW.0 + days * DAY),
        payouts: vec![(vec![0x51], 5), (vec![0x52], 100), (vec![0x51], 7)],
        ..block(number)
    };
    let blocks = vec![
        found(1, 0, BlockStatus::Mature),
        found(2, 0, BlockStatus::Accepted),
        found(3, 2, BlockStatus::Orphaned),
        found(4, 2, BlockStatus::Accepted),
    ];
    store.apply(&ChangeSet { blocks, ..ChangeSet::default() }).unwrap();

    let history = store.history().unwrap();
    assert_eq!(history.block_count().unwrap(), 4);
    let page = history.blocks_page(1, 2).unwrap();
    assert_eq!(page.iter().map(|block| block.hash).collect::<Vec<_>>(), [hash(3), hash(2)]);
    assert_eq!((page[0].payouts.len(), page[0].txid, &page[0].raw), (3, Some([3; 32]), &None));
    let days = history.paid_days(&[0x51]).unwrap();
    let sums: Vec<_> = days.iter().map(|day| (day.blocks, day.sats)).collect();
    assert_eq!(sums, [(1, 12), (2, 24)]);
    assert_eq!(days[1].day, UnixTime(NOW.0 - NOW.0 % DAY));

    // Block n pays the shares of heights 1 to n; the third has lost its place.
    let paid = |height| history.blocks_that_paid(height).unwrap();
    assert_eq!(paid(3), Some(PayingBlocks { blocks: 1, height: 900_004 }));
    assert_eq!(paid(2), Some(PayingBlocks { blocks: 2, height: 900_002 }));
    assert_eq!(paid(5), None);
}

#[test]
fn own_shares_are_counted_day_by_day_beside_those_expected() {
    const DAY: u64 = 86_400;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let own = |number: u8, days: u64, fate| OwnShare {
        fate,
        found_at: UnixTime(NOW.0 + days * DAY),
        ..own_share(number)
    };
    let shares = vec![
        own(1, 0, Fate::InChain),
        own(2, 0, Fate::Orphan),
        own(3, 1, Fate::Dead),
        own(4, 1, Fate::Open),
    ];
    store.apply(&ChangeSet { own: shares, ..ChangeSet::default() }).unwrap();
    for (at, shares) in [(NOW.0, 0.25), (NOW.0 + 60, 0.5), (NOW.0 + DAY, 1.0)] {
        store.add_expected_shares(UnixTime(at), shares).unwrap();
    }
    assert!(store.add_expected_shares(NOW, f64::NAN).is_err());
    assert!(store.add_expected_shares(NOW, -1.0).is_err());

    let history = store.history().unwrap();
    let first = NOW.0 - NOW.0 % DAY;
    let days = history.own_share_days().unwrap();
    let counts: Vec<_> = days.iter().map(|day| (day.day.0, day.found, day.late)).collect();
    assert_eq!(counts, [(first + DAY, 2, 1), (first, 2, 1)]);
    let expected = [(UnixTime(first + DAY), 1.0), (UnixTime(first), 0.75)];
    assert_eq!(history.expected_share_days().unwrap(), expected);
    let page = history.own_shares_page(1, 2).unwrap();
    assert_eq!(page.iter().map(|own| own.hash).collect::<Vec<_>>(), [hash(3), hash(2)]);
    assert_eq!(history.last_good_share(UnixTime(NOW.0 - 1)).unwrap(), None);
    assert_eq!(
        history.last_good_share(UnixTime(NOW.0 + 2 * DAY)).unwrap(),
        Some(UnixTime(NOW.0 + DAY))
    );
}
