//! What is missing, who should have it, and when to give up.
//!
//! A wanted share is asked for a bounded number of times, from each peer at most once; then it is
//! given up for a while, and what stands on it is dropped.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::best::Desire;
use p2pool_sharechain::time::MonoTime;

use crate::input::PeerId;

/// Peers asked for one share, one after the other.
const ATTEMPTS_MAX: usize = 6;
/// Shares wanted at once.
const WANTS_MAX: usize = 1_000;
/// A share that nobody gave is not asked for again for so long.
const GIVE_UP_FOR: Duration = Duration::from_secs(60);
/// Attempts count for so long after the share has come: it may have been a spoilt copy.
const REMEMBER_FOR: Duration = Duration::from_secs(600);

/// Why a share is wanted; those first that cost little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// A peer said at its arrival that it is its best.
    Claim,
    /// Peers announced it by its hash.
    Announced,
    /// Others stand on it; the rank is that of [`Choice::desired`].
    ///
    /// [`Choice::desired`]: p2pool_sharechain::best::Choice::desired
    History(usize),
}

/// One wanted share.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) purpose: Purpose,
    /// Who should have it.
    pub(crate) sources: Vec<PeerId>,
    /// Who was asked for it already.
    pub(crate) asked: Vec<PeerId>,
    /// It has come; kept for a while in case that it was spoilt.
    has_come: bool,
    since: MonoTime,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    wants: BTreeMap<ShareHash, Want>,
    given_up: BTreeMap<ShareHash, MonoTime>,
    /// Something may be asked for that could not be before.
    pub(crate) is_due: bool,
}

impl Want {
    /// Whether it was asked for often enough.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.asked.len() >= ATTEMPTS_MAX
    }
}

impl Wants {
    pub(crate) fn get(&self, hash: ShareHash) -> Option<&Want> {
        self.wants.get(&hash)
    }

    /// Wanted shares that have not come, by purpose.
    pub(crate) fn open(&self) -> Vec<(Purpose, ShareHash)> {
        let open = self.wants.iter().filter(|(_, want)| !want.has_come);
        let mut open: Vec<_> = open.map(|(hash, want)| (want.purpose, *hash)).collect();
        open.sort_unstable();
        open
    }

    /// Wants a share that a peer has told of.
    pub(crate) fn add(&mut self, now: MonoTime, hash: ShareHash, purpose: Purpose, source: PeerId) {
        if self.wants.len() >= WANTS_MAX && !self.wants.contains_key(&hash) {
            return;
        }
        self.is_due = true;
        let want = self.wants.entry(hash).or_insert_with(|| Want::new(now, purpose));
        want.has_come = false;
        want.purpose = want.purpose.min(purpose);
        if !want.sources.contains(&source) {
            want.sources.push(source);
        }
    }

    /// Wants the history that selection misses, and no other.
    pub(crate) fn set_history(&mut self, now: MonoTime, desired: &[Desire]) {
        let is_history = |want: &Want| matches!(want.purpose, Purpose::History(_));
        let needed: BTreeMap<ShareHash, &Desire> =
            desired.iter().take(WANTS_MAX).map(|desire| (desire.hash, desire)).collect();
        self.wants
            .retain(|hash, want| want.has_come || !is_history(want) || needed.contains_key(hash));
        for (rank, desire) in desired.iter().take(WANTS_MAX).enumerate() {
            if self.is_given_up(now, desire.hash) {
                continue;
            }
            let purpose = Purpose::History(rank);
            let want = self.wants.entry(desire.hash).or_insert_with(|| Want::new(now, purpose));
            want.purpose = purpose;
            want.has_come = false;
            for sender in &desire.senders {
                if !want.sources.contains(sender) {
                    want.sources.push(*sender);
                }
            }
        }
        self.is_due = true;
    }

    /// A peer is asked.
    pub(crate) fn note_asked(&mut self, hash: ShareHash, peer: PeerId) {
        if let Some(want) = self.wants.get_mut(&hash) {
            want.asked.push(peer);
        }
    }

    /// The share has come.
    pub(crate) fn note_come(&mut self, hash: ShareHash) {
        if let Some(want) = self.wants.get_mut(&hash) {
            want.has_come = true;
        }
    }

    /// Nobody gives the share.
    pub(crate) fn give_up(&mut self, now: MonoTime, hash: ShareHash) {
        self.wants.remove(&hash);
        if self.given_up.len() < WANTS_MAX {
            self.given_up.insert(hash, now + GIVE_UP_FOR);
        }
    }

    pub(crate) fn is_given_up(&self, now: MonoTime, hash: ShareHash) -> bool {
        self.given_up.get(&hash).is_some_and(|until| *until > now)
    }

    /// Somebody is here who was not asked yet.
    pub(crate) fn hope_again(&mut self) {
        self.given_up.clear();
        self.is_due = true;
    }

    /// Forgets what no longer matters.
    pub(crate) fn clean(&mut self, now: MonoTime) {
        self.given_up.retain(|_, until| *until > now);
        self.wants.retain(|_, want| !want.has_come || now.since(want.since) < REMEMBER_FOR);
    }
}

impl Want {
    fn new(now: MonoTime, purpose: Purpose) -> Self {
        Self { purpose, sources: Vec::new(), asked: Vec::new(), has_come: false, since: now }
    }
}
