//! Keeping the computer from going to sleep by itself, and what it runs on.

use std::fmt;

use keepawake::KeepAwake;
use p2pool_app::{Power, SessionError};
use starship_battery::{Manager, State};

use super::refused;

/// The system's promise; it ends when this is dropped.
pub(super) struct Hold(#[expect(dead_code, reason = "it is held, not looked at")] KeepAwake);

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

/// Keeps the computer awake. The screen may turn off, and a closed lid ends it all the same.
///
/// # Errors
/// The system refuses.
pub(super) fn hold() -> Result<Hold, SessionError> {
    keepawake::Builder::default()
        .idle(true)
        .app_name("P2Pool Desktop")
        .app_reverse_domain("org.p2pool-desktop.app")
        .reason("Miners are connected")
        .create()
        .map(Hold)
        .map_err(refused)
}

/// What the computer runs on; one that does not tell runs on mains.
pub(super) fn power() -> Power {
    let read = || -> Result<Vec<State>, starship_battery::Error> {
        Manager::new()?.batteries()?.map(|battery| Ok(battery?.state())).collect()
    };
    let states = read().unwrap_or_else(|error| {
        tracing::debug!(%error, "batteries not known");
        Vec::new()
    });
    Power { has_battery: !states.is_empty(), is_on_battery: states.contains(&State::Discharging) }
}
