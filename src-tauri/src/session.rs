//! The person's session on this desktop, as the application sees it.

mod awake;
mod login;
mod notice;

pub(crate) use login::HIDDEN;
pub(crate) use notice::invite;

use std::sync::Mutex;

use p2pool_app::{Notification, Power, Session, SessionError, Tray};
use tauri::AppHandle;

use crate::tray;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct DesktopSession {
    app: AppHandle,
    awake: Mutex<Option<awake::Hold>>,
}

impl DesktopSession {
    pub(crate) fn new(app: AppHandle) -> Self {
        Self { app, awake: Mutex::new(None) }
    }
}

/// The system's words.
fn refused(error: impl std::fmt::Display) -> SessionError {
    SessionError(error.to_string())
}

impl Session for DesktopSession {
    fn starts_at_login(&self) -> Result<bool, SessionError> {
        login::is_on()
    }

    fn set_starts_at_login(&self, is_on: bool) -> Result<(), SessionError> {
        login::set(is_on)
    }

    fn hold_awake(&self, is_held: bool) -> Result<(), SessionError> {
        let mut hold = self.awake.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *hold = None;
        if is_held {
            *hold = Some(awake::hold()?);
        }
        Ok(())
    }

    fn power(&self) -> Power {
        awake::power()
    }

    fn has_tray(&self) -> bool {
        tray::is_seen()
    }

    fn show_tray(&self, shown: &Tray) {
        tray::show(&self.app, shown.clone());
    }

    fn notify(&self, notification: &Notification) {
        notice::show(&self.app, notification.clone());
    }
}
