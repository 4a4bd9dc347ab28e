//! Databases that older versions made, stored as SQL texts, one for each schema but the newest.

use std::path::Path;

use p2pool_sharechain::change::{BlockStatus, ChangeSet, Fate, FoundBlock, Origin};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{DATABASE_FILE, EventRecord, HostBan, SeriesPoint, Step};
use rusqlite::Connection;

use super::{NOW, contents, hash, open};

const OLD: [&str; 5] = [
    include_str!("../data/v1.sql"),
    include_str!("../data/v2.sql"),
    include_str!("../data/v3.sql"),
    include_str!("../data/v4.sql"),
    include_str!("../data/v5.sql"),
];

fn restore(dir: &Path, text: &str) {
    let conn = Connection::open(dir.join(DATABASE_FILE)).expect("new file");
    conn.execute_batch(text).expect("the stored text is sound");
}

fn connect(dir: &Path) -> Connection {
    Connection::open(dir.join(DATABASE_FILE)).expect("the file exists")
}

fn schema_of(conn: &Connection) -> Vec<(String, Option<String>)> {
    let mut statement =
        conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").expect("readable");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

fn version_of(conn: &Connection) -> u32 {
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("readable")
}

#[test]
fn a_migrated_database_has_the_schema_of_a_new_one() {
    let fresh = tempfile::tempdir().unwrap();
    open(fresh.path()).store.close().unwrap();
    let newest = connect(fresh.path());
    assert_eq!(version_of(&newest) as usize, OLD.len() + 1, "a schema has no stored database");

    for (number, text) in (1..).zip(OLD) {
        let dir = tempfile::tempdir().unwrap();
        restore(dir.path(), text);
        assert_eq!(version_of(&connect(dir.path())), number);
        assert!(open(dir.path()).recovered.is_none());
        let migrated = connect(dir.path());
        assert_eq!(version_of(&migrated), version_of(&newest));
        assert_eq!(schema_of(&migrated), schema_of(&newest));
    }
}

#[test]
fn step_1_to_2_keeps_the_chain_and_opens_the_history() {
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), OLD[0]);

    let mut store = open(dir.path()).store;

    let now = contents(&store);
    assert_eq!(now.best, Some(hash(2)));
    assert_eq!(now.shares.len(), 2);
    assert_eq!((now.shares[0].parent, now.shares[0].origin), (None, Origin::Import));
    assert_eq!((now.shares[1].parent, now.shares[1].origin), (Some(hash(1)), Origin::Own));
    assert_eq!((now.shares[0].verified, now.shares[1].verified), (true, false));
    assert_eq!(&*now.shares[1].raw, [0x23, 2, 0xbe, 0xef]);
    assert_eq!((now.own[0].worker.as_str(), now.own[0].fate), ("garage", Fate::InChain));
    assert_eq!((now.blocks[0].height, now.blocks[0].status), (900_001, BlockStatus::Mature));
    assert_eq!(now.blocks[0].payouts, vec![(vec![0x51], 312_500_000), (vec![0x52, 0x53], 7)]);

    let event = EventRecord { at: NOW, kind: "started".into(), json: "{}".into() };
    store.record_events(std::slice::from_ref(&event)).unwrap();
    let point = SeriesPoint {
        name: "hashrate_hps".into(),
        subject: String::new(),
        step: Step::Minute,
        at: UnixTime(1_700_000_040),
        min: 1.0,
        avg: 2.0,
        max: 3.0,
    };
    store.record_series(std::slice::from_ref(&point)).unwrap();
    assert_eq!(store.recent_events(9).unwrap()[0].event, event);
    let read = store.series("hashrate_hps", "", NOW, UnixTime(NOW.0 + 60), Step::Minute);
    assert_eq!(read.unwrap(), vec![point]);
}

#[test]
fn step_2_to_3_keeps_the_history_and_opens_the_store_of_addresses() {
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), OLD[1]);

    let mut store = open(dir.path()).store;

    assert_eq!(contents(&store).best, Some(hash(2)));
    assert_eq!(store.recent_events(9).unwrap()[0].event.kind, "started");
    let read = store.series("hashrate_hps", "", UnixTime(0), NOW, Step::Minute).unwrap();
    assert_eq!(read[0].max, 3.0);
    assert!(store.load_peers().unwrap().is_empty());
    let peer = super::peers::peer(1);
    store.save_peers(std::slice::from_ref(&peer), &[]).unwrap();
    assert_eq!(store.load_peers().unwrap(), [peer]);
}

#[test]
fn step_3_to_4_keeps_addresses_and_opens_the_list_of_bans() {
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), OLD[2]);

    let mut store = open(dir.path()).store;

    assert_eq!(contents(&store).best, Some(hash(2)));
    assert_eq!(store.load_peers().unwrap().len(), 1);
    assert!(store.load_bans(NOW).unwrap().is_empty());
    let ban = HostBan { host: [192, 0, 2, 1].into(), until: UnixTime(NOW.0 + 1) };
    store.save_ban(&ban).unwrap();
    assert_eq!(store.load_bans(NOW).unwrap(), [ban]);
}

#[test]
fn step_4_to_5_keeps_own_shares_and_payments_and_learns_more_of_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), OLD[3]);

    let mut store = open(dir.path()).store;

    let now = contents(&store);
    assert_eq!((now.own[0].fate, now.own[0].place), (Fate::InChain, None));
    let block = &now.blocks[0];
    assert_eq!((block.payouts.len(), block.txid, block.paid_heights), (2, None, None));
    store.add_expected_shares(NOW, 0.5).unwrap();
    let known = ChangeSet {
        own: vec![super::own_share(2)],
        blocks: vec![super::block(2)],
        ..ChangeSet::default()
    };
    store.apply(&known).unwrap();
    let now = contents(&store);
    assert_eq!(now.own, [super::own_share(2)]);
    assert_eq!((now.blocks[0].txid, now.blocks[0].paid_heights), (Some([2; 32]), Some((1, 2))));
}

#[test]
fn step_5_to_6_keeps_blocks_and_learns_where_new_ones_stand() {
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), OLD[4]);

    let mut store = open(dir.path()).store;

    let now = contents(&store);
    assert_eq!((now.blocks[0].txid, now.blocks[0].standing), (Some([7; 32]), None));
    let known = ChangeSet { blocks: vec![super::block(2)], ..ChangeSet::default() };
    store.apply(&known).unwrap();
    assert_eq!(contents(&store).blocks[0].standing, super::block(2).standing);
    let blind = FoundBlock { standing: None, ..super::block(2) };
    store.apply(&ChangeSet { blocks: vec![blind], ..ChangeSet::default() }).unwrap();
    assert_eq!(
        contents(&store).blocks[0].standing,
        super::block(2).standing,
        "once known, it stays"
    );
}
