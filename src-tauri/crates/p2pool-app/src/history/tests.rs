//! History read back from a real database.

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::{ChangeSet, OwnShare};
use p2pool_store::{EventRecord, Retention, Store};

use super::*;

const HOUR: u64 = 3_600;
/// A whole number of days, so that every step begins here.
const END: u64 = 20_000 * 86_400;

struct Database {
    _dir: tempfile::TempDir,
    store: Store,
}

impl Database {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "net", "0.1.0", UnixTime(END)).unwrap().store;
        Self { _dir: dir, store }
    }

    fn path(&self) -> &Path {
        self.store.path()
    }

    /// Records a rate for each minute of a time, a tenth of it late.
    fn record(&mut self, from: u64, to: u64, hps: f64) {
        let point = |name: &str, at, avg| p2pool_store::SeriesPoint {
            name: name.into(),
            subject: String::new(),
            step: Step::Minute,
            at: UnixTime(at),
            min: avg,
            avg,
            max: avg,
        };
        for at in (from..to).step_by(60) {
            let points = [point("hashrate", at, hps), point("late", at, 0.1)];
            self.store.record_series(&points).unwrap();
        }
    }

    fn tell(&mut self, at: u64, kind: &str, json: &str) {
        let record = EventRecord { at: UnixTime(at), kind: kind.into(), json: json.into() };
        self.store.record_events(&[record]).unwrap();
    }
}

fn point(at: u64, hps: f64) -> SeriesPoint {
    let mine_hps = Some(hps);
    let (low_hps, high_hps, late_hps) = (mine_hps, mine_hps, Some(hps / 10.0));
    SeriesPoint { at: UnixSeconds(at), mine_hps, low_hps, high_hps, late_hps }
}

fn rounded(points: Vec<SeriesPoint>) -> Vec<SeriesPoint> {
    let rounded = |hps: f64| (hps * 1e6).round() / 1e6;
    let round = |point: SeriesPoint| SeriesPoint {
        mine_hps: point.mine_hps.map(rounded),
        late_hps: point.late_hps.map(rounded),
        ..point
    };
    points.into_iter().map(round).collect()
}

#[test]
fn range_of_coarse_points_ends_with_what_is_not_yet_made_coarse() {
    let mut database = Database::new();
    database.record(END - 3_000, END - 1_200, 10.0);
    let rolled = UnixTime(END - 600);
    database.store.roll_up_and_prune(rolled, &Retention::default()).unwrap();
    database.record(END - 1_200, END - 600, 20.0);
    database.record(END - 600, END - 300, 40.0);

    let read = range(database.path(), ChartRange::Hours24, UnixSeconds(END)).unwrap();

    let rates = [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 40.0];
    let expected: Vec<_> =
        (0_u64..).zip(rates).map(|(index, hps)| point(END - 3_000 + index * 300, hps)).collect();
    assert_eq!(rounded(read), expected);
}

#[test]
fn coarse_bucket_of_minutes_is_their_mean() {
    let mut database = Database::new();
    database.record(END - HOUR, END - HOUR + 900, 10.0);
    database.record(END - HOUR + 900, END - HOUR + 1_800, 30.0);
    let read = range(database.path(), ChartRange::Days7, UnixSeconds(END)).unwrap();
    let extremes =
        SeriesPoint { low_hps: Some(10.0), high_hps: Some(30.0), ..point(END - HOUR, 20.0) };
    assert_eq!(rounded(read), [extremes]);
}

#[test]
fn last_hour_before_a_start_is_as_fine_as_the_chart_and_data_are_as_old_as_the_oldest() {
    let mut database = Database::new();
    database.record(END - 5 * HOUR, END - 5 * HOUR + 60, 7.0);
    database.record(END - 120, END - 60, 10.0);
    let past = past(database.path(), UnixSeconds(END)).unwrap();
    let expected: Vec<_> = (0..6).map(|index| point(END - 120 + index * 10, 10.0)).collect();
    assert_eq!(rounded(past.last_hour), expected);
    assert_eq!(past.data_since, Some(UnixSeconds(END - 5 * HOUR)));
}

#[test]
fn earlier_runs_leave_their_lines_and_pauses() {
    let mut database = Database::new();
    let hash = ShareHash::from_internal([7; 32]);
    database.tell(END - 90, "mining_started", "{}");
    database.tell(END - 80, "best_share", "{}");
    database.tell(END - 70, "mining_paused", "{}");
    database.tell(END - 60, "mining_started", "{}");
    let found = format!(r#"{{"hash":"{hash}","worker":"cpu","is_on_time":true}}"#);
    database.tell(END - 50, "share_found", &found);
    database.tell(END - 40, "mining_paused", "[7]");
    database.tell(END + 10, "mining_paused", "{}");

    let past = past(database.path(), UnixSeconds(END)).unwrap();

    let lines: Vec<_> = past.tales.iter().map(|(_, at, tale)| (END - at.0, tale)).collect();
    let expected = [
        (50, &Tale::ShareFound { hash, is_on_time: true }),
        (60, &Tale::MiningStarted),
        (70, &Tale::MiningPaused),
        (90, &Tale::MiningStarted),
    ];
    assert_eq!(lines, expected);
    let pause = PauseSpan { from: UnixSeconds(END - 70), to: Some(UnixSeconds(END - 60)) };
    assert_eq!(past.pauses, [pause]);
}

#[test]
fn late_shares_of_a_time_are_those_that_lost() {
    let mut database = Database::new();
    let own = |number, found_at, fate| OwnShare {
        hash: ShareHash::from_internal([number; 32]),
        worker: "cpu".into(),
        found_at: UnixTime(found_at),
        fate,
        place: None,
    };
    let shares = vec![
        own(1, END - 500, Fate::Dead),
        own(2, END - 90, Fate::InChain),
        own(3, END - 80, Fate::Orphan),
        own(4, END - 70, Fate::Open),
        own(5, END - 60, Fate::Dead),
    ];
    database.store.apply(&ChangeSet { own: shares, ..ChangeSet::default() }).unwrap();
    let read = late_shares(database.path(), UnixSeconds(END - 100), UnixSeconds(END)).unwrap();
    assert_eq!(read, [UnixSeconds(END - 60), UnixSeconds(END - 80)]);
}

#[test]
fn missing_database_is_an_answer_not_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.sqlite");
    assert!(past(&path, UnixSeconds(END)).is_err());
    assert!(!path.exists());
}
