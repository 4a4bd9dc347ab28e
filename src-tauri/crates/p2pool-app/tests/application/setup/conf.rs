//! What is written to `bitcoin.conf`, and where passwords go: acceptance 3 to 7.

use std::fs;

use p2pool_app::api::{
    KeepChoice, LoginChoice, NodeNext, ProblemCode, RestartStage, SetupNodeRequest, SetupStep,
};
use p2pool_app::{Host, Keychain, KeychainError};
use p2pool_bitcoind::local::Program;

use super::{Bench, synced};
use crate::fake_node::FakeNode;

const REVIEW: SetupNodeRequest = SetupNodeRequest::ReviewChange { may_switch_server_on: false };

/// A node whose settings let nobody in, on the node step, with this login chosen.
async fn closed(conf: Option<&str>, login: LoginChoice) -> (Bench, FakeNode) {
    let node = synced();
    let files: Vec<(&str, &str)> = conf.iter().map(|text| ("bitcoin.conf", *text)).collect();
    let mut bench = Bench::with(&files).await;
    bench.run(Program::Bitcoind, node.port(), &["-norpccookiefile"]);
    node.refuse(401);
    bench.arrive(SetupStep::Node).await;
    bench.until(|view| !view.node.logins.is_empty()).await;
    bench.node(SetupNodeRequest::ChooseLogin { login }).await;
    bench.until(|view| view.node.login == Some(login)).await;
    (bench, node)
}

/// Acceptance 3.
#[tokio::test]
async fn missing_conf_is_shown_whole_and_written_only_after_the_review() {
    let (mut bench, node) = closed(None, LoginChoice::RpcAuth).await;
    assert_eq!(bench.view().node.next, NodeNext::Review);
    bench.node(REVIEW).await;
    let review = bench.until(|view| view.node.review.is_some()).await.node.review.unwrap();
    let lines: Vec<&str> = review.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(review.creates_file && review.uses_keychain && !review.stops_cookie);
    assert!(lines[0].starts_with("# --- added by P2Pool Desktop 2027-01-15 08:0"), "{lines:?}");
    assert!(lines[0].ends_with(", remove this block to undo ---"), "{lines:?}");
    assert_eq!(lines[1], "server=1");
    let user = lines[2].strip_prefix("rpcuser=p2pool-").unwrap();
    assert!(lines[3].starts_with(&format!("rpcauth=p2pool-{user}:")), "{lines:?}");
    assert_eq!(lines[4], "# --- end P2Pool Desktop ---");
    assert!(!bench.conf().exists(), "before the confirmation");

    bench.node(SetupNodeRequest::ConfirmChange).await;
    let restart = bench.until(|view| view.node.restart.is_some()).await.node.restart.unwrap();
    assert_eq!(restart.stage, RestartStage::StillRunning);
    let text = fs::read_to_string(bench.conf()).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(bench.conf()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let account = format!("bitcoind:127.0.0.1:{}", node.port());
    let password = bench.world.host.keychain.get(&account).unwrap().unwrap();
    super::node::assert_nowhere(&mut bench, password.expose());
    assert!(!text.contains(password.expose()));

    // Once the node lets us in, the set-up goes on by itself.
    node.refuse(None);
    bench.until(|view| view.can_go_on).await;

    // A second run finds the login and writes nothing.
    bench.node(SetupNodeRequest::LookAgain).await;
    let view = bench.until(|view| view.node.login == Some(LoginChoice::Own)).await;
    assert!(view.node.logins[0].is_at_hand);
    assert_eq!(fs::read_to_string(bench.conf()).unwrap(), text);
}

/// Acceptance 4.
#[tokio::test]
async fn lines_of_others_stay_as_they_are_and_a_copy_is_kept() {
    let old = "# mine\r\ndbcache=300\r\n\r\n[test]\r\nrpcport=1\r\n";
    let (mut bench, _node) = closed(Some(old), LoginChoice::RpcAuth).await;
    bench.node(REVIEW).await;
    bench.until(|view| view.node.review.is_some()).await;
    bench.node(SetupNodeRequest::ConfirmChange).await;
    bench.until(|view| view.node.restart.is_some()).await;
    let new = fs::read_to_string(bench.conf()).unwrap();
    let (before, rest) = new.split_once("# --- added by").unwrap();
    let (block, after) = rest.split_once("# --- end P2Pool Desktop ---\r\n").unwrap();
    assert_eq!(
        format!("{before}{after}").replace("\r\n\r\n", "\r\n"),
        old.replace("\r\n\r\n", "\r\n")
    );
    assert!(after.contains("[test]\r\nrpcport=1\r\n") && block.contains("server=1\r\n"));
    let copy = bench.files().into_iter().find(|name| name.contains("-backup-")).unwrap();
    assert_eq!(fs::read_to_string(bench.home.path().join(copy)).unwrap(), old);
}

/// Acceptance 5.
#[cfg(unix)]
#[tokio::test]
async fn conf_that_cannot_be_changed_gives_lines_to_copy() {
    let (mut bench, _node) = closed(None, LoginChoice::RpcAuth).await;
    bench.node(REVIEW).await;
    bench.until(|view| view.node.review.is_some()).await;
    // A folder of that name cannot be replaced by a file, whoever tries.
    fs::create_dir(bench.conf()).unwrap();
    bench.node(SetupNodeRequest::ConfirmChange).await;
    let view = bench.until(|view| view.node.trouble.is_some()).await;
    let trouble = view.node.trouble.unwrap();
    assert_eq!(trouble.code, ProblemCode::ConfUnwritable);
    assert!(trouble.path.ends_with("bitcoin.conf"));
    assert!(trouble.lines.iter().any(|line| line.starts_with("rpcauth=p2pool-")), "{trouble:?}");
    assert!(view.node.restart.is_some(), "it is still waited for");
}

#[tokio::test]
async fn conf_that_changes_meanwhile_is_left_alone() {
    let (mut bench, _node) = closed(Some("dbcache=300\n"), LoginChoice::RpcAuth).await;
    bench.node(REVIEW).await;
    bench.until(|view| view.node.review.is_some()).await;
    fs::write(bench.conf(), "dbcache=400\n").unwrap();
    bench.node(SetupNodeRequest::ConfirmChange).await;
    let view = bench.until(|view| view.node.trouble.is_some()).await;
    assert_eq!(view.node.trouble.unwrap().code, ProblemCode::ConfChanged);
    assert_eq!(fs::read_to_string(bench.conf()).unwrap(), "dbcache=400\n");
    assert_eq!(view.node.next, NodeNext::Review, "to be reviewed again");
}

/// Acceptance 6.
#[tokio::test]
async fn password_in_clear_is_written_with_its_warning_seen_before() {
    let (mut bench, _node) = closed(None, LoginChoice::RpcPassword).await;
    // Without the cookie there is nothing to warn of: this node makes one.
    bench.run(Program::Bitcoind, _node.port(), &[]);
    bench.node(REVIEW).await;
    let review = bench.until(|view| view.node.review.is_some()).await.node.review.unwrap();
    assert!(review.stops_cookie);
    assert!(review.lines.iter().any(|line| line.text == "rpcpassword=********"), "{review:?}");
    bench.node(SetupNodeRequest::ConfirmChange).await;
    bench.until(|view| view.node.restart.is_some()).await;
    let text = fs::read_to_string(bench.conf()).unwrap();
    assert!(text.contains("\nrpcuser=p2pool-") && text.contains("\nrpcpassword="), "{text}");
    let password = text.lines().find_map(|line| line.strip_prefix("rpcpassword=")).unwrap();
    super::node::assert_nowhere(&mut bench, password);
}

#[tokio::test]
async fn server_that_is_switched_off_on_purpose_is_asked_about() {
    let (mut bench, _node) = closed(Some("server=0\n"), LoginChoice::RpcAuth).await;
    bench.node(REVIEW).await;
    let view = bench.until(|view| view.node.trouble.is_some()).await;
    assert_eq!(view.node.trouble.unwrap().code, ProblemCode::ServerForbidden);
    assert_eq!(fs::read_to_string(bench.conf()).unwrap(), "server=0\n");
    bench.node(SetupNodeRequest::ReviewChange { may_switch_server_on: true }).await;
    let review = bench.until(|view| view.node.review.is_some()).await.node.review.unwrap();
    let goes: Vec<&str> =
        review.lines.iter().filter(|line| !line.is_added).map(|line| line.text.as_str()).collect();
    assert_eq!(goes, ["server=0"]);
    bench.node(SetupNodeRequest::CancelChange).await;
    bench.until(|view| view.node.review.is_none()).await;
    assert_eq!(fs::read_to_string(bench.conf()).unwrap(), "server=0\n");
}

/// Acceptance 7: the four ways out of a missing password store.
#[tokio::test]
async fn without_a_password_store_there_are_four_ways_out() {
    for choice in
        [KeepChoice::TryAgain, KeepChoice::Cookie, KeepChoice::PrivateFile, KeepChoice::Ask]
    {
        let node = synced();
        let mut bench = Bench::with(&[(".cookie", "__cookie__:aa11")]).await;
        let failure = KeychainError::Unavailable("no Secret Service".into());
        bench.world.host.keychain.fail(Some(failure));
        bench.run(Program::Bitcoind, node.port(), &[]);
        bench.arrive(SetupStep::Node).await;
        bench.until(|view| view.can_go_on).await;
        bench.node(SetupNodeRequest::ChooseLogin { login: LoginChoice::RpcAuth }).await;
        bench.node(REVIEW).await;
        bench.until(|view| view.node.review.is_some()).await;
        bench.node(SetupNodeRequest::ConfirmChange).await;
        let view = bench.until(|view| view.node.key_trouble.is_some()).await;
        let trouble = view.node.key_trouble.unwrap();
        assert_eq!((trouble.code, trouble.has_cookie), (ProblemCode::KeychainMissing, true));
        assert_eq!(trouble.reason, "no Secret Service");
        assert!(!bench.conf().exists(), "nothing is written before the password is kept");

        if choice == KeepChoice::TryAgain {
            bench.world.host.keychain.fail(None);
        }
        bench.node(SetupNodeRequest::KeepPassword { choice }).await;
        bench.until(|view| view.can_go_on).await;
        let file = bench.world.host.data_dir().join("bitcoin-password");
        assert_eq!(file.exists(), choice == KeepChoice::PrivateFile, "{choice:?}");
        assert_eq!(bench.conf().exists(), choice != KeepChoice::Cookie, "{choice:?}");
        #[cfg(unix)]
        if choice == KeepChoice::PrivateFile {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
