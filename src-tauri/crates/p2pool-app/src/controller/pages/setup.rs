//! The set-up: its requests, its jobs, and its answers put into force.

use std::sync::Arc;

use crate::api::{AppReply, Mode, PageView, SetupRequest, SetupStep, SetupView, UnixSeconds};
use crate::controller::Controller;
use crate::controller::live::Live;
use crate::controller::site::{Phase, Site};
use crate::settings;
use crate::setup::{Effect, Sight};
use crate::views;

impl Controller {
    /// Whether the window shows the set-up.
    pub(in crate::controller) fn is_setting_up(&self) -> bool {
        self.mode == Mode::Live && self.setup.is_open()
    }

    /// What the set-up shows.
    pub(in crate::controller) fn setup_view(&self) -> SetupView {
        let mut view = self.setup.view(self.setup_sight());
        if view.step == SetupStep::Miners
            && let PageView::Miners(miners) = self.miners_view()
        {
            view.connect = Some(Box::new(miners.connect));
        }
        view
    }

    /// Does what was asked of the set-up.
    pub(in crate::controller) fn setup_request(&mut self, request: &SetupRequest) -> AppReply {
        if let SetupRequest::JudgeAddress { text } = request {
            return AppReply::Address { verdict: self.setup.judge(text, self.setup_sight()) };
        }
        let (raw, now) = (self.live.raw.clone(), self.host.now());
        let was_open = self.setup.is_open();
        let sight = sight(&self.sites[Mode::Live], &self.live, now);
        let effects = self.setup.request(request, &raw, sight, now);
        self.carry_out(effects);
        if was_open == self.setup.is_open() {
            self.page_is_due();
        } else {
            self.show_all();
        }
        AppReply::Done
    }

    /// Time has passed.
    pub(in crate::controller) fn setup_tick(&mut self) {
        let effects = self.setup.tick(self.host.now());
        self.carry_out(effects);
    }

    fn setup_sight(&self) -> Sight<'_> {
        sight(&self.sites[Mode::Live], &self.live, self.host.now())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run(turn, job) => {
                    let work = job.run(Arc::clone(&self.host));
                    self.spawn_then(work, move |controller, done| {
                        let now = controller.host.now();
                        let effects = controller.setup.done(turn, done, now);
                        controller.carry_out(effects);
                        controller.page_is_due();
                    });
                }
                Effect::Apply => self.put_answers_into_force(false),
                Effect::Start => self.put_answers_into_force(true),
            }
        }
    }

    /// Writes the answers into the settings and lets the live node run with them. One writer at a
    /// time, so that the newest answers are those that stay.
    fn put_answers_into_force(&mut self, starts: bool) {
        if !self.setup.begins_to_apply(starts) {
            return;
        }
        let answers = self.setup.answers().clone();
        if let Some(password) = self.setup.given().cloned() {
            self.take_password(password, false);
        }
        if let Some(address) = answers.address.clone() {
            self.remember_address(address);
        }
        let host = Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || settings::change(host.data_dir(), |raw| answers.put_into(raw)),
            move |controller, changed| match changed {
                Ok(raw) => {
                    let is_other = raw != controller.live.raw;
                    controller.live.raw = raw;
                    let site = &mut controller.sites[Mode::Live];
                    site.try_again();
                    if is_other && matches!(site.phase, Phase::Starting | Phase::Running(_)) {
                        site.is_to_restart = true;
                    }
                    if let Some(starts_too) = controller.setup.has_applied() {
                        controller.put_answers_into_force(starts || starts_too);
                    } else if starts && let Err(error) = controller.start_mining() {
                        tracing::warn!(%error, "mining not started after the set-up");
                    }
                    controller.show_all();
                }
                Err(error) => {
                    controller.setup.has_applied();
                    controller.settings_not_written(&error);
                }
            },
        );
    }
}

/// What the set-up sees of the live node.
fn sight<'a>(site: &'a Site, live: &Live, now: UnixSeconds) -> Sight<'a> {
    let run = site.run();
    let is_starting = match site.phase {
        Phase::Idle => live.is_ready(),
        Phase::Starting | Phase::Stopping => true,
        Phase::Running(_) | Phase::Held(_) => false,
    };
    Sight {
        node: run.map(|run| run.node.as_ref()),
        is_starting,
        own_ip: live.lan,
        pool_block_secs: run.and_then(|run| views::hero(&run.sight(now)).pool_block_secs),
    }
}
