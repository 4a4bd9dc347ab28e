//! The practice node: begun, started or not, ended in order or by itself.

use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{NodeSnapshot, StopReport};
use p2pool_sharechain::Params;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::latest_list::LatestList;
use super::{Controller, Done, News, Phase, StartFailure, Started};
use crate::api::{LatestKind, ProblemAction, ProblemCode, Severity, UnixSeconds};
use crate::history::{self, Past};
use crate::link::{NodeDeed, NodeLink};
use crate::problems::{self, Condition};
use crate::run::{Run, RunFacts};
use crate::settings;
use crate::state::Wish;

/// A node has this long to end in order; it promises less.
const STOP_WITHIN: Duration = Duration::from_secs(12);
/// A node that ended by itself is started again, unless it did so this shortly before.
const RESTART_AFTER: Duration = Duration::from_secs(600);
/// Ends are counted by the day.
const DAY: Duration = Duration::from_secs(86_400);

impl Controller {
    /// Starts the practice node, on a thread that may block.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Starting;
        self.latest = LatestList::waiting();
        let (host, start_node) = (Arc::clone(&self.host), Arc::clone(&self.start_node));
        self.tasks.spawn(async move {
            let started = tokio::task::spawn_blocking(move || {
                let read = settings::read(host.data_dir(), host.now())?;
                let settings = settings::practice(&read.raw, host.as_ref())?;
                let facts = RunFacts {
                    params: Arc::<Params>::clone(&settings.params),
                    threads: settings.helper.as_ref().map_or(0, |helper| helper.threads),
                };
                let link = start_node(settings)?;
                Ok(Started { link, facts, restored: read.restored })
            });
            Done::Started(match started.await {
                Ok(started) => started.map_err(StartFailure::Refused),
                Err(error) => Err(StartFailure::Panic(error.to_string())),
            })
        });
        self.show_all();
    }

    pub(super) fn started(&mut self, started: Started) {
        let Started { link, facts, restored } = started;
        let NodeLink { mut snapshots, events, deeds, service } = link;
        self.tasks.spawn(async move {
            service.await;
            Done::ServiceEnded
        });
        let node = Arc::clone(&snapshots.borrow_and_update());
        tracing::info!(chain = %node.chain, continued = node.is_continued, "practice node started");
        if let Some(restored) = restored {
            let date = settings::date(restored.copied_at);
            let code = ProblemCode::SettingsDamaged;
            let restored = Condition::new(code, Severity::Notice, restored.technical);
            self.add(restored.with("date", date).offering([ProblemAction::Dismiss]));
        }
        self.read_past(&node);
        let is_continued = node.is_continued;
        self.phase = Phase::Running(Box::new(Run::new(facts, node, deeds)));
        self.news = Some(News { snapshots, events });
        self.list((self.host.now(), LatestKind::PracticeStarted { is_continued }));
        self.show_all();
    }

    pub(super) fn not_started(&mut self, failure: StartFailure) {
        let condition = match failure {
            StartFailure::Refused(error) => {
                tracing::warn!(code = error.code().as_str(), %error, "node not started");
                problems::of_start(&error)
            }
            StartFailure::Panic(words) => {
                tracing::error!(words, "node not started");
                Condition::new(ProblemCode::Unexpected, Severity::Error, words)
                    .with("doing", problems::STARTING)
                    .offering([ProblemAction::TryAgain, ProblemAction::Dismiss])
            }
        };
        self.add(condition);
        self.phase = Phase::Idle;
        self.wants_practice = false;
        self.wish = Wish::Idle;
        self.show_all();
    }

    /// The node has ended by itself: once is started again, twice is told.
    pub(super) fn failed(&mut self, node: &NodeSnapshot) {
        self.phase = Phase::Idle;
        self.news = None;
        let words = node.failure.clone().unwrap_or_default();
        let now = Instant::now();
        let is_first = self.failures.back().is_none_or(|last| now - *last >= RESTART_AFTER);
        self.failures.retain(|at| now - *at < DAY);
        self.failures.push_back(now);
        tracing::error!(words, is_first, "node ended by itself");
        let severity = if is_first { Severity::Notice } else { Severity::Error };
        let actions = if is_first { ProblemAction::Dismiss } else { ProblemAction::TryAgain };
        let ended = Condition::new(ProblemCode::EngineRestarted, severity, words)
            .with("count", self.failures.len().to_string())
            .offering([actions]);
        self.add(ended);
        if is_first {
            if self.wish == Wish::Mining {
                self.wish = Wish::Armed { is_resume: true };
            }
        } else {
            self.phase = Phase::Broken;
            self.wish = Wish::Idle;
        }
        self.show_all();
    }

    /// Adds a problem of the application; a newer one of the same code replaces it.
    fn add(&mut self, condition: Condition) {
        self.conditions.retain(|old| old.key != condition.key);
        self.conditions.push(condition);
    }

    fn read_past(&mut self, node: &NodeSnapshot) {
        let (database, end) = (node.database.clone(), UnixSeconds(node.started_at.0));
        self.paces.late_due = true;
        self.tasks.spawn(async move {
            let past = tokio::task::spawn_blocking(move || history::past(&database, end));
            Done::Past(match past.await {
                Ok(Ok(past)) => past,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "history not read");
                    Past::default()
                }
                Err(error) => {
                    tracing::error!(%error, "history not read");
                    Past::default()
                }
            })
        });
    }

    pub(super) fn remember(&mut self, past: Past) {
        let now = self.host.now();
        let Phase::Running(run) = &mut self.phase else { return };
        let old = run.remember(past, now);
        self.latest.remember(old);
        self.show_all();
    }
}

/// Ends a node in order; `None` if it did not say so in time.
pub(super) async fn stop(deeds: mpsc::Sender<NodeDeed>) -> Option<StopReport> {
    let (reply, report) = oneshot::channel();
    let stopped = async {
        deeds.send(NodeDeed::Stop(reply)).await.ok()?;
        report.await.ok()
    };
    tokio::time::timeout(STOP_WITHIN, stopped).await.ok().flatten()
}
