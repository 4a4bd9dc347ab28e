//! From settings to a running node, stage by stage.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use p2pool_bitcoind::RpcConfig;
use p2pool_engine::{Config, Engine, Input, Loaded};
use p2pool_practice::PracticeChainServer;
use p2pool_practice::members::{Member, members, worthless_address};
use p2pool_store::{HostBan, Opened, PeerAddress};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::bitcoin::{
    self, BitcoinCommand, BitcoinLinks, BitcoinReaders, BitcoinService, NodeLink,
};
use crate::books::Recorder;
use crate::clock::{Clock, random_u64};
use crate::cpu_miner::{HelperLink, HelperService};
use crate::door::http::{Site, keep_record};
use crate::door::workshop::Workshop;
use crate::door::{Door, Links, new_leases};
use crate::driver::{Control, Driver, DriverHandle, Sinks};
use crate::handle::{NodeHandle, StartError};
use crate::open::{bind, load, load_members, network_id, open_recorder, open_store};
use crate::p2p::deed::MemberDeed;
use crate::p2p::doors::Doors;
use crate::p2p::state::{MappingState, P2pState};
use crate::p2p::{P2pParts, P2pService, PeerLinks, ban_from_stored, from_stored, services};
use crate::portmap::keep_port_open;
use crate::practice::{MemberParts, run_member};
use crate::root::{Groups, Root, Watches};
use crate::settings::{BitcoinSource, Settings, SettingsError, check_payout_address};
use crate::state::{
    BitcoinState, HelperState, MinersSnapshot, NodeEvent, NodeEventKind, NodeSnapshot,
    PracticeMember, PracticeRpc, ProblemCode, StorageState,
};
use crate::stats::{self, Count, Stats};
use crate::storage::{self, StoreCommand, Writer};
use crate::supervise::Tasks;

/// Requests to the node under way.
const REQUESTS: usize = 32;
/// Events that a reader may lag behind.
const EVENTS: usize = 1024;
/// Events of the engine under way.
const ENGINE_EVENTS: usize = 1024;

/// Starts a node and returns once its folder, ports and practice chain are open.
///
/// Builds its own runtime: must not be called from inside an asynchronous task, except through
/// `spawn_blocking`.
///
/// # Errors
/// [`StartError`]; nothing is left running then.
pub fn start(settings: Settings) -> Result<NodeHandle, StartError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("p2pool-node")
        .enable_all()
        .build()
        .map_err(StartError::System)?;
    let prepared = runtime.block_on(Prepared::open(settings));
    match prepared {
        Ok(prepared) => Ok(prepared.launch(runtime)),
        Err(error) => {
            runtime.shutdown_background();
            Err(error)
        }
    }
}

/// Runs `work` on a thread of its own; a panic in it becomes that of the returned task.
pub(crate) async fn on_own_thread(work: impl FnOnce(&Handle) + Send + 'static) {
    let runtime = Handle::current();
    let ended = tokio::task::spawn_blocking(move || work(&runtime)).await;
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Everything that can fail has been opened.
struct Prepared {
    settings: Settings,
    clock: Clock,
    seed: u64,
    payout_address: String,
    store: Opened,
    recorder: Option<Recorder>,
    loaded: Loaded,
    addresses: Vec<PeerAddress>,
    bans: Vec<HostBan>,
    practice: Option<PracticeChainServer>,
    stratum: TcpListener,
    stratum_address: SocketAddr,
    doors: Doors,
}

impl Prepared {
    async fn open(settings: Settings) -> Result<Self, StartError> {
        let clock = Clock::start();
        let seed = random_u64().map_err(StartError::System)?;
        let chain = settings.params.chain;
        let payout_address =
            settings.payout_address.clone().unwrap_or_else(|| worthless_address("you", chain));
        check_payout_address(&payout_address, &settings.params)
            .map_err(|error| SettingsError::Values(vec![format!("{payout_address}: {error}")]))?;
        let network = network_id(&settings.params);
        let store = open_store(&settings.data_dir, &network, clock.now().wall)?;
        let recorder = open_recorder(&settings)?;
        let loaded = load(&store.store, &settings)?;
        let (addresses, bans) = load_members(&store.store, clock.now().wall);
        let (stratum, stratum_address) = bind(settings.stratum).await?;
        let doors = Doors::open(&settings.p2p.listen).map_err(|error| StartError::PortTaken {
            port: settings.p2p.listen.first().map_or(0, SocketAddr::port),
            reason: error.to_string(),
        })?;
        let practice = match &settings.bitcoin {
            BitcoinSource::Bitcoind { .. } => None,
            BitcoinSource::Practice => {
                let folder = settings.data_dir.join("chain");
                let server = PracticeChainServer::start(&folder, chain).await;
                Some(server.map_err(|e| StartError::PracticeChain { reason: e.to_string() })?)
            }
        };
        Ok(Self {
            settings,
            clock,
            seed,
            payout_address,
            store,
            recorder,
            loaded,
            addresses,
            bans,
            practice,
            stratum,
            stratum_address,
            doors,
        })
    }

    /// Starts every task. Nothing here can fail any more.
    fn launch(self, runtime: Runtime) -> NodeHandle {
        let guard = runtime.enter();
        let (root, mut handle) = self.wire();
        runtime.spawn(root.run());
        drop(guard);
        handle.runtime = Some(runtime);
        handle
    }

    /// Connects the parts and starts their tasks, the root's excepted.
    fn wire(self) -> (Root, NodeHandle) {
        let snapshot = self.first_snapshot();
        let Self {
            settings, clock, seed, payout_address, store, recorder, loaded, practice, ..
        } = self;
        let rpc = rpc_configs(&settings, practice.as_ref());
        let mut groups = Groups::new(&CancellationToken::new());
        let (events, _) = broadcast::channel(EVENTS);
        let (mining, mining_reader) = watch::channel(settings.mines_at_start);
        let (store_sender, persisted, storage) =
            start_storage(store, recorder, clock, &events, &mut groups.storage);
        let (bitcoin_sender, commands) = mpsc::channel(bitcoin::QUEUE);
        let (engine_events, engine_events_reader) = mpsc::channel(ENGINE_EVENTS);
        let sinks = Sinks {
            store: Some(store_sender.clone()),
            persisted,
            bitcoin: bitcoin_sender,
            events: engine_events,
        };
        let engine = new_engine(&settings, seed, &payout_address);
        let (driver, handle) = Driver::new(engine, clock, sinks, settings.mines_at_start);
        let (control, summary) = (handle.control.clone(), handle.summary.clone());
        let load = Control::Engine(Input::Load(Box::new(loaded)));
        control.try_send(load).expect("the driver's queue is empty before it starts");
        let token = groups.core.token().clone();
        groups.core.spawn("driver", on_own_thread(move |runtime| driver.run(runtime, &token)));
        if let Some(practice) = practice {
            start_practice_chain(practice, &mut groups.chain);
        }
        let (snapshots, snapshots_reader) = watch::channel(Arc::new(snapshot));
        let (members, member_deeds) = mpsc::channel(REQUESTS);
        let looks = handle.control.clone();
        let parts = EdgeParts {
            snapshots: snapshots_reader.clone(),
            settings,
            clock,
            seed,
            payout_address,
            rpc,
            stratum: self.stratum,
            stratum_address: self.stratum_address,
            doors: self.doors,
            addresses: self.addresses,
            bans: self.bans,
            member_deeds,
            driver: handle,
            commands,
            mining: mining_reader,
            events: events.clone(),
            store: store_sender.clone(),
        };
        let (bitcoin, miners, helper, p2p) = start_edges(parts, &mut groups.edges);

        let (requests, requests_reader) = mpsc::channel(REQUESTS);
        let root = Root {
            clock,
            groups,
            requests: requests_reader,
            snapshots,
            events: events.clone(),
            engine_events: engine_events_reader,
            control,
            store: Some(store_sender),
            mining,
            watches: Watches { summary, bitcoin, miners, helper, storage, p2p },
        };
        let snapshots = snapshots_reader;
        (root, NodeHandle { requests, members, looks, snapshots, events, runtime: None })
    }

    fn first_snapshot(&self) -> NodeSnapshot {
        let settings = &self.settings;
        let member = |member: Member| PracticeMember {
            name: member.name.to_owned(),
            address: member.address,
        };
        NodeSnapshot {
            started_at: self.clock.now().wall,
            chain: settings.params.chain,
            is_practice: self.practice.is_some(),
            is_continued: !self.loaded.shares.is_empty(),
            is_mining: settings.mines_at_start,
            stratum_address: self.stratum_address,
            payout_address: self.payout_address.clone(),
            donation: settings.donation,
            bitcoin: BitcoinState::Connecting,
            bitcoin_details: Arc::default(),
            summary: Arc::default(),
            p2p: Arc::new(P2pState::at_start(&self.doors)),
            miners: Arc::default(),
            helper: HelperState::Off,
            storage: StorageState::Ok,
            members: members(settings.members, settings.params.chain)
                .into_iter()
                .map(member)
                .collect(),
            database: self.store.store.path().to_owned(),
            practice_rpc: self.practice.as_ref().map(|chain| PracticeRpc {
                url: chain.url().to_owned(),
                cookie: chain.cookie_path().to_owned(),
            }),
            failure: None,
        }
    }
}

type StorageLinks =
    (mpsc::Sender<StoreCommand>, watch::Receiver<u64>, watch::Receiver<StorageState>);

fn start_storage(
    opened: Opened,
    recorder: Option<Recorder>,
    clock: Clock,
    events: &broadcast::Sender<NodeEvent>,
    group: &mut Tasks,
) -> StorageLinks {
    let (commands, commands_reader) = mpsc::channel(storage::QUEUE);
    let (persisted, persisted_reader) = watch::channel(0);
    let (state, state_reader) = watch::channel(StorageState::Ok);
    let Opened { store, recovered } = opened;
    if let Some(old) = recovered {
        let event =
            NodeEvent { at: clock.now().wall, kind: NodeEventKind::DatabaseReplaced { old } };
        let record = crate::root::record(&event);
        // The queue is empty, and nobody listens to the broadcast yet.
        let _ = commands.try_send(StoreCommand::Events(vec![record]));
        let _ = events.send(event);
    }
    let writer = Writer { store, recorder, clock, commands: commands_reader, persisted, state };
    group.spawn("storage", on_own_thread(move |_| writer.run()));
    (commands, persisted_reader, state_reader)
}

fn new_engine(settings: &Settings, seed: u64, payout_address: &str) -> Engine {
    Engine::new(Config {
        params: Arc::clone(&settings.params),
        seed,
        payout_address: payout_address.as_bytes().to_vec(),
        donation: settings.donation,
        coinbase_text: settings.coinbase_text.clone().into_bytes(),
        low_bandwidth: settings.p2p.is_low_bandwidth,
    })
}

fn start_practice_chain(chain: PracticeChainServer, group: &mut Tasks) {
    let token = group.token().clone();
    group.spawn("practice chain", async move {
        if let Err(error) = chain.run(token).await {
            tracing::error!(%error, "practice chain ended");
        }
    });
}

/// What the services around the driver are made of.
struct EdgeParts {
    snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    settings: Settings,
    clock: Clock,
    seed: u64,
    payout_address: String,
    /// The Bitcoin node, then the reserve if there is one.
    rpc: Vec<RpcConfig>,
    stratum: TcpListener,
    stratum_address: SocketAddr,
    doors: Doors,
    addresses: Vec<PeerAddress>,
    bans: Vec<HostBan>,
    member_deeds: mpsc::Receiver<MemberDeed>,
    driver: DriverHandle,
    commands: mpsc::Receiver<BitcoinCommand>,
    mining: watch::Receiver<bool>,
    events: broadcast::Sender<NodeEvent>,
    store: mpsc::Sender<StoreCommand>,
}

type EdgeReaders = (
    BitcoinReaders,
    watch::Receiver<Arc<MinersSnapshot>>,
    HelperLink,
    watch::Receiver<Arc<P2pState>>,
);

fn start_edges(parts: EdgeParts, group: &mut Tasks) -> EdgeReaders {
    let EdgeParts { settings, clock, seed, rpc, driver, events, store, .. } = parts;
    let token = group.token().clone();
    let bitcoin = start_bitcoin(&rpc, &settings, clock, &driver, parts.commands, group);

    let (counts, counts_reader) = mpsc::channel(stats::QUEUE);
    let (miners, miners_reader) = watch::channel(Arc::default());
    let statistics = Stats::new(clock, counts_reader, miners, events.clone(), store.clone());
    group.spawn("statistics", statistics.run(token.clone()));
    let parts_of_door = DoorParts {
        clock,
        seed,
        payout_address: parts.payout_address.into_bytes().into(),
        listener: parts.stratum,
        miners: miners_reader.clone(),
        counts,
        snapshots: parts.snapshots,
    };
    start_door(parts_of_door, &settings, &driver, group);

    let links = PeerLinks::new(
        clock,
        Arc::clone(&settings.params),
        &driver,
        seed,
        services(&settings.p2p),
        Some(events),
    );
    let pool = parts.doors.addresses().first().copied();
    let known = (&parts.addresses[..], &parts.bans[..]);
    let p2p = start_p2p(parts.doors, &settings, links, known, parts.member_deeds, store, group);
    if let Some(pool) = pool {
        start_members(pool, &settings, &rpc, clock, seed, group);
    }

    let (service, helper) =
        HelperService::new(settings.helper, parts.stratum_address, parts.mining);
    group.spawn("CPU miner", service.run(token));
    (bitcoin, miners_reader, helper, p2p)
}

fn start_p2p(
    doors: Doors,
    settings: &Settings,
    links: PeerLinks,
    (addresses, bans): (&[PeerAddress], &[HostBan]),
    deeds: mpsc::Receiver<MemberDeed>,
    store: mpsc::Sender<StoreCommand>,
    group: &mut Tasks,
) -> watch::Receiver<Arc<P2pState>> {
    let token = group.token().clone();
    let (mapping_sender, mapping) = watch::channel(MappingState::Off);
    let port = doors.addresses().first().map_or(0, SocketAddr::port);
    if let Some(port) = NonZeroU16::new(port).filter(|_| settings.p2p.maps_port) {
        group.spawn("router", keep_port_open(port, mapping_sender, token.clone()));
    }
    let (state, reader) = watch::channel(Arc::new(P2pState::at_start(&doors)));
    let parts = P2pParts {
        settings: settings.p2p.clone(),
        doors,
        seed: links.nonce,
        links,
        loaded: addresses.iter().map(from_stored).collect(),
        loaded_bans: bans.iter().map(ban_from_stored).collect(),
        deeds,
        store: Some(store),
        mapping,
        state,
        is_practice: matches!(settings.bitcoin, BitcoinSource::Practice),
    };
    group.spawn("members", P2pService::new(parts).run(token));
    reader
}

fn start_members(
    pool: SocketAddr,
    settings: &Settings,
    rpc: &[RpcConfig],
    clock: Clock,
    seed: u64,
    group: &mut Tasks,
) {
    let Some(rpc) = rpc.first() else { return };
    let simulated = members(settings.members, settings.params.chain);
    for (member, number) in simulated.into_iter().zip(1_u64..) {
        let parts = MemberParts {
            member,
            params: Arc::clone(&settings.params),
            rpc: rpc.clone(),
            pool,
            clock,
            seed: seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        };
        group.spawn("simulated member", run_member(parts, group.token().clone()));
    }
}

/// What the miners' door is made of.
struct DoorParts {
    clock: Clock,
    seed: u64,
    payout_address: Arc<[u8]>,
    listener: TcpListener,
    miners: watch::Receiver<Arc<MinersSnapshot>>,
    counts: mpsc::Sender<Count>,
    snapshots: watch::Receiver<Arc<NodeSnapshot>>,
}

fn start_door(parts: DoorParts, settings: &Settings, driver: &DriverHandle, group: &mut Tasks) {
    let DoorParts { clock, seed, payout_address, listener, miners, counts, snapshots } = parts;
    let token = group.token().clone();
    let (prepared, work) = watch::channel(None);
    let workshop = Workshop {
        clock,
        payout_address: Arc::clone(&payout_address),
        share_size: settings.door.share_size,
        bases: driver.work.clone(),
        miners,
        prepared,
        seed: seed as u32,
    };
    group.spawn("workshop", workshop.run(token.clone()));
    let (record, record_reader) = watch::channel(Arc::default());
    group.spawn("record", keep_record(clock, snapshots.clone(), record, token.clone()));
    let site = Site {
        clock,
        params: Arc::clone(&settings.params),
        snapshots,
        control: driver.control.clone(),
        counts: counts.clone(),
        record: record_reader,
        looking: tokio::sync::Mutex::new(()),
    };
    let door = Door {
        listener,
        settings: settings.door,
        links: Links {
            clock,
            params: Arc::clone(&settings.params),
            payout_address,
            pays_user_names: settings.door.pays_user_names.then(|| Arc::clone(&settings.params)),
            work,
            solved: driver.solved.clone(),
            counts,
            leases: new_leases((seed >> 32) as u32),
            site: Arc::new(site),
        },
    };
    group.spawn("miners' door", door.run(token));
}

fn start_bitcoin(
    rpc: &[RpcConfig],
    settings: &Settings,
    clock: Clock,
    driver: &DriverHandle,
    commands: mpsc::Receiver<BitcoinCommand>,
    group: &mut Tasks,
) -> BitcoinReaders {
    let (state, state_reader) = watch::channel(BitcoinState::Connecting);
    let (details, details_reader) = watch::channel(Arc::default());
    let readers = BitcoinReaders { state: state_reader, details: details_reader };
    let chain = settings.params.chain;
    let token = group.token().clone();
    let mut nodes = Vec::new();
    for config in rpc {
        match NodeLink::open(config, chain) {
            Ok((node, source)) => {
                group.spawn("templates", source.run(token.clone()));
                nodes.push(node);
            }
            Err(error) => tracing::error!(%error, "Bitcoin node left out"),
        }
    }
    if nodes.is_empty() {
        let reason = format!("{:?} is not the address of a Bitcoin node", rpc[0].url);
        let (code, since) = (ProblemCode::NodeUnreachable, clock.now().wall);
        state.send_replace(BitcoinState::Unavailable { code, reason, since });
        return readers;
    }
    let (driver, summary) = (driver.control.clone(), driver.summary.clone());
    let links = BitcoinLinks { chain, clock, commands, driver, summary, state, details };
    group.spawn("blocks", BitcoinService::new(nodes, links).run(token));
    readers
}

/// The Bitcoin node, then the reserve if there is one.
fn rpc_configs(settings: &Settings, practice: Option<&PracticeChainServer>) -> Vec<RpcConfig> {
    match (&settings.bitcoin, practice) {
        (BitcoinSource::Bitcoind { rpc, reserve }, _) => {
            std::iter::once(rpc).chain(reserve).cloned().collect()
        }
        (BitcoinSource::Practice, chain) => {
            vec![chain.expect("opened with these settings").rpc_config()]
        }
    }
}
