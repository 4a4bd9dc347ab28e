//! The target that the next block of a chain must have.
//!
//! The kernel checks it but does not tell it. Source: BIP-0094 for testnet4, and Bitcoin Core's
//! `GetNextWorkRequired`.

use bitcoin::block::Header;
use bitcoin::consensus::Params;
use bitcoin::{CompactTarget, Network};

/// Blocks of one difficulty period.
pub const PERIOD: u32 = 2016;
/// Seconds after its parent from which a block of a test network may have the least difficulty.
const MIN_DIFFICULTY_AFTER: u32 = 1200;
/// Seconds by which the first block of a period may be older than its parent.
const TIMEWARP: u32 = 600;

/// A chain's end, as far as the next target depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Height of the newest block.
    pub height: u32,
    /// Its header.
    pub header: Header,
}

/// Target of the block after `parent` if its header time is `time`. `header_at` finds the headers
/// of the same chain by height.
///
/// Defined for the chains that practice uses: testnet4 and regtest.
pub fn next_bits(
    network: Network,
    parent: Parent,
    time: u32,
    header_at: impl Fn(u32) -> Header,
) -> CompactTarget {
    let params = Params::new(network);
    let next_height = parent.height + 1;
    if next_height.is_multiple_of(PERIOD) {
        let first = header_at(next_height - PERIOD);
        let timespan = parent.header.time.saturating_sub(first.time);
        // With BIP-0094 it is the first block of a period that keeps the real difficulty.
        let base = if network == Network::Testnet4 { first.bits } else { parent.header.bits };
        return CompactTarget::from_next_work_required(base, timespan.into(), &params);
    }
    if !params.allow_min_difficulty_blocks {
        return parent.header.bits;
    }
    let least = params.max_attainable_target.to_compact_lossy();
    if time > parent.header.time.saturating_add(MIN_DIFFICULTY_AFTER) {
        return least;
    }
    // Back to the last block whose difficulty was not lowered by the 20-minute rule.
    let mut height = parent.height;
    let mut header = parent.header;
    while !height.is_multiple_of(PERIOD) && header.bits == least {
        height -= 1;
        header = header_at(height);
    }
    header.bits
}

/// Lowest header time of the block after `parent`, whose median time past is `median_time`.
pub fn min_time(parent: Parent, median_time: u32) -> u32 {
    let after_median = median_time.saturating_add(1);
    if (parent.height + 1).is_multiple_of(PERIOD) {
        after_median.max(parent.header.time.saturating_sub(TIMEWARP))
    } else {
        after_median
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;

    use super::*;

    const LEAST: u32 = 0x1d00_ffff;
    const REAL: u32 = 0x1c00_ffff;
    const START: u32 = 1_800_000_000;

    fn header(bits: u32, time: u32) -> Header {
        let mut header = genesis_block(Network::Testnet4).header;
        header.bits = CompactTarget::from_consensus(bits);
        header.time = time;
        header
    }

    /// Next bits on testnet4 after `headers`, which are those from height `first` on.
    fn testnet4(first: u32, headers: &[Header], time: u32) -> u32 {
        let height = first + u32::try_from(headers.len()).unwrap() - 1;
        let parent = Parent { height, header: headers[headers.len() - 1] };
        next_bits(Network::Testnet4, parent, time, |wanted| headers[(wanted - first) as usize])
            .to_consensus()
    }

    #[test]
    fn twenty_minutes_without_a_block_lower_the_difficulty() {
        let chain = [header(REAL, START)];
        assert_eq!(testnet4(2020, &chain, START + 1200), REAL);
        assert_eq!(testnet4(2020, &chain, START + 1201), LEAST);
    }

    #[test]
    fn real_difficulty_returns_after_lowered_blocks() {
        let chain = [header(REAL, START), header(LEAST, START + 1300), header(LEAST, START + 2600)];
        assert_eq!(testnet4(2020, &chain, START + 2700), REAL);
        // The search ends at the first block of the period, whatever it is.
        let chain = [header(REAL, START), header(LEAST, START), header(LEAST, START)];
        assert_eq!(testnet4(2015, &chain, START), LEAST);
    }

    #[test]
    fn retarget_starts_from_the_first_block_of_the_period() {
        let two_weeks = 14 * 24 * 3600;
        let mut chain = vec![header(LEAST, START); 2016];
        chain[0] = header(REAL, START);
        // Half the time was needed: half the target of the first block, not of the last.
        chain[2015] = header(LEAST, START + two_weeks / 2);
        assert_eq!(testnet4(2016, &chain, START + two_weeks), 0x1b7f_ff80);
        // No more than a factor of four.
        chain[2015] = header(LEAST, START + 1);
        assert_eq!(testnet4(2016, &chain, START + two_weeks), 0x1b3f_ffc0);
        // Never easier than the least difficulty.
        chain[0] = header(LEAST, START);
        chain[2015] = header(REAL, START + 5 * two_weeks);
        assert_eq!(testnet4(2016, &chain, START + 5 * two_weeks + 9999), LEAST);
    }

    #[test]
    fn regtest_never_changes() {
        let genesis = genesis_block(Network::Regtest).header;
        let parent = |height| Parent { height, header: genesis };
        for (height, time) in [(0, START), (2014, genesis.time), (2015, START), (5000, START)] {
            let bits = next_bits(Network::Regtest, parent(height), time, |_| genesis);
            assert_eq!(bits.to_consensus(), 0x207f_ffff);
        }
    }

    #[test]
    fn lowest_time_follows_the_median_and_at_period_starts_the_parent() {
        let parent = |height| Parent { height, header: header(REAL, START) };
        assert_eq!(min_time(parent(2014), START - 3000), START - 2999);
        assert_eq!(min_time(parent(2015), START - 3000), START - 600);
        assert_eq!(min_time(parent(2015), START - 100), START - 99);
    }
}
