//! A node: begun, started or not, ended in order or by itself.

use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{BitcoinSource, NodeSnapshot, StopReport};
use p2pool_sharechain::Params;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::latest_list::LatestList;
use super::site::{News, Phase, StartFailure, Started};
use super::{Controller, Done, live};
use crate::api::{LatestKind, Mode, ProblemAction, ProblemCode, Severity, UnixSeconds};
use crate::history::{self, Past};
use crate::link::{NodeDeed, NodeLink};
use crate::problems::{self, Condition};
use crate::run::{Run, RunFacts};
use crate::settings;

/// A node has this long to end in order; it promises less.
const STOP_WITHIN: Duration = Duration::from_secs(12);
/// A node that ended by itself is started again, unless it did so this shortly before.
const RESTART_AFTER: Duration = Duration::from_secs(600);
/// Ends are counted by the day.
const DAY: Duration = Duration::from_secs(86_400);

impl Controller {
    /// Starts a node, on a thread that may block.
    pub(super) fn begin(&mut self, mode: Mode) {
        let site = &mut self.sites[mode];
        site.phase = Phase::Starting;
        site.latest = LatestList::waiting();
        let (host, start_node) = (Arc::clone(&self.host), Arc::clone(&self.start_node));
        let known = self.live.known();
        self.tasks.spawn(async move {
            let started = tokio::task::spawn_blocking(move || {
                let read = settings::read(host.data_dir(), host.now())?;
                let settings = match mode {
                    Mode::Live => live::settings(&read.raw, host.as_ref(), &known)?,
                    Mode::Practice => settings::practice(&read.raw, host.as_ref())?,
                };
                let facts = RunFacts {
                    params: Arc::<Params>::clone(&settings.params),
                    threads: settings.helper.as_ref().map_or(0, |helper| helper.threads),
                    rpc: match &settings.bitcoin {
                        BitcoinSource::Bitcoind { rpc, .. } => Some(rpc.clone()),
                        BitcoinSource::Practice => None,
                    },
                };
                let link = start_node(settings)?;
                Ok(Box::new(Started { link, facts, read }))
            });
            let started = match started.await {
                Ok(started) => started,
                Err(error) => Err(StartFailure::Panic(error.to_string())),
            };
            Done::Started(mode, started)
        });
        self.show_all();
    }

    pub(super) fn started(&mut self, mode: Mode, started: Started) {
        let Started { link, facts, read } = started;
        let NodeLink { mut snapshots, events, deeds, service } = link;
        self.tasks.spawn(async move {
            service.await;
            Done::ServiceEnded
        });
        let node = Arc::clone(&snapshots.borrow_and_update());
        tracing::info!(?mode, chain = %node.chain, continued = node.is_continued, "node started");
        if let Some(restored) = read.restored {
            self.sites[mode].add(problems::of_restored(restored));
        }
        self.read_past(mode, &node);
        let is_continued = node.is_continued;
        if mode == Mode::Live && read.raw.run.address.is_some() {
            self.remember_address(node.payout_address.clone());
        }
        if mode == Mode::Live {
            self.live.started_with = read.raw.clone();
        }
        self.live.raw = read.raw;
        let run = Run::new(facts, node, deeds);
        let site = &mut self.sites[mode];
        site.phase = Phase::Running(Box::new(run));
        site.news = Some(News { snapshots, events });
        if mode == Mode::Practice {
            self.list(mode, (self.host.now(), LatestKind::PracticeStarted { is_continued }));
        }
        self.show_all();
    }

    pub(super) fn not_started(&mut self, mode: Mode, failure: StartFailure) {
        let condition = match failure {
            StartFailure::Refused(error) => {
                tracing::warn!(?mode, code = error.code().as_str(), %error, "node not started");
                problems::of_start(&error, mode)
            }
            StartFailure::Held(condition) => {
                tracing::warn!(?mode, code = ?condition.code(), "node not started");
                *condition
            }
            StartFailure::Panic(words) => {
                tracing::error!(?mode, words, "node not started");
                Condition::new(ProblemCode::Unexpected, Severity::Error, words)
                    .with("doing", problems::starting(mode))
                    .offering([ProblemAction::TryAgain])
            }
        };
        let site = &mut self.sites[mode];
        site.phase = Phase::Held(condition.code());
        site.add(condition);
        self.show_all();
    }

    pub(super) fn stopped(&mut self, mode: Mode, report: Option<StopReport>) {
        match report {
            Some(report) => {
                tracing::info!(?mode, took = ?report.took, late = ?report.late, "node stopped");
            }
            None => tracing::warn!(?mode, "node did not say how it stopped"),
        }
        let site = &mut self.sites[mode];
        site.phase = Phase::Idle;
        site.wish.start_anew();
        self.show_all();
    }

    /// The node has ended by itself: once is started again, twice is told.
    pub(super) fn failed(&mut self, mode: Mode, node: &NodeSnapshot) {
        let site = &mut self.sites[mode];
        site.phase = Phase::Idle;
        site.news = None;
        site.wish.start_anew();
        let words = node.failure.clone().unwrap_or_default();
        let now = Instant::now();
        let is_first = site.failures.back().is_none_or(|last| now - *last >= RESTART_AFTER);
        site.failures.retain(|at| now - *at < DAY);
        site.failures.push_back(now);
        tracing::error!(?mode, words, is_first, "node ended by itself");
        let severity = if is_first { Severity::Notice } else { Severity::Error };
        let actions = if is_first { ProblemAction::Dismiss } else { ProblemAction::TryAgain };
        let code = ProblemCode::EngineRestarted;
        let ended = Condition::new(code, severity, words)
            .with("count", site.failures.len().to_string())
            .offering([actions]);
        site.add(ended);
        if !is_first {
            site.phase = Phase::Held(code);
        }
        self.show_all();
    }

    fn read_past(&mut self, mode: Mode, node: &NodeSnapshot) {
        let (database, end) = (node.database.clone(), UnixSeconds(node.started_at.0));
        self.sites[mode].is_late_due = true;
        self.tasks.spawn(async move {
            let past = tokio::task::spawn_blocking(move || history::past(&database, end));
            let past = match past.await {
                Ok(Ok(past)) => past,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "history not read");
                    Past::default()
                }
                Err(error) => {
                    tracing::error!(%error, "history not read");
                    Past::default()
                }
            };
            Done::Past(mode, past)
        });
    }

    pub(super) fn remember(&mut self, mode: Mode, past: Past) {
        let now = self.host.now();
        let site = &mut self.sites[mode];
        let Phase::Running(run) = &mut site.phase else { return };
        let old = run.remember(past, now);
        site.latest.remember(old);
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
