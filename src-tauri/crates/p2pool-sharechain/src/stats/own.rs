//! What became of this node's own shares, and what its next share announces.
//!
//! Source: protocol notes, chain-selection.md section 8.

use std::collections::BTreeMap;

use crate::hash::ShareHash;
use crate::share::StaleInfo;
use crate::tracker::Tracker;

/// Own shares since the program started.
///
/// Counts along with the best chain, share by share; shares that are pruned are forgotten, but
/// stay counted.
#[derive(Clone, Debug, Default)]
pub struct OwnShares {
    /// Shares that the tracker has or will have.
    open: BTreeMap<ShareHash, Own>,
    best: Option<ShareHash>,
    made: u64,
    made_dead: u64,
    in_chain: Tally,
}

#[derive(Clone, Copy, Debug)]
struct Own {
    is_dead: bool,
    announces: StaleInfo,
    is_in_chain: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    shares: u64,
    dead: u64,
    announced_orphans: u64,
    announced_dead: u64,
}

/// Own shares that are not in the best chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Own shares in all.
    pub made: u64,
    /// Lost a race.
    pub orphans: u64,
    /// Built on an old share when they were found.
    pub dead: u64,
}

impl OwnShares {
    /// Counts a new own share. `is_dead`: it was built on a share that is no longer the best.
    pub fn add(&mut self, hash: ShareHash, is_dead: bool, announces: StaleInfo) {
        let own = Own { is_dead, announces, is_in_chain: false };
        if self.open.insert(hash, own).is_none() {
            self.made = self.made.saturating_add(1);
            self.made_dead = self.made_dead.saturating_add(is_dead.into());
        }
    }

    /// Follows the best share; to be told of each change while the old one is still known.
    ///
    /// Returns the own shares that entered or left the best chain, or `None` if all of them have
    /// to be looked at: the new chain has nothing in common with the old one.
    pub fn set_best(
        &mut self,
        tracker: &Tracker,
        best: Option<ShareHash>,
    ) -> Option<Vec<ShareHash>> {
        let old = core::mem::replace(&mut self.best, best);
        let (mut old_height, old_last) = tracker.height_and_last(old);
        let (mut new_height, new_last) = tracker.height_and_last(best);
        if old_height == 0 || old_last != new_last {
            self.recount(tracker, best);
            return None;
        }
        let (mut old, mut new) = (old, best);
        let mut moved = Vec::new();
        while old != new {
            let (is_old_due, is_new_due) = (old_height >= new_height, new_height >= old_height);
            if is_old_due {
                moved.extend(old.filter(|hash| self.open.contains_key(hash)));
                old = self.mark(tracker, old, false);
                old_height = old_height.saturating_sub(1);
            }
            if is_new_due {
                moved.extend(new.filter(|hash| self.open.contains_key(hash)));
                new = self.mark(tracker, new, true);
                new_height = new_height.saturating_sub(1);
            }
        }
        Some(moved)
    }

    /// Forgets shares that have left the tracker; those in the best chain stay counted.
    pub fn forget(&mut self, removed: &[ShareHash]) {
        for hash in removed {
            self.open.remove(hash);
        }
    }

    /// Own shares not in the best chain.
    pub fn losses(&self) -> Losses {
        let lost = self.made.saturating_sub(self.in_chain.shares);
        let dead = self.made_dead.saturating_sub(self.in_chain.dead);
        Losses { made: self.made, orphans: lost.saturating_sub(dead), dead }
    }

    /// What the next share announces, so that each loss is announced once.
    pub fn next_announcement(&self) -> StaleInfo {
        let losses = self.losses();
        if losses.orphans > self.in_chain.announced_orphans {
            StaleInfo::ORPHAN
        } else if losses.dead > self.in_chain.announced_dead {
            StaleInfo::DEAD_ON_ARRIVAL
        } else {
            StaleInfo::NONE
        }
    }

    /// Counts anew what can be seen of the best chain.
    fn recount(&mut self, tracker: &Tracker, best: Option<ShareHash>) {
        for own in self.open.values_mut() {
            if core::mem::take(&mut own.is_in_chain) {
                self.in_chain.change(own, false);
            }
        }
        let mut at = best;
        while let Some(hash) = at {
            at = self.mark(tracker, Some(hash), true);
        }
    }

    /// Takes a share into the best chain or out of it, and returns its parent.
    fn mark(
        &mut self,
        tracker: &Tracker,
        hash: Option<ShareHash>,
        is_in_chain: bool,
    ) -> Option<ShareHash> {
        let hash = hash?;
        if let Some(own) = self.open.get_mut(&hash)
            && own.is_in_chain != is_in_chain
        {
            own.is_in_chain = is_in_chain;
            self.in_chain.change(own, is_in_chain);
        }
        tracker.get(hash)?.share().parent()
    }
}

impl Tally {
    fn change(&mut self, own: &Own, is_added: bool) {
        let count = |number: &mut u64, counts: bool| {
            if counts && is_added {
                *number = number.saturating_add(1);
            } else if counts {
                *number = number.saturating_sub(1);
            }
        };
        count(&mut self.shares, true);
        count(&mut self.dead, own.is_dead);
        count(&mut self.announced_orphans, own.announces == StaleInfo::ORPHAN);
        count(&mut self.announced_dead, own.announces == StaleInfo::DEAD_ON_ARRIVAL);
    }
}
