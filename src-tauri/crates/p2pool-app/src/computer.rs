//! What the person chose about this computer, kept in a file of its own.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::{CloseChoice, Computer, NotificationChoice, NotificationEvent};
use crate::session::Power;
use crate::settings::files;

/// Its file in the data folder.
const FILE: &str = "computer.toml";

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Choices {
    pub(crate) on_close: CloseChoice,
    /// `None` until chosen: on for desktops, off where there is a battery.
    pub(crate) stays_awake: Option<bool>,
    pub(crate) stays_awake_on_battery: bool,
    /// Only what was chosen otherwise than by default.
    pub(crate) notifications: BTreeMap<NotificationEvent, bool>,
}

impl Choices {
    /// Reads them. A file that says nothing usable counts as no choice.
    pub(crate) fn read(data_dir: &Path) -> Self {
        files::read_or_default(&data_dir.join(FILE))
    }

    /// Writes them.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(crate) fn write(&self, data_dir: &Path) -> io::Result<()> {
        files::write_toml(&data_dir.join(FILE), self)
    }

    /// Whether the person is told of an event.
    pub(crate) fn tells(&self, event: NotificationEvent) -> bool {
        self.notifications.get(&event).copied().unwrap_or_else(|| event.is_on_by_default())
    }

    /// Whether the computer is kept from sleeping, as far as it is up to the person.
    pub(crate) fn stays_awake(&self, power: Power) -> bool {
        self.stays_awake.unwrap_or(!power.has_battery)
    }

    /// Brings what the window shows up to date.
    pub(crate) fn show(&self, power: Power, shown: &mut Computer) {
        shown.on_close = self.on_close;
        shown.has_battery = power.has_battery;
        shown.stays_awake = self.stays_awake(power);
        shown.stays_awake_on_battery = self.stays_awake_on_battery;
        for choice in &mut shown.notifications {
            choice.is_on = self.tells(choice.event);
        }
    }
}

impl Default for Computer {
    /// Nothing is known yet.
    fn default() -> Self {
        let choice = |event: NotificationEvent| NotificationChoice {
            event,
            is_on: event.is_on_by_default(),
        };
        Self {
            starts_at_login: None,
            on_close: CloseChoice::default(),
            has_tray: false,
            stays_awake: false,
            stays_awake_on_battery: false,
            has_battery: false,
            is_held_awake: false,
            notifications: NotificationEvent::ALL.map(choice).to_vec(),
            question: None,
            invited_to: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_remembered_and_nonsense_is_no_choice() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Choices::read(dir.path()), Choices::default());
        let choices = Choices {
            on_close: CloseChoice::KeepRunning,
            stays_awake: Some(false),
            notifications: [(NotificationEvent::Share, true)].into(),
            ..Choices::default()
        };
        choices.write(dir.path()).unwrap();
        assert_eq!(Choices::read(dir.path()), choices);
        std::fs::write(dir.path().join(FILE), "on_close = 7").unwrap();
        assert_eq!(Choices::read(dir.path()), Choices::default());
    }

    #[test]
    fn a_computer_without_a_battery_stays_awake_unless_chosen_otherwise() {
        let laptop = Power { has_battery: true, is_on_battery: false };
        let mut choices = Choices::default();
        assert!(choices.stays_awake(Power::default()) && !choices.stays_awake(laptop));
        choices.stays_awake = Some(true);
        assert!(choices.stays_awake(laptop));
    }
}
