//! What the person asks about the computer, and how the window goes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Controller;
use crate::api::{
    AppReply, Change, CloseChoice, Computer, ComputerRequest, Leave, Mode, ProblemCode, Question,
    UiError,
};
use crate::computer::Choices;
use crate::session::{Power, SessionError};

/// The computer as the controller keeps it.
#[derive(Debug, Default)]
pub(super) struct ComputerState {
    choices: Choices,
    power: Power,
    /// When a pause that was asked for a time is over, and of which node.
    resumes_at: Option<(Mode, Instant)>,
}

/// What the session says now.
struct Look {
    starts_at_login: Option<bool>,
    has_tray: bool,
    power: Power,
}

impl Controller {
    /// Reads what was chosen, and begins to look at the session.
    pub(super) fn learn_computer(&mut self) {
        self.computer.choices = Choices::read(self.host.data_dir());
        let mut computer = Computer::default();
        self.computer.choices.show(self.computer.power, &mut computer);
        self.shown.computer = computer;
    }

    /// Asks the session anew; it may have been changed from outside.
    pub(super) fn look_at_computer(&mut self) {
        let host = Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || {
                let session = host.session();
                let starts_at_login = session.starts_at_login();
                if let Err(error) = &starts_at_login {
                    tracing::debug!(%error, "start at login not known");
                }
                let (has_tray, power) = (session.has_tray(), session.power());
                Look { starts_at_login: starts_at_login.ok(), has_tray, power }
            },
            |controller, look| {
                controller.computer.power = look.power;
                controller.show_computer(|computer| {
                    computer.starts_at_login = look.starts_at_login;
                    computer.has_tray = look.has_tray;
                });
            },
        );
    }

    /// Changes what the window shows of the computer.
    pub(super) fn show_computer(&mut self, change: impl FnOnce(&mut Computer)) {
        let mut computer = self.shown.computer.clone();
        self.computer.choices.show(self.computer.power, &mut computer);
        change(&mut computer);
        if computer != self.shown.computer {
            self.send(Change::Computer(computer));
        }
    }

    /// Does what was asked about the computer.
    ///
    /// # Errors
    /// What cannot be kept.
    pub(super) fn computer_request(
        &mut self,
        request: &ComputerRequest,
    ) -> Result<AppReply, UiError> {
        match request {
            ComputerRequest::StartAtLogin { is_on } => self.start_at_login(*is_on),
            ComputerRequest::OnClose { choice } => self.choose(|it| it.on_close = *choice)?,
            ComputerRequest::StayAwake { is_on } => {
                self.choose(|it| it.stays_awake = Some(*is_on))?;
            }
            ComputerRequest::StayAwakeOnBattery { is_on } => {
                self.choose(|it| it.stays_awake_on_battery = *is_on)?;
            }
            ComputerRequest::Notify { event, is_on } => {
                self.choose(|it| {
                    it.notifications.insert(*event, *is_on);
                })?;
            }
            ComputerRequest::LookAgain => self.look_at_computer(),
            ComputerRequest::CloseWindow { has_tray } => {
                return Ok(AppReply::Leave { how: self.close_window(*has_tray) });
            }
            ComputerRequest::AskToQuit => {
                return Ok(AppReply::Leave { how: self.ask_to_quit() });
            }
            ComputerRequest::Answered => self.show_computer(|it| it.question = None),
            ComputerRequest::Invite { page } => {
                self.show_computer(|it| it.invited_to = Some(*page));
            }
            ComputerRequest::HeldAwake { is_held } => {
                self.show_computer(|it| it.is_held_awake = *is_held);
            }
        }
        Ok(AppReply::Done)
    }

    fn choose(&mut self, change: impl FnOnce(&mut Choices)) -> Result<(), UiError> {
        let mut choices = self.computer.choices.clone();
        change(&mut choices);
        let dir = self.host.data_dir();
        choices.write(dir).map_err(|error| {
            UiError::new(ProblemCode::DataUnwritable, error.to_string())
                .with("path", dir.display().to_string())
        })?;
        self.computer.choices = choices;
        self.show_computer(|_| {});
        Ok(())
    }

    /// Asks the system, and shows what it says then, whatever was asked for.
    fn start_at_login(&mut self, is_on: bool) {
        let host = Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || {
                let session = host.session();
                let set = session.set_starts_at_login(is_on);
                if let Err(SessionError(reason)) = &set {
                    tracing::warn!(reason, is_on, "start at login not changed");
                }
                session.starts_at_login().ok()
            },
            |controller, starts| controller.show_computer(|it| it.starts_at_login = starts),
        );
    }

    /// Without a node there is nothing to keep running.
    fn close_window(&mut self, has_tray: bool) -> Leave {
        let leave = match self.computer.choices.on_close {
            _ if !*self.is_node_up.borrow() => Leave::Quit,
            CloseChoice::Quit => Leave::Quit,
            CloseChoice::KeepRunning if has_tray => Leave::Hide,
            CloseChoice::KeepRunning => Leave::Minimise,
            // Closed once more without an answer: nobody sees the question.
            CloseChoice::Ask if self.is_close_asked() && has_tray => Leave::Hide,
            CloseChoice::Ask if self.is_close_asked() => Leave::Minimise,
            CloseChoice::Ask => Leave::Asked,
        };
        let is_asked = leave == Leave::Asked;
        self.show_computer(|it| it.question = is_asked.then_some(Question::Close { has_tray }));
        leave
    }

    fn is_close_asked(&self) -> bool {
        matches!(self.shown.computer.question, Some(Question::Close { .. }))
    }

    /// Who mines is told what quitting means.
    fn ask_to_quit(&mut self) -> Leave {
        let miners = self.shown.lights.miners.connected;
        let has_shares = self.shown.shares.mine_in_window > 0;
        if !*self.is_node_up.borrow() || miners == 0 {
            return Leave::Quit;
        }
        self.show_computer(|it| it.question = Some(Question::Quit { miners, has_shares }));
        Leave::Asked
    }

    /// Mining was paused for this long, or until the person resumes it.
    pub(super) fn pause_for(&mut self, secs: Option<u32>) {
        let end = |secs: u32| Instant::now() + Duration::from_secs(secs.into());
        self.computer.resumes_at = secs.map(|secs| (self.mode, end(secs)));
    }

    /// The node whose pause is over, told once.
    pub(super) fn pause_over(&mut self) -> Option<Mode> {
        let (mode, end) = self.computer.resumes_at?;
        if end > Instant::now() {
            return None;
        }
        self.computer.resumes_at = None;
        Some(mode)
    }
}
