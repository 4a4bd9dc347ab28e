//! The one real clock and the one source of entropy of a node.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use p2pool_sharechain::time::{MonoTime, Now, UnixTime};

/// Monotonic time starts here, so that it differs from the "never" of loaded shares.
const HEAD_START: Duration = Duration::from_secs(24 * 3600);

/// Reads both clocks. Copies agree with each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { wall: UnixTime(wall.as_secs()), mono: MonoTime(HEAD_START + self.origin.elapsed()) }
    }

    /// The instant at which monotonic time reaches `mono`.
    pub(crate) fn instant(self, mono: MonoTime) -> tokio::time::Instant {
        (self.origin + mono.0.saturating_sub(HEAD_START)).into()
    }
}

/// Fresh randomness from the system.
pub(crate) fn random_u64() -> std::io::Result<u64> {
    getrandom::u64().map_err(std::io::Error::other)
}
