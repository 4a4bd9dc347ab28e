//! Who may come in, and how often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use p2pool_sharechain::time::MonoTime;

/// New connections of one address at once, and a second: a farm comes back all at once.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 20.0;
/// Connections of one address from outside the own networks.
const OUTSIDE_MAX: u32 = 256;
/// Addresses remembered.
const ADDRESSES_MAX: usize = 4096;
/// A miner all of whose work was refused waits this long, doubling each time.
const PAUSE_MIN: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Whether this computer or a private network.
pub(crate) fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// From outside the own networks, which is not allowed.
    Outside,
    /// Too many in a short time, or too many at once.
    TooMany,
    /// All its work was refused a short while ago.
    Paused,
}

/// Connections by address.
#[derive(Debug)]
pub(crate) struct Limits {
    allows_outside: bool,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    open: u32,
    /// New connections still allowed, as of `at`.
    budget: f64,
    at: MonoTime,
    /// Next pause, and the end of the present one.
    pause: Duration,
    paused_until: MonoTime,
}

impl Limits {
    pub(crate) fn new(allows_outside: bool) -> Self {
        Self { allows_outside, addresses: HashMap::new() }
    }

    /// Lets a connection in, or says why not.
    pub(crate) fn enter(&mut self, ip: IpAddr, now: MonoTime) -> Result<(), Refusal> {
        let ip = ip.to_canonical();
        let is_near = is_near(ip);
        if !is_near && !self.allows_outside {
            return Err(Refusal::Outside);
        }
        if !self.addresses.contains_key(&ip) && self.addresses.len() >= ADDRESSES_MAX {
            self.addresses.retain(|_, known| !known.is_forgettable(now));
            if self.addresses.len() >= ADDRESSES_MAX {
                return Err(Refusal::TooMany);
            }
        }
        let known = self.addresses.entry(ip).or_insert_with(|| Address::new(now));
        if now < known.paused_until {
            return Err(Refusal::Paused);
        }
        known.budget = known.budget_at(now);
        known.at = now;
        // The own computer and its tests may come as often as they like.
        let is_over = known.budget < 1.0 && !ip.is_loopback();
        if is_over || (!is_near && known.open >= OUTSIDE_MAX) {
            return Err(Refusal::TooMany);
        }
        known.budget -= 1.0;
        known.open += 1;
        Ok(())
    }

    /// A connection has ended.
    pub(crate) fn leave(&mut self, ip: IpAddr) {
        if let Some(known) = self.addresses.get_mut(&ip.to_canonical()) {
            known.open = known.open.saturating_sub(1);
        }
    }

    /// All work of a connection was refused. Others from the same address may be fine: then it
    /// may come back at once.
    pub(crate) fn pause(&mut self, ip: IpAddr, now: MonoTime) {
        if let Some(known) = self.addresses.get_mut(&ip.to_canonical())
            && known.open <= 1
        {
            known.paused_until = now + known.pause;
            known.pause = (known.pause * 2).min(PAUSE_MAX);
        }
    }
}

impl Address {
    fn new(now: MonoTime) -> Self {
        let (pause, paused_until) = (PAUSE_MIN, MonoTime::ZERO);
        Self { open: 0, budget: BURST, at: now, pause, paused_until }
    }

    fn budget_at(&self, now: MonoTime) -> f64 {
        (self.budget + now.since(self.at).as_secs_f64() * PER_SECOND).min(BURST)
    }

    fn is_forgettable(&self, now: MonoTime) -> bool {
        self.open == 0 && self.budget_at(now) >= BURST && now >= self.paused_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20));
    const OUTSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn at(seconds: u64) -> MonoTime {
        MonoTime(Duration::from_secs(seconds))
    }

    #[test]
    fn only_private_addresses_are_served_unless_allowed() {
        assert_eq!(Limits::new(false).enter(OUTSIDE, at(0)), Err(Refusal::Outside));
        assert_eq!(Limits::new(true).enter(OUTSIDE, at(0)), Ok(()));
        for near in ["10.1.2.3", "169.254.1.1", "127.0.0.1", "::1", "fe80::1", "fd00::1"] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }

    #[test]
    fn farm_may_return_at_once_and_a_flood_may_not_go_on() {
        let mut limits = Limits::new(false);
        let let_in = (0..500).filter(|_| limits.enter(HOME, at(0)).is_ok()).count();
        assert_eq!(let_in, 200);
        let later = (0..500).filter(|_| limits.enter(HOME, at(2)).is_ok()).count();
        assert_eq!(later, 40);
    }

    #[test]
    fn strangers_hold_a_bounded_number_of_connections() {
        let mut limits = Limits::new(true);
        let held = (0..600).filter(|second| limits.enter(OUTSIDE, at(*second)).is_ok()).count();
        assert_eq!(held, OUTSIDE_MAX as usize);
        limits.leave(OUTSIDE);
        assert_eq!(limits.enter(OUTSIDE, at(1000)), Ok(()));
    }

    #[test]
    fn pauses_double_and_spare_addresses_with_other_miners() {
        let mut limits = Limits::new(false);
        for (pause_at, free_at) in [(0, 60), (60, 180), (180, 420)] {
            assert_eq!(limits.enter(HOME, at(pause_at)), Ok(()));
            limits.pause(HOME, at(pause_at));
            limits.leave(HOME);
            assert_eq!(limits.enter(HOME, at(free_at - 1)), Err(Refusal::Paused));
        }
        let mut limits = Limits::new(false);
        assert_eq!(limits.enter(HOME, at(0)), Ok(()));
        assert_eq!(limits.enter(HOME, at(0)), Ok(()));
        limits.pause(HOME, at(1));
        assert_eq!(limits.enter(HOME, at(1)), Ok(()), "another one mines well from there");
    }

    #[test]
    fn addresses_that_are_gone_are_forgotten_and_their_number_is_bounded() {
        let mut limits = Limits::new(true);
        let address = |n: usize| IpAddr::V4(std::net::Ipv4Addr::from(0x0b00_0000 + n as u32));
        for n in 0..ADDRESSES_MAX {
            assert_eq!(limits.enter(address(n), at(0)), Ok(()));
        }
        assert_eq!(limits.enter(address(ADDRESSES_MAX), at(0)), Err(Refusal::TooMany));
        limits.leave(address(7));
        assert_eq!(limits.enter(address(ADDRESSES_MAX), at(10)), Ok(()));
    }
}
