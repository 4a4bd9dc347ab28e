//! The face for programs: one notice a line, as JSON. The shape is in `docs/events.md`.

use std::io::{self, Write};
use std::time::Duration;

use crate::face::Face;
use crate::notice::{Notice, now};

/// A status comes this often.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// Writes JSON lines.
#[derive(Debug)]
pub(crate) struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Face for JsonLines<W> {
    fn status_every(&self) -> Duration {
        STATUS_EVERY
    }

    fn tell(&mut self, _ran: Duration, notice: &Notice) -> io::Result<()> {
        // One write a line: a reader that looks in between sees whole lines.
        self.out.write_all(format!("{}\n", notice.to_json(now())).as_bytes())?;
        self.out.flush()
    }
}
