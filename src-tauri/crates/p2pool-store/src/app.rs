//! The application's own file: devices, what was changed on them, names that the user gave.
//!
//! Unlike the node's database it can be lost without loss of income; what it says of devices can be
//! learned again, and the backups of their settings are files of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::columns::{integer, time, unsigned};
use crate::error::{OpenError, StoreError};
use crate::open::open_error;
use crate::schema;
use p2pool_sharechain::time::UnixTime;

/// Name of the file in the application's folder.
pub const APP_DATABASE_FILE: &str = "app.sqlite";

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Steps as in the node's database.
const STEPS: [&str; 1] = [include_str!("../migrations/app/0001.sql")];
const NEWEST: u32 = STEPS.len() as u32;
const APPLICATION_ID: i32 = 0x5032_5041;
/// Rows of each kind that are read.
const ROWS_MAX: u32 = 10_000;

/// The application's records.
#[derive(Debug)]
pub struct AppStore {
    conn: Connection,
}

/// A device that the user added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// What it is known by.
    pub id: String,
    /// Who it is, as JSON.
    pub identity: String,
    /// When it was added.
    pub added_at: UnixTime,
}

/// A change of a device's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChangeRow {
    /// Its number.
    pub id: i64,
    /// The device.
    pub device: String,
    /// When it was begun.
    pub at: UnixTime,
    /// The backup's file.
    pub backup: String,
    /// When it was undone.
    pub undone_at: Option<UnixTime>,
    /// Whether its undoing waits for the device.
    pub is_undo_waiting: bool,
}

/// What the user calls a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRow {
    /// What is named.
    pub subject: String,
    /// The name; `None` for that which it gives itself.
    pub name: Option<String>,
    /// Whether it is left out of the list.
    pub is_hidden: bool,
}

impl AppStore {
    /// Opens the file in `dir`, making both when they are missing. A damaged file is set aside under
    /// a name with the date `now`, and a new one begun.
    ///
    /// # Errors
    /// Folder not writable, file of a newer version or of another program.
    pub fn open(dir: &Path, now: UnixTime) -> Result<Self, OpenError> {
        let unwritable = |path: &Path, source| OpenError::Unwritable { path: path.into(), source };
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, error))?;
        let path = dir.join(APP_DATABASE_FILE);
        let conn = match open(&path) {
            Err(OpenError::Damaged { detail, .. }) => {
                let aside = dir.join(format!("app.damaged-{}.sqlite", now.0));
                fs::rename(&path, &aside).map_err(|error| unwritable(&path, error))?;
                for log in ["app.sqlite-wal", "app.sqlite-shm"] {
                    // Usually there is none; of a damaged database it is of no use.
                    let _ = fs::remove_file(dir.join(log));
                }
                tracing::warn!(%detail, set_aside = %aside.display(), "records were damaged");
                open(&path)?
            }
            other => other?,
        };
        Ok(Self { conn })
    }

    /// The devices, in the order in which they were added.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, StoreError> {
        let mut query = self
            .conn
            .prepare("SELECT id, identity, added_at FROM devices ORDER BY added_at, id LIMIT ?1")?;
        let rows = query.query_map([ROWS_MAX], |row| {
            Ok(DeviceRow { id: row.get(0)?, identity: row.get(1)?, added_at: time(row, 2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Adds a device, or renews what is known of it.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn put_device(&self, device: &DeviceRow) -> Result<(), StoreError> {
        self.conn.execute(
            "INSERT INTO devices (id, identity, added_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET identity = excluded.identity",
            params![device.id, device.identity, integer(device.added_at.0)],
        )?;
        Ok(())
    }

    /// Forgets a device and its changes; the backups stay on the disk.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn forget_device(&mut self, id: &str) -> Result<(), StoreError> {
        let transaction = self.conn.transaction()?;
        transaction.execute("DELETE FROM devices WHERE id = ?1", [id])?;
        transaction.execute("DELETE FROM device_changes WHERE device = ?1", [id])?;
        Ok(transaction.commit()?)
    }

    /// All changes, oldest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn changes(&self) -> Result<Vec<DeviceChangeRow>, StoreError> {
        let mut query = self.conn.prepare(
            "SELECT id, device, at, backup, undone_at, waits FROM device_changes
             ORDER BY id LIMIT ?1",
        )?;
        let rows = query.query_map([ROWS_MAX], |row| {
            let undone: Option<i64> = row.get(4)?;
            Ok(DeviceChangeRow {
                id: row.get(0)?,
                device: row.get(1)?,
                at: time(row, 2)?,
                backup: row.get(3)?,
                undone_at: undone.is_some().then(|| time(row, 4)).transpose()?,
                is_undo_waiting: unsigned(row, 5)? > 0,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes a change that is about to be sent; returns its number.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn add_change(&self, device: &str, at: UnixTime, backup: &str) -> Result<i64, StoreError> {
        self.conn.execute(
            "INSERT INTO device_changes (device, at, backup) VALUES (?1, ?2, ?3)",
            params![device, integer(at.0), backup],
        )?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Notes how an undoing stands: done at a time, waiting for the device, or neither.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn note_undo(
        &self,
        change: i64,
        undone_at: Option<UnixTime>,
        is_waiting: bool,
    ) -> Result<(), StoreError> {
        self.conn.execute(
            "UPDATE device_changes SET undone_at = ?2, waits = ?3 WHERE id = ?1",
            params![change, undone_at.map(|at| integer(at.0)), u8::from(is_waiting)],
        )?;
        Ok(())
    }

    /// What the user calls miners, in the order of subjects.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn labels(&self) -> Result<Vec<LabelRow>, StoreError> {
        let mut query = self
            .conn
            .prepare("SELECT subject, name, is_hidden FROM labels ORDER BY subject LIMIT ?1")?;
        let rows = query.query_map([ROWS_MAX], |row| {
            let is_hidden = unsigned(row, 2)? > 0;
            Ok(LabelRow { subject: row.get(0)?, name: row.get(1)?, is_hidden })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Names a miner, or hides it. A label that says nothing is removed.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn put_label(&self, label: &LabelRow) -> Result<(), StoreError> {
        if label.name.is_none() && !label.is_hidden {
            self.conn.execute("DELETE FROM labels WHERE subject = ?1", [&label.subject])?;
            return Ok(());
        }
        self.conn.execute(
            "INSERT INTO labels (subject, name, is_hidden) VALUES (?1, ?2, ?3)
             ON CONFLICT (subject) DO UPDATE SET name = excluded.name,
                 is_hidden = excluded.is_hidden",
            params![label.subject, label.name, u8::from(label.is_hidden)],
        )?;
        Ok(())
    }

    /// Something small that the application remembers.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut query = self.conn.prepare("SELECT value FROM facts WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Remembers something small in place of what was remembered under that name.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn put_fact(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.conn.execute(
            "INSERT INTO facts (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value],
        )?;
        Ok(())
    }
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| open_error(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let version = schema::version(&conn).map_err(failed)?;
    let application: i32 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if version > NEWEST {
        return Err(OpenError::TooNew { found: version, known: NEWEST });
    }
    let tables: u32 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(OpenError::Foreign { path: PathBuf::from(path) });
    }
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(failed)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    for (number, step) in (1_u32..).zip(STEPS).skip(version as usize) {
        let transaction =
            conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction.execute_batch(step).map_err(failed)?;
        transaction.pragma_update(None, "user_version", number).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn device(id: &str) -> DeviceRow {
        DeviceRow { id: id.into(), identity: "{}".into(), added_at: NOW }
    }

    #[test]
    fn records_are_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = AppStore::open(dir.path(), NOW).unwrap();
        store.put_device(&device("a")).unwrap();
        store.put_device(&DeviceRow { identity: "{1}".into(), ..device("a") }).unwrap();
        let change = store.add_change("a", NOW, "a/1.json").unwrap();
        store.note_undo(change, None, true).unwrap();
        let label = LabelRow { subject: "a".into(), name: Some("cellar".into()), is_hidden: true };
        store.put_label(&label).unwrap();
        store.put_fact("x", "1").unwrap();
        store.put_fact("x", "2").unwrap();
        drop(store);

        let store = AppStore::open(dir.path(), NOW).unwrap();
        let devices = store.devices().unwrap();
        assert_eq!((devices.len(), devices[0].identity.as_str()), (1, "{1}"));
        let changes = store.changes().unwrap();
        assert_eq!((changes[0].undone_at, changes[0].is_undo_waiting), (None, true));
        assert_eq!(store.labels().unwrap(), [label]);
        assert_eq!(store.fact("x").unwrap().as_deref(), Some("2"));
        assert_eq!(store.fact("y").unwrap(), None);
    }

    #[test]
    fn forgotten_devices_take_their_changes_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = AppStore::open(dir.path(), NOW).unwrap();
        for id in ["a", "b"] {
            store.put_device(&device(id)).unwrap();
            store.add_change(id, NOW, "x").unwrap();
        }
        store.forget_device("a").unwrap();
        assert_eq!(store.devices().unwrap(), [device("b")]);
        assert_eq!(store.changes().unwrap().len(), 1);
    }

    #[test]
    fn label_that_says_nothing_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = AppStore::open(dir.path(), NOW).unwrap();
        let label = LabelRow { subject: "a".into(), name: None, is_hidden: true };
        store.put_label(&label).unwrap();
        store.put_label(&LabelRow { is_hidden: false, ..label }).unwrap();
        assert_eq!(store.labels().unwrap(), []);
    }

    #[test]
    fn damaged_file_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(APP_DATABASE_FILE), vec![7; 4096]).unwrap();
        let store = AppStore::open(dir.path(), NOW).unwrap();
        assert_eq!(store.devices().unwrap(), []);
        assert!(dir.path().join("app.damaged-1800000000.sqlite").exists());
    }
}
