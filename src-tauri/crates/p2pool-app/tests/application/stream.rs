//! The stream of events: whole, in order, paced, and beginning anew after a gap.

use std::time::Duration;

use p2pool_app::api::{
    AppEvent, AppRequest, Change, ChartRange, OverallState, ProblemCode, Theme, UnixSeconds,
};
use tokio::sync::broadcast::error::RecvError;

use crate::world::{BEGIN, ME, ScriptedNode, Window, World, miners, share};

fn count(changes: &[Change], is_meant: impl Fn(&Change) -> bool) -> usize {
    changes.iter().filter(|change| is_meant(change)).count()
}

#[tokio::test(start_paused = true)]
async fn late_subscriber_sees_what_an_early_one_does() {
    let (mut world, node) = World::mining().await;
    node.set_chain(|chain| chain.window = vec![share(1, ME)]);
    world.window.until(|shown| shown.overall == OverallState::Earning).await;
    let mut late = Window::open(&world.app).await;
    while world.window.shown.seq < late.shown.seq {
        world.window.next().await;
    }
    late.shown.now = world.window.shown.now;
    assert_eq!(late.shown, world.window.shown);
    for _ in 0..20 {
        world.window.next().await;
        late.next().await;
    }
    late.shown.now = world.window.shown.now;
    assert_eq!(late.shown, world.window.shown);
}

#[tokio::test(start_paused = true)]
async fn slow_window_notices_its_gap_and_begins_anew() {
    let (world, node) = World::mining().await;
    let mut slow = world.app.subscribe().await.unwrap();
    // Each click is an event; the queue holds 1,024.
    for _ in 0..600 {
        world.ask(AppRequest::SetTheme { theme: Theme::Dark }).await;
        world.ask(AppRequest::SetTheme { theme: Theme::Light }).await;
    }
    assert!(matches!(slow.events.recv().await, Err(RecvError::Lagged(lost)) if lost > 0));
    let after: AppEvent = slow.events.recv().await.unwrap();
    assert!(after.seq > slow.snapshot.seq + 1, "the gap shows in the numbers");

    let mut again = Window::open(&world.app).await;
    assert_eq!(again.shown.theme, Theme::Light);
    node.set_chain(|chain| chain.window = vec![share(1, ME)]);
    again.until(|shown| shown.overall == OverallState::Earning).await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_never_longer_than_promised() {
    let mut world = World::new().await;
    let mut heard = tokio::time::Instant::now();
    for _ in 0..20 {
        world.window.next().await;
        assert!(heard.elapsed() <= Duration::from_secs(3), "{:?}", heard.elapsed());
        heard = tokio::time::Instant::now();
    }
    assert!(world.window.shown.now > UnixSeconds(BEGIN + 30), "a beat carries the clock");
}

/// A minute in which the hash rate changes all the time; returns its changes.
async fn busy_minute(world: &mut World, node: &ScriptedNode, hps: f64) -> Vec<Change> {
    world.window.changes.clear();
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut step = 0.0;
    while tokio::time::Instant::now() < end {
        step += 1.0;
        node.set(|node| node.miners = std::sync::Arc::new(miners(hps + step)));
        world.window.next().await;
    }
    std::mem::take(&mut world.window.changes)
}

#[tokio::test(start_paused = true)]
async fn numbers_come_no_faster_than_they_are_read_and_rarely_to_a_hidden_window() {
    let (mut world, node) = World::mining().await;
    let seen = busy_minute(&mut world, &node, 46e6).await;
    let rates = count(&seen, |change| matches!(change, Change::Rates(_)));
    assert!((20..=31).contains(&rates), "{rates} times in a minute");
    let points = count(&seen, |change| matches!(change, Change::SeriesAppended(_)));
    assert!((20..=31).contains(&points), "{points} points in a minute");

    world.ask(AppRequest::SetVisible { is_visible: false }).await;
    let hidden = busy_minute(&mut world, &node, 47e6).await;
    let rates = count(&hidden, |change| matches!(change, Change::Rates(_)));
    assert!((1..=3).contains(&rates), "{rates} times in a minute");
    assert_eq!(count(&hidden, |change| matches!(change, Change::SeriesAppended(_))), 0);

    // State is told at once all the same.
    node.set_chain(|chain| chain.window = vec![share(1, ME)]);
    let set = tokio::time::Instant::now();
    world.window.until(|shown| shown.overall == OverallState::Earning).await;
    assert!(set.elapsed() < Duration::from_secs(1), "{:?}", set.elapsed());

    world.ask(AppRequest::SetVisible { is_visible: true }).await;
    world.window.until(|shown| shown.rates.mine_hps.is_some_and(|hps| hps > 46e6)).await;
}

#[tokio::test(start_paused = true)]
async fn chart_shows_what_was_mined_and_the_range_that_was_chosen() {
    let (mut world, mut node) = World::mining().await;
    world.window.watch_for(Duration::from_secs(30)).await;
    let series = &world.window.shown.series;
    assert_eq!(series.range, ChartRange::Hour1);
    assert!(series.points.iter().filter(|p| p.mine_hps == Some(46e6)).count() >= 3);

    world.ask(AppRequest::PauseMining { for_secs: None }).await;
    node.expect_mining(false).await;
    let is_gap = |shown: &p2pool_app::api::AppSnapshot| {
        shown.series.points.last().is_some_and(|point| point.mine_hps.is_none())
    };
    world.window.until(is_gap).await;

    world.ask(AppRequest::ShowRange { range: ChartRange::Days7 }).await;
    world.window.until(|shown| shown.series.range == ChartRange::Days7).await;
}

#[tokio::test(start_paused = true)]
async fn theme_is_remembered_by_the_next_start() {
    let mut world = World::new().await;
    world.ask(AppRequest::SetTheme { theme: Theme::Dark }).await;
    world.window.until(|shown| shown.theme == Theme::Dark).await;
    let written = world.file_with("appearance.toml", "theme = \"dark\"\n").await;
    let next = World::with_files(&[("appearance.toml", &written)]).await;
    assert_eq!(next.window.shown.theme, Theme::Dark);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_node_and_then_the_controller() {
    let (world, node) = World::mining().await;
    assert!(world.app.is_node_up());
    let app = world.app.clone();
    let ((), ()) = tokio::join!(app.stop(), node.expect_stop(true));
    assert!(!app.is_node_up());
    world.join().await;
    assert_eq!(app.subscribe().await.unwrap_err().code, ProblemCode::EngineLost);
    let refused = app.request(AppRequest::EnterPractice { keeps_live: true }).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::EngineLost);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_ever_for_a_node_that_hangs() {
    let (world, node) = World::mining().await;
    let began = tokio::time::Instant::now();
    world.app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(node);
    world.join().await;
}
