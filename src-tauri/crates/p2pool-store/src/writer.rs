//! Writing: one transaction for each call.

use p2pool_sharechain::change::{ChangeSet, FoundBlock, OwnShare, StoredShare};
use p2pool_sharechain::hash::ShareHash;
use p2pool_sharechain::time::UnixTime;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::Store;
use crate::columns::{fate_text, integer, origin_text, status_text};
use crate::error::StoreError;
use crate::records::{EventRecord, SeriesPoint, Step};

impl Store {
    /// Stores a change set: all of it, or nothing when it fails.
    ///
    /// Its parts take effect in the order of its fields. The newest entry of an own share or a
    /// found block replaces what was stored, except that a block's bytes and payouts, once
    /// known, stay until others are given.
    ///
    /// # Errors
    /// The disk is full, busy or fails; the same change set may be tried again.
    pub fn apply(&mut self, changes: &ChangeSet) -> Result<(), StoreError> {
        if changes.is_empty() { Ok(()) } else { apply(&mut self.conn, changes) }
    }

    /// Stores chart points; a point that is there already is replaced.
    ///
    /// # Errors
    /// A value that is not finite (nothing is stored then); the disk is full, busy or fails.
    pub fn record_series(&mut self, points: &[SeriesPoint]) -> Result<(), StoreError> {
        let is_finite = |point: &SeriesPoint| {
            point.min.is_finite() && point.avg.is_finite() && point.max.is_finite()
        };
        if let Some(point) = points.iter().find(|point| !is_finite(point)) {
            return Err(StoreError::NotFinite { name: point.name.clone() });
        }
        let transaction = begin(&mut self.conn)?;
        for point in points {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO series (name, subject, step, at, min, avg, max)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    point.name,
                    point.subject,
                    point.step.secs(),
                    integer(point.step.start_of(point.at).0),
                    point.min,
                    point.avg,
                    point.max,
                ])?;
        }
        Ok(transaction.commit()?)
    }

    /// Adds to the number of own shares that the day of `at` was to bring.
    ///
    /// # Errors
    /// A number that is negative or not finite; the disk is full, busy or fails.
    pub fn add_expected_shares(&mut self, at: UnixTime, shares: f64) -> Result<(), StoreError> {
        if !shares.is_finite() || shares < 0.0 {
            return Err(StoreError::NotFinite { name: "expected_shares".into() });
        }
        let transaction = begin(&mut self.conn)?;
        transaction
            .prepare_cached(
                "INSERT INTO expected_shares (day, shares) VALUES (?1, ?2)
                 ON CONFLICT (day) DO UPDATE SET shares = shares + excluded.shares",
            )?
            .execute(params![integer(Step::Day.start_of(at).0), shares])?;
        Ok(transaction.commit()?)
    }

    /// Appends events, in the order given.
    ///
    /// # Errors
    /// An event whose data is not JSON (nothing is stored then); the disk is full, busy or fails.
    pub fn record_events(&mut self, events: &[EventRecord]) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        for event in events {
            transaction
                .prepare_cached("INSERT INTO events (at, kind, json) VALUES (?1, ?2, ?3)")?
                .execute(params![integer(event.at.0), event.kind, event.json])?;
        }
        Ok(transaction.commit()?)
    }
}

/// Begins a transaction that writes.
pub(crate) fn begin(conn: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Stores a change set in one transaction.
pub(crate) fn apply(conn: &mut Connection, changes: &ChangeSet) -> Result<(), StoreError> {
    let transaction = begin(conn)?;
    changes.added.iter().try_for_each(|share| add_share(&transaction, share))?;
    changes.verified.iter().try_for_each(|hash| mark_verified(&transaction, *hash))?;
    changes.removed.iter().try_for_each(|hash| remove_share(&transaction, *hash))?;
    if let Some(best) = changes.best {
        set_best(&transaction, best)?;
    }
    changes.own.iter().try_for_each(|share| put_own_share(&transaction, share))?;
    changes.blocks.iter().try_for_each(|block| put_block(&transaction, block))?;
    Ok(transaction.commit()?)
}

fn add_share(transaction: &Transaction<'_>, share: &StoredShare) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO shares (hash, parent, abs_height, seen_at, origin, verified, raw)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (hash) DO UPDATE SET
                 parent = excluded.parent, abs_height = excluded.abs_height,
                 seen_at = excluded.seen_at, origin = excluded.origin,
                 verified = excluded.verified, raw = excluded.raw",
        )?
        .execute(params![
            share.hash.to_internal(),
            share.parent.map(ShareHash::to_internal),
            share.abs_height,
            integer(share.seen_at.0),
            origin_text(share.origin),
            share.verified,
            &share.raw[..],
        ])
        .map(drop)
}

fn mark_verified(transaction: &Transaction<'_>, hash: ShareHash) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE shares SET verified = 1 WHERE hash = ?1")?
        .execute([hash.to_internal()])
        .map(drop)
}

fn remove_share(transaction: &Transaction<'_>, hash: ShareHash) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM shares WHERE hash = ?1")?
        .execute([hash.to_internal()])
        .map(drop)
}

fn set_best(transaction: &Transaction<'_>, best: ShareHash) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES ('best_share', ?1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute([best.to_internal()])
        .map(drop)
}

fn put_own_share(transaction: &Transaction<'_>, share: &OwnShare) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO own_shares (hash, worker, found_at, fate, abs_height, bits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (hash) DO UPDATE SET
                 worker = excluded.worker, found_at = excluded.found_at, fate = excluded.fate,
                 abs_height = coalesce(excluded.abs_height, abs_height),
                 bits = coalesce(excluded.bits, bits)",
        )?
        .execute(params![
            share.hash.to_internal(),
            share.worker,
            integer(share.found_at.0),
            fate_text(share.fate),
            share.place.map(|place| place.abs_height),
            share.place.map(|place| place.bits.0),
        ])
        .map(drop)
}

fn put_block(transaction: &Transaction<'_>, block: &FoundBlock) -> rusqlite::Result<()> {
    let hash = block.hash.to_internal();
    transaction
        .prepare_cached(
            "INSERT INTO blocks_found
                 (hash, height, found_at, own, status, reason, raw, txid, paid_from, paid_to,
                  abs_work, bits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (hash) DO UPDATE SET
                 height = excluded.height, found_at = excluded.found_at, own = excluded.own,
                 status = excluded.status, reason = excluded.reason,
                 raw = coalesce(excluded.raw, raw), txid = coalesce(excluded.txid, txid),
                 paid_from = coalesce(excluded.paid_from, paid_from),
                 paid_to = coalesce(excluded.paid_to, paid_to),
                 abs_work = coalesce(excluded.abs_work, abs_work),
                 bits = coalesce(excluded.bits, bits)",
        )?
        .execute(params![
            hash,
            block.height,
            integer(block.found_at.0),
            block.own,
            status_text(block.status),
            block.reason,
            block.raw.as_deref(),
            block.txid,
            block.paid_heights.map(|(oldest, _)| oldest),
            block.paid_heights.map(|(_, newest)| newest),
            block.standing.map(|standing| standing.abs_work.to_be_bytes()),
            block.standing.map(|standing| standing.bits.0),
        ])?;
    if block.payouts.is_empty() {
        return Ok(());
    }
    transaction.prepare_cached("DELETE FROM payouts WHERE block = ?1")?.execute([hash])?;
    for (position, (script, sats)) in (0_u32..).zip(&block.payouts) {
        transaction
            .prepare_cached(
                "INSERT INTO payouts (block, position, script, sats) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![hash, position, script, integer(*sats)])?;
    }
    Ok(())
}
