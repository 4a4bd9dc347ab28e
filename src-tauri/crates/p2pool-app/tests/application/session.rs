//! A session on paper: it does what it is told and remembers it.

use std::sync::{Mutex, MutexGuard};

use p2pool_app::{Notification, Power, Session, SessionError, Tray};

/// See the module's documentation. A test may change it as a person would, from outside.
#[derive(Debug, Default)]
pub(crate) struct TestSession(Mutex<Paper>);

/// What a session remembers.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    pub(crate) starts_at_login: bool,
    pub(crate) is_held_awake: bool,
    pub(crate) power: Power,
    pub(crate) has_tray: bool,
    pub(crate) trays: Vec<Tray>,
    pub(crate) notifications: Vec<Notification>,
}

impl TestSession {
    pub(crate) fn paper(&self) -> MutexGuard<'_, Paper> {
        self.0.lock().unwrap()
    }
}

impl Session for TestSession {
    fn starts_at_login(&self) -> Result<bool, SessionError> {
        Ok(self.paper().starts_at_login)
    }

    fn set_starts_at_login(&self, is_on: bool) -> Result<(), SessionError> {
        self.paper().starts_at_login = is_on;
        Ok(())
    }

    fn hold_awake(&self, is_held: bool) -> Result<(), SessionError> {
        self.paper().is_held_awake = is_held;
        Ok(())
    }

    fn power(&self) -> Power {
        self.paper().power
    }

    fn has_tray(&self) -> bool {
        self.paper().has_tray
    }

    fn show_tray(&self, tray: &Tray) {
        self.paper().trays.push(tray.clone());
    }

    fn notify(&self, notification: &Notification) {
        self.paper().notifications.push(notification.clone());
    }
}
