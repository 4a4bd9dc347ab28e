//! The set-up against a true Bitcoin node, whose program `BITCOIND_EXE` names.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use p2pool_app::Keychain;
use p2pool_app::api::{
    LoginChoice, NodeCard, SetupNodeRequest, SetupRequest, SetupStep, TestResult,
};
use p2pool_bitcoind::local::Program;
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{Auth, RpcClient, RpcConfig};
use serde_json::Value;

use super::Bench;

/// A node of its own, killed when dropped.
struct Bitcoind(Child);

impl Bitcoind {
    fn start(program: &std::ffi::OsStr, bench: &Bench, port: u16) -> Self {
        let process = Command::new(program)
            .args(["-regtest", "-listen=0", "-connect=0", "-printtoconsole=0"])
            .arg(format!("-datadir={}", bench.home.path().display()))
            .arg(format!("-rpcport={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("BITCOIND_EXE runs");
        Self(process)
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Calls a method of the node with its cookie, once it answers.
async fn call(bench: &Bench, port: u16, method: &str, params: Value) -> Value {
    let cookie = bench.home.path().join("regtest/.cookie");
    let url = format!("http://127.0.0.1:{port}");
    let config = RpcConfig { url, auth: Auth::Cookie(cookie), allows_public: false };
    let client = RpcClient::new(&config).unwrap();
    for _ in 0..600 {
        match client.call(method, &params, Limits::SHORT).await {
            Ok(answer) => return answer,
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("{method}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the node never answered to {method}");
}

#[tokio::test]
async fn true_node_gets_a_login_of_ours_and_is_ready_with_it() {
    let Some(program) = std::env::var_os("BITCOIND_EXE") else {
        eprintln!("skipped: no bitcoind");
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = [("settings.toml", "[run]\nnetwork = \"regtest\"\n")];
    let mut bench = Bench::with_answers(&[], &settings).await;
    let first = Bitcoind::start(&program, &bench, port);
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    call(&bench, port, "generatetoaddress", serde_json::json!([1, address])).await;
    bench.run(Program::Bitcoind, port, &["-regtest"]);

    // A node that is found logs us in by its cookie; nothing is written.
    bench.ask(SetupRequest::Open).await;
    bench.arrive(SetupStep::Node).await;
    let view = bench.until(|view| view.can_go_on).await;
    assert_eq!((view.node.card, view.node.login), (NodeCard::Ready, Some(LoginChoice::Cookie)));
    assert!(!bench.conf().exists());

    // The login of our own is reviewed, written, and counts after the restart.
    bench.node(SetupNodeRequest::ChooseLogin { login: LoginChoice::RpcAuth }).await;
    bench.node(SetupNodeRequest::ReviewChange { may_switch_server_on: false }).await;
    bench.until(|view| view.node.review.is_some()).await;
    assert!(!bench.conf().exists());
    bench.node(SetupNodeRequest::ConfirmChange).await;
    bench.until(|view| view.node.restart.is_some()).await;
    call(&bench, port, "stop", serde_json::json!([])).await;
    let mut first = first;
    first.0.wait().unwrap();
    let _second = Bitcoind::start(&program, &bench, port);
    let view = bench.until(|view| view.can_go_on && view.node.restart.is_none()).await;
    let results: Vec<_> = view.node.tests.iter().map(|line| &line.result).collect();
    let is_good = |result: &&TestResult| matches!(result, TestResult::Passed | TestResult::Slow);
    assert!(results.len() == 6 && results.iter().all(is_good), "{results:?}");

    let account = format!("bitcoind:127.0.0.1:{port}");
    let password = bench.world.host.keychain.get(&account).unwrap().expect("it is kept");
    super::node::assert_nowhere(&mut bench, password.expose());
    let conf = std::fs::read_to_string(bench.conf()).unwrap();
    assert!(conf.contains("rpcauth=p2pool-") && !conf.contains(password.expose()));
}
