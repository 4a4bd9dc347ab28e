//! Telling the window: what differs is sent, numbers no more often than they are read.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::site::Phase;
use super::{Controller, MODES};
use crate::api::{
    AppEvent, AppSnapshot, Change, ChartRange, Lights, MiningControl, Mode, OverallState,
    PracticeFacts, Series, Shares, UnixSeconds,
};
use crate::chart;
use crate::history;
use crate::problems;
use crate::run::{Line, Run};
use crate::state;
use crate::views;

/// Sections that are numbers, in a window that is seen.
const HERO_EVERY: Duration = Duration::from_secs(2);
const RATES_EVERY: Duration = Duration::from_secs(2);
const EFFORT_EVERY: Duration = Duration::from_secs(5);
const SHARES_EVERY: Duration = Duration::from_secs(1);
const PAYOUTS_EVERY: Duration = Duration::from_secs(1);
const PAGE_EVERY: Duration = Duration::from_secs(1);
const STRIP_EVERY: Duration = Duration::from_secs(5);
/// All of these, in a window that is not.
const HIDDEN_EVERY: Duration = Duration::from_secs(30);
/// Averages and extremes of the chart, and its older points.
const SERIES_EVERY: Duration = Duration::from_secs(60);
/// The miners are looked at this often for the chart, seen or not.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
/// Networks of this computer may change.
const LAN_EVERY: Duration = Duration::from_secs(10);
/// A sign of life after this silence; the border promises one in three seconds.
const BEAT_AFTER: Duration = Duration::from_secs(2);

/// When each section was looked at last.
#[derive(Debug, Default)]
pub(super) struct Paces {
    hero: Option<Instant>,
    rates: Option<Instant>,
    effort: Option<Instant>,
    shares: Option<Instant>,
    payouts: Option<Instant>,
    page: Option<Instant>,
    series: Option<Instant>,
    sent: Option<Instant>,
    lan: Option<Instant>,
    /// Everything is to be sent at once.
    is_all_due: bool,
}

/// Whether it is time again; if so, the time starts anew.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let is_due = last.is_none_or(|last| now - last >= every);
    if is_due {
        *last = Some(now);
    }
    is_due
}

/// The sections that follow the state at once.
#[derive(Debug)]
struct Frame {
    overall: OverallState,
    control: MiningControl,
    lights: Lights,
    practice: Option<PracticeFacts>,
}

impl Controller {
    /// Everything is sent at the next occasion.
    pub(super) fn show_all(&mut self) {
        self.paces.is_all_due = true;
    }

    /// Time has passed.
    pub(super) fn pass(&mut self) {
        self.end_pause();
        MODES.into_iter().for_each(|mode| self.pass_site(mode));
        self.setup_tick();
        self.miners_pass();
        self.look_after_computer(self.host.now());
        if is_due(&mut self.paces.lan, LAN_EVERY) {
            let host = Arc::clone(&self.host);
            let look = move || host.lan_address();
            self.spawn_blocking_then(look, |controller, lan| controller.live.lan = lan);
        }
        self.page_pass();
    }

    fn pass_site(&mut self, mode: Mode) {
        let now = self.host.now();
        let site = &mut self.sites[mode];
        let Phase::Running(run) = &mut site.phase else { return };
        let lines = run.tell_waiting(now);
        run.note_time(now);
        if is_due(&mut site.sampled, SAMPLE_EVERY) {
            let is_shown = self.range == ChartRange::Hour1 && self.is_visible && mode == self.mode;
            if let Some(point) = run.sample(now).filter(|_| is_shown) {
                self.send(Change::SeriesAppended(point));
            }
        }
        if mode == self.mode && std::mem::take(&mut self.sites[mode].is_late_due) {
            self.read_late(now);
        }
        lines.into_iter().for_each(|line| self.list(mode, line));
    }

    /// Sends what differs from what the window has.
    pub(super) fn publish(&mut self) {
        let now = self.host.now();
        let lines: Vec<(Mode, Line)> =
            MODES.into_iter().flat_map(|mode| self.update_problems(mode, now)).collect();
        if std::mem::take(&mut self.paces.is_all_due) {
            self.paces.begin();
            let all = self.all(now);
            self.send(Change::All(Box::new(all)));
            self.read_range();
            lines.into_iter().for_each(|(mode, line)| self.list(mode, line));
            return;
        }
        let mut changes = self.frame_changes(now);
        self.number_changes(now, &mut changes);
        self.page_changes(&mut changes);
        changes.into_iter().for_each(|change| self.send(change));
        lines.into_iter().for_each(|(mode, line)| self.list(mode, line));
        let is_silent = self.paces.sent.is_none_or(|sent| sent.elapsed() >= BEAT_AFTER);
        if is_silent {
            self.send(Change::Beat(now));
        }
    }

    /// Sends a change to whoever listens, and keeps what they have.
    pub(super) fn send(&mut self, change: Change) {
        let event = AppEvent { seq: self.shown.seq + 1, change };
        self.shown.apply(event.clone());
        self.paces.sent = Some(Instant::now());
        // Without a window nobody listens.
        let _ = self.events.send(event);
    }

    /// Brings a node's problems up to date and returns what is worth a line.
    fn update_problems(&mut self, mode: Mode, now: UnixSeconds) -> Vec<(Mode, Line)> {
        let of_miners = self.miners_conditions(mode, now);
        let of_disk = self.checkup.of_disk(self.host.data_dir());
        let site = &mut self.sites[mode];
        let mut found = site.conditions.clone();
        found.extend(of_miners);
        let run = site.run();
        found.extend(of_disk.filter(|_| run.is_some()));
        found.extend(run.into_iter().flat_map(|run| problems::of_node(&run.node, now)));
        let is_running = run.is_some();
        let news = site.problems.update(now, found, &mut self.last_problem);
        // Without a node there is no list to put them on.
        let news = news.into_iter().filter(|_| is_running);
        news.map(|line| (mode, (now, line))).collect()
    }

    fn frame_changes(&self, now: UnixSeconds) -> Vec<Change> {
        let shown = &self.shown;
        let frame = self.frame(now);
        let mut changes = Vec::new();
        // The state last: what it speaks of is there when it comes.
        push(&mut changes, self.site().problems.list(), &shown.problems, Change::Problems);
        push(&mut changes, frame.practice, &shown.practice, Change::Practice);
        push(&mut changes, frame.lights, &shown.lights, Change::Lights);
        push(&mut changes, frame.control, &shown.control, Change::Control);
        push(&mut changes, frame.overall, &shown.overall, Change::Overall);
        changes
    }

    fn number_changes(&mut self, now: UnixSeconds, changes: &mut Vec<Change>) {
        let Some(run) = self.sites[self.mode].run() else { return };
        let every = |usual| if self.is_visible { usual } else { HIDDEN_EVERY };
        let (paces, shown, sight) = (&mut self.paces, &self.shown, run.sight(now));
        if is_due(&mut paces.hero, every(HERO_EVERY)) {
            push(changes, views::hero(&sight), &shown.hero, Change::Hero);
        }
        if is_due(&mut paces.rates, every(RATES_EVERY)) {
            push(changes, views::rates(&sight), &shown.rates, Change::Rates);
        }
        if is_due(&mut paces.effort, every(EFFORT_EVERY)) {
            push(changes, views::effort(&sight), &shown.effort, Change::Effort);
        }
        if is_due(&mut paces.shares, every(SHARES_EVERY)) {
            let shares = views::shares(&sight, &run.late);
            // The strip moves with time; on its own that is told no more often than effort.
            let is_same = Shares {
                window_end: shown.shares.window_end,
                window_secs: shown.shares.window_secs,
                ..shares.clone()
            } == shown.shares;
            let age = now.0.saturating_sub(shown.shares.window_end.0);
            if !is_same || age >= every(STRIP_EVERY).as_secs() {
                changes.push(Change::Shares(shares));
            }
        }
        if is_due(&mut paces.payouts, every(PAYOUTS_EVERY)) {
            let payouts = views::payouts(&sight, run.finders());
            push(changes, payouts, &shown.payouts, Change::Payouts);
        }
        if is_due(&mut paces.series, SERIES_EVERY) && !self.read_range() {
            changes.push(Change::Series(self.hour_or_empty()));
        }
    }

    fn page_changes(&mut self, changes: &mut Vec<Change>) {
        let every = if self.is_visible { PAGE_EVERY } else { HIDDEN_EVERY };
        if is_due(&mut self.paces.page, every) {
            push(changes, self.page_view(), &self.shown.page, Change::Page);
        }
    }

    /// The page's view is made anew at once.
    pub(super) fn page_is_due(&mut self) {
        self.paces.page = None;
    }

    /// Everything, as it is now.
    fn all(&self, now: UnixSeconds) -> AppSnapshot {
        let frame = self.frame(now);
        let mut all = AppSnapshot {
            mode: self.mode,
            overall: frame.overall,
            control: frame.control,
            lights: frame.lights,
            practice: frame.practice,
            problems: self.site().problems.list(),
            theme: self.shown.theme,
            appearance: self.shown.appearance,
            computer: self.shown.computer.clone(),
            page: self.page_view(),
            series: Series::empty(self.range),
            ..AppSnapshot::fresh(self.host.version(), now)
        };
        if let Some(run) = self.shown_run() {
            let sight = run.sight(now);
            all.hero = views::hero(&sight);
            all.effort = views::effort(&sight);
            all.rates = views::rates(&sight);
            all.shares = views::shares(&sight, &run.late);
            all.payouts = views::payouts(&sight, run.finders());
            all.events = self.site().latest.newest();
            all.series = self.hour_or_empty();
        }
        all
    }

    fn frame(&self, now: UnixSeconds) -> Frame {
        let site = self.site();
        let is_set_up =
            self.mode == Mode::Practice || self.live.is_ready() && !self.setup.is_open();
        if !is_set_up {
            return Frame {
                overall: OverallState::Setup,
                control: MiningControl::None,
                lights: Lights::default(),
                practice: None,
            };
        }
        match &site.phase {
            Phase::Running(run) if self.ending.is_none() => self.running(run, now),
            Phase::Held(code) => Frame {
                overall: OverallState::Blocked { code: *code },
                control: MiningControl::None,
                lights: Lights::default(),
                practice: None,
            },
            Phase::Idle | Phase::Starting | Phase::Running(_) | Phase::Stopping => Frame {
                overall: OverallState::Joining { shares_done: None, shares_total: None },
                control: state::control(site.wish, state::STARTING_WAITS_FOR.to_vec()),
                lights: views::starting_lights(),
                practice: None,
            },
        }
    }

    fn running(&self, run: &Run, now: UnixSeconds) -> Frame {
        let site = self.site();
        let sight = run.sight(now);
        let problems = site.problems.list();
        let threads_available = self.host.threads_available();
        let facts = || views::practice(&sight, run.facts.threads, threads_available);
        Frame {
            overall: state::overall(&sight, site.wish, &problems, run, self.live.lan),
            control: state::control(site.wish, state::waits_for(&run.node, &run.facts.params)),
            lights: views::lights(&sight),
            practice: (self.mode == Mode::Practice).then(facts),
        }
    }

    /// The last hour from memory, with what came before it; or an empty chart of another range,
    /// until history has been read.
    pub(super) fn hour_or_empty(&self) -> Series {
        let now = self.host.now();
        let Some(run) = self.shown_run() else { return Series::empty(self.range) };
        let points = (self.range == ChartRange::Hour1)
            .then(|| run.last_hour_before.iter().copied().chain(run.chart.points()));
        Series {
            pauses: chart::pauses_in(&run.pauses, self.range, now),
            data_since: run.data_since,
            ..chart::series(self.range, points.into_iter().flatten(), now)
        }
    }

    /// Reads my late shares of the time that the strip shows.
    fn read_late(&mut self, now: UnixSeconds) {
        let Some(run) = self.shown_run() else { return };
        let mode = self.mode;
        let database = run.node.database.clone();
        // Truncation is right: it is the first second of the strip either way.
        let from = UnixSeconds(now.0.saturating_sub(self.shown.shares.window_secs as u64));
        self.spawn_blocking_then(
            move || history::late_shares(&database, from, now),
            move |controller, read| match (read, controller.sites[mode].run_mut()) {
                (Ok(late), Some(run)) => run.late = late,
                (Ok(_), None) => {}
                (Err(error), _) => tracing::warn!(%error, "late shares not read"),
            },
        );
    }
}

impl Paces {
    /// Every section has just been sent.
    fn begin(&mut self) {
        let now = Some(Instant::now());
        self.hero = now;
        self.rates = now;
        self.effort = now;
        self.shares = now;
        self.payouts = now;
        self.page = now;
        self.series = now;
    }
}

/// Adds a change if there is one.
fn push<T: PartialEq>(changes: &mut Vec<Change>, new: T, shown: &T, change: fn(T) -> Change) {
    if new != *shown {
        changes.push(change(new));
    }
}
