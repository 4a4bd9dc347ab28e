//! What the tray shows: a state, a sentence, what can be done.

use crate::api::{AppSnapshot, MiningControl, Mode, OverallState};
use crate::words;

/// The tray, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tray {
    /// The icon.
    pub icon: TrayIcon,
    /// The sentence over the icon and at the head of the menu.
    pub status: String,
    /// What the menu offers for mining.
    pub offer: TrayOffer,
    /// The address that miners are pointed at, while there is one.
    pub miner_url: Option<String>,
}

/// The icon; each has a shape of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrayIcon {
    /// Mining.
    Mining,
    /// Waiting for something, or paused.
    Waiting,
    /// Something needs attention.
    Problem,
    /// Practice.
    Practice,
}

/// What the menu offers for mining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrayOffer {
    /// Nothing.
    Nothing,
    /// *Pause mining*.
    Pause,
    /// *Resume mining*.
    Resume,
}

impl Tray {
    /// The tray of a state of the application.
    pub fn of(view: &AppSnapshot) -> Self {
        let miner_url = match &view.overall {
            OverallState::WaitingMiner { miner_url } => miner_url.clone(),
            OverallState::Setup
            | OverallState::NodeDown { .. }
            | OverallState::NodeSyncing { .. }
            | OverallState::Joining { .. }
            | OverallState::NoMembers { .. }
            | OverallState::FirstShare
            | OverallState::Between { .. }
            | OverallState::Earning
            | OverallState::Paused { .. }
            | OverallState::Degraded { .. }
            | OverallState::Blocked { .. } => None,
        };
        Self { icon: icon(view), status: words::status(view), offer: offer(view), miner_url }
    }
}

fn icon(view: &AppSnapshot) -> TrayIcon {
    if view.mode == Mode::Practice {
        return TrayIcon::Practice;
    }
    match view.overall {
        OverallState::FirstShare | OverallState::Between { .. } | OverallState::Earning => {
            TrayIcon::Mining
        }
        OverallState::Setup
        | OverallState::NodeSyncing { .. }
        | OverallState::Joining { .. }
        | OverallState::WaitingMiner { .. }
        | OverallState::Paused { .. } => TrayIcon::Waiting,
        OverallState::NodeDown { .. }
        | OverallState::NoMembers { .. }
        | OverallState::Degraded { .. }
        | OverallState::Blocked { .. } => TrayIcon::Problem,
    }
}

fn offer(view: &AppSnapshot) -> TrayOffer {
    match view.control {
        MiningControl::Pause | MiningControl::Armed { .. } => TrayOffer::Pause,
        MiningControl::Resume => TrayOffer::Resume,
        MiningControl::None | MiningControl::Start { .. } => TrayOffer::Nothing,
    }
}

#[cfg(test)]
mod tests;
