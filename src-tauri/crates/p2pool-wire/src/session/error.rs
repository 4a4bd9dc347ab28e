//! Why sessions end, and whose fault that is.

use p2pool_sharechain::verify::Blame;

use super::{HANDSHAKE_TIMEOUT, SILENCE_MAX};
use crate::frame::{Command, FrameError, PayloadTooLong};
use crate::message::MessageError;

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Broken envelope.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Broken message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Something else came before the greeting.
    #[error("message {0} came before version")]
    NotGreeted(Command),
    /// A second greeting.
    #[error("a second version message")]
    GreetedTwice,
    /// The peer's program is too old.
    #[error("protocol version {found} is older than {wanted}")]
    TooOld {
        /// The peer's.
        found: u32,
        /// The oldest accepted.
        wanted: u32,
    },
    /// Both ends are this process.
    #[error("connected to itself")]
    ConnectedToSelf,
    /// The peer with this random number is connected already.
    #[error("connected twice")]
    ConnectedTwice(u64),
    /// No greeting in time.
    #[error("no greeting within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    HandshakeTimeout,
    /// Nothing at all for too long.
    #[error("nothing heard for {} s", SILENCE_MAX.as_secs())]
    Silent,
    /// A message was to be sent that no frame can hold.
    #[error(transparent)]
    Unsendable(#[from] PayloadTooLong),
}

impl SessionError {
    /// Whose fault it is: [`Blame::Sender`] where the address should be avoided for a while.
    /// A connection to itself counts as such, because dialling that address again is in vain.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Frame(error) => error.blame(),
            Self::Message(error) => error.blame(),
            Self::NotGreeted(_)
            | Self::GreetedTwice
            | Self::TooOld { .. }
            | Self::ConnectedToSelf => Blame::Sender,
            Self::ConnectedTwice(_)
            | Self::HandshakeTimeout
            | Self::Silent
            | Self::Unsendable(_) => Blame::Nobody,
        }
    }
}
