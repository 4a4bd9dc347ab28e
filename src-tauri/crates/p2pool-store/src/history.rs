//! Reading for pages: a connection of its own that can only look.

use std::path::Path;
use std::time::Duration;

use p2pool_sharechain::change::{BlockStatus, FoundBlock, OwnShare};
use p2pool_sharechain::hash::ShareHash;
use p2pool_sharechain::time::UnixTime;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use crate::Store;
use crate::columns::{
    self, BLOCK_COLUMNS, OWN_SHARE_COLUMNS, found_block, hash, integer, own_share, time, unsigned,
};
use crate::error::StoreError;
use crate::load::ShareRows;
use crate::records::{EventRecord, SeriesPoint, Step, StoredEvent};

/// Most rows that one question gets, whatever it asks for.
pub(crate) const ROWS_MAX: u32 = 10_000;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads history beside the writer; cannot change anything.
#[derive(Debug)]
pub struct HistoryReader {
    pub(crate) conn: Connection,
}

/// What one found block pays one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRow {
    /// The block.
    pub block: ShareHash,
    /// Its height.
    pub height: u32,
    /// When it was found.
    pub found_at: UnixTime,
    /// Where it stands.
    pub status: BlockStatus,
    /// The amount, summed over the outputs with that script.
    pub sats: u64,
}

impl Store {
    /// Opens a reader of this database.
    ///
    /// # Errors
    /// The file cannot be opened a second time.
    pub fn history(&self) -> Result<HistoryReader, StoreError> {
        HistoryReader::open(self.path())
    }
}

impl HistoryReader {
    /// Opens a reader of the database file at `path`, which a [`Store`] holds open.
    ///
    /// # Errors
    /// The file is missing or cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(Self { conn })
    }

    /// All shares, lowest first. A share whose row makes no sense comes as an error, and the next
    /// one follows.
    pub fn shares(&self) -> ShareRows<'_> {
        ShareRows::new(&self.conn)
    }

    /// The best share when the node last stored one.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn best(&self) -> Result<Option<ShareHash>, StoreError> {
        best(&self.conn)
    }

    /// Up to `limit` events recorded before the event `before`, newest first. Pages follow one
    /// another by the smallest `seq` of the page before.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn events(&self, before: Option<i64>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        events(&self.conn, before.unwrap_or(i64::MAX), limit)
    }

    /// Points of a chart between two times, both included, oldest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn series(
        &self,
        name: &str,
        subject: &str,
        from: UnixTime,
        to: UnixTime,
        step: Step,
    ) -> Result<Vec<SeriesPoint>, StoreError> {
        series(&self.conn, name, subject, from, to, step)
    }

    /// The newest `limit` own shares found between two times, both included, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn own_shares(
        &self,
        from: UnixTime,
        to: UnixTime,
        limit: u32,
    ) -> Result<Vec<OwnShare>, StoreError> {
        own_shares(&self.conn, from, to, limit)
    }

    /// The newest `limit` found blocks, newest first, without payouts; with their bytes only
    /// while they are being submitted.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn blocks(&self, limit: u32) -> Result<Vec<FoundBlock>, StoreError> {
        blocks(&self.conn, limit)
    }

    /// What a found block pays: scripts and sats, in output order.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn payouts(&self, block: ShareHash) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
        payouts(&self.conn, block)
    }

    /// A found block's bytes, if this node has them.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn block_bytes(&self, block: ShareHash) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes: Option<Option<Vec<u8>>> = self
            .conn
            .prepare_cached("SELECT raw FROM blocks_found WHERE hash = ?1")?
            .query_row([block.to_internal()], |row| row.get(0))
            .optional()?;
        Ok(bytes.flatten())
    }

    /// The newest `limit` found blocks that pay `script`, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn payouts_to(&self, script: &[u8], limit: u32) -> Result<Vec<PayoutRow>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(PayoutRow {
                block: hash(row, 0)?,
                height: row.get(1)?,
                found_at: time(row, 2)?,
                status: columns::status(row, 3)?,
                sats: unsigned(row, 4)?,
            })
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT hash, height, found_at, status, sum(sats)
             FROM payouts JOIN blocks_found ON hash = block
             WHERE script = ?1 GROUP BY hash ORDER BY found_at DESC, hash LIMIT ?2",
        )?;
        let rows = statement.query_map(params![script, limit.min(ROWS_MAX)], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(crate) fn best(conn: &Connection) -> Result<Option<ShareHash>, StoreError> {
    let best: Option<[u8; 32]> = conn
        .query_row("SELECT value FROM meta WHERE key = 'best_share'", [], |row| row.get(0))
        .optional()?;
    Ok(best.map(ShareHash::from_internal))
}

pub(crate) fn events(
    conn: &Connection,
    before: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let read = |row: &Row<'_>| {
        let event = EventRecord { at: time(row, 1)?, kind: row.get(2)?, json: row.get(3)? };
        Ok(StoredEvent { seq: row.get(0)?, event })
    };
    let mut statement = conn.prepare_cached(
        "SELECT seq, at, kind, json FROM events WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before, limit.min(ROWS_MAX)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn series(
    conn: &Connection,
    name: &str,
    subject: &str,
    from: UnixTime,
    to: UnixTime,
    step: Step,
) -> Result<Vec<SeriesPoint>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(SeriesPoint {
            name: name.to_owned(),
            subject: subject.to_owned(),
            step,
            at: time(row, 0)?,
            min: row.get(1)?,
            avg: row.get(2)?,
            max: row.get(3)?,
        })
    };
    let mut statement = conn.prepare_cached(
        "SELECT at, min, avg, max FROM series
         WHERE name = ?1 AND subject = ?2 AND step = ?3 AND at BETWEEN ?4 AND ?5
         ORDER BY at DESC LIMIT ?6",
    )?;
    let key = params![name, subject, step.secs(), integer(from.0), integer(to.0), ROWS_MAX];
    let mut points: Vec<_> = statement.query_map(key, read)?.collect::<Result<_, _>>()?;
    points.reverse();
    Ok(points)
}

pub(crate) fn own_shares(
    conn: &Connection,
    from: UnixTime,
    to: UnixTime,
    limit: u32,
) -> Result<Vec<OwnShare>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {OWN_SHARE_COLUMNS} FROM own_shares WHERE found_at BETWEEN ?1 AND ?2
         ORDER BY found_at DESC, rowid DESC LIMIT ?3"
    ))?;
    let range = params![integer(from.0), integer(to.0), limit.min(ROWS_MAX)];
    let rows = statement.query_map(range, own_share)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn blocks(conn: &Connection, limit: u32) -> Result<Vec<FoundBlock>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {BLOCK_COLUMNS} FROM blocks_found ORDER BY found_at DESC, rowid DESC LIMIT ?1"
    ))?;
    let rows = statement.query_map([limit.min(ROWS_MAX)], found_block)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn payouts(
    conn: &Connection,
    block: ShareHash,
) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT script, sats FROM payouts WHERE block = ?1 ORDER BY position")?;
    let rows =
        statement.query_map([block.to_internal()], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "net", "0.1.0", UnixTime(0)).unwrap().store;
        let reader = store.history().unwrap();
        assert!(reader.conn.execute("DELETE FROM meta", []).is_err());
        assert!(reader.events(None, 1).is_ok());
    }

    #[test]
    fn a_reader_makes_no_database() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none.sqlite");
        assert!(HistoryReader::open(&path).is_err());
        assert!(!path.exists());
    }
}
