//! What a session owes to its miner and to the node.

use std::collections::{BTreeMap, BTreeSet};

use p2pool_sharechain::template::{Grade, ShareTemplate, Solution};
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_stratum::message::{self, Message};
use p2pool_stratum::notify::Notify;
use p2pool_stratum::{Action, Event, Session};
use serde_json::Value;

/// Jobs remembered for mining.
const JOBS_KEPT: usize = 8;

/// Watches all that a session puts out.
#[derive(Default)]
pub(super) struct Duties {
    /// Answers owed for each id, as JSON text.
    owed: BTreeMap<String, i64>,
    jobs: Vec<Notify>,
    job_ids: BTreeSet<String>,
    is_difficulty_loose: bool,
    has_closed: bool,
    wake: Option<MonoTime>,
}

impl Duties {
    /// The latest jobs, newest last.
    pub(super) fn jobs(&self) -> &[Notify] {
        &self.jobs
    }

    /// When the session wants to be woken.
    pub(super) fn wake(&self) -> Option<MonoTime> {
        self.wake.filter(|_| !self.has_closed)
    }

    /// Notes that a line asks for an answer, if it does.
    pub(super) fn expect_answer_to(&mut self, line: &[u8]) {
        if self.has_closed {
            return;
        }
        if let Ok(Message::Request { id: Some(id), .. }) = message::parse(line, usize::MAX) {
            *self.owed.entry(id.as_json().to_owned()).or_default() += 1;
        }
    }

    /// Takes everything that the session puts out.
    ///
    /// # Panics
    /// Where a duty is broken.
    pub(super) fn see(&mut self, session: &mut Session, now: Now) {
        while let Some(action) = session.poll() {
            assert!(!self.has_closed, "nothing follows the end: {action:?}");
            match action {
                Action::Send(line) => self.see_line(&line),
                Action::Solved { template, solution, grade, .. } => {
                    check_solution(&template, &solution, &grade);
                }
                Action::Accepted { difficulty, .. } => {
                    assert!(difficulty.is_finite() && difficulty > 0.0);
                }
                Action::Rejected { reason, .. } => assert!(!reason.text().is_empty()),
                Action::WakeAt(at) => {
                    assert!(at > now.mono, "a wish for the past");
                    self.wake = Some(at);
                }
                Action::Resume(_) => session.handle(now, Event::Resumed(None)),
                Action::Close(_) => self.has_closed = true,
            }
        }
        let has_answered = self.has_closed || self.owed.values().all(|owed| *owed == 0);
        assert!(has_answered, "answers owed: {:?}", self.owed);
        assert!(!self.is_difficulty_loose || self.has_closed, "a difficulty without a job");
    }

    fn see_line(&mut self, line: &[u8]) {
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let value: Value = serde_json::from_slice(line).expect("own lines are JSON");
        match value["method"].as_str() {
            None => {
                assert!(!self.is_difficulty_loose, "an answer between difficulty and job");
                let Ok(Message::Response { id: Some(id), .. }) = message::parse(line, usize::MAX)
                else {
                    panic!("an answer without an id: {value}");
                };
                *self.owed.entry(id.as_json().to_owned()).or_default() -= 1;
            }
            Some("mining.set_difficulty") => {
                assert!(!self.is_difficulty_loose, "two difficulties in a row");
                assert!(value["params"][0].as_f64().is_some_and(|difficulty| difficulty > 0.0));
                self.is_difficulty_loose = true;
            }
            Some("mining.notify") => self.see_job(&value),
            Some("client.reconnect") => assert_eq!(value["params"], serde_json::json!([])),
            Some(other) => panic!("an unknown notification: {other}"),
        }
    }

    fn see_job(&mut self, value: &Value) {
        self.is_difficulty_loose = false;
        let params = value["params"].as_array().expect("a job has parameters");
        let job = Notify::parse(params).expect("own jobs can be read");
        assert!(self.job_ids.insert(job.job_id.clone()), "a job id again");
        if self.jobs.len() >= JOBS_KEPT {
            self.jobs.remove(0);
        }
        self.jobs.push(job);
    }
}

/// What leaves the session is what it says it is.
fn check_solution(template: &ShareTemplate, solution: &Solution, grade: &Grade) {
    assert!(grade.is_share || grade.is_block, "a pseudoshare leaves the session");
    assert_eq!(template.grade(solution), *grade);
    if grade.is_share {
        let share = template.share(solution).expect("graded as a share");
        assert_eq!(share.hash(), grade.hash);
    }
}
