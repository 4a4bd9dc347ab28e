//! Miners that ask for work over HTTP: their sessions, which outlive their connections.
//!
//! A session is a miner's address and login. It hears of new work when its miner asks, holds no
//! task, and goes when its miner has been silent for some minutes.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p2pool_engine::Solved;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_stratum::getwork::{HEADER_BYTES, Work};
use p2pool_stratum::login::Login;
use p2pool_stratum::{Action, GetworkSession, Prepared, RejectReason, SessionConfig};
use tokio::sync::mpsc::error::TrySendError;

use super::lease::Lease;
use super::{Links, lock};
use crate::stats::tally::Tally;
use crate::stats::{Count, Joined};

/// Sessions at once, and of one address: each remembers some jobs and headers.
const SESSIONS_MAX: usize = 1000;
const SESSIONS_PER_ADDRESS_MAX: usize = 64;
/// A miner is thought to be gone after this silence. Longer than a question for new work may wait.
const SILENCE_MAX: Duration = Duration::from_secs(300);
/// Finds that wait because the node is busy.
const WAITING_MAX: usize = 256;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asker {
    pub(super) ip: IpAddr,
    pub(super) user: String,
    pub(super) password: String,
}

/// Why there is no work for a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// None for anybody at this moment.
    NoWork,
    /// The login is refused, in words.
    Login(String),
    /// Too many miners.
    TooMany,
}

/// Gives out work to those who ask.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) links: Links,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<Asker, Miner>,
    /// Finds that the node had no room for yet.
    waiting: VecDeque<Solved>,
}

#[derive(Debug)]
struct Miner {
    session: GetworkSession,
    tally: Tally,
    asked_at: MonoTime,
    /// Keeps its extranonce its own.
    _lease: Lease,
}

impl Desk {
    pub(super) fn new(links: Links) -> Self {
        Self { links, state: Mutex::default() }
    }

    /// A header to hash.
    pub(super) fn work(&self, asker: &Asker, user_agent: &str) -> Result<Work, Denied> {
        let newest = self.links.work.borrow().clone().ok_or(Denied::NoWork)?;
        let now = self.links.clock.now();
        self.with_miner(asker, user_agent, now, |session| {
            session.take_work(now, &newest);
            session.work(now)
        })?
        .ok_or(Denied::NoWork)
    }

    /// What a miner's header is worth. The inner error is what the miner is told.
    pub(super) fn submit(
        &self,
        asker: &Asker,
        user_agent: &str,
        header: Option<&[u8; HEADER_BYTES]>,
    ) -> Result<Result<(), RejectReason>, Denied> {
        let now = self.links.clock.now();
        self.with_miner(asker, user_agent, now, |session| session.submit(now, header))
    }

    /// Whether there is work that makes late what this miner has.
    pub(super) fn is_behind(&self, asker: &Asker, newest: Option<&Prepared>) -> bool {
        let Some(newest) = newest else { return false };
        let state = lock(&self.state);
        state.sessions.get(asker).is_none_or(|miner| miner.session.is_behind(newest))
    }

    /// Lets go of miners that are gone, and brings what has waited.
    pub(super) fn tidy(&self) {
        let now = self.links.clock.now();
        let state = &mut *lock(&self.state);
        state.deliver(&self.links);
        let is_gone = |miner: &Miner| now.mono.since(miner.asked_at) > SILENCE_MAX;
        let counts = &self.links.counts;
        state.sessions.retain(|_, miner| {
            miner.tally.send(counts);
            // A name must not stay connected for ever: its end is told, or the miner stays.
            !is_gone(miner) || counts.try_send(left(miner)).is_err()
        });
    }

    fn with_miner<T>(
        &self,
        asker: &Asker,
        user_agent: &str,
        now: Now,
        what: impl FnOnce(&mut GetworkSession) -> T,
    ) -> Result<T, Denied> {
        let links = &self.links;
        let state = &mut *lock(&self.state);
        if !state.sessions.contains_key(asker) {
            let miner = state.admit(links, asker, user_agent, now)?;
            state.sessions.insert(asker.clone(), miner);
        }
        let Some(miner) = state.sessions.get_mut(asker) else { return Err(Denied::TooMany) };
        miner.asked_at = now.mono;
        let answer = what(&mut miner.session);
        let is_over = miner.carry_out(now, &mut state.waiting);
        miner.tally.send(&links.counts);
        if is_over && let Some(miner) = state.sessions.remove(asker) {
            // Lost counts are the price of never waiting for statistics.
            let _ = links.counts.try_send(left(&miner));
        }
        state.deliver(links);
        Ok(answer)
    }
}

impl State {
    /// A session for a miner that was not known.
    fn admit(
        &self,
        links: &Links,
        asker: &Asker,
        user_agent: &str,
        now: Now,
    ) -> Result<Miner, Denied> {
        let of_address = self.sessions.keys().filter(|known| known.ip == asker.ip).count();
        if self.sessions.len() >= SESSIONS_MAX || of_address >= SESSIONS_PER_ADDRESS_MAX {
            return Err(Denied::TooMany);
        }
        let (lease, extranonce1) = Lease::take(&links.leases, asker.ip);
        let config = SessionConfig {
            pays_user_names: links.pays_user_names.clone(),
            is_local: asker.ip.is_loopback(),
            share_nonce_seed: extranonce1.0.rotate_left(16) ^ now.wall.to_u32(),
            ..SessionConfig::new(Arc::clone(&links.payout_address))
        };
        let login = Login::parse(&asker.user, &asker.password);
        let session = GetworkSession::log_in(config, extranonce1, user_agent, &login, now)
            .map_err(Denied::Login)?;
        let joined = Joined {
            worker: session.worker().to_owned(),
            user_agent: session.user_agent().to_owned(),
            is_helper: false,
            ip: Some(asker.ip),
            notices: links.notices(session.worker(), session.user_agent()),
        };
        // Lost names are the price of never waiting for statistics.
        let _ = links.counts.try_send(Count::Joined(joined));
        Ok(Miner { session, tally: Tally::of_address(asker.ip), asked_at: now.mono, _lease: lease })
    }

    /// Brings finds to the node, as many as it has room for. Nobody waits here: whoever found
    /// them may hang up at any moment.
    fn deliver(&mut self, links: &Links) {
        while let Some(solved) = self.waiting.pop_front() {
            match links.solved.try_send(solved) {
                Ok(()) => {}
                Err(TrySendError::Full(solved)) => return self.waiting.push_front(solved),
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }
}

impl Miner {
    /// Carries out what the session wants; whether it is over.
    fn carry_out(&mut self, now: Now, waiting: &mut VecDeque<Solved>) -> bool {
        let mut is_over = false;
        while let Some(action) = self.session.poll() {
            match action {
                Action::Solved { template, solution, grade, worker, on_time } => {
                    self.tally.shares += u32::from(grade.is_share);
                    if waiting.len() >= WAITING_MAX {
                        waiting.pop_front();
                    }
                    waiting.push_back(Solved {
                        template,
                        solution,
                        worker,
                        is_on_time: on_time,
                        found_at: now.wall,
                    });
                }
                Action::Accepted { worker, difficulty, share_part, late } => {
                    self.tally.accept(worker, difficulty, share_part, late);
                }
                Action::Rejected { worker, reason } => {
                    tracing::debug!(worker, ?reason, "result refused");
                    self.tally.reject(worker, reason);
                }
                Action::Close(reason) => {
                    tracing::debug!(%reason, "miner over HTTP is let go");
                    is_over = true;
                }
                Action::Send(_) | Action::Resume(_) | Action::WakeAt(_) => {}
            }
        }
        is_over
    }
}

fn left(miner: &Miner) -> Count {
    Count::Left { worker: miner.session.worker().to_owned() }
}
