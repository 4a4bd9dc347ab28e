//! Walking down from a record: a skip list over each chain, its links made when first wanted.

use super::{Delta, Forest, Slot, Sum};
use crate::hash::ShareHash;

/// Most levels of the skip list.
const LEVEL_MAX: u32 = 20;

/// From one record over `sum.count` records to an ancestor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    to: Slot,
    /// Guards against the slot having been given to another record.
    generation: u32,
    sum: Sum,
}

/// One record met on a walk.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a, T> {
    /// Its hash.
    pub hash: ShareHash,
    /// What it adds to sums.
    pub delta: Delta,
    /// What it carries.
    pub data: &'a T,
}

/// The end of a walk down from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Sums over the records walked over.
    pub sum: Sum,
    /// First record not walked over: known, unknown or none.
    pub next: Option<ShareHash>,
}

impl<T> Forest<T> {
    /// Number of known records from `hash` down, and the first unknown hash below them.
    ///
    /// An unknown or absent `hash` has height 0 and is its own tail.
    pub fn height_and_last(&self, hash: Option<ShareHash>) -> (u32, Option<ShareHash>) {
        let reach = self.reach(hash, |_| true);
        (reach.sum.count, reach.next)
    }

    /// Sums over all known records from `hash` down.
    pub fn total(&self, hash: Option<ShareHash>) -> Sum {
        self.reach(hash, |_| true).sum
    }

    /// The ancestor `n` steps below `hash`, at most the first unknown hash of its chain.
    pub fn nth_parent(&self, hash: Option<ShareHash>, n: u32) -> Option<ShareHash> {
        self.reach(hash, |sum| sum.count <= n).next
    }

    /// Sums over the first `n` records from `hash` down (fewer if the chain is shorter).
    pub fn sum_of(&self, hash: Option<ShareHash>, n: u32) -> Sum {
        self.reach(hash, |sum| sum.count <= n).sum
    }

    /// Whether `ancestor` is `hash` or below it in the same chain.
    pub fn is_ancestor(&self, ancestor: ShareHash, hash: ShareHash) -> bool {
        let (height, _) = self.height_and_last(Some(hash));
        let (lower, _) = self.height_and_last(Some(ancestor));
        lower > 0
            && height >= lower
            && self.nth_parent(Some(hash), height.saturating_sub(lower)) == Some(ancestor)
    }

    /// The chain from `hash` down, record by record.
    pub fn chain(&self, hash: Option<ShareHash>) -> impl Iterator<Item = Record<'_, T>> + '_ {
        let mut at = hash.and_then(|hash| self.slots.get(&hash).copied());
        core::iter::from_fn(move || {
            let node = self.node(at?);
            at = node.parent_slot;
            Some(Record { hash: node.hash, delta: node.delta, data: &node.data })
        })
    }

    /// Walks down from `hash` as far as the sums stay within `within`, which must hold for all
    /// shorter walks once it holds for a longer one.
    pub fn reach(&self, hash: Option<ShareHash>, within: impl Fn(&Sum) -> bool) -> Reach {
        let Some(mut at) = hash.and_then(|hash| self.slots.get(&hash).copied()) else {
            return Reach { sum: Sum::default(), next: hash };
        };
        let mut sum = Sum::default();
        let mut ceiling = LEVEL_MAX;
        loop {
            let node = self.node(at);
            let mut level = node.level.min(ceiling);
            let step = loop {
                match (self.link(at, level), level.checked_sub(1)) {
                    (Some(link), _) if within(&sum.plus(link.sum)) => break Some(link),
                    (_, None) => break None,
                    (_, Some(lower)) => {
                        level = lower;
                        ceiling = lower;
                    }
                }
            };
            if let Some(link) = step {
                sum = sum.plus(link.sum);
                at = link.to;
                continue;
            }
            // One last step over the bottom record, below which nothing is known.
            let with_last = sum.plus(Sum::one(node.delta));
            return if node.parent_slot.is_none() && within(&with_last) {
                Reach { sum: with_last, next: node.parent }
            } else {
                Reach { sum, next: Some(node.hash) }
            };
        }
    }

    fn link(&self, slot: Slot, level: u32) -> Option<Link> {
        let node = self.node(slot);
        let Some(lower) = level.checked_sub(1) else {
            let to = node.parent_slot?;
            let generation = self.node(to).generation;
            return Some(Link { to, generation, sum: Sum::one(node.delta) });
        };
        let cell = &node.links[lower as usize];
        if let Some(link) = cell.get()
            && self.nodes[link.to].as_ref().is_some_and(|to| to.generation == link.generation)
        {
            return Some(link);
        }
        let mut link = self.link(slot, lower)?;
        while self.node(link.to).level < level {
            let step = self.link(link.to, self.node(link.to).level.min(lower))?;
            link = Link { sum: link.sum.plus(step.sum), ..step };
        }
        cell.set(Some(link));
        Some(link)
    }

    /// Level of a record: k with probability 2^-(k+1), the same at each insertion.
    pub(super) fn level_of(&self, hash: ShareHash) -> u32 {
        let bytes = hash.to_internal();
        let mut number = u64::from_le_bytes(bytes[..8].try_into().expect("eight of 32 bytes"));
        // SplitMix64's finaliser, keyed: hashes cannot be ground to shape the list.
        number ^= self.seed;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)).trailing_zeros().min(LEVEL_MAX)
    }
}
