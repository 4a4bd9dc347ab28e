//! Rounds: the work done from one pool block to the next. For display only.

use p2pool_sharechain::change::{BlockStatus, Standing};
use p2pool_sharechain::compact::ratio;
use p2pool_sharechain::{Attempts, CompactBits, ShareHash};

use crate::Engine;
use crate::snapshot::PoolBlock;

impl Engine {
    /// Tells each block how much of an average round's work was done in its round, as far as both
    /// ends are known. Blocks are sorted, oldest first.
    pub(crate) fn measure_rounds(&self, blocks: &mut [PoolBlock]) {
        let mut before: Option<Standing> = None;
        for entry in blocks.iter_mut().filter(|entry| is_end_of_round(entry)) {
            let here = entry.block.standing;
            entry.round_effort = before
                .zip(here)
                .and_then(|(before, here)| part(before.abs_work, here.abs_work, here.bits));
            before = here;
        }
    }

    /// The same of the round in progress.
    pub(crate) fn present_round_effort(&self, blocks: &[PoolBlock]) -> Option<f64> {
        let last = blocks.iter().rev().find(|entry| is_end_of_round(entry))?;
        let last = last.block.standing?;
        let best = self.tracker.get(self.best?)?.share().info.abs_work;
        part(last.abs_work, best, self.block_bits()?)
    }

    /// Where a block's share stands, if it is known.
    pub(crate) fn standing_of(&self, block: ShareHash) -> Option<Standing> {
        let share = self.tracker.get(block)?.share();
        Some(Standing { abs_work: share.info.abs_work, bits: share.header.bits })
    }
}

/// One that lost its place to another block was found all the same.
fn is_end_of_round(entry: &PoolBlock) -> bool {
    entry.block.status != BlockStatus::Rejected
}

/// Work from one place of the chain to another, as a part of what a block takes on average.
fn part(from: u128, to: u128, bits: CompactBits) -> Option<f64> {
    let work = to.wrapping_sub(from);
    // More than half of all there is: the places are not on one chain.
    let is_forward = work < u128::MAX / 2;
    let needed = bits.attempts();
    (is_forward && !needed.is_zero()).then(|| ratio(Attempts::from(work), needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: CompactBits = CompactBits(0x1d00_ffff);

    #[test]
    fn work_of_a_round_is_compared_with_what_a_block_takes() {
        // Difficulty 1 takes 2^32 and a little more.
        let half = part(10, 10 + (1 << 31), BITS).unwrap();
        assert!((half - 0.5).abs() < 1e-4, "{half}");
        assert!(part(u128::MAX, (1 << 32) - 1, BITS).is_some(), "the sum may wrap");
        assert_eq!(part(1 << 40, 0, BITS), None, "backwards");
    }
}
