//! What goes on beside the window, whether there is one or not: the tray, notifications, and
//! keeping the computer awake.
//!
//! It listens to the same stream of events as the window, and decides nothing about mining.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use crate::api::{AppEvent, AppRequest, AppSnapshot, Change, ComputerRequest, Mode, UiError};
use crate::handle::{AppHandle, Subscription};
use crate::host::Host;
use crate::notify::{Notifier, is_mining};
use crate::session::Power;
use crate::tray::Tray;

/// How often time and power are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// See the module's documentation.
#[derive(Debug)]
pub struct Companion {
    app: AppHandle,
    host: Arc<dyn Host>,
    notifier: Notifier,
    tray: Option<Tray>,
    power: Power,
    is_held_awake: bool,
}

impl Companion {
    /// A companion of the application.
    pub fn new(app: AppHandle, host: Arc<dyn Host>) -> Self {
        let notifier = Notifier::new(host.now());
        let power = Power::default();
        Self { app, host, notifier, tray: None, power, is_held_awake: false }
    }

    /// Runs until the application ends, and lets go of the computer then.
    pub async fn run(mut self) {
        while let Ok(Subscription { snapshot, events }) = self.app.watch().await {
            if self.follow(snapshot, events).await.is_err() {
                break;
            }
        }
        self.hold_awake(false).await;
    }

    /// Follows one stream; `Ok` if it has to begin anew.
    async fn follow(
        &mut self,
        mut view: AppSnapshot,
        mut events: tokio::sync::broadcast::Receiver<AppEvent>,
    ) -> Result<(), UiError> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.take(&mut view, event).await,
                    Err(RecvError::Lagged(_)) => return Ok(()),
                    Err(RecvError::Closed) => return Err(crate::problems::no_controller()),
                },
                _ = look.tick() => {
                    let host = Arc::clone(&self.host);
                    let power = tokio::task::spawn_blocking(move || host.session().power());
                    self.power = power.await.unwrap_or_default();
                }
            }
            self.pass(&view).await;
        }
    }

    async fn take(&mut self, view: &mut AppSnapshot, event: AppEvent) {
        let added =
            if let Change::EventAdded(added) = &event.change { Some(added.clone()) } else { None };
        view.apply(event);
        let told = added.and_then(|added| self.notifier.happened(&added, view, self.host.now()));
        self.notify(told.into_iter().collect()).await;
    }

    async fn pass(&mut self, view: &AppSnapshot) {
        let told = self.notifier.pass(view, self.host.now());
        self.notify(told).await;
        let tray = Tray::of(view);
        if self.tray.as_ref() != Some(&tray) {
            self.tray = Some(tray.clone());
            self.in_session(move |host| host.session().show_tray(&tray)).await;
        }
        let is_held = holds_awake(view, self.power);
        if is_held != self.is_held_awake {
            self.hold_awake(is_held).await;
        }
    }

    async fn notify(&self, told: Vec<crate::session::Notification>) {
        if !told.is_empty() {
            let tell = move |host: &dyn Host| told.iter().for_each(|it| host.session().notify(it));
            self.in_session(tell).await;
        }
    }

    async fn hold_awake(&mut self, is_held: bool) {
        self.is_held_awake = is_held;
        self.in_session(move |host| {
            if let Err(error) = host.session().hold_awake(is_held) {
                tracing::warn!(%error, is_held, "sleep is not as wanted");
            }
        })
        .await;
        let request = ComputerRequest::HeldAwake { is_held };
        // An application that has ended shows nothing.
        let _ = self.app.request(AppRequest::Computer { request }).await;
    }

    /// Does something that may block for a moment.
    async fn in_session(&self, deed: impl FnOnce(&dyn Host) + Send + 'static) {
        let host = Arc::clone(&self.host);
        if let Err(error) = tokio::task::spawn_blocking(move || deed(host.as_ref())).await {
            tracing::error!(%error, "the session was not told");
        }
    }
}

/// Whether the computer must not go to sleep: while real miners get work from it, and never on
/// battery unless that was chosen.
fn holds_awake(view: &AppSnapshot, power: Power) -> bool {
    let choices = &view.computer;
    choices.stays_awake
        && (!power.is_on_battery || choices.stays_awake_on_battery)
        && view.mode == Mode::Live
        && is_mining(&view.overall)
        && view.lights.miners.connected > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{OverallState, UnixSeconds};

    #[test]
    fn computer_is_kept_awake_only_for_miners_at_work() {
        let mut view = AppSnapshot::fresh("0.1.0", UnixSeconds(1));
        view.computer.stays_awake = true;
        view.overall = OverallState::Earning;
        view.lights.miners.connected = 1;
        let mains = Power::default();
        let battery = Power { has_battery: true, is_on_battery: true };
        assert!(holds_awake(&view, mains));
        assert!(!holds_awake(&view, battery), "never on battery");
        let with = |change: fn(&mut AppSnapshot)| {
            let mut changed = view.clone();
            change(&mut changed);
            changed
        };
        let allowed = with(|view| view.computer.stays_awake_on_battery = true);
        assert!(holds_awake(&allowed, battery), "unless allowed");
        for other in [
            with(|view| view.computer.stays_awake = false),
            with(|view| view.overall = OverallState::Paused { shares_count_secs: None }),
            with(|view| view.overall = OverallState::NodeDown { since: UnixSeconds(1) }),
            with(|view| view.lights.miners.connected = 0),
            with(|view| view.mode = Mode::Practice),
        ] {
            assert!(!holds_awake(&other, mains), "{other:?}");
        }
    }
}
