//! Words that a device says about itself, made safe to keep and to show; secrets that nobody shows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most characters that are kept of anything a device says.
pub const DEVICE_TEXT_CHARS_MAX: usize = 255;

/// A text from a device: bounded, on one line, without control characters and without characters
/// that change the direction of what stands around them. Still a stranger's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct DeviceText(String);

impl DeviceText {
    /// Keeps what may be shown of `raw`.
    pub fn clean(raw: &str) -> Self {
        let shown = raw.chars().filter(|c| is_showable(*c)).take(DEVICE_TEXT_CHARS_MAX);
        Self(shown.collect::<String>().trim().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for DeviceText {
    fn from(raw: String) -> Self {
        Self::clean(&raw)
    }
}

impl fmt::Display for DeviceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_showable(c: char) -> bool {
    // Marks, embeddings, overrides and isolates of writing direction; invisible joiners; separators
    // of lines and paragraphs; byte order mark; tags.
    let is_sly = matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !is_sly
}

/// A text that no log and no error may show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The six digits that a device's authenticator shows now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeCode(Secret);

impl OneTimeCode {
    /// Takes six digits; spaces between them are dropped.
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        let is_code = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| Self(Secret::new(digits)))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Login of a device's own interface, typed by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// What the user typed for one device. Lives in memory only and goes into no backup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// For devices with an authenticator.
    pub one_time_code: Option<OneTimeCode>,
    /// For devices with a login.
    pub login: Option<Login>,
    /// The old pool's password, for devices that must be told it again. `x` if nothing is given,
    /// which almost every pool takes.
    pub old_pool_password: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_or_break_lines_is_dropped() {
        let text = DeviceText::clean("  Bit\u{202e}axe\r\n\u{1b}[31m 601\u{0}\u{feff} ");
        assert_eq!(text.as_str(), "Bitaxe[31m 601");
        assert_eq!(DeviceText::clean("Nerd*Axe µ 矿机").as_str(), "Nerd*Axe µ 矿机");
        let long = DeviceText::clean(&"ü".repeat(10_000));
        assert_eq!(long.as_str().chars().count(), DEVICE_TEXT_CHARS_MAX);
    }

    #[test]
    fn a_text_read_from_a_file_is_cleaned_too() {
        let text: DeviceText = serde_json::from_str(r#""a\u202eb""#).unwrap();
        assert_eq!(text.as_str(), "ab");
    }

    #[test]
    fn a_one_time_code_has_six_digits() {
        assert_eq!(OneTimeCode::parse("123 456").unwrap().expose(), "123456");
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(OneTimeCode::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let password = Secret::new("hunter2".into());
        let secrets = Secrets {
            one_time_code: OneTimeCode::parse("123456"),
            login: Some(Login { user: "root".into(), password }),
            old_pool_password: Some(Secret::new("hunter3".into())),
        };
        let shown = format!("{secrets:?}");
        assert!(!shown.contains("hunter") && !shown.contains("123456"), "{shown}");
    }
}
