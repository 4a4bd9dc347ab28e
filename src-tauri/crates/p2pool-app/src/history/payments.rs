//! Payments and own shares, as the node's database has them.

use std::collections::BTreeMap;
use std::path::Path;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::{FoundBlock, OwnShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{HistoryReader, OwnShareDay, PaidDay, PayingBlocks, StoreError};

use crate::api::pages::payouts::{RECEIVED_ROWS_MAX, SHARE_ROWS_MAX};
use crate::views::count;

/// Blocks read at a time for a file of all payments.
const EXPORT_BLOCKS: u32 = 500;
/// Blocks looked through for such a file.
const EXPORT_BLOCKS_MAX: u32 = 200_000;

/// A page of found blocks, and sums over all.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlocksRead {
    /// The page that was read; an earlier one if there is none of the number asked for.
    pub(crate) page: u32,
    /// Newest first.
    pub(crate) blocks: Vec<FoundBlock>,
    pub(crate) blocks_total: u32,
    /// When the last share of mine before a block came into the chain, for blocks of the page.
    pub(crate) last_share: BTreeMap<ShareHash, Option<UnixTime>>,
    /// Newest first.
    pub(crate) paid_days: Vec<PaidDay>,
    pub(crate) newest: Option<(u32, UnixTime)>,
}

/// A page of own shares, and counts over all.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharesRead {
    pub(crate) page: u32,
    /// Newest first, with the blocks that paid them.
    pub(crate) shares: Vec<(OwnShare, Option<PayingBlocks>)>,
    pub(crate) shares_total: u32,
    /// Newest first.
    pub(crate) days: Vec<OwnShareDay>,
    pub(crate) blocks_total: u32,
}

/// Shares found and expected, day by day.
#[derive(Clone, Debug, Default)]
pub(crate) struct DaysRead {
    pub(crate) found: Vec<OwnShareDay>,
    pub(crate) expected: Vec<(UnixTime, f64)>,
}

/// Reads a page of blocks; `script` is what pays me.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn blocks(
    database: &Path,
    script: Option<&[u8]>,
    page: u32,
) -> Result<BlocksRead, StoreError> {
    let reader = HistoryReader::open(database)?;
    let blocks_total = reader.block_count()?;
    let rows = count(RECEIVED_ROWS_MAX);
    let page = page.min(last_page(blocks_total, rows));
    let blocks = reader.blocks_page(page * rows, rows)?;
    let newest = reader.blocks_page(0, 1)?.first().map(|block| (block.height, block.found_at));
    let mut last_share = BTreeMap::new();
    for block in &blocks {
        last_share.insert(block.hash, reader.last_good_share(block.found_at)?);
    }
    let paid_days = script.map_or(Ok(Vec::new()), |script| reader.paid_days(script))?;
    Ok(BlocksRead { page, blocks, blocks_total, last_share, paid_days, newest })
}

/// Reads a page of own shares.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn own_shares(database: &Path, page: u32) -> Result<SharesRead, StoreError> {
    let reader = HistoryReader::open(database)?;
    let days = reader.own_share_days()?;
    let shares_total = days.iter().map(|day| day.found).sum();
    let rows = count(SHARE_ROWS_MAX);
    let page = page.min(last_page(shares_total, rows));
    let mut shares = Vec::new();
    for share in reader.own_shares_page(page * rows, rows)? {
        let paid = match share.place {
            Some(place) => reader.blocks_that_paid(place.abs_height)?,
            None => None,
        };
        shares.push((share, paid));
    }
    Ok(SharesRead { page, shares, shares_total, days, blocks_total: reader.block_count()? })
}

/// Reads shares found and expected.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn days(database: &Path) -> Result<DaysRead, StoreError> {
    let reader = HistoryReader::open(database)?;
    Ok(DaysRead { found: reader.own_share_days()?, expected: reader.expected_share_days()? })
}

/// Reads all blocks that pay a script, newest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn all_paid(database: &Path, script: &[u8]) -> Result<Vec<FoundBlock>, StoreError> {
    let reader = HistoryReader::open(database)?;
    let pays = |block: &FoundBlock| block.payouts.iter().any(|(paid, _)| paid == script);
    let mut found = Vec::new();
    for skipped in (0..EXPORT_BLOCKS_MAX).step_by(EXPORT_BLOCKS as usize) {
        let blocks = reader.blocks_page(skipped, EXPORT_BLOCKS)?;
        let is_last = blocks.len() < EXPORT_BLOCKS as usize;
        found.extend(blocks.into_iter().filter(pays));
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// Number of the last page; there is always one.
pub(crate) fn last_page(rows: u32, rows_per_page: u32) -> u32 {
    rows.saturating_sub(1) / rows_per_page
}
