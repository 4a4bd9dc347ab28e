//! Problems by code. The words live in the window's text catalogue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ProblemAction, ProblemCode, UnixSeconds};

/// Most problems in the list.
pub const PROBLEMS_MAX: usize = 20;

/// How much a problem matters; also the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Mining goes on, something suffers.
    Warning,
    /// Mining stopped or something was lost.
    Error,
}

/// One present problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Problem {
    /// Names this occurrence in requests; unique for the life of the controller.
    pub id: u32,
    /// What it is.
    pub code: ProblemCode,
    /// How much it matters.
    pub severity: Severity,
    /// Since when.
    pub since: UnixSeconds,
    /// Values for the sentence, by the names given at each [`ProblemCode`].
    pub values: BTreeMap<String, String>,
    /// Technical text for *Details*, copyable; empty if there is none. Without secrets and paths
    /// of other users.
    pub technical: String,
    /// Buttons that have an effect now, safest first.
    pub actions: Vec<ProblemAction>,
}
