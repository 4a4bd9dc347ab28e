//! What the person asks for. Every request is idempotent.

use tokio::sync::oneshot;

use super::Controller;
use super::site::Phase;
use crate::api::{
    AppReply, AppRequest, Appearance, Change, ChartRange, Mode, Outside, ProblemAction,
    ProblemCode, Series, SeriesPoint, Theme, UiError,
};
use crate::chart;
use crate::handle::{Ask, Subscription};
use crate::history;
use crate::settings::AppearanceFile;
use crate::state::Wish;

/// Where the answer to a request goes.
pub(super) type Reply = oneshot::Sender<Result<AppReply, UiError>>;

impl Controller {
    pub(super) fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Subscribe(reply) => {
                // Whoever looks, sees; a window that is hidden says so.
                self.set_visible(true);
                self.publish();
                self.shown.now = self.host.now();
                // Who asked may have gone.
                let _ = reply.send(self.subscription());
            }
            Ask::Watch(reply) => {
                let _ = reply.send(self.subscription());
            }
            Ask::Request(AppRequest::Pool { request }, reply) => self.ask_pool(request, reply),
            Ask::Request(AppRequest::Payouts { request }, reply) => {
                self.payouts_request(request, reply);
            }
            Ask::Request(AppRequest::SaveFile { name, content }, reply) => {
                self.save_file(name, content, reply);
            }
            Ask::Request(AppRequest::CheckUp { ask }, reply) => self.ask_check_up(ask, reply),
            Ask::Request(request, reply) => {
                tracing::debug!(?request, "asked");
                let _ = reply.send(self.request(&request));
            }
            Ask::Stop(reply) => self.end(reply),
        }
    }

    fn subscription(&self) -> Subscription {
        Subscription { snapshot: self.shown.clone(), events: self.events.subscribe() }
    }

    fn request(&mut self, request: &AppRequest) -> Result<AppReply, UiError> {
        match *request {
            AppRequest::Settings { ref request } => return self.settings_request(request),
            AppRequest::Setup { ref request } => return Ok(self.setup_request(request)),
            AppRequest::EnterPractice { keeps_live } => self.enter_practice(keeps_live),
            AppRequest::LeavePractice => self.leave_practice(),
            AppRequest::StartMining => self.start_mining()?,
            AppRequest::CancelStart => self.change_wish(|wish| {
                if let Wish::Armed { is_resume } = *wish {
                    *wish = if is_resume { Wish::Paused } else { Wish::Idle };
                }
            }),
            AppRequest::PauseMining { for_secs } => {
                self.pause_for(for_secs);
                self.change_wish(|wish| {
                    if matches!(wish, Wish::Mining | Wish::Armed { .. }) {
                        *wish = Wish::Paused;
                    }
                });
            }
            AppRequest::ResumeMining => {
                self.pause_for(None);
                self.change_wish(resume);
            }
            AppRequest::ShowRange { range } => self.choose_range(range),
            AppRequest::SetTheme { theme } => self.set_theme(theme),
            AppRequest::ShowPage { page } => self.show_page(page),
            AppRequest::SetVisible { is_visible } => self.set_visible(is_visible),
            // Answered once the node has answered.
            AppRequest::Pool { .. } | AppRequest::CheckUp { .. } => {}
            AppRequest::OpenOutside { place } => self.open_outside(place)?,
            AppRequest::TryAgain { problem } => self.try_again(problem),
            AppRequest::DismissProblem { problem } => self.dismiss(problem),
            AppRequest::Miners { ref request } => self.miners_request(request)?,
            // Answered once the work is done.
            AppRequest::Payouts { .. } | AppRequest::SaveFile { .. } => {}
            AppRequest::Computer { ref request } => return self.computer_request(request),
        }
        Ok(AppReply::Done)
    }

    /// Shows the practice node; live mining goes on beside it, or rests until practice is left.
    fn enter_practice(&mut self, keeps_live: bool) {
        self.sites[Mode::Live].is_resting = !keeps_live;
        if self.mode == Mode::Practice && !matches!(self.site().phase, Phase::Held(_)) {
            return;
        }
        self.mode = Mode::Practice;
        self.sites[Mode::Practice].try_again();
        self.show_all();
    }

    fn leave_practice(&mut self) {
        if self.mode == Mode::Live {
            return;
        }
        self.mode = Mode::Live;
        self.sites[Mode::Practice].wish = Wish::Idle;
        self.sites[Mode::Live].is_resting = false;
        self.show_all();
    }

    pub(super) fn start_mining(&mut self) -> Result<(), UiError> {
        if !self.wants(self.mode) || matches!(self.site().phase, Phase::Held(_)) {
            let technical = "there is no node to mine with";
            return Err(
                UiError::new(ProblemCode::Unexpected, technical).with("doing", "starting to mine")
            );
        }
        self.change_wish(|wish| match wish {
            Wish::Idle => *wish = Wish::Armed { is_resume: false },
            Wish::Paused => *wish = Wish::Armed { is_resume: true },
            Wish::Armed { .. } | Wish::Mining => {}
        });
        Ok(())
    }

    /// A pause that was asked for a time is over.
    pub(super) fn end_pause(&mut self) {
        if let Some(mode) = self.pause_over() {
            self.change_wish_of(mode, resume);
        }
    }

    /// Changes what is wished of the node that the window shows. What is wished of live mining
    /// holds for the next start of the program too.
    fn change_wish(&mut self, change: impl FnOnce(&mut Wish)) {
        self.change_wish_of(self.mode, change);
    }

    fn change_wish_of(&mut self, mode: Mode, change: impl FnOnce(&mut Wish)) {
        let wish = &mut self.sites[mode].wish;
        let before = *wish;
        change(wish);
        if mode == Mode::Live && *wish != before {
            self.remember_wish();
        }
    }

    pub(super) fn set_theme(&mut self, theme: Theme) {
        if self.shown.theme != theme {
            self.send(Change::Theme(theme));
            self.write_appearance();
        }
    }

    /// Chooses how things look, everywhere at once.
    pub(super) fn set_appearance(&mut self, appearance: Appearance) {
        let appearance = appearance.bounded();
        if self.shown.appearance != appearance {
            self.send(Change::Appearance(appearance));
            self.write_appearance();
        }
    }

    /// One writer at a time, so that the newest choice is the one that stays.
    fn write_appearance(&mut self) {
        if std::mem::replace(&mut self.settings_page.is_writing_look, true) {
            return;
        }
        let chosen = AppearanceFile::new(self.shown.theme, self.shown.appearance);
        let host = std::sync::Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || chosen.write(host.data_dir()),
            move |controller, written| {
                controller.settings_page.is_writing_look = false;
                let shown = &controller.shown;
                let is_old = chosen != AppearanceFile::new(shown.theme, shown.appearance);
                match written {
                    Err(error) => tracing::warn!(%error, "look of the window not remembered"),
                    Ok(()) if is_old => controller.write_appearance(),
                    Ok(()) => {}
                }
            },
        );
    }

    fn open_outside(&self, place: Outside) -> Result<(), UiError> {
        self.host.open(place).map_err(|error| {
            UiError::new(ProblemCode::Unexpected, error.to_string()).with("doing", "opening it")
        })
    }

    fn set_visible(&mut self, is_visible: bool) {
        if is_visible && !self.is_visible {
            self.show_all();
        }
        self.is_visible = is_visible;
    }

    fn try_again(&mut self, id: u32) {
        let site = &mut self.sites[self.mode];
        let Some(problem) = site.problems.get(id) else { return };
        let is_retry = |action: &ProblemAction| {
            use ProblemAction::{CheckAgain, TryAgain, UnlockAndTryAgain};
            matches!(action, TryAgain | CheckAgain | UnlockAndTryAgain)
        };
        if problem.actions.iter().any(is_retry) {
            site.try_again();
            self.show_all();
        }
    }

    fn dismiss(&mut self, id: u32) {
        let site = &mut self.sites[self.mode];
        let Some(problem) = site.problems.get(id) else { return };
        if !problem.actions.contains(&ProblemAction::Dismiss) {
            return;
        }
        // What only the application knows is over with its dismissal.
        let code = problem.code;
        site.conditions.retain(|condition| condition.code() != code);
        site.problems.hide(id);
    }

    fn choose_range(&mut self, range: ChartRange) {
        self.range = range;
        if !self.read_range() {
            let series = self.hour_or_empty();
            self.send(Change::Series(series));
        }
    }

    /// Reads the chosen range from history; `false` if that is not where it comes from.
    pub(super) fn read_range(&mut self) -> bool {
        let Some(run) = self.shown_run() else { return false };
        if self.range == ChartRange::Hour1 {
            return false;
        }
        let (range, now) = (self.range, self.host.now());
        let database = run.node.database.clone();
        self.spawn_blocking_then(
            move || history::range(&database, range, now),
            move |controller, read| {
                let points = read.unwrap_or_else(|error| {
                    tracing::warn!(%error, "chart not read");
                    Vec::new()
                });
                controller.show_range(range, points);
            },
        );
        true
    }

    /// Shows points of a range, if it is still the one that is wanted.
    pub(super) fn show_range(&mut self, range: ChartRange, points: Vec<SeriesPoint>) {
        if range != self.range {
            return;
        }
        let Some(run) = self.shown_run() else { return };
        let now = self.host.now();
        let series = Series {
            pauses: chart::pauses_in(&run.pauses, range, now),
            data_since: run.data_since,
            ..chart::series(range, points, now)
        };
        self.send(Change::Series(series));
    }
}

/// Mining goes on after a pause.
fn resume(wish: &mut Wish) {
    if *wish == Wish::Paused {
        *wish = Wish::Armed { is_resume: true };
    }
}
