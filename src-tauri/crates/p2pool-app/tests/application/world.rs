//! The world of these tests: a host on virtual time, nodes that do what the test says, a window.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use p2pool_app::api::{
    AppEvent, AppReply, AppRequest, AppSnapshot, Change, LatestKind, LightState, OverallState,
    UiError, UnixSeconds,
};
use p2pool_app::{
    AppHandle, Controller, Host, Keychain, KeychainError, LogBook, NodeDeed, NodeLink, Secret,
    Session,
};
use p2pool_bitcoind::local::{Surroundings, System, Variables};
use p2pool_devices::{ClientConfig, Interface, Ports, Reach};
use p2pool_node::{
    BitcoinSource, BitcoinState, ChainSummary, HelperState, Miner, MinersSnapshot, NodeEvent,
    NodeEventKind, NodeSnapshot, PracticeMember, Settings, StartError, StopReport, StorageState,
    WindowShare,
};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::UnixTime;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::session::TestSession;

/// Wall time at the start of every test.
pub(crate) const BEGIN: u64 = 1_800_000_000;
/// My address, and that of the first simulated member.
pub(crate) const ME: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
pub(crate) const SIMULATED: &str = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn";
/// My address on the real network.
pub(crate) const LIVE_ME: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
/// Settings for mining there.
pub(crate) const LIVE: &str =
    "[run]\naddress = \"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"\nrpc_cookie = \"/cookie\"\n";
/// The scripts that pay them.
pub(crate) const MY_SCRIPT: [u8; 22] = [
    0x00, 0x14, 0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3,
    0xa3, 0x23, 0xf1, 0x43, 0x3b, 0xd6,
];
/// A port where nobody listens.
const NOWHERE: u16 = 1;
thread_local! {
    /// Where devices of the world that is made next listen.
    static DEVICES_AT: Cell<u16> = const { Cell::new(NOWHERE) };
}
/// Patience with something that must happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// A computer with a temporary folder, whose clock goes with the test's.
#[derive(Debug)]
pub(crate) struct TestHost {
    dir: tempfile::TempDir,
    began: Instant,
    pub(crate) keychain: TestKeychain,
    /// Bitcoin nodes that may be found: none, unless a test puts some there.
    pub(crate) surroundings: Mutex<Surroundings>,
    /// Where devices made of software listen; nowhere, unless a test has some.
    device_ports: Ports,
    pub(crate) session: TestSession,
    pub(crate) log: Arc<LogBook>,
}

/// A password store in memory, which can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct TestKeychain {
    kept: Mutex<BTreeMap<String, Secret>>,
    failure: Mutex<Option<KeychainError>>,
}

impl TestKeychain {
    /// From now on every call ends like this.
    pub(crate) fn fail(&self, failure: Option<KeychainError>) {
        *self.failure.lock().unwrap() = failure;
    }

    fn check(&self) -> Result<(), KeychainError> {
        self.failure().map_or(Ok(()), Err)
    }

    fn failure(&self) -> Option<KeychainError> {
        self.failure.lock().unwrap().clone()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.kept.lock().unwrap()
    }
}

impl Keychain for TestKeychain {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        self.check()?;
        Ok(self.kept().get(account).cloned())
    }

    fn set(&self, account: &str, password: &Secret) -> Result<(), KeychainError> {
        self.check()?;
        self.kept().insert(account.to_owned(), password.clone());
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), KeychainError> {
        self.check()?;
        self.kept().remove(account);
        Ok(())
    }
}

impl Host for TestHost {
    fn version(&self) -> &str {
        "0.1.0"
    }

    fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    fn log(&self) -> Option<Arc<LogBook>> {
        Some(Arc::clone(&self.log))
    }

    fn helper_program(&self) -> PathBuf {
        "p2pool-miner".into()
    }

    fn threads_available(&self) -> u32 {
        8
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds(BEGIN + self.began.elapsed().as_secs())
    }

    fn device_client(&self) -> ClientConfig {
        ClientConfig {
            user_agent: "P2Pool Desktop/0.1.0 (local miner setup)".into(),
            reach: Reach::PrivateAndLoopback,
            ports: self.device_ports,
        }
    }

    fn interfaces(&self) -> std::io::Result<Vec<Interface>> {
        let address = [192, 168, 1, 20].into();
        Ok(vec![Interface { name: "eth0".into(), address, prefix: 24, is_virtual: false }])
    }

    fn session(&self) -> &dyn Session {
        &self.session
    }

    fn keychain(&self) -> &dyn Keychain {
        &self.keychain
    }

    fn surroundings(&self) -> Surroundings {
        self.surroundings.lock().unwrap().clone()
    }

    fn lan_address(&self) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::new(192, 168, 1, 20))
    }

    fn downloads_dir(&self) -> Option<PathBuf> {
        Some(self.dir.path().join("Downloads"))
    }
}

/// The other ends of a [`NodeLink`].
#[derive(Debug)]
pub(crate) struct ScriptedNode {
    pub(crate) settings: Settings,
    snapshots: watch::Sender<Arc<NodeSnapshot>>,
    events: broadcast::Sender<NodeEvent>,
    deeds: mpsc::Receiver<NodeDeed>,
}

impl ScriptedNode {
    /// Changes the node's state.
    pub(crate) fn set(&self, change: impl FnOnce(&mut NodeSnapshot)) {
        let mut node = NodeSnapshot::clone(&self.snapshots.borrow());
        change(&mut node);
        self.snapshots.send_replace(Arc::new(node));
    }

    /// Changes the node's share chain.
    pub(crate) fn set_chain(&self, change: impl FnOnce(&mut ChainSummary)) {
        self.set(|node| change(Arc::make_mut(&mut node.summary)));
    }

    /// Tells that something happened.
    pub(crate) fn tell(&self, at: u64, kind: NodeEventKind) {
        self.events.send(NodeEvent { at: UnixTime(at), kind }).unwrap();
    }

    /// The next deed asked of the node must be this switch of mining; it takes effect.
    pub(crate) async fn expect_mining(&mut self, wanted: bool) {
        let deed = self.next_deed().await;
        let NodeDeed::SetMining(is_mining) = deed else { panic!("something else: {deed:?}") };
        assert_eq!(is_mining, wanted);
        self.set(|node| node.is_mining = wanted);
        let kind = if wanted { NodeEventKind::MiningStarted } else { NodeEventKind::MiningPaused };
        self.tell(BEGIN, kind);
    }

    /// The next deed must be the end; the node ends, and says so if `answers`.
    pub(crate) async fn expect_stop(mut self, answers: bool) {
        let deed = self.next_deed().await;
        let NodeDeed::Stop(reply) = deed else { panic!("something else: {deed:?}") };
        if answers {
            reply.send(StopReport::default()).unwrap();
        }
    }

    /// The next deed asked of the node.
    pub(crate) async fn next_deed(&mut self) -> NodeDeed {
        tokio::time::timeout(PATIENCE, self.deeds.recv()).await.expect("asked").expect("linked")
    }

    /// Whether nothing has been asked of the node.
    pub(crate) fn is_left_alone(&mut self) -> bool {
        self.deeds.try_recv().is_err()
    }

    /// Mines, ready: a template is there, a miner is connected and has sent a result.
    pub(crate) fn set_mining_well(&self) {
        self.set(|node| {
            node.bitcoin = BitcoinState::Ready { tip_height: 14 };
            Arc::make_mut(&mut node.summary).has_work = true;
            node.miners = Arc::new(miners(46e6));
        });
    }
}

/// One connected miner.
pub(crate) fn miners(hashrate_hps: f64) -> MinersSnapshot {
    let miner = Miner {
        worker: "cpu".into(),
        is_helper: true,
        connections: 1,
        user_agent: "p2pool-miner/0.1.0".into(),
        hashrate_hps,
        accepted: 40,
        late: 1,
        rejected: 0,
        reasons: BTreeMap::new(),
        difficulty: None,
        last_result_at: Some(UnixTime(BEGIN)),
        since: UnixTime(BEGIN),
        ip: None,
        notices: Vec::new(),
    };
    MinersSnapshot {
        miners: vec![miner],
        hashrate_hps,
        work_since_share: 0.0,
        late_part: Some(0.018),
        ..MinersSnapshot::default()
    }
}

/// A share of the payout window; hashes count up from `number`.
pub(crate) fn share(number: u8, payee: &str) -> WindowShare {
    WindowShare {
        hash: ShareHash::from_internal([number; 32]),
        timestamp: u32::try_from(BEGIN).unwrap(),
        payee: payee.into(),
        is_own: payee == ME,
        difficulty: 0.005,
        is_stale_notice: false,
        is_block: false,
    }
}

fn fresh_node(settings: &Settings) -> NodeSnapshot {
    let is_practice = matches!(settings.bitcoin, BitcoinSource::Practice);
    let member = || PracticeMember { name: "one".into(), address: SIMULATED.into() };
    NodeSnapshot {
        started_at: UnixTime(BEGIN),
        chain: settings.params.chain,
        is_practice,
        is_continued: false,
        is_mining: settings.mines_at_start,
        donation: 0,
        stratum_address: settings.stratum,
        payout_address: settings.payout_address.clone().unwrap_or_else(|| ME.into()),
        bitcoin: BitcoinState::Connecting,
        bitcoin_details: Arc::default(),
        summary: Arc::new(ChainSummary {
            share_difficulty: 0.005,
            network_difficulty: 1.0,
            pool_hashrate_hps: 92e6,
            block_value_sats: 5_000_000_000,
            ..ChainSummary::default()
        }),
        p2p: Arc::default(),
        miners: Arc::default(),
        helper: HelperState::Off,
        storage: StorageState::Ok,
        members: is_practice.then(member).into_iter().collect(),
        database: settings.data_dir.join("pool.sqlite"),
        practice_rpc: None,
        failure: None,
    }
}

type Refusals = Arc<Mutex<VecDeque<StartError>>>;

/// Everything together.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) app: AppHandle,
    pub(crate) host: Arc<TestHost>,
    pub(crate) window: Window,
    nodes: mpsc::UnboundedReceiver<ScriptedNode>,
    refusals: Refusals,
    tasks: JoinSet<()>,
}

impl World {
    /// The application, just started, with its window open.
    pub(crate) async fn new() -> Self {
        Self::with_files(&[]).await
    }

    /// In live mode, mining, with devices that listen on this port of this computer.
    pub(crate) async fn live_with_devices(http: u16) -> (Self, ScriptedNode) {
        DEVICES_AT.with(|at| at.set(http));
        let (world, node) = Self::live_mining().await;
        DEVICES_AT.with(|at| at.set(NOWHERE));
        (world, node)
    }

    /// The same, with files in the data folder.
    pub(crate) async fn with_files(files: &[(&str, &str)]) -> Self {
        Self::refusing(files, None).await
    }

    /// The same, and the first start of a node ends like this.
    pub(crate) async fn refusing(files: &[(&str, &str)], refusal: Option<StartError>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let host = host(dir);
        let (starts, nodes) = mpsc::unbounded_channel();
        let refusals = Refusals::new(Mutex::new(refusal.into_iter().collect()));
        let refused = Arc::clone(&refusals);
        let start = move |settings: Settings| {
            if let Some(error) = refused.lock().unwrap().pop_front() {
                return Err(error);
            }
            let (node, link) = scripted(settings);
            starts.send(node).unwrap();
            Ok(link)
        };
        let (app, controller) = Controller::new(host.clone(), Arc::new(start));
        let mut tasks = JoinSet::new();
        tasks.spawn(controller.run());
        let window = Window::open(&app).await;
        Self { app, host, window, nodes, refusals, tasks }
    }

    /// The next start of a node ends like this.
    pub(crate) fn refuse(&self, error: StartError) {
        self.refusals.lock().unwrap().push_back(error);
    }

    /// Asks for a deed that must be understood.
    pub(crate) async fn ask(&self, request: AppRequest) {
        assert_eq!(self.try_ask(request).await, Ok(AppReply::Done));
    }

    pub(crate) async fn try_ask(&self, request: AppRequest) -> Result<AppReply, UiError> {
        self.app.request(request).await
    }

    /// The node that is started next.
    pub(crate) async fn next_node(&mut self) -> ScriptedNode {
        tokio::time::timeout(PATIENCE, self.nodes.recv()).await.expect("a start").expect("open")
    }

    /// Whether no node was started that has not been taken.
    pub(crate) fn has_started_none(&mut self) -> bool {
        self.nodes.try_recv().is_err()
    }

    /// In practice mode with a node that has just started.
    pub(crate) async fn practice() -> (Self, ScriptedNode) {
        let mut world = Self::new().await;
        world.ask(AppRequest::EnterPractice { keeps_live: true }).await;
        let node = world.next_node().await;
        world.window.until(|shown| shown.practice.is_some()).await;
        (world, node)
    }

    /// In practice mode, mining with one miner.
    pub(crate) async fn mining() -> (Self, ScriptedNode) {
        let (mut world, mut node) = Self::practice().await;
        world.ask(AppRequest::StartMining).await;
        node.set_mining_well();
        node.expect_mining(true).await;
        world.window.until(|shown| shown.rates.mine_hps.is_some()).await;
        (world, node)
    }

    /// In live mode with a node that has just started.
    pub(crate) async fn live(settings: &str) -> (Self, ScriptedNode) {
        let mut world = Self::with_files(&[("settings.toml", settings)]).await;
        let node = world.next_node().await;
        world.window.until(|shown| shown.lights.node.state == LightState::Working).await;
        (world, node)
    }

    /// In live mode, mining with one miner.
    pub(crate) async fn live_mining() -> (Self, ScriptedNode) {
        let (mut world, mut node) = Self::live(LIVE).await;
        world.ask(AppRequest::StartMining).await;
        node.set_mining_well();
        node.set_chain(|chain| chain.peers = 5);
        node.expect_mining(true).await;
        world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
        (world, node)
    }

    /// A file of the data folder, once these words stand in it.
    pub(crate) async fn file_with(&mut self, name: &str, words: &str) -> String {
        loop {
            let text = self.host_file(name).await;
            if text.contains(words) {
                return text;
            }
            self.window.next().await;
        }
    }

    /// A file of the data folder, once it is there.
    pub(crate) async fn host_file(&mut self, name: &str) -> String {
        let path = self.host.data_dir().join(name);
        loop {
            if let Ok(text) = std::fs::read_to_string(&path) {
                return text;
            }
            self.window.next().await;
        }
    }

    /// Waits until the controller has ended.
    pub(crate) async fn join(mut self) {
        let ended = tokio::time::timeout(PATIENCE, self.tasks.join_next()).await;
        ended.expect("the controller ends").expect("it ran").unwrap();
    }
}

/// A computer whose data lie in this folder.
pub(crate) fn host(dir: tempfile::TempDir) -> Arc<TestHost> {
    let surroundings = Surroundings {
        system: System::this(),
        variables: Variables::default(),
        running: Vec::new(),
        saved_folder: None,
        ..Surroundings::of_this_computer()
    };
    Arc::new(TestHost {
        dir,
        began: Instant::now(),
        keychain: TestKeychain::default(),
        surroundings: Mutex::new(surroundings),
        device_ports: Ports { http: DEVICES_AT.with(Cell::get), cgminer: NOWHERE },
        session: TestSession::default(),
        log: Arc::default(),
    })
}

fn scripted(settings: Settings) -> (ScriptedNode, NodeLink) {
    let (snapshots, reader) = watch::channel(Arc::new(fresh_node(&settings)));
    let (events, listener) = broadcast::channel(64);
    let (deed, deeds) = mpsc::channel(4);
    let link = NodeLink {
        snapshots: reader,
        events: listener,
        deeds: deed,
        service: Box::pin(std::future::ready(())),
    };
    (ScriptedNode { settings, snapshots, events, deeds }, link)
}

/// A window: a snapshot, kept true by events, as the real one does.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) shown: AppSnapshot,
    events: broadcast::Receiver<AppEvent>,
    /// Changes received, oldest first.
    pub(crate) changes: Vec<Change>,
}

impl Window {
    pub(crate) async fn open(app: &AppHandle) -> Self {
        let subscription = app.subscribe().await.unwrap();
        Self { shown: subscription.snapshot, events: subscription.events, changes: Vec::new() }
    }

    /// The next event, applied; its number must follow the last one's.
    pub(crate) async fn next(&mut self) {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        let event = event.expect("a sign of life").expect("no gap");
        assert_eq!(event.seq, self.shown.seq + 1, "events follow one another");
        self.changes.push(event.change.clone());
        self.shown.apply(event);
    }

    /// Follows the events until the window shows what is expected.
    pub(crate) async fn until(&mut self, is_expected: impl Fn(&AppSnapshot) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_expected(&self.shown) {
            assert!(Instant::now() < deadline, "never shown; at last: {:#?}", self.shown);
            self.next().await;
        }
    }

    /// Follows the events for some time.
    pub(crate) async fn watch_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.next().await;
        }
    }

    /// The list of what happened, newest first.
    pub(crate) fn lines(&self) -> Vec<&LatestKind> {
        self.shown.events.iter().map(|entry| &entry.what).collect()
    }

    /// Codes of the present problems, worst first.
    pub(crate) fn codes(&self) -> Vec<p2pool_app::api::ProblemCode> {
        self.shown.problems.iter().map(|problem| problem.code).collect()
    }
}
