//! The log file, for finding faults: bounded, without secrets.

use std::fmt::{self as fmt_std, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use p2pool_app::LogBook;
use p2pool_app::api::{LogLevel, UnixSeconds};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Name of the log file in the data folder; the one before it has `.old` added.
const FILE: &str = "p2pool-desktop.log";
/// Size at which a new file is begun; two of them are kept.
const FILE_BYTES_MAX: u64 = 5_000_000;
/// What is logged, unless this variable says otherwise.
const VARIABLE: &str = "P2POOL_LOG";
const FILTER: &str = "info,zbus=warn";

/// Begins to log into the data folder.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn begin(folder: &Path, book: Arc<LogBook>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let log = LogFile::open(folder.join(FILE))?;
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(FILTER));
    let file = fmt::layer().with_ansi(false).with_writer(Mutex::new(log));
    tracing_subscriber::registry()
        .with(filter)
        .with(file)
        .with(BookLayer(book))
        .try_init()
        .map_err(io::Error::other)
}

/// Writes every line into the log in memory, too.
struct BookLayer(Arc<LogBook>);

impl<S: Subscriber> Layer<S> for BookLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let level = match *event.metadata().level() {
            Level::TRACE => LogLevel::Trace,
            Level::DEBUG => LogLevel::Debug,
            Level::INFO => LogLevel::Info,
            Level::WARN => LogLevel::Warn,
            Level::ERROR => LogLevel::Error,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = UnixSeconds(now.as_secs());
        let Words { message, fields } = words;
        self.0.write(at, level, event.metadata().target(), &message, &fields);
    }
}

/// The sentence of an event, and its values.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt_std::Debug) {
        // Writing into a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, "{}={value:?} ", field.name())
        };
    }
}

/// A file that begins anew when it has grown too long.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl LogFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes, bytes_max: FILE_BYTES_MAX })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let mut old = self.path.clone().into_os_string();
        old.push(".old");
        fs::rename(&self.path, old)?;
        let bytes_max = self.bytes_max;
        *self = Self { bytes_max, ..Self::open(self.path.clone())? };
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.bytes >= self.bytes_max {
            self.begin_anew()?;
        }
        let written = self.file.write(text)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_kept_in_two_files_of_a_bounded_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let mut log = LogFile { bytes_max: 100, ..LogFile::open(path.clone()).unwrap() };
        for number in 0..100 {
            writeln!(log, "line {number}").unwrap();
        }
        drop(log);
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(read(FILE).ends_with("line 99\n"));
        assert!(read(FILE).len() < 120 && read("p2pool-desktop.log.old").len() < 120);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn log_goes_on_where_the_last_run_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        LogFile::open(path.clone()).unwrap().write_all(b"one\n").unwrap();
        let mut log = LogFile::open(path.clone()).unwrap();
        log.write_all(b"two\n").unwrap();
        assert_eq!((fs::read_to_string(path).unwrap().as_str(), log.bytes), ("one\ntwo\n", 8));
    }
}
