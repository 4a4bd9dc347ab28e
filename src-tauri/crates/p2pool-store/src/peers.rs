//! Addresses of other nodes, so that a restart does not begin from nothing.

use std::net::{IpAddr, SocketAddr};

use p2pool_sharechain::time::UnixTime;
use rusqlite::{Row, params};

use crate::Store;
use crate::columns::{integer, time, unsigned};
use crate::error::StoreError;
use crate::writer::begin;

/// More are never read: the store of addresses holds fewer.
const PEERS_MAX: u32 = 20_000;

/// What is known of another node's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// Where the node listens.
    pub address: SocketAddr,
    /// What it understands, a bit each.
    pub services: u64,
    /// When it was entered.
    pub first_seen: UnixTime,
    /// When it was last good.
    pub last_seen: UnixTime,
    /// When this node was last connected to it; `None` for hearsay.
    pub proven_at: Option<UnixTime>,
    /// When it was last tried.
    pub last_try: Option<UnixTime>,
    /// Tries in a row that failed.
    pub failures: u32,
    /// Who told of it.
    pub source: Option<IpAddr>,
}

impl Store {
    /// Stores new and changed addresses and forgets others, all or nothing.
    ///
    /// # Errors
    /// The disk is full, busy or fails.
    pub fn save_peers(
        &mut self,
        changed: &[PeerAddress],
        removed: &[SocketAddr],
    ) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        for address in removed {
            transaction
                .prepare_cached("DELETE FROM peers WHERE addr = ?1")?
                .execute([address.to_string()])?;
        }
        for peer in changed {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO peers (addr, services, first_seen, last_seen,
                         proven_at, last_try, failures, source)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    peer.address.to_string(),
                    peer.services.cast_signed(),
                    integer(peer.first_seen.0),
                    integer(peer.last_seen.0),
                    peer.proven_at.map(|at| integer(at.0)),
                    peer.last_try.map(|at| integer(at.0)),
                    peer.failures,
                    peer.source.map(|ip| ip.to_string()),
                ])?;
        }
        Ok(transaction.commit()?)
    }

    /// All addresses; rows that make no sense are left out.
    ///
    /// # Errors
    /// The disk fails or the file is damaged.
    pub fn load_peers(&self) -> Result<Vec<PeerAddress>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT addr, services, first_seen, last_seen, proven_at, last_try, failures, source
             FROM peers ORDER BY last_seen DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([PEERS_MAX], |row| Ok(peer(row).ok().flatten()))?;
        let peers: Result<Vec<_>, _> = rows.filter_map(Result::transpose).collect();
        Ok(peers?)
    }
}

/// Reads a row; `None` if its texts are no addresses.
fn peer(row: &Row<'_>) -> rusqlite::Result<Option<PeerAddress>> {
    let maybe = |column: usize| -> rusqlite::Result<Option<UnixTime>> {
        let is_known = row.get::<_, Option<i64>>(column)?.is_some();
        is_known.then(|| unsigned(row, column).map(UnixTime)).transpose()
    };
    let Ok(address) = row.get::<_, String>(0)?.parse() else { return Ok(None) };
    let source = row.get::<_, Option<String>>(7)?;
    Ok(Some(PeerAddress {
        address,
        services: row.get::<_, i64>(1)?.cast_unsigned(),
        first_seen: time(row, 2)?,
        last_seen: time(row, 3)?,
        proven_at: maybe(4)?,
        last_try: maybe(5)?,
        failures: row.get(6)?,
        source: source.and_then(|ip| ip.parse().ok()),
    }))
}
