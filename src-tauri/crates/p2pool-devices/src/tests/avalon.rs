//! An Avalon: pools behind its login, counting after a reboot.

use tempfile::TempDir;

use super::clock::{OUR_USER, change, plan, ready, undo, wishes};
use super::sim_avalon::Avalon;
use crate::script::AVALON_BACK_WITHIN;
use crate::{Denial, DeviceProblem, Ending, Login, Note, PlanError, Secret, Secrets, Wishes};

async fn sim() -> (Avalon, TempDir) {
    (Avalon::start().await, tempfile::tempdir().unwrap())
}

fn with_login(user: &str, password: &str) -> Secrets {
    Secrets {
        login: Some(Login { user: user.into(), password: Secret::new(password.into()) }),
        old_pool_password: Some(Secret::new("old-secret".into())),
        ..Secrets::default()
    }
}

fn good() -> Secrets {
    with_login("root", "device-secret")
}

#[tokio::test]
async fn the_first_pool_is_rewritten_and_the_old_one_moves_to_a_free_place() {
    let (sim, folder) = sim().await;
    assert!(plan(&sim, &wishes()).await.unwrap().needs.login);
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &good()).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    let ours = format!("setpool root,device-secret,0,stratum+tcp://192.168.1.20:9332,{OUR_USER},x");
    let old =
        "setpool root,device-secret,1,stratum+tcp://solo.example.org:3333,bc1qold.nano,old-secret";
    assert_eq!(sim.changes(), [ours.as_str(), old, "ascset 0,reboot,0"]);
    assert_eq!(sim.state().stored[2][1], "bc1qold.third");
    let text = std::fs::read_to_string(ready.path()).unwrap();
    assert!(!text.contains("secret"), "passwords live in memory only: {text}");
}

#[tokio::test]
async fn undo_restores_the_pool_that_was_replaced() {
    let (sim, folder) = sim().await;
    let before = sim.state().stored.clone();
    let ready = ready(&sim, &wishes(), folder.path()).await;
    change(&sim, &ready, &good()).await.result.unwrap();
    assert_eq!(undo(&sim, ready.path(), &good()).await.result, Ok(Ending::Restored));
    let stored = sim.state().stored.clone();
    assert_eq!((&stored[0], &stored[2]), (&before[0], &before[2]));
    assert_eq!(stored[1], before[0], "a place cannot be emptied: it stays as a backup pool");
}

#[tokio::test]
async fn undo_is_byte_equal_where_no_empty_place_was_filled() {
    let (sim, folder) = sim().await;
    let before = sim.state().stored.clone();
    let wishes = Wishes { keeps_old_as_backup: false, ..wishes() };
    let ready = ready(&sim, &wishes, folder.path()).await;
    change(&sim, &ready, &good()).await.result.unwrap();
    assert_ne!(sim.state().stored, before);
    undo(&sim, ready.path(), &good()).await.result.unwrap();
    assert_eq!(sim.state().stored, before);
}

#[tokio::test]
async fn d07_one_wrong_login_stops_the_flow() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    for wrong in [with_login("admin", "device-secret"), with_login("root", "root")] {
        let tries = sim.changes().len();
        let run = change(&sim, &ready, &wrong).await;
        assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::WrongLogin)));
        assert_eq!(run.code(), Some("D-07"));
        assert_eq!(sim.changes().len(), tries + 1, "one try each");
    }
}

#[tokio::test]
async fn d01_no_login_is_guessed() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::NeedsLogin)));
    assert!(sim.changes().is_empty());
}

#[tokio::test]
async fn d03_it_is_given_180_seconds() {
    let (sim, folder) = sim().await;
    sim.state().never_returns = true;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &good()).await;
    assert_eq!((run.code(), run.took), (Some("D-03"), AVALON_BACK_WITHIN));
}

#[tokio::test]
async fn d02_pools_that_are_not_there_after_the_reboot_are_caught() {
    let (sim, folder) = sim().await;
    sim.state().keeps_nothing = true;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &good()).await;
    assert_eq!(run.code(), Some("D-02"));
    let reboots = sim.changes().iter().filter(|change| change.starts_with("ascset")).count();
    assert_eq!(reboots, 1);
}

#[tokio::test]
async fn d05_models_that_are_not_known_are_not_changed() {
    let (sim, _) = sim().await;
    sim.state().model = "AvalonMiner 1246";
    let refused = plan(&sim, &wishes()).await.err().unwrap();
    assert!(matches!(refused, PlanError::UnknownFirmware { .. }));
    assert_eq!(refused.code(), Some("D-05"));
    sim.state().model = "Avalon Q";
    assert!(plan(&sim, &wishes()).await.unwrap().notes.contains(&Note::Unproven));
}

#[tokio::test]
async fn a_comma_that_would_move_the_values_is_refused() {
    let (sim, _) = sim().await;
    let plain = plan(&sim, &wishes()).await.unwrap();
    assert!(!plain.notes.contains(&Note::Unproven));
    let strange = Avalon::start().await;
    strange.state().stored[0][1] = "a,b".into();
    strange.state().show_stored();
    let refused = plan(&strange, &wishes()).await.err();
    assert_eq!(refused, Some(PlanError::NotRestorable("pools")));
}
