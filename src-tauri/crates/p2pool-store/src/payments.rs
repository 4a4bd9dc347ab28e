//! Reading for the payments pages: blocks page by page, payments and own shares day by day.

use p2pool_sharechain::change::{FoundBlock, OwnShare};
use p2pool_sharechain::time::UnixTime;
use rusqlite::{Row, params};

use crate::columns::{
    BLOCK_COLUMNS, OWN_SHARE_COLUMNS, found_block, integer, own_share, time, unsigned,
};
use crate::error::StoreError;
use crate::history::{self, HistoryReader, ROWS_MAX};

/// What found blocks paid one script on one day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidDay {
    /// Start of the day.
    pub day: UnixTime,
    /// Blocks that paid.
    pub blocks: u32,
    /// What they paid, blocks that lost their place or were refused left out.
    pub sats: u64,
}

/// Own shares found on one day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnShareDay {
    /// Start of the day.
    pub day: UnixTime,
    /// Shares found, late ones included.
    pub found: u32,
    /// Of these, those that lost a race or were late.
    pub late: u32,
}

impl HistoryReader {
    /// Found blocks with their payouts, newest first, without bytes: `limit` of them, after the
    /// newest `skipped`.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn blocks_page(&self, skipped: u32, limit: u32) -> Result<Vec<FoundBlock>, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {BLOCK_COLUMNS} FROM blocks_found
             ORDER BY found_at DESC, height DESC, rowid DESC LIMIT ?1 OFFSET ?2"
        ))?;
        let rows = statement.query_map(params![limit.min(ROWS_MAX), skipped], found_block)?;
        let mut blocks: Vec<FoundBlock> = rows.collect::<Result<_, _>>()?;
        for block in &mut blocks {
            block.raw = None;
            block.payouts = history::payouts(&self.conn, block.hash)?;
        }
        Ok(blocks)
    }

    /// Number of found blocks.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn block_count(&self) -> Result<u32, StoreError> {
        Ok(self.conn.query_row("SELECT count(*) FROM blocks_found", [], |row| row.get(0))?)
    }

    /// What found blocks paid a script, day by day, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn paid_days(&self, script: &[u8]) -> Result<Vec<PaidDay>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(PaidDay { day: time(row, 0)?, blocks: row.get(1)?, sats: unsigned(row, 2)? })
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT found_at - found_at % 86400, count(DISTINCT hash), sum(sats)
             FROM payouts JOIN blocks_found ON hash = block
             WHERE script = ?1 AND status NOT IN ('orphaned', 'rejected')
             GROUP BY 1 ORDER BY 1 DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![script, ROWS_MAX], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Own shares, newest first: `limit` of them, after the newest `skipped`.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn own_shares_page(&self, skipped: u32, limit: u32) -> Result<Vec<OwnShare>, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {OWN_SHARE_COLUMNS} FROM own_shares
             ORDER BY found_at DESC, rowid DESC LIMIT ?1 OFFSET ?2"
        ))?;
        let rows = statement.query_map(params![limit.min(ROWS_MAX), skipped], own_share)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Own shares found, day by day, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn own_share_days(&self) -> Result<Vec<OwnShareDay>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(OwnShareDay { day: time(row, 0)?, found: row.get(1)?, late: row.get(2)? })
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT found_at - found_at % 86400, count(*), sum(fate IN ('orphan', 'dead'))
             FROM own_shares GROUP BY 1 ORDER BY 1 DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([ROWS_MAX], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of own shares that were to be expected, day by day, newest first.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn expected_share_days(&self) -> Result<Vec<(UnixTime, f64)>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT day, shares FROM expected_shares ORDER BY day DESC LIMIT ?1")?;
        let rows = statement.query_map([ROWS_MAX], |row| Ok((time(row, 0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest own share that came into the chain and was found by `at`.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn last_good_share(&self, at: UnixTime) -> Result<Option<UnixTime>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT found_at FROM own_shares
             WHERE found_at <= ?1 AND fate IN ('open', 'in_chain')
             ORDER BY found_at DESC LIMIT 1",
        )?;
        let mut rows = statement.query_map([integer(at.0)], |row| time(row, 0))?;
        Ok(rows.next().transpose()?)
    }

    /// The blocks that paid a share of this height, if there were any. Blocks that lost their place or were refused paid nobody.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn blocks_that_paid(&self, abs_height: u32) -> Result<Option<PayingBlocks>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT count(*), min(height) FROM blocks_found
             WHERE paid_from <= ?1 AND paid_to >= ?1 AND status IN ('accepted', 'mature')",
        )?;
        let (blocks, height): (u32, Option<u32>) =
            statement.query_row([abs_height], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(height.map(|height| PayingBlocks { blocks, height }))
    }
}

/// The blocks that paid one share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayingBlocks {
    /// How many there were.
    pub blocks: u32,
    /// Height of the first.
    pub height: u32,
}
