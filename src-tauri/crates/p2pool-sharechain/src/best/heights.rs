//! What is known about Bitcoin's blocks: heights by hash, and targets in force.

use std::collections::{HashMap, VecDeque};

use crate::compact::CompactBits;
use crate::hash::Hash32;

/// Most blocks remembered; scoring looks at no more than 540 shares of a chain at once.
const BLOCKS_MAX: usize = 4096;
/// Most targets remembered: the present one, and those of late shares around a retarget.
const BITS_MAX: usize = 16;

/// Heights of Bitcoin blocks as far as known, and Bitcoin targets that were seen in force.
///
/// Bounded: the oldest entries are forgotten first.
///
/// Source: protocol notes, chain-selection.md section 4 step C.
#[derive(Clone, Debug, Default)]
pub struct BlockHeights {
    /// `None` for blocks that the Bitcoin node does not know.
    heights: HashMap<Hash32, Option<u32>>,
    order: VecDeque<Hash32>,
    best: u32,
    bits: VecDeque<CompactBits>,
}

impl BlockHeights {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the height of a block.
    pub fn insert(&mut self, block: Hash32, height: u32) {
        self.put(block, Some(height));
        self.note_tip(height);
    }

    /// Tells that the Bitcoin node does not know a block. It is asked for again when the chain
    /// has grown.
    pub fn insert_unknown(&mut self, block: Hash32) {
        self.put(block, None);
    }

    /// Tells a height that the Bitcoin chain has reached; lower ones than before are ignored.
    pub fn note_tip(&mut self, height: u32) {
        if height <= self.best {
            return;
        }
        self.best = height;
        let heights = &mut self.heights;
        self.order.retain(|block| {
            let is_known = heights.get(block).is_some_and(Option::is_some);
            if !is_known {
                heights.remove(block);
            }
            is_known
        });
    }

    /// Tells a target that Bitcoin demands or demanded of a block.
    pub fn note_bits(&mut self, bits: CompactBits) {
        if self.knows_bits(bits) {
            return;
        }
        if self.bits.len() >= BITS_MAX {
            self.bits.pop_front();
        }
        self.bits.push_back(bits);
    }

    /// Whether Bitcoin is known to demand or have demanded this target.
    pub fn knows_bits(&self, bits: CompactBits) -> bool {
        self.bits.contains(&bits)
    }

    /// The height of a block, if known.
    pub fn get(&self, block: &Hash32) -> Option<u32> {
        self.heights.get(block).copied().flatten()
    }

    /// Whether the Bitcoin node should be asked for a block's height.
    pub fn needs_lookup(&self, block: &Hash32) -> bool {
        *block != [0; 32] && !self.heights.contains_key(block)
    }

    /// How far a block lies below the best height; unknown blocks count as height 0.
    pub fn depth(&self, block: &Hash32) -> u32 {
        self.best.saturating_sub(self.get(block).unwrap_or_default())
    }

    fn put(&mut self, block: Hash32, height: Option<u32>) {
        if self.heights.insert(block, height).is_some() {
            return;
        }
        self.order.push_back(block);
        if self.order.len() > BLOCKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.heights.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u16) -> Hash32 {
        let mut hash = [1; 32];
        hash[..2].copy_from_slice(&number.to_le_bytes());
        hash
    }

    #[test]
    fn depth_counts_from_the_best_height_ever_seen() {
        let mut heights = BlockHeights::new();
        heights.insert(block(1), 100);
        heights.note_tip(103);
        heights.note_tip(101);
        heights.insert(block(2), 99);
        assert_eq!(heights.depth(&block(1)), 3);
        assert_eq!(heights.depth(&block(2)), 4);
        assert_eq!(heights.depth(&block(9)), 103, "an unknown block counts as height 0");
        assert_eq!(heights.get(&block(9)), None);
    }

    #[test]
    fn unknown_block_is_asked_for_once_per_height() {
        let mut heights = BlockHeights::new();
        heights.note_tip(5);
        assert!(heights.needs_lookup(&block(1)));
        heights.insert_unknown(block(1));
        assert!(!heights.needs_lookup(&block(1)));
        heights.note_tip(5);
        assert!(!heights.needs_lookup(&block(1)));
        heights.note_tip(6);
        assert!(heights.needs_lookup(&block(1)));
        heights.insert(block(1), 6);
        assert_eq!(heights.get(&block(1)), Some(6));
        assert!(!heights.needs_lookup(&[0; 32]), "no block is not a block to ask for");
    }

    #[test]
    fn oldest_blocks_and_targets_are_forgotten_first() {
        let mut heights = BlockHeights::new();
        for number in 0..=4096 {
            heights.insert(block(number), number.into());
        }
        assert_eq!(heights.get(&block(0)), None);
        assert_eq!(heights.get(&block(1)), Some(1));
        assert_eq!((heights.heights.len(), heights.order.len()), (4096, 4096));
        for number in 0..=16 {
            heights.note_bits(CompactBits(number));
            heights.note_bits(CompactBits(number));
        }
        assert!(!heights.knows_bits(CompactBits(0)));
        assert!((1..=16).all(|number| heights.knows_bits(CompactBits(number))));
    }
}
