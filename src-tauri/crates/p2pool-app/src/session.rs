//! What the application needs from the person's session: the tray, notifications, sleep, start
//! with the computer, dialogs.

use std::fmt;

use crate::api::{NotificationEvent, Page};
use crate::tray::Tray;

/// The session the person works in. The desktop shell implements it over the real one, tests
/// over a notebook. Every call may block for a moment, dialogs for as long as the person thinks.
pub trait Session: fmt::Debug + Send + Sync {
    /// Whether the application starts when the person logs in, as the system says now.
    ///
    /// # Errors
    /// The system does not say.
    fn starts_at_login(&self) -> Result<bool, SessionError>;

    /// Makes it so, or not. It starts hidden.
    ///
    /// # Errors
    /// The system refuses.
    fn set_starts_at_login(&self, is_on: bool) -> Result<(), SessionError>;

    /// Keeps the computer from going to sleep by itself, or lets it. The screen may turn off, and
    /// a closed lid sends it to sleep all the same.
    ///
    /// # Errors
    /// The system refuses.
    fn hold_awake(&self, is_held: bool) -> Result<(), SessionError>;

    /// What the computer runs on.
    fn power(&self) -> Power;

    /// Whether an icon in the tray would be seen.
    fn has_tray(&self) -> bool;

    /// Shows this in the tray.
    fn show_tray(&self, tray: &Tray);

    /// Tells the person; a click opens the page.
    fn notify(&self, notification: &Notification);
}

/// What the computer runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// Whether it has a battery.
    pub has_battery: bool,
    /// Whether it draws on it now.
    pub is_on_battery: bool,
}

/// Something the person is told by the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub event: NotificationEvent,
    /// The sentence.
    pub text: String,
    /// What a click opens.
    pub page: Page,
    /// How loud it is.
    pub sound: Sound,
}

/// How loud a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Without any sound.
    Silent,
    /// As the system usually does.
    Usual,
    /// With a sound, wherever the system has one.
    Loud,
}

/// The session refuses, in the system's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SessionError(pub String);
