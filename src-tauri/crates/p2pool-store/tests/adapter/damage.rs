use std::fs;
use std::path::Path;
use std::sync::Arc;

use p2pool_sharechain::change::{BlockStatus, ChangeSet, FoundBlock, OwnShare, StoredShare};
use p2pool_sharechain::hash::ShareHash;
use p2pool_store::{DATABASE_FILE, OpenError, Store};

use super::{NOW, block, contents, hash, one_share, open, own_share, share};

const PAGE_BYTES: usize = 4096;

fn numbered(number: u16) -> ShareHash {
    let mut bytes = [0xee; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    ShareHash::from_internal(bytes)
}

/// Breaks the pages that hold `pattern` for which `chosen` says so by their order in the file.
fn break_pages(path: &Path, pattern: &[u8], chosen: impl Fn(usize) -> bool) {
    let mut bytes = fs::read(path).expect("the database exists");
    let mut found = 0;
    for page in bytes.chunks_mut(PAGE_BYTES).skip(1) {
        if page.windows(pattern.len()).any(|window| window == pattern) {
            if chosen(found) {
                page[..200].fill(0x5a);
            }
            found += 1;
        }
    }
    assert!(found > 0, "no page holds the pattern");
    fs::write(path, bytes).expect("the database is writable");
}

fn accepted(number: u8) -> FoundBlock {
    FoundBlock { status: BlockStatus::Accepted, ..block(number) }
}

#[test]
fn a_damaged_file_is_set_aside_and_found_blocks_and_own_shares_are_rescued() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE_FILE);
    let mut store = open(dir.path()).store;
    let raw = Arc::from(vec![0xab; 900]);
    let added = (0..200)
        .map(|number| StoredShare { hash: numbered(number), raw: Arc::clone(&raw), ..share(0) })
        .collect();
    store
        .apply(&ChangeSet {
            added,
            best: Some(numbered(9)),
            own: vec![own_share(1), own_share(2)],
            blocks: vec![block(1), accepted(2)],
            ..ChangeSet::default()
        })
        .unwrap();
    store.close().unwrap();
    break_pages(&path, &[0xab; 64], |_| true);
    let damaged = fs::read(&path).unwrap();

    let opened = open(dir.path());
    let aside = opened.recovered.expect("damage was found");
    assert_eq!(aside, dir.path().join("node.damaged-20231114-221320.sqlite"));
    assert_eq!(fs::read(&aside).unwrap(), damaged);
    let now = contents(&opened.store);
    assert_eq!(now.own, vec![own_share(1), own_share(2)]);
    assert_eq!(now.blocks, vec![block(1), FoundBlock { raw: None, ..accepted(2) }]);
    assert_eq!((now.shares.len(), now.best), (0, None));
    let bytes = opened.store.history().unwrap().block_bytes(hash(2)).unwrap();
    assert_eq!(bytes, Some(vec![0xb0, 2]), "the bytes of settled blocks are rescued too");

    drop(opened.store);
    assert!(open(dir.path()).recovered.is_none(), "the new database is sound");
}

#[test]
fn rows_on_both_sides_of_a_broken_page_are_rescued() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let worker = "w".repeat(100);
    let own = (0..1000)
        .map(|number| OwnShare { hash: numbered(number), worker: worker.clone(), ..own_share(0) })
        .collect();
    store.apply(&ChangeSet { own, ..ChangeSet::default() }).unwrap();
    store.close().unwrap();
    break_pages(&dir.path().join(DATABASE_FILE), worker.as_bytes(), |page| page == 10);

    let opened = open(dir.path());
    assert!(opened.recovered.is_some());
    let rescued: Vec<_> =
        opened.store.load_own_shares(2000).unwrap().iter().map(|share| share.hash).collect();
    assert!(rescued.contains(&numbered(0)) && rescued.contains(&numbered(999)));
    assert!((900..1000).contains(&rescued.len()), "{} of 1000", rescued.len());
}

#[test]
fn a_file_that_is_no_database_at_all_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(DATABASE_FILE), "x".repeat(10_000)).unwrap();
    let mut opened = open(dir.path());
    let aside = opened.recovered.expect("damage was found");
    assert_eq!(fs::read(aside).unwrap(), "x".repeat(10_000).as_bytes());
    opened.store.apply(&one_share(1)).unwrap();
}

#[test]
fn two_damaged_files_of_one_second_get_two_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for _ in 0..2 {
        fs::write(dir.path().join(DATABASE_FILE), "y".repeat(10_000)).unwrap();
        names.extend(open(dir.path()).recovered);
    }
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_damaged_database_of_another_network_is_refused_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE_FILE);
    let mut store = Store::open(dir.path(), "bitcoin-fc70", "0.1.0", NOW).unwrap().store;
    store
        .apply(&ChangeSet {
            added: (0..100)
                .map(|number| StoredShare {
                    hash: numbered(number),
                    raw: Arc::from(vec![0xab; 900]),
                    ..share(0)
                })
                .collect(),
            ..ChangeSet::default()
        })
        .unwrap();
    store.close().unwrap();
    break_pages(&path, &[0xab; 64], |_| true);

    let result = Store::open(dir.path(), super::NETWORK, "0.1.0", NOW);
    assert!(matches!(result, Err(OpenError::OtherNetwork { .. })), "{result:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "database and lock file only");
}
