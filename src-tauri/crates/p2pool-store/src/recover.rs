//! A damaged database: what cannot be fetched again is rescued, the file is set aside.
//!
//! The new file is made under another name and takes the old one's place only when it is
//! complete, so that a crash at any moment leaves either the damaged file or the new one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use p2pool_sharechain::change::{ChangeSet, FoundBlock, OwnShare};
use p2pool_sharechain::time::UnixTime;
use rusqlite::{Connection, OpenFlags, Row, params};

use crate::columns;
use crate::error::{OpenError, StoreError};
use crate::open::{open_error, open_sound};
use crate::writer;

/// Files that belong to a database file, by what is added to its name.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Added to the name of the database that is being made to replace a damaged one.
const UNDER_WORK: &str = ".new";

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Completes or undoes a replacement that a crash interrupted.
pub(crate) fn finish_replacement(path: &Path) -> io::Result<()> {
    let fresh = with_suffix(path, UNDER_WORK);
    if !fresh.exists() {
        return Ok(());
    }
    if path.exists() {
        // The damaged file had not been moved: nothing is lost, it will be read again.
        return remove_database(&fresh);
    }
    // A log of the damaged file must never be taken for the new one's.
    COMPANIONS.iter().try_for_each(|suffix| remove_if_there(&with_suffix(path, suffix)))?;
    fs::rename(&fresh, path)?;
    sync_folder_of(path)
}

/// Replaces the damaged database at `path`; returns where the damaged one is now.
pub(crate) fn replace(
    path: &Path,
    network_id: &str,
    app_version: &str,
    now: UnixTime,
) -> Result<PathBuf, OpenError> {
    let rescued = rescue(path);
    tracing::warn!(
        own_shares = rescued.own.len(),
        blocks = rescued.blocks.len(),
        "rescued from the damaged database"
    );
    let unwritable = |source: io::Error| OpenError::Unwritable { path: path.to_owned(), source };
    let fresh = with_suffix(path, UNDER_WORK);
    let mut conn = open_sound(&fresh, network_id, app_version)?;
    let stored = |source: StoreError| OpenError::Store { path: fresh.clone(), source };
    writer::apply(&mut conn, &rescued).map_err(stored)?;
    // Back to a single file, so that one rename moves all of it.
    conn.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(|error| open_error(&fresh, error))?;
    conn.close().map_err(|(_, error)| open_error(&fresh, error))?;

    let aside = free_name(path, now);
    fs::rename(path, &aside).map_err(unwritable)?;
    for suffix in COMPANIONS {
        let companion = with_suffix(path, suffix);
        if companion.exists() {
            fs::rename(&companion, with_suffix(&aside, suffix)).map_err(unwritable)?;
        }
    }
    finish_replacement(path).map_err(unwritable)?;
    Ok(aside)
}

/// A name beside `path` that is not taken: `node.damaged-20260102-030405.sqlite`.
fn free_name(path: &Path, now: UnixTime) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let date = date_text(now);
    let name = |counter: u32| match counter {
        0 => path.with_file_name(format!("{stem}.damaged-{date}.sqlite")),
        _ => path.with_file_name(format!("{stem}.damaged-{date}-{counter}.sqlite")),
    };
    (0..).map(name).find(|name| !name.exists()).expect("a folder has fewer than 2^32 files")
}

/// `YYYYMMDD-HHMMSS`, in UTC.
fn date_text(time: UnixTime) -> String {
    // Civil date from days since 1970, in eras of 400 years that begin on a 1st of March.
    let days = time.0 / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time.0 / 3600 % 24, time.0 / 60 % 60, time.0 % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Reads what can still be read of own shares and found blocks.
fn rescue(path: &Path) -> ChangeSet {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(conn) = Connection::open_with_flags(path, flags) else {
        return ChangeSet::default();
    };
    let own = [columns::OWN_SHARE_COLUMNS, columns::OWN_SHARE_COLUMNS_OLD];
    let own = rescue_rows(&conn, &own, "own_shares", columns::own_share);
    let blocks =
        rescue_rows(&conn, &columns::BLOCK_COLUMNS_WHOLE, "blocks_found", columns::found_block);
    ChangeSet {
        own: own.into_iter().map(|(_, share): (i64, OwnShare)| share).collect(),
        blocks: blocks
            .into_iter()
            .map(|(_, block): (i64, FoundBlock)| rescue_payouts(&conn, block))
            .collect(),
        ..ChangeSet::default()
    }
}

/// Reads a table's rows in the order of their rowids, forwards up to the first broken page, then
/// backwards down to the last one. `columns` are those of the newest schema and of older ones.
fn rescue_rows<T>(
    conn: &Connection,
    columns: &[&str],
    table: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<(i64, T)> {
    let select = |columns: &str| format!("SELECT {columns} FROM {table} NOT INDEXED");
    let is_there = |columns: &&&str| conn.prepare(&select(columns)).is_ok();
    let Some(columns) = columns.iter().find(is_there) else { return Vec::new() };
    let scan = |from: i64, order: &str| {
        let mut found = Vec::new();
        // NOT INDEXED: the table itself, whatever state its indexes are in.
        let sql = format!(
            "SELECT {columns}, rowid FROM {table} NOT INDEXED WHERE rowid > ?1
             ORDER BY rowid {order}"
        );
        let Ok(mut statement) = conn.prepare(&sql) else { return (found, false) };
        let rowid_column = statement.column_count() - 1;
        let Ok(mut rows) = statement.query([from]) else { return (found, false) };
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    if let (Ok(rowid), Ok(value)) = (row.get(rowid_column), read(row)) {
                        found.push((rowid, value));
                    }
                }
                Ok(None) => return (found, true),
                Err(_) => return (found, false),
            }
        }
    };
    let (mut found, complete) = scan(i64::MIN, "ASC");
    if !complete {
        let last = found.last().map_or(i64::MIN, |(rowid, _)| *rowid);
        let (rest, _) = scan(last, "DESC");
        found.extend(rest.into_iter().rev());
    }
    found
}

fn rescue_payouts(conn: &Connection, mut block: FoundBlock) -> FoundBlock {
    let read = |conn: &Connection| -> rusqlite::Result<Vec<(Vec<u8>, u64)>> {
        let mut statement = conn.prepare_cached(
            "SELECT script, sats FROM payouts NOT INDEXED WHERE block = ?1 ORDER BY position",
        )?;
        let rows = statement.query_map(params![block.hash.to_internal()], |row| {
            Ok((row.get(0)?, columns::unsigned(row, 1)?))
        })?;
        rows.collect()
    };
    // A part of the payouts would be taken for all of them: keep all or none.
    if let Ok(payouts) = read(conn) {
        block.payouts = payouts;
    }
    block
}

fn remove_database(path: &Path) -> io::Result<()> {
    COMPANIONS.iter().try_for_each(|suffix| remove_if_there(&with_suffix(path, suffix)))?;
    remove_if_there(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes renames in the folder durable, where the system offers that.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date_text(UnixTime(0)), "19700101-000000");
        assert_eq!(date_text(UnixTime(951_782_400)), "20000229-000000");
        assert_eq!(date_text(UnixTime(1_709_251_199)), "20240229-235959");
        assert_eq!(date_text(UnixTime(1_798_761_599)), "20261231-235959");
        assert_eq!(date_text(UnixTime(4_107_542_400)), "21000301-000000");
    }

    #[test]
    fn an_interrupted_replacement_is_completed_or_undone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.sqlite");
        let fresh = with_suffix(&path, UNDER_WORK);

        fs::write(&path, "damaged").unwrap();
        fs::write(&fresh, "half made").unwrap();
        finish_replacement(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"damaged");
        assert!(!fresh.exists());

        fs::remove_file(&path).unwrap();
        fs::write(with_suffix(&path, "-wal"), "log of the damaged file").unwrap();
        fs::write(&fresh, "complete").unwrap();
        finish_replacement(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"complete");
        assert!(!with_suffix(&path, "-wal").exists());
    }
}
