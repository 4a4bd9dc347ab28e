//! How big the shares are that a miner is asked for.
//!
//! The share chain decides what a share must be at least; a miner may ask for bigger ones, up to
//! thirty times. On average that changes nothing but how often there is one. Local policy: source
//! protocol notes, mining.md section 4.

use p2pool_sharechain::compact::{ratio, target_of_attempts};
use p2pool_sharechain::template::TemplateBase;
use p2pool_sharechain::{Attempts, U256};

/// Largest part of the pool's shares that one payout address should make: more would cost the
/// others room in the window and gain nothing.
const PART_MAX: f64 = 0.0167;
/// Bound of [`ShareSize::Bigger`]; beyond thirty the chain itself cuts.
const FACTOR_MAX: f64 = 100.0;

/// A user's choice of share sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ShareSize {
    /// The smallest that the chain allows.
    #[default]
    Automatic,
    /// So many times the smallest.
    Bigger(f64),
    /// Not less than so many sats in the next block, the classic rule against dust. Small miners
    /// then wait for years.
    WorthSats(u64),
}

impl ShareSize {
    /// The share target to ask for, given the rate of all that pays the same address. `U256::MAX`
    /// for the smallest share; the chain cuts what it does not allow.
    pub fn wanted_target(self, base: &TemplateBase, hashes_per_second: f64) -> U256 {
        let by_choice = match self {
            Self::Automatic => 0.0,
            Self::Bigger(factor) => {
                let smallest = ratio(base.position.max_bits.attempts(), Attempts::from(1));
                smallest * factor.clamp(1.0, FACTOR_MAX)
            }
            Self::WorthSats(sats) => {
                let block = ratio(base.block.bits.attempts(), Attempts::from(1));
                let subsidy = base.block.coinbase_value_sats.max(1);
                block * f64::from(base.params.spread) * sats as f64 / subsidy as f64
            }
        };
        let by_rate = hashes_per_second * f64::from(base.params.share_period) / PART_MAX;
        let attempts = by_choice.max(by_rate);
        if attempts >= 1.0 { target_of_attempts(attempts) } else { U256::MAX }
    }
}

#[cfg(test)]
mod tests {
    use p2pool_sharechain::compact::difficulty;

    use super::*;
    use crate::session::tests::rig::Base;

    /// Difficulty of the share that is asked for.
    fn asked(size: ShareSize, rate: f64) -> f64 {
        let base = Base { share_target_bits: 224, block_target_bits: 190, ..Base::default() };
        difficulty(size.wanted_target(&base.build(), rate))
    }

    #[test]
    fn smallest_share_is_asked_for_by_default() {
        let base = Base::default().build();
        assert_eq!(ShareSize::Automatic.wanted_target(&base, 0.0), U256::MAX);
    }

    #[test]
    fn strong_miner_makes_no_more_than_one_share_in_sixty() {
        // 1 TH/s, a share each 30 s in the whole pool: one of its shares in 1,796 s.
        let expected = 1e12 * 30.0 / 0.0167 / 4_294_967_296.0;
        assert!((asked(ShareSize::Automatic, 1e12) / expected - 1.0).abs() < 0.001);
    }

    #[test]
    fn bigger_shares_are_multiples_of_the_smallest() {
        let smallest = asked(ShareSize::Bigger(1.0), 0.0);
        assert!((asked(ShareSize::Bigger(7.0), 0.0) / smallest - 7.0).abs() < 0.001);
        assert_eq!(asked(ShareSize::Bigger(0.1), 0.0), smallest);
        let most = asked(ShareSize::Bigger(FACTOR_MAX), 0.0);
        assert_eq!(asked(ShareSize::Bigger(f64::INFINITY), 0.0), most);
    }

    #[test]
    fn classic_rule_asks_for_a_share_of_some_worth() {
        // A window of three blocks' work shares 50 BTC: 100,000 sats are its 50,000th part.
        let block = difficulty((U256::from(1) << 190) - U256::from(1));
        let expected = block * 3.0 / 50_000.0;
        assert!((asked(ShareSize::WorthSats(100_000), 0.0) / expected - 1.0).abs() < 0.001);
    }
}
