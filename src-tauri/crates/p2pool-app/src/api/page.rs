//! The pages beside Home: which one is shown, and what it shows.

use super::pages::payouts::PayoutsView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::SetupView;
use super::pages::MinersView;
use super::pages::pool::PoolView;
use super::{CheckUp, SettingsView};

/// A page of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Page {
    /// Is it working, what is my slice, what happens next.
    #[default]
    Home,
    /// Devices, add, the built-in CPU miner.
    Miners,
    /// Payments received, my shares, calculator.
    Payouts,
    /// Share chain, blocks, members.
    Pool,
    /// Health, why nothing is earned yet, log, report.
    CheckUp,
    /// Settings.
    Settings,
    /// The set-up.
    Setup,
}

/// What the shown page shows beside the sections that every page has. Pages that have nothing of
/// their own to show, and pages whose data is not there yet, are [`PageView::None`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "page", content = "view", rename_all = "camelCase")]
#[ts(export)]
pub enum PageView {
    /// Nothing of its own.
    #[default]
    None,
    /// The Pool page.
    Pool(Box<PoolView>),
    /// The set-up. It is shown for as long as it is open, whatever page was asked for.
    Setup(Box<SetupView>),
    /// [`Page::Miners`].
    Miners(Box<MinersView>),
    /// Check-up.
    CheckUp(Box<CheckUp>),
    /// Payments, my shares, calculator.
    Payouts(PayoutsView),
    /// The settings.
    Settings(Box<SettingsView>),
}
