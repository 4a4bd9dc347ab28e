//! The live node: begun with the settings, beside practice, and as it was at the next start.

use std::sync::Arc;
use std::time::Duration;

use p2pool_app::api::{
    AppRequest, LogLevel, MiningControl, Mode, OverallState, ProblemAction, ProblemCode,
    SettingsRequest, TypedText, UnixSeconds, WaitReason,
};
use p2pool_app::{Keychain, KeychainError};
use p2pool_bitcoind::{Auth, NodeFacts, Secret};
use p2pool_node::{BitcoinNode, BitcoinSource, BitcoinState, ProblemCode as NodeCode, StartError};
use p2pool_sharechain::time::UnixTime;

use crate::world::{BEGIN, LIVE, LIVE_ME, ScriptedNode, World, share};

/// Another address of the real network.
const OTHER: &str = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";

fn settings(run: &str) -> String {
    format!("[run]\naddress = \"{LIVE_ME}\"\nrpc_cookie = \"/cookie\"\n{run}")
}

fn login(source: &BitcoinSource) -> (&str, &Auth) {
    match source {
        BitcoinSource::Bitcoind { rpc, .. } => (&rpc.url, &rpc.auth),
        BitcoinSource::Practice => panic!("practice"),
    }
}

fn asked(request: SettingsRequest) -> AppRequest {
    AppRequest::Settings { request }
}

/// Ready to mine, apart from a miner.
fn be_ready(node: &ScriptedNode) {
    node.set(|node| {
        node.bitcoin = BitcoinState::Ready { tip_height: 975_120 };
        let chain = Arc::make_mut(&mut node.summary);
        (chain.has_work, chain.peers) = (true, 5);
    });
}

#[tokio::test(start_paused = true)]
async fn settings_start_the_live_node_by_themselves() {
    let (mut world, mut node) = World::live(LIVE).await;
    assert_eq!(
        login(&node.settings.bitcoin),
        ("http://127.0.0.1:8332", &Auth::Cookie("/cookie".into()))
    );
    assert_eq!(node.settings.payout_address.as_deref(), Some(LIVE_ME));
    assert!(!node.settings.mines_at_start && node.settings.data_dir.ends_with("bitcoin"));
    assert_eq!(world.window.shown.mode, Mode::Live);
    let joining = OverallState::Joining { shares_done: None, shares_total: None };
    assert_eq!((&world.window.shown.overall, &world.window.shown.practice), (&joining, &None));

    be_ready(&node);
    let miner_url = Some("stratum+tcp://192.168.1.20:9332".to_owned());
    let waiting = OverallState::WaitingMiner { miner_url };
    world.window.until(|shown| shown.overall == waiting).await;
    assert_eq!(world.window.shown.control, MiningControl::Start { waits_for: vec![] });
    assert!(node.is_left_alone());
}

#[tokio::test(start_paused = true)]
async fn live_start_is_armed_and_mining_begins_by_itself() {
    let (mut world, mut node) = World::live(LIVE).await;
    world.ask(AppRequest::StartMining).await;
    let waits = [WaitReason::Node, WaitReason::Members, WaitReason::Template];
    let armed = MiningControl::Armed { waits_for: waits.to_vec() };
    world.window.until(|shown| shown.control == armed).await;
    be_ready(&node);
    node.expect_mining(true).await;
    world.window.until(|shown| shown.control == MiningControl::Pause).await;
}

#[tokio::test(start_paused = true)]
async fn mining_goes_on_at_the_next_start_and_a_pause_stays_one() {
    let (mut world, mut node) = World::live(LIVE).await;
    world.ask(AppRequest::StartMining).await;
    be_ready(&node);
    node.expect_mining(true).await;
    // Written as either becomes known; the last writing has both.
    world.file_with("last-run.toml", "mining = \"on\"").await;
    let on = world.file_with("last-run.toml", LIVE_ME).await;
    assert!(on.contains("mining = \"on\""));

    let mut next = World::with_files(&[("settings.toml", LIVE), ("last-run.toml", &on)]).await;
    let mut node = next.next_node().await;
    be_ready(&node);
    node.expect_mining(true).await;
    next.ask(AppRequest::PauseMining { for_secs: None }).await;
    node.expect_mining(false).await;
    let paused = next.file_with("last-run.toml", "mining = \"paused\"").await;

    let files = [("settings.toml", LIVE), ("last-run.toml", paused.as_str())];
    let mut last = World::with_files(&files).await;
    let mut node = last.next_node().await;
    be_ready(&node);
    last.window.until(|shown| matches!(shown.overall, OverallState::Paused { .. })).await;
    assert_eq!(last.window.shown.control, MiningControl::Resume);
    assert!(node.is_left_alone());
}

#[tokio::test(start_paused = true)]
async fn quitting_while_mining_is_no_pause() {
    let (mut world, mut node) = World::live(LIVE).await;
    world.ask(AppRequest::StartMining).await;
    be_ready(&node);
    node.expect_mining(true).await;
    world.file_with("last-run.toml", "mining = \"on\"").await;
    let app = world.app.clone();
    let ((), ()) = tokio::join!(app.stop(), node.expect_stop(true));
    world.file_with("last-run.toml", "mining = \"on\"").await;
    world.join().await;
}

#[tokio::test(start_paused = true)]
async fn practice_runs_beside_live_mining_that_goes_on() {
    let (mut world, mut live) = World::live_mining().await;
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    let practice = world.next_node().await;
    world.window.until(|shown| shown.practice.is_some()).await;
    assert_eq!(world.window.shown.mode, Mode::Practice);
    assert!(live.is_left_alone(), "it mines on");

    world.ask(AppRequest::LeavePractice).await;
    world.window.until(|shown| shown.mode == Mode::Live).await;
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
    practice.expect_stop(true).await;
    assert!(live.is_left_alone() && world.app.is_node_up());
}

#[tokio::test(start_paused = true)]
async fn live_mining_can_rest_until_practice_is_left() {
    let (mut world, mut live) = World::live_mining().await;
    world.ask(AppRequest::EnterPractice { keeps_live: false }).await;
    live.expect_mining(false).await;
    let mut practice = world.next_node().await;
    world.window.until(|shown| shown.practice.is_some()).await;
    // What is asked for in practice is asked of practice alone.
    world.ask(AppRequest::StartMining).await;
    practice.set_mining_well();
    practice.expect_mining(true).await;
    world.file_with("last-run.toml", "mining = \"on\"").await;

    world.ask(AppRequest::LeavePractice).await;
    live.expect_mining(true).await;
    practice.expect_stop(true).await;
}

#[tokio::test(start_paused = true)]
async fn problems_of_the_node_that_is_not_shown_wait_for_it() {
    let (mut world, live) = World::live_mining().await;
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    let _practice = world.next_node().await;
    world.window.until(|shown| shown.practice.is_some()).await;
    live.set(|node| {
        let (code, since) = (NodeCode::NodeUnreachable, UnixTime(BEGIN));
        node.bitcoin = BitcoinState::Unavailable { code, reason: "refused".into(), since };
    });
    world.window.watch_for(Duration::from_secs(5)).await;
    assert_eq!(world.window.codes(), []);
    world.ask(AppRequest::LeavePractice).await;
    let down = OverallState::NodeDown { since: UnixSeconds(BEGIN) };
    world.window.until(|shown| shown.overall == down).await;
    assert_eq!(world.window.codes(), [ProblemCode::NodeUnreachable]);
}

#[tokio::test(start_paused = true)]
async fn address_changed_outside_blocks_until_it_is_confirmed() {
    let last = format!("mining = \"on\"\naddress = \"{OTHER}\"\n");
    let files = [("settings.toml", LIVE), ("last-run.toml", last.as_str())];
    let mut world = World::with_files(&files).await;
    let code = ProblemCode::AddressChanged;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!((problem.code, problem.values["address"].as_str()), (code, LIVE_ME));
    assert_eq!(problem.values["old"], OTHER);
    let actions = [ProblemAction::RestoreOldAddress, ProblemAction::AddressChecked];
    assert_eq!(problem.actions, actions);
    assert!(world.has_started_none());
    assert!(world.try_ask(AppRequest::StartMining).await.is_err());

    world.ask(asked(SettingsRequest::ConfirmAddress)).await;
    let mut node = world.next_node().await;
    be_ready(&node);
    node.expect_mining(true).await;
    world.window.until(|shown| shown.problems.is_empty()).await;
    world.file_with("last-run.toml", LIVE_ME).await;
}

#[tokio::test(start_paused = true)]
async fn address_changed_outside_can_be_put_back() {
    let last = format!("mining = \"off\"\naddress = \"{OTHER}\"\n");
    let files = [("settings.toml", LIVE), ("last-run.toml", last.as_str())];
    let mut world = World::with_files(&files).await;
    world.window.until(|shown| !shown.problems.is_empty()).await;
    world.ask(asked(SettingsRequest::RestoreAddress)).await;
    let node = world.next_node().await;
    assert_eq!(node.settings.payout_address.as_deref(), Some(OTHER));
    let written = world.host_file("settings.toml").await;
    assert!(written.contains(OTHER) && written.contains("/cookie"), "{written}");
}

#[tokio::test(start_paused = true)]
async fn password_comes_from_the_password_store() {
    let told = settings("rpc_user = \"bob\"\nrpc_url = \"http://10.0.0.5:8332\"\n");
    let mut world = World::with_files(&[("settings.toml", &told)]).await;
    let code = ProblemCode::LoginMissing;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!(problem.actions, [ProblemAction::EnterLogin, ProblemAction::TryAgain]);

    let password = Secret::new("hunter2".into());
    world.host.keychain.set("bitcoind:10.0.0.5:8332", &password).unwrap();
    world.ask(AppRequest::TryAgain { problem: problem.id }).await;
    let node = world.next_node().await;
    let auth = Auth::UserPassword { user: "bob".into(), password };
    assert_eq!(login(&node.settings.bitcoin), ("http://10.0.0.5:8332", &auth));

    // Whoever says it from now on, the log does not repeat it.
    let log = &world.host.log;
    log.write(UnixSeconds(BEGIN), LogLevel::Info, "other", "it was hunter2", "word=hunter2");
    let line = &log.before(None, 1).lines[0];
    assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
}

#[tokio::test(start_paused = true)]
async fn password_can_be_typed_for_this_run_or_kept() {
    for keeps in [false, true] {
        let told = settings("rpc_user = \"bob\"\n");
        let mut world = World::with_files(&[("settings.toml", &told)]).await;
        world.window.until(|shown| !shown.problems.is_empty()).await;
        let password = TypedText::new("hunter2");
        let typed = SettingsRequest::EnterLogin { password, keeps };
        assert!(!format!("{typed:?}").contains("hunter2"));
        world.ask(asked(typed)).await;
        let node = world.next_node().await;
        let (_, auth) = login(&node.settings.bitcoin);
        assert!(
            matches!(auth, Auth::UserPassword { password, .. } if password.expose() == "hunter2")
        );
        world.window.watch_for(Duration::from_secs(2)).await;
        let kept = world.host.keychain.get("bitcoind:127.0.0.1:8332").unwrap();
        assert_eq!(kept.is_some(), keeps);
        assert!(!world.host_file("settings.toml").await.contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn password_store_that_fails_is_told_by_its_code() {
    for (failure, code) in [
        (KeychainError::Unavailable("no service".into()), ProblemCode::KeychainMissing),
        (KeychainError::Declined("locked".into()), ProblemCode::KeychainLocked),
    ] {
        let told = settings("rpc_user = \"bob\"\n");
        let mut world = World::with_files(&[("settings.toml", &told)]).await;
        world.window.until(|shown| !shown.problems.is_empty()).await;
        world.host.keychain.fail(Some(failure));
        let problem = world.window.shown.problems[0].id;
        world.ask(AppRequest::TryAgain { problem }).await;
        world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
        assert_eq!(world.window.codes(), [code]);
    }
}

#[tokio::test(start_paused = true)]
async fn live_node_that_does_not_start_says_why_and_can_be_tried_again() {
    let taken = StartError::PortTaken { port: 9332, reason: "in use".into() };
    let mut world = World::refusing(&[("settings.toml", LIVE)], Some(taken)).await;
    let code = ProblemCode::PortInUse;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    let problem = world.window.shown.problems[0].id;
    world.ask(AppRequest::TryAgain { problem }).await;
    world.next_node().await;
    world.window.until(|shown| shown.problems.is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_used_start_nothing_and_keep_the_file() {
    let wrong = settings("threads = 5000\n");
    let mut world = World::with_files(&[("settings.toml", &wrong)]).await;
    let code = ProblemCode::SettingsDamaged;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    assert!(world.window.shown.problems[0].technical.contains("5000"));
    assert!(world.has_started_none());
    assert_eq!(world.host_file("settings.toml").await, wrong);
}

#[tokio::test(start_paused = true)]
async fn a_minute_without_other_members_is_told() {
    let (mut world, node) = World::live_mining().await;
    node.set_chain(|chain| (chain.peers, chain.has_work) = (0, false));
    node.set(|node| Arc::make_mut(&mut node.p2p).tried = 12);
    world.window.watch_for(Duration::from_secs(55)).await;
    let joining = OverallState::Joining { shares_done: None, shares_total: None };
    assert_eq!(world.window.shown.overall, joining);
    world.window.until(|shown| shown.overall == OverallState::NoMembers { tried: 12 }).await;
    be_ready(&node);
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
}

#[tokio::test(start_paused = true)]
async fn time_until_the_bitcoin_node_has_caught_up_is_estimated() {
    let (mut world, node) = World::live(LIVE).await;
    world.ask(AppRequest::StartMining).await;
    let sync = |part: f64| {
        node.set(|node| {
            let (code, since) = (NodeCode::NodeSyncing, UnixTime(BEGIN));
            node.bitcoin = BitcoinState::Unavailable { code, reason: "syncing".into(), since };
            let facts = NodeFacts {
                clock_offset_s: None,
                version: 310_000,
                subversion: "/Satoshi:31.0.0/".into(),
                blocks: 600_000,
                headers: 975_120,
                initial_block_download: true,
                size_on_disk: None,
                verification_progress: part,
                pruned: false,
                median_time: 0,
                tip_time: None,
                connections: 8,
                warnings: Vec::new(),
            };
            Arc::make_mut(&mut node.bitcoin_details).nodes = vec![BitcoinNode {
                url: "http://127.0.0.1:8332".into(),
                is_reserve: false,
                is_remote: false,
                is_in_use: true,
                tip_height: None,
                facts: Some(Arc::new(facts)),
                problem: None,
            }];
        });
    };
    sync(0.63);
    let unknown = OverallState::NodeSyncing { progress: 0.63, remaining_secs: None };
    world.window.until(|shown| shown.overall == unknown).await;
    let waits = vec![WaitReason::NodeSync, WaitReason::Members, WaitReason::Template];
    assert_eq!(world.window.shown.control, MiningControl::Armed { waits_for: waits });
    for step in 0..40 {
        sync(0.63 + 0.001 * f64::from(step));
        world.window.watch_for(Duration::from_secs(60)).await;
    }
    let OverallState::NodeSyncing { remaining_secs: Some(left), .. } = world.window.shown.overall
    else {
        panic!("{:?}", world.window.shown.overall);
    };
    // 33 % are left, at a thousandth a minute.
    assert!((18_000.0..22_000.0).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn pool_that_follows_unknown_rules_blocks() {
    let (mut world, node) = World::live_mining().await;
    node.set(|node| Arc::make_mut(&mut node.p2p).problem = Some(NodeCode::PoolRulesUnknown));
    let code = ProblemCode::RulesUnknown;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
}

#[tokio::test(start_paused = true)]
async fn live_shares_are_mine_by_the_address_of_the_settings() {
    let (mut world, node) = World::live_mining().await;
    node.set_chain(|chain| {
        (chain.own_found, chain.own_in_chain) = (1, 1);
        chain.window = vec![share(1, LIVE_ME)];
        chain.window[0].is_own = true;
    });
    world.window.until(|shown| shown.overall == OverallState::Earning).await;
    world.window.until(|shown| shown.shares.mine_in_window == 1).await;
}
