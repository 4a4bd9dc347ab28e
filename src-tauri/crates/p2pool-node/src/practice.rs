//! Simulated members of the practice pool: real engines and connections, slow miners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pool_bitcoind::RpcConfig;
use p2pool_engine::{Config, Engine, Solved};
use p2pool_practice::members::{Member, SlowMiner};
use p2pool_sharechain::template::{MinerTerms, ShareTemplate};
use p2pool_sharechain::{Params, U256};
use p2pool_wire::Services;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::bitcoin::{self, BitcoinLinks, BitcoinService, NodeLink};
use crate::clock::Clock;
use crate::driver::{Driver, DriverHandle, Sinks};
use crate::p2p::{P2pParts, P2pService, PeerLinks};
use crate::start::on_own_thread;
use crate::state::BitcoinState;
use crate::supervise::Tasks;

/// A member hashes in slices this far apart.
const SLICE: Duration = Duration::from_millis(100);
const SLICES_PER_SECOND: u32 = 10;
/// Events of a member that nobody reads.
const EVENTS: usize = 16;

/// What a simulated member needs.
#[derive(Clone, Debug)]
pub(crate) struct MemberParts {
    pub(crate) member: Member,
    pub(crate) params: Arc<Params>,
    pub(crate) rpc: RpcConfig,
    /// Where the user's node listens.
    pub(crate) pool: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
}

/// Runs one member until cancelled. It stores nothing: it learns the chain anew from its peer.
pub(crate) async fn run_member(parts: MemberParts, token: CancellationToken) {
    let MemberParts { member, params, rpc, pool, clock, seed } = parts;
    let engine = Engine::new(Config {
        params: Arc::clone(&params),
        seed,
        payout_address: member.address.clone().into_bytes(),
        donation: 0,
        coinbase_text: Vec::new(),
        low_bandwidth: false,
    });
    let Ok((node, source)) = NodeLink::open(&rpc, params.chain) else {
        tracing::error!(name = member.name, "simulated member has no Bitcoin node");
        return;
    };
    let (bitcoin_sender, commands) = mpsc::channel(bitcoin::QUEUE);
    let (events, mut unread) = mpsc::channel(EVENTS);
    // Nothing is stored, so nothing is ever reported as stored.
    let (_persisted_sender, persisted) = watch::channel(0);
    let sinks = Sinks { store: None, persisted, bitcoin: bitcoin_sender, events };
    let (driver, handle) = Driver::new(engine, clock, sinks, true);
    let bitcoin_links = BitcoinLinks {
        chain: params.chain,
        clock,
        commands,
        driver: handle.control.clone(),
        summary: handle.summary.clone(),
        state: watch::Sender::new(BitcoinState::Connecting),
        details: watch::Sender::default(),
    };
    let service = BitcoinService::new(vec![node], bitcoin_links);
    let links = PeerLinks::new(clock, params, &handle, seed, Services::NONE, None);
    let connection = P2pService::new(P2pParts::of_member(pool, links));

    let mut tasks = Tasks::under(&token);
    let child = tasks.token().clone();
    tasks.spawn("member's templates", source.run(child.clone()));
    tasks.spawn("member's blocks", service.run(child.clone()));
    tasks.spawn("member's connection", connection.run(child.clone()));
    tasks.spawn("member's events", async move { while unread.recv().await.is_some() {} });
    tasks.spawn("member's miner", mine(member, handle, clock, seed, child.clone()));
    tasks.spawn("member's driver", on_own_thread(move |runtime| driver.run(runtime, &child)));
    tokio::select! {
        () = token.cancelled() => {}
        ended = tasks.next_ended() => if !token.is_cancelled() {
            tracing::error!(task = ended.name, panic = ?ended.panic, "simulated member ended");
        }
    }
    tasks.finish(Duration::from_secs(2)).await;
}

/// Hashes slowly on whatever the engine publishes.
async fn mine(
    member: Member,
    driver: DriverHandle,
    clock: Clock,
    seed: u64,
    token: CancellationToken,
) {
    let mut slices = tokio::time::interval(SLICE);
    slices.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut miner = SlowMiner::new(seed);
    let mut template: Option<Arc<ShareTemplate>> = None;
    loop {
        tokio::select! {
            () = token.cancelled() => return,
            _ = slices.tick() => {}
        }
        let Some(base) = driver.work.borrow().clone() else { continue };
        let is_new = template.as_ref().is_none_or(|old| old.base().sequence != base.sequence);
        let now = clock.now().wall;
        if is_new {
            let terms = MinerTerms {
                payout_address: member.address.clone().into_bytes(),
                wanted_target: U256::MAX,
                nonce: u32::try_from(seed & 0xffff_ffff).unwrap_or_default(),
                timestamp: now.to_u32(),
            };
            template = base.for_miner(&terms).ok().map(Arc::new);
        }
        let Some(work) = template.clone() else { continue };
        let time = now.to_u32().max(base.block.min_time);
        let hashes = member.hashrate_hps / SLICES_PER_SECOND;
        let mut scanner = miner.clone();
        let scanned = tokio::task::spawn_blocking(move || {
            let solution = scanner.scan(&work, time, hashes);
            (scanner, work, solution)
        });
        let Ok((scanner, work, solution)) = scanned.await else { return };
        miner = scanner;
        if let Some(solution) = solution {
            let solved = Solved {
                template: work,
                solution,
                worker: member.name.to_owned(),
                is_on_time: true,
                found_at: now,
            };
            if driver.solved.send(solved).await.is_err() {
                return;
            }
        }
    }
}
