//! A NerdQAxe: settings count at once, perhaps behind a one-time code, perhaps with a check that
//! refuses pools which do not pay its user alone.

use serde_json::Value;
use tempfile::TempDir;

use super::clock::{change, plan, ready, undo, wishes};
use super::sim_axeos::{AxeOs, Kind};
use crate::{Denial, DeviceProblem, Ending, Note, OneTimeCode, Phase, Secrets, Subject, Wishes};

async fn sim() -> (AxeOs, TempDir) {
    (AxeOs::start(Kind::NerdQAxe).await, tempfile::tempdir().unwrap())
}

fn with_code(code: &str) -> Secrets {
    Secrets { one_time_code: OneTimeCode::parse(code), ..Secrets::default() }
}

#[tokio::test]
async fn settings_count_without_a_restart() {
    let (sim, folder) = sim().await;
    let before = sim.stored_bytes();
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    let phases = [Phase::BackedUp, Phase::Sent, Phase::Connected, Phase::FirstResult];
    assert_eq!(run.phases, phases);
    assert_eq!(sim.lines(), ["PATCH /api/system"]);
    let undone = undo(&sim, ready.path(), &Secrets::default()).await;
    assert_eq!(undone.result, Ok(Ending::Restored));
    assert_eq!((sim.stored_bytes(), sim.state().restarts), (before, 0));
}

#[tokio::test]
async fn d01_a_one_time_code_is_asked_for_and_sent_in_its_header() {
    let (sim, folder) = sim().await;
    sim.state().one_time_code = Some("123456");
    assert!(plan(&sim, &wishes()).await.unwrap().needs.one_time_code);
    let before = sim.stored_bytes();
    let ready = ready(&sim, &wishes(), folder.path()).await;

    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::NeedsOneTimeCode)));
    assert_eq!(run.code(), Some("D-01"));
    let run = change(&sim, &ready, &with_code("654321")).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::WrongOneTimeCode)));
    assert_eq!((sim.stored_bytes(), sim.changes().len()), (before.clone(), 2), "no repetition");

    let run = change(&sim, &ready, &with_code("123456")).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    let last = sim.changes().pop().unwrap();
    assert_eq!(last.header("x-totp"), Some("123456"));
    let reads_with_code = sim
        .state()
        .heard
        .iter()
        .any(|heard| heard.method == "GET" && heard.header("x-totp").is_some());
    assert!(!reads_with_code, "reading needs no code");
    let undone = undo(&sim, ready.path(), &with_code("123456")).await;
    assert_eq!((undone.result, sim.stored_bytes()), (Ok(Ending::Restored), before));
}

#[tokio::test]
async fn a_forced_payout_check_is_a_line_of_the_plan_and_comes_back_by_undo() {
    let (sim, folder) = sim().await;
    sim.state().stored.insert("coinbaseVerifyMode".into(), 2.into());
    sim.state().stored.insert("coinbaseVerifyForce".into(), true.into());
    let before = sim.stored_bytes();
    let shown = plan(&sim, &wishes()).await.unwrap();
    let row = shown.rows.iter().find(|row| row.subject == Subject::PayoutCheck).unwrap();
    assert_eq!((row.now.as_str(), row.then.as_str()), ("on", "off"));

    let ready = ready(&sim, &wishes(), folder.path()).await;
    assert_eq!(change(&sim, &ready, &Secrets::default()).await.result, Ok(Ending::Hashing));
    let sent = sim.changes()[0].json();
    assert_eq!(sent["coinbaseVerifyForce"], Value::Bool(false), "of the type the device knows");
    undo(&sim, ready.path(), &Secrets::default()).await.result.unwrap();
    assert_eq!(sim.stored_bytes(), before);
}

#[tokio::test]
async fn a_payout_check_that_stays_is_told_before_and_ends_in_d04() {
    let (sim, folder) = sim().await;
    sim.state().stored.insert("coinbaseVerifyMode".into(), 1.into());
    sim.state().stored.insert("coinbaseVerifyForce".into(), true.into());
    let wishes = Wishes { lifts_payout_check: false, ..wishes() };
    let shown = plan(&sim, &wishes).await.unwrap();
    assert!(shown.notes.contains(&Note::RefusesSharedPayout));
    let ready = ready(&sim, &wishes, folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.code(), Some("D-04"));
    assert!(sim.changes()[0].json().get("coinbaseVerifyForce").is_none());
}

#[tokio::test]
async fn a_check_that_is_off_needs_no_line() {
    let (sim, _) = sim().await;
    sim.state().stored.insert("coinbaseVerifyForce".into(), true.into());
    let shown = plan(&sim, &wishes()).await.unwrap();
    assert!(shown.rows.iter().all(|row| row.subject != Subject::PayoutCheck));
}

#[tokio::test]
async fn two_pools_at_once_are_told() {
    let (sim, _) = sim().await;
    sim.state().stored.insert("poolMode".into(), 1.into());
    assert!(plan(&sim, &wishes()).await.unwrap().notes.contains(&Note::DividesWork));
    sim.state().stored.insert("poolMode".into(), 0.into());
    assert!(!plan(&sim, &wishes()).await.unwrap().notes.contains(&Note::DividesWork));
}
