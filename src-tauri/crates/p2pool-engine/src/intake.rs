//! Shares coming in, and how many of them a peer may make us keep before they prove good.
//!
//! A share that is not verified yet is a *stray*. Peers have a small credit for strays that nobody
//! asked for; it comes back when they are verified, so that only junk uses it up. What was asked
//! for is bounded by the question. If there are too many strays all the same, those on the chains
//! with the least work go first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use p2pool_sharechain::best::Choice;
use p2pool_sharechain::change::{Origin, StoredShare};
use p2pool_sharechain::time::Now;
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::verify::ContextError;
use p2pool_sharechain::{Attempts, CheckedShare, ShareHash};

use crate::Engine;
use crate::input::PeerId;
use crate::output::DropReason;

/// Shares of long answers taken in in one step.
const TAKE_PER_STEP: usize = 256;
/// Shares removed in one step.
const REMOVE_PER_STEP: usize = 250;
/// Chains given up for space at once.
const EVICTED_PER_STEP: usize = 64;
/// Strays beyond two histories.
const STRAYS_SPARE: usize = 1_000;
/// Strays of one peer beyond one history.
const PEER_STRAYS_SPARE: usize = 1_000;
/// Bad shares in answers before the connection ends. An honest peer may hold some that it could
/// not judge itself.
const STRIKES_MAX: u32 = 3;
/// A history of so many shares can be compared with ours.
const COMPARED_MIN: u32 = 500;
/// A history with so many times less work than ours is not worth its download.
const HOPELESS_FACTOR: u64 = 64;

/// How a share came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// A miner of this node found it.
    Own,
    /// A peer sent it unasked.
    Pushed(PeerId),
    /// A peer sent it because it was asked.
    Asked(PeerId),
}

/// Who brought a share that is not verified.
#[derive(Clone, Copy, Debug)]
struct Stray {
    peer: PeerId,
    is_asked: bool,
}

/// A head that is to go, with what is below it: all of it, or as far as one peer brought it.
#[derive(Clone, Copy, Debug)]
struct Doomed {
    head: ShareHash,
    peer: Option<PeerId>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    strays: BTreeMap<ShareHash, Stray>,
    doomed: VecDeque<Doomed>,
    /// Answers, or what is left of them, that wait for their turn.
    waiting: VecDeque<(PeerId, Vec<Arc<CheckedShare>>)>,
    /// There were too many strays when it was last looked.
    is_crowded: bool,
    /// Bad shares and hopeless histories so far.
    pub(crate) refusals: u64,
}

impl Intake {
    /// Whether shares wait to be taken in.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether shares wait to be taken in, or for their removal.
    pub(crate) fn has_work(&self) -> bool {
        self.is_crowded || !self.doomed.is_empty() || self.is_waiting()
    }
}

impl Engine {
    /// Takes in an answer, in slices if it is long: no step may last long.
    pub(crate) fn take_in_slices(
        &mut self,
        now: Now,
        peer: PeerId,
        shares: Vec<Arc<CheckedShare>>,
    ) {
        self.intake.waiting.push_back((peer, shares));
        if self.intake.waiting.len() == 1 {
            self.take_in_waiting(now);
        }
    }

    /// Takes in the next slice of what waits.
    pub(crate) fn take_in_waiting(&mut self, now: Now) {
        let Some((peer, mut shares)) = self.intake.waiting.pop_front() else { return };
        let rest = shares.split_off(shares.len().min(TAKE_PER_STEP));
        if !rest.is_empty() {
            self.intake.waiting.push_front((peer, rest));
        }
        self.take_in(now, Arrival::Asked(peer), shares);
    }

    /// Adds shares to the tracker and to what storage has to keep.
    pub(crate) fn take_in(&mut self, now: Now, arrival: Arrival, shares: Vec<Arc<CheckedShare>>) {
        for share in shares {
            let hash = share.hash();
            let sender = match arrival {
                Arrival::Own => None,
                Arrival::Pushed(peer) | Arrival::Asked(peer) => Some(peer),
            };
            if let Some(knowledge) = sender.and_then(|peer| self.peers.knowledge(peer)) {
                knowledge.note_share(hash);
            }
            if self.tracker.get(hash).is_some() || !self.may_keep(now, arrival) {
                continue;
            }
            let known = KnownShare { share: Arc::clone(&share), seen: now.mono, sender };
            if self.tracker.insert(known) != Ok(true) {
                continue;
            }
            self.is_unsettled = true;
            self.served.insert(&share);
            if let Some(peer) = sender {
                let is_asked = matches!(arrival, Arrival::Asked(_));
                self.intake.strays.insert(hash, Stray { peer, is_asked });
                self.peers.count_stray(peer, 1);
            }
            let origin = if sender.is_some() { Origin::Peer } else { Origin::Own };
            self.changes.added.push(StoredShare {
                hash,
                parent: share.share().parent(),
                abs_height: share.share().info.abs_height,
                seen_at: now.wall,
                origin,
                verified: false,
                raw: share.share().to_bytes().into(),
            });
        }
    }

    /// Whether a peer may bring one more share. What is refused is not lost: whatever builds on it
    /// makes it wanted.
    fn may_keep(&mut self, now: Now, arrival: Arrival) -> bool {
        let history = self.config.params.chain_length as usize * 2;
        match arrival {
            Arrival::Own => true,
            Arrival::Pushed(peer) => self.peers.take_token(now.mono, peer),
            Arrival::Asked(peer) => self.peers.strays(peer) < history + PEER_STRAYS_SPARE,
        }
    }

    /// Shares are verified: they count against nobody any longer.
    pub(crate) fn settle_strays(&mut self, verified: &[ShareHash]) {
        for hash in verified {
            if let Some(stray) = self.intake.strays.remove(hash) {
                self.peers.count_stray(stray.peer, -1);
                if !stray.is_asked {
                    self.peers.refund_token(stray.peer);
                }
            }
        }
    }

    /// Forgets the strays among shares that have left the tracker.
    pub(crate) fn forget_strays(&mut self, removed: &[ShareHash]) {
        for hash in removed {
            if let Some(stray) = self.intake.strays.remove(hash) {
                self.peers.count_stray(stray.peer, -1);
            }
        }
    }

    /// Ends connections to those who sent bad shares; to be called while these are known.
    ///
    /// Who sends a share unasked has verified it, if it is honest, so that a bad one means a ban.
    /// Who answers a question passes on what it has.
    pub(crate) fn judge_senders(&mut self, now: Now, choice: &Choice) {
        for (hash, error) in &choice.failures {
            let Some(stray) = self.intake.strays.get(hash).copied() else { continue };
            let is_bad = !matches!(
                error,
                // Our clock, or our history, may be what is wrong.
                ContextError::Future(_) | ContextError::NoHistory | ContextError::Unknown
            );
            if !is_bad || !choice.bad_senders.contains(&stray.peer) {
                continue;
            }
            self.intake.refusals = self.intake.refusals.saturating_add(1);
            self.refusals.note(now.mono, stray.peer);
            if stray.is_asked && self.peers.strike(stray.peer) < STRIKES_MAX {
                continue;
            }
            self.drop_peer(stray.peer, !stray.is_asked, DropReason::BadShare(*error));
            self.doom_strays_of(stray.peer);
        }
    }

    fn doom_strays_of(&mut self, peer: PeerId) {
        for (head, _) in self.tracker.heads() {
            if self.intake.strays.get(&head).is_some_and(|stray| stray.peer == peer) {
                self.intake.doomed.push_back(Doomed { head, peer: Some(peer) });
            }
        }
    }

    /// Drops what stands on a share that nobody gives.
    pub(crate) fn drop_dependants(&mut self, missing: ShareHash) {
        for (head, tail) in self.tracker.heads() {
            if tail == Some(missing) && !self.tracker.is_verified(head) {
                self.intake.doomed.push_back(Doomed { head, peer: None });
            }
        }
    }

    /// Whether the chains that need a missing share have so little work that they cannot win.
    pub(crate) fn is_hopeless(&self, missing: ShareHash) -> bool {
        let heads = self.tracker.heads().filter(|(_, tail)| *tail == Some(missing));
        let works = heads.map(|(head, _)| (self.tracker.total(Some(head)).work, head));
        let Some((_, head)) = works.max() else { return false };
        let (theirs, _) = self.tracker.height_and_last(Some(head));
        let (ours, _) = self.tracker.height_and_last(self.best);
        let compared = theirs.min(ours);
        let work = |head| self.tracker.sum_of(head, compared).work;
        compared >= COMPARED_MIN.min(self.config.params.chain_length)
            && work(Some(head)).wrapping_mul(Attempts::from(HOPELESS_FACTOR)) < work(self.best)
    }

    /// Drops chains that need a missing share, and those who supplied them.
    pub(crate) fn abandon(&mut self, missing: ShareHash) {
        self.intake.refusals = self.intake.refusals.saturating_add(1);
        let mut suppliers = BTreeSet::new();
        for (head, _) in self.tracker.heads().filter(|(_, tail)| *tail == Some(missing)) {
            let chain = self.tracker.chain(Some(head));
            let strays = chain.filter_map(|known| self.intake.strays.get(&known.share.hash()));
            suppliers.extend(strays.filter(|stray| stray.is_asked).map(|stray| stray.peer));
        }
        for peer in suppliers {
            self.drop_peer(peer, false, DropReason::HopelessHistory);
        }
        self.drop_dependants(missing);
    }

    /// Removes a slice of what is to go, and picks what has to go for space.
    pub(crate) fn remove_doomed(&mut self) {
        if self.intake.doomed.is_empty() {
            self.evict();
        }
        let mut left = REMOVE_PER_STEP;
        while left > 0 {
            let Some(doomed) = self.intake.doomed.pop_front() else { return };
            let mut at = Some(doomed.head);
            while let Some(hash) = at.filter(|hash| self.is_removable(*hash, doomed.peer)) {
                let Some(rest) = left.checked_sub(1) else {
                    self.intake.doomed.push_front(Doomed { head: hash, ..doomed });
                    break;
                };
                left = rest;
                at = self.tracker.get(hash).and_then(|share| share.share().parent());
                if self.tracker.remove(hash).is_err() {
                    break;
                }
                self.is_unsettled = true;
                self.forget(&[hash]);
                self.changes.removed.push(hash);
            }
        }
    }

    /// A head that is not verified, of this peer if it matters.
    fn is_removable(&self, hash: ShareHash, peer: Option<PeerId>) -> bool {
        let is_theirs = |peer| self.intake.strays.get(&hash).is_some_and(|s| s.peer == peer);
        self.tracker.get(hash).is_some()
            && !self.tracker.is_verified(hash)
            && self.tracker.children(Some(hash)).is_empty()
            && peer.is_none_or(is_theirs)
    }

    /// Too many strays: the heads with least work below them go, never the one with most.
    fn evict(&mut self) {
        let history = self.config.params.chain_length as usize * 2;
        let strays = self.tracker.len().saturating_sub(self.tracker.verified().len());
        self.intake.is_crowded = strays > 2 * history + STRAYS_SPARE;
        if !self.intake.is_crowded {
            return;
        }
        let heads = self.tracker.heads().map(|(head, _)| head);
        let mut heads: Vec<_> =
            heads.map(|head| (self.tracker.total(Some(head)).work, head)).collect();
        heads.sort_unstable();
        heads.pop();
        let light = heads.into_iter().map(|(_, head)| head);
        let light = light.filter(|head| !self.tracker.is_verified(*head)).take(EVICTED_PER_STEP);
        let doomed: Vec<_> = light.map(|head| Doomed { head, peer: None }).collect();
        self.intake.is_crowded = !doomed.is_empty();
        self.intake.doomed.extend(doomed);
    }
}
