//! Devices made of software, found, changed and put back by the application. These tests speak over
//! real sockets, so they run on real time; nothing in them waits for it.

mod axeos;

use std::net::IpAddr;

use p2pool_app::api::pages::{
    ChangeFate, ChangeStep, DeviceOffer, MinersRequest, MinersView, PlanState, PlanSubject,
    SearchState,
};
use p2pool_app::api::{AppRequest, AppSnapshot, Page, PageView};
use p2pool_node::Arrivals;
use serde_json::json;

use crate::world::{LIVE_ME, ScriptedNode, World};
use axeos::AxeOs;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn miners(shown: &AppSnapshot) -> &MinersView {
    let PageView::Miners(view) = &shown.page else { panic!("another page: {:?}", shown.page) };
    view
}

async fn ask(world: &World, request: MinersRequest) {
    world.ask(AppRequest::Miners { request }).await;
}

/// A live node, a device, and the page of miners.
async fn world(sim: &AxeOs) -> (World, ScriptedNode) {
    let (mut world, node) = World::live_with_devices(sim.port).await;
    world.ask(AppRequest::ShowPage { page: Page::Miners }).await;
    world
        .window
        .until(
            |shown| matches!(&shown.page, PageView::Miners(view) if view.connect.address.is_some()),
        )
        .await;
    (world, node)
}

async fn found(world: &mut World) -> String {
    ask(world, MinersRequest::Look { range: "127.0.0.1".into() }).await;
    world.window.until(|shown| miners(shown).connect.found.len() == 1).await;
    miners(&world.window.shown).connect.found[0].id.clone()
}

async fn planned(world: &mut World, request: MinersRequest) -> Vec<(PlanSubject, String, String)> {
    ask(world, request).await;
    let is_planned = |shown: &AppSnapshot| {
        let plan = miners(shown).connect.plan.as_ref();
        plan.is_some_and(|plan| plan.state != PlanState::Reading)
    };
    world.window.until(is_planned).await;
    let plan = miners(&world.window.shown).connect.plan.as_ref().unwrap();
    let PlanState::Ready { rows, .. } = &plan.state else { panic!("no plan: {:?}", plan.state) };
    rows.iter().map(|row| (row.subject, row.now.clone(), row.then.clone())).collect()
}

fn plan(device: &str) -> MinersRequest {
    let device = device.to_owned();
    MinersRequest::Plan { device, keeps_old: true, slot: None, tries_other_way: false }
}

const APPLY: MinersRequest = MinersRequest::Apply { code: None, user: None, password: None };

fn step(shown: &AppSnapshot) -> Option<ChangeStep> {
    miners(shown).connect.found.first()?.change.as_ref().map(|change| change.step)
}

/// What came to the door from the device.
fn arrive(node: &ScriptedNode, logins: u64, results: u64) {
    node.set(|node| {
        let mut miners = (*node.miners).clone();
        miners.arrivals.insert(HERE, Arrivals { logins, results });
        node.miners = std::sync::Arc::new(miners);
    });
}

/// Acceptance 14.
#[tokio::test]
async fn devices_are_asked_nothing_before_the_click() {
    let sim = AxeOs::bitaxe().await;
    let (mut world, _node) = world(&sim).await;
    assert_eq!(sim.heard().len(), 0);
    let id = found(&mut world).await;
    let view = miners(&world.window.shown);
    let device = &view.connect.found[0];
    assert_eq!(id, "e0-e1-a9-0c-04-05");
    assert_eq!((device.ip.as_str(), device.pool.as_str()), ("127.0.0.1", "solo.example.org:3333"));
    assert_eq!(device.offer, DeviceOffer::UseHere);
    assert!(!sim.heard().is_empty());
}

/// Acceptance 15 and 56.
#[tokio::test]
async fn bitaxe_is_changed_after_its_plan_with_one_restart_and_no_password() {
    let sim = AxeOs::bitaxe().await;
    let (mut world, node) = world(&sim).await;
    let id = found(&mut world).await;
    let rows = planned(&mut world, plan(&id)).await;
    let user = format!("{LIVE_ME}.bitaxe");
    assert_eq!(
        rows[..2],
        [
            (PlanSubject::Pool, "solo.example.org:3333".into(), "192.168.1.20:9332".into()),
            (PlanSubject::User, "bc1qold.bitaxe".into(), user.clone()),
        ]
    );
    assert!(rows.contains(&(
        PlanSubject::BackupPool,
        "backup.example.org:3334".into(),
        "solo.example.org:3333".into()
    )));
    assert!(sim.changes().is_empty(), "a plan sends nothing");

    ask(&world, APPLY).await;
    world.window.until(|shown| step(shown) == Some(ChangeStep::Restarting)).await;
    let sent = sim.changes();
    let lines: Vec<_> = sent.iter().map(|heard| heard.line.as_str()).collect();
    assert_eq!(lines, ["PATCH /api/system", "POST /api/system/restart"]);
    assert_eq!(
        sent[0].body,
        json!({
            "stratumURL": "192.168.1.20", "stratumPort": 9332, "stratumUser": user,
            "fallbackStratumURL": "solo.example.org", "fallbackStratumPort": 3333,
            "fallbackStratumUser": "bc1qold.bitaxe",
        })
    );
    assert!(sim.heard().iter().all(|heard| !heard.headers.contains("origin:")));

    arrive(&node, 1, 0);
    world.window.until(|shown| step(shown) == Some(ChangeStep::Connected)).await;
    arrive(&node, 1, 1);
    world.window.until(|shown| step(shown) == Some(ChangeStep::FirstResult)).await;
    let is_kept = |shown: &AppSnapshot| miners(shown).rows.iter().any(|row| row.id == id);
    world.window.until(is_kept).await;
    let backups = p2pool_app::Host::data_dir(world.host.as_ref()).join("devices").join(&id);
    assert_eq!(std::fs::read_dir(backups).unwrap().count(), 1, "the backup stays");
}

/// Acceptance 15 and 17: the undoing, on a device that needs no restart for it.
#[tokio::test]
async fn undo_brings_back_every_byte() {
    let sim = AxeOs::nerdaxe().await;
    let before = sim.stored();
    let (mut world, node) = world(&sim).await;
    let id = found(&mut world).await;
    let rows = planned(&mut world, plan(&id)).await;
    assert!(rows.iter().any(|(subject, ..)| *subject == PlanSubject::PayoutCheck), "{rows:?}");
    ask(&world, APPLY).await;
    world.window.until(|shown| step(shown) == Some(ChangeStep::Sent)).await;
    arrive(&node, 1, 1);
    world.window.until(|shown| step(shown) == Some(ChangeStep::FirstResult)).await;
    assert_ne!(sim.stored(), before);

    let rows =
        planned(&mut world, MinersRequest::PlanUndo { device: id.clone(), change: None }).await;
    assert_eq!(rows[0].2, "solo.example.org:3333");
    ask(&world, APPLY).await;
    world.window.until(|shown| step(shown) == Some(ChangeStep::Restored)).await;
    assert_eq!(sim.stored(), before);
    ask(&world, MinersRequest::Open { miner: Some(id) }).await;
    world.window.until(|shown| miners(shown).open.is_some()).await;
    let open = miners(&world.window.shown).open.as_ref().unwrap();
    assert!(matches!(open.history[0].state, ChangeFate::Undone { .. }), "{:?}", open.history);
}

#[tokio::test]
async fn search_on_nothing_ends_and_says_so() {
    let sim = AxeOs::bitaxe().await;
    let (mut world, _node) = world(&sim).await;
    ask(&world, MinersRequest::Look { range: "not a range".into() }).await;
    let is_over = |shown: &AppSnapshot| {
        matches!(miners(shown).connect.search, SearchState::Ended { looked_at: 0, found: 0, .. })
    };
    world.window.until(is_over).await;
    assert!(sim.heard().is_empty());
}
