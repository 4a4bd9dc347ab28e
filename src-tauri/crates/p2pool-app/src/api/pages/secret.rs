//! A text from the window that no log may show.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A password or a code on its way in. It never travels out: nothing that is sent holds one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(export, type = "string")]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_not_shown_in_logs() {
        let secret: SecretText = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret:?}"), "SecretText(..)");
        assert_eq!(secret.into_inner(), "hunter2");
    }
}
