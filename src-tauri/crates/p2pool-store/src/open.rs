//! Opening: the lock, the checks, the way from an older schema, a damaged file set aside.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use p2pool_sharechain::time::UnixTime;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use crate::error::{OpenError, StoreError, is_damage};
use crate::{recover, schema};

/// Name of the database in its folder.
pub const DATABASE_FILE: &str = "node.sqlite";
/// Name of the file whose lock says that the folder is in use.
pub const LOCK_FILE: &str = "node.lock";

/// How long a write waits for another program that looks into the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this size after a checkpoint.
const WAL_BYTES_MAX: u32 = 16 << 20;

/// The one writer of a node's database.
#[derive(Debug)]
pub struct Store {
    // Closed before the lock is released: fields are dropped in this order.
    pub(crate) conn: Connection,
    path: PathBuf,
    _lock: File,
}

/// A store that was opened, and what happened on the way.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where a damaged database was put. Found blocks and own shares that could still be read
    /// were carried over, everything else starts anew.
    pub recovered: Option<PathBuf>,
}

impl Store {
    /// Opens the database in `dir`, making both when they are missing.
    ///
    /// `network_id` names the network and its identifier, so that shares of one network never
    /// meet those of another. `now` dates a damaged file that is set aside.
    ///
    /// # Errors
    /// Folder in use or not writable, database of another network, of a newer version or of
    /// another program.
    pub fn open(
        dir: &Path,
        network_id: &str,
        app_version: &str,
        now: UnixTime,
    ) -> Result<Opened, OpenError> {
        let lock = lock(dir)?;
        let path = dir.join(DATABASE_FILE);
        recover::finish_replacement(&path)
            .map_err(|source| OpenError::Unwritable { path: path.clone(), source })?;
        let (conn, recovered) = match open_sound(&path, network_id, app_version) {
            Err(OpenError::Damaged { detail, .. }) => {
                let aside = recover::replace(&path, network_id, app_version, now)?;
                tracing::warn!(%detail, set_aside = %aside.display(), "database was damaged");
                (open_sound(&path, network_id, app_version)?, Some(aside))
            }
            other => (other?, None),
        };
        Ok(Opened { store: Self { conn, path, _lock: lock }, recovered })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the database, with everything in the one file.
    ///
    /// Dropping the store loses nothing either; the log then stays beside the file until the
    /// next start.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn close(self) -> Result<(), StoreError> {
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.conn.close().map_err(|(_, error)| error.into())
    }
}

/// Creates the folder and takes its lock.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let unwritable = |path: &Path, source| OpenError::Unwritable { path: path.into(), source };
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, error))?;
    let path = dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| unwritable(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(unwritable(&path, error)),
    }
}

/// Opens a database that is ours, whole, of the wanted network, and brings it up to date.
pub(crate) fn open_sound(
    path: &Path,
    network_id: &str,
    app_version: &str,
) -> Result<Connection, OpenError> {
    let failed = |error| open_error(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let version = identify(&conn, path, network_id)?;
    configure(&conn).map_err(failed)?;
    check_soundness(&conn, path)?;
    schema::migrate(&mut conn, version).map_err(failed)?;
    conn.execute(
        "INSERT INTO meta (key, value) VALUES ('network', ?1), ('app_version', ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [network_id, app_version],
    )
    .map_err(failed)?;
    Ok(conn)
}

/// Makes sure that the file is empty or ours, and of `network_id`; changes nothing.
/// Returns the schema number.
fn identify(conn: &Connection, path: &Path, network_id: &str) -> Result<u32, OpenError> {
    let failed = |error| open_error(path, error);
    let version = schema::version(conn).map_err(failed)?;
    let application: i32 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: u32 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if tables == 0 && version == 0 {
        return Ok(0);
    }
    if application != schema::APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.into() });
    }
    if version > schema::NEWEST {
        return Err(OpenError::TooNew { found: version, known: schema::NEWEST });
    }
    let found: Option<String> = conn
        .query_row("SELECT value FROM meta WHERE key = 'network'", [], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    match found {
        Some(found) if found != network_id => {
            Err(OpenError::OtherNetwork { found, wanted: network_id.to_owned() })
        }
        _ => Ok(version),
    }
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // macOS: without this a sync does not reach the platter. No effect elsewhere.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_MAX, |_| Ok(()))
}

fn check_soundness(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let verdict: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| open_error(path, error))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(OpenError::Damaged { path: path.into(), detail: verdict }),
    }
}

/// Sorts SQLite's errors while opening.
pub(crate) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    if is_damage(&error) {
        return OpenError::Damaged { path, detail: error.to_string() };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            OpenError::Unwritable { path, source: io::Error::other(error) }
        }
        _ => OpenError::Store { path, source: error.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_synced_to_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "net", "0.1.0", UnixTime(0)).unwrap().store;
        let number = |pragma| -> i64 {
            store.conn.pragma_query_value(None, pragma, |row| row.get(0)).unwrap()
        };
        assert_eq!(number("synchronous"), 2, "FULL");
        assert_eq!(number("fullfsync"), 1);
        assert_eq!(number("foreign_keys"), 1);
        let mode: String =
            store.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
