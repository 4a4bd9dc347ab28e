//! [`Face`]: how notices reach whoever started the program.

use std::io;
use std::time::Duration;

use crate::notice::Notice;

/// Tells nobody: those who listened have gone, and the node is worth more than its view.
#[derive(Debug)]
pub(crate) struct Silence;

impl Face for Silence {
    fn status_every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn tell(&mut self, _ran: Duration, _notice: &Notice) -> io::Result<()> {
        Ok(())
    }
}

/// A way of telling. A failed write means that nobody listens any more.
pub(crate) trait Face {
    /// Time between two statuses.
    fn status_every(&self) -> Duration;

    /// Tells something. `ran` is the time since the start.
    ///
    /// # Errors
    /// Nobody listens any more.
    fn tell(&mut self, ran: Duration, notice: &Notice) -> io::Result<()>;
}
