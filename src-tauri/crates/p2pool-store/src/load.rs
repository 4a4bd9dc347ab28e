//! Reading at start: what the engine begins with.

use std::collections::VecDeque;

use p2pool_sharechain::change::{FoundBlock, OwnShare, StoredShare};
use p2pool_sharechain::hash::ShareHash;
use p2pool_sharechain::time::UnixTime;
use rusqlite::Connection;

use crate::Store;
use crate::columns::{SHARE_COLUMNS, stored_share};
use crate::error::StoreError;
use crate::history;
use crate::records::{SeriesPoint, Step, StoredEvent};

/// Shares read at a time: a batch is about a quarter of a megabyte.
const SHARES_PER_BATCH: u32 = 256;

impl Store {
    /// All shares, lowest first.
    ///
    /// A share whose row makes no sense comes as an error, and the next one follows.
    pub fn load_shares(&self) -> ShareRows<'_> {
        ShareRows::new(&self.conn)
    }

    /// The newest `limit` own shares, oldest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn load_own_shares(&self, limit: u32) -> Result<Vec<OwnShare>, StoreError> {
        let mut shares = history::own_shares(&self.conn, UnixTime(0), UnixTime(u64::MAX), limit)?;
        shares.reverse();
        Ok(shares)
    }

    /// The newest `limit` found blocks with their payouts, oldest first. A block's bytes come
    /// with it only while it is being submitted.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn load_blocks(&self, limit: u32) -> Result<Vec<FoundBlock>, StoreError> {
        let mut blocks = history::blocks(&self.conn, limit)?;
        for block in &mut blocks {
            block.payouts = history::payouts(&self.conn, block.hash)?;
        }
        blocks.reverse();
        Ok(blocks)
    }

    /// The best share when the node last stored one.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn load_best(&self) -> Result<Option<ShareHash>, StoreError> {
        history::best(&self.conn)
    }

    /// The newest `limit` events, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn recent_events(&self, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        history::events(&self.conn, i64::MAX, limit)
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
        history::series(&self.conn, name, subject, from, to, step)
    }
}

/// Shares as they are read, a batch at a time. See [`Store::load_shares`].
#[derive(Debug)]
pub struct ShareRows<'a> {
    conn: &'a Connection,
    batch: VecDeque<Result<StoredShare, StoreError>>,
    /// Height and rowid of the last row of the batch; `None` after the last batch.
    after: Option<(i64, i64)>,
}

impl<'a> ShareRows<'a> {
    pub(crate) fn new(conn: &'a Connection) -> Self {
        Self { conn, batch: VecDeque::new(), after: Some((-1, 0)) }
    }

    fn fill(&mut self, (height, rowid): (i64, i64)) -> rusqlite::Result<()> {
        self.after = None;
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {SHARE_COLUMNS}, rowid FROM shares WHERE (abs_height, rowid) > (?1, ?2)
             ORDER BY abs_height, rowid LIMIT {SHARES_PER_BATCH}"
        ))?;
        let mut rows = statement.query([height, rowid])?;
        while let Some(row) = rows.next()? {
            self.batch.push_back(stored_share(row).map_err(StoreError::from));
            self.after = Some((row.get(2)?, row.get(7)?));
        }
        Ok(())
    }
}

impl Iterator for ShareRows<'_> {
    type Item = Result<StoredShare, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let (true, Some(after)) = (self.batch.is_empty(), self.after)
            && let Err(error) = self.fill(after)
        {
            self.after = None;
            self.batch.push_back(Err(error.into()));
        }
        self.batch.pop_front()
    }
}
