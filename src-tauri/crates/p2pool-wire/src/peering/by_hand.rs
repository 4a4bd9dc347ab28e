//! What a person decides about other nodes while this one runs.

use core::net::IpAddr;
use core::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now, UnixTime};

use super::bans::host_of;
use super::connections::Kind;
use super::dial::{NamedPeer, Search};
use super::interface::{BanRecord, CloseReason, FIXED_PEERS_MAX, Host, PeeringOutput};
use super::{PeerId, Peering};

/// Shorter bans are not worth storing: they are over before a restart is.
const BAN_SAVED_MIN: Duration = Duration::from_secs(600);

impl Peering {
    /// Hosts that are avoided, the longest ban first.
    pub fn bans(&self, now: Now) -> Vec<BanRecord> {
        let record = |(host, until)| BanRecord { host, until: wall_of(now, until) };
        let mut bans: Vec<_> = self.bans.list(now.mono).map(record).collect();
        bans.sort_by_key(|ban| (core::cmp::Reverse(ban.until), ban.host));
        bans
    }

    pub(super) fn load_bans(&mut self, now: Now, bans: &[BanRecord]) {
        for ban in bans {
            let rest = ban.until.0.saturating_sub(now.wall.0);
            if rest > 0 {
                self.bans.set(now.mono, ban.host, now.mono + Duration::from_secs(rest));
            }
        }
    }

    pub(super) fn add_peer(&mut self, now: Now, host: Host) {
        if let Some(address) = host.address() {
            self.unban(now, address.ip());
        }
        if let Some(known) = self.fixed.iter_mut().find(|fixed| fixed.is(&host)) {
            known.dial_now(now.mono);
        } else if self.fixed.len() < FIXED_PEERS_MAX {
            self.fixed.push(NamedPeer::fixed(host, now.mono));
        }
    }

    pub(super) fn ban_by_hand(&mut self, now: Now, ip: IpAddr, time: Duration) {
        if !self.bans.set(now.mono, ip, now.mono + time) {
            return;
        }
        self.save_ban(now, ip);
        let host = host_of(ip);
        let of_host = self.connections.iter().filter(|(_, connection)| {
            let at = connection.address.map(|address| host_of(address.ip()));
            at == Some(host) && !connection.is_closing
        });
        let of_host: Vec<PeerId> = of_host.map(|(peer, _)| peer).collect();
        for peer in of_host {
            self.close(peer, CloseReason::Banned);
        }
    }

    pub(super) fn unban(&mut self, now: Now, ip: IpAddr) {
        if self.bans.until(now.mono, ip).is_none() {
            return;
        }
        self.bans.lift(ip);
        let is_there = |fixed: &&mut NamedPeer| {
            fixed.address().is_some_and(|at| host_of(at.ip()) == host_of(ip))
        };
        // Those that were to wait for the ban's end need not.
        self.fixed.iter_mut().filter(is_there).for_each(|fixed| fixed.dial_now(now.mono));
        let ban = BanRecord { host: host_of(ip), until: UnixTime(0) };
        self.outputs.push_back(PeeringOutput::SaveBan(ban));
    }

    /// Stores a ban, unless it is a short one.
    pub(super) fn save_ban(&mut self, now: Now, ip: IpAddr) {
        let Some(until) = self.bans.until(now.mono, ip) else { return };
        if until.since(now.mono) >= BAN_SAVED_MIN {
            let ban = BanRecord { host: host_of(ip), until: wall_of(now, until) };
            self.outputs.push_back(PeeringOutput::SaveBan(ban));
        }
    }

    pub(super) fn search_now(&mut self, now: Now) {
        if self.is_alone() {
            self.search = Search::new(now.mono);
        }
        self.book.rest_no_longer();
        self.fixed.iter_mut().chain(&mut self.names).for_each(|peer| peer.dial_now(now.mono));
        self.resolving.start_again(now.mono);
        self.dial_at = now.mono;
        self.is_idle = false;
    }

    pub(super) fn reset(&mut self, now: Now) {
        self.book.clear();
        let leaving = self.connections.iter().filter(|(_, connection)| {
            !matches!(connection.kind, Kind::Fixed(_)) && !connection.is_closing
        });
        let leaving: Vec<PeerId> = leaving.map(|(peer, _)| peer).collect();
        for peer in leaving {
            self.close(peer, CloseReason::Reset);
            if let Some(connection) = self.connections.get_mut(peer) {
                // Nor is it remembered when it ends.
                connection.address =
                    connection.address.filter(|_| connection.kind == Kind::Incoming);
            }
        }
        self.search_now(now);
        // What is forgotten is forgotten on disk, too, whatever happens next.
        self.save_at = now.mono;
    }
}

/// The wall time of a moment to come.
fn wall_of(now: Now, at: MonoTime) -> UnixTime {
    UnixTime(now.wall.0.saturating_add(at.since(now.mono).as_secs()))
}
