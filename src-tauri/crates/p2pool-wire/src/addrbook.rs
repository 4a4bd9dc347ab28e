//! Addresses of other nodes, and which of them to try next.
//!
//! Two kinds: those that we have been connected to ourselves (*proven*), and hearsay. Hearsay is
//! cheap to invent, so it is bounded by where it comes from and by what it names, it never
//! displaces a proven address, and it is chosen by its sources, of which each counts once,
//! however much it has told.
//!
//! Source: protocol notes, wire.md section 5; the differences are listed there.

mod net_group;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use p2pool_sharechain::time::UnixTime;

use crate::services::Services;

pub(crate) use self::net_group::canonical;
pub use self::net_group::{NetGroup, is_public};

/// Most addresses kept.
pub const ADDRESSES_MAX: usize = 10_000;
/// Most hearsay from one net group (and from the bootstrap names).
const SOURCE_ADDRESSES_MAX: usize = 256;
/// Most hearsay about one net group.
const GROUP_ADDRESSES_MAX: usize = 32;
/// Most hearsay about one net group from one source, so that nobody blocks it alone.
const GROUP_ADDRESSES_OF_SOURCE_MAX: usize = 8;
/// Hearsay that failed so often is forgotten.
const HEARSAY_FAILURES_MAX: u32 = 3;
/// A proven address that failed so often is forgotten, unless it was good lately.
const PROVEN_FAILURES_MAX: u32 = 10;
/// What was good within this time is given more chances.
const LATELY: Duration = Duration::from_secs(7 * DAY);
/// Hearsay of which nothing was heard for so long is forgotten.
const HEARSAY_AGE_MAX: Duration = Duration::from_secs(30 * DAY);
/// A proven address of which nothing was heard for so long is forgotten.
const PROVEN_AGE_MAX: Duration = Duration::from_secs(90 * DAY);
/// Pause after a try; four times as long after each failure that counts.
const RETRY_PAUSE: Duration = Duration::from_secs(10);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(3600);
/// Times below an hour say nothing.
const SCORE_SECONDS_MIN: u64 = 3600;
const DAY: u64 = 24 * 3600;

/// What is known of an address: a plain record, to be stored as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRecord {
    /// Where the node listens.
    pub address: SocketAddr,
    /// What it understands: its own word once proven, hearsay before.
    pub services: Services,
    /// When it was entered here.
    pub first_seen: UnixTime,
    /// When it was last good: by our own experience once proven, by hearsay before.
    pub last_seen: UnixTime,
    /// When we were last connected to it; `None`: never, it is hearsay.
    pub proven_at: Option<UnixTime>,
    /// When it was last tried.
    pub last_try: Option<UnixTime>,
    /// Tries in a row that failed though the network was there.
    pub failures: u32,
    /// Who told of it; `None`: a bootstrap name, or nobody.
    pub source: Option<IpAddr>,
}

/// What has changed since it was last saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressChanges {
    /// New and changed records.
    pub changed: Vec<AddressRecord>,
    /// Addresses that are forgotten.
    pub removed: Vec<SocketAddr>,
}

/// The store of addresses.
#[derive(Clone, Debug)]
pub struct AddrBook {
    /// Whether addresses of private networks and of this computer are taken, too.
    allows_private: bool,
    entries: BTreeMap<SocketAddr, AddressRecord>,
    /// Hearsay by its source.
    told_by: BTreeMap<Option<IpGroup>, usize>,
    /// Addresses that differ from what is stored.
    unsaved: BTreeSet<SocketAddr>,
}

/// A source of hearsay: its net group, or, in the own network, its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum IpGroup {
    Net(NetGroup),
    Own(IpAddr),
}

impl IpGroup {
    fn of(ip: IpAddr) -> Self {
        NetGroup::of(ip).map_or(Self::Own(ip.to_canonical()), Self::Net)
    }
}

impl AddressRecord {
    fn is_proven(&self) -> bool {
        self.proven_at.is_some()
    }

    fn source_group(&self) -> Option<IpGroup> {
        self.source.map(IpGroup::of)
    }

    fn is_due(&self, now: UnixTime) -> bool {
        let pause = RETRY_PAUSE.saturating_mul(4_u32.saturating_pow(self.failures));
        let pause = pause.min(RETRY_PAUSE_MAX).as_secs();
        // A try in the future: the clock was set back since.
        self.last_try.is_none_or(|tried| now < tried || now.0 - tried.0 >= pause)
    }

    /// The lower, the better; drawn anew each time.
    ///
    /// Source: protocol notes, wire.md section 5.
    fn score(&self, now: UnixTime, rng: &mut fastrand::Rng) -> f64 {
        let log = |from: UnixTime, to: UnixTime| {
            let seconds = to.0.saturating_sub(from.0).max(SCORE_SECONDS_MIN);
            // No time in seconds is so large that the loss of digits matters.
            #[expect(clippy::cast_precision_loss, reason = "an age in seconds, for a lottery")]
            let seconds = seconds as f64;
            seconds.ln()
        };
        -log(self.first_seen, self.last_seen) / log(self.last_seen, now) * exponential(rng)
    }
}

/// Draws from the exponential distribution of mean one.
pub(crate) fn exponential(rng: &mut fastrand::Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

impl AddrBook {
    /// An empty store.
    pub fn new(allows_private: bool) -> Self {
        Self {
            allows_private,
            entries: BTreeMap::new(),
            told_by: BTreeMap::new(),
            unsaved: BTreeSet::new(),
        }
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All records, by address.
    pub fn records(&self) -> impl Iterator<Item = &AddressRecord> {
        self.entries.values()
    }

    /// What is known of an address.
    pub fn get(&self, address: SocketAddr) -> Option<&AddressRecord> {
        self.entries.get(&canonical(address))
    }

    /// Takes a record from storage, with the care that any input gets.
    pub fn load(&mut self, now: UnixTime, record: &AddressRecord) {
        let address = canonical(record.address);
        let last_seen = record.last_seen.min(now);
        let record = AddressRecord {
            address,
            last_seen,
            first_seen: record.first_seen.min(last_seen),
            proven_at: record.proven_at.map(|at| at.min(now)),
            ..record.clone()
        };
        if self.accepts(address) && self.len() < ADDRESSES_MAX && self.get(address).is_none() {
            self.put(record);
            self.unsaved.remove(&address);
        }
    }

    /// Takes hearsay: `source` says that a node was at `address` at the time `seen`; `None` is the
    /// word of a bootstrap name. Says whether the address is one that we would dial.
    pub fn tell(
        &mut self,
        now: UnixTime,
        address: SocketAddr,
        services: Services,
        seen: UnixTime,
        source: Option<IpAddr>,
    ) -> bool {
        let address = canonical(address);
        if !self.accepts(address) {
            return false;
        }
        let last_seen = seen.min(now);
        if let Some(known) = self.entries.get_mut(&address) {
            // Of a proven address we know better ourselves.
            if !known.is_proven() && (known.last_seen < last_seen || known.services != services) {
                known.last_seen = known.last_seen.max(last_seen);
                known.services = services;
                self.unsaved.insert(address);
            }
            return true;
        }
        let source_group = source.map(IpGroup::of);
        if self.has_room_from(source_group) && self.make_room_about(address, source_group) {
            self.put(AddressRecord {
                address,
                services,
                // Not the time that was told: nobody can make an address older than it is.
                first_seen: now,
                last_seen,
                proven_at: None,
                last_try: None,
                failures: 0,
                source,
            });
        }
        true
    }

    /// We are connected to this address: from now on it is proven.
    pub fn note_success(&mut self, now: UnixTime, address: SocketAddr, services: Services) {
        let address = canonical(address);
        if !self.accepts(address) {
            return;
        }
        let known = self.remove(address);
        if known.is_none() && self.len() >= ADDRESSES_MAX && !self.drop_hearsay() {
            return;
        }
        let known = known.unwrap_or(AddressRecord {
            address,
            services,
            first_seen: now,
            last_seen: now,
            proven_at: None,
            last_try: None,
            failures: 0,
            source: None,
        });
        self.put(AddressRecord {
            services,
            last_seen: now,
            proven_at: Some(now),
            last_try: Some(now),
            failures: 0,
            ..known
        });
    }

    /// The address is about to be tried.
    pub fn note_try(&mut self, now: UnixTime, address: SocketAddr) {
        let address = canonical(address);
        if let Some(known) = self.entries.get_mut(&address) {
            known.last_try = Some(now);
            self.unsaved.insert(address);
        }
    }

    /// A try failed. To be told only while the network is known to be there: an evening without a
    /// line must not cost us all addresses.
    pub fn note_failure(&mut self, now: UnixTime, address: SocketAddr) {
        let address = canonical(address);
        let Some(known) = self.entries.get_mut(&address) else { return };
        known.failures = known.failures.saturating_add(1);
        self.unsaved.insert(address);
        let is_dead = if known.is_proven() {
            let age = now.0.saturating_sub(known.last_seen.0);
            known.failures >= PROVEN_FAILURES_MAX && age > LATELY.as_secs()
        } else {
            known.failures >= HEARSAY_FAILURES_MAX
        };
        if is_dead {
            self.remove(address);
        }
    }

    /// Forgets an address.
    pub fn forget(&mut self, address: SocketAddr) {
        self.remove(canonical(address));
    }

    /// Forgets every address.
    pub fn clear(&mut self) {
        let all: Vec<_> = self.entries.keys().copied().collect();
        for address in all {
            self.remove(address);
        }
    }

    /// Every address may be tried again at once.
    pub fn rest_no_longer(&mut self) {
        for known in self.entries.values_mut() {
            known.last_try = None;
        }
    }

    /// Forgets what nothing was heard of for long.
    pub fn expire(&mut self, now: UnixTime) {
        let is_old = |known: &&AddressRecord| {
            let most = if known.is_proven() { PROVEN_AGE_MAX } else { HEARSAY_AGE_MAX };
            let heard = if known.is_proven() { known.last_seen } else { known.first_seen };
            now.0.saturating_sub(heard.max(known.last_seen).0) > most.as_secs()
        };
        let old: Vec<_> = self.records().filter(is_old).map(|known| known.address).collect();
        for address in old {
            self.remove(address);
        }
    }

    /// The address to try next among those that `may_dial`: as often a proven one as hearsay,
    /// hearsay by its sources.
    pub fn pick(
        &self,
        now: UnixTime,
        rng: &mut fastrand::Rng,
        mut may_dial: impl FnMut(SocketAddr) -> bool,
    ) -> Option<SocketAddr> {
        let due = self.records().filter(|known| known.is_due(now) && may_dial(known.address));
        let (proven, hearsay): (Vec<_>, Vec<_>) = due.partition(|known| known.is_proven());
        if !proven.is_empty() && (hearsay.is_empty() || rng.bool()) {
            return best(now, rng, proven, 1).first().map(|known| known.address);
        }
        let sources: BTreeSet<_> = hearsay.iter().map(|known| known.source_group()).collect();
        let chosen = rng.choice(sources)?;
        let told: Vec<_> =
            hearsay.into_iter().filter(|known| known.source_group() == chosen).collect();
        best(now, rng, told, 1).first().map(|known| known.address)
    }

    /// At most `count` addresses worth telling others: half of them proven ones, if there are so
    /// many, so that invented ones do not spread through us.
    pub fn good(
        &self,
        now: UnixTime,
        rng: &mut fastrand::Rng,
        count: usize,
    ) -> Vec<&AddressRecord> {
        let working = self.records().filter(|known| known.failures == 0);
        let (proven, hearsay): (Vec<_>, Vec<_>) = working.partition(|known| known.is_proven());
        let half = count.div_ceil(2).min(proven.len());
        let heard = best(now, rng, hearsay, count.saturating_sub(half));
        let mut good = best(now, rng, proven, count.saturating_sub(heard.len()));
        good.extend(heard);
        good
    }

    /// What has to be stored since the last call.
    pub fn take_changes(&mut self) -> AddressChanges {
        let mut changes = AddressChanges::default();
        for address in core::mem::take(&mut self.unsaved) {
            match self.entries.get(&address) {
                Some(record) => changes.changed.push(record.clone()),
                None => changes.removed.push(address),
            }
        }
        changes
    }

    fn accepts(&self, address: SocketAddr) -> bool {
        let ip = address.ip();
        let is_usable = !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast(ip);
        address.port() != 0 && is_usable && (self.allows_private || is_public(ip))
    }

    fn has_room_from(&self, source: Option<IpGroup>) -> bool {
        self.told_by.get(&source).is_none_or(|told| *told < SOURCE_ADDRESSES_MAX)
    }

    /// Whether there is room for hearsay about this address, if need be that of what failed.
    fn make_room_about(&mut self, address: SocketAddr, source: Option<IpGroup>) -> bool {
        if let Some(group) = NetGroup::of(address.ip()) {
            let (first, last) = group.bounds();
            let about: Vec<_> = self
                .entries
                .range(first..=last)
                .map(|(_, known)| known)
                .filter(|known| !known.is_proven())
                .collect();
            let by_source = about.iter().filter(|known| known.source_group() == source).count();
            if by_source >= GROUP_ADDRESSES_OF_SOURCE_MAX {
                return false;
            }
            if about.len() >= GROUP_ADDRESSES_MAX {
                let failed = about.iter().max_by_key(|known| known.failures);
                let Some(failed) = failed.filter(|known| known.failures > 0) else { return false };
                let failed = failed.address;
                self.remove(failed);
            }
        }
        self.len() < ADDRESSES_MAX || self.drop_failed()
    }

    /// Makes room by forgetting the hearsay that failed most.
    fn drop_failed(&mut self) -> bool {
        let failed = self.records().filter(|known| !known.is_proven() && known.failures > 0);
        let Some(worst) = failed.max_by_key(|known| known.failures) else { return false };
        self.remove(worst.address).is_some()
    }

    /// Makes room by forgetting hearsay of whoever told most.
    fn drop_hearsay(&mut self) -> bool {
        let Some((most, _)) = self.told_by.iter().max_by_key(|(_, told)| **told) else {
            return false;
        };
        let is_theirs =
            |known: &&AddressRecord| !known.is_proven() && known.source_group() == *most;
        let Some(first) = self.records().find(is_theirs).map(|known| known.address) else {
            return false;
        };
        self.remove(first).is_some()
    }

    fn put(&mut self, record: AddressRecord) {
        if !record.is_proven() {
            let told = self.told_by.entry(record.source_group()).or_default();
            *told = told.saturating_add(1);
        }
        self.unsaved.insert(record.address);
        self.entries.insert(record.address, record);
    }

    fn remove(&mut self, address: SocketAddr) -> Option<AddressRecord> {
        let record = self.entries.remove(&address)?;
        self.unsaved.insert(address);
        if !record.is_proven() {
            let group = record.source_group();
            let told = self.told_by.get(&group).map_or(0, |told| told.saturating_sub(1));
            match told {
                0 => self.told_by.remove(&group),
                _ => self.told_by.insert(group, told),
            };
        }
        Some(record)
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// The `count` best of these, best first.
fn best<'a>(
    now: UnixTime,
    rng: &mut fastrand::Rng,
    among: Vec<&'a AddressRecord>,
    count: usize,
) -> Vec<&'a AddressRecord> {
    let mut scored: Vec<_> =
        among.into_iter().map(|known| (known.score(now, rng), known)).collect();
    scored.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    scored.into_iter().take(count).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests;
