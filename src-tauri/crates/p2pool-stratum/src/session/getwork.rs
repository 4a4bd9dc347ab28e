//! A miner that asks for one header at a time: a session without a connection.
//!
//! It is a [`Session`] as any other, with its jobs, its difficulty and its judgement. Only that
//! nothing is sent: the server counts through the miner's half of the extranonce, and gives out
//! headers that are ready to hash. Source: protocol notes, mining.md sections 3 to 8.

use std::collections::VecDeque;
use std::sync::Arc;

use p2pool_sharechain::Hash32;
use p2pool_sharechain::template::{ROLLING_MASK, Solution};
use p2pool_sharechain::time::Now;

use super::solutions::coinbase_nonce;
use super::{Action, Event, Session, SessionConfig};
use crate::extranonce::{EXTRANONCE2_BYTES, Extranonce1};
use crate::getwork::{HEADER_BYTES, Work};
use crate::login::{Login, printable};
use crate::prepared::Prepared;
use crate::submit::{RejectReason, Submit};

/// Headers that a miner can answer to. Even thirty devices behind one name find theirs again.
pub const HANDED_OUT_MAX: usize = 256;
/// First difficulty of a miner that nothing is known about: what all such miners were made for.
const DIFFICULTY_DEFAULT: f64 = 1.0;

/// One miner by its address and login, over as many connections as it likes.
#[derive(Debug)]
pub struct GetworkSession {
    session: Session,
    newest: Option<Arc<Prepared>>,
    handed_out: VecDeque<HandedOut>,
    extranonce2: u32,
}

/// A header that may come back.
#[derive(Debug)]
struct HandedOut {
    merkle_root: Hash32,
    job: u32,
    extranonce2: [u8; EXTRANONCE2_BYTES],
}

impl GetworkSession {
    /// A session for a miner that came with this login. `extranonce1` must be its alone.
    ///
    /// # Errors
    /// Why the login is refused, in words for the miner.
    pub fn log_in(
        mut config: SessionConfig,
        extranonce1: Extranonce1,
        user_agent: &str,
        login: &Login,
        now: Now,
    ) -> Result<Self, String> {
        config.vardiff.difficulty_default = DIFFICULTY_DEFAULT;
        let mut session = Session::new(config, extranonce1, now);
        session.user_agent = printable(user_agent);
        session.subscribed = Some(now.mono);
        session.admit(now, login)?;
        session.follow_login(now, login);
        session.actions.clear();
        Ok(Self { session, newest: None, handed_out: VecDeque::new(), extranonce2: 0 })
    }

    /// Hears of the newest work, and of the time.
    pub fn take_work(&mut self, now: Now, work: &Arc<Prepared>) {
        let is_known = self.newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, work));
        if !is_known {
            self.newest = Some(Arc::clone(work));
            self.session.handle(now, Event::Prepared(Arc::clone(work)));
        }
        self.session.handle(now, Event::Timer);
    }

    /// Whether the newest work makes what was handed out late.
    pub fn is_behind(&self, work: &Prepared) -> bool {
        self.newest.as_ref().is_none_or(|newest| is_later(newest, work))
    }

    /// A header that nobody else gets; `None` while there is no work.
    pub fn work(&mut self, now: Now) -> Option<Work> {
        let job = self.session.jobs.newest()?;
        let extranonce2 = self.extranonce2.to_be_bytes();
        let solution = Solution {
            version: job.template().header_version(),
            coinbase_nonce: coinbase_nonce(self.session.extranonce1, extranonce2),
            time: job.times(now).start(),
            nonce: 0,
        };
        let header = job.template().header(&solution);
        let (target, job) = (job.asked().target(), job.number());
        self.extranonce2 = self.extranonce2.wrapping_add(1);
        if self.handed_out.len() >= HANDED_OUT_MAX {
            self.handed_out.pop_front();
        }
        let merkle_root = merkle_root(&header);
        self.handed_out.push_back(HandedOut { merkle_root, job, extranonce2 });
        Some(Work { header, target, identifier: self.session.job_id() })
    }

    /// Judges a header that came back.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn submit(
        &mut self,
        now: Now,
        header: Option<&[u8; HEADER_BYTES]>,
    ) -> Result<(), RejectReason> {
        let solved = header.ok_or(RejectReason::Malformed).and_then(|header| {
            self.solution_of(now, header).map(|(job, solution)| (job, solution, header))
        });
        let user = self.session.workers().first().cloned().unwrap_or_default();
        let refused = match solved {
            Ok((job, solution, header)) => {
                let job_id = format!("{}{job:x}", self.session.extranonce1);
                let submit = Submit {
                    user: &user,
                    job_id: &job_id,
                    extranonce2: extranonce2_of(&solution),
                    time: number_at(header, 68),
                    nonce: number_at(header, 76),
                    version_bits: number_at(header, 0) & ROLLING_MASK,
                };
                self.session.submit(now, None, Ok(submit))
            }
            Err(reason) => self.session.submit(now, None, Err(reason)),
        };
        refused.map_or(Ok(()), Err)
    }

    /// The next thing to do, until there is nothing. Nothing is ever to be sent.
    pub fn poll(&mut self) -> Option<Action> {
        std::iter::from_fn(|| self.session.poll()).find(|action| match action {
            Action::Send(_) | Action::WakeAt(_) | Action::Resume(_) => false,
            Action::Solved { .. }
            | Action::Accepted { .. }
            | Action::Rejected { .. }
            | Action::Close(_) => true,
        })
    }

    /// What the miner calls itself, fit for display.
    pub fn user_agent(&self) -> &str {
        self.session.user_agent()
    }

    /// The name that its results are counted by.
    pub fn worker(&self) -> &str {
        self.session.workers().first().map_or("", String::as_str)
    }

    /// The job and the choices behind a header; all of it must be as it was handed out, but for
    /// what miners may change.
    fn solution_of(
        &mut self,
        now: Now,
        header: &[u8; HEADER_BYTES],
    ) -> Result<(u32, Solution), RejectReason> {
        let root = merkle_root(header);
        let handed_out = self.handed_out.iter().rev().find(|one| one.merkle_root == root);
        let HandedOut { job, extranonce2, .. } = handed_out.ok_or(RejectReason::UnknownJob)?;
        let found = self.session.jobs.find(*job, now.mono).ok_or(RejectReason::UnknownJob)?;
        let version_bits = number_at(header, 0) & ROLLING_MASK;
        let solution = Solution {
            version: found.template().header_version() | version_bits,
            coinbase_nonce: coinbase_nonce(self.session.extranonce1, *extranonce2),
            time: number_at(header, 68),
            nonce: number_at(header, 76),
        };
        let is_same = found.template().header(&solution) == *header;
        if is_same { Ok((*job, solution)) } else { Err(RejectReason::Malformed) }
    }
}

/// Whether `newer` builds on another share or block.
fn is_later(known: &Prepared, newer: &Prepared) -> bool {
    !super::solutions::is_newest(known.base(), newer.base())
}

fn merkle_root(header: &[u8; HEADER_BYTES]) -> Hash32 {
    header[36..68].try_into().expect("32 bytes of a header")
}

fn number_at(header: &[u8; HEADER_BYTES], place: usize) -> u32 {
    let bytes = header[place..place + 4].try_into().expect("four bytes of a header");
    u32::from_le_bytes(bytes)
}

fn extranonce2_of(solution: &Solution) -> [u8; EXTRANONCE2_BYTES] {
    *solution.coinbase_nonce.last_chunk().expect("its second half")
}
