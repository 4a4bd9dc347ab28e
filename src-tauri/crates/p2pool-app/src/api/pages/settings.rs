//! The settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::TypedText;

/// What may be asked about settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum SettingsRequest {
    /// The payout address that was changed outside the application is the person's own (`A-06`).
    ConfirmAddress,
    /// It is not: the address of the last run is put back.
    RestoreAddress,
    /// The password of the Bitcoin node, for this run of the program.
    EnterLogin {
        /// The password.
        password: TypedText,
        /// Whether the computer's password store keeps it for later runs.
        keeps: bool,
    },
}
