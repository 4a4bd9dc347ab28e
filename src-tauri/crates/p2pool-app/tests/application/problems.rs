//! What goes wrong, with its code, its values and its buttons.

use std::path::PathBuf;
use std::time::Duration;

use p2pool_app::api::{
    AppRequest, LatestKind, MiningControl, Mode, OverallState, Problem, ProblemAction, ProblemCode,
    Severity,
};
use p2pool_node::{HelperState, SettingsError, StartError, StorageState};

use crate::world::{ScriptedNode, World};

/// An error, its code, and a value that the sentence needs.
type Refusal = (StartError, ProblemCode, Option<(&'static str, &'static str)>);

fn refusals() -> Vec<Refusal> {
    let path = || PathBuf::from("/data/practice");
    let reason = || "some reason".to_owned();
    let at = Some(("path", "/data/practice"));
    vec![
        (
            StartError::PortTaken { port: 19_332, reason: reason() },
            ProblemCode::PortInUse,
            Some(("port", "19332")),
        ),
        (
            StartError::DataFolder { path: path(), reason: reason() },
            ProblemCode::DataUnwritable,
            at,
        ),
        (StartError::DataLocked { path: path() }, ProblemCode::AlreadyRunning, at),
        (StartError::DataOfOther { path: path(), reason: reason() }, ProblemCode::DataOfOther, at),
        (
            StartError::PracticeChain { reason: reason() },
            ProblemCode::TemplateFailed,
            Some(("reason", "some reason")),
        ),
        (
            StartError::Settings(SettingsError::Values(vec![reason()])),
            ProblemCode::SettingsDamaged,
            None,
        ),
        (
            StartError::System(std::io::Error::other("no threads")),
            ProblemCode::Unexpected,
            Some(("doing", "starting the practice pool")),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_start_is_a_problem_with_its_code_and_can_be_tried_again() {
    for (error, code, value) in refusals() {
        let technical = error.to_string();
        let mut world = World::new().await;
        world.refuse(error);
        world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
        world.window.until(|shown| !shown.problems.is_empty()).await;

        let problem = &world.window.shown.problems[0];
        assert_eq!((problem.code, problem.severity), (code, Severity::Error));
        assert!(problem.technical.contains(&technical), "{}", problem.technical);
        if let Some((name, value)) = value {
            assert_eq!(problem.values[name], value);
        }
        assert_eq!(problem.actions, [ProblemAction::TryAgain]);
        world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
        assert!(!world.app.is_node_up());

        let again = AppRequest::TryAgain { problem: world.window.shown.problems[0].id };
        world.ask(again).await;
        let _node = world.next_node().await;
        world.window.until(|shown| shown.practice.is_some()).await;
        assert_eq!(world.window.codes(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_starting_is_a_problem_too() {
    use std::sync::Arc;
    let dir = tempfile::tempdir().unwrap();
    let host = crate::world::host(dir);
    let start = |_| panic!("a mistake of ours");
    let (app, controller) = p2pool_app::Controller::new(host, Arc::new(start));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(controller.run());
    let mut window = crate::world::Window::open(&app).await;
    app.request(AppRequest::EnterPractice { keeps_live: true }).await.unwrap();
    window.until(|shown| !shown.problems.is_empty()).await;
    assert_eq!(window.codes(), [ProblemCode::Unexpected]);
}

#[tokio::test(start_paused = true)]
async fn damaged_settings_start_nothing() {
    let mut world = World::with_files(&[("settings.toml", "[practice]\nthread = 1\n")]).await;
    assert_eq!(world.window.codes(), [ProblemCode::SettingsDamaged]);
    assert_eq!(world.window.shown.overall, OverallState::Setup);
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    let code = ProblemCode::SettingsDamaged;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    assert_eq!(world.window.codes(), [code]);
    assert!(world.window.shown.problems[0].technical.contains("thread"));
    assert!(world.has_started_none());
}

#[tokio::test(start_paused = true)]
async fn damaged_settings_give_way_to_their_copy_and_say_so() {
    let good = "[practice]\nthreads = 5\n";
    let files = [("settings.toml", "[practice\n"), ("settings.copy.toml", good)];
    let mut world = World::with_files(&files).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!((problem.code, problem.severity), (ProblemCode::SettingsDamaged, Severity::Notice));
    assert!(problem.values["date"].ends_with("UTC"));
    world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
    let node = world.next_node().await;
    assert_eq!(node.settings.helper.as_ref().unwrap().threads, 5);
}

#[tokio::test(start_paused = true)]
async fn hidden_problem_stays_hidden_until_it_happens_anew() {
    let (mut world, node) = World::mining().await;
    let missing = || HelperState::Missing { path: "/x".into(), reason: "not found".into() };
    node.set(|node| node.helper = missing());
    world.window.until(|shown| !shown.problems.is_empty()).await;
    let first = world.window.shown.problems[0].id;
    world.ask(AppRequest::DismissProblem { problem: first }).await;
    world.window.until(|shown| shown.problems.is_empty()).await;
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;

    node.set(|node| node.helper = HelperState::Stopped { reason: "killed".into() });
    world.window.watch_for(Duration::from_secs(10)).await;
    assert_eq!(world.window.codes(), [], "the same trouble in other words");

    node.set(|node| {
        node.helper =
            HelperState::Running { threads: 1, hashrate_hps: 1e6, cannot_tell: Vec::new() }
    });
    world.window.watch_for(Duration::from_secs(5)).await;
    node.set(|node| node.helper = missing());
    world.window.until(|shown| !shown.problems.is_empty()).await;
    assert!(world.window.shown.problems[0].id > first);
}

#[tokio::test(start_paused = true)]
async fn worst_problem_comes_first() {
    let (mut world, node) = World::mining().await;
    node.set(|node| {
        node.storage = StorageState::Degraded { reason: "disk full".into() };
        node.bitcoin = p2pool_node::BitcoinState::Unavailable {
            code: p2pool_node::ProblemCode::NodeUnreachable,
            reason: "refused".into(),
            since: node.started_at,
        };
    });
    world.window.until(|shown| shown.problems.len() == 2).await;
    let codes = [ProblemCode::NodeUnreachable, ProblemCode::DataUnwritable];
    assert_eq!(world.window.codes(), codes);
    let severities: Vec<_> = world.window.shown.problems.iter().map(|p| p.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning]);
}

#[tokio::test(start_paused = true)]
async fn node_that_ends_by_itself_is_started_again_and_mines_on() {
    let (mut world, node) = World::mining().await;
    node.set(|node| node.failure = Some("driver: index out of bounds".into()));
    drop(node);
    let mut second = world.next_node().await;
    second.set_mining_well();
    second.expect_mining(true).await;
    world.window.until(|shown| !shown.problems.is_empty()).await;
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
    let problem = &world.window.shown.problems[0];
    assert_eq!((problem.code, problem.severity), (ProblemCode::EngineRestarted, Severity::Notice));
    assert_eq!(problem.values["count"], "1");
    assert!(problem.technical.contains("index out of bounds"));
}

#[tokio::test(start_paused = true)]
async fn node_that_ends_twice_shortly_stays_down_and_says_why() {
    let (mut world, node) = World::mining().await;
    drop(node);
    drop(world.next_node().await);
    let code = ProblemCode::EngineRestarted;
    world.window.until(|shown| shown.overall == OverallState::Blocked { code }).await;
    let shown = &world.window.shown;
    assert_eq!((shown.mode, &shown.control), (Mode::Practice, &MiningControl::None));
    let Problem { values, actions, id, .. } = &shown.problems[0];
    assert_eq!(
        (values["count"].as_str(), actions.as_slice()),
        ("2", &[ProblemAction::TryAgain][..])
    );
    assert!(!world.app.is_node_up());

    world.ask(AppRequest::TryAgain { problem: *id }).await;
    let _third: ScriptedNode = world.next_node().await;
    world.window.until(|shown| shown.practice.is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn broken_practice_can_be_left() {
    let (mut world, node) = World::mining().await;
    drop(node);
    drop(world.next_node().await);
    world.window.until(|shown| matches!(shown.overall, OverallState::Blocked { .. })).await;
    world.ask(AppRequest::LeavePractice).await;
    world.window.until(|shown| shown.overall == OverallState::Setup).await;
    assert_eq!(world.window.shown.mode, Mode::Live);
}

#[tokio::test(start_paused = true)]
async fn problems_appear_among_the_latest() {
    let (mut world, node) = World::mining().await;
    node.set(|node| node.storage = StorageState::Degraded { reason: "disk full".into() });
    let raised = LatestKind::ProblemRaised { code: ProblemCode::DataUnwritable };
    world.window.until(|shown| shown.events.first().is_some_and(|e| e.what == raised)).await;
    assert!(world.window.shown.problems[0].values["path"].ends_with("practice"));
}
