//! A Bitaxe with pool slots, where flat keys are ignored without a word.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::clock::{OUR_USER, Sim, change, device, plan, ready, undo, wishes};
use super::sim_axeos::{AxeOs, Kind};
use crate::{DeviceProblem, Ending, Note, PlanError, Secrets, SlotId, Subject, Wishes, plan_undo};

async fn sim() -> (AxeOs, TempDir) {
    (AxeOs::start(Kind::Bitaxe215).await, tempfile::tempdir().unwrap())
}

fn none() -> Secrets {
    Secrets::default()
}

fn slot(id: u8) -> SlotId {
    SlotId::try_from(id).unwrap()
}

fn fill_all_slots(sim: &AxeOs) {
    let mut state = sim.state();
    let one = state.slots[&0].clone();
    for id in 2..8 {
        state.slots.insert(id, one.clone());
    }
}

#[tokio::test]
async fn an_empty_slot_and_the_index_are_used() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &none()).await;
    assert_eq!(run.result, Ok(Ending::Hashing));
    let lines = ["PUT /api/system/pools/2", "PATCH /api/system", "POST /api/system/restart"];
    assert_eq!(sim.lines(), lines);
    let changes = sim.changes();
    assert_eq!(
        changes[0].json(),
        json!({
            "stratumURL": "192.168.1.20", "stratumPort": 9332, "stratumUser": OUR_USER,
            "stratumPassword": "x", "stratumProtocol": "SV1", "stratumTLS": 0,
            "stratumExtranonceSubscribe": false, "stratumSuggestedDifficulty": 0,
            "stratumDecodeCoinbase": true,
        })
    );
    let indexes = json!({"primaryPoolIndex": 2, "secondaryPoolIndex": 0});
    assert_eq!(changes[1].json(), indexes, "no flat pool key and no password");
}

#[tokio::test]
async fn undo_restores_every_byte_and_removes_our_slot_last() {
    let (sim, folder) = sim().await;
    let before = sim.stored_bytes();
    let ready = ready(&sim, &wishes(), folder.path()).await;
    change(&sim, &ready, &none()).await.result.unwrap();
    let undone = undo(&sim, ready.path(), &none()).await;
    assert_eq!(undone.result, Ok(Ending::Restored));
    assert_eq!(sim.stored_bytes(), before);
    let lines = sim.lines();
    let undoing = ["PATCH /api/system", "POST /api/system/restart", "DELETE /api/system/pools/2"];
    assert_eq!(lines[3..], undoing);
}

#[tokio::test]
async fn d02_slots_that_are_not_kept_are_caught() {
    let (sim, folder) = sim().await;
    sim.state().keeps_nothing = true;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let run = change(&sim, &ready, &none()).await;
    assert_eq!(run.code(), Some("D-02"));
    assert_eq!(sim.state().restarts, 0);
}

#[tokio::test]
async fn d02_flat_keys_that_succeed_without_effect_are_caught() {
    let (sim, folder) = sim().await;
    let wishes = Wishes { tries_other_way: true, ..wishes() };
    let ready = ready(&sim, &wishes, folder.path()).await;
    let run = change(&sim, &ready, &none()).await;
    let Err(DeviceProblem::NotKept { settings }) = &run.result else { panic!("{run:?}") };
    assert!(settings.contains(&"stratumURL".to_owned()), "{settings:?}");
    assert_eq!(sim.state().restarts, 0);
}

#[tokio::test]
async fn with_all_slots_in_use_the_user_gives_one_up_and_gets_it_back() {
    let (sim, folder) = sim().await;
    fill_all_slots(&sim);
    let Err(PlanError::AllSlotsUsed(used)) = plan(&sim, &wishes()).await else {
        panic!("all slots are in use");
    };
    assert_eq!(used.len(), 8);
    assert_eq!(used[0].pool.as_str(), "solo.example.org:3333");

    let before = sim.stored_bytes();
    let wishes = Wishes { slot: Some(slot(5)), ..wishes() };
    let ready = ready(&sim, &wishes, folder.path()).await;
    assert_eq!(change(&sim, &ready, &none()).await.result, Ok(Ending::Hashing));
    assert_eq!(sim.changes()[0].json()["stratumPassword"], "*****");
    assert_eq!(undo(&sim, ready.path(), &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.stored_bytes(), before, "with its password, which we never knew");
}

#[tokio::test]
async fn our_own_slot_can_be_rewritten_in_place() {
    let (sim, folder) = sim().await;
    let before = sim.stored_bytes();
    let wishes = Wishes { slot: Some(slot(0)), ..wishes() };
    let plan = plan(&sim, &wishes).await.unwrap();
    assert!(plan.notes.contains(&Note::RewritesSlot(slot(0))));
    assert!(plan.rows.iter().all(|row| row.subject != Subject::BackupPool));
    let ready = ready(&sim, &wishes, folder.path()).await;
    assert_eq!(change(&sim, &ready, &none()).await.result, Ok(Ending::Hashing));
    assert_eq!(sim.lines(), ["PUT /api/system/pools/0", "POST /api/system/restart"]);
    assert_eq!(undo(&sim, ready.path(), &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.stored_bytes(), before);
}

#[tokio::test]
async fn undo_leaves_a_slot_alone_that_somebody_filled_otherwise() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    change(&sim, &ready, &none()).await.result.unwrap();
    let foreign: Value = "other.example.org".into();
    sim.state().slots.get_mut(&2).unwrap().insert("stratumURL".into(), foreign.clone());
    assert_eq!(undo(&sim, ready.path(), &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.state().slots[&2]["stratumURL"], foreign);
    assert_eq!(sim.state().stored["primaryPoolIndex"], 0);
}

/// A change on 2.14, then an update of the firmware to 2.15, which moves the pools into slots.
async fn updated_after_change(keeps_old: bool) -> (AxeOs, TempDir, std::path::PathBuf) {
    let old = AxeOs::start(Kind::Bitaxe214).await;
    let folder = tempfile::tempdir().unwrap();
    let wishes = Wishes { keeps_old_as_backup: keeps_old, ..wishes() };
    let ready = ready(&old, &wishes, folder.path()).await;
    change(&old, &ready, &none()).await.result.unwrap();
    let stored = old.state().stored.clone();
    let new = AxeOs::start_with(Kind::Bitaxe215, stored).await;
    (new, folder, ready.path().to_owned())
}

#[tokio::test]
async fn undo_after_an_update_of_the_firmware_finds_the_old_pool_in_its_slot() {
    let (sim, _folder, path) = updated_after_change(true).await;
    assert_eq!(undo(&sim, &path, &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.lines(), ["PATCH /api/system", "POST /api/system/restart"]);
    assert_eq!(sim.state().stored["primaryPoolIndex"], 1);
    assert_eq!(sim.state().slots[&1]["stratumURL"], "solo.example.org");
}

#[tokio::test]
async fn undo_after_an_update_of_the_firmware_gives_the_old_pool_a_slot() {
    let (sim, _folder, path) = updated_after_change(false).await;
    assert_eq!(undo(&sim, &path, &none()).await.result, Ok(Ending::Restored));
    assert_eq!(sim.state().stored["primaryPoolIndex"], 2);
    assert_eq!(sim.state().stored["secondaryPoolIndex"], 1, "the backup pool was not changed");
    let slot = sim.state().slots[&2].clone();
    assert_eq!(
        (&slot["stratumURL"], &slot["stratumUser"]),
        (&"solo.example.org".into(), &"bc1qold.bitaxe".into())
    );
}

#[tokio::test]
async fn d05_slots_cannot_be_undone_on_firmware_without_them() {
    let (sim, folder) = sim().await;
    let ready = ready(&sim, &wishes(), folder.path()).await;
    change(&sim, &ready, &none()).await.result.unwrap();
    let older = AxeOs::start(Kind::Bitaxe214).await;
    let now = device(&older).read(older.dialect(), &none()).await.unwrap();
    let refused = plan_undo(ready.backup(), &now).err().unwrap();
    assert_eq!(refused.code(), Some("D-05"));
}
