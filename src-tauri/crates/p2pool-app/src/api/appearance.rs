//! How things look: the person's choices, which hold on every page at once.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Smallest and largest size of text, in percent of the usual one.
pub const TEXT_PERCENT_MIN: u32 = 90;
/// See [`TEXT_PERCENT_MIN`].
pub const TEXT_PERCENT_MAX: u32 = 150;

/// How things look, beside the theme. Push on change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
#[ts(export)]
pub struct Appearance {
    /// How amounts are written.
    pub amounts: AmountUnit,
    /// How temperatures are written.
    pub temperature: TemperatureUnit,
    /// Size of text in percent of the usual one, 90 to 150.
    pub text_percent: u32,
    /// What moves.
    pub motion: Motion,
    /// Whether lines of charts differ by their pattern too, not by their colour alone.
    pub colour_safe: bool,
}

/// How amounts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AmountUnit {
    /// `0.003 750 00 BTC`.
    #[default]
    Btc,
    /// `375,000 sats`.
    Sats,
}

/// How temperatures are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum TemperatureUnit {
    /// °C.
    #[default]
    Celsius,
    /// °F.
    Fahrenheit,
}

/// What moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Motion {
    /// As the system says.
    #[default]
    System,
    /// Nothing.
    Reduced,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            amounts: AmountUnit::default(),
            temperature: TemperatureUnit::default(),
            text_percent: 100,
            motion: Motion::default(),
            colour_safe: true,
        }
    }
}

impl Appearance {
    /// The same with a size of text that can be read.
    #[must_use]
    pub fn bounded(self) -> Self {
        let text_percent = self.text_percent.clamp(TEXT_PERCENT_MIN, TEXT_PERCENT_MAX);
        Self { text_percent, ..self }
    }
}
