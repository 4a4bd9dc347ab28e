use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::constants::genesis_block;
use bitcoin::hashes::Hash as _;
use p2pool_bitcoind::{Auth, RpcConfig, RpcError, Secret, SourceError, TemplateState};
use p2pool_engine::WindowShare;
use p2pool_practice::PracticeChainServer;
use p2pool_sharechain::CompactBits;
use tokio::task::JoinSet;

use super::*;

/// A service whose surroundings the test plays.
struct Rig {
    templates: Vec<watch::Sender<TemplateState>>,
    summary: watch::Sender<Arc<ChainSummary>>,
    driver: mpsc::Receiver<Control>,
    state: watch::Receiver<BitcoinState>,
    details: watch::Receiver<Arc<BitcoinDetails>>,
    _commands: mpsc::Sender<BitcoinCommand>,
    _tasks: JoinSet<()>,
}

fn nowhere() -> RpcConfig {
    let auth = Auth::UserPassword { user: "u".into(), password: Secret::new("p".into()) };
    RpcConfig { url: "http://127.0.0.1:1".into(), auth, allows_public: false }
}

impl Rig {
    fn start(count: usize, rpc: &RpcConfig) -> Self {
        let (templates, nodes): (Vec<_>, Vec<_>) = (0..count)
            .map(|_| {
                let (sender, templates) = watch::channel(TemplateState::Starting);
                (sender, NodeLink::of_templates(rpc, templates))
            })
            .unzip();
        let (driver_sender, driver) = mpsc::channel(64);
        let (commands_sender, commands) = mpsc::channel(4);
        let (summary, summary_reader) = watch::channel(Arc::default());
        let (state_sender, state) = watch::channel(BitcoinState::Connecting);
        let (details_sender, details) = watch::channel(Arc::default());
        let links = BitcoinLinks {
            chain: Network::Regtest,
            clock: Clock::start(),
            commands,
            driver: driver_sender,
            summary: summary_reader,
            state: state_sender,
            details: details_sender,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(BitcoinService::new(nodes, links).run(CancellationToken::new()));
        Self {
            templates,
            summary,
            driver,
            state,
            details,
            _commands: commands_sender,
            _tasks: tasks,
        }
    }

    fn gives(&self, node: usize, height: u32) {
        self.templates[node].send_replace(TemplateState::Ready(Arc::new(template(height))));
    }

    fn fails(&self, node: usize) {
        let error = SourceError::Rpc(RpcError::Unreachable { reason: "refused".into() });
        let state = TemplateState::Unavailable { error: Arc::new(error), last: None };
        self.templates[node].send_replace(state);
    }

    fn pool_builds(&self, height: u32) {
        let summary = ChainSummary { pool_next_height: Some(height), ..ChainSummary::default() };
        self.summary.send_replace(Arc::new(summary));
    }

    /// Height of the next work that the driver gets; `None` if work is taken back.
    async fn next_work(&mut self) -> Option<u32> {
        match self.driver.recv().await.unwrap() {
            Control::Engine(Input::Template(template)) => Some(template.height),
            Control::Engine(Input::TemplateLost) => None,
            other @ (Control::Engine(_) | Control::SetMining(_) | Control::Look(_)) => {
                panic!("{other:?}")
            }
        }
    }

    fn code(&self) -> Option<&'static str> {
        match &*self.state.borrow() {
            BitcoinState::Unavailable { code, .. } => Some(code.as_str()),
            BitcoinState::Connecting | BitcoinState::Ready { .. } => None,
        }
    }
}

fn template(height: u32) -> BlockTemplate {
    BlockTemplate {
        version: 0x2000_0000,
        previous_block: BlockHash::all_zeros(),
        transactions: Vec::new(),
        coinbase_value_sats: 5_000_000_000,
        coinbase_aux: Vec::new(),
        bits: CompactBits(0x207f_ffff),
        current_time: 1,
        min_time: 1,
        max_time: None,
        height,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    }
}

#[tokio::test(start_paused = true)]
async fn work_is_taken_back_while_the_pool_is_ahead_and_given_again_after() {
    let mut rig = Rig::start(1, &nowhere());
    rig.gives(0, 10);
    assert_eq!(rig.next_work().await, Some(10));
    rig.pool_builds(12);
    let begun = Instant::now();
    assert_eq!(rig.next_work().await, None);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(120) && took < Duration::from_secs(140), "{took:?}");
    assert_eq!(rig.code(), Some("N-15"));
    rig.gives(0, 12);
    assert_eq!(rig.next_work().await, Some(12));
    assert_eq!(rig.code(), None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_keeps_its_work_for_ten_minutes() {
    let mut rig = Rig::start(1, &nowhere());
    rig.gives(0, 10);
    assert_eq!(rig.next_work().await, Some(10));
    rig.fails(0);
    let begun = Instant::now();
    assert_eq!(rig.next_work().await, None);
    assert!(begun.elapsed() >= SILENCE_MAX);
    assert_eq!(rig.code(), Some("N-01"));
    rig.gives(0, 10);
    assert_eq!(rig.next_work().await, Some(10));
}

#[tokio::test(start_paused = true)]
async fn the_reserves_work_is_used_until_the_first_node_has_caught_up() {
    let mut rig = Rig::start(2, &nowhere());
    rig.gives(1, 9);
    rig.gives(0, 10);
    assert_eq!(rig.next_work().await, Some(10));
    rig.gives(1, 10);
    rig.fails(0);
    assert_eq!(rig.next_work().await, Some(10));
    rig.gives(1, 11);
    assert_eq!(rig.next_work().await, Some(11));
    assert_eq!(rig.code(), None);
    rig.gives(0, 10);
    rig.details.wait_for(|details| details.nodes[0].problem.is_none()).await.unwrap();
    assert!(rig.details.borrow().nodes[1].is_in_use, "the first node is behind");
    rig.gives(0, 11);
    assert_eq!(rig.next_work().await, Some(11));
    rig.details.wait_for(|details| details.nodes[0].is_in_use).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_without_a_record_is_found_in_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let server = PracticeChainServer::start(folder.path(), Network::Regtest).await.unwrap();
    let rpc = server.rpc_config();
    let token = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let stop = token.clone();
    tasks.spawn(async move { server.run(stop).await.unwrap() });

    let mut rig = Rig::start(1, &rpc);
    let hash = genesis_block(Network::Regtest).block_hash().to_byte_array();
    let share = |hash: [u8; 32]| WindowShare {
        hash: ShareHash::from_internal(hash),
        timestamp: 0,
        payee: String::new(),
        is_own: false,
        difficulty: 1.0,
        is_stale_notice: false,
        is_block: true,
    };
    let window = vec![share([9; 32]), share(hash)];
    rig.summary.send_replace(Arc::new(ChainSummary { window, ..ChainSummary::default() }));
    rig.gives(0, 1);
    assert_eq!(rig.next_work().await, Some(1));
    let Control::Engine(Input::PoolBlock(block)) = rig.driver.recv().await.unwrap() else {
        panic!("the block that the chain has");
    };
    assert_eq!((block.hash.to_internal(), block.height), (hash, 0));
    assert_eq!(block.payouts[0].1, 5_000_000_000);
    token.cancel();
    tasks.join_all().await;
}
