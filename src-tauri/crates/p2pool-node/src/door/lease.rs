//! Extranonces of connections, and sessions of connections that have ended.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p2pool_sharechain::time::MonoTime;
use p2pool_stratum::{Extranonce1, ExtranonceAllocator, Parked};

use super::lock;

/// A session waits this long for its miner to come back.
const PARKED_FOR: Duration = Duration::from_secs(600);
/// Sessions that wait; the oldest go first.
const PARKED_MAX: usize = 1000;

/// Which extranonces are in use, by connections or by sessions that wait for theirs.
#[derive(Debug)]
pub(crate) struct Leases {
    allocator: ExtranonceAllocator,
    parked: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    ip: IpAddr,
    since: MonoTime,
    session: Parked,
}

/// Starts counting at `process_part`, which should differ between runs.
pub(crate) fn new_leases(process_part: u32) -> Arc<Mutex<Leases>> {
    let allocator = ExtranonceAllocator::new(process_part);
    Arc::new(Mutex::new(Leases { allocator, parked: VecDeque::new() }))
}

impl Leases {
    fn forget_old(&mut self, now: MonoTime) {
        while let Some(oldest) = self.parked.front()
            && (self.parked.len() > PARKED_MAX || now.since(oldest.since) > PARKED_FOR)
        {
            self.allocator.release(oldest.session.extranonce1());
            self.parked.pop_front();
        }
    }

    fn take_parked(&mut self, ip: IpAddr, extranonce: Extranonce1) -> Option<Parked> {
        let is_it = |one: &Waiting| one.ip == ip && one.session.extranonce1() == extranonce;
        let index = self.parked.iter().position(is_it)?;
        self.parked.remove(index).map(|one| one.session)
    }
}

/// One connection's extranonce; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    ip: IpAddr,
    extranonce: Option<Extranonce1>,
    leases: Arc<Mutex<Leases>>,
}

impl Lease {
    /// Takes a fresh extranonce for a connection from this address.
    pub(crate) fn take(leases: &Arc<Mutex<Leases>>, ip: IpAddr) -> (Self, Extranonce1) {
        let extranonce = lock(leases).allocator.allocate();
        (Self { ip, extranonce: Some(extranonce), leases: Arc::clone(leases) }, extranonce)
    }

    /// The session that had this extranonce, if it waits for a miner at this address. The lease is
    /// for its extranonce from now on.
    pub(crate) fn resume(&mut self, former: Extranonce1, now: MonoTime) -> Option<Parked> {
        let mut leases = lock(&self.leases);
        leases.forget_old(now);
        let parked = leases.take_parked(self.ip, former)?;
        if let Some(fresh) = self.extranonce.replace(parked.extranonce1()) {
            leases.allocator.release(fresh);
        }
        Some(parked)
    }

    /// Ends the lease; a session that is worth it waits for its miner.
    pub(crate) fn end(&mut self, session: Option<Parked>, now: MonoTime) {
        let mut leases = lock(&self.leases);
        leases.forget_old(now);
        if let Some(session) = session {
            self.extranonce = None;
            leases.parked.push_back(Waiting { ip: self.ip, since: now, session });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(extranonce) = self.extranonce {
            lock(&self.leases).allocator.release(extranonce);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use p2pool_sharechain::time::{Now, UnixTime};
    use p2pool_stratum::{Event, Session, SessionConfig};

    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 21));

    fn at(seconds: u64) -> MonoTime {
        MonoTime(Duration::from_secs(seconds))
    }

    /// A lease whose miner has logged in, and its extranonce.
    fn mined(leases: &Arc<Mutex<Leases>>) -> (Lease, Extranonce1, Option<Parked>) {
        let (lease, extranonce) = Lease::take(leases, HOME);
        let now = Now { wall: UnixTime(1_700_000_000), mono: at(0) };
        let mut session = Session::new(SessionConfig::new(*b"any"), extranonce, now);
        for line in [
            r#"{"id":1,"method":"mining.subscribe","params":[]}"#,
            r#"{"id":2,"method":"mining.authorize","params":["me","x"]}"#,
        ] {
            session.handle(now, Event::Line(line.as_bytes()));
        }
        (lease, extranonce, session.park())
    }

    #[test]
    fn session_waits_ten_minutes_for_a_miner_at_the_same_address() {
        for (ip, later, is_found) in [(HOME, 600, true), (OTHER, 1, false), (HOME, 601, false)] {
            let leases = new_leases(7);
            let (mut lease, extranonce, parked) = mined(&leases);
            lease.end(parked, at(0));
            drop(lease);
            let (mut next, fresh) = Lease::take(&leases, ip);
            assert_ne!(fresh, extranonce);
            let found = next.resume(extranonce, at(later));
            assert_eq!(found.map(|parked| parked.extranonce1()), is_found.then_some(extranonce));
            assert!(next.resume(extranonce, at(later)).is_none(), "only once");
        }
    }

    #[test]
    fn open_connections_cannot_be_taken_over() {
        let leases = new_leases(7);
        let (_open, extranonce, _) = mined(&leases);
        let (mut next, _) = Lease::take(&leases, HOME);
        assert!(next.resume(extranonce, at(1)).is_none());
    }
}
