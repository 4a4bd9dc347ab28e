//! The node step with nodes in every condition: acceptance 2, 8 and 9.

use p2pool_app::api::{
    LoginChoice, NodeCard, NodeFact, NodeNext, NodePlace, NodeTest, ProblemCode, SetupNodeRequest,
    SetupStep, TestResult, TypedText,
};
use p2pool_app::{Keychain, KeychainError};
use p2pool_bitcoind::local::Program;
use serde_json::json;

use super::{Bench, chain, synced};
use crate::fake_node::FakeNode;

/// Acceptance 2.
#[tokio::test]
async fn running_node_with_a_cookie_is_ready_and_no_file_is_written() {
    let (mut bench, _node) = Bench::ready().await;
    let files = bench.files();
    let view = bench.view();
    let facts = [
        NodeFact::Running { program: "Bitcoin Core 31.0.0".into() },
        NodeFact::Synced { height: 975_120 },
        NodeFact::Pruned { bytes: Some(15_000_000_000) },
        NodeFact::LoginWorks { login: LoginChoice::Cookie },
    ];
    let shown: Vec<_> = view.node.facts.iter().filter(|f| !is_about_disk(f)).cloned().collect();
    assert_eq!(shown, facts);
    assert_eq!((view.node.card, view.node.login), (NodeCard::Ready, Some(LoginChoice::Cookie)));
    let tests: Vec<_> = view.node.tests.iter().map(|line| (line.test, &line.result)).collect();
    assert_eq!(tests.len(), 6, "{tests:?}");
    assert!(tests.iter().all(|(_, result)| **result == TestResult::Passed), "{tests:?}");
    bench.go_to(SetupStep::Address).await;
    bench.until(|view| view.step == SetupStep::Address).await;
    assert_eq!(bench.files(), files);
}

/// How full the disk is depends on the computer of the test.
fn is_about_disk(fact: &NodeFact) -> bool {
    matches!(fact, NodeFact::DiskLow { .. })
}

/// Acceptance 8, but for the start, which is with the rest of the steps.
#[tokio::test]
async fn node_that_fetches_the_chain_may_be_set_up_and_is_followed_until_it_has_it() {
    let node = synced();
    node.on("getblockchaininfo", Ok(chain(614_000, 0.63, true)));
    let mut bench = Bench::with(&[(".cookie", "__cookie__:aa11")]).await;
    bench.run(Program::Bitcoind, node.port(), &[]);
    bench.arrive(SetupStep::Node).await;
    let view = bench.until(|view| view.can_go_on).await;
    assert_eq!(view.node.card, NodeCard::CatchingUp);
    let sync = view.node.sync.unwrap();
    assert_eq!((sync.progress, sync.blocks, sync.headers), (0.63, 614_000, 975_120));
    let chain_line = view.node.tests.iter().find(|line| line.test == NodeTest::Chain).unwrap();
    let TestResult::Failed { trouble } = &chain_line.result else { panic!("{chain_line:?}") };
    assert!(trouble.is_passing && trouble.code == ProblemCode::NodeCatchingUp);
    node.on("getblockchaininfo", Ok(chain(975_120, 1.0, false)));
    let view = bench.until(|view| view.node.sync.is_none() && view.can_go_on).await;
    assert!(view.node.tests.iter().all(|line| line.result == TestResult::Passed));
}

/// Acceptance 9.
#[tokio::test]
async fn node_on_another_chain_is_named_and_the_way_on_is_closed() {
    let node = synced();
    let mut info = chain(100, 1.0, false);
    info["chain"] = json!("testnet4");
    node.on("getblockchaininfo", Ok(info));
    let mut bench = Bench::with(&[(".cookie", "__cookie__:aa11")]).await;
    bench.run(Program::Bitcoind, node.port(), &[]);
    bench.arrive(SetupStep::Node).await;
    let view = bench.until(|view| view.node.tests.len() == 6 && !view.node.is_testing).await;
    assert_eq!(view.node.card, NodeCard::WrongChain { chain: "testnet4".into() });
    let TestResult::Failed { trouble } = &view.node.tests[2].result else { panic!() };
    assert_eq!((trouble.code, trouble.is_passing), (ProblemCode::WrongChain, false));
    assert!(!view.can_go_on && view.node.next != NodeNext::Next);
    bench.go_to(SetupStep::Address).await;
    assert_eq!(bench.until(|_| true).await.step, SetupStep::Node);
}

#[tokio::test]
async fn every_state_of_a_node_has_its_card() {
    let cards = [
        (vec![], None, NodeCard::Nothing { is_port_open: false }),
        (vec![("bitcoin.conf", "server=0\n")], Some(Program::Bitcoind), NodeCard::ServerForbidden),
        (vec![("bitcoin.conf", "\n")], Some(Program::BitcoinQt), NodeCard::ServerOff),
        (
            vec![("bitcoin.conf", "norpccookiefile=1\nrpcauth=a:1$2\n")],
            Some(Program::Bitcoind),
            NodeCard::OnlyOthers,
        ),
        (vec![("bitcoin.conf", "norpccookiefile=1\n")], Some(Program::Bitcoind), NodeCard::NoLogin),
    ];
    for (files, program, card) in cards {
        let mut bench = Bench::with(&files).await;
        if let Some(program) = program {
            bench.run(program, 1, &[]);
        } else {
            bench.world.host.surroundings.lock().unwrap().saved_folder = None;
        }
        bench.arrive(SetupStep::Node).await;
        let view = bench.until(|view| view.node.card != NodeCard::Looking).await;
        let is_expected = match (&view.node.card, &card) {
            // Whether anything listens at the usual port depends on the computer of the test.
            (NodeCard::Nothing { .. }, NodeCard::Nothing { .. }) => true,
            (shown, expected) => shown == expected,
        };
        assert!(is_expected, "{:?} instead of {card:?}", view.node.card);
        assert!(!view.can_go_on);
    }
}

#[tokio::test]
async fn login_in_the_settings_is_tested_and_kept_in_the_password_store() {
    let node = synced();
    let conf = "rpcuser=bob\nrpcpassword=correct horse battery\n";
    let mut bench = Bench::with(&[("bitcoin.conf", conf)]).await;
    bench.run(Program::Bitcoind, node.port(), &[]);
    bench.arrive(SetupStep::Node).await;
    let view = bench.until(|view| view.can_go_on).await;
    assert_eq!(view.node.login, Some(LoginChoice::Existing));
    let account = format!("bitcoind:127.0.0.1:{}", node.port());
    let kept = bench.world.host.keychain.get(&account).unwrap().unwrap();
    assert_eq!(kept.expose(), "correct horse battery");
    assert_eq!(std::fs::read_to_string(bench.conf()).unwrap(), conf, "nothing is written");
}

#[tokio::test]
async fn node_on_another_computer_is_asked_with_what_was_typed() {
    let node = synced();
    let mut bench = Bench::with(&[]).await;
    bench.arrive(SetupStep::Node).await;
    bench.node(SetupNodeRequest::ChoosePlace { place: NodePlace::Elsewhere }).await;
    let view = bench.until(|view| view.node.place == NodePlace::Elsewhere).await;
    assert_eq!(view.node.next, NodeNext::TestForm);
    assert!(view.node.remote.lines.contains(&"rpcallowip=192.168.1.20/32".to_owned()));
    bench.node(typed(&node, "127.0.0.1")).await;
    let view = bench.until(|view| view.can_go_on).await;
    assert_eq!((view.node.remote.user.as_str(), view.node.remote.has_password), ("bob", true));
    assert_nowhere(&mut bench, "hunter2 hunter2");
}

#[tokio::test]
async fn login_does_not_leave_for_the_open_internet_unless_told_so() {
    let node = synced();
    let mut bench = Bench::with(&[]).await;
    bench.arrive(SetupStep::Node).await;
    bench.node(SetupNodeRequest::ChoosePlace { place: NodePlace::Elsewhere }).await;
    // Documentation's own network: nobody is there, and nothing is sent.
    bench.node(typed(&node, "203.0.113.7")).await;
    let view = bench.until(|view| !view.node.tests.is_empty() && !view.node.is_testing).await;
    let failed = view.node.tests.iter().find_map(|line| match &line.result {
        TestResult::Failed { trouble } => Some(trouble.code),
        TestResult::Running
        | TestResult::Skipped
        | TestResult::Passed
        | TestResult::Slow
        | TestResult::NotTold => None,
    });
    assert_eq!(failed, Some(ProblemCode::LoginUnprotected));
    assert!(!view.can_go_on);
}

fn typed(node: &FakeNode, host: &str) -> SetupNodeRequest {
    SetupNodeRequest::TestLogin {
        host: host.into(),
        port: node.port(),
        user: "bob".into(),
        password: TypedText::new("hunter2 hunter2"),
        allows_public: false,
    }
}

/// Neither what the window was told nor any file of the application holds a secret.
pub(super) fn assert_nowhere(bench: &mut Bench, secret: &str) {
    let window = &bench.world.window;
    assert!(!format!("{:?}{:?}", window.shown, window.changes).contains(secret));
    for entry in std::fs::read_dir(p2pool_app::Host::data_dir(bench.world.host.as_ref())).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(secret), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn password_store_that_declines_has_its_own_code() {
    let node = synced();
    let mut bench = Bench::with(&[("bitcoin.conf", "rpcuser=a\nrpcpassword=bbbbbbbbbbbb\n")]).await;
    bench.world.host.keychain.fail(Some(KeychainError::Declined("locked".into())));
    bench.run(Program::Bitcoind, node.port(), &[]);
    bench.arrive(SetupStep::Node).await;
    let view = bench.until(|view| view.node.key_trouble.is_some()).await;
    assert_eq!(view.node.key_trouble.unwrap().code, ProblemCode::KeychainLocked);
}
