//! Asking for shares: several questions at once, those first who should know.
//!
//! Source: protocol notes, wire.md sections 6.2 and 6.3. Other than the reference, which asks
//! anybody at random for one missing share at a time, this asks several peers at once, for as many
//! ancestors as an answer can hold, and never the same peer twice for the same share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::best::Desire;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CheckedShare, ShareHash};

use crate::Engine;
use crate::input::{PeerId, RequestId};
use crate::output::{DropReason, Output};
use crate::wants::Purpose;

/// A peer that takes longer to answer is dropped.
const REPLY_TIMEOUT: Duration = Duration::from_secs(15);
/// Most questions for history on their way at once, and of these to one peer.
const HISTORY_MAX: usize = 8;
const HISTORY_PER_PEER_MAX: usize = 2;
/// Most questions for single shares on their way at once.
const SINGLE_MAX: usize = 64;
/// Ancestors asked for at once: at first, and at most and at least after quick and slow answers.
pub(crate) const PARENTS_FIRST: u64 = 500;
const PARENTS_MAX: u64 = 1000;
const PARENTS_MIN: u64 = 50;
/// What quick and slow answers are.
const QUICK: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_secs(8);
/// Most stops in a question.
const STOPS_MAX: usize = 100;

/// Questions on their way.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    open: BTreeMap<RequestId, Open>,
}

#[derive(Debug)]
struct Open {
    peer: PeerId,
    hash: ShareHash,
    parents: u64,
    asked_at: MonoTime,
}

/// Whom to ask.
enum Pick {
    Peer(PeerId),
    /// Those who should know have enough to do.
    Later,
    /// Nobody is left to be asked.
    Nobody,
}

impl Requests {
    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.open.values().map(|open| open.asked_at + REPLY_TIMEOUT).min()
    }

    pub(crate) fn forget_peer(&mut self, peer: PeerId) {
        self.open.retain(|_, open| open.peer != peer);
    }

    fn is_asked(&self, hash: ShareHash) -> bool {
        self.open.values().any(|open| open.hash == hash)
    }

    fn history(&self) -> usize {
        self.open.values().filter(|open| open.parents > 0).count()
    }

    fn is_busy(&self, peer: PeerId) -> bool {
        let own = self.open.values().filter(|open| open.peer == peer && open.parents > 0);
        own.count() >= HISTORY_PER_PEER_MAX
    }
}

impl Engine {
    /// Takes note of what selection misses.
    pub(crate) fn want_history(&mut self, now: Now, desired: &[Desire]) {
        self.wants.set_history(now.mono, desired);
    }

    /// A peer says that it has these shares.
    pub(crate) fn share_hashes(&mut self, now: Now, peer: PeerId, hashes: &[ShareHash]) {
        for hash in hashes {
            if let Some(knowledge) = self.peers.knowledge(peer) {
                knowledge.note_share(*hash);
            }
            if self.tracker.get(*hash).is_none() && self.peers.take_token(now.mono, peer) {
                self.wants.add(now.mono, *hash, Purpose::Announced, peer);
            }
        }
    }

    /// Asks for what is wanted, and gives up what nobody has.
    pub(crate) fn ask_around(&mut self, now: Now) {
        // What waits to be taken in need not be asked for.
        if self.intake.is_waiting() || self.peers.len() == 0 {
            return;
        }
        if !core::mem::take(&mut self.wants.is_due) {
            return;
        }
        for (purpose, hash) in self.wants.open() {
            if self.tracker.get(hash).is_some() {
                self.wants.note_come(hash);
                continue;
            }
            let is_history = matches!(purpose, Purpose::History(_));
            let history = self.requests.history();
            let is_full = match is_history {
                true => history >= HISTORY_MAX,
                false => self.requests.open.len() - history >= SINGLE_MAX,
            };
            if is_full || self.requests.is_asked(hash) {
                continue;
            }
            if is_history && self.is_hopeless(hash) {
                self.abandon(hash);
                self.wants.give_up(now.mono, hash);
                continue;
            }
            match self.pick(hash, is_history) {
                Pick::Peer(peer) => self.ask(now, peer, hash, is_history),
                Pick::Later => {}
                Pick::Nobody => {
                    self.wants.give_up(now.mono, hash);
                    self.drop_dependants(hash);
                }
            }
        }
    }

    /// Those first who sent or announced what leads to it, then anybody; each at most once.
    fn pick(&mut self, hash: ShareHash, is_history: bool) -> Pick {
        let Some(want) = self.wants.get(hash).filter(|want| !want.is_exhausted()) else {
            return Pick::Nobody;
        };
        let is_free = |peer: &PeerId| self.peers.contains(*peer) && !want.asked.contains(peer);
        let mut likely: Vec<PeerId> = want.sources.iter().copied().filter(is_free).collect();
        if likely.is_empty() && is_history {
            likely = self.peers.with_best(hash).filter(is_free).collect();
        }
        if likely.is_empty() && is_history {
            likely = self.peers.ids().filter(is_free).collect();
        }
        if likely.is_empty() {
            return Pick::Nobody;
        }
        likely.retain(|peer| !is_history || !self.requests.is_busy(*peer));
        self.rng.choice(&likely).map_or(Pick::Later, |peer| Pick::Peer(*peer))
    }

    fn ask(&mut self, now: Now, peer: PeerId, hash: ShareHash, is_history: bool) {
        let mut request = [0; 32];
        self.rng.fill(&mut request);
        let parents = if is_history { self.peers.parents_asked(peer) } else { 0 };
        let stops = if is_history { self.stops() } else { Vec::new() };
        let open = Open { peer, hash, parents, asked_at: now.mono };
        self.requests.open.insert(request, open);
        self.wants.note_asked(hash, peer);
        let hashes = vec![hash];
        self.outputs.push_back(Output::RequestShares { peer, request, hashes, parents, stops });
    }

    /// Heads, and shares ten below them: nobody needs to send what lies there.
    fn stops(&self) -> Vec<ShareHash> {
        let mut stops = BTreeSet::new();
        for (head, _) in self.tracker.heads() {
            stops.insert(head);
            let (height, _) = self.tracker.height_and_last(Some(head));
            let depth = height.saturating_sub(1).min(10);
            stops.extend(self.tracker.nth_parent(Some(head), depth));
            if stops.len() >= STOPS_MAX {
                break;
            }
        }
        stops.into_iter().take(STOPS_MAX).collect()
    }

    pub(crate) fn share_reply(
        &mut self,
        now: Now,
        peer: PeerId,
        request: RequestId,
        shares: Option<Vec<Arc<CheckedShare>>>,
    ) {
        if self.requests.open.get(&request).is_none_or(|open| open.peer != peer) {
            return;
        }
        let Some(open) = self.requests.open.remove(&request) else { return };
        self.wants.is_due = true;
        let shares = shares.unwrap_or_default();
        if let Some(knowledge) = self.peers.knowledge(peer) {
            shares.iter().for_each(|share| knowledge.note_share(share.hash()));
        }
        let shares = asked_for(&open, shares);
        if shares.is_empty() {
            return;
        }
        self.wants.note_come(open.hash);
        if open.parents > 0 {
            let time = now.mono.since(open.asked_at);
            self.peers.set_parents_asked(peer, adapted(open.parents, time));
        }
        self.take_in_slices(now, peer, shares);
    }

    /// Gives up on questions that were not answered.
    pub(crate) fn expire_requests(&mut self, now: Now) {
        let is_late = |open: &Open| open.asked_at + REPLY_TIMEOUT <= now.mono;
        let open = self.requests.open.values().filter(|open| is_late(open));
        let late: BTreeSet<PeerId> = open.map(|open| open.peer).collect();
        for peer in late {
            self.drop_peer(peer, false, DropReason::Silent);
        }
    }

    /// Ends a connection, once; what is still heard of it does not count.
    pub(crate) fn drop_peer(&mut self, peer: PeerId, is_ban: bool, reason: DropReason) {
        if self.peers.dismiss(peer) {
            self.outputs.push_back(Output::DropPeer { peer, is_ban, reason });
        }
        self.peer_gone(peer);
    }
}

/// The part of an answer that was asked for: the wanted share and its ancestors, one after the
/// other, and no more of them than asked for.
fn asked_for(open: &Open, shares: Vec<Arc<CheckedShare>>) -> Vec<Arc<CheckedShare>> {
    let mut next = Some(open.hash);
    let count = usize::try_from(open.parents).unwrap_or(usize::MAX).saturating_add(1);
    let is_next = |share: &Arc<CheckedShare>| {
        let is_next = next == Some(share.hash());
        if is_next {
            next = share.share().parent();
        }
        is_next
    };
    shares.into_iter().filter(is_next).take(count).collect()
}

/// How many ancestors to ask for after an answer that took so long.
fn adapted(parents: u64, time: Duration) -> u64 {
    if time < QUICK {
        parents.saturating_mul(2).min(PARENTS_MAX)
    } else if time > SLOW {
        (parents / 2).max(PARENTS_MIN)
    } else {
        parents
    }
}
