//! Every overall state, and what the mining button offers in it.

use std::sync::Arc;

use p2pool_app::api::{
    AppRequest, AppSnapshot, LatestKind, LightState, MiningControl, Mode, OverallState,
    ProblemCode, Severity, UnixSeconds, WaitReason,
};
use p2pool_node::{BitcoinState, HelperState, NodeProblem, ProblemCode as NodeCode};
use p2pool_sharechain::time::UnixTime;

use crate::world::{BEGIN, ME, SIMULATED, World, share};

#[tokio::test(start_paused = true)]
async fn fresh_application_is_to_be_set_up() {
    let world = World::new().await;
    let shown = &world.window.shown;
    assert_eq!((&shown.overall, shown.mode), (&OverallState::Setup, Mode::Live));
    assert_eq!(shown.control, MiningControl::None);
    let refused = world.try_ask(AppRequest::StartMining).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Unexpected);
}

#[tokio::test(start_paused = true)]
async fn practice_starts_a_node_of_its_own_that_does_not_mine_yet() {
    let (mut world, mut node) = World::practice().await;
    assert!(!node.settings.mines_at_start);
    assert!(node.settings.data_dir.ends_with("practice"));
    let joining = OverallState::Joining { shares_done: None, shares_total: None };
    assert_eq!((&world.window.shown.overall, world.window.shown.mode), (&joining, Mode::Practice));

    node.set_mining_well();
    world.window.until(|shown| shown.control == MiningControl::Start { waits_for: vec![] }).await;
    let miner_url = Some("stratum+tcp://127.0.0.1:19332".to_owned());
    let waiting = OverallState::WaitingMiner { miner_url };
    world.window.until(|shown| shown.overall == waiting).await;
    assert_eq!(world.window.shown.lights.miners.state, LightState::Off);
    assert!(node.is_left_alone());
    world.window.until(|shown| shown.events.len() == 1).await;
    assert_eq!(world.window.lines(), [&LatestKind::PracticeStarted { is_continued: false }]);
}

#[tokio::test(start_paused = true)]
async fn start_is_armed_until_everything_is_ready() {
    let mut world = World::new().await;
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    world.ask(AppRequest::StartMining).await;
    let armed = |waits_for: Vec<WaitReason>| MiningControl::Armed { waits_for };
    let mut node = world.next_node().await;
    let started = armed(vec![WaitReason::Node, WaitReason::Template]);
    world.window.until(|shown| shown.control == started).await;

    node.set(|node| node.bitcoin = BitcoinState::Ready { tip_height: 1 });
    world.window.until(|shown| shown.control == armed(vec![WaitReason::Template])).await;
    assert!(node.is_left_alone());

    node.set_chain(|chain| chain.has_work = true);
    node.expect_mining(true).await;
    world.window.until(|shown| shown.control == MiningControl::Pause).await;
    world.window.until(|shown| shown.events.len() == 2).await;
    assert_eq!(world.window.lines()[0], &LatestKind::MiningStarted);
}

#[tokio::test(start_paused = true)]
async fn armed_start_can_be_taken_back() {
    let (mut world, mut node) = World::practice().await;
    world.ask(AppRequest::StartMining).await;
    world.window.until(|shown| matches!(shown.control, MiningControl::Armed { .. })).await;
    world.ask(AppRequest::CancelStart).await;
    node.set_mining_well();
    world.window.until(|shown| shown.control == MiningControl::Start { waits_for: vec![] }).await;
    assert!(node.is_left_alone());
}

#[tokio::test(start_paused = true)]
async fn share_chain_that_is_being_checked_is_counted() {
    let (mut world, node) = World::practice().await;
    node.set_mining_well();
    node.set_chain(|chain| (chain.height, chain.verified_height) = (418, 148));
    let joining = OverallState::Joining { shares_done: Some(148), shares_total: Some(418) };
    world.window.until(|shown| shown.overall == joining).await;
    let waits_for = vec![WaitReason::ShareChain];
    assert_eq!(world.window.shown.control, MiningControl::Start { waits_for });
    assert_eq!(world.window.shown.lights.chain.state, LightState::Working);
}

#[tokio::test(start_paused = true)]
async fn mining_waits_for_a_miner_then_for_a_share_then_earns() {
    let (mut world, node) = World::mining().await;
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
    assert_eq!(world.window.shown.hero.amount_sats.unwrap().0, 0);

    node.set(|node| node.miners = Arc::default());
    world.window.until(|shown| matches!(shown.overall, OverallState::WaitingMiner { .. })).await;

    node.set_mining_well();
    node.set_chain(|chain| {
        (chain.own_found, chain.own_in_chain) = (1, 1);
        chain.own_payout_sats = 1_043_219_884;
        chain.window = vec![share(1, ME), share(2, SIMULATED)];
    });
    world.window.until(|shown| shown.overall == OverallState::Earning).await;
    world.window.until(|shown| shown.hero.amount_sats.is_some_and(|a| a.0 == 1_043_219_884)).await;
    let hero = &world.window.shown.hero;
    assert_eq!(hero.block_part, Some(0.208_643_976_8));
    assert!(hero.pool_block_secs.is_some(), "the amount never stands without the wait");
}

#[tokio::test(start_paused = true)]
async fn between_shares_the_moment_the_last_one_left_is_known() {
    let (mut world, node) = World::mining().await;
    node.set_chain(|chain| {
        chain.own_found = 1;
        chain.window = vec![share(1, ME)];
    });
    world.window.until(|shown| shown.overall == OverallState::Earning).await;
    node.set_chain(|chain| chain.window = vec![share(2, SIMULATED)]);
    world.window.until(|shown| matches!(shown.overall, OverallState::Between { .. })).await;
    let OverallState::Between { last_left_at: Some(at) } = world.window.shown.overall else {
        panic!("the share was seen leaving");
    };
    assert!(at >= UnixSeconds(BEGIN));
}

#[tokio::test(start_paused = true)]
async fn pause_keeps_the_shares_and_resuming_is_told_as_such() {
    let (mut world, mut node) = World::mining().await;
    node.set_chain(|chain| chain.window = vec![share(2, SIMULATED), share(1, ME)]);
    world.ask(AppRequest::PauseMining { for_secs: None }).await;
    node.expect_mining(false).await;
    world.window.until(|shown| matches!(shown.overall, OverallState::Paused { .. })).await;
    // 360 shares fill this window at most, one each 10 s; mine is the second newest.
    let shares_count_secs = Some(3_590.0);
    world.window.until(|s| s.overall == OverallState::Paused { shares_count_secs }).await;
    assert_eq!(world.window.shown.control, MiningControl::Resume);
    world.window.until(|shown| shown.rates.mine_hps.is_none()).await;

    world.ask(AppRequest::ResumeMining).await;
    node.expect_mining(true).await;
    world.window.until(|shown| shown.control == MiningControl::Pause).await;
    world.window.until(|shown| shown.events[0].what == LatestKind::MiningResumed).await;
    assert_eq!(world.window.lines()[1], &LatestKind::MiningPaused);
}

#[tokio::test(start_paused = true)]
async fn silent_bitcoin_node_is_told_and_mining_goes_on_when_it_is_back() {
    let (mut world, mut node) = World::mining().await;
    let since = UnixTime(BEGIN + 5);
    node.set(|node| {
        let reason = "connection refused".to_owned();
        let code = NodeCode::NodeUnreachable;
        node.bitcoin = BitcoinState::Unavailable { code, reason, since };
        Arc::make_mut(&mut node.summary).has_work = false;
    });
    let down = OverallState::NodeDown { since: UnixSeconds(BEGIN + 5) };
    world.window.until(|shown| shown.overall == down).await;
    assert_eq!(world.window.codes(), [ProblemCode::NodeUnreachable]);
    assert_eq!(world.window.shown.lights.node.state, LightState::Stopped);

    node.set_mining_well();
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
    assert_eq!(world.window.codes(), []);
    let solved = LatestKind::ProblemSolved { code: ProblemCode::NodeUnreachable };
    world.window.until(|shown| shown.events[0].what == solved).await;
    assert!(node.is_left_alone(), "the node was never told to stop mining");
}

#[tokio::test(start_paused = true)]
async fn bitcoin_node_that_catches_up_is_no_error() {
    let (mut world, node) = World::mining().await;
    node.set(|node| {
        let (code, since) = (NodeCode::NodeSyncing, UnixTime(BEGIN));
        node.bitcoin = BitcoinState::Unavailable { code, reason: "63 %".into(), since };
    });
    let syncing = |shown: &AppSnapshot| matches!(shown.overall, OverallState::NodeSyncing { .. });
    world.window.until(syncing).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!((problem.code, problem.severity), (ProblemCode::NodeCatchingUp, Severity::Notice));
}

#[tokio::test(start_paused = true)]
async fn warning_of_the_bitcoin_node_is_told_while_mining_goes_on() {
    let (mut world, node) = World::mining().await;
    node.set(|node| {
        let (code, since) = (NodeCode::NodeTipOld, UnixTime(BEGIN));
        let warning = NodeProblem { code, reason: "block 7 is 9000 s old".into(), since };
        Arc::make_mut(&mut node.bitcoin_details).warnings.push(warning);
    });
    world.window.until(|shown| matches!(shown.overall, OverallState::Degraded { .. })).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!((problem.code, problem.severity), (ProblemCode::NodeStuck, Severity::Warning));
    assert_eq!(problem.technical, "block 7 is 9000 s old");
}

#[tokio::test(start_paused = true)]
async fn wrong_chain_blocks() {
    let (mut world, node) = World::mining().await;
    node.set(|node| {
        let (code, since) = (NodeCode::NodeChain, UnixTime(BEGIN));
        node.bitcoin = BitcoinState::Unavailable { code, reason: "main".into(), since };
    });
    world.window.until(|shown| matches!(shown.overall, OverallState::Blocked { .. })).await;
    let OverallState::Blocked { code } = world.window.shown.overall else { unreachable!() };
    assert_eq!(world.window.codes(), [code]);
}

#[tokio::test(start_paused = true)]
async fn a_problem_while_mining_degrades() {
    let (mut world, node) = World::mining().await;
    node.set(|node| {
        node.helper = HelperState::Missing { path: "/x/p2pool-miner".into(), reason: "?".into() };
    });
    let degraded = OverallState::Degraded { has_share_in_window: false };
    world.window.until(|shown| shown.overall == degraded).await;
    assert_eq!(world.window.codes(), [ProblemCode::HelperBlocked]);

    node.set_chain(|chain| chain.window = vec![share(1, ME)]);
    let degraded = OverallState::Degraded { has_share_in_window: true };
    world.window.until(|shown| shown.overall == degraded).await;
}

#[tokio::test(start_paused = true)]
async fn leaving_practice_ends_the_node_and_shows_welcome_at_once() {
    let (mut world, node) = World::mining().await;
    world.ask(AppRequest::LeavePractice).await;
    world.window.until(|shown| shown.overall == OverallState::Setup).await;
    assert_eq!(world.window.shown.mode, Mode::Live);
    assert_eq!(world.window.shown.practice, None);
    // Back before the old node has ended: the new one waits for that.
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    assert!(world.has_started_none());
    node.expect_stop(true).await;
    world.next_node().await;
    world.window.until(|shown| shown.practice.is_some()).await;
    let control = &world.window.shown.control;
    assert!(matches!(control, MiningControl::Start { .. }), "mining was not asked for again");
}

#[tokio::test(start_paused = true)]
async fn requests_are_idempotent() {
    let (mut world, mut node) = World::mining().await;
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    world.ask(AppRequest::StartMining).await;
    world.ask(AppRequest::ResumeMining).await;
    world.ask(AppRequest::CancelStart).await;
    world.ask(AppRequest::DismissProblem { problem: 7 }).await;
    world.ask(AppRequest::TryAgain { problem: 7 }).await;
    assert!(node.is_left_alone());
    assert!(world.has_started_none());
    world.ask(AppRequest::LeavePractice).await;
    world.ask(AppRequest::LeavePractice).await;
    node.expect_stop(true).await;
    world.window.until(|shown| shown.overall == OverallState::Setup).await;
}
