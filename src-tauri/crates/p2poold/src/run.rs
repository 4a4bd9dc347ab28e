//! The life of a node in this program: from the first line told to its end.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{
    BitcoinState, BlockCheck, BlockCheckError, BlockChecker, Event, NodeEvent, NodeEventKind,
    NodeHandle, NodeSnapshot, PracticeRpc, ProblemCode, RawRun,
};
use p2pool_sharechain::{Params, ShareHash};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::bitcoin_login::{BitcoinLogin, Search};
use crate::face::{Face, Silence};
use crate::failure::Failure;
use crate::notice::{Bitcoin, CpuMiner, MiningState, Notice, Started, Status, now};
use crate::payees::Payees;
use crate::problems::{Problem, problems};
use crate::signals::Signals;
use crate::status::{mining_state, status};
use crate::status_file::{Report, StatusWriter};
use crate::tally::Tally;

/// A block that cannot be checked is tried again so often, so much later.
const CHECK_TRIES: u32 = 20;
const CHECK_AGAIN: Duration = Duration::from_millis(500);
/// Checks under way at the end are waited for so long.
const LAST_CHECKS: Duration = Duration::from_secs(2);

/// While a Bitcoin node that was found cannot be used, another one is looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A report for other processes is written this often.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Wrappers pass a signal on that the whole group has got already: what follows the first wish to end
/// so soon is no second one.
const ECHO: Duration = Duration::from_millis(50);

/// When to end without being told to.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) run_for: Option<Duration>,
    pub(crate) blocks: Option<u64>,
}

/// What the node was started with, as far as it has to be told.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The folder that the person knows.
    pub(crate) data_dir: PathBuf,
    pub(crate) params: Arc<Params>,
    /// The Bitcoin node; `None` in practice.
    pub(crate) login: Option<BitcoinLogin>,
    /// What it is looked for by, if it was found and not named.
    pub(crate) look: Option<RawRun>,
}

/// A node that goes on with another Bitcoin node.
pub(crate) struct Again {
    pub(crate) login: BitcoinLogin,
    pub(crate) face: Box<dyn Face>,
    pub(crate) ran: Duration,
}

/// Why the loop ended.
enum End {
    /// A signal, or the goal.
    Wanted,
    /// Standard output is closed.
    NobodyListens,
    /// The node has ended by itself.
    NodeEnded,
    /// The Bitcoin node is at another place, or wants another login.
    Moved(BitcoinLogin),
}

/// What a check gives: the block asked for, and what the chain said.
type Checked = (ShareHash, Result<BlockCheck, BlockCheckError>);

/// A running node with everything around it.
pub(crate) struct Run {
    face: Box<dyn Face>,
    goal: Goal,
    origin: Origin,
    /// `None` if the disk refuses.
    report: Option<StatusWriter>,
    /// What the newest report says first.
    reported: (MiningState, Vec<Problem>),
    started: Instant,
    snapshot: Arc<NodeSnapshot>,
    payees: Payees,
    tally: Tally,
    checker: BlockChecker,
    /// The one check under way, so that a flood of blocks cannot flood the chain with questions.
    checks: JoinSet<Checked>,
    /// Blocks to be checked after it.
    unchecked: VecDeque<ShareHash>,
    /// The look around for another Bitcoin node, if one is under way.
    looks: JoinSet<Option<BitcoinLogin>>,
    /// States told last; they are followed through snapshots, which no reader can miss.
    cpu_miner: CpuMiner,
    bitcoin: Bitcoin,
    is_degraded: bool,
}

impl Run {
    /// Prepares to tell about a node that runs.
    ///
    /// # Errors
    /// Its chain cannot be asked.
    pub(crate) fn new(
        handle: &NodeHandle,
        origin: Origin,
        goal: Goal,
        face: Box<dyn Face>,
    ) -> Result<Self, Failure> {
        let snapshot = handle.snapshot();
        let unknown = |reason: String| {
            let sentence = format!("The Bitcoin chain cannot be asked: {reason}.");
            Failure::of_run(ProblemCode::NodeUnreachable, sentence)
        };
        let rpc = match &origin.login {
            Some(login) => Some(login.rpc.clone()),
            None => snapshot.practice_rpc.as_ref().map(PracticeRpc::config),
        };
        let rpc = rpc.ok_or_else(|| unknown("it has no address".into()))?;
        let params = Arc::clone(&origin.params);
        let checker = BlockChecker::new(&rpc, Arc::clone(&params))
            .map_err(|error| unknown(error.to_string()))?;
        let report = snapshot.database.parent().map(StatusWriter::open);
        let report = report.and_then(|opened| {
            opened.inspect_err(|error| tracing::warn!(%error, "no status file")).ok()
        });
        Ok(Self {
            face,
            goal,
            origin,
            report,
            reported: (mining_state(&snapshot), problems(&snapshot)),
            started: Instant::now(),
            payees: Payees::new(params, &snapshot),
            tally: Tally::new(&snapshot),
            checker,
            checks: JoinSet::new(),
            unchecked: VecDeque::new(),
            looks: JoinSet::new(),
            snapshot,
            cpu_miner: CpuMiner::Off,
            bitcoin: Bitcoin::Connecting,
            is_degraded: false,
        })
    }

    /// Tells what happens until the end, stops the node, and says how it went; gives what to go on
    /// with if the Bitcoin node has moved.
    ///
    /// # Errors
    /// The node ended by itself, did not stop in time, or a block's sums are wrong.
    pub(crate) async fn until_end(
        mut self,
        handle: NodeHandle,
        mut signals: Signals,
    ) -> Result<Option<Again>, Failure> {
        let begun = self.begin();
        let end = match self.told(&begun) {
            Ok(()) => self.follow(&handle, &mut signals).await.unwrap_or_else(|end| end),
            Err(end) => end,
        };
        let end = match end {
            End::Moved(login) => {
                // Nobody has had work from a node that could not be used.
                handle.stop().await;
                let ran = self.ran();
                return Ok(Some(Again { login, face: self.face, ran }));
            }
            End::Wanted | End::NobodyListens | End::NodeEnded => end,
        };
        self.last_checks().await;
        let summary = self.tally.summary(self.ran().as_secs(), &self.payees);
        let_echo_pass(&mut signals).await;
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
        self.verdict(&end, is_late).map(|()| None)
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
        // A Bitcoin node may be away or keep the fees to itself; practice has no excuse.
        if self.tally.blocks_unchecked > 0 && self.snapshot.is_practice {
            return failed(ProblemCode::NodeTemplate, "An accepted block could not be checked.");
        }
        if is_late {
            return failed(ProblemCode::EngineRestarted, "Parts of the node did not stop in time.");
        }
        match end {
            End::Wanted | End::NodeEnded | End::Moved(_) => Ok(()),
            End::NobodyListens => {
                failed(ProblemCode::EngineRestarted, "The output was closed, so the node stopped.")
            }
        }
    }

    /// A practice node ends when nobody listens any more; one that earns goes on in silence.
    fn told(&mut self, outcome: &io::Result<()>) -> Result<(), End> {
        match outcome {
            Ok(()) => Ok(()),
            Err(_) if self.snapshot.is_practice => Err(End::NobodyListens),
            Err(_) => {
                self.face = Box::new(Silence);
                Ok(())
            }
        }
    }

    /// Tells other processes how the node does.
    fn report(&mut self) {
        let status = self.status();
        let snapshot = Arc::clone(&self.snapshot);
        let report = Report {
            version: env!("CARGO_PKG_VERSION").into(),
            process: std::process::id(),
            network: self.origin.params.name.clone(),
            is_practice: snapshot.is_practice,
            started_at: snapshot.started_at.0,
            written_at: now(),
            stratum_url: stratum_url(&snapshot),
            payout_address: snapshot.payout_address.clone(),
            rpc_url: self.rpc_url(),
            database: snapshot.database.clone(),
            status,
        };
        if let Some(writer) = &mut self.report {
            writer.write(&report);
        }
    }

    fn status(&self) -> Status {
        status(self.ran(), &self.snapshot, &self.tally, &self.payees)
    }

    fn rpc_url(&self) -> String {
        let practice = || self.snapshot.practice_rpc.as_ref().map(|rpc| rpc.url.clone());
        let live = self.origin.login.as_ref().map(|login| login.rpc.url.clone());
        live.or_else(practice).unwrap_or_default()
    }

    fn begin(&mut self) -> io::Result<()> {
        let snapshot = Arc::clone(&self.snapshot);
        self.report();
        self.tell(&Notice::Started(Box::new(Started {
            version: env!("CARGO_PKG_VERSION"),
            chain: snapshot.chain.to_string(),
            is_practice: snapshot.is_practice,
            is_continued: snapshot.is_continued,
            data_dir: self.origin.data_dir.clone(),
            database: snapshot.database.clone(),
            stratum_url: stratum_url(&snapshot),
            payout_address: snapshot.payout_address.clone(),
            members: snapshot.members.clone(),
            rpc_url: self.rpc_url(),
            rpc_cookie: snapshot.practice_rpc.as_ref().map(|rpc| rpc.cookie.clone()),
            rpc_login: self.origin.login.as_ref().map(|login| login.words.clone()),
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
        let mut reports = interval(REPORT_EVERY);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
                    let status = self.status();
                    self.tell(&Notice::Status(Box::new(status)))
                }
                _ = looks.tick(), if self.looks.is_empty() => {
                    self.look_around();
                    Ok(())
                }
                Some(found) = self.looks.join_next() => {
                    if let Ok(Some(login)) = found {
                        return Ok(End::Moved(login));
                    }
                    Ok(())
                }
                _ = reports.tick() => {
                    self.report();
                    Ok(())
                }
            };
            self.told(&told)?;
            if self.goal.blocks.is_some_and(|blocks| self.tally.blocks_settled() >= blocks) {
                return Ok(End::Wanted);
            }
        }
    }

    /// Looks, on a thread of its own, whether the Bitcoin node is elsewhere than it was found.
    fn look_around(&mut self) {
        let is_away = matches!(self.snapshot.bitcoin, BitcoinState::Unavailable { .. });
        let (Some(raw), Some(login), true) = (&self.origin.look, &self.origin.login, is_away)
        else {
            return;
        };
        let (raw, old, data_dir) = (raw.clone(), login.clone(), self.origin.data_dir.clone());
        let chain = self.origin.params.chain;
        self.looks.spawn_blocking(move || {
            // One that cannot be used either is no reason to move.
            let found = Search::here(&data_dir).login(&raw, chain).ok()?;
            (found.rpc != old.rpc).then_some(found)
        });
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
        let (state, problems) = (mining_state(&self.snapshot), problems(&self.snapshot));
        if (state, &problems) != (self.reported.0, &self.reported.1) {
            self.reported = (state, problems);
            self.report();
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

/// What miners connect to.
fn stratum_url(snapshot: &NodeSnapshot) -> String {
    format!("stratum+tcp://{}", snapshot.stratum_address)
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

/// Lets pass what a wrapper may have sent once more.
async fn let_echo_pass(signals: &mut Signals) {
    let echoes = async {
        loop {
            signals.next().await;
        }
    };
    let _: Result<(), _> = timeout(ECHO, echoes).await;
}

/// At the deadline, if there is one.
async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
