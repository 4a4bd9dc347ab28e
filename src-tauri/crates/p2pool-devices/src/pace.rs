//! How often a device may be asked how it is doing.

use std::time::Duration;

/// While its page is open.
pub const POLL_WATCHED: Duration = Duration::from_secs(15);
/// Otherwise.
pub const POLL_UNWATCHED: Duration = Duration::from_secs(60);
/// When it does not answer.
pub const POLL_SILENT: Duration = Duration::from_secs(300);
/// Never faster: these web servers are small.
pub const POLL_MIN: Duration = Duration::from_secs(5);
/// Failures in a row after which a device counts as away.
const FAILURES_MAX: u32 = 3;

/// Remembers how a device answered, and says when to ask again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    failures: u32,
}

impl Pace {
    /// The pause after a question.
    pub fn after(&mut self, is_answered: bool, is_watched: bool) -> Duration {
        self.failures = if is_answered { 0 } else { self.failures.saturating_add(1) };
        if self.failures >= FAILURES_MAX {
            POLL_SILENT
        } else if is_watched {
            POLL_WATCHED
        } else {
            POLL_UNWATCHED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_device_is_asked_rarely_and_an_answer_forgives() {
        let mut pace = Pace::default();
        assert_eq!(pace.after(true, true), POLL_WATCHED);
        assert_eq!(pace.after(false, true), POLL_WATCHED);
        assert_eq!(pace.after(false, false), POLL_UNWATCHED);
        assert_eq!(pace.after(false, true), POLL_SILENT);
        assert_eq!(pace.after(false, true), POLL_SILENT);
        assert_eq!(pace.after(true, false), POLL_UNWATCHED);
        assert_eq!(pace.after(false, false), POLL_UNWATCHED);
    }
}
