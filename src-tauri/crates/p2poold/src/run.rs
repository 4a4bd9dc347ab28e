//! The life of a node in this program: from the first line told to its end.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{
    BlockCheck, BlockCheckError, BlockChecker, Event, NodeEvent, NodeEventKind, NodeHandle,
    NodeSnapshot, ProblemCode,
};
use p2pool_sharechain::{Params, ShareHash};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::face::Face;
use crate::failure::Failure;
use crate::notice::{Bitcoin, CpuMiner, Notice, Started};
use crate::payees::Payees;
use crate::signals::Signals;
use crate::status::status;
use crate::tally::Tally;

/// A block that cannot be checked is tried again so often, so much later.
const CHECK_TRIES: u32 = 20;
const CHECK_AGAIN: Duration = Duration::from_millis(500);
/// Checks under way at the end are waited for so long.
const LAST_CHECKS: Duration = Duration::from_secs(2);

/// When to end without being told to.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) run_for: Option<Duration>,
    pub(crate) blocks: Option<u64>,
}

/// Why the loop ended.
enum End {
    /// A signal, or the goal.
    Wanted,
    /// Standard output is closed.
    NobodyListens,
    /// The node has ended by itself.
    NodeEnded,
}

/// What a check gives: the block asked for, and what the chain said.
type Checked = (ShareHash, Result<BlockCheck, BlockCheckError>);

/// A running node with everything around it.
pub(crate) struct Run {
    face: Box<dyn Face>,
    goal: Goal,
    started: Instant,
    snapshot: Arc<NodeSnapshot>,
    payees: Payees,
    tally: Tally,
    checker: BlockChecker,
    /// The one check under way, so that a flood of blocks cannot flood the chain with questions.
    checks: JoinSet<Checked>,
    /// Blocks to be checked after it.
    unchecked: VecDeque<ShareHash>,
    /// States told last; they are followed through snapshots, which no reader can miss.
    cpu_miner: CpuMiner,
    bitcoin: Bitcoin,
    is_degraded: bool,
}

impl Run {
    /// Prepares to tell about a practice node that runs.
    ///
    /// # Errors
    /// Its chain cannot be asked.
    pub(crate) fn new(
        handle: &NodeHandle,
        params: Arc<Params>,
        goal: Goal,
        face: Box<dyn Face>,
    ) -> Result<Self, Failure> {
        let snapshot = handle.snapshot();
        let unknown = |reason: String| {
            let sentence = format!("The practice chain cannot be asked: {reason}.");
            Failure::of_run(ProblemCode::NodeUnreachable, sentence)
        };
        let rpc = snapshot.practice_rpc.as_ref();
        let rpc = rpc.ok_or_else(|| unknown("it has no address".into()))?;
        let checker = BlockChecker::new(rpc, Arc::clone(&params))
            .map_err(|error| unknown(error.to_string()))?;
        Ok(Self {
            face,
            goal,
            started: Instant::now(),
            payees: Payees::new(params, &snapshot),
            tally: Tally::new(&snapshot),
            checker,
            checks: JoinSet::new(),
            unchecked: VecDeque::new(),
            snapshot,
            cpu_miner: CpuMiner::Off,
            bitcoin: Bitcoin::Connecting,
            is_degraded: false,
        })
    }

    /// Tells what happens until the end, stops the node, and says how it went.
    ///
    /// # Errors
    /// The node ended by itself, did not stop in time, or a block's sums are wrong.
    pub(crate) async fn until_end(
        mut self,
        handle: NodeHandle,
        data_dir: PathBuf,
        mut signals: Signals,
    ) -> Result<(), Failure> {
        let end = match self.begin(data_dir) {
            Ok(()) => self.follow(&handle, &mut signals).await.unwrap_or_else(|end| end),
            Err(_) => End::NobodyListens,
        };
        self.last_checks().await;
        let summary = self.tally.summary(self.ran().as_secs(), &self.payees);
        // From here on a closed output changes nothing: the node is stopped all the same.
        let _ = self.tell(&Notice::Stopping);
        let stop = async {
            let report = handle.stop().await;
            Some(report)
        };
        let report = tokio::select! {
            report = stop => report,
            () = signals.next() => None,
        };
        let _ = self.tell(&Notice::Summary(Box::new(summary)));
        let Some(report) = report else {
            let sentence = "Ended at once; the node had not stopped yet.".into();
            return Err(Failure::of_run(ProblemCode::EngineRestarted, sentence));
        };
        let took_ms = u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
        let is_late = !report.late.is_empty();
        let _ = self.tell(&Notice::Stopped { took_ms, late: report.late });
        self.verdict(&end, is_late)
    }

    /// Whether this was a good end.
    fn verdict(&self, end: &End, is_late: bool) -> Result<(), Failure> {
        let failed = |code, sentence: &str| Err(Failure::of_run(code, sentence.into()));
        if matches!(end, End::NodeEnded) {
            let reason = self.snapshot.failure.as_deref().unwrap_or("no reason known");
            return failed(
                ProblemCode::EngineRestarted,
                &format!("The node stopped by itself: {reason}."),
            );
        }
        if self.tally.blocks_inexact > 0 {
            return failed(
                ProblemCode::BlockRejected,
                "A block's outputs do not add up to subsidy plus fees.",
            );
        }
        if self.tally.blocks_unchecked > 0 {
            return failed(ProblemCode::NodeTemplate, "An accepted block could not be checked.");
        }
        if is_late {
            return failed(ProblemCode::EngineRestarted, "Parts of the node did not stop in time.");
        }
        match end {
            End::Wanted | End::NodeEnded => Ok(()),
            End::NobodyListens => {
                failed(ProblemCode::EngineRestarted, "The output was closed, so the node stopped.")
            }
        }
    }

    fn begin(&mut self, data_dir: PathBuf) -> io::Result<()> {
        let snapshot = Arc::clone(&self.snapshot);
        let rpc = snapshot.practice_rpc.as_ref();
        self.tell(&Notice::Started(Box::new(Started {
            version: env!("CARGO_PKG_VERSION"),
            chain: snapshot.chain.to_string(),
            is_continued: snapshot.is_continued,
            data_dir,
            database: snapshot.database.clone(),
            stratum_url: format!("stratum+tcp://{}", snapshot.stratum_address),
            payout_address: snapshot.payout_address.clone(),
            members: snapshot.members.clone(),
            rpc_url: rpc.map(|rpc| rpc.url.clone()),
            rpc_cookie: rpc.map(|rpc| rpc.cookie.clone()),
        })))?;
        self.look(snapshot)
    }

    /// Tells what happens until there is a reason to end.
    async fn follow(&mut self, handle: &NodeHandle, signals: &mut Signals) -> Result<End, End> {
        let mut snapshots = handle.watch();
        snapshots.mark_changed();
        let mut events = handle.events();
        let mut statuses = interval(self.face.status_every());
        statuses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = self.goal.run_for.map(|time| self.started + time);
        loop {
            let told = tokio::select! {
                biased;
                () = signals.next() => return Ok(End::Wanted),
                () = reached(deadline) => return Ok(End::Wanted),
                Some(checked) = self.checks.join_next() => match checked {
                    Ok((hash, outcome)) => self.checked(hash, outcome),
                    Err(_) => Ok(()),
                },
                event = events.recv() => match event {
                    Ok(event) => self.event(event),
                    Err(RecvError::Lagged(events)) => self.tell(&Notice::Missed { events }),
                    Err(RecvError::Closed) => return Ok(End::NodeEnded),
                },
                changed = snapshots.changed() => match changed {
                    Ok(()) => {
                        let snapshot = Arc::clone(&snapshots.borrow_and_update());
                        self.look(snapshot)
                    }
                    Err(_) => return Ok(End::NodeEnded),
                },
                _ = statuses.tick() => {
                    let status = status(self.ran(), &self.snapshot, &self.tally, &self.payees);
                    self.tell(&Notice::Status(Box::new(status)))
                }
            };
            told.map_err(|_| End::NobodyListens)?;
            if self.goal.blocks.is_some_and(|blocks| self.tally.blocks_settled() >= blocks) {
                return Ok(End::Wanted);
            }
        }
    }

    fn ran(&self) -> Duration {
        self.started.elapsed()
    }

    fn tell(&mut self, notice: &Notice) -> io::Result<()> {
        self.face.tell(self.ran(), notice)
    }

    fn event(&mut self, event: NodeEvent) -> io::Result<()> {
        let notice = match event.kind {
            NodeEventKind::Chain(event) => return self.chain_event(event),
            NodeEventKind::MinerConnected { worker, is_helper } => {
                Notice::MinerConnected { worker, is_cpu_miner: is_helper }
            }
            NodeEventKind::MinerLeft { worker, is_helper } => {
                Notice::MinerLeft { worker, is_cpu_miner: is_helper }
            }
            NodeEventKind::MemberJoined { address } => {
                Notice::MemberJoined { address: address.to_string() }
            }
            NodeEventKind::MemberLeft { address } => {
                Notice::MemberLeft { address: address.to_string() }
            }
            NodeEventKind::MiningStarted => Notice::MiningStarted,
            NodeEventKind::MiningPaused => Notice::MiningPaused,
            NodeEventKind::DatabaseReplaced { old } => Notice::DatabaseReplaced { old },
            NodeEventKind::Helper(_) | NodeEventKind::Bitcoin(_) | NodeEventKind::Storage(_) => {
                return Ok(());
            }
        };
        self.tell(&notice)
    }

    fn chain_event(&mut self, event: Event) -> io::Result<()> {
        if let Some(hash) = self.tally.event(&event) {
            self.check(hash);
        }
        let notice = match event {
            Event::BestShare { hash, height, is_own } => {
                Notice::BestShare { hash: hash.to_string(), height, is_own }
            }
            Event::ShareFound { hash, worker, is_on_time } => {
                Notice::ShareFound { hash: hash.to_string(), worker, is_on_time }
            }
            Event::BlockFound { hash, height, is_own } => {
                Notice::BlockFound { hash: hash.to_string(), height, is_own }
            }
            // Told when the chain itself has been asked what the block pays.
            Event::BlockAccepted { .. } => return Ok(()),
            Event::BlockRejected { hash, reason } => {
                Notice::BlockRejected { hash: hash.to_string(), reason }
            }
            Event::BlockReplaced { hash } => Notice::BlockReplaced { hash: hash.to_string() },
            Event::StorageSlow => Notice::StorageSlow,
        };
        self.tell(&notice)
    }

    /// Takes a newer snapshot and tells which states have changed.
    fn look(&mut self, snapshot: Arc<NodeSnapshot>) -> io::Result<()> {
        self.snapshot = snapshot;
        for hash in self.tally.snapshot(&self.snapshot) {
            self.check(hash);
        }
        let cpu_miner = CpuMiner::from(&self.snapshot.helper);
        if cpu_miner != self.cpu_miner {
            self.cpu_miner = cpu_miner.clone();
            self.tell(&Notice::CpuMiner(cpu_miner))?;
        }
        let bitcoin = Bitcoin::from(&self.snapshot.bitcoin);
        if bitcoin != self.bitcoin {
            self.bitcoin = bitcoin.clone();
            self.tell(&Notice::Bitcoin(bitcoin))?;
        }
        let storage = Notice::from(&self.snapshot.storage);
        let is_degraded = matches!(storage, Notice::Storage { is_degraded: true, .. });
        if is_degraded != self.is_degraded {
            self.is_degraded = is_degraded;
            self.tell(&storage)?;
        }
        Ok(())
    }

    /// Asks the chain what an accepted block pays; the answer comes later.
    fn check(&mut self, hash: ShareHash) {
        self.unchecked.push_back(hash);
        self.check_next();
    }

    /// Begins the next check unless one is under way.
    fn check_next(&mut self) {
        if !self.checks.is_empty() {
            return;
        }
        let Some(hash) = self.unchecked.pop_front() else { return };
        let checker = self.checker.clone();
        self.checks.spawn(async move { (hash, ask(checker, hash).await) });
    }

    fn checked(
        &mut self,
        hash: ShareHash,
        outcome: Result<BlockCheck, BlockCheckError>,
    ) -> io::Result<()> {
        self.check_next();
        let notice = match outcome {
            Ok(check) => {
                let notice = Notice::BlockAccepted(self.tally.telling(&check, &self.payees));
                self.tally.checked(check);
                notice
            }
            // Told by the node as well, and then as a block that was replaced.
            Err(BlockCheckError::NotInChain { .. }) => {
                self.tally.no_longer_accepted(hash);
                return Ok(());
            }
            Err(error) => {
                self.tally.blocks_unchecked += 1;
                Notice::BlockUnchecked { hash: hash.to_string(), reason: error.to_string() }
            }
        };
        self.tell(&notice)
    }

    /// Blocks accepted last belong into the summary; the chain is still there to be asked.
    async fn last_checks(&mut self) {
        let rest = async {
            while let Some(checked) = self.checks.join_next().await {
                if let Ok((hash, outcome)) = checked {
                    // The summary says it again.
                    let _ = self.checked(hash, outcome);
                }
            }
        };
        let is_done = timeout(LAST_CHECKS, rest).await.is_ok();
        if !is_done {
            self.tally.blocks_unchecked += (self.checks.len() + self.unchecked.len()) as u64;
            self.checks.abort_all();
        }
    }
}

/// Asks with patience: a busy chain answers later.
async fn ask(checker: BlockChecker, hash: ShareHash) -> Result<BlockCheck, BlockCheckError> {
    for _ in 1..CHECK_TRIES {
        match checker.check(hash).await {
            Err(BlockCheckError::Rpc(_)) => sleep(CHECK_AGAIN).await,
            outcome => return outcome,
        }
    }
    checker.check(hash).await
}

/// At the deadline, if there is one.
async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
