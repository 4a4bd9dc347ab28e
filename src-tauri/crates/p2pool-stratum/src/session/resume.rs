//! Going on where a lost connection ended.
//!
//! A miner that comes back within minutes and names its former session gets its extranonce and its
//! jobs again, so that what it found in the meantime still counts.

use p2pool_sharechain::time::Now;

use super::{Action, Event, Session};
use crate::extranonce::Extranonce1;
use crate::job::JobTable;
use crate::message::{Id, number_from_hex};

/// What is kept of a session whose connection has ended.
#[derive(Debug)]
pub struct Parked {
    extranonce1: Extranonce1,
    jobs: JobTable,
    jobs_made: u32,
    version_mask: u32,
    difficulty: Option<f64>,
}

impl Parked {
    /// The extranonce of that session, which also names it.
    pub fn extranonce1(&self) -> Extranonce1 {
        self.extranonce1
    }
}

/// A subscription that waits for [`Event::Resumed`].
#[derive(Debug)]
pub(super) struct Waiting {
    id: Option<Id>,
}

impl Session {
    /// What to keep for a miner that comes back; `None` if it never logged in, or was sent away.
    /// This session has no jobs any more then.
    pub fn park(&mut self) -> Option<Parked> {
        let difficulty = self.difficulty();
        let is_worth_it = self.subscribed.is_some() && !self.workers.is_empty() && !self.is_closed;
        is_worth_it.then(|| Parked {
            extranonce1: self.extranonce1,
            jobs: std::mem::take(&mut self.jobs),
            jobs_made: self.jobs_made,
            version_mask: self.version_mask,
            difficulty,
        })
    }

    /// Asks for the session that the miner names, if it names one of another connection.
    /// `false`: there is nothing to ask for.
    pub(super) fn ask_for_former(&mut self, id: Option<&Id>, name: Option<&str>) -> bool {
        let former = name.and_then(number_from_hex).map(Extranonce1);
        let Some(former) = former.filter(|former| *former != self.extranonce1) else {
            return false;
        };
        if self.subscribed.is_some() {
            return false;
        }
        self.waiting = Some(Waiting { id: id.cloned() });
        self.actions.push_back(Action::Resume(former));
        true
    }

    /// Answers a subscription that waits, whether or not there was something to resume.
    pub(super) fn resume(&mut self, now: Now, parked: Option<Parked>) {
        let Some(Waiting { id }) = self.waiting.take() else { return };
        if let Some(parked) = parked {
            self.extranonce1 = parked.extranonce1;
            self.jobs = parked.jobs;
            self.jobs_made = parked.jobs_made;
            self.version_mask = parked.version_mask;
            self.config.start_difficulty = parked.difficulty;
            if let Some(work) = &self.work {
                self.jobs.retire_others(&work.base, now.mono);
            }
        }
        self.answer_subscribe(now, id.as_ref());
    }

    /// Before anything else is heard, a subscription that waits gets its answer.
    pub(super) fn settle_waiting(&mut self, now: Now, event: &Event<'_>) {
        if self.waiting.is_some() && !matches!(event, Event::Resumed(_)) {
            self.resume(now, None);
        }
    }
}
