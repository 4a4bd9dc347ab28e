use std::fs;

use p2pool_store::{DATABASE_FILE, OpenError, Store};

use super::{NETWORK, NOW, open};

#[test]
fn a_missing_folder_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b/c");
    assert!(open(&deep).recovered.is_none());
    assert!(deep.join(DATABASE_FILE).exists());
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let second = Store::open(dir.path(), NETWORK, "0.1.0", NOW);
    assert!(matches!(second, Err(OpenError::Locked { .. })), "{second:?}");
    drop(first);
    open(dir.path());
}

#[test]
fn an_unwritable_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let below = file.join("data");
    let Err(OpenError::Unwritable { path, .. }) = Store::open(&below, NETWORK, "0.1.0", NOW) else {
        panic!("opened below a file");
    };
    assert_eq!(path, below);
}

#[test]
fn a_database_that_is_a_folder_is_unwritable() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(DATABASE_FILE)).unwrap();
    let result = Store::open(dir.path(), NETWORK, "0.1.0", NOW);
    assert!(matches!(result, Err(OpenError::Unwritable { .. })), "{result:?}");
}

#[test]
fn a_database_of_another_network_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path(), "bitcoin-fc70", "0.1.0", NOW).unwrap().store.close().unwrap();
    let before = fs::read(dir.path().join(DATABASE_FILE)).unwrap();

    let Err(OpenError::OtherNetwork { found, wanted }) =
        Store::open(dir.path(), NETWORK, "0.1.0", NOW)
    else {
        panic!("another network's database was opened");
    };
    assert_eq!((found.as_str(), wanted.as_str()), ("bitcoin-fc70", NETWORK));
    assert_eq!(fs::read(dir.path().join(DATABASE_FILE)).unwrap(), before);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    conn.pragma_update(None, "user_version", 9999).unwrap();
    drop(conn);
    let result = Store::open(dir.path(), NETWORK, "0.1.0", NOW);
    assert!(matches!(result, Err(OpenError::TooNew { found: 9999, .. })), "{result:?}");
}

#[test]
fn another_program_s_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    conn.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(conn);
    let before = fs::read(dir.path().join(DATABASE_FILE)).unwrap();
    let result = Store::open(dir.path(), NETWORK, "0.1.0", NOW);
    assert!(matches!(result, Err(OpenError::Foreign { .. })), "{result:?}");
    assert_eq!(fs::read(dir.path().join(DATABASE_FILE)).unwrap(), before);
}

#[test]
fn the_last_version_to_open_it_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).store.close().unwrap();
    Store::open(dir.path(), NETWORK, "0.2.0", NOW).unwrap().store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    let version: String = conn
        .query_row("SELECT value FROM meta WHERE key = 'app_version'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, "0.2.0");
}

#[test]
fn a_log_lies_beside_the_file_until_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    assert!(dir.path().join(format!("{DATABASE_FILE}-wal")).exists());
    let path = store.path().to_owned();
    store.close().unwrap();
    assert!(path.exists());
    assert!(!dir.path().join(format!("{DATABASE_FILE}-wal")).exists(), "closing leaves one file");
}
