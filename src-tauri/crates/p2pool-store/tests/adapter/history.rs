use p2pool_sharechain::change::{BlockStatus, ChangeSet, FoundBlock};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{EventRecord, PayoutRow, Retention, SeriesPoint, Step, Store, StoreError};

use super::{block, hash, one_share, open, own_share};

/// A day's first second.
const MIDNIGHT: u64 = 19_675 * 86_400;
const FOREVER: (UnixTime, UnixTime) = (UnixTime(0), UnixTime(u64::MAX));

fn point(subject: &str, step: Step, at: u64, avg: f64) -> SeriesPoint {
    SeriesPoint {
        name: "hashrate_hps".into(),
        subject: subject.into(),
        step,
        at: UnixTime(at),
        min: avg - 1.0,
        avg,
        max: avg + 1.0,
    }
}

fn event(number: u64) -> EventRecord {
    EventRecord {
        at: UnixTime(MIDNIGHT + number),
        kind: "share_found".into(),
        json: format!("{{\"number\":{number}}}"),
    }
}

fn all(store: &Store, subject: &str, step: Step) -> Vec<SeriesPoint> {
    store.series("hashrate_hps", subject, FOREVER.0, FOREVER.1, step).expect("readable")
}

#[test]
fn points_are_kept_by_name_subject_and_step() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let first = point("rig", Step::Minute, MIDNIGHT, 5.0);
    let second = point("rig", Step::Minute, MIDNIGHT + 60, 7.0);
    let other = point("other", Step::Minute, MIDNIGHT, 9.0);
    // Inside a minute: counts as its start, and replaces what was there.
    let again = point("rig", Step::Minute, MIDNIGHT + 119, 8.0);
    store.record_series(&[second, first.clone(), other.clone(), again]).unwrap();

    let replaced = point("rig", Step::Minute, MIDNIGHT + 60, 8.0);
    assert_eq!(all(&store, "rig", Step::Minute), vec![first, replaced.clone()]);
    assert_eq!(all(&store, "other", Step::Minute), vec![other]);
    assert_eq!(all(&store, "rig", Step::FiveMinutes), vec![]);
    let late = store.series(
        "hashrate_hps",
        "rig",
        UnixTime(MIDNIGHT + 60),
        UnixTime(MIDNIGHT + 60),
        Step::Minute,
    );
    assert_eq!(late.unwrap(), vec![replaced]);
}

#[test]
fn a_value_that_is_no_number_is_refused_with_its_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let batch =
        [point("a", Step::Minute, MIDNIGHT, 1.0), point("b", Step::Minute, MIDNIGHT, f64::NAN)];
    assert!(matches!(store.record_series(&batch), Err(StoreError::NotFinite { .. })));
    assert_eq!(all(&store, "a", Step::Minute), vec![]);
}

#[test]
fn minutes_become_coarser_points_up_to_days() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let minutes: Vec<_> = (0..1440)
        .map(|minute| point("rig", Step::Minute, MIDNIGHT + minute * 60, minute as f64))
        .collect();
    store.record_series(&minutes).unwrap();

    let next_day = UnixTime(MIDNIGHT + 86_400 + 120);
    store.roll_up_and_prune(next_day, &Retention::default()).unwrap();

    let five = all(&store, "rig", Step::FiveMinutes);
    assert_eq!(five.len(), 288);
    assert_eq!(
        (five[1].at.0, five[1].min, five[1].avg, five[1].max),
        (MIDNIGHT + 300, 4.0, 7.0, 10.0)
    );
    assert_eq!(all(&store, "rig", Step::HalfHour).len(), 48);
    assert_eq!(all(&store, "rig", Step::TwoHours).len(), 12);
    let day = all(&store, "rig", Step::Day);
    assert_eq!((day.len(), day[0].at.0), (1, MIDNIGHT));
    assert_eq!((day[0].min, day[0].avg, day[0].max), (-1.0, 719.5, 1440.0));
}

#[test]
fn a_coarse_point_waits_for_its_end_and_is_not_made_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let minutes: Vec<_> =
        (0..5).map(|minute| point("rig", Step::Minute, MIDNIGHT + minute * 60, 4.0)).collect();
    store.record_series(&minutes).unwrap();

    store.roll_up_and_prune(UnixTime(MIDNIGHT + 300), &Retention::default()).unwrap();
    assert_eq!(all(&store, "rig", Step::FiveMinutes), vec![], "late minutes may still come");
    store.roll_up_and_prune(UnixTime(MIDNIGHT + 420), &Retention::default()).unwrap();
    let made = vec![point("rig", Step::FiveMinutes, MIDNIGHT, 4.0)];
    assert_eq!(all(&store, "rig", Step::FiveMinutes), made);

    // Two of the five minutes grow too old: the coarse point stays what it was.
    let mut retention = Retention::default();
    retention.series[0] = std::time::Duration::from_secs(600);
    store.roll_up_and_prune(UnixTime(MIDNIGHT + 720), &retention).unwrap();
    assert_eq!(all(&store, "rig", Step::Minute).len(), 3);
    store.roll_up_and_prune(UnixTime(MIDNIGHT + 721), &retention).unwrap();
    assert_eq!(all(&store, "rig", Step::FiveMinutes), made);
}

#[test]
fn history_goes_on_after_the_clock_was_set_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let years_ahead = UnixTime(MIDNIGHT + 3 * 365 * 86_400);
    store.roll_up_and_prune(years_ahead, &Retention::default()).unwrap();
    store.roll_up_and_prune(UnixTime(MIDNIGHT), &Retention::default()).unwrap();

    store.record_series(&[point("rig", Step::Minute, MIDNIGHT + 60, 4.0)]).unwrap();
    store.roll_up_and_prune(UnixTime(MIDNIGHT + 420), &Retention::default()).unwrap();
    assert_eq!(all(&store, "rig", Step::FiveMinutes).len(), 1);
}

#[test]
fn old_points_and_events_go_own_shares_and_blocks_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.record_series(&[point("rig", Step::Minute, MIDNIGHT, 4.0)]).unwrap();
    store.record_events(&[event(0)]).unwrap();
    store
        .apply(&ChangeSet {
            own: vec![own_share(1)],
            blocks: vec![block(1)],
            ..ChangeSet::default()
        })
        .unwrap();

    store.roll_up_and_prune(UnixTime(MIDNIGHT + 400 * 86_400), &Retention::default()).unwrap();
    assert_eq!(all(&store, "rig", Step::Minute), vec![]);
    assert_eq!(all(&store, "rig", Step::Day).len(), 1);
    assert_eq!(store.recent_events(9).unwrap(), vec![]);

    store.roll_up_and_prune(UnixTime(MIDNIGHT + 4000 * 86_400), &Retention::default()).unwrap();
    assert_eq!(all(&store, "rig", Step::Day), vec![]);
    assert_eq!(store.load_own_shares(9).unwrap().len(), 1);
    assert_eq!(store.load_blocks(9).unwrap().len(), 1);
}

#[test]
fn events_beyond_the_limit_go_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.record_events(&(0..10).map(event).collect::<Vec<_>>()).unwrap();
    let retention = Retention { events_max: 4, ..Retention::default() };
    store.roll_up_and_prune(UnixTime(MIDNIGHT + 60), &retention).unwrap();
    let left: Vec<_> =
        store.recent_events(9).unwrap().into_iter().map(|stored| stored.event).collect();
    assert_eq!(left, (6..10).rev().map(event).collect::<Vec<_>>());
}

#[test]
fn events_are_paged_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    store.record_events(&(0..5).map(event).collect::<Vec<_>>()).unwrap();

    let history = store.history().unwrap();
    let first = history.events(None, 3).unwrap();
    assert_eq!(
        first.iter().map(|stored| &stored.event).collect::<Vec<_>>(),
        [&event(4), &event(3), &event(2)]
    );
    let second = history.events(Some(first[2].seq), 3).unwrap();
    assert_eq!(
        second.iter().map(|stored| &stored.event).collect::<Vec<_>>(),
        [&event(1), &event(0)]
    );
}

#[test]
fn an_event_that_is_no_json_is_refused_with_its_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let broken = EventRecord { json: "{".into(), ..event(2) };
    assert!(store.record_events(&[event(1), broken]).is_err());
    assert_eq!(store.recent_events(9).unwrap(), vec![]);
}

#[test]
fn a_reader_sees_what_is_written_after_it_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let history = store.history().unwrap();
    store.apply(&ChangeSet { own: (1..=3).map(own_share).collect(), ..one_share(1) }).unwrap();
    let found = history.own_shares(own_share(2).found_at, FOREVER.1, 10).unwrap();
    assert_eq!(found, vec![own_share(3), own_share(2)]);
    assert_eq!(history.own_shares(FOREVER.0, FOREVER.1, 1).unwrap(), vec![own_share(3)]);
}

#[test]
fn payouts_of_a_script_are_summed_by_block() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).store;
    let twice = FoundBlock {
        status: BlockStatus::Accepted,
        payouts: vec![(vec![0x51], 5), (vec![0x52], 100), (vec![0x51], 7)],
        ..block(2)
    };
    store.apply(&ChangeSet { blocks: vec![block(1), twice], ..ChangeSet::default() }).unwrap();

    let history = store.history().unwrap();
    let row = |number: u8, status, sats| PayoutRow {
        block: hash(number),
        height: block(number).height,
        found_at: block(number).found_at,
        status,
        sats,
    };
    let first = row(1, BlockStatus::Submitting, 500_000);
    assert_eq!(
        history.payouts_to(&[0x51], 9).unwrap(),
        vec![row(2, BlockStatus::Accepted, 12), first]
    );
    assert_eq!(history.payouts_to(&[0x99], 9).unwrap(), vec![]);
    assert_eq!(history.blocks(1).unwrap()[0].hash, hash(2));
}
