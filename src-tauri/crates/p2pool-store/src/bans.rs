//! Hosts that are avoided, so that a restart does not forgive them.

use std::net::IpAddr;

use p2pool_sharechain::time::UnixTime;
use rusqlite::params;

use crate::Store;
use crate::columns::{integer, time};
use crate::error::StoreError;
use crate::writer::begin;

/// Most bans kept: those that last longest.
const BANS_MAX: u32 = 1_000;

/// A host that is avoided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostBan {
    /// The host; of an IPv6 host its /64.
    pub host: IpAddr,
    /// When it is over.
    pub until: UnixTime,
}

impl Store {
    /// Stores a ban instead of an older one of the same host, and forgets what is surplus.
    ///
    /// # Errors
    /// The disk is full, busy or fails.
    pub fn save_ban(&mut self, ban: &HostBan) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO bans (host, until) VALUES (?1, ?2)")?
            .execute(params![ban.host.to_string(), integer(ban.until.0)])?;
        transaction
            .prepare_cached(
                "DELETE FROM bans WHERE host NOT IN
                     (SELECT host FROM bans ORDER BY until DESC, host LIMIT ?1)",
            )?
            .execute([BANS_MAX])?;
        Ok(transaction.commit()?)
    }

    /// Bans that are not over at `now`, the longest first; rows that make no sense are left out.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn load_bans(&self, now: UnixTime) -> Result<Vec<HostBan>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT host, until FROM bans WHERE until > ?1 ORDER BY until DESC, host LIMIT ?2",
        )?;
        let rows = statement.query_map(params![integer(now.0), BANS_MAX], |row| {
            let host = row.get::<_, String>(0)?.parse().ok();
            Ok(host.zip(time(row, 1).ok()).map(|(host, until)| HostBan { host, until }))
        })?;
        let bans: Result<Vec<_>, _> = rows.filter_map(Result::transpose).collect();
        Ok(bans?)
    }
}
