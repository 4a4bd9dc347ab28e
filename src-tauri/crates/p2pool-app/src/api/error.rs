//! The error a request can end with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

use super::ProblemCode;

/// Why a request or a subscription failed. The window branches on `code` alone and has the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, Error)]
#[error("{code:?}: {technical}")]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UiError {
    /// The code of the error catalogue.
    pub code: ProblemCode,
    /// Values for the sentence, by the names given at each [`ProblemCode`].
    pub values: BTreeMap<String, String>,
    /// Technical text for *Details*; empty if there is none.
    pub technical: String,
}

impl UiError {
    /// Makes an error without values.
    pub fn new(code: ProblemCode, technical: impl Into<String>) -> Self {
        Self { code, values: BTreeMap::new(), technical: technical.into() }
    }

    /// Adds a value for the sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }
}
