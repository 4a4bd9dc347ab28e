//! A forest of linked records: insertion in any order, removal at its ends, ancestors and sums
//! of work over ancestors in logarithmic time.
//!
//! Knows hashes and work, not shares. Source: protocol notes, chain-selection.md section 1.

mod walks;

use core::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::compact::Attempts;
use crate::hash::ShareHash;
use walks::Link;
pub use walks::{Reach, Record};

type Slot = usize;

/// What one record adds to the sums over a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Expected hashes for the share's own target.
    pub work: Attempts,
    /// Expected hashes for the easiest target it could have had.
    pub min_work: Attempts,
}

/// Sums over a run of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Number of records.
    pub count: u32,
    /// Sum of [`Delta::work`].
    pub work: Attempts,
    /// Sum of [`Delta::min_work`].
    pub min_work: Attempts,
}

impl Sum {
    fn one(delta: Delta) -> Self {
        Self { count: 1, work: delta.work, min_work: delta.min_work }
    }

    /// Both sums together. Neither work can come near the type's width: see [`Attempts`].
    fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            work: self.work.wrapping_add(other.work),
            min_work: self.min_work.wrapping_add(other.min_work),
        }
    }
}

#[derive(Debug)]
struct Node<T> {
    hash: ShareHash,
    parent: Option<ShareHash>,
    parent_slot: Option<Slot>,
    children: Vec<Slot>,
    delta: Delta,
    level: u32,
    generation: u32,
    /// Links of levels 1 to `level`, made when first wanted.
    links: Box<[Cell<Option<Link>>]>,
    data: T,
}

/// See the module's documentation. Each record carries a `T`.
#[derive(Debug)]
pub struct Forest<T> {
    slots: HashMap<ShareHash, Slot>,
    nodes: Vec<Option<Node<T>>>,
    free: Vec<Slot>,
    generation: u32,
    seed: u64,
    /// Records whose parent is not known here, by that parent.
    bottoms: BTreeMap<Option<ShareHash>, BTreeSet<ShareHash>>,
    /// Records without children, with their tail.
    heads: BTreeMap<ShareHash, Option<ShareHash>>,
    /// Heads by tail.
    tails: BTreeMap<Option<ShareHash>, BTreeSet<ShareHash>>,
}

/// Why a record cannot be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// Not in the forest.
    #[error("the share is not known")]
    Unknown,
    /// Neither a head nor at the bottom.
    #[error("the share lies inside a chain")]
    Interior,
}

impl<T> Forest<T> {
    /// An empty forest; `seed` makes the skip list's shape unpredictable.
    pub fn new(seed: u64) -> Self {
        Self {
            slots: HashMap::new(),
            nodes: Vec::new(),
            free: Vec::new(),
            generation: 0,
            seed,
            bottoms: BTreeMap::new(),
            heads: BTreeMap::new(),
            tails: BTreeMap::new(),
        }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether the record is here.
    pub fn contains(&self, hash: ShareHash) -> bool {
        self.slots.contains_key(&hash)
    }

    /// Records without children, each with its tail (the missing parent of its oldest ancestor).
    pub fn heads(&self) -> &BTreeMap<ShareHash, Option<ShareHash>> {
        &self.heads
    }

    /// Heads by tail.
    pub fn tails(&self) -> &BTreeMap<Option<ShareHash>, BTreeSet<ShareHash>> {
        &self.tails
    }

    /// Known records whose parent is `parent`, which itself need not be known.
    pub fn children(&self, parent: Option<ShareHash>) -> Vec<ShareHash> {
        if let Some(slot) = parent.and_then(|hash| self.slots.get(&hash)) {
            self.node(*slot).children.iter().map(|child| self.node(*child).hash).collect()
        } else {
            self.bottoms.get(&parent).map(|set| set.iter().copied().collect()).unwrap_or_default()
        }
    }

    /// The record's parent; `None` if the record is unknown.
    pub fn parent(&self, hash: ShareHash) -> Option<Option<ShareHash>> {
        self.slots.get(&hash).map(|slot| self.node(*slot).parent)
    }

    /// Adds a record; `false` if it is already here.
    pub fn insert(
        &mut self,
        hash: ShareHash,
        parent: Option<ShareHash>,
        delta: Delta,
        data: T,
    ) -> bool {
        if self.contains(hash) {
            return false;
        }
        let slot = self.new_node(hash, parent, delta, data);
        let tail_below = self.link_to_parent(slot);
        // A record that others waited for takes over their heads; else it is a head itself.
        let own_children = self.bottoms.remove(&Some(hash)).unwrap_or_default();
        for child in own_children {
            let child_slot = self.slots[&child];
            self.node_mut(child_slot).parent_slot = Some(slot);
            self.node_mut(slot).children.push(child_slot);
        }
        let heads = self.tails.remove(&Some(hash)).unwrap_or_else(|| BTreeSet::from([hash]));
        for head in &heads {
            self.heads.insert(*head, tail_below);
        }
        self.tails.entry(tail_below).or_default().extend(heads);
        true
    }

    /// Joins a new node to its parent and returns the tail of the chain it now stands in.
    fn link_to_parent(&mut self, slot: Slot) -> Option<ShareHash> {
        let (hash, parent) = (self.node(slot).hash, self.node(slot).parent);
        let Some(parent_slot) = parent.and_then(|parent| self.slots.get(&parent).copied()) else {
            self.bottoms.entry(parent).or_default().insert(hash);
            return parent;
        };
        self.node_mut(slot).parent_slot = Some(parent_slot);
        self.node_mut(parent_slot).children.push(slot);
        let parent_hash = self.node(parent_slot).hash;
        match self.heads.remove(&parent_hash) {
            Some(tail) => {
                self.leave_tail(tail, parent_hash);
                tail
            }
            None => self.height_and_last(parent).1,
        }
    }

    /// Removes a head, or a record at the bottom of its chain.
    ///
    /// # Errors
    /// Unknown and interior records stay.
    pub fn remove(&mut self, hash: ShareHash) -> Result<T, RemoveError> {
        let slot = *self.slots.get(&hash).ok_or(RemoveError::Unknown)?;
        let node = self.node(slot);
        let (parent, parent_slot) = (node.parent, node.parent_slot);
        if node.children.is_empty() {
            self.remove_head(slot, hash, parent);
        } else if parent_slot.is_none() {
            self.remove_bottom(slot, hash, parent);
        } else {
            return Err(RemoveError::Interior);
        }
        self.slots.remove(&hash);
        self.free.push(slot);
        let node = self.nodes[slot].take().expect("slots in use hold a node");
        Ok(node.data)
    }

    fn remove_head(&mut self, slot: Slot, hash: ShareHash, parent: Option<ShareHash>) {
        let tail = self.heads.remove(&hash).expect("a record without children is a head");
        self.leave_tail(tail, hash);
        if let Some(parent_slot) = self.node(slot).parent_slot {
            let parent_node = self.node_mut(parent_slot);
            parent_node.children.retain(|child| *child != slot);
            if parent_node.children.is_empty() {
                let parent_hash = parent_node.hash;
                self.heads.insert(parent_hash, tail);
                self.tails.entry(tail).or_default().insert(parent_hash);
            }
        } else {
            self.leave_bottom(parent, hash);
        }
    }

    fn remove_bottom(&mut self, slot: Slot, hash: ShareHash, parent: Option<ShareHash>) {
        self.leave_bottom(parent, hash);
        let children = core::mem::take(&mut self.node_mut(slot).children);
        let moved = if self.bottoms.contains_key(&parent) {
            self.heads_above(&children)
        } else {
            // Without siblings, the heads above are all that the old tail has.
            self.tails.get(&parent).into_iter().flatten().copied().collect()
        };
        for head in moved {
            self.leave_tail(parent, head);
            self.heads.insert(head, Some(hash));
            self.tails.entry(Some(hash)).or_default().insert(head);
        }
        for child in children {
            let node = self.node_mut(child);
            node.parent_slot = None;
            let child_hash = node.hash;
            self.bottoms.entry(Some(hash)).or_default().insert(child_hash);
        }
    }

    fn heads_above(&self, slots: &[Slot]) -> Vec<ShareHash> {
        let mut heads = Vec::new();
        let mut open = slots.to_vec();
        while let Some(at) = open.pop() {
            let node = self.node(at);
            if node.children.is_empty() {
                heads.push(node.hash);
            }
            open.extend_from_slice(&node.children);
        }
        heads
    }

    fn leave_tail(&mut self, tail: Option<ShareHash>, head: ShareHash) {
        if let Some(heads) = self.tails.get_mut(&tail) {
            heads.remove(&head);
            if heads.is_empty() {
                self.tails.remove(&tail);
            }
        }
    }

    fn leave_bottom(&mut self, parent: Option<ShareHash>, hash: ShareHash) {
        if let Some(set) = self.bottoms.get_mut(&parent) {
            set.remove(&hash);
            if set.is_empty() {
                self.bottoms.remove(&parent);
            }
        }
    }

    /// What the record carries.
    pub fn get(&self, hash: ShareHash) -> Option<&T> {
        self.slots.get(&hash).map(|slot| &self.node(*slot).data)
    }

    /// What the record carries, to be changed.
    pub fn get_mut(&mut self, hash: ShareHash) -> Option<&mut T> {
        let slot = *self.slots.get(&hash)?;
        Some(&mut self.node_mut(slot).data)
    }

    fn new_node(
        &mut self,
        hash: ShareHash,
        parent: Option<ShareHash>,
        delta: Delta,
        data: T,
    ) -> Slot {
        self.generation = self.generation.wrapping_add(1);
        let level = self.level_of(hash);
        let node = Node {
            hash,
            parent,
            parent_slot: None,
            children: Vec::new(),
            delta,
            level,
            generation: self.generation,
            links: (0..level).map(|_| Cell::new(None)).collect(),
            data,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            self.nodes.len().saturating_sub(1)
        });
        self.nodes[slot] = Some(node);
        self.slots.insert(hash, slot);
        slot
    }

    fn node(&self, slot: Slot) -> &Node<T> {
        self.nodes[slot].as_ref().expect("slots in use hold a node")
    }

    fn node_mut(&mut self, slot: Slot) -> &mut Node<T> {
        self.nodes[slot].as_mut().expect("slots in use hold a node")
    }
}

#[cfg(test)]
#[path = "forest/tests.rs"]
mod tests;
