//! The server's side of one connection, as a state machine.
//!
//! Order is everything here, because real miners take the next line for the answer they wait for:
//! each request is answered before anything else it causes, nothing but answers leaves before both
//! subscribe and authorize are answered, and every new difficulty is followed by a new job.
//! Source: `docs/stratum.md`, sections 2 to 7; protocol notes, mining.md sections 5 to 7.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::template::{Grade, ROLLING_MASK, ShareTemplate, Solution, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{Params, U256};

use crate::extranonce::Extranonce1;
use crate::job::{Asked, Job, JobTable, OWN_JOBS_MAX};
use crate::message;
use crate::prepared::{Piece, Prepared, Terms};
use crate::submit::RejectReason;
use crate::vardiff::{Bounds, Vardiff, VardiffSettings, device_defaults};

pub mod getwork;
mod patience;
pub mod payees;
mod requests;
mod resume;
mod solutions;
mod work;

pub use resume::Parked;
use work::Work;

/// A miner that hears nothing this long is told the time again: a new job. The shortest patience
/// among miners is 60 to 90 s.
pub const REFRESH: Duration = Duration::from_secs(30);
/// How often the difficulty is looked at when no solution arrives.
const VARDIFF_PERIOD: Duration = Duration::from_secs(10);
/// Time to subscribe after connecting.
pub const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(30);
/// Time to authorize after subscribing.
pub const AUTHORIZE_WITHIN: Duration = Duration::from_secs(60);
/// Unreadable lines in a row that end a connection.
pub const MALFORMED_MAX: u32 = 5;
/// User names of one connection; a proxy has one per rig.
pub const WORKERS_MAX: usize = 1000;

/// What a session is told before it starts.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Whom every share of this connection pays, whatever the user name says, and the share
    /// target wanted.
    pub terms: Terms,
    /// Difficulty that suited this miner the last time, if remembered.
    pub start_difficulty: Option<f64>,
    /// Pays the address in the user name instead, on the network with these parameters.
    pub pays_user_names: Option<Arc<Params>>,
    /// Whether the miner runs on this computer.
    pub is_local: bool,
    /// A number that differs between connections and runs; share nonces derive from it.
    pub share_nonce_seed: u32,
    /// Wishes about the difficulty.
    pub vardiff: VardiffSettings,
}

impl SessionConfig {
    /// The usual settings for a payout address.
    pub fn new(payout_address: impl Into<Arc<[u8]>>) -> Self {
        Self {
            terms: Terms { payout_address: payout_address.into(), wanted_target: U256::MAX },
            start_difficulty: None,
            pays_user_names: None,
            is_local: false,
            share_nonce_seed: 0,
            vardiff: VardiffSettings::default(),
        }
    }
}

/// What a session hears.
#[derive(Debug)]
pub enum Event<'a> {
    /// A line from the miner, without its end.
    Line(&'a [u8]),
    /// The work to hand out from now on.
    NewWork(Arc<TemplateBase>),
    /// The same, ready made for whoever mines on its terms. May come again for the same base.
    Prepared(Arc<Prepared>),
    /// There is no work to hand out any more: the miner should turn to its backup pool.
    NoWork,
    /// The time asked for by [`Action::WakeAt`] has come.
    Timer,
    /// What [`Action::Resume`] asked for, or nothing.
    Resumed(Option<Parked>),
    /// The node stops: the miner is told to come back later.
    Leaving,
}

/// What a session wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send these bytes, line end included.
    Send(Vec<u8>),
    /// A share or a block was found.
    Solved {
        /// The work it was found for.
        template: Arc<ShareTemplate>,
        /// What was found.
        solution: Solution,
        /// What it is good for.
        grade: Grade,
        /// Who found it.
        worker: String,
        /// Whether it builds on the newest share and block.
        on_time: bool,
    },
    /// A solution was counted.
    Accepted {
        /// Who found it.
        worker: String,
        /// The work it stands for: times 2^32, the expected number of hashes.
        difficulty: f64,
        /// The same as a part of what a share takes on average: the number of shares to expect.
        share_part: f64,
        /// Whether it builds on an older share than the newest.
        late: bool,
    },
    /// A solution was refused.
    Rejected {
        /// Who sent it; empty if not known.
        worker: String,
        /// Why.
        reason: RejectReason,
    },
    /// Give this connection the session that had this extranonce, if its connection has ended and
    /// came from the same address: [`Event::Resumed`] must come before anything else.
    Resume(Extranonce1),
    /// End the connection, after what is queued before is sent.
    Close(CloseReason),
    /// Send [`Event::Timer`] at this time; replaces earlier wishes.
    WakeAt(MonoTime),
}

/// Why a session ended itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The node has no work to hand out.
    #[error("no work to hand out")]
    NoWork,
    /// Nothing that subscribes arrived in time.
    #[error("no subscription within {} s", SUBSCRIBE_WITHIN.as_secs())]
    NotSubscribed,
    /// Nothing that authorizes arrived in time.
    #[error("no authorization within {} s", AUTHORIZE_WITHIN.as_secs())]
    NotAuthorized,
    /// A line over the limit.
    #[error("a line too long")]
    LineTooLong,
    /// Too many lines that are no messages.
    #[error("{MALFORMED_MAX} unreadable lines in a row")]
    Malformed,
    /// The miner said goodbye.
    #[error("the miner ended the session")]
    Ended,
    /// All its work was refused for minutes.
    #[error("nothing but refused work")]
    OnlyRejects,
    /// The user name holds no address that can be paid.
    #[error("no address to pay in the user name")]
    NoPayee,
    /// The node stops.
    #[error("the node stops")]
    Stopping,
    /// The payout address does not fit the network: a mistake of the caller.
    #[error("payout address refused: {0}")]
    PayoutAddress(String),
}

/// One miner's connection, seen from the pool.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    /// Whether this miner's terms differ from those that work is prepared for.
    has_own_terms: bool,
    /// Whether work comes prepared.
    is_prepared_for: bool,
    extranonce1: Extranonce1,
    user_agent: String,
    /// Authorized user names.
    workers: Vec<String>,
    /// Difficulty asked for by name or password, which then is not varied.
    fixed_difficulty: Option<f64>,
    suggested_difficulty: Option<f64>,
    minimum_difficulty: f64,
    /// Header version bits that this miner may set.
    version_mask: u32,
    opened: MonoTime,
    subscribed: Option<MonoTime>,
    work: Option<Work>,
    mining: Option<Mining>,
    jobs: JobTable,
    jobs_made: u32,
    malformed: u32,
    refusals: patience::Refusals,
    /// A subscription that is not answered yet.
    waiting: Option<resume::Waiting>,
    /// When a miner that was refused is let go.
    close_at: Option<MonoTime>,
    actions: VecDeque<Action>,
    wake: Option<MonoTime>,
    is_closed: bool,
}

/// What exists once jobs are handed out.
#[derive(Debug)]
struct Mining {
    vardiff: Vardiff,
    /// What the newest job asks for.
    asked: Option<Arc<Asked>>,
    /// Last difficulty sent.
    announced: Option<f64>,
    /// Difficulty of the newest job's share.
    ceiling: f64,
    refresh_at: MonoTime,
    vardiff_at: MonoTime,
}

impl Session {
    /// A session for a fresh connection. `extranonce1` must be this connection's alone.
    pub fn new(config: SessionConfig, extranonce1: Extranonce1, now: Now) -> Self {
        let mut session = Self {
            config,
            has_own_terms: false,
            is_prepared_for: false,
            extranonce1,
            user_agent: String::new(),
            workers: Vec::new(),
            fixed_difficulty: None,
            suggested_difficulty: None,
            minimum_difficulty: 0.0,
            // Also for miners that never asked: whoever sends such bits has used them.
            version_mask: ROLLING_MASK,
            opened: now.mono,
            subscribed: None,
            work: None,
            mining: None,
            jobs: JobTable::default(),
            jobs_made: 0,
            malformed: 0,
            refusals: patience::Refusals::default(),
            waiting: None,
            close_at: None,
            actions: VecDeque::new(),
            wake: None,
            is_closed: false,
        };
        session.schedule();
        session
    }

    /// Takes one fact about the outside world. Nothing happens after [`Action::Close`].
    pub fn handle(&mut self, now: Now, event: Event<'_>) {
        if self.is_closed {
            return;
        }
        self.settle_waiting(now, &event);
        match event {
            Event::Line(line) => self.read(now, line),
            Event::NewWork(base) => self.take_work(now, base, None),
            Event::Prepared(work) => self.take_work(now, Arc::clone(work.base()), Some(work)),
            Event::NoWork if self.work.is_some() => self.close(CloseReason::NoWork),
            Event::Resumed(parked) => self.resume(now, parked),
            Event::Leaving => self.say_goodbye(),
            Event::NoWork | Event::Timer => {}
        }
        self.keep_time(now);
        self.schedule();
    }

    /// The next thing to do, until there is nothing.
    pub fn poll(&mut self) -> Option<Action> {
        let action = self.actions.pop_front();
        if action.is_none() {
            // Most sessions have nothing to say most of the time.
            self.actions = VecDeque::new();
        }
        action
    }

    /// What the miner calls itself, fit for display; empty if it does not say.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// User names authorized on this connection.
    pub fn workers(&self) -> &[String] {
        &self.workers
    }

    /// The difficulty last announced, once work was handed out.
    pub fn difficulty(&self) -> Option<f64> {
        self.mining.as_ref().and_then(|mining| mining.announced)
    }

    /// Sets the share target wanted, from the next job on.
    pub fn set_wanted_target(&mut self, target: U256) {
        self.has_own_terms = true;
        self.config.terms.wanted_target = target;
    }

    fn say_goodbye(&mut self) {
        if self.mining.is_some() {
            // Without parameters: the miner returns to the address in its own settings.
            self.send(message::notification("client.reconnect", &[]));
        }
        self.close(CloseReason::Stopping);
    }

    fn send(&mut self, line: Vec<u8>) {
        self.actions.push_back(Action::Send(line));
    }

    fn close(&mut self, reason: CloseReason) {
        self.is_closed = true;
        self.jobs = JobTable::default();
        self.actions.push_back(Action::Close(reason));
    }

    fn take_work(&mut self, now: Now, base: Arc<TemplateBase>, prepared: Option<Arc<Prepared>>) {
        self.is_prepared_for = prepared.is_some();
        if let Some(prepared) = &prepared
            && !self.has_own_terms
        {
            self.config.terms = prepared.terms().clone();
        }
        let known = self.work.as_ref().filter(|work| Arc::ptr_eq(&work.base, &base));
        let is_for_others =
            prepared.as_ref().is_none_or(|prepared| *prepared.terms() != self.config.terms);
        if known.is_some() && is_for_others {
            return;
        }
        let since = known.map_or(now.mono, |work| work.since);
        let is_new_block = self.work.as_ref().is_none_or(|work| !same_block(&work.base, &base));
        if is_new_block {
            self.jobs.retire_others(&base, now.mono);
        }
        self.work = Some(Work::new(base, since, prepared));
        if self.mining.is_some() {
            self.hand_out(now, is_new_block);
        } else {
            self.begin(now);
        }
    }

    /// Hands out the first job, once everything is there.
    fn begin(&mut self, now: Now) {
        let is_ready = self.subscribed.is_some() && !self.workers.is_empty() && self.work.is_some();
        if !is_ready || self.mining.is_some() {
            return;
        }
        let start = self
            .fixed_difficulty
            .or(self.suggested_difficulty)
            .or(self.config.start_difficulty)
            .or_else(|| device_defaults(&self.user_agent).map(|device| device.start))
            .unwrap_or(self.config.vardiff.difficulty_default);
        let is_fixed = self.fixed_difficulty.is_some();
        self.mining = Some(Mining {
            vardiff: Vardiff::new(&self.config.vardiff, start, is_fixed, now.mono),
            asked: None,
            announced: None,
            ceiling: f64::INFINITY,
            refresh_at: now.mono,
            vardiff_at: now.mono + VARDIFF_PERIOD,
        });
        self.hand_out(now, true);
    }

    /// Makes a new job of the newest work and sends it, after its difficulty if that changed.
    fn hand_out(&mut self, now: Now, clean: bool) {
        let floor = self.floor();
        let (Some(work), Some(mining)) = (&mut self.work, &mut self.mining) else { return };
        self.jobs_made = self.jobs_made.wrapping_add(1);
        // A new coinbase for each job: what was tried for the last one is never tried again.
        let terms = &self.config.terms;
        let shared = work.next_piece(terms, &self.jobs, now);
        let is_shared = shared.is_some();
        let nonce = self.config.share_nonce_seed ^ self.jobs_made.wrapping_mul(0x9e37_79b9);
        let piece = match shared.map_or_else(|| Piece::new(&work.base, terms, nonce, now), Ok) {
            Ok(piece) => piece,
            Err(error) => return self.close(CloseReason::PayoutAddress(error.to_string())),
        };
        mining.ceiling = piece.share_difficulty;
        let bounds = Bounds { floor, ceiling: mining.ceiling };
        let difficulty = match self.fixed_difficulty {
            Some(fixed) => bounds.keep(fixed),
            None => bounds.cut(mining.vardiff.current()),
        };
        mining.vardiff.set(difficulty);
        mining.refresh_at = now.mono + REFRESH;
        let asked = mining.asked.take().filter(|asked| asked.difficulty() == difficulty);
        let asked = asked.unwrap_or_else(|| Arc::new(Asked::new(difficulty)));
        mining.asked = Some(Arc::clone(&asked));
        let job = Job::new(self.jobs_made, Arc::clone(&piece.template), asked, work.since);
        let job = if is_shared { job.shared() } else { job };
        let notify = job.to_line(&self.job_id(), &piece.fields, now, clean);
        if self.difficulty() != Some(difficulty) {
            self.announce(difficulty);
        }
        let shares_work = self.is_prepared_for && !self.has_own_terms;
        self.jobs.insert(job, if shares_work { OWN_JOBS_MAX.0 } else { OWN_JOBS_MAX.1 });
        self.send(notify);
    }

    /// Tells the miner how hard its next job is.
    fn announce(&mut self, difficulty: f64) {
        if let Some(mining) = &mut self.mining {
            mining.announced = Some(difficulty);
        }
        self.jobs.announce(difficulty);
        let text = message::difficulty_text(difficulty);
        self.send(message::notification("mining.set_difficulty", &[text]));
    }

    /// The name of the newest job.
    fn job_id(&self) -> String {
        format!("{}{:x}", self.extranonce1, self.jobs_made)
    }

    fn floor(&self) -> f64 {
        let device = device_defaults(&self.user_agent).and_then(|device| device.floor);
        self.config.vardiff.difficulty_min.max(self.minimum_difficulty).max(device.unwrap_or(0.0))
    }

    /// Hands out work at the wished difficulty if that makes a difference.
    fn follow_wish(&mut self, now: Now, wish: f64) {
        let floor = self.floor();
        let Some(mining) = &mut self.mining else { return };
        let bounds = Bounds { floor, ceiling: mining.ceiling };
        let difficulty = match self.fixed_difficulty {
            Some(fixed) => bounds.keep(fixed),
            None => bounds.cut(wish),
        };
        if mining.announced != Some(difficulty) {
            mining.vardiff.set(difficulty);
            self.hand_out(now, false);
        }
    }

    /// Reviews the difficulty; hands out work if it changes.
    fn review_difficulty(&mut self, now: Now) {
        let floor = self.floor();
        let Some(mining) = &mut self.mining else { return };
        mining.vardiff_at = now.mono + VARDIFF_PERIOD;
        let bounds = Bounds { floor, ceiling: mining.ceiling };
        if mining.vardiff.decide(&bounds, now.mono).is_some() {
            // Only a flood moves a difficulty that was asked for; then the wish is void.
            self.fixed_difficulty = None;
            self.hand_out(now, false);
        }
    }

    fn keep_time(&mut self, now: Now) {
        if self.is_closed {
            return;
        }
        if self.close_at.is_some_and(|at| now.mono >= at) {
            return self.close(CloseReason::NoPayee);
        }
        if self.deadline().is_some_and(|deadline| now.mono >= deadline) {
            let reason = match self.subscribed {
                None => CloseReason::NotSubscribed,
                Some(_) => CloseReason::NotAuthorized,
            };
            return self.close(reason);
        }
        if self.mining.as_ref().is_some_and(|mining| now.mono >= mining.vardiff_at) {
            self.review_difficulty(now);
        }
        if self.mining.as_ref().is_some_and(|mining| now.mono >= mining.refresh_at) {
            self.hand_out(now, false);
        }
    }

    /// When patience with the handshake ends, while it goes on.
    fn deadline(&self) -> Option<MonoTime> {
        match self.subscribed {
            None => Some(self.opened + SUBSCRIBE_WITHIN),
            Some(then) if self.workers.is_empty() => Some(then + AUTHORIZE_WITHIN),
            Some(_) => None,
        }
    }

    fn schedule(&mut self) {
        if self.is_closed {
            return;
        }
        let timers = self.mining.as_ref().map(|mining| mining.refresh_at.min(mining.vardiff_at));
        let wake = [self.close_at, self.deadline(), timers].into_iter().flatten().min();
        if wake != self.wake {
            self.wake = wake;
            self.actions.extend(wake.map(Action::WakeAt));
        }
    }
}

fn same_block(one: &TemplateBase, other: &TemplateBase) -> bool {
    one.block.previous_block == other.block.previous_block
}

#[cfg(test)]
pub(crate) mod tests;
