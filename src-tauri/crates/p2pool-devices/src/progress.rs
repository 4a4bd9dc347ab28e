//! What is seen of a change while it goes on, and how it can end well.

use std::time::Duration;

/// Time for the first accepted result after the login.
pub const RESULT_WITHIN: Duration = Duration::from_secs(300);

/// A step that the user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The backup is on the disk.
    BackedUp,
    /// The device has the new settings.
    Sent,
    /// It was told to restart.
    Restarting,
    /// It logged in at our door.
    Connected,
    /// It brought its first accepted result.
    FirstResult,
}

/// How often a device came to our door since the application started. Counted by its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorCount {
    /// Accepted logins.
    pub logins: u64,
    /// Accepted results.
    pub results: u64,
}

/// A good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The device works for us.
    Hashing,
    /// It logged in, but brought no result in five minutes.
    ConnectedOnly,
    /// It has its old settings.
    Restored,
}
