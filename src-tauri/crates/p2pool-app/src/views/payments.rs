//! The Payouts page, from what was read and what is known now.

use std::collections::BTreeMap;

use p2pool_node::PoolBlock;
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::{BlockStatus, Fate, FoundBlock, OwnShare};
use p2pool_sharechain::compact;
use p2pool_store::PayingBlocks;

use super::payouts::{MATURE, row};
use super::{Parties, Sight, Window, count};
use crate::api::pages::payouts::{
    Calculation, CalculatorFacts, ExpectedMonth, ExpectedShares, LastBlock, LuckVerdict,
    MONTHS_MAX, MonthSum, MyShare, MyShareState, MyShares, Pages, RECEIVED_ROWS_MAX, Received,
    SHARE_DAYS_MAX, SHARE_ROWS_MAX, ShareDay, UsualRange,
};
use crate::api::{Party, Payout, PayoutState, Sats, UnixSeconds, UnpaidReason};
use crate::calendar;
use crate::estimate;
use crate::history::payments::{self, BlocksRead, DaysRead, SharesRead};

/// Pool blocks and what they paid me. Where a block stands is known better now than when the
/// database was read.
pub(crate) fn received(
    sight: &Sight<'_>,
    finders: &BTreeMap<ShareHash, Party>,
    read: &BlocksRead,
) -> Received {
    let now: BTreeMap<ShareHash, &PoolBlock> =
        sight.node.summary.blocks.iter().map(|block| (block.block.hash, block)).collect();
    let rows = read.blocks.iter().map(|stored| {
        let known = now.get(&stored.hash).copied();
        let block = PoolBlock {
            block: FoundBlock {
                status: known.map_or(stored.status, |known| known.block.status),
                ..stored.clone()
            },
            confirmations: known.map_or_else(|| depth(sight, stored), |known| known.confirmations),
            round_effort: None,
        };
        let payout = row(sight, finders, &block);
        Payout { unpaid: unpaid(&payout, read, stored), ..payout }
    });
    let rows: Vec<Payout> = rows.collect();
    Received {
        pages: pages(read.page, read.blocks_total, RECEIVED_ROWS_MAX),
        rows,
        mine_total_sats: Sats(read.paid_days.iter().map(|day| day.sats).sum()),
        months: months(read),
        last_block: read.newest.map(|(height, at)| LastBlock { height, at: UnixSeconds(at.0) }),
    }
}

fn depth(sight: &Sight<'_>, block: &FoundBlock) -> u32 {
    let next = sight.node.summary.next_height;
    if block.status == BlockStatus::Accepted {
        next.saturating_sub(block.height).min(MATURE)
    } else {
        0
    }
}

/// Why a block that paid others did not pay me.
fn unpaid(payout: &Payout, read: &BlocksRead, block: &FoundBlock) -> Option<UnpaidReason> {
    let paid_nobody = matches!(payout.state, PayoutState::Lost | PayoutState::Refused);
    if payout.mine_sats.is_some() || paid_nobody {
        return None;
    }
    Some(match read.last_share.get(&block.hash).copied().flatten() {
        Some(at) => UnpaidReason::ShareLeft { last_share_at: UnixSeconds(at.0) },
        None => UnpaidReason::NoShareYet,
    })
}

fn months(read: &BlocksRead) -> Vec<MonthSum> {
    let mut sums: BTreeMap<UnixSeconds, MonthSum> = BTreeMap::new();
    for day in &read.paid_days {
        let month = calendar::month_of(UnixSeconds(day.day.0));
        let sum = sums.entry(month).or_insert(MonthSum { month, blocks: 0, sats: Sats(0) });
        sum.blocks += day.blocks;
        sum.sats.0 += day.sats;
    }
    sums.into_values().rev().take(MONTHS_MAX).collect()
}

fn pages(page: u32, rows: u32, rows_per_page: usize) -> Pages {
    Pages { page, pages: payments::last_page(rows, count(rows_per_page)) + 1, rows }
}

/// My shares, and what has become of them.
pub(crate) fn my_shares(sight: &Sight<'_>, read: &SharesRead) -> MyShares {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    let places: BTreeMap<ShareHash, usize> = summary
        .window
        .iter()
        .enumerate()
        .filter(|(_, share)| share.is_own)
        .map(|(place, share)| (share.hash, place))
        .collect();
    let day = |day: &p2pool_store::OwnShareDay| ShareDay {
        day: UnixSeconds(day.day.0),
        good: day.found.saturating_sub(day.late),
        late: day.late,
    };
    MyShares {
        pages: pages(read.page, read.shares_total, SHARE_ROWS_MAX),
        rows: read
            .shares
            .iter()
            .map(|(share, paid)| my_share(sight.now, share, *paid, &places, &window))
            .collect(),
        days: read.days.iter().take(SHARE_DAYS_MAX).map(day).collect(),
        window_secs: f64::from(window.shares_max) * window.share_secs,
        blocks_total: read.blocks_total,
    }
}

fn my_share(
    now: UnixSeconds,
    share: &OwnShare,
    paid: Option<PayingBlocks>,
    places: &BTreeMap<ShareHash, usize>,
    window: &Window,
) -> MyShare {
    let state = match (places.get(&share.hash), share.fate) {
        (Some(place), _) => {
            let left = window.shares_max.saturating_sub(count(*place));
            // Truncation is right: it is the same second to the eye.
            let secs = (f64::from(left) * window.share_secs) as u64;
            MyShareState::InWindow { until: UnixSeconds(now.0.saturating_add(secs)) }
        }
        (None, Fate::InChain) => MyShareState::LeftWindow,
        (None, Fate::Open) => MyShareState::OnItsWay,
        (None, Fate::Orphan) => MyShareState::LostRace,
        (None, Fate::Dead) => MyShareState::TooOld,
    };
    // A share that lost its place is in no block's window, even at a height that is.
    let paid = paid.filter(|_| matches!(share.fate, Fate::InChain));
    MyShare {
        hash: share.hash.to_string(),
        at: UnixSeconds(share.found_at.0),
        worker: share.worker.clone(),
        difficulty: share.place.map(|place| compact::difficulty(place.bits.target_saturating())),
        state,
        paid_blocks: paid.map_or(0, |paid| paid.blocks),
        paid_height: paid.map(|paid| paid.height),
    }
}

/// Shares expected and found. Shares of days before the work was recorded are not counted.
pub(crate) fn expected(read: &DaysRead) -> ExpectedShares {
    let since = read.expected.last().map(|(day, _)| UnixSeconds(day.0));
    let mut months: BTreeMap<UnixSeconds, (f64, u32)> = BTreeMap::new();
    for (day, shares) in &read.expected {
        months.entry(calendar::month_of(UnixSeconds(day.0))).or_default().0 += shares;
    }
    for day in read.found.iter().filter(|day| since.is_some_and(|since| day.day.0 >= since.0)) {
        months.entry(calendar::month_of(UnixSeconds(day.day.0))).or_default().1 += day.found;
    }
    let month = |(month, (expected, found)): (UnixSeconds, (f64, u32))| {
        let usual = estimate::usual_range(expected).map(|(low, high)| UsualRange { low, high });
        let verdict = match usual {
            None => LuckVerdict::TooEarly,
            Some(usual) if found < usual.low => LuckVerdict::Few,
            Some(usual) if found > usual.high => LuckVerdict::Many,
            Some(_) => LuckVerdict::Normal,
        };
        ExpectedMonth { month, expected, found, usual, verdict }
    };
    ExpectedShares { months: months.into_iter().rev().take(MONTHS_MAX).map(month).collect(), since }
}

/// What the calculator begins with.
pub(crate) fn calculator(sight: &Sight<'_>) -> CalculatorFacts {
    CalculatorFacts { mine_hps: sight.mine_hps, pool_hps: sight.pool_hps() }
}

/// What a hash rate would bring; `None` while pool and network are not known.
pub(crate) fn calculation(sight: &Sight<'_>, hashrate_hps: f64) -> Option<Calculation> {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    estimate::calculation(&estimate::Circumstances {
        hashrate_hps,
        mine_hps: sight.mine_hps.unwrap_or_default(),
        pool_hps: sight.pool_hps()?,
        network_difficulty: summary.network_difficulty,
        share_difficulty: summary.share_difficulty,
        block_value_sats: summary.block_value_sats,
        window_secs: f64::from(window.shares_max) * f64::from(sight.params.share_period),
    })
}

/// All payments to me as a CSV file: UTF-8, ISO dates in UTC, whole satoshis.
pub(crate) fn csv(blocks: &[FoundBlock], parties: &Parties, next_height: u32) -> String {
    let mut text = "date,block_height,block_hash,transaction_id,amount_sats,state\r\n".to_owned();
    for block in blocks {
        let state = match block.status {
            BlockStatus::Orphaned | BlockStatus::Rejected => continue,
            BlockStatus::Mature => "spendable",
            BlockStatus::Accepted if next_height.saturating_sub(block.height) >= MATURE => {
                "spendable"
            }
            BlockStatus::Accepted | BlockStatus::Submitting => "maturing",
        };
        let paying = block.payouts.iter().filter(|(script, _)| parties.is_mine(script));
        let sats: u64 = paying.map(|(_, sats)| sats).sum();
        let at = calendar::iso(UnixSeconds(block.found_at.0));
        let txid = block.txid.map(|txid| ShareHash::from_internal(txid).to_string());
        let txid = txid.unwrap_or_default();
        text += &format!("{at},{},{},{txid},{sats},{state}\r\n", block.height, block.hash);
    }
    text
}
