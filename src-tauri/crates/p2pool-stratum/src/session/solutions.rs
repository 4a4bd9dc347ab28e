//! What becomes of a submitted solution.

use super::{Action, Session, WORKERS_MAX, same_block};
use crate::extranonce::{EXTRANONCE1_BYTES, Extranonce1};
use crate::job::Job;
use crate::login::Login;
use crate::message::{self, number_from_hex};
use crate::submit::{RejectReason, Submit};
use p2pool_sharechain::compact;
use p2pool_sharechain::template::{Solution, TemplateBase};
use p2pool_sharechain::time::Now;

/// A judged submit.
struct Judgement {
    worker: String,
    outcome: Result<Counted, RejectReason>,
    /// For the node, if it is more than a pseudoshare.
    solved: Option<Action>,
}

/// An accepted solution.
#[derive(Clone, Copy)]
struct Counted {
    difficulty: f64,
    share_part: f64,
    late: bool,
}

impl Judgement {
    fn refused(reason: RejectReason) -> Self {
        Self { worker: String::new(), outcome: Err(reason), solved: None }
    }
}

impl Session {
    /// Judges a submit and answers it. Only a block leaves before the answer. Gives the reason if
    /// it is refused.
    pub(super) fn submit(
        &mut self,
        now: Now,
        id: Option<&str>,
        submit: Result<Submit<'_>, RejectReason>,
    ) -> Option<RejectReason> {
        let Judgement { worker, outcome, solved } = self.judge(now, submit);
        let (block, share) = match solved {
            Some(Action::Solved { grade, .. }) if grade.is_block => (solved, None),
            other => (None, other),
        };
        if let Some(block) = block {
            self.actions.push_front(block);
        }
        if let Some(id) = id {
            self.send(message::verdict(id, outcome.map(|_| ())));
        }
        self.actions.extend(share);
        match outcome {
            Ok(Counted { difficulty, share_part, late }) => {
                self.actions.push_back(Action::Accepted { worker, difficulty, share_part, late });
                self.refusals.accept();
                if let Some(mining) = &mut self.mining {
                    mining.vardiff.count(difficulty, now.mono);
                }
                self.review_difficulty(now);
            }
            Err(reason) => {
                self.actions.push_back(Action::Rejected { worker, reason });
                if reason == RejectReason::TooManySolutions {
                    self.hand_out(now, false);
                }
                self.lose_patience(now, reason);
            }
        }
        outcome.err()
    }

    fn judge(&mut self, now: Now, submit: Result<Submit<'_>, RejectReason>) -> Judgement {
        if self.subscribed.is_none() {
            return Judgement::refused(RejectReason::NotSubscribed);
        }
        if self.workers.is_empty() {
            return Judgement::refused(RejectReason::Unauthorized);
        }
        let submit = match submit {
            Ok(submit) => submit,
            Err(reason) => return Judgement::refused(reason),
        };
        let worker = self.worker(submit.user);
        let newest = self.work.as_ref().map(|work| &work.base);
        let number = job_number(submit.job_id, self.extranonce1);
        let Some(job) = number.and_then(|number| self.jobs.find(number, now.mono)) else {
            return Judgement { worker, ..Judgement::refused(RejectReason::UnknownJob) };
        };
        let template = job.template().clone();
        let solution = Solution {
            // Rolling bits are clear in what was handed out, so that setting, replacing and
            // flipping them are the same; devices do all three.
            version: template.header_version() | submit.version_bits,
            coinbase_nonce: coinbase_nonce(self.extranonce1, submit.extranonce2),
            time: submit.time,
            nonce: submit.nonce,
        };
        let grade = template.grade(&solution);
        let on_time = newest.is_some_and(|newest| is_newest(template.base(), newest));
        let is_first = !job.has_seen(grade.hash);

        let outcome = if submit.version_bits & !self.version_mask != 0 {
            Err(RejectReason::VersionBits)
        } else if !job.times(now).allows(submit.time) {
            Err(RejectReason::TimeOutOfRange)
        } else {
            job_outcome(job, &grade).map(|difficulty| Counted {
                difficulty,
                share_part: difficulty / compact::difficulty(template.share_target()),
                late: !on_time,
            })
        };
        // A block whatever happens. A share also when it is stale, for the share chain may count
        // it as dead, or when there is no room to remember it; the node knows shares it has.
        let is_share = grade.is_share
            && is_first
            && match outcome {
                Ok(_) => true,
                Err(reason) => {
                    matches!(reason, RejectReason::Stale | RejectReason::TooManySolutions)
                }
            };
        let solved = (grade.is_block || is_share).then(|| Action::Solved {
            template,
            solution,
            grade,
            worker: worker.clone(),
            on_time,
        });
        Judgement { worker, outcome, solved }
    }

    /// The name that a solution is counted by.
    ///
    /// Every name is authorized that asks, and all of them pay the same address: a name that was
    /// forgotten to authorize is no reason to lose work.
    fn worker(&mut self, user: &str) -> String {
        if let Some(name) = self.workers.iter().find(|name| *name == user) {
            return name.clone();
        }
        let first = || self.workers.first().cloned().unwrap_or_default();
        if user.trim().is_empty() {
            return first();
        }
        let name = Login::parse(user, "").name;
        if self.workers.contains(&name) {
            return name;
        }
        if self.workers.len() >= WORKERS_MAX || self.config.pays_user_names.is_some() {
            return first();
        }
        self.workers.push(name.clone());
        name
    }
}

/// What a job says about a solution that is well formed.
fn job_outcome(
    job: &mut Job,
    grade: &p2pool_sharechain::template::Grade,
) -> Result<f64, RejectReason> {
    let is_first = !job.has_seen(grade.hash);
    if job.is_stale() {
        if is_first && grade.is_share {
            job.remember(grade.hash);
        }
        return Err(RejectReason::Stale);
    }
    if !is_first {
        return Err(RejectReason::Duplicate);
    }
    let difficulty = job.credit(grade).ok_or(RejectReason::LowDifficulty)?;
    if job.remember(grade.hash) { Ok(difficulty) } else { Err(RejectReason::TooManySolutions) }
}

/// The number in a job's name: see [`Session::job_id`].
fn job_number(id: &str, extranonce1: Extranonce1) -> Option<u32> {
    let (first, number) = id.split_at_checked(2 * EXTRANONCE1_BYTES)?;
    (number_from_hex(first)? == extranonce1.0).then(|| number_from_hex(number))?
}

pub(super) fn coinbase_nonce(extranonce1: Extranonce1, extranonce2: [u8; 4]) -> [u8; 8] {
    let mut nonce = [0; 8];
    nonce[..4].copy_from_slice(&extranonce1.to_bytes());
    nonce[4..].copy_from_slice(&extranonce2);
    nonce
}

pub(super) fn is_newest(base: &TemplateBase, newest: &TemplateBase) -> bool {
    same_block(base, newest) && base.previous_share == newest.previous_share
}
