//! The computer: start at login, how the window goes, pauses of a length, the companion.

use std::time::Duration;

use p2pool_app::api::{
    AppReply, AppRequest, CloseChoice, ComputerRequest, Leave, MiningControl, NotificationEvent,
    Page, Question,
};
use p2pool_app::{Companion, TrayIcon};

use crate::world::World;

async fn ask(world: &World, request: ComputerRequest) {
    world.ask(AppRequest::Computer { request }).await;
}

async fn leave(world: &World, request: ComputerRequest) -> Leave {
    match world.try_ask(AppRequest::Computer { request }).await {
        Ok(AppReply::Leave { how }) => how,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a41_start_at_login_is_what_the_system_says_after_a_change_from_outside_too() {
    let mut world = World::new().await;
    world.window.until(|shown| shown.computer.starts_at_login == Some(false)).await;

    ask(&world, ComputerRequest::StartAtLogin { is_on: true }).await;
    world.window.until(|shown| shown.computer.starts_at_login == Some(true)).await;
    assert!(world.host.session.paper().starts_at_login);

    // The person removes it in the system's own settings.
    world.host.session.paper().starts_at_login = false;
    world.ask(AppRequest::ShowPage { page: Page::Settings }).await;
    world.window.until(|shown| shown.computer.starts_at_login == Some(false)).await;
}

#[tokio::test(start_paused = true)]
async fn a40_closing_asks_once_and_remembers_the_answer() {
    let (mut world, _node) = World::mining().await;
    let close = ComputerRequest::CloseWindow { has_tray: true };
    assert_eq!(leave(&world, close.clone()).await, Leave::Asked);
    let question = Some(Question::Close { has_tray: true });
    world.window.until(|shown| shown.computer.question == question).await;

    ask(&world, ComputerRequest::OnClose { choice: CloseChoice::KeepRunning }).await;
    ask(&world, ComputerRequest::Answered).await;
    world.window.until(|shown| shown.computer.question.is_none()).await;
    assert_eq!(leave(&world, close).await, Leave::Hide);
    let no_tray = ComputerRequest::CloseWindow { has_tray: false };
    assert_eq!(leave(&world, no_tray).await, Leave::Minimise, "the window is never lost");
    world.file_with("computer.toml", "keepRunning").await;
}

#[tokio::test(start_paused = true)]
async fn a40_closing_without_a_node_ends_the_application() {
    let world = World::new().await;
    assert_eq!(leave(&world, ComputerRequest::CloseWindow { has_tray: true }).await, Leave::Quit);
    assert_eq!(leave(&world, ComputerRequest::AskToQuit).await, Leave::Quit);
}

#[tokio::test(start_paused = true)]
async fn a40_quitting_with_miners_says_what_it_means() {
    let (mut world, _node) = World::mining().await;
    world.window.until(|shown| shown.lights.miners.connected == 1).await;
    assert_eq!(leave(&world, ComputerRequest::AskToQuit).await, Leave::Asked);
    let question = Some(Question::Quit { miners: 1, has_shares: false });
    world.window.until(|shown| shown.computer.question == question).await;
}

#[tokio::test(start_paused = true)]
async fn pause_of_an_hour_ends_by_itself() {
    let (mut world, mut node) = World::mining().await;
    world.ask(AppRequest::PauseMining { for_secs: Some(3_600) }).await;
    node.expect_mining(false).await;
    tokio::time::sleep(Duration::from_secs(3_590)).await;
    assert!(node.is_left_alone(), "not yet");
    tokio::time::sleep(Duration::from_secs(20)).await;
    node.expect_mining(true).await;
    world.window = crate::world::Window::open(&world.app).await;
    world.window.until(|shown| shown.control == MiningControl::Pause).await;
}

#[tokio::test(start_paused = true)]
async fn choices_about_notifications_are_kept() {
    let mut world = World::new().await;
    let event = NotificationEvent::Share;
    ask(&world, ComputerRequest::Notify { event, is_on: true }).await;
    let is_on = |shown: &p2pool_app::api::AppSnapshot| {
        shown.computer.notifications.iter().any(|choice| choice.event == event && choice.is_on)
    };
    world.window.until(is_on).await;
    world.file_with("computer.toml", "share = true").await;
}

#[tokio::test(start_paused = true)]
async fn tray_follows_the_state_without_a_window() {
    let (world, node) = World::mining().await;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(Companion::new(world.app.clone(), world.host.clone()).run());
    node.set_chain(|chain| chain.own_found = 1);
    let trays = || world.host.session.paper().trays.clone();
    while trays().last().is_none_or(|tray| !tray.status.contains("Mining")) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(trays().last().unwrap().icon, TrayIcon::Practice);
    assert!(world.host.session.paper().notifications.is_empty(), "practice is quiet");
    assert!(!world.host.session.paper().is_held_awake, "and keeps no computer awake");
}
