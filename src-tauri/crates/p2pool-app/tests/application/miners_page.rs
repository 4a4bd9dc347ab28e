//! The page of miners: rows, states, what is wrong, the door, the CPU miner.

use std::sync::Arc;
use std::time::Duration;

use p2pool_app::NodeDeed;
use p2pool_app::api::pages::{CpuWish, DoorState, MinerState, MinersRequest, MinersView};
use p2pool_app::api::{
    AppRequest, AppSnapshot, LatestKind, Page, PageView, ProblemCode, UnixSeconds,
};
use p2pool_node::{HelperState, Miner, MinerNotice};
use p2pool_sharechain::time::UnixTime;
use tokio::time::Instant;

use crate::world::{BEGIN, LIVE_ME, ScriptedNode, World};

fn view(shown: &AppSnapshot) -> Option<&MinersView> {
    let PageView::Miners(view) = &shown.page else { return None };
    Some(view)
}

async fn world() -> (World, ScriptedNode) {
    let (mut world, node) = World::live_mining().await;
    world.ask(AppRequest::ShowPage { page: Page::Miners }).await;
    world.window.until(|shown| view(shown).is_some_and(|it| it.connect.address.is_some())).await;
    (world, node)
}

/// A Bitaxe beside the CPU miner.
fn change(node: &ScriptedNode, change: impl FnOnce(&mut Miner)) {
    node.set(|node| {
        let mut miners = (*node.miners).clone();
        let mut bitaxe = Miner {
            worker: format!("{LIVE_ME}.bitaxe"),
            is_helper: false,
            user_agent: "bitaxe/BM1370/v2.14.0".into(),
            hashrate_hps: 1.21e12,
            ip: Some([192, 168, 1, 57].into()),
            ..miners.miners[0].clone()
        };
        change(&mut bitaxe);
        miners.miners.retain(|miner| miner.is_helper);
        miners.miners.push(bitaxe);
        node.miners = Arc::new(miners);
    });
}

fn state(shown: &AppSnapshot) -> Option<&MinerState> {
    view(shown)?.rows.iter().find(|row| row.name == "bitaxe").map(|row| &row.state)
}

/// Acceptance 13.
#[tokio::test(start_paused = true)]
async fn door_shows_a_private_address_and_a_phone_ticks_its_test() {
    let (mut world, node) = world().await;
    let connect = &view(&world.window.shown).unwrap().connect;
    let address = connect.address.as_ref().unwrap();
    assert_eq!(connect.door, DoorState::Open);
    assert_eq!((address.host.as_str(), address.port), ("192.168.1.20", 9332));
    assert_eq!(address.hello_url, "http://192.168.1.20:9332/hello");
    assert_eq!(address.user, format!("{LIVE_ME}.miner1"));
    assert_eq!(connect.phone_seen_at, None);
    node.set(|node| {
        Arc::make_mut(&mut node.miners).door.hello_seen_at = Some(UnixTime(BEGIN + 7));
    });
    let is_ticked = |shown: &AppSnapshot| {
        view(shown).unwrap().connect.phone_seen_at == Some(UnixSeconds(BEGIN + 7))
    };
    world.window.until(is_ticked).await;
}

/// Acceptance 27.
#[tokio::test(start_paused = true)]
async fn miner_that_leaves_is_away_at_once_and_missed_after_ten_minutes() {
    let (mut world, node) = world().await;
    change(&node, |_| {});
    world.window.until(|shown| state(shown) == Some(&MinerState::Mining)).await;
    let left = UnixTime(world.window.shown.now.0);
    change(&node, |miner| (miner.connections, miner.since) = (0, left));
    let begin = Instant::now();
    world.window.until(|shown| matches!(state(shown), Some(MinerState::Away { .. }))).await;
    assert!(begin.elapsed() <= Duration::from_secs(5));
    assert!(!world.window.codes().contains(&ProblemCode::MinerAway));

    world.window.watch_for(Duration::from_secs(590)).await;
    assert!(!world.window.codes().contains(&ProblemCode::MinerAway));
    world
        .window
        .until(|shown| shown.problems.iter().any(|it| it.code == ProblemCode::MinerAway))
        .await;
    let problem = &world.window.shown.problems[0];
    assert_eq!(
        (problem.values["name"].as_str(), problem.values["minutes"].as_str()),
        ("bitaxe", "10")
    );
    world.window.watch_for(Duration::from_secs(300)).await;
    let raised = LatestKind::ProblemRaised { code: ProblemCode::MinerAway };
    assert_eq!(world.window.lines().iter().filter(|line| ***line == raised).count(), 1, "once");

    change(&node, |_| {});
    world.window.until(|shown| shown.problems.is_empty()).await;
}

/// Acceptance 32, as far as it is raised.
#[tokio::test(start_paused = true)]
async fn notices_of_the_node_are_states_and_problems() {
    let (mut world, node) = world().await;
    for (notice, code) in [
        (MinerNotice::Late, ProblemCode::MinerLate),
        (MinerNotice::Rejected { reason: "Low difficulty" }, ProblemCode::MinerWrong),
        (MinerNotice::CannotRead, ProblemCode::ToyMiner),
        (MinerNotice::NoResult, ProblemCode::MinerWithoutResults),
        (MinerNotice::ForeignAddress { address: "1Boat".into() }, ProblemCode::ForeignAddress),
    ] {
        change(&node, |miner| {
            (miner.accepted, miner.late) = (100, 31);
            if notice == MinerNotice::NoResult {
                miner.last_result_at = None;
            }
            miner.notices = vec![notice];
        });
        world.window.until(|shown| shown.problems.iter().any(|it| it.code == code)).await;
        let problem = world.window.shown.problems.iter().find(|it| it.code == code).unwrap();
        assert_eq!(problem.values["name"], "bitaxe");
        assert!(!problem.actions.is_empty(), "{code:?}");
        if code == ProblemCode::MinerLate {
            assert_eq!(problem.values["percent"], "31");
        }
    }
}

/// Acceptance 47.
#[tokio::test(start_paused = true)]
async fn cpu_miner_shows_its_average_time_and_stops_after_ten_minutes_unless_told_otherwise() {
    let (mut world, mut node) = world().await;
    node.set(|node| {
        node.helper =
            HelperState::Running { threads: 1, hashrate_hps: 50e6, cannot_tell: Vec::new() };
    });
    world
        .window
        .until(|shown| view(shown).unwrap().cpu.as_ref().unwrap().hashrate_hps.is_some())
        .await;
    let cpu = view(&world.window.shown).unwrap().cpu.clone().unwrap();
    let expected = 0.005 * 4_294_967_296.0 / 50e6;
    assert!((cpu.share_secs.unwrap() / expected - 1.0).abs() < 0.005, "{cpu:?}");
    assert!(!cpu.wish.is_on && cpu.wish.stop_soon && cpu.wish.pause_on_battery);

    let wish = CpuWish { is_on: true, threads: 100, ..cpu.wish };
    world.ask(AppRequest::Miners { request: MinersRequest::SetCpu { wish } }).await;
    let NodeDeed::SetHelper(Some(asked)) = node.next_deed().await else { panic!("another deed") };
    assert_eq!(asked.threads, 8, "no more than there are");
    assert_eq!(asked.stop_after, Some(Duration::from_secs(600)));
    let wish = CpuWish { is_on: false, ..wish };
    world.ask(AppRequest::Miners { request: MinersRequest::SetCpu { wish } }).await;
    let deed = node.next_deed().await;
    assert!(matches!(deed, NodeDeed::SetHelper(None)), "{deed:?}");
}

/// Acceptance 48.
#[tokio::test(start_paused = true)]
async fn missing_helper_is_told_and_devices_mine_on() {
    let (mut world, node) = world().await;
    change(&node, |_| {});
    node.set(|node| {
        node.helper = HelperState::Missing { path: "/x".into(), reason: "not there".into() };
    });
    let code = ProblemCode::HelperBlocked;
    world.window.until(|shown| shown.problems.iter().any(|it| it.code == code)).await;
    world.window.until(|shown| state(shown) == Some(&MinerState::Mining)).await;
    let cpu = view(&world.window.shown).unwrap().cpu.clone().unwrap();
    assert_eq!(cpu.failure.as_deref(), Some("/x: not there"));
}

#[tokio::test(start_paused = true)]
async fn miners_are_named_hidden_and_forgotten() {
    let (mut world, node) = world().await;
    change(&node, |_| {});
    world.window.until(|shown| state(shown).is_some()).await;
    let rows = &view(&world.window.shown).unwrap().rows;
    let id = rows.iter().find(|row| row.name == "bitaxe").unwrap().id.clone();
    let ask = |request| AppRequest::Miners { request };
    let name = "cellar".to_owned();
    world.ask(ask(MinersRequest::Rename { miner: id.clone(), name })).await;
    world
        .window
        .until(|shown| view(shown).unwrap().rows.iter().any(|row| row.name == "cellar"))
        .await;
    world.ask(ask(MinersRequest::Hide { miner: id.clone(), is_hidden: true })).await;
    world.window.until(|shown| view(shown).unwrap().hidden == 1).await;
    world.ask(ask(MinersRequest::ShowHidden)).await;
    world.window.until(|shown| view(shown).unwrap().hidden == 0).await;
    change(&node, |miner| miner.connections = 0);
    world.ask(ask(MinersRequest::Forget { miner: id.clone() })).await;
    world.window.until(|shown| view(shown).unwrap().rows.iter().all(|row| row.id != id)).await;
    change(&node, |_| {});
    world.window.until(|shown| view(shown).unwrap().rows.iter().any(|row| row.id == id)).await;
}
