//! Two clocks that must not be mixed up: wall time for rules, monotonic time for timers.

use core::ops::{Add, Sub};
use core::time::Duration;

/// Wall-clock time, whole seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time as the 32-bit number that headers and shares carry (saturating).
    pub fn to_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

/// Time since an arbitrary moment, never jumping back; the time of timers and of "seen first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoTime(pub Duration);

impl MonoTime {
    /// The moment monotonic time started; shares loaded from disk count as seen then.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// Time passed since `earlier`, zero if `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

impl Sub<Duration> for MonoTime {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(rhs))
    }
}

/// Both clocks at one moment; passed into every call that needs the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall time, for consensus rules and records.
    pub wall: UnixTime,
    /// Monotonic time, for timers.
    pub mono: MonoTime,
}
