//! A text that a person typed and that may be a secret.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use ts_rs::TS;

/// What is shown in place of it.
const MASK: &str = "********";

/// What a person typed or pasted where a secret may be: a password, or an address field into which
/// somebody pasted a private key. It travels from the window inwards only; neither a log nor an
/// answer ever shows it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, TS)]
#[serde(transparent)]
#[ts(export, type = "string")]
pub struct TypedText(String);

impl TypedText {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who has to know it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TypedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedText(..)")
    }
}

impl Serialize for TypedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_comes_in_and_never_goes_out() {
        let typed: TypedText = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(typed.expose(), "hunter2");
        assert_eq!(serde_json::to_string(&typed).unwrap(), "\"********\"");
        assert!(!format!("{typed:?}").contains("hunter2"));
    }
}
