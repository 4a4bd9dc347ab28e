//! History that grows old: fine points become coarse ones, then go.

use std::time::Duration;

use p2pool_sharechain::time::UnixTime;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::Store;
use crate::columns::integer;
use crate::error::StoreError;
use crate::records::Step;
use crate::writer::begin;

/// A coarse point is made this long after its end, so that late fine points are in it.
const SETTLING: Duration = Duration::from_secs(120);

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// How long history is kept. Own shares and found blocks are kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Age at which chart points go, for each of [`Step::ALL`].
    pub series: [Duration; 5],
    /// Age at which events go.
    pub events: Duration,
    /// Most events kept, whatever their age.
    pub events_max: u32,
}

impl Default for Retention {
    /// Enough for charts of 6 hours, a day, a week, a month and a year at their own step, and a
    /// year in detail.
    fn default() -> Self {
        let secs = [2 * DAY, 8 * DAY, 35 * DAY, 366 * DAY, 3660 * DAY];
        Self {
            series: secs.map(Duration::from_secs),
            events: Duration::from_secs(366 * DAY),
            events_max: 100_000,
        }
    }
}

impl Store {
    /// Makes coarse chart points of fine ones, then drops points and events that are too old.
    ///
    /// To be called every few minutes. A coarse point holds the least, mean and greatest of the
    /// fine points recorded during its time; times with nothing recorded count as nothing.
    ///
    /// # Errors
    /// The disk is full, busy or fails; nothing has changed then.
    pub fn roll_up_and_prune(
        &mut self,
        now: UnixTime,
        retention: &Retention,
    ) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        for pair in Step::ALL.windows(2) {
            if let [fine, coarse] = *pair {
                roll_up(&transaction, now, fine, coarse)?;
            }
        }
        for (step, age) in Step::ALL.into_iter().zip(retention.series) {
            transaction
                .prepare_cached("DELETE FROM series WHERE step = ?1 AND at < ?2")?
                .execute(params![step.secs(), before(now, age)])?;
        }
        transaction
            .prepare_cached("DELETE FROM events WHERE at < ?1")?
            .execute([before(now, retention.events)])?;
        transaction
            .prepare_cached(
                "DELETE FROM events WHERE seq <=
                     (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?1)",
            )?
            .execute([retention.events_max])?;
        Ok(transaction.commit()?)
    }
}

fn before(now: UnixTime, age: Duration) -> i64 {
    integer(now.0.saturating_sub(age.as_secs()))
}

/// Makes the coarse points whose time is over and that were not made before. The time up to
/// which they are made is kept, so that no coarse point is made again from what pruning left.
fn roll_up(
    transaction: &Transaction<'_>,
    now: UnixTime,
    fine: Step,
    coarse: Step,
) -> rusqlite::Result<()> {
    let key = format!("rolled_up_{}", coarse.secs());
    let end = integer(coarse.start_of(UnixTime(now.0.saturating_sub(SETTLING.as_secs()))).0);
    let done: i64 = transaction
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([&key], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    if done == end {
        return Ok(());
    }
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO series (name, subject, step, at, min, avg, max)
             SELECT name, subject, ?1, at - at % ?1, min(min), avg(avg), max(max) FROM series
             WHERE step = ?2 AND at >= ?3 AND at < ?4 GROUP BY name, subject, at - at % ?1",
        )?
        .execute(params![coarse.secs(), fine.secs(), done, end])?;
    // Also when the clock was set back: then the time up to `end` will be made again.
    transaction
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![key, end])
        .map(drop)
}
