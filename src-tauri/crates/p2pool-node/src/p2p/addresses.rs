//! Addresses of other nodes, and bans, between peering and storage.

use p2pool_store::{HostBan, PeerAddress};
use p2pool_wire::Services;
use p2pool_wire::addrbook::AddressRecord;
use p2pool_wire::peering::BanRecord;

pub(crate) fn to_stored(record: &AddressRecord) -> PeerAddress {
    PeerAddress {
        address: record.address,
        services: record.services.0,
        first_seen: record.first_seen,
        last_seen: record.last_seen,
        proven_at: record.proven_at,
        last_try: record.last_try,
        failures: record.failures,
        source: record.source,
    }
}

pub(crate) fn from_stored(stored: &PeerAddress) -> AddressRecord {
    AddressRecord {
        address: stored.address,
        services: Services(stored.services),
        first_seen: stored.first_seen,
        last_seen: stored.last_seen,
        proven_at: stored.proven_at,
        last_try: stored.last_try,
        failures: stored.failures,
        source: stored.source,
    }
}

pub(crate) fn ban_to_stored(record: &BanRecord) -> HostBan {
    HostBan { host: record.host, until: record.until }
}

pub(crate) fn ban_from_stored(stored: &HostBan) -> BanRecord {
    BanRecord { host: stored.host, until: stored.until }
}
