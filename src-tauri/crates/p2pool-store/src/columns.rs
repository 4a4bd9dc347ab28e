//! How values of the share chain stand in columns.

use std::sync::Arc;

use p2pool_sharechain::CompactBits;
use p2pool_sharechain::change::{
    BlockStatus, Fate, FoundBlock, Origin, OwnPlace, OwnShare, Standing, StoredShare,
};
use p2pool_sharechain::hash::ShareHash;
use p2pool_sharechain::time::UnixTime;
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};

/// A number as SQLite keeps it. Times and amounts stay below the limit by far: what does not
/// (a share may claim any subsidy) is kept as the greatest number there is.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Own => "own",
        Origin::Peer => "peer",
        Origin::Import => "import",
    }
}

pub(crate) fn fate_text(fate: Fate) -> &'static str {
    match fate {
        Fate::Open => "open",
        Fate::InChain => "in_chain",
        Fate::Orphan => "orphan",
        Fate::Dead => "dead",
    }
}

pub(crate) fn status_text(status: BlockStatus) -> &'static str {
    match status {
        BlockStatus::Submitting => "submitting",
        BlockStatus::Accepted => "accepted",
        BlockStatus::Rejected => "rejected",
        BlockStatus::Orphaned => "orphaned",
        BlockStatus::Mature => "mature",
    }
}

/// Reads a text column that names one of `all`.
fn named<T: Copy>(
    row: &Row<'_>,
    column: usize,
    all: &[T],
    name: fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            Type::Text,
            FromSqlError::InvalidType.into(),
        )
    })
}

pub(crate) fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<BlockStatus> {
    use BlockStatus::{Accepted, Mature, Orphaned, Rejected, Submitting};
    named(row, column, &[Submitting, Accepted, Rejected, Orphaned, Mature], status_text)
}

pub(crate) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ShareHash> {
    row.get(column).map(ShareHash::from_internal)
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixTime> {
    unsigned(row, column).map(UnixTime)
}

/// Columns of [`stored_share`], in its order.
pub(crate) const SHARE_COLUMNS: &str = "hash, parent, abs_height, seen_at, origin, verified, raw";

pub(crate) fn stored_share(row: &Row<'_>) -> rusqlite::Result<StoredShare> {
    let raw: Vec<u8> = row.get(6)?;
    Ok(StoredShare {
        hash: hash(row, 0)?,
        parent: row.get::<_, Option<[u8; 32]>>(1)?.map(ShareHash::from_internal),
        abs_height: row.get(2)?,
        seen_at: time(row, 3)?,
        origin: named(row, 4, &[Origin::Own, Origin::Peer, Origin::Import], origin_text)?,
        verified: row.get(5)?,
        raw: Arc::from(raw),
    })
}

/// Columns of [`own_share`], in its order.
pub(crate) const OWN_SHARE_COLUMNS: &str = "hash, worker, found_at, fate, abs_height, bits";
/// The same of a database before schema 5.
pub(crate) const OWN_SHARE_COLUMNS_OLD: &str = "hash, worker, found_at, fate, NULL, NULL";

pub(crate) fn own_share(row: &Row<'_>) -> rusqlite::Result<OwnShare> {
    use Fate::{Dead, InChain, Open, Orphan};
    Ok(OwnShare {
        hash: hash(row, 0)?,
        worker: row.get(1)?,
        found_at: time(row, 2)?,
        fate: named(row, 3, &[Open, InChain, Orphan, Dead], fate_text)?,
        place: pair(row, 4)?
            .map(|(abs_height, bits)| OwnPlace { abs_height, bits: CompactBits(bits) }),
    })
}

/// Two columns that are there together or not at all.
fn pair(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<(u32, u32)>> {
    let (first, second): (Option<u32>, Option<u32>) = (row.get(column)?, row.get(column + 1)?);
    Ok(first.zip(second))
}

/// Columns of [`found_block`], in its order; `raw` only while the block is on its way.
pub(crate) const BLOCK_COLUMNS: &str = "hash, height, found_at, own, status, reason,
    CASE status WHEN 'submitting' THEN raw END, txid, paid_from, paid_to, abs_work, bits";
/// The same with all bytes, for a rescue: as they are now, and in databases before schemas 6 and 5.
pub(crate) const BLOCK_COLUMNS_WHOLE: [&str; 3] = [
    "hash, height, found_at, own, status, reason, raw, txid, paid_from, paid_to, abs_work, bits",
    "hash, height, found_at, own, status, reason, raw, txid, paid_from, paid_to, NULL, NULL",
    "hash, height, found_at, own, status, reason, raw, NULL, NULL, NULL, NULL, NULL",
];

/// Reads a block, leaving `payouts` empty.
pub(crate) fn found_block(row: &Row<'_>) -> rusqlite::Result<FoundBlock> {
    Ok(FoundBlock {
        hash: hash(row, 0)?,
        height: row.get(1)?,
        found_at: time(row, 2)?,
        own: row.get(3)?,
        status: status(row, 4)?,
        reason: row.get(5)?,
        raw: row.get::<_, Option<Vec<u8>>>(6)?.map(Arc::from),
        payouts: Vec::new(),
        txid: row.get(7)?,
        paid_heights: pair(row, 8)?,
        standing: standing(row, 10)?,
    })
}

fn standing(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Standing>> {
    let abs_work: Option<[u8; 16]> = row.get(column)?;
    let bits: Option<u32> = row.get(column + 1)?;
    let known = abs_work.map(u128::from_be_bytes).zip(bits.map(CompactBits));
    Ok(known.map(|(abs_work, bits)| Standing { abs_work, bits }))
}
