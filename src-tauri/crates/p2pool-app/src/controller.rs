//! The one task that owns the application's state.
//!
//! Requests come in, the node's news come in, time passes; after each of these the window's
//! sections are made anew and what differs is sent. Nobody else writes any of it.

mod computer;
mod latest_list;
mod live;
mod node;
mod pages;
mod publish;
mod requests;
mod site;

use std::sync::Arc;
use std::time::Duration;

use p2pool_node::{RawSettings, StopReport};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::api::{AppEvent, AppSnapshot, Change, ChartRange, ComputerStep, Mode, Page};
use crate::handle::{AppHandle, Ask};
use crate::history::Past;
use crate::host::Host;
use crate::link::StartNode;
use crate::problems;
use crate::run::{Line, Run};
use crate::settings::AppearanceFile;
use crate::setup::Setup;
use crate::state::{self, Wish};
use computer::ComputerState;
use live::Live;
use pages::checkup::CheckUpState;
use pages::{Pages, SettingsPage};
use publish::Paces;
use site::{Phase, Site, Sites, StartFailure, Started, Told};

/// Requests under way; they are clicks of a person.
const ASKS_QUEUE: usize = 32;
/// Events a slow window may lag behind before it starts again from a snapshot.
const EVENTS_QUEUE: usize = 1024;
/// How often new lines of the log are sent, while it is looked at.
const LOG_EVERY: Duration = Duration::from_millis(250);
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
    sites: Sites,
    /// Which node the window shows.
    mode: Mode,
    /// What is known about mining for real, beside its node.
    live: Live,
    /// The set-up.
    setup: Setup,
    settings_page: SettingsPage,
    /// Number of the last problem, of whichever node.
    last_problem: u32,
    range: ChartRange,
    /// The page that is looked at.
    page: Page,
    is_visible: bool,
    checkup: CheckUpState,
    ending: Option<oneshot::Sender<()>>,
    computer: ComputerState,
    /// What subscribers have; events keep it true.
    shown: AppSnapshot,
    paces: Paces,
    pages: Pages,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller").field("sites", &self.sites).finish_non_exhaustive()
    }
}

/// A task of the controller has ended.
enum Done {
    Started(Mode, Result<Box<Started>, StartFailure>),
    /// The carrier of a node's deeds; the node's end shows in its snapshots.
    ServiceEnded,
    Stopped(Mode, Option<StopReport>),
    Past(Mode, Past),
    /// Work beside the controller is done; this takes its result in.
    Then(Box<dyn FnOnce(&mut Controller) + Send>),
}

/// Both nodes, the one for money first.
const MODES: [Mode; 2] = [Mode::Live, Mode::Practice];

impl Controller {
    /// Makes a controller and the handle to it. It lives while [`Controller::run`] is polled.
    pub fn new(host: Arc<dyn Host>, start_node: Arc<StartNode>) -> (AppHandle, Self) {
        let (ask, asks) = mpsc::channel(ASKS_QUEUE);
        let (events, _) = broadcast::channel(EVENTS_QUEUE);
        let (is_node_up, node_up) = watch::channel(false);
        let mut shown = AppSnapshot::fresh(host.version(), host.now());
        let chosen = AppearanceFile::read(host.data_dir());
        (shown.theme, shown.appearance) = (chosen.theme(), chosen.look());
        let setup = Setup::new(host.data_dir(), &RawSettings::default(), ComputerStep::default());
        let pages = Pages::new(&host);
        let mut controller = Self {
            live: Live::default(),
            setup,
            host,
            start_node,
            asks,
            events,
            is_node_up,
            tasks: JoinSet::new(),
            sites: Sites::default(),
            mode: Mode::Live,
            settings_page: SettingsPage::default(),
            last_problem: 0,
            range: ChartRange::default(),
            page: Page::default(),
            is_visible: true,
            checkup: CheckUpState::default(),
            ending: None,
            computer: ComputerState::default(),
            shown,
            paces: Paces::default(),
            pages,
        };
        controller.learn_settings();
        let (data_dir, raw) = (controller.host.data_dir(), &controller.live.raw);
        controller.setup = Setup::new(data_dir, raw, ComputerStep::default());
        controller.learn_computer();
        (AppHandle { asks: ask, is_node_up: node_up }, controller)
    }

    /// Runs until asked to stop, or until every handle is gone.
    pub async fn run(mut self) {
        if let Some(desk) = self.pages.miners.task.take() {
            self.tasks.spawn(async move {
                Box::pin(desk.run()).await;
                Done::ServiceEnded
            });
        }
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut log_tick = tokio::time::interval(LOG_EVERY);
        log_tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.look_at_computer();
        loop {
            tokio::select! {
                ask = self.asks.recv(), if self.ending.is_none() => match ask {
                    Some(ask) => self.take(ask),
                    None => self.end(oneshot::channel().0),
                },
                (mode, told) = self.sites.next_told() => self.hear(mode, told),
                Some(done) = self.tasks.join_next() => match done {
                    Ok(done) => self.finish(done),
                    Err(error) => tracing::error!(%error, "a task of the application failed"),
                },
                _ = tick.tick() => self.pass(),
                _ = log_tick.tick(), if self.is_log_shown() => self.push_log(),
            }
            self.settle();
            if self.ending.is_some() && !MODES.iter().any(|mode| self.sites[*mode].is_up()) {
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
        self.ending = Some(reply);
    }

    /// Whether a node is to run.
    fn wants(&self, mode: Mode) -> bool {
        self.ending.is_none()
            && match mode {
                Mode::Live => self.live.is_ready(),
                Mode::Practice => self.mode == Mode::Practice,
            }
    }

    /// Brings what is and what is wanted together.
    fn settle(&mut self) {
        MODES.into_iter().for_each(|mode| self.settle_site(mode));
        let is_up = MODES.iter().any(|mode| self.sites[*mode].is_up());
        self.is_node_up.send_if_modified(|old| std::mem::replace(old, is_up) != is_up);
    }

    fn settle_site(&mut self, mode: Mode) {
        let is_wanted = self.wants(mode);
        let site = &mut self.sites[mode];
        match &mut site.phase {
            Phase::Idle if is_wanted => self.begin(mode),
            Phase::Running(run) if !is_wanted || site.is_to_restart => {
                let deeds = run.deeds();
                site.phase = Phase::Stopping;
                site.news = None;
                site.is_to_restart = false;
                self.tasks.spawn(async move { Done::Stopped(mode, node::stop(deeds).await) });
                self.show_all();
            }
            Phase::Running(run) => {
                if let Wish::Armed { is_resume } = site.wish
                    && state::waits_for(&run.node, &run.facts.params).is_empty()
                {
                    site.latest.is_resuming = is_resume;
                    site.wish = Wish::Mining;
                }
                let is_useless = problems::is_clock_useless(&run.node);
                run.ask_mining(site.wish == Wish::Mining && !site.is_resting && !is_useless);
            }
            Phase::Held(_) if !is_wanted => {
                site.phase = Phase::Idle;
                self.show_all();
            }
            Phase::Idle | Phase::Starting | Phase::Stopping | Phase::Held(_) => {}
        }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Started(mode, Ok(started)) => self.started(mode, *started),
            Done::Started(mode, Err(failure)) => self.not_started(mode, failure),
            Done::Stopped(mode, report) => self.stopped(mode, report),
            Done::Past(mode, past) => self.remember(mode, past),
            Done::Then(then) => then(self),
            Done::ServiceEnded => {}
        }
    }

    /// The node that the window shows.
    fn site(&self) -> &Site {
        &self.sites[self.mode]
    }

    /// The run of the node that the window shows.
    fn shown_run(&self) -> Option<&Run> {
        self.site().run()
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

    fn hear(&mut self, mode: Mode, told: Told) {
        let now = self.host.now();
        let site = &mut self.sites[mode];
        let Phase::Running(run) = &mut site.phase else { return };
        let lines = match told {
            Told::Snapshot(node) => {
                let lost_before = run.node.summary.own_lost;
                let lines = run.observe(node, now);
                site.is_late_due |= run.node.summary.own_lost != lost_before;
                lines
            }
            Told::Event(event) => run.happened(&event, now),
            Told::End(node) => return self.failed(mode, &node),
        };
        lines.into_iter().for_each(|line| self.list(mode, line));
    }

    /// Puts a line on a node's list.
    fn list(&mut self, mode: Mode, line: Line) {
        let added = self.sites[mode].latest.add(line);
        if let Some(added) = added.filter(|_| mode == self.mode) {
            self.send(Change::EventAdded(added));
        }
    }
}
