//! The set-up, over loopback, with a Bitcoin node that answers as it is told to.

mod address;
mod conf;
mod node;
mod real_node;
mod rest;

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use p2pool_app::api::{
    AppRequest, AppSnapshot, OverallState, PageView, SetupNodeRequest, SetupRequest, SetupStep,
    SetupView, TypedText,
};
use p2pool_bitcoind::local::{CommandLine, Program, RunningNode, System};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake_node::FakeNode;
use crate::world::{BEGIN, World};

/// Patience with something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// An application that was never set up, on a computer with a Bitcoin folder.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) home: TempDir,
}

impl Bench {
    /// A folder with these files; nothing runs.
    pub(crate) async fn with(files: &[(&str, &str)]) -> Self {
        Self::with_answers(files, &[]).await
    }

    pub(crate) async fn with_answers(files: &[(&str, &str)], kept: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(home.path().join(name), text).unwrap();
        }
        let world = World::with_files(kept).await;
        world.host.surroundings.lock().unwrap().saved_folder = Some(home.path().to_owned());
        Self { world, home }
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.home.path().join("bitcoin.conf")
    }

    /// Lets a program run on the folder, answering at this port.
    pub(crate) fn run(&self, program: Program, port: u16, more: &[&str]) {
        let folder = format!("-datadir={}", self.home.path().display());
        let port = format!("-rpcport={port}");
        let all = [folder.as_str(), port.as_str()].into_iter().chain(more.iter().copied());
        self.world.host.surroundings.lock().unwrap().running = vec![RunningNode {
            pid: 7,
            program,
            executable: None,
            started_unix_s: BEGIN - 1000,
            is_of_other_user: Some(false),
            command_line: CommandLine::parse(System::this(), all.map(OsStr::new)),
            working_folder: None,
            home: None,
        }];
    }

    pub(crate) async fn ask(&self, request: SetupRequest) {
        self.world.ask(AppRequest::Setup { request }).await;
    }

    pub(crate) async fn node(&self, request: SetupNodeRequest) {
        self.ask(SetupRequest::Node { request }).await;
    }

    pub(crate) async fn go_to(&self, step: SetupStep) {
        self.ask(SetupRequest::GoTo { step }).await;
    }

    /// Goes to a step that can be gone to.
    pub(crate) async fn arrive(&mut self, step: SetupStep) {
        self.go_to(step).await;
        self.until(|view| view.step == step).await;
    }

    /// Waits until the set-up looks as expected.
    pub(crate) async fn until(&mut self, is_expected: impl Fn(&SetupView) -> bool) -> SetupView {
        let window = &mut self.world.window;
        let is_shown =
            |shown: &AppSnapshot| matches!(&shown.page, PageView::Setup(view) if is_expected(view));
        if tokio::time::timeout(PATIENCE, window.until(is_shown)).await.is_err() {
            panic!("never shown; at last: {:#?}", self.world.window.shown.page);
        }
        self.view()
    }

    pub(crate) fn view(&self) -> SetupView {
        let PageView::Setup(view) = &self.world.window.shown.page else {
            panic!("no set-up is shown")
        };
        SetupView::clone(view)
    }

    /// On the node step, with a node that is ready.
    pub(crate) async fn ready() -> (Self, FakeNode) {
        let node = synced();
        let mut bench = Self::with(&[(".cookie", "__cookie__:aa11")]).await;
        bench.run(Program::Bitcoind, node.port(), &[]);
        bench.arrive(SetupStep::Node).await;
        bench.until(|view| view.can_go_on).await;
        (bench, node)
    }

    /// On the address step.
    pub(crate) async fn at_address() -> (Self, FakeNode) {
        let (mut bench, node) = Self::ready().await;
        bench.go_to(SetupStep::Address).await;
        bench.until(|view| view.step == SetupStep::Address).await;
        (bench, node)
    }

    /// Types an address and says that it was compared.
    pub(crate) async fn give_address(&self, text: &str) {
        self.ask(SetupRequest::UseAddress { text: TypedText::new(text) }).await;
        self.ask(SetupRequest::CheckAddress { is_checked: true }).await;
    }

    /// Files of the Bitcoin folder, by name.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// A node of the main chain that has all of it and gives templates.
pub(crate) fn synced() -> FakeNode {
    let node = FakeNode::start("main");
    node.on("getblockchaininfo", Ok(chain(975_120, 1.0, false)));
    node.on("getblocktemplate", Ok(template()));
    node.on("waitfornewblock", Ok(json!({ "hash": "11".repeat(32), "height": 975_120 })));
    node
}

pub(crate) fn chain(blocks: u32, progress: f64, is_fetching: bool) -> Value {
    json!({
        "chain": "main", "blocks": blocks, "headers": 975_120, "difficulty": 1.0,
        "bestblockhash": "00".repeat(32), "time": BEGIN - 60, "mediantime": BEGIN - 3600,
        "verificationprogress": progress, "initialblockdownload": is_fetching, "pruned": true,
        "size_on_disk": 15_000_000_000_u64, "warnings": [],
    })
}

fn template() -> Value {
    json!({
        "capabilities": ["proposal"], "version": 536_870_912, "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {}, "vbrequired": 0, "previousblockhash": "11".repeat(32),
        "transactions": [], "coinbaseaux": {}, "coinbasevalue": 312_500_000_u64,
        "longpollid": "x", "target": format!("{}ffff{}", "0".repeat(16), "0".repeat(44)),
        "mintime": 1, "mutable": ["time"], "noncerange": "00000000ffffffff",
        "sigoplimit": 80_000, "sizelimit": 4_000_000, "weightlimit": 4_000_000,
        "curtime": BEGIN, "bits": "1900ffff", "height": 975_121,
        "default_witness_commitment": "6a24aa21a9ed",
    })
}

#[tokio::test]
async fn fresh_profile_opens_the_set_up_at_welcome() {
    let bench = Bench::with(&[]).await;
    assert_eq!(bench.world.window.shown.overall, OverallState::Setup);
    let view = bench.view();
    assert_eq!((view.step, view.can_go_on), (SetupStep::Welcome, true));
    assert!(!view.can_leave, "there is nothing to go back to");
}
