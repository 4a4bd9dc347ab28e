//! Network, start, and answers that outlive the program: acceptance 8, 12 and 20.

use std::sync::Arc;

use p2pool_app::Host;
use p2pool_app::api::{
    ComputerStep, MappingView, MembersFound, MiningControl, NodePlace, OverallState, PageView,
    PortChoice, SetupNodeRequest, SetupRequest, SetupStep,
};
use p2pool_bitcoind::Auth;
use p2pool_node::{BitcoinSource, BitcoinState, MappingState, P2pState};
use p2pool_sharechain::time::UnixTime;

use super::Bench;
use crate::fake_node::FakeNode;
use crate::world::{BEGIN, LIVE_ME, ScriptedNode, World};

/// On the network step, with the live node that runs since then.
async fn at_network() -> (Bench, FakeNode, ScriptedNode) {
    let (mut bench, fake) = Bench::at_address().await;
    bench.give_address(LIVE_ME).await;
    bench.until(|view| view.can_go_on).await;
    bench.go_to(SetupStep::Network).await;
    let node = bench.world.next_node().await;
    bench.until(|view| matches!(view.network.members, MembersFound::Looking { .. })).await;
    (bench, fake, node)
}

#[tokio::test]
async fn node_runs_from_the_network_step_on_and_does_not_mine() {
    let (mut bench, fake, mut node) = at_network().await;
    assert!(!node.settings.mines_at_start && node.is_left_alone());
    assert_eq!(node.settings.payout_address.as_deref(), Some(LIVE_ME));
    let BitcoinSource::Bitcoind { rpc, .. } = &node.settings.bitcoin else { panic!() };
    assert_eq!(rpc.url, format!("http://127.0.0.1:{}", fake.port()));
    assert_eq!(rpc.auth, Auth::Cookie(bench.home.path().join(".cookie")));
    assert_eq!(bench.world.window.shown.overall, OverallState::Setup, "until it is finished");
    node.set(|node| node.p2p = Arc::new(P2pState { tried: 12, ..P2pState::default() }));
    bench.until(|view| view.network.members == MembersFound::Looking { tried: 12 }).await;
    let connected = P2pState { outgoing: 5, ..P2pState::default() };
    node.set(|node| node.p2p = Arc::new(connected));
    bench.until(|view| view.network.members == MembersFound::Connected { count: 5 }).await;
}

/// Acceptance 12.
#[tokio::test]
async fn router_that_agrees_is_silent_or_shares_its_address_is_told_apart() {
    let (mut bench, _fake, node) = at_network().await;
    bench.ask(SetupRequest::ChoosePort { choice: PortChoice::AskRouter }).await;
    node.expect_stop(true).await;
    let node = bench.world.next_node().await;
    assert!(node.settings.p2p.maps_port, "the router is asked once the person wants it");
    let external = "198.51.100.7:9333".parse().unwrap();
    let other = "198.51.100.7:9334".parse().unwrap();
    let since = UnixTime(BEGIN);
    for (mapping, expected) in [
        (MappingState::Asking, MappingView::Asking),
        (MappingState::Granted { external }, MappingView::Granted),
        (MappingState::OtherPort { external: other }, MappingView::OtherPort { port: 9334 }),
        (MappingState::NoAnswer, MappingView::NoAnswer),
        (MappingState::CarrierNat, MappingView::CarrierNat),
        (
            MappingState::Confirmed { external, since },
            MappingView::Confirmed { since: p2pool_app::api::UnixSeconds(BEGIN) },
        ),
    ] {
        node.set(|node| node.p2p = Arc::new(P2pState { mapping, ..P2pState::default() }));
        let view = bench.until(|view| view.network.mapping == expected).await;
        assert!(view.can_go_on, "one earns the same without it");
    }
    bench.ask(SetupRequest::ChoosePort { choice: PortChoice::NotNow }).await;
    node.expect_stop(true).await;
    let node = bench.world.next_node().await;
    assert!(!node.settings.p2p.maps_port);
    bench.until(|view| view.network.mapping == MappingView::Off).await;
}

#[tokio::test]
async fn members_are_named_by_hand_and_mistakes_are_told() {
    let (mut bench, _fake, node) = at_network().await;
    bench.ask(SetupRequest::AddMember { member: "a b".into() }).await;
    bench.until(|view| !view.network.mistake.is_empty()).await;
    bench.ask(SetupRequest::AddMember { member: "pool.example".into() }).await;
    let view = bench.until(|view| view.network.mistake.is_empty()).await;
    assert_eq!(view.network.named, ["pool.example:9333"]);
    node.expect_stop(true).await;
    assert_eq!(bench.world.next_node().await.settings.p2p.fixed.len(), 1);
}

/// Acceptance 8, second half: the start is armed, and mining begins by itself.
#[tokio::test]
async fn start_ends_the_set_up_and_mining_begins_when_everything_is_ready() {
    let (mut bench, _fake, mut node) = at_network().await;
    for step in [SetupStep::Miners, SetupStep::Computer, SetupStep::Start] {
        bench.go_to(step).await;
        let view = bench.until(|view| view.step == step && view.can_go_on).await;
        let url = Some("stratum+tcp://192.168.1.20:9332".to_owned());
        assert_eq!((view.miners.url, view.miners.user), (url, format!("{LIVE_ME}.miner1")));
    }
    bench.ask(SetupRequest::Start).await;
    let is_armed = |control: &MiningControl| matches!(control, MiningControl::Armed { .. });
    bench.world.window.until(|shown| is_armed(&shown.control)).await;
    assert_eq!(bench.world.window.shown.page, PageView::None);
    node.set(|node| {
        node.bitcoin = BitcoinState::Ready { tip_height: 975_120 };
        let chain = Arc::make_mut(&mut node.summary);
        (chain.has_work, chain.peers) = (true, 5);
    });
    node.expect_mining(true).await;
    bench.world.window.until(|shown| shown.control == MiningControl::Pause).await;
}

/// Acceptance 20.
#[tokio::test]
async fn answers_outlive_the_program_and_secrets_do_not() {
    let (mut bench, _node) = Bench::at_address().await;
    bench.give_address(LIVE_ME).await;
    let choices = ComputerStep { notifies: false, ..ComputerStep::default() };
    bench.ask(SetupRequest::ChooseComputer { choices }).await;
    bench.until(|view| view.computer == choices).await;
    bench.arrive(SetupStep::Node).await;
    bench.go_to(SetupStep::Address).await;
    // Whole files follow each other: the one that says both is not older than either.
    bench.world.file_with("setup.toml", "notifies = false").await;
    let kept = bench.world.file_with("setup.toml", "step = \"address\"").await;
    assert!(!kept.contains("aa11"), "{kept}");

    let again = World::with_files(&[("setup.toml", &kept)]).await;
    let PageView::Setup(view) = &again.window.shown.page else { panic!("the set-up goes on") };
    assert_eq!((view.step, view.computer), (SetupStep::Address, choices));
    assert!(view.address.is_checked && view.can_go_on);
    assert_eq!(view.node.place, NodePlace::Here);
}

#[tokio::test]
async fn set_up_can_be_run_again_and_left_again() {
    let (mut bench, _fake, node) = at_network().await;
    for step in [SetupStep::Miners, SetupStep::Computer, SetupStep::Start] {
        bench.go_to(step).await;
        bench.until(|view| view.step == step).await;
    }
    bench.ask(SetupRequest::Start).await;
    bench.world.window.until(|shown| shown.overall != OverallState::Setup).await;
    bench.ask(SetupRequest::Open).await;
    let view = bench.until(|view| view.step == SetupStep::Node).await;
    assert!(view.can_leave && view.reached == SetupStep::Start, "{:?}", view.reached);
    bench.node(SetupNodeRequest::LookAgain).await;
    bench.ask(SetupRequest::Leave).await;
    bench.world.window.until(|shown| shown.overall != OverallState::Setup).await;
    drop(node);
    assert!(bench.world.host.data_dir().join("settings.toml").exists());
}
