//! The one task that owns the application's state.
//!
//! Requests come in, the node's news come in, time passes; after each of these the window's
//! sections are made anew and what differs is sent. Nobody else writes any of it.

mod latest_list;
mod node;
mod pages;
mod publish;
mod requests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{NodeEvent, NodeSnapshot, StartError, StopReport};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::api::{AppEvent, AppSnapshot, Change, ChartRange, Page};
use crate::handle::{AppHandle, Ask};
use crate::history::Past;
use crate::host::Host;
use crate::link::{NodeLink, StartNode};
use crate::problems::{Condition, ProblemBook};
use crate::run::{Line, Run, RunFacts};
use crate::settings::{self, Restored};
use crate::state::{self, Wish};
use latest_list::LatestList;
use publish::Paces;

/// Requests under way; they are clicks of a person.
const ASKS_QUEUE: usize = 32;
/// Events a slow window may lag behind before it starts again from a snapshot.
const EVENTS_QUEUE: usize = 1024;
/// How often time is looked at.
const TICK: Duration = Duration::from_millis(500);

/// See the module's documentation.
pub struct Controller {
    host: Arc<dyn Host>,
    start_node: Arc<StartNode>,
    asks: mpsc::Receiver<Ask>,
    events: broadcast::Sender<AppEvent>,
    is_node_up: watch::Sender<bool>,
    tasks: JoinSet<Done>,
    phase: Phase,
    /// News of the running node.
    news: Option<News>,
    /// Whether the person is in practice mode.
    wants_practice: bool,
    wish: Wish,
    problems: ProblemBook,
    /// Problems of the application itself, beside those of the node.
    conditions: Vec<Condition>,
    /// When nodes ended by themselves, newest last.
    failures: VecDeque<Instant>,
    range: ChartRange,
    /// The page that is looked at.
    page: Page,
    is_visible: bool,
    latest: LatestList,
    ending: Option<oneshot::Sender<()>>,
    /// What subscribers have; events keep it true.
    shown: AppSnapshot,
    paces: Paces,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller").field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// What the practice node is doing.
#[derive(Debug)]
enum Phase {
    /// There is none.
    Idle,
    /// It is being started.
    Starting,
    /// It runs.
    Running(Box<Run>),
    /// It is being stopped.
    Stopping,
    /// It ended by itself, again and again.
    Broken,
}

/// The ends of a node's channels on which it tells something.
#[derive(Debug)]
struct News {
    snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    events: broadcast::Receiver<NodeEvent>,
}

/// Something a node told.
enum Told {
    Snapshot(Arc<NodeSnapshot>),
    Event(NodeEvent),
    /// It has ended; this is its last word.
    End(Arc<NodeSnapshot>),
}

/// A task of the controller has ended.
enum Done {
    Started(Result<Started, StartFailure>),
    /// The carrier of a node's deeds; the node's end shows in its snapshots.
    ServiceEnded,
    Stopped(Option<StopReport>),
    Past(Past),
    /// Work beside the controller is done; this takes its result in.
    Then(Box<dyn FnOnce(&mut Controller) + Send>),
}

/// A node that has been started, with what it was started with.
struct Started {
    link: NodeLink,
    facts: RunFacts,
    restored: Option<Restored>,
}

/// Why there is no node.
enum StartFailure {
    Refused(StartError),
    /// A panic, in words.
    Panic(String),
}

impl Controller {
    /// Makes a controller and the handle to it. It lives while [`Controller::run`] is polled.
    pub fn new(host: Arc<dyn Host>, start_node: Arc<StartNode>) -> (AppHandle, Self) {
        let (ask, asks) = mpsc::channel(ASKS_QUEUE);
        let (events, _) = broadcast::channel(EVENTS_QUEUE);
        let (is_node_up, node_up) = watch::channel(false);
        let mut shown = AppSnapshot::fresh(host.version(), host.now());
        shown.theme = settings::read_theme(host.data_dir());
        let controller = Self {
            host,
            start_node,
            asks,
            events,
            is_node_up,
            tasks: JoinSet::new(),
            phase: Phase::Idle,
            news: None,
            wants_practice: false,
            wish: Wish::Idle,
            problems: ProblemBook::default(),
            conditions: Vec::new(),
            failures: VecDeque::new(),
            range: ChartRange::default(),
            page: Page::default(),
            is_visible: true,
            latest: LatestList::default(),
            ending: None,
            shown,
            paces: Paces::default(),
        };
        (AppHandle { asks: ask, is_node_up: node_up }, controller)
    }

    /// Runs until asked to stop, or until every handle is gone.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                ask = self.asks.recv(), if self.ending.is_none() => match ask {
                    Some(ask) => self.take(ask),
                    None => self.end(oneshot::channel().0),
                },
                told = next_told(&mut self.news) => self.hear(told),
                Some(done) = self.tasks.join_next() => match done {
                    Ok(done) => self.finish(done),
                    Err(error) => tracing::error!(%error, "a task of the application failed"),
                },
                _ = tick.tick() => self.pass(),
            }
            self.settle();
            if self.ending.is_some() && matches!(self.phase, Phase::Idle | Phase::Broken) {
                break;
            }
            self.publish();
        }
        self.tasks.shutdown().await;
        if let Some(reply) = self.ending.take() {
            // Who asked may have gone.
            let _ = reply.send(());
        }
    }

    /// Ends everything in order.
    fn end(&mut self, reply: oneshot::Sender<()>) {
        self.wants_practice = false;
        self.ending = Some(reply);
    }

    /// Brings what is and what is wanted together.
    fn settle(&mut self) {
        let is_wanted = self.wants_practice;
        match &mut self.phase {
            Phase::Idle if is_wanted => self.begin(),
            Phase::Running(run) if !is_wanted => {
                let deeds = run.deeds();
                self.phase = Phase::Stopping;
                self.news = None;
                self.tasks.spawn(async move { Done::Stopped(node::stop(deeds).await) });
                self.show_all();
            }
            Phase::Running(run) => {
                if let Wish::Armed { is_resume } = self.wish
                    && state::waits_for(&run.node).is_empty()
                {
                    self.latest.is_resuming = is_resume;
                    self.wish = Wish::Mining;
                }
                run.ask_mining(self.wish == Wish::Mining);
            }
            Phase::Broken if !is_wanted => {
                self.phase = Phase::Idle;
                self.show_all();
            }
            Phase::Idle | Phase::Starting | Phase::Stopping | Phase::Broken => {}
        }
        let is_up = !matches!(self.phase, Phase::Idle | Phase::Broken);
        self.is_node_up.send_if_modified(|old| std::mem::replace(old, is_up) != is_up);
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Started(Ok(started)) => self.started(started),
            Done::Started(Err(failure)) => self.not_started(failure),
            Done::Stopped(report) => {
                match report {
                    Some(report) => {
                        tracing::info!(took = ?report.took, late = ?report.late, "node stopped")
                    }
                    None => tracing::warn!("node did not say how it stopped"),
                }
                self.phase = Phase::Idle;
                self.wish = Wish::Idle;
                self.show_all();
            }
            Done::Past(past) => self.remember(past),
            Done::Then(then) => then(self),
            Done::ServiceEnded => {}
        }
    }

    /// The run of the node that the window shows.
    fn shown_run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Running(run) => Some(run),
            Phase::Idle | Phase::Starting | Phase::Stopping | Phase::Broken => None,
        }
    }

    /// Works beside the controller, then takes the result in.
    fn spawn_then<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        self.tasks.spawn(async move {
            let result = work.await;
            Done::Then(Box::new(move |controller| then(controller, result)))
        });
    }

    /// Works on a thread that may block, for files and databases, then takes the result in. A
    /// panic of the work is logged, and nothing is taken in.
    fn spawn_blocking_then<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        let work = tokio::task::spawn_blocking(work);
        self.spawn_then(work, |controller, result| match result {
            Ok(result) => then(controller, result),
            Err(error) => tracing::error!(%error, "work of the application failed"),
        });
    }

    fn hear(&mut self, told: Told) {
        let now = self.host.now();
        let Phase::Running(run) = &mut self.phase else { return };
        let lines = match told {
            Told::Snapshot(node) => {
                let lost_before = run.node.summary.own_lost;
                let lines = run.observe(node, now);
                if run.node.summary.own_lost != lost_before {
                    self.paces.late_due = true;
                }
                lines
            }
            Told::Event(event) => run.happened(&event, now),
            Told::End(node) => return self.failed(&node),
        };
        lines.into_iter().for_each(|line| self.list(line));
    }

    /// Puts a line on the list.
    fn list(&mut self, line: Line) {
        if let Some(added) = self.latest.add(line) {
            self.send(Change::EventAdded(added));
        }
    }
}

/// The next thing a node tells; never, without a node.
async fn next_told(news: &mut Option<News>) -> Told {
    let Some(news) = news else { return std::future::pending().await };
    loop {
        tokio::select! {
            changed = news.snapshots.changed() => return match changed {
                Ok(()) => Told::Snapshot(Arc::clone(&news.snapshots.borrow_and_update())),
                Err(_) => Told::End(Arc::clone(&news.snapshots.borrow())),
            },
            event = news.events.recv() => match event {
                Ok(event) => return Told::Event(event),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::debug!(lost, "events of the node missed; its snapshot has the state");
                }
                // The snapshots end too.
                Err(broadcast::error::RecvError::Closed) => {
                    while news.snapshots.changed().await.is_ok() {}
                    return Told::End(Arc::clone(&news.snapshots.borrow()));
                }
            },
        }
    }
}
