//! What the computer does for the application: starting it, keeping it in the background, staying
//! awake, telling the person.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Page;

/// The computer, as settings and set-up show it. Push on change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Computer {
    /// Whether the application starts when the person logs in, as the system says; `None` while
    /// that is not known or cannot be told.
    pub starts_at_login: Option<bool>,
    /// What closing the window does.
    pub on_close: CloseChoice,
    /// Whether the desktop has a tray; without one closing minimises (`T-01`).
    pub has_tray: bool,
    /// Whether the computer is kept from sleeping while miners are connected.
    pub stays_awake: bool,
    /// Whether that holds on battery too.
    pub stays_awake_on_battery: bool,
    /// Whether it has a battery.
    pub has_battery: bool,
    /// Whether it is kept from sleeping at this moment.
    pub is_held_awake: bool,
    /// Each event with whether the person is told, in the order of the settings.
    pub notifications: Vec<NotificationChoice>,
    /// What the person has to answer before the window goes.
    pub question: Option<Question>,
    /// A page that was asked for outside the window, by a notification or the tray; the window
    /// goes there and says `ShowPage`.
    pub invited_to: Option<Page>,
}

/// What closing the window does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CloseChoice {
    /// Asks.
    #[default]
    Ask,
    /// Mining goes on in the background.
    KeepRunning,
    /// The application ends.
    Quit,
}

/// What the person has to answer before the window goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Question {
    /// "Keep mining in the background?"; the window asks the shell to hide it, or to quit.
    Close {
        /// Without a tray the window is minimised: `T-01`.
        has_tray: bool,
    },
    /// "Quit?", with what that means.
    Quit {
        /// Miners that will switch to their backup pool, or stop.
        miners: u32,
        /// Whether shares of mine are in the window.
        has_shares: bool,
    },
}

/// Something a person may want to be told by the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum NotificationEvent {
    /// The pool found a block that pays me.
    BlockPaid,
    /// A miner of mine found it.
    BlockMine,
    /// The pool found a block without me.
    BlockOthers,
    /// The first share ever.
    FirstShare,
    /// A share.
    Share,
    /// A payment can be spent.
    Spendable,
    /// A miner has been away for ten minutes.
    MinerAway,
    /// No miner works.
    AllAway,
    /// Mining has stopped for five minutes.
    Stopped,
    /// Mining goes on after that.
    Recovered,
    /// A device is hot, or much work is late.
    MinerTrouble,
    /// An update is needed to go on mining.
    UpdateNeeded,
}

impl NotificationEvent {
    /// Every event, in the order of the settings.
    pub const ALL: [Self; 12] = [
        Self::BlockPaid,
        Self::BlockMine,
        Self::BlockOthers,
        Self::FirstShare,
        Self::Share,
        Self::Spendable,
        Self::MinerAway,
        Self::AllAway,
        Self::Stopped,
        Self::Recovered,
        Self::MinerTrouble,
        Self::UpdateNeeded,
    ];

    /// Whether the person is told unless it was chosen otherwise.
    pub fn is_on_by_default(self) -> bool {
        !matches!(self, Self::BlockOthers | Self::Share)
    }
}

/// Whether the person is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct NotificationChoice {
    /// The event.
    pub event: NotificationEvent,
    /// Whether the person is told.
    pub is_on: bool,
}

/// What may be asked about the computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum ComputerRequest {
    /// Whether the application starts when the person logs in.
    StartAtLogin {
        /// Whether it does.
        is_on: bool,
    },
    /// What closing the window does.
    OnClose {
        /// The choice.
        choice: CloseChoice,
    },
    /// Whether the computer is kept from sleeping while miners are connected.
    StayAwake {
        /// Whether it is.
        is_on: bool,
    },
    /// Whether that holds on battery too.
    StayAwakeOnBattery {
        /// Whether it does.
        is_on: bool,
    },
    /// Whether the person is told of an event.
    Notify {
        /// The event.
        event: NotificationEvent,
        /// Whether the person is told.
        is_on: bool,
    },
    /// Reads anew what the system says; the settings do so by themselves when they are shown.
    LookAgain,
    /// The close button was pressed; answered by [`AppReply::Leave`](super::AppReply::Leave).
    CloseWindow {
        /// Whether an icon in the tray would be seen.
        has_tray: bool,
    },
    /// *Quit* was pressed; answered by [`AppReply::Leave`](super::AppReply::Leave).
    AskToQuit,
    /// The question was answered, one way or the other.
    Answered,
    /// Invites the window to a page.
    Invite {
        /// The page.
        page: Page,
    },
    /// The computer is kept from sleeping, or no more.
    HeldAwake {
        /// Whether it is.
        is_held: bool,
    },
}

/// How the window goes; the shell does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Leave {
    /// Not yet: the person is asked, in [`Computer::question`].
    Asked,
    /// Hidden; the tray shows it again.
    Hide,
    /// Minimised, because there is no tray.
    Minimise,
    /// The application ends.
    Quit,
}
