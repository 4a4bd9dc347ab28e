//! Addresses told and heard.
//!
//! Source: protocol notes, wire.md section 5.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now};

use super::Peering;
use super::interface::{PeerId, PeeringOutput};
use crate::addrbook::{AddressRecord, exponential};
use crate::message::{AddrRecord, Message, NetAddr};
use crate::services::Services;

/// Below so many addresses, peers are asked for more.
const ADDRESSES_WANTED: usize = 1000;
/// Addresses asked for at once.
const ADDRESSES_ASKED: u32 = 8;
/// Most addresses in an answer.
const ANSWER_ADDRESSES_MAX: usize = 100;
/// Mean time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(20);
/// Our address is told a peer at intervals of this for each peer on average.
const ADVERTISE_EVERY: Duration = Duration::from_secs(100);
/// Share of heard addresses that are passed on.
const FORWARDED: f64 = 0.8;
/// Longer lists are answers, not news: they are not passed on.
const NEWS_ADDRESSES_MAX: usize = 10;
/// No interval of chance is longer than so many times its mean.
const MEANS_MAX: f64 = 20.0;

/// What one peer may still make us do.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    addresses: Bucket,
    questions: Bucket,
}

impl Allowance {
    pub(super) fn new(now: MonoTime) -> Self {
        Self {
            addresses: Bucket::new(now, 200, Duration::from_secs(5)),
            questions: Bucket::new(now, 10, Duration::from_secs(10)),
        }
    }
}

/// What all peers together may make us pass on: whoever comes again and again gains nothing.
pub(super) fn forwarding_allowance(now: MonoTime) -> Bucket {
    Bucket::new(now, 300, Duration::from_secs(1))
}

/// Fills by one at a time up to a limit.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    left: u32,
    max: u32,
    every: Duration,
    filled_at: MonoTime,
}

impl Bucket {
    fn new(now: MonoTime, max: u32, every: Duration) -> Self {
        Self { left: max, max, every, filled_at: now }
    }

    /// Takes one, if there is one.
    fn take(&mut self, now: MonoTime) -> bool {
        let gained = now.since(self.filled_at).as_nanos() / self.every.as_nanos().max(1);
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        self.filled_at = self.filled_at + self.every.saturating_mul(gained);
        self.left = self.left.saturating_add(gained);
        if self.left >= self.max {
            // A full bucket saves up nothing.
            (self.left, self.filled_at) = (self.max, now);
        }
        let taken = self.left.checked_sub(1);
        self.left = taken.unwrap_or(0);
        taken.is_some()
    }
}

impl Peering {
    /// A peer tells or asks for addresses.
    pub(super) fn hear(&mut self, now: Now, peer: PeerId, message: Message) {
        match message {
            Message::AddrMe { port } => self.hear_own_address(now, peer, port),
            Message::Addrs(records) => self.hear_addresses(now, peer, records),
            Message::GetAddrs { count } => self.answer(now, peer, count),
            Message::Version(_)
            | Message::Ping
            | Message::Shares(_)
            | Message::ShareReq(_)
            | Message::ShareReply(_)
            | Message::BestBlock(_)
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::ShareHashes(_)
            | Message::CompactBlock(_)
            | Message::GetBlockTxn(_)
            | Message::BlockTxn(_)
            | Message::Unknown(_) => {}
        }
    }

    fn hear_own_address(&mut self, now: Now, peer: PeerId, port: u16) {
        let Some((ip, services)) = self.listen_to(now, peer) else { return };
        let Some(ip) = ip else { return };
        if ip.is_loopback() && !self.config.allows_private {
            // A neighbour on this computer: others see it at our address.
            self.forward(now, peer, Message::AddrMe { port });
            return;
        }
        let address = SocketAddr::new(ip, port);
        if let Some(connection) = self.connections.get_mut(peer) {
            connection.note_also_at(address);
        }
        if self.learn(now, address, services, now.wall.0, ip) {
            self.forward(now, peer, Message::Addrs(vec![record(now.wall.0, services, address)]));
        }
    }

    fn hear_addresses(&mut self, now: Now, peer: PeerId, records: Vec<AddrRecord>) {
        let is_news = records.len() <= NEWS_ADDRESSES_MAX;
        for AddrRecord { timestamp, address } in records {
            let Some((ip, _)) = self.listen_to(now, peer) else { return };
            let source = ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            let (at, services) = (address.socket_addr(), address.services);
            if self.learn(now, at, services, timestamp, source) && is_news {
                let record = record(timestamp.min(now.wall.0), services, at);
                self.forward(now, peer, Message::Addrs(vec![record]));
            }
        }
    }

    /// Who speaks, if it may still tell an address.
    fn listen_to(&mut self, now: Now, peer: PeerId) -> Option<(Option<IpAddr>, Services)> {
        let connection = self.connections.get_mut(peer)?;
        let ip = connection.address.map(|address| address.ip());
        let member = connection.member_mut()?;
        member.allowance.addresses.take(now.mono).then_some((ip, member.services))
    }

    /// Takes hearsay; says whether it is worth passing on.
    fn learn(
        &mut self,
        now: Now,
        address: SocketAddr,
        services: Services,
        seen: u64,
        source: IpAddr,
    ) -> bool {
        if self.own.contains(&address) {
            return false;
        }
        let seen = p2pool_sharechain::time::UnixTime(seen);
        let is_usable = self.book.tell(now.wall, address, services, seen, Some(source));
        if is_usable {
            self.dial_soon(now.mono);
        }
        is_usable
    }

    /// Passes a message on to a random other peer, mostly.
    fn forward(&mut self, now: Now, from: PeerId, message: Message) {
        if self.rng.f64() >= FORWARDED || !self.forwarding.take(now.mono) {
            return;
        }
        let others: Vec<_> = self
            .connections
            .joined()
            .map(|(peer, _, _)| peer)
            .filter(|peer| *peer != from)
            .collect();
        if let Some(peer) = self.rng.choice(others) {
            self.outputs.push_back(PeeringOutput::Send { peer, message });
        }
    }

    fn answer(&mut self, now: Now, peer: PeerId, count: u32) {
        let connection = self.connections.get_mut(peer);
        let Some(member) = connection.and_then(|connection| connection.member_mut()) else {
            return;
        };
        if !member.allowance.questions.take(now.mono) {
            return;
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(ANSWER_ADDRESSES_MAX);
        let good = self.book.good(now.wall, &mut self.rng, count);
        let records = good
            .into_iter()
            .map(|known: &AddressRecord| record(known.last_seen.0, known.services, known.address));
        let message = Message::Addrs(records.collect());
        self.outputs.push_back(PeeringOutput::Send { peer, message });
    }

    /// Tells our address to those whose turn it is.
    pub(super) fn advertise(&mut self, now: Now) {
        let Some(message) = self.advertisement(now) else { return };
        let mean = ADVERTISE_EVERY.saturating_mul(self.member_count()) + Duration::from_secs(1);
        for (peer, connection) in self.connections.values_mut() {
            let Some(member) = connection.member_mut() else { continue };
            if member.advertise_at.is_some_and(|at| at <= now.mono) {
                member.advertise_at = Some(now.mono + chance(&mut self.rng, mean));
                let message = message.clone();
                self.outputs.push_back(PeeringOutput::Send { peer, message });
            }
        }
    }

    fn advertisement(&self, now: Now) -> Option<Message> {
        let port = self.config.listen_port?;
        Some(match self.external {
            Some(address) => {
                Message::Addrs(vec![record(now.wall.0, self.config.services, address)])
            }
            None => Message::AddrMe { port },
        })
    }

    /// Asks somebody for addresses, if we have few and it is time.
    pub(super) fn ask_for_addresses(&mut self, now: Now) {
        if !self.wants_addresses() || self.ask_at > now.mono {
            return;
        }
        self.ask_at = now.mono + chance(&mut self.rng, ASK_EVERY);
        let members: Vec<_> = self.connections.joined().map(|(peer, _, _)| peer).collect();
        if let Some(peer) = self.rng.choice(members) {
            self.ask(peer);
        }
    }

    pub(super) fn ask(&mut self, peer: PeerId) {
        let message = Message::GetAddrs { count: ADDRESSES_ASKED };
        self.outputs.push_back(PeeringOutput::Send { peer, message });
    }

    /// Whether there are fewer addresses than wanted and somebody to ask.
    pub(super) fn wants_addresses(&self) -> bool {
        self.book.len() < ADDRESSES_WANTED && self.member_count() > 0
    }

    pub(super) fn member_count(&self) -> u32 {
        u32::try_from(self.connections.joined().count()).unwrap_or(u32::MAX)
    }
}

fn record(timestamp: u64, services: Services, address: SocketAddr) -> AddrRecord {
    AddrRecord { timestamp, address: NetAddr { services, ..NetAddr::from(address) } }
}

/// A time from the exponential distribution with this mean.
pub(super) fn chance(rng: &mut fastrand::Rng, mean: Duration) -> Duration {
    mean.mul_f64(exponential(rng).min(MEANS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_one_at_a_time() {
        let at = |secs| MonoTime(Duration::from_secs(secs));
        let mut bucket = Bucket::new(at(0), 3, Duration::from_secs(5));
        let taken = (0..10).filter(|_| bucket.take(at(4))).count();
        assert_eq!(taken, 3);
        assert!(!bucket.take(at(8)) && bucket.take(at(9)) && !bucket.take(at(13)));
        let taken = (0..10).filter(|_| bucket.take(at(1_000_000_000_000))).count();
        assert_eq!(taken, 3);
    }
}
