//! What can go wrong with a device, and which code of the error catalogue says so.

use crate::address::NotPrivate;
use crate::text::DeviceText;

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Nobody listens there.
    #[error("the connection was refused")]
    Refused,
    /// Nothing came in time.
    #[error("no answer in time")]
    TimedOut,
    /// This computer knows no way there; on macOS also: the Local Network permission is missing.
    #[error("no route to the device")]
    NoRoute,
    /// The connection ended in the middle.
    #[error("the connection broke")]
    Broken,
}

/// Why a device refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// It takes no settings from this computer's address.
    #[error("it takes no settings from this computer")]
    ThisComputer,
    /// It wants its login.
    #[error("it wants its login")]
    NeedsLogin,
    /// It does not know the given login.
    #[error("it does not know this login")]
    WrongLogin,
    /// It wants the code of its authenticator.
    #[error("it wants its one-time code")]
    NeedsOneTimeCode,
    /// The given code is not the present one.
    #[error("the one-time code is not the present one")]
    WrongOneTimeCode,
    /// Too many wrong codes: it listens to none for five minutes.
    #[error("too many wrong codes: blocked for five minutes")]
    BlockedForMinutes,
}

/// A call that did not end as it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The address must not be called.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// Nothing came back.
    #[error(transparent)]
    Silent(#[from] Silence),
    /// The device refuses this caller.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The device refuses this request, in its own words.
    #[error("the device refused the request: {0}")]
    Rejected(DeviceText),
    /// More came back than a device has to say.
    #[error("the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// What came back is not what this kind of device says.
    #[error("the answer is not understood: {0}")]
    NotUnderstood(&'static str),
}

/// Why a change or its undoing did not come to a good end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceProblem {
    /// The device refuses. `D-01`, or `D-07` for a wrong login.
    #[error("the device refuses: {0}")]
    Refuses(#[from] Denial),
    /// The device took the settings and shows others. `D-02`
    #[error("the device did not keep {}", settings.join(", "))]
    NotKept {
        /// Settings that are not as sent, by the device's own names.
        settings: Vec<String>,
    },
    /// The device refused the request itself. `D-02`
    #[error("the device refused the request: {0}")]
    NotTaken(DeviceText),
    /// It did not come back in time. `D-03`
    #[error("the device did not come back")]
    NotBack,
    /// It is back, but works elsewhere. `D-04`
    #[error("the device is back, but does not come to us")]
    OnOtherPool,
    /// The device is off; its old settings wait. `D-06`
    #[error("the device does not answer: its old settings wait")]
    UndoWaits,
    /// The device does not answer; nothing was sent.
    #[error("the device does not answer: {0}")]
    Silent(Silence),
    /// Another device has this address now; nothing was sent.
    #[error("another device has this address now")]
    OtherDevice,
    /// The settings are no longer those of the plan; nothing was sent.
    #[error("the device's settings changed since the plan was made: {}", settings.join(", "))]
    ChangedMeanwhile {
        /// Settings that are not as planned, by the device's own names.
        settings: Vec<String>,
    },
    /// The device does not speak as its kind does.
    #[error("the device's answer is not understood")]
    NotUnderstood,
}

impl DeviceProblem {
    /// The code of the error catalogue; nothing if the way on is to read the device again.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refuses(Denial::WrongLogin) => Some("D-07"),
            Self::Refuses(_) => Some("D-01"),
            Self::NotKept { .. } | Self::NotTaken(_) => Some("D-02"),
            Self::NotBack => Some("D-03"),
            Self::OnOtherPool => Some("D-04"),
            Self::UndoWaits => Some("D-06"),
            Self::Silent(_)
            | Self::OtherDevice
            | Self::ChangedMeanwhile { .. }
            | Self::NotUnderstood => None,
        }
    }
}
