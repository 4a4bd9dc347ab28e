//! Messages for finding faults: to standard error, or into the live view, which they would tear.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::Failure;

/// Messages that wait for the live view; older ones are forgotten.
const WAITING_MAX: usize = 100;

/// Messages on their way into the live view.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLines(Arc<Mutex<VecDeque<String>>>);

impl LogLines {
    /// All messages since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// One call is one message: that is how a subscriber writes.
impl io::Write for LogLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in String::from_utf8_lossy(text).lines() {
            if lines.len() == WAITING_MAX {
                lines.pop_front();
            }
            lines.push_back(line.to_owned());
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Begins to log; with `lines`, into them.
///
/// # Errors
/// A filter that makes no sense.
pub(crate) fn init(filter: &str, lines: Option<LogLines>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::bad_options(&format!("--log {filter}: {error}")))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let outcome = match lines {
        Some(lines) => builder.without_time().with_writer(lines).try_init(),
        None => builder.with_writer(io::stderr).try_init(),
    };
    outcome.map_err(|error| Failure::bad_options(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn messages_are_kept_newest_last_and_bounded() {
        let mut lines = LogLines::default();
        for number in 0..WAITING_MAX + 5 {
            lines.write_all(format!("message {number}\n").as_bytes()).unwrap();
        }
        let taken = lines.take();
        assert_eq!(taken.len(), WAITING_MAX);
        assert_eq!(taken.last().unwrap(), "message 104");
        assert!(lines.take().is_empty());
    }

    #[test]
    fn nonsense_filter_is_refused() {
        assert_eq!(init("=,=", None).unwrap_err().code, "E-CLI-01");
    }
}
