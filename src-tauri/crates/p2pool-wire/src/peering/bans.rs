//! Hosts that have misbehaved, and for how long they are avoided.
//!
//! Source: protocol notes, wire.md section 8. There a score never decays, by mistake; here it
//! halves every four hours, and no ban is longer than a day.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;
use std::collections::BTreeMap;

use p2pool_sharechain::time::MonoTime;

/// Time in which a score falls to its half.
const SCORE_HALF_LIFE: Duration = Duration::from_secs(4 * 3600);
/// Scores below this are nothing.
const SCORE_MIN: f64 = 1.0 / 16.0;
/// Longest ban.
const BAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// Most hosts remembered; beyond, the one with the least ban left is forgotten.
const HOSTS_MAX: usize = 1000;

/// Scores and bans by host.
#[derive(Clone, Debug, Default)]
pub(super) struct Bans {
    hosts: BTreeMap<IpAddr, Host>,
}

#[derive(Clone, Copy, Debug)]
struct Host {
    score: f64,
    scored_at: MonoTime,
    until: MonoTime,
}

impl Host {
    fn score(&self, now: MonoTime) -> f64 {
        let half_lives = now.since(self.scored_at).as_secs_f64() / SCORE_HALF_LIFE.as_secs_f64();
        self.score * (-half_lives).exp2()
    }
}

/// What a ban is about: an IPv4 address, or the /64 that an IPv6 host has for itself.
pub(super) fn host_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

impl Bans {
    /// One more misdeed: bans for `base` times the square of the score. Never this computer.
    pub(super) fn add(&mut self, now: MonoTime, ip: IpAddr, base: Duration) {
        if ip.to_canonical().is_loopback() {
            return;
        }
        let host = host_of(ip);
        let known = self.hosts.get(&host);
        let score = known.map_or(0.0, |known| known.score(now)) + 1.0;
        let seconds = (base.as_secs_f64() * score * score).min(BAN_MAX.as_secs_f64());
        let until = now + Duration::from_secs_f64(seconds);
        let until = known.map_or(until, |known| until.max(known.until));
        self.hosts.insert(host, Host { score, scored_at: now, until });
        if self.hosts.len() > HOSTS_MAX {
            self.forget_least(now);
        }
    }

    /// Avoids a host until then, or longer if it is banned for longer. `false` for this computer,
    /// which is never avoided.
    pub(super) fn set(&mut self, now: MonoTime, ip: IpAddr, until: MonoTime) -> bool {
        if ip.to_canonical().is_loopback() {
            return false;
        }
        let until = until.min(now + BAN_MAX);
        let fresh = Host { score: 0.0, scored_at: now, until };
        let host = self.hosts.entry(host_of(ip)).or_insert(fresh);
        host.until = host.until.max(until);
        if self.hosts.len() > HOSTS_MAX {
            self.forget_least(now);
        }
        true
    }

    /// Ends a ban and forgets what it was for.
    pub(super) fn lift(&mut self, ip: IpAddr) {
        self.hosts.remove(&host_of(ip));
    }

    /// Banned hosts, each with the time at which its ban ends.
    pub(super) fn list(&self, now: MonoTime) -> impl Iterator<Item = (IpAddr, MonoTime)> + '_ {
        let banned = self.hosts.iter().filter(move |(_, host)| host.until > now);
        banned.map(|(ip, host)| (*ip, host.until))
    }

    /// Until when a host is banned; `None` if it is not.
    pub(super) fn until(&self, now: MonoTime, ip: IpAddr) -> Option<MonoTime> {
        let host = self.hosts.get(&host_of(ip))?;
        (host.until > now).then_some(host.until)
    }

    /// Number of banned hosts.
    pub(super) fn count(&self, now: MonoTime) -> usize {
        self.hosts.values().filter(|host| host.until > now).count()
    }

    fn forget_least(&mut self, now: MonoTime) {
        self.hosts.retain(|_, host| host.until > now || host.score(now) > SCORE_MIN);
        let least = self.hosts.iter().min_by_key(|(_, host)| host.until);
        if let Some((ip, _)) = least.filter(|_| self.hosts.len() > HOSTS_MAX) {
            let ip = *ip;
            self.hosts.remove(&ip);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(hours: u32) -> MonoTime {
        MonoTime(HOUR * hours)
    }

    #[test]
    fn bans_grow_with_the_square_of_the_score_up_to_a_day() {
        let mut bans = Bans::default();
        let bad = ip("1.2.3.4");
        for hours in [1, 4, 9, 16, 24, 24] {
            bans.add(at(0), bad, HOUR);
            assert_eq!(bans.until(at(0), bad), Some(at(hours)));
        }
        assert_eq!(bans.until(at(24), bad), None);
        assert_eq!((bans.count(at(0)), bans.count(at(24))), (1, 0));
    }

    #[test]
    fn a_score_is_forgiven_with_time() {
        let mut bans = Bans::default();
        let bad = ip("1.2.3.4");
        bans.add(at(0), bad, HOUR);
        bans.add(at(4), bad, HOUR);
        // A half from before and one more: 2.25 hours.
        let until = bans.until(at(4), bad).unwrap().since(at(4));
        assert_eq!(until.as_secs(), 8100);
        bans.add(at(100), bad, HOUR);
        assert!(bans.until(at(100), bad).unwrap() < at(102));
    }

    #[test]
    fn a_short_ban_does_not_end_a_long_one() {
        let mut bans = Bans::default();
        bans.add(at(0), ip("1.2.3.4"), HOUR);
        bans.add(at(0), ip("1.2.3.4"), Duration::from_secs(30));
        assert_eq!(bans.until(at(0), ip("1.2.3.4")), Some(at(1)));
    }

    #[test]
    fn this_computer_is_never_banned_and_a_v6_host_owns_its_64() {
        let mut bans = Bans::default();
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            bans.add(at(0), ip(text), HOUR);
            assert_eq!(bans.until(at(0), ip(text)), None, "{text}");
        }
        bans.add(at(0), ip("2a01:4f8:1:2::3"), HOUR);
        assert!(bans.until(at(0), ip("2a01:4f8:1:2:9::9")).is_some());
        assert!(bans.until(at(0), ip("2a01:4f8:1:3::3")).is_none());
        bans.add(at(0), ip("::ffff:1.2.3.4"), HOUR);
        assert!(bans.until(at(0), ip("1.2.3.4")).is_some());
    }

    #[test]
    fn a_ban_by_hand_lasts_as_said_up_to_a_day_and_can_be_lifted() {
        let mut bans = Bans::default();
        assert!(bans.set(at(0), ip("1.2.3.4"), at(2)));
        assert!(bans.set(at(0), ip("5.6.7.8"), at(99)));
        assert!(!bans.set(at(0), ip("127.0.0.1"), at(2)));
        let list: Vec<_> = bans.list(at(1)).collect();
        assert_eq!(list, [(ip("1.2.3.4"), at(2)), (ip("5.6.7.8"), at(24))]);
        bans.set(at(1), ip("5.6.7.8"), at(3));
        assert_eq!(bans.until(at(1), ip("5.6.7.8")), Some(at(24)), "never made shorter");
        bans.lift(ip("5.6.7.8"));
        assert_eq!(bans.until(at(1), ip("5.6.7.8")), None);
    }

    #[test]
    fn the_list_is_bounded_and_keeps_the_longest_bans() {
        let mut bans = Bans::default();
        let worst = ip("9.9.9.9");
        bans.add(at(0), worst, HOUR);
        bans.add(at(0), worst, HOUR);
        for number in 0..3000_u32 {
            bans.add(at(0), IpAddr::V4((0x0100_0000 + number).into()), HOUR);
        }
        assert_eq!(bans.hosts.len(), HOSTS_MAX);
        assert_eq!(bans.until(at(0), worst), Some(at(4)));
    }
}
