//! A Bitaxe before slots, and what every family has in common.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::clock::{
    OUR_USER, Run, Sim, change, device, plan, ready, run, undo, undo_script, wishes,
};
use super::sim_axeos::{AxeOs, Kind};
use crate::script::BACK_WITHIN;
use crate::transaction::Transaction;
use crate::{
    BackupError, Denial, DeviceProblem, DoorCount, Ending, Login, Note, Phase, PlanError,
    ReadyChange, Row, Secret, Secrets, Silence, Subject, plan_undo,
};

async fn sim() -> (AxeOs, TempDir) {
    (AxeOs::start(Kind::Bitaxe214).await, tempfile::tempdir().unwrap())
}

fn none() -> Secrets {
    Secrets::default()
}

async fn changed(sim: &AxeOs, folder: &TempDir) -> (ReadyChange, Run) {
    let ready = ready(sim, &wishes(), folder.path()).await;
    let run = change(sim, &ready, &none()).await;
    (ready, run)
}

#[tokio::test]
async fn the_plan_shows_every_old_and_new_value() {
    let (sim, _) = sim().await;
    let plan = plan(&sim, &wishes()).await.unwrap();
    let line = |row: &Row| (row.subject, row.now.to_string(), row.then.to_string());
    let lines: Vec<_> = plan.rows.iter().map(line).collect();
    let own = |subject, now: &str, then: &str| (subject, now.to_owned(), then.to_owned());
    assert_eq!(
        lines,
        [
            own(Subject::Pool, "solo.example.org:3333", "192.168.1.20:9332"),
            own(Subject::User, "bc1qold.bitaxe", OUR_USER),
            own(Subject::BackupPool, "backup.example.org:3334", "solo.example.org:3333"),
            own(Subject::BackupUser, "bc1qold.backup", "bc1qold.bitaxe"),
        ]
    );
    assert_eq!(
        plan.notes,
        [
            Note::PasswordStays,
            Note::BackupPasswordUnknown,
            Note::ReplacesBackupPool,
            Note::RestartsOnce
        ]
    );
    assert!(sim.changes().is_empty(), "a plan sends nothing");
}

#[tokio::test]
async fn a_change_ends_with_the_first_result_after_one_restart() {
    let (sim, folder) = sim().await;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    assert_eq!(
        run.phases,
        [Phase::BackedUp, Phase::Sent, Phase::Restarting, Phase::Connected, Phase::FirstResult]
    );
    assert_eq!(sim.lines(), ["PATCH /api/system", "POST /api/system/restart"]);
    assert_eq!(sim.state().restarts, 1);
}

#[tokio::test]
async fn only_pool_keys_are_sent_and_no_password() {
    let (sim, folder) = sim().await;
    changed(&sim, &folder).await;
    assert_eq!(
        sim.changes()[0].json(),
        json!({
            "stratumURL": "192.168.1.20", "stratumPort": 9332, "stratumUser": OUR_USER,
            "fallbackStratumURL": "solo.example.org", "fallbackStratumPort": 3333,
            "fallbackStratumUser": "bc1qold.bitaxe",
        })
    );
    assert_eq!(sim.state().stored["stratumPassword"], "old-secret");
}

#[tokio::test]
async fn the_old_pool_becomes_no_backup_unless_wished() {
    let (sim, folder) = sim().await;
    let wishes = crate::Wishes { keeps_old_as_backup: false, ..wishes() };
    let ready = ready(&sim, &wishes, folder.path()).await;
    assert_eq!(change(&sim, &ready, &none()).await.result, Ok(Ending::Hashing));
    assert_eq!(sim.state().stored["fallbackStratumURL"], "backup.example.org");
    assert_eq!(sim.changes()[0].json().as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn undo_restores_every_byte() {
    let (sim, folder) = sim().await;
    let before = sim.stored_bytes();
    let (ready, _) = changed(&sim, &folder).await;
    assert_ne!(sim.stored_bytes(), before);
    let undone = undo(&sim, ready.path(), &none()).await;
    assert_eq!(undone.result, Ok(Ending::Restored));
    assert_eq!(sim.stored_bytes(), before);
    assert_eq!(sim.state().restarts, 2);
    let script = undo_script(&sim, ready.path()).await;
    assert!(script.is_empty(), "a second undoing has nothing to do");
}

#[tokio::test]
async fn a_forced_backup_pool_is_released_and_forced_again_by_undo() {
    let (sim, folder) = sim().await;
    sim.state().stored.insert("useFallbackStratum".into(), 1.into());
    let before = sim.stored_bytes();
    let (ready, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    assert_eq!(sim.changes()[0].json()["useFallbackStratum"], 0);
    undo(&sim, ready.path(), &none()).await.result.unwrap();
    assert_eq!(sim.stored_bytes(), before);
}

#[tokio::test]
async fn the_backup_is_on_the_disk_before_anything_is_sent_and_holds_no_secret() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    assert!(sim.changes().is_empty());
    let expected = folder.path().join("e0-e1-a9-0c-04-05").join("1790000000.json");
    assert_eq!(ready.path(), expected);
    let text = std::fs::read_to_string(&expected).unwrap();
    assert!(text.contains("solo.example.org") && !text.contains("secret"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&expected).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_backup_never_replaces_another() {
    let (sim, folder) = sim().await;
    let first = ready(&sim, &wishes(), folder.path()).await;
    let second = ready(&sim, &wishes(), folder.path()).await;
    assert_ne!(first.path(), second.path());
    assert!(first.path().exists() && second.path().exists());
}

#[tokio::test]
async fn without_a_place_for_the_backup_there_is_no_change() {
    let (sim, folder) = sim().await;
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let plan = plan(&sim, &wishes()).await.unwrap();
    let saved = ReadyChange::save(plan, &file, 1);
    assert!(matches!(saved, Err(BackupError::Disk { .. })), "{saved:?}");
}

#[tokio::test]
async fn d02_a_device_that_says_yes_and_keeps_nothing_is_caught_before_its_restart() {
    let (sim, folder) = sim().await;
    sim.state().keeps_nothing = true;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.code(), Some("D-02"));
    assert!(matches!(run.result, Err(DeviceProblem::NotKept { .. })), "{run:?}");
    assert_eq!(sim.lines(), ["PATCH /api/system"; 2], "one repetition, no restart");
}

#[tokio::test]
async fn a_write_that_was_lost_once_is_repeated_once() {
    let (sim, folder) = sim().await;
    sim.state().forgets_writes = 1;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    assert_eq!(sim.state().restarts, 1);
}

#[tokio::test]
async fn d03_a_device_that_never_returns_is_given_90_seconds() {
    let (sim, folder) = sim().await;
    sim.state().never_returns = true;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Err(DeviceProblem::NotBack));
    assert_eq!(run.code(), Some("D-03"));
    assert_eq!(run.took, BACK_WITHIN);
    assert_eq!(sim.state().restarts, 1, "no loop of restarts");
}

#[tokio::test]
async fn waiting_longer_finds_a_device_that_comes_late() {
    let (sim, folder) = sim().await;
    sim.state().never_returns = true;
    let (ready, run_before) = changed(&sim, &folder).await;
    assert_eq!(run_before.result, Err(DeviceProblem::NotBack));
    sim.state().is_turned_on();
    sim.time_passes(20);
    let before = sim.changes().len();
    let script = ready.script().clone();
    let again = run(Transaction::waiting_longer(script, DoorCount::default()), &sim, &none()).await;
    assert_eq!(again.result, Ok(Ending::Hashing));
    assert_eq!(again.phases, [Phase::Connected, Phase::FirstResult]);
    assert_eq!(sim.changes().len(), before, "waiting sends nothing that changes it");
}

#[tokio::test]
async fn after_d03_the_old_settings_can_be_put_back() {
    let (sim, folder) = sim().await;
    let before = sim.stored_bytes();
    sim.state().never_returns = true;
    let (ready, _) = changed(&sim, &folder).await;
    sim.state().is_turned_on();
    sim.time_passes(20);
    assert_eq!(undo(&sim, ready.path(), &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.stored_bytes(), before);
}

#[tokio::test]
async fn d04_a_device_that_is_back_on_its_other_pool_is_told_from_one_that_is_away() {
    let (sim, folder) = sim().await;
    sim.state().cannot_reach_us = true;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Err(DeviceProblem::OnOtherPool));
    assert_eq!(run.code(), Some("D-04"));
    assert_eq!(run.took, BACK_WITHIN);
}

#[tokio::test]
async fn a_device_that_finds_nothing_ends_as_connected_after_five_minutes() {
    let (sim, folder) = sim().await;
    sim.state().finds_nothing = true;
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Ok(Ending::ConnectedOnly));
    assert!(run.took >= Duration::from_secs(300) && run.took < Duration::from_secs(390));
}

#[tokio::test]
async fn d01_a_device_that_refuses_this_computer_is_left_as_it_is() {
    let (sim, folder) = sim().await;
    sim.state().refuses = true;
    let before = sim.stored_bytes();
    let (_, run) = changed(&sim, &folder).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::ThisComputer)));
    assert_eq!(run.code(), Some("D-01"));
    assert_eq!((sim.stored_bytes(), sim.changes().len()), (before, 1));
}

#[tokio::test]
async fn a_device_with_a_login_asks_for_it_and_takes_it() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    sim.state().demands = Some("Basic bWU6bXkgcGFzcw==".into());
    let run = change(&sim, &ready, &none()).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::NeedsLogin)));
    assert_eq!(run.code(), Some("D-01"));
    let login = |password: &str| Secrets {
        login: Some(Login { user: "me".into(), password: Secret::new(password.into()) }),
        ..none()
    };
    let run = change(&sim, &ready, &login("wrong")).await;
    assert_eq!(run.code(), Some("D-07"));
    assert!(sim.changes().is_empty());
    let run = change(&sim, &ready, &login("my pass")).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
}

#[tokio::test]
async fn settings_that_changed_since_the_plan_are_not_overwritten() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    sim.state().stored.insert("stratumUser".into(), "someone.else".into());
    let run = change(&sim, &ready, &none()).await;
    let settings = vec!["stratumUser".to_owned()];
    assert_eq!(run.result, Err(DeviceProblem::ChangedMeanwhile { settings }));
    assert!(sim.changes().is_empty());
}

#[tokio::test]
async fn another_device_at_the_same_address_is_not_touched() {
    let (sim, folder) = sim().await;
    let (ready, _) = changed(&sim, &folder).await;
    let stranger = AxeOs::start(Kind::NerdQAxe).await;
    let reading = device(&stranger).read(stranger.dialect(), &none()).await.unwrap();
    let mut reading_of_other = reading.clone();
    reading_of_other.identity.id = crate::DeviceId::Mac("02:00:00:00:00:01".parse().unwrap());
    let plan = plan_undo(ready.backup(), &reading_of_other);
    assert_eq!(plan.err(), Some(PlanError::OtherDevice));
    let mut script = ready.script().clone();
    script.id = reading_of_other.identity.id;
    let run = run(Transaction::new(script, DoorCount::default()), &sim, &none()).await;
    assert_eq!(run.result, Err(DeviceProblem::OtherDevice));
    assert_eq!(sim.changes().len(), 2, "nothing beyond the first change");
}

#[tokio::test]
async fn d06_an_undoing_waits_for_a_device_that_is_off() {
    let (sim, folder) = sim().await;
    let (ready, _) = changed(&sim, &folder).await;
    let script = undo_script(&sim, ready.path()).await;
    sim.state().drops = 2;
    let run = run(Transaction::new(script, DoorCount::default()), &sim, &none()).await;
    assert_eq!(run.result, Err(DeviceProblem::UndoWaits));
    assert_eq!(run.code(), Some("D-06"));
}

#[tokio::test]
async fn a_first_look_is_repeated_once_and_a_silent_device_gets_nothing_sent() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    sim.state().drops = 2;
    let run = change(&sim, &ready, &none()).await;
    assert_eq!(run.result, Err(DeviceProblem::Silent(Silence::Broken)));
    sim.state().drops = 1;
    assert_eq!(change(&sim, &ready, &none()).await.result, Ok(Ending::Hashing));
}

#[tokio::test]
async fn what_is_set_already_needs_no_change() {
    let (sim, folder) = sim().await;
    changed(&sim, &folder).await;
    assert_eq!(plan(&sim, &wishes()).await.err(), Some(PlanError::AlreadyThere));
}
