//! Shares coming in, the choice of the best one, and passing shares on.
//!
//! Source: protocol notes, chain-selection.md sections 2 to 7, wire.md section 6.1.

use std::sync::Arc;

use p2pool_sharechain::best::{Choice, Progress};
use p2pool_sharechain::change::{Origin, StoredShare};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{CheckedShare, Hash32, ShareHash};

use crate::input::{Loaded, PeerId};
use crate::output::{DropReason, Event, Output};
use crate::{CLEAN_EVERY, Engine, VERIFY_PER_STEP};

/// Unknown share types counted apart.
const UNKNOWN_TYPES_MAX: usize = 16;

impl Engine {
    pub(crate) fn load(&mut self, now: Now, loaded: Loaded) {
        for stored in loaded.shares {
            let share = stored.share;
            let hash = share.hash();
            let seen = MonoTime::ZERO;
            let known = KnownShare { share: Arc::clone(&share), seen, sender: None };
            if self.tracker.insert(known) == Ok(true) {
                self.served.insert(&share);
                if stored.is_verified {
                    self.tracker.mark_verified(hash);
                }
            }
            // Whoever wanted stored shares has them by now.
            self.outbox.mark_sent(hash);
        }
        self.load_outbox(now, loaded.own, loaded.blocks);
        self.is_unsettled = true;
    }

    pub(crate) fn shares_pushed(&mut self, now: Now, peer: PeerId, shares: Vec<Arc<CheckedShare>>) {
        self.take_in(now, Some(peer), shares);
    }

    /// Adds shares to the tracker and to what storage has to keep.
    pub(crate) fn take_in(
        &mut self,
        now: Now,
        sender: Option<PeerId>,
        shares: Vec<Arc<CheckedShare>>,
    ) {
        for share in shares {
            let hash = share.hash();
            if let Some(knowledge) = sender.and_then(|peer| self.peers.knowledge(peer)) {
                knowledge.note_share(hash);
            }
            let known = KnownShare { share: Arc::clone(&share), seen: now.mono, sender };
            if self.tracker.insert(known) != Ok(true) {
                continue;
            }
            self.is_unsettled = true;
            self.served.insert(&share);
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

    /// Counts shares of unknown types; they are nobody's fault.
    pub(crate) fn note_unknown(&mut self, version: u64, count: u64) {
        if self.unknown.len() < UNKNOWN_TYPES_MAX || self.unknown.contains_key(&version) {
            let seen = self.unknown.entry(version).or_default();
            *seen = seen.saturating_add(count);
        }
    }

    /// Runs a slice of selection if there is anything to select from.
    pub(crate) fn settle(&mut self, now: Now) {
        let is_cleaning_due = now.mono >= self.next_clean;
        if is_cleaning_due {
            self.next_clean = now.mono + CLEAN_EVERY;
            self.is_unsettled = true;
            self.prune(now);
        }
        if !self.is_unsettled {
            return;
        }
        match self.selector.step(&mut self.tracker, now, &self.heights, VERIFY_PER_STEP) {
            Progress::More => {}
            Progress::Done(choice) => {
                self.is_unsettled = false;
                self.apply(now, choice);
            }
        }
    }

    fn prune(&mut self, now: Now) {
        let removed = prune(&mut self.tracker, &self.heads, now);
        self.forget(&removed);
        self.changes.removed.extend(removed);
    }

    /// Forgets all that belongs to shares which have left the tracker.
    fn forget(&mut self, removed: &[ShareHash]) {
        self.served.remove(removed);
        self.outbox.forget(removed);
        self.peers.forget(removed);
    }

    fn apply(&mut self, now: Now, choice: Choice) {
        let is_pushing = choice.punish != 0;
        self.changes.verified.extend_from_slice(&choice.verified);
        self.changes.removed.extend_from_slice(&choice.removed);
        self.forget(&choice.removed);
        self.drop_senders(&choice);
        for block in choice.unknown_blocks {
            self.outputs.push_back(Output::LookUpHeight { block });
        }
        self.request_desired(now, &choice.desired);
        self.heads = choice.heads;
        for hash in choice.verified {
            self.note_block_of_others(now, hash);
        }
        self.work.is_pushing = is_pushing;
        if choice.best == self.best {
            return;
        }
        self.outbox.follow(&self.tracker, choice.best);
        self.best = choice.best;
        self.changes.best = choice.best;
        if let Some(best) = choice.best {
            let (height, _) = self.tracker.height_and_last(Some(best));
            let is_own = self.outbox.is_own(best);
            self.event(Event::BestShare { hash: best, height, is_own });
            self.broadcast(now, best);
        }
        self.settle_fates();
        self.republish(now);
    }

    fn drop_senders(&mut self, choice: &Choice) {
        for peer in &choice.bad_senders {
            let error = choice.failures.first().map(|(_, error)| *error);
            if let Some(error) = error
                && self.peers.contains(*peer)
            {
                let reason = DropReason::BadShare(error);
                self.outputs.push_back(Output::DropPeer { peer: *peer, is_ban: true, reason });
            }
        }
    }

    pub(crate) fn block_height(&mut self, block: Hash32, height: Option<u32>) {
        match height {
            Some(height) => self.heights.insert(block, height),
            None => self.heights.insert_unknown(block),
        }
        self.is_unsettled = true;
    }
}
