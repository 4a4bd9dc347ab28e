use p2pool_sharechain::change::{BlockStatus, ChangeSet, Fate, FoundBlock, Origin, StoredShare};

use super::{Contents, block, contents, hash, one_share, open, own_share, share};

#[test]
fn what_was_stored_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let imported = StoredShare { parent: None, origin: Origin::Import, verified: true, ..share(1) };
    let changes = ChangeSet {
        added: vec![share(3), StoredShare { origin: Origin::Own, ..share(2) }, imported.clone()],
        verified: vec![hash(2)],
        removed: vec![],
        best: Some(hash(2)),
        own: vec![own_share(2)],
        blocks: vec![block(2)],
    };

    let mut store = open(dir.path()).store;
    store.apply(&changes).unwrap();
    store.close().unwrap();

    let second = StoredShare { origin: Origin::Own, verified: true, ..share(2) };
    let wanted = Contents {
        shares: vec![imported, second, share(3)],
        own: vec![own_share(2)],
        blocks: vec![block(2)],
        best: Some(hash(2)),
    };
    assert_eq!(contents(&open(dir.path()).store), wanted);
}

#[test]
fn shares_come_lowest_first_over_many_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let added = (0_u32..2000)
        .map(|number| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            StoredShare {
                hash: p2pool_sharechain::hash::ShareHash::from_internal(bytes),
                // Many of the same height, scattered, the highest possible among them.
                abs_height: if number == 7 { u32::MAX } else { number * 37 % 101 },
                ..share(0)
            }
        })
        .collect();
    store.apply(&ChangeSet { added, ..ChangeSet::default() }).unwrap();

    let heights: Vec<_> = store.load_shares().map(|share| share.unwrap().abs_height).collect();
    assert_eq!(heights.len(), 2000);
    assert!(heights.is_sorted());
    assert_eq!(heights.last(), Some(&u32::MAX));
}

#[test]
fn removed_shares_stay_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.apply(&one_share(1)).unwrap();
    store.apply(&one_share(2)).unwrap();
    store.apply(&ChangeSet { removed: vec![hash(1), hash(9)], ..ChangeSet::default() }).unwrap();
    assert_eq!(contents(&store).shares, vec![share(2)]);
}

#[test]
fn a_later_fate_and_a_later_status_replace_the_earlier() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let mut lost = own_share(1);
    store
        .apply(&ChangeSet {
            own: vec![lost.clone()],
            blocks: vec![block(1)],
            ..ChangeSet::default()
        })
        .unwrap();
    lost.fate = Fate::Orphan;
    let refused = FoundBlock {
        status: BlockStatus::Rejected,
        reason: Some("bad-cb-amount".to_owned()),
        ..block(1)
    };
    store
        .apply(&ChangeSet {
            own: vec![lost.clone()],
            blocks: vec![refused.clone()],
            ..ChangeSet::default()
        })
        .unwrap();

    let now = contents(&store);
    assert_eq!(now.own, vec![lost]);
    assert_eq!(now.blocks, vec![FoundBlock { raw: None, ..refused }]);
}

#[test]
fn a_block_s_bytes_and_payouts_outlive_a_status_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.apply(&ChangeSet { blocks: vec![block(1)], ..ChangeSet::default() }).unwrap();
    let accepted =
        FoundBlock { status: BlockStatus::Accepted, raw: None, payouts: vec![], ..block(1) };
    store.apply(&ChangeSet { blocks: vec![accepted], ..ChangeSet::default() }).unwrap();

    let history = store.history().unwrap();
    assert_eq!(history.block_bytes(hash(1)).unwrap().as_deref(), Some(&[0xb0, 1][..]));
    assert_eq!(history.payouts(hash(1)).unwrap(), block(1).payouts);
    assert_eq!(contents(&store).blocks[0].status, BlockStatus::Accepted);
}

#[test]
fn an_absurd_amount_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let absurd = FoundBlock { payouts: vec![(vec![0x51], u64::MAX)], ..block(1) };
    store.apply(&ChangeSet { blocks: vec![absurd], ..ChangeSet::default() }).unwrap();
    assert_eq!(contents(&store).blocks[0].payouts[0].1, i64::MAX.unsigned_abs());
}

#[test]
fn only_the_newest_own_shares_and_blocks_are_loaded_when_so_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store
        .apply(&ChangeSet {
            own: (1..=5).map(own_share).collect(),
            blocks: (1..=5).map(block).collect(),
            ..ChangeSet::default()
        })
        .unwrap();
    assert_eq!(store.load_own_shares(2).unwrap(), vec![own_share(4), own_share(5)]);
    assert_eq!(store.load_blocks(2).unwrap(), vec![block(4), block(5)]);
}
