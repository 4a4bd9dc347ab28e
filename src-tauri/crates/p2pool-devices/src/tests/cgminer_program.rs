//! cgminer on a computer.

use super::clock::{change, plan, ready, undo, wishes};
use super::sim_cgminer::Cgminer;
use crate::{Denial, DeviceProblem, Ending, Note, Secrets};

#[tokio::test]
async fn a_pool_is_added_and_undo_takes_it_away() {
    let (sim, folder) = (Cgminer::start().await, tempfile::tempdir().unwrap());
    let before = sim.listing();
    let notes = plan(&sim, &wishes()).await.unwrap().notes;
    assert_eq!(notes, [Note::OldPoolsStay, Note::ForgottenAtEnd]);
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    assert_eq!(sim.state().order, [2, 1, 0], "the old pools stay behind ours");
    assert_eq!(undo(&sim, ready.path(), &Secrets::default()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.listing(), before);
}

#[tokio::test]
async fn d01_a_caller_that_may_only_read_is_told() {
    let (sim, folder) = (Cgminer::start().await, tempfile::tempdir().unwrap());
    sim.state().is_read_only = true;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.result, Err(DeviceProblem::Refuses(Denial::ThisComputer)));
    assert_eq!(run.code(), Some("D-01"));
}

#[tokio::test]
async fn d02_a_pool_is_not_added_twice() {
    let (sim, folder) = (Cgminer::start().await, tempfile::tempdir().unwrap());
    sim.state().never_switches = true;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &Secrets::default()).await;
    assert_eq!(run.code(), Some("D-02"));
    let added = sim.state().changes.iter().filter(|line| line.starts_with("addpool")).count();
    assert_eq!(added, 1);
}

#[tokio::test]
async fn a_program_that_was_started_anew_has_nothing_to_undo() {
    let (sim, folder) = (Cgminer::start().await, tempfile::tempdir().unwrap());
    let ready = ready(&sim, &wishes(), folder.path()).await;
    change(&sim, &ready, &Secrets::default()).await.result.unwrap();
    sim.state().pools.truncate(2);
    sim.state().order = vec![0, 1];
    let changes = sim.state().changes.len();
    let script = super::clock::undo_script(&sim, ready.path()).await;
    assert!(script.is_empty());
    assert_eq!(sim.state().changes.len(), changes);
}
