//! Whom to dial, and when.
//!
//! Source: protocol notes, wire.md section 5.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeSet;

use p2pool_sharechain::time::{MonoTime, Now};

use super::Peering;
use super::connections::{Connection, Kind, Stage};
use super::gossip::chance;
use super::interface::{DialTarget, Host, PeerId, PeeringOutput};
use crate::addrbook::{canonical, is_public};
use crate::services::Services;

/// Attempts under way at once.
const ATTEMPTS_MAX: usize = 30;
/// Mean time between two attempts.
const DIAL_EVERY: Duration = Duration::from_secs(1);
/// Pause when there is nobody to dial.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Pauses between attempts to reach a fixed peer.
const REDIAL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Pauses between attempts to reach a bootstrap name.
const REDIAL_NAME: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));
/// Pauses between looking up the bootstrap names.
const RESOLVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));
/// Addresses taken from one bootstrap name.
const RESOLVED_MAX: usize = 32;
/// One of so many attempts goes to a bootstrap name where names are dialled.
const NAME_ONE_IN: u32 = 4;
/// Who is alone for so long looks up the bootstrap names, whatever is left to try.
const ALONE_MAX: Duration = Duration::from_secs(300);

/// Pauses that grow, up to a cap, with a jitter of a quarter.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    pause: Duration,
}

impl Backoff {
    fn new((first, max): (Duration, Duration)) -> Self {
        Self { first, max, pause: first }
    }

    fn reset(&mut self) {
        self.pause = self.first;
    }

    /// When to try next; the pause after that is twice as long.
    fn next(&mut self, now: MonoTime, rng: &mut fastrand::Rng) -> MonoTime {
        let pause = self.pause.mul_f64(0.75 + 0.5 * rng.f64());
        self.pause = self.pause.saturating_mul(2).min(self.max);
        now + pause
    }
}

/// A peer that is dialled by its name: fixed, or a bootstrap name behind a proxy.
#[derive(Clone, Debug)]
pub(super) struct NamedPeer {
    host: Host,
    /// Where it was last found.
    address: Option<SocketAddr>,
    /// When it is dialled next; `None` while there is a connection.
    due: Option<MonoTime>,
    backoff: Backoff,
    /// The random number of the node that was found there.
    nonce: Option<u64>,
}

impl NamedPeer {
    pub(super) fn fixed(host: Host, now: MonoTime) -> Self {
        Self::new(host, now, REDIAL)
    }

    pub(super) fn bootstrap(host: Host, now: MonoTime) -> Self {
        Self::new(host, now, REDIAL_NAME)
    }

    fn new(host: Host, now: MonoTime, pauses: (Duration, Duration)) -> Self {
        let address = host.address();
        Self { host, address, due: Some(now), backoff: Backoff::new(pauses), nonce: None }
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    pub(super) fn is(&self, host: &Host) -> bool {
        self.host == *host
    }

    /// It is dialled without a pause, unless there is a connection or an attempt.
    pub(super) fn dial_now(&mut self, now: MonoTime) {
        self.backoff.reset();
        self.due = self.due.map(|due| due.min(now));
    }

    pub(super) fn connected(&mut self, address: Option<SocketAddr>) {
        self.address = address.map(canonical).or(self.address);
    }

    pub(super) fn joined(&mut self, nonce: u64) {
        self.nonce = Some(nonce);
    }

    /// The connection is over. Only one that lasted makes the next pause short again.
    pub(super) fn left(&mut self, now: MonoTime, lasted: Duration, rng: &mut fastrand::Rng) {
        if lasted >= self.backoff.max.min(REDIAL.1) {
            self.backoff.reset();
        }
        self.due = Some(self.backoff.next(now, rng));
    }
}

/// Looking up the bootstrap names.
#[derive(Clone, Debug)]
pub(super) struct Resolving {
    at: MonoTime,
    has_started: bool,
    backoff: Backoff,
    pending: BTreeSet<Host>,
    /// Names that had addresses when they were last looked up.
    pub(super) found: BTreeSet<Host>,
}

impl Resolving {
    pub(super) fn new(now: MonoTime) -> Self {
        let (pending, found) = Default::default();
        Self { at: now, has_started: false, backoff: Backoff::new(RESOLVE), pending, found }
    }

    /// They are looked up at the next occasion.
    pub(super) fn start_again(&mut self, now: MonoTime) {
        *self = Self { pending: core::mem::take(&mut self.pending), ..Self::new(now) };
    }
}

/// The search for somebody since we were last connected.
#[derive(Clone, Debug)]
pub(super) struct Search {
    alone_since: MonoTime,
    pub(super) tried: BTreeSet<String>,
    pub(super) reached: BTreeSet<String>,
}

impl Search {
    pub(super) fn new(now: MonoTime) -> Self {
        Self { alone_since: now, tried: BTreeSet::new(), reached: BTreeSet::new() }
    }
}

impl Peering {
    /// Dials fixed peers that are due.
    pub(super) fn dial_fixed(&mut self, now: Now) {
        for place in 0..self.fixed.len() {
            let Some(fixed) = self.fixed.get_mut(place) else { continue };
            let is_linked = fixed.nonce.is_some_and(|n| self.connections.with_nonce(n).is_some());
            if is_linked || fixed.due.is_none_or(|due| due > now.mono) {
                continue;
            }
            // Only a person bans a fixed peer.
            let banned = fixed.address.and_then(|at| self.bans.until(now.mono, at.ip()));
            if banned.is_some() {
                fixed.due = banned;
                continue;
            }
            fixed.due = None;
            let (host, address) = (fixed.host.clone(), fixed.host.address());
            self.dial(Kind::Fixed(place), target_of(host), address);
        }
    }

    /// When a fixed peer is dialled next.
    pub(super) fn fixed_due(&self) -> Option<MonoTime> {
        let is_linked = |nonce: u64| self.connections.with_nonce(nonce).is_some();
        let idle = self.fixed.iter().filter(|fixed| !fixed.nonce.is_some_and(is_linked));
        idle.filter_map(|fixed| fixed.due).min()
    }

    /// Whether another ordinary connection is wanted and may be tried.
    pub(super) fn wants_to_dial(&self) -> bool {
        let attempts = self.connections.count(|c| c.is_ordinary() && c.is_dialling());
        attempts < ATTEMPTS_MAX && self.connections.ordinary() < self.config.outgoing_wanted
    }

    /// Dials one address, if it is time.
    pub(super) fn dial_ordinary(&mut self, now: Now) {
        if self.dial_at > now.mono || !self.wants_to_dial() {
            return;
        }
        let name_first = self.rng.u32(..NAME_ONE_IN) == 0;
        let has_dialled = (name_first && self.dial_name(now))
            || self.dial_address(now)
            || (!name_first && self.dial_name(now));
        self.is_idle = !has_dialled;
        let pause = if has_dialled { chance(&mut self.rng, DIAL_EVERY) } else { LOOK_AGAIN };
        self.dial_at = now.mono + pause;
    }

    fn dial_address(&mut self, now: Now) -> bool {
        let mut taken = self.connections.taken();
        self.fixed.iter().filter_map(NamedPeer::address).for_each(|at| taken.add_host(at));
        let may_dial = |address: SocketAddr| {
            !taken.contains(address)
                && !self.own.contains(&address)
                && self.bans.until(now.mono, address.ip()).is_none()
        };
        let Some(address) = self.book.pick(now.wall, &mut self.rng, may_dial) else { return false };
        self.book.note_try(now.wall, address);
        self.dial(Kind::Outgoing, DialTarget::Address(address), Some(address));
        true
    }

    fn dial_name(&mut self, now: Now) -> bool {
        let is_due = |name: &NamedPeer| name.due.is_some_and(|due| due <= now.mono);
        let due = self.names.iter().enumerate().filter(|(_, name)| is_due(name));
        let due: Vec<_> = due.map(|(place, _)| place).collect();
        let Some(place) = self.rng.choice(due) else { return false };
        let Some(name) = self.names.get_mut(place) else { return false };
        name.due = None;
        let (host, address) = (name.host.clone(), name.host.address());
        self.dial(Kind::Named(place), target_of(host), address);
        true
    }

    fn dial(&mut self, kind: Kind, target: DialTarget, address: Option<SocketAddr>) -> PeerId {
        if !matches!(kind, Kind::Fixed(_)) && self.is_alone() {
            self.search.tried.insert(target.to_string());
        }
        let peer = self.connections.add(Connection::new(kind, Stage::Dialling, address));
        self.outputs.push_back(PeeringOutput::Dial { peer, target });
        peer
    }

    /// Somebody new may be worth dialling, if so far there was nobody.
    pub(super) fn dial_soon(&mut self, now: MonoTime) {
        if core::mem::take(&mut self.is_idle) {
            self.dial_at = self.dial_at.min(now + chance(&mut self.rng, DIAL_EVERY));
        }
    }

    /// An ordinary attempt or connection came to nothing.
    pub(super) fn note_failure(&mut self, now: Now, address: Option<SocketAddr>) {
        // While nobody out there is connected, it is as likely our own line.
        if let Some(address) = address.filter(|_| self.is_online()) {
            self.book.note_failure(now.wall, address);
        }
    }

    /// Whether somebody beyond the own network is connected.
    fn is_online(&self) -> bool {
        let is_outside = |at: SocketAddr| self.config.allows_private || is_public(at.ip());
        self.connections
            .joined()
            .any(|(_, connection, _)| connection.address.is_none_or(is_outside))
    }

    /// Whether nobody is connected.
    pub(super) fn is_alone(&self) -> bool {
        self.connections.joined().next().is_none()
    }

    /// Whether we are alone and nobody is left who was not tried: all were, or those left are
    /// resting or banned.
    pub(super) fn has_tried_all(&self) -> bool {
        self.is_alone()
            && self.resolving.pending.is_empty()
            && self.connections.count(|connection| connection.kind != Kind::Incoming) == 0
            && (self.is_idle
                || self.search.tried.len() >= self.book.len().saturating_add(self.names.len()))
    }

    /// Looks up the bootstrap names at the start, and again while nobody can be found.
    pub(super) fn resolve(&mut self, now: Now) {
        let is_due = self.resolve_due().is_some_and(|due| due <= now.mono);
        if !is_due {
            return;
        }
        self.resolving.has_started = true;
        self.resolving.at = self.resolving.backoff.next(now.mono, &mut self.rng);
        for host in &self.config.bootstrap {
            self.resolving.pending.insert(host.clone());
            self.outputs.push_back(PeeringOutput::Resolve(host.clone()));
        }
    }

    /// When the bootstrap names are looked up next, if that is foreseeable.
    pub(super) fn resolve_due(&self) -> Option<MonoTime> {
        if !self.config.resolves_names || self.config.bootstrap.is_empty() {
            return None;
        }
        let at = self.resolving.at;
        if !self.resolving.has_started || self.has_tried_all() {
            return Some(at);
        }
        self.is_alone().then(|| at.max(self.search.alone_since + ALONE_MAX))
    }

    pub(super) fn resolved(&mut self, now: Now, host: Host, addresses: &[SocketAddr]) {
        self.resolving.pending.remove(&host);
        if addresses.is_empty() {
            self.resolving.found.remove(&host);
        } else if self.config.bootstrap.contains(&host) {
            self.resolving.found.insert(host);
        }
        for address in addresses.iter().take(RESOLVED_MAX) {
            if !self.own.contains(&canonical(*address)) {
                self.book.tell(now.wall, *address, Services::NONE, now.wall, None);
            }
        }
        self.dial_soon(now.mono);
    }

    /// Somebody is connected: the search is over.
    pub(super) fn found_somebody(&mut self, now: MonoTime) {
        self.search = Search::new(now);
        self.resolving.backoff.reset();
    }

    /// Somebody left: from here on, if he was the last.
    pub(super) fn lost_somebody(&mut self, now: MonoTime) {
        if self.is_alone() {
            self.search = Search::new(now);
            self.dial_at = self.dial_at.min(now);
        }
        self.dial_soon(now);
    }
}

fn target_of(host: Host) -> DialTarget {
    host.address().map_or(DialTarget::Host(host), DialTarget::Address)
}
