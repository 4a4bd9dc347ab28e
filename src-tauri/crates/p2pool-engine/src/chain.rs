//! Shares coming in, the choice of the best one, and passing shares on.
//!
//! Source: protocol notes, chain-selection.md sections 2 to 7, wire.md section 6.1.

use std::sync::Arc;

use p2pool_sharechain::best::{Choice, Progress};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{Hash32, ShareHash};

use crate::input::Loaded;
use crate::output::{Event, Output};
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
            self.refusals.clean(now.mono);
            self.wants.clean(now.mono);
            self.wants.is_due = true;
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
    pub(crate) fn forget(&mut self, removed: &[ShareHash]) {
        self.served.remove(removed);
        self.outbox.forget(removed);
        self.peers.forget(removed);
        self.forget_strays(removed);
    }

    fn apply(&mut self, now: Now, choice: Choice) {
        let is_pushing = choice.punish != 0;
        self.changes.verified.extend_from_slice(&choice.verified);
        self.changes.removed.extend_from_slice(&choice.removed);
        self.settle_strays(&choice.verified);
        self.judge_senders(now, &choice);
        self.forget(&choice.removed);
        for block in choice.unknown_blocks {
            self.outputs.push_back(Output::LookUpHeight { block });
        }
        self.want_history(now, &choice.desired);
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

    pub(crate) fn block_height(&mut self, block: Hash32, height: Option<u32>) {
        match height {
            Some(height) => self.heights.insert(block, height),
            None => self.heights.insert_unknown(block),
        }
        self.is_unsettled = true;
    }
}
