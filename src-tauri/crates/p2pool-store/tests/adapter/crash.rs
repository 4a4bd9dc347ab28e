//! The process dies: the files are taken as they lie while the store is still open.

use std::fs;
use std::path::Path;

use p2pool_sharechain::change::ChangeSet;
use p2pool_store::{DATABASE_FILE, Store};

use super::{block, contents, one_share, open, own_share};

/// Copies what a crash leaves behind: the file and its log, not the shared memory.
fn leave_behind(store: &Store, to: &Path) {
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", store.path().display());
        fs::copy(from, to.join(format!("{DATABASE_FILE}{suffix}"))).expect("both files exist");
    }
}

#[test]
fn nothing_that_was_applied_is_lost_in_a_crash() {
    let (dir, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = open(dir.path()).store;
    for number in 1..=20 {
        let mut changes = one_share(number);
        changes.own.push(own_share(number));
        changes.blocks.push(block(number));
        store.apply(&changes).unwrap();
    }
    leave_behind(&store, after.path());

    let reopened = open(after.path());
    assert!(reopened.recovered.is_none());
    assert_eq!(contents(&reopened.store), contents(&store));
}

#[test]
fn a_torn_log_costs_whole_change_sets_from_the_end() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).store.close().unwrap();
    let mut store = open(dir.path()).store;
    for number in 1..=5 {
        let mut changes = one_share(number);
        changes.own.push(own_share(number));
        store.apply(&changes).unwrap();
    }
    let log = format!("{}-wal", store.path().display());
    let whole = fs::metadata(log).unwrap().len();

    let mut seen = Vec::new();
    for twelfth in 0..=12 {
        let after = tempfile::tempdir().unwrap();
        leave_behind(&store, after.path());
        let torn = fs::File::options()
            .write(true)
            .open(after.path().join(format!("{DATABASE_FILE}-wal")))
            .unwrap();
        torn.set_len(whole * twelfth / 12).unwrap();
        drop(torn);

        let survived = contents(&open(after.path()).store);
        let count = survived.shares.len();
        assert_eq!(survived.own.len(), count, "a change set was split");
        assert_eq!(survived.best, survived.shares.last().map(|share| share.hash));
        seen.push(count);
    }
    assert!(seen.is_sorted());
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&5)));
}

#[test]
fn a_store_dropped_without_closing_frees_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.apply(&one_share(1)).unwrap();
    drop(store);
    assert_eq!(contents(&open(dir.path()).store).shares.len(), 1);
}

#[test]
fn a_failed_change_set_leaves_no_part_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.apply(&one_share(1)).unwrap();
    let before = contents(&store);
    let blocker = rusqlite::Connection::open(store.path()).unwrap();
    blocker
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON own_shares BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();

    let mut changes = one_share(2);
    changes.own.push(own_share(2));
    assert!(store.apply(&changes).is_err());
    assert_eq!(contents(&store), before);

    blocker.execute_batch("DROP TRIGGER refuse").unwrap();
    store.apply(&changes).unwrap();
    assert_eq!(contents(&store).shares.len(), 2);
    store.apply(&ChangeSet::default()).unwrap();
}
