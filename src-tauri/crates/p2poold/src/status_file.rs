//! What a running node leaves for `p2poold status`: a file beside its database, rewritten every few
//! seconds, and a lock that is held as long as the node runs.
//!
//! A file works on every system, for every user who may read the data folder, and when the node
//! hangs; the lock tells a node that runs from one that was killed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::notice::Status;
use crate::secrets::create_private;

const STATUS_FILE: &str = "status.json";
const LOCK_FILE: &str = "status.lock";
/// Longer than any that was written: hundreds of payouts of some hundred bytes.
const BYTES_MAX: u64 = 4 << 20;
/// Somebody who looks whether the lock is held holds it for an instant.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A running node, as another process sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) version: String,
    /// Number of the process.
    pub(crate) process: u32,
    /// Name of the share chain's network.
    pub(crate) network: String,
    pub(crate) is_practice: bool,
    /// Unix seconds.
    pub(crate) started_at: u64,
    /// Unix seconds.
    pub(crate) written_at: u64,
    pub(crate) stratum_url: String,
    pub(crate) payout_address: String,
    pub(crate) rpc_url: String,
    pub(crate) database: PathBuf,
    pub(crate) status: Status,
}

/// Writes reports as long as the node runs; the file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct StatusWriter {
    folder: PathBuf,
    _lock: File,
    /// A disk that refuses is told once.
    has_failed: bool,
}

impl StatusWriter {
    /// Takes the lock of a node's folder.
    ///
    /// # Errors
    /// The disk refuses, or another process holds the lock.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let lock = open_lock(folder)?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    let folder = folder.to_owned();
                    return Ok(Self { folder, _lock: lock, has_failed: false });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other("another process holds its lock"))
    }

    /// Puts a report in place of the one before.
    pub(crate) fn write(&mut self, report: &Report) {
        let written = self.try_write(report);
        match &written {
            Err(error) if !self.has_failed => {
                tracing::warn!(%error, "no status file can be written");
            }
            Ok(()) | Err(_) => {}
        }
        self.has_failed = written.is_err();
    }

    fn try_write(&self, report: &Report) -> io::Result<()> {
        let path = self.folder.join(STATUS_FILE);
        let new = path.with_extension("new");
        // One that an earlier run could not finish is in the way.
        let _ = fs::remove_file(&new);
        let text = serde_json::to_string(report)?;
        create_private(&new)?.write_all(text.as_bytes())?;
        fs::rename(&new, &path)
    }
}

impl Drop for StatusWriter {
    fn drop(&mut self) {
        // The lock alone says that the node has gone.
        let _ = fs::remove_file(self.folder.join(STATUS_FILE));
    }
}

/// The report of the node that runs in this folder; `None` if none runs there.
///
/// # Errors
/// One runs, but its report cannot be read.
pub(crate) fn read(folder: &Path) -> io::Result<Option<Report>> {
    if !folder.join(LOCK_FILE).exists() || !is_running(folder)? {
        return Ok(None);
    }
    let file = match File::open(folder.join(STATUS_FILE)) {
        // It has only just begun, or is about to end.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(serde_json::from_str(&text)?))
}

fn is_running(folder: &Path) -> io::Result<bool> {
    match open_lock(folder)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open_lock(folder: &Path) -> io::Result<File> {
    let path = folder.join(LOCK_FILE);
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::notice::tests::status;

    pub(crate) fn report(network: &str) -> Report {
        Report {
            version: "0.1.0".into(),
            process: 7,
            network: network.into(),
            is_practice: false,
            started_at: 1_790_000_000,
            written_at: 1_790_000_065,
            stratum_url: "stratum+tcp://0.0.0.0:9332".into(),
            payout_address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".into(),
            rpc_url: "http://127.0.0.1:8332".into(),
            database: "/data/bitcoin/node.sqlite".into(),
            status: status(),
        }
    }

    #[test]
    fn a_report_is_there_as_long_as_its_node_runs() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let mut writer = StatusWriter::open(folder.path()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), None, "nothing written yet");
        writer.write(&report("bitcoin"));
        assert_eq!(read(folder.path()).unwrap(), Some(report("bitcoin")));
        assert!(StatusWriter::open(folder.path()).is_err(), "one node a folder");
        drop(writer);
        assert_eq!(read(folder.path()).unwrap(), None);
        StatusWriter::open(folder.path()).unwrap();
    }

    #[test]
    fn what_a_killed_node_left_behind_is_no_report() {
        let folder = tempfile::tempdir().unwrap();
        let text = serde_json::to_string(&report("bitcoin")).unwrap();
        fs::write(folder.path().join(STATUS_FILE), text).unwrap();
        fs::write(folder.path().join(LOCK_FILE), "").unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }

    #[test]
    fn a_damaged_report_is_an_error_and_not_a_wrong_figure() {
        let folder = tempfile::tempdir().unwrap();
        let _writer = StatusWriter::open(folder.path()).unwrap();
        fs::write(folder.path().join(STATUS_FILE), "{\"version\":").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
