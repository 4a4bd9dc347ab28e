//! What holds whenever the engine has nothing left to do.

use core::time::Duration;
use std::collections::BTreeMap;

use p2pool_engine::{Engine, WhyNoWork};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::Origin;
use p2pool_sharechain::generation::Window;
use p2pool_sharechain::time::Now;

use super::Ledger;
use crate::engine_steps::forge::Forge;

/// An own share is passed on after this time, stored or not.
const PERSIST_WAIT: Duration = Duration::from_millis(200);

impl Ledger {
    /// Storage, work and peers are up to date.
    pub(in crate::engine_steps) fn check_rest(
        &mut self,
        engine: &Engine,
        now: Now,
        forge: &mut Forge,
    ) {
        assert_eq!(engine.tracker().len(), self.stored.len(), "storage has what the engine has");
        // The solution of a block goes out before anything else is looked at.
        for hash in self.gone.drain(..) {
            assert!(self.own.contains_key(&hash), "a share that nobody knows is sent");
        }
        if let Some(best) = engine.best() {
            assert!(engine.tracker().is_verified(best), "the best share is verified");
            self.check_relayed(best, now);
        }
        self.check_has_work(engine);
        if self.has_work && !self.is_work_checked {
            self.is_work_checked = true;
            self.check_newest_work(engine, forge);
        }
    }

    /// There is work as soon as there may be, and none for a node that is alone or behind.
    fn check_has_work(&self, engine: &Engine) {
        let is_alone = self.is_alone() || engine.best().is_none();
        let expected = match engine.why_no_work() {
            None => true,
            Some(WhyNoWork::CatchingUp) => {
                assert!(self.params.needs_peers && !self.is_alone(), "nobody to wait for");
                false
            }
            Some(_) => {
                assert!(self.template.is_none() || self.params.needs_peers && is_alone);
                false
            }
        };
        assert!(!(expected && self.params.needs_peers && is_alone), "work on a chain of its own");
        assert_eq!(self.has_work, expected, "work as soon as there may be");
    }

    /// All who were here before the best share have it: from us, or we from them.
    fn check_relayed(&self, best: ShareHash, now: Now) {
        let Some(arrival) = self.arrivals.get(&best) else { return };
        // An own share may come back from a peer while it still waits for storage.
        let is_foreign = arrival.origin == Origin::Peer && !self.own.contains_key(&best);
        let is_due = is_foreign
            || arrival.sequence <= self.persisted
            || now.mono.since(arrival.at) >= PERSIST_WAIT;
        if !is_due {
            return;
        }
        for (id, peer) in &self.peers {
            let was_here = peer.joined_step < arrival.step && !peer.is_dropped;
            let has_it = peer.sent.contains(&best)
                || peer.delivered.contains(&best)
                || peer.told.contains(&best);
            assert!(!was_here || has_it, "peer {id} was not told the best share");
        }
    }

    /// The newest work stands on the best share, and is what a node with all shares would make.
    fn check_newest_work(&self, engine: &Engine, forge: &mut Forge) {
        let Some(base) = self.works.last() else { return };
        let best = engine.best();
        assert_eq!(base.previous_share, best, "work on another share than the best");
        let is_known = best.is_none_or(|best| forge.is_good(best));
        // A clock that was set back leaves the best share far below the end that is pruned.
        if !is_known || !self.is_disk_sound || !self.is_clock_honest {
            return;
        }
        let (position, window) = forge.work_above(best, base.version, base.block.bits);
        assert_eq!(base.position, position, "fields that follow from the chain");
        assert_eq!(base.window.total, window.total, "weight of the whole window");
        assert_eq!(weights(&base.window), weights(&window), "weights of the window");
    }

    /// Compares storage with the engine, share by share.
    pub(in crate::engine_steps) fn check_storage(&self, engine: &Engine) {
        for (hash, stored) in &self.stored {
            assert!(engine.tracker().get(*hash).is_some(), "{hash} is stored and forgotten");
            let is_verified = engine.tracker().is_verified(*hash);
            assert_eq!(is_verified, stored.is_verified, "{hash}: verified, in storage or not");
        }
    }
}

fn weights(window: &Window) -> BTreeMap<&[u8], p2pool_sharechain::Attempts> {
    window.weights.iter().map(|(key, weight)| (key.text(), *weight)).collect()
}
