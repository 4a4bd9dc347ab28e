//! The border as JSON, and the rule by which events keep a snapshot true.

use super::*;

fn snapshot() -> AppSnapshot {
    AppSnapshot::fresh("0.1.0", UnixSeconds(1_000))
}

fn point(at: u64, mine_hps: f64) -> SeriesPoint {
    SeriesPoint { at: UnixSeconds(at), mine_hps: Some(mine_hps), ..SeriesPoint::default() }
}

fn json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn overall_state_is_tagged_with_the_names_of_the_design() {
    let waiting = OverallState::WaitingMiner { miner_url: None };
    assert_eq!(json(&waiting), serde_json::json!({ "state": "waiting_miner", "minerUrl": null }));
    assert_eq!(json(&OverallState::FirstShare), serde_json::json!({ "state": "first_share" }));
}

#[test]
fn problem_codes_travel_as_catalogue_codes() {
    assert_eq!(json(&ProblemCode::HelperBlocked), "E-CPU-01");
    let error = UiError::new(ProblemCode::PortInUse, "os error 98").with("port", "19332");
    assert_eq!(
        json(&error),
        serde_json::json!({
            "code": "S-01", "values": { "port": "19332" }, "technical": "os error 98"
        })
    );
}

#[test]
fn requests_parse_from_what_the_window_sends() {
    let parse = |text: &str| serde_json::from_str::<AppRequest>(text);
    assert_eq!(
        parse(r#"{"kind":"enterPractice","keepsLive":true}"#).unwrap(),
        AppRequest::EnterPractice { keeps_live: true }
    );
    assert_eq!(
        parse(r#"{"kind":"showRange","range":"hours6"}"#).unwrap(),
        AppRequest::ShowRange { range: ChartRange::Hours6 }
    );
    assert!(parse(r#"{"kind":"sendAllCoins"}"#).is_err());
    assert!(parse(r#"{"kind":"tryAgain","problem":-1}"#).is_err());
}

#[test]
fn outside_opens_nothing_but_what_is_named() {
    let parse = |text: &str| serde_json::from_str::<Outside>(text);
    let txid = "ab".repeat(32);
    let known = parse(&format!(r#"{{"transaction":{{"txid":"{txid}"}}}}"#)).unwrap();
    assert_eq!(json(&known), serde_json::json!({ "transaction": { "txid": txid } }));
    assert!(parse(r#"{"transaction":{"txid":"../evil"}}"#).is_err());
    assert!(parse(r#""https://example.org""#).is_err());
}

#[test]
fn contents_of_files_stay_out_of_the_log() {
    let text = "1234567890".to_owned();
    let request =
        AppRequest::SaveFile { name: "x.csv".into(), content: FileContent::Text { text } };
    assert!(!format!("{request:?}").contains("1234567890"));
}

#[test]
fn amounts_and_times_are_plain_numbers() {
    assert_eq!(json(&Sats(2_100_000_000_000_000)), 2_100_000_000_000_000_u64);
    assert_eq!(json(&UnixSeconds(7)), 7);
}

#[test]
fn snapshot_and_events_survive_a_round_trip() {
    let event = AppEvent { seq: 4, change: Change::All(Box::new(snapshot())) };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<AppEvent>(&text).unwrap(), event);
}

#[test]
fn event_replaces_its_section_and_moves_seq() {
    let mut snapshot = snapshot();
    snapshot.apply(AppEvent { seq: 1, change: Change::Overall(OverallState::Earning) });
    assert_eq!((snapshot.seq, snapshot.overall), (1, OverallState::Earning));
}

#[test]
fn seq_of_a_whole_replacement_is_the_event_s_own() {
    let mut state = snapshot();
    let inner = AppSnapshot { mode: Mode::Practice, seq: 99, ..snapshot() };
    state.apply(AppEvent { seq: 1, change: Change::All(Box::new(inner)) });
    assert_eq!((state.seq, state.mode), (1, Mode::Practice));
}

#[test]
fn list_of_events_is_bounded_and_newest_first() {
    let mut state = snapshot();
    for id in 1..=EVENTS_MAX as u64 + 5 {
        let added = LatestEvent { id, at: UnixSeconds(id), what: LatestKind::ShareLate };
        state.apply(AppEvent { seq: id, change: Change::EventAdded(added) });
    }
    assert_eq!(state.events.len(), EVENTS_MAX);
    assert_eq!(state.events[0].id, EVENTS_MAX as u64 + 5);
}

#[test]
fn appended_bucket_replaces_one_of_the_same_time_and_drops_old_ones() {
    let mut series = Series::empty(ChartRange::Hour1);
    series.append(point(0, 1.0));
    series.append(point(10, 2.0));
    series.append(point(10, 3.0));
    assert_eq!(series.points, [point(0, 1.0), point(10, 3.0)]);
    series.append(point(3_610, 4.0));
    assert_eq!(series.points, [point(10, 3.0), point(3_610, 4.0)]);
}

#[test]
fn every_range_fits_the_bound_on_points() {
    for range in [
        ChartRange::Hour1,
        ChartRange::Hours6,
        ChartRange::Hours24,
        ChartRange::Days7,
        ChartRange::Days30,
        ChartRange::Year1,
    ] {
        assert!((range.span_secs() / range.step_secs()) as usize <= SERIES_POINTS_MAX);
    }
}
