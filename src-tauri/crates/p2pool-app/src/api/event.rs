//! The snapshot a subscription begins with and the events that keep it true.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    Appearance, Computer, Effort, Hero, LatestEvent, Lights, LogLine, MiningControl, Mode,
    OverallState, PageView, Payouts, PracticeFacts, Problem, Rates, Series, SeriesPoint, Shares,
    Theme, UnixSeconds,
};

/// Everything the window shows, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AppSnapshot {
    /// Number of the last event this snapshot covers; the next event is `seq + 1`.
    #[ts(type = "number")]
    pub seq: u64,
    /// The controller's clock when the snapshot was made.
    pub now: UnixSeconds,
    /// The application's version, without a leading "v".
    pub version: String,
    /// Which node the window shows.
    pub mode: Mode,
    /// The overall state.
    pub overall: OverallState,
    /// What the mining button offers.
    pub control: MiningControl,
    /// The top of Home.
    pub hero: Hero,
    /// How the next share is coming along.
    pub effort: Effort,
    /// The present numbers.
    pub rates: Rates,
    /// The hash rate chart.
    pub series: Series,
    /// The payout window.
    pub shares: Shares,
    /// Pool blocks and whom they paid.
    pub payouts: Payouts,
    /// The status bar.
    pub lights: Lights,
    /// Present problems, worst first, then newest first.
    pub problems: Vec<Problem>,
    /// Latest events, newest first, at most [`EVENTS_MAX`](super::EVENTS_MAX).
    pub events: Vec<LatestEvent>,
    /// Facts about practice mode; `None` in live mode.
    pub practice: Option<PracticeFacts>,
    /// The look of the window.
    pub theme: Theme,
    /// How things look beside that.
    pub appearance: Appearance,
    /// What the computer does for the application.
    pub computer: Computer,
    /// What the shown page shows beside all this.
    pub page: PageView,
}

impl AppSnapshot {
    /// Makes the snapshot of a fresh start: nothing set up, no event sent yet.
    pub fn fresh(version: impl Into<String>, now: UnixSeconds) -> Self {
        Self {
            seq: 0,
            now,
            version: version.into(),
            mode: Mode::Live,
            overall: OverallState::Setup,
            control: MiningControl::None,
            hero: Hero::default(),
            effort: Effort::default(),
            rates: Rates::default(),
            series: Series::default(),
            shares: Shares::default(),
            payouts: Payouts::default(),
            lights: Lights::default(),
            problems: Vec::new(),
            events: Vec::new(),
            practice: None,
            theme: Theme::System,
            appearance: Appearance::default(),
            computer: Computer::default(),
            page: PageView::None,
        }
    }

    /// Applies an event, as the window does.
    ///
    /// The controller may keep its own snapshot true with it, so that a late subscriber gets
    /// exactly what an early one has.
    pub fn apply(&mut self, event: AppEvent) {
        self.seq = event.seq;
        match event.change {
            Change::All(snapshot) => *self = Self { seq: event.seq, ..*snapshot },
            Change::Overall(overall) => self.overall = overall,
            Change::Control(control) => self.control = control,
            Change::Hero(hero) => self.hero = hero,
            Change::Effort(effort) => self.effort = effort,
            Change::Rates(rates) => self.rates = rates,
            Change::Series(series) => self.series = series,
            Change::SeriesAppended(point) => self.series.append(point),
            Change::Shares(shares) => self.shares = shares,
            Change::Payouts(payouts) => self.payouts = payouts,
            Change::Lights(lights) => self.lights = lights,
            Change::Problems(problems) => self.problems = problems,
            Change::EventAdded(added) => {
                self.events.insert(0, added);
                self.events.truncate(super::EVENTS_MAX);
            }
            Change::Practice(practice) => self.practice = practice,
            Change::Theme(theme) => self.theme = theme,
            Change::Appearance(appearance) => self.appearance = appearance,
            Change::Computer(computer) => self.computer = computer,
            Change::Page(page) => self.page = page,
            // Kept by whoever looks at it.
            Change::Log(_) => {}
            Change::Beat(now) => self.now = now,
        }
    }
}

/// One step from the snapshot before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AppEvent {
    /// One more than that of the event before it.
    #[ts(type = "number")]
    pub seq: u64,
    /// What changed.
    pub change: Change,
}

/// What changed: the new content of one section, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "section", content = "value", rename_all = "camelCase")]
#[ts(export)]
pub enum Change {
    /// Everything, for instance on entering or leaving practice; its own `seq` is not looked at.
    All(Box<AppSnapshot>),
    /// [`AppSnapshot::overall`].
    Overall(OverallState),
    /// [`AppSnapshot::control`].
    Control(MiningControl),
    /// [`AppSnapshot::hero`].
    Hero(Hero),
    /// [`AppSnapshot::effort`].
    Effort(Effort),
    /// [`AppSnapshot::rates`].
    Rates(Rates),
    /// [`AppSnapshot::series`], for instance after `ShowRange`.
    Series(Series),
    /// One bucket of the shown range: replaces the last one if it starts at the same time; buckets
    /// older than the range are dropped. Averages and extremes are not changed by it; send
    /// [`Change::Series`] once a minute to bring them up to date.
    SeriesAppended(SeriesPoint),
    /// [`AppSnapshot::shares`].
    Shares(Shares),
    /// [`AppSnapshot::payouts`].
    Payouts(Payouts),
    /// [`AppSnapshot::lights`].
    Lights(Lights),
    /// [`AppSnapshot::problems`].
    Problems(Vec<Problem>),
    /// A new head of [`AppSnapshot::events`].
    EventAdded(LatestEvent),
    /// [`AppSnapshot::practice`].
    Practice(Option<PracticeFacts>),
    /// [`AppSnapshot::theme`].
    Theme(Theme),
    /// [`AppSnapshot::appearance`].
    Appearance(Appearance),
    /// [`AppSnapshot::computer`].
    Computer(Computer),
    /// [`AppSnapshot::page`].
    Page(PageView),
    /// New lines of the log, while it is looked at; the snapshot keeps none.
    Log(Vec<LogLine>),
    /// Nothing but a sign of life, with the controller's clock.
    Beat(UnixSeconds),
}
