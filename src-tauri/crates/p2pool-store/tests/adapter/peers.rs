use std::net::{Ipv6Addr, SocketAddr};

use p2pool_sharechain::time::UnixTime;
use p2pool_store::{DATABASE_FILE, HostBan, PeerAddress};

use super::{NOW, open};

/// Every second one is hearsay, on IPv6.
pub(super) fn peer(number: u8) -> PeerAddress {
    let is_hearsay = number.is_multiple_of(2);
    PeerAddress {
        address: if is_hearsay {
            SocketAddr::from((Ipv6Addr::from([number; 16]), 9333))
        } else {
            SocketAddr::from(([192, 0, 2, number], 9333))
        },
        services: u64::MAX - u64::from(number),
        first_seen: UnixTime(NOW.0 - 100),
        last_seen: UnixTime(NOW.0 - u64::from(number)),
        proven_at: (!is_hearsay).then_some(NOW),
        last_try: is_hearsay.then_some(NOW),
        failures: u32::from(number),
        source: is_hearsay.then(|| [198, 51, 100, number].into()),
    }
}

#[test]
fn addresses_come_back_changed_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.save_peers(&[peer(1), peer(2), peer(3)], &[]).unwrap();
    let changed = PeerAddress { failures: 9, ..peer(2) };
    store.save_peers(std::slice::from_ref(&changed), &[peer(3).address]).unwrap();
    store.close().unwrap();

    assert_eq!(open(dir.path()).store.load_peers().unwrap(), [peer(1), changed]);
}

#[test]
fn rows_that_make_no_sense_cost_only_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.save_peers(&[peer(1)], &[]).unwrap();
    store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    conn.execute_batch(
        "INSERT INTO peers VALUES ('nonsense', 0, 1, 1, NULL, NULL, 0, NULL);
         INSERT INTO peers VALUES ('192.0.2.9:1', 0, -5, 1, NULL, NULL, 0, NULL);",
    )
    .unwrap();
    drop(conn);

    assert_eq!(open(dir.path()).store.load_peers().unwrap(), [peer(1)]);
}

#[test]
fn bans_come_back_until_they_are_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let ban = |number: u8, secs: u64| HostBan {
        host: [192, 0, 2, number].into(),
        until: UnixTime(NOW.0 + secs),
    };
    for ban in [ban(1, 60), ban(2, 10), ban(3, 90), ban(1, 80), ban(3, 0)] {
        store.save_ban(&ban).unwrap();
    }
    store.close().unwrap();

    let store = open(dir.path()).store;
    assert_eq!(store.load_bans(NOW).unwrap(), [ban(1, 80), ban(2, 10)]);
    assert_eq!(store.load_bans(UnixTime(NOW.0 + 10)).unwrap(), [ban(1, 80)]);
}

#[test]
fn bans_that_make_no_sense_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    conn.execute("INSERT INTO bans VALUES ('nonsense', 9000000000)", []).unwrap();
    drop(conn);
    assert!(open(dir.path()).store.load_bans(NOW).unwrap().is_empty());
}
