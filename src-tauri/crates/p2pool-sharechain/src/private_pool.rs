//! Private pools: a network of one's own, passed on in one text.
//!
//! ```text
//! p2pool-pool:1?chain=main&id=70a1b2c3d4e5f607&prefix=0011223344556677&period=30&window=8640&bits=1d00ffff&sum=5b0e2d44
//! ```
//!
//! `chain` is the Bitcoin chain underneath, `id` and `prefix` are the eight bytes that shares
//! commit to and that messages begin with, `period` the wanted seconds between shares, `window`
//! the most shares that a block pays, `bits` the easiest share target (the minimum difficulty) in
//! compact form, and `sum` the first four bytes of the double SHA-256 of everything before
//! `&sum=`. The entries stand in this order, so that one pool has one text.

use core::fmt;
use core::str::FromStr;

use bitcoin::Network;

use crate::compact::CompactBits;
use crate::hash::sha256d;
use crate::params::{AddressParams, Params};

const SCHEME: &str = "p2pool-pool:1?";
/// Longest text worth reading.
const TEXT_BYTES_MAX: usize = 200;
/// Wanted seconds between shares.
const PERIOD: core::ops::RangeInclusive<u32> = 1..=3600;
/// Shares in the window. The vote on share types needs a tenth of it, the far share a hundred.
const WINDOW: core::ops::RangeInclusive<u32> = 200..=100_000;

/// What makes a private pool, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivatePool {
    chain: Network,
    identifier: [u8; 8],
    prefix: [u8; 8],
    share_period: u32,
    window: u32,
    easiest: CompactBits,
}

/// Why a private pool cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivatePoolError {
    /// Not a text of this kind.
    #[error("this is not a `{SCHEME}` text")]
    Scheme,
    /// An entry is missing, mistyped or out of order.
    #[error("the entry `{0}` is missing or cannot be read")]
    Entry(&'static str),
    /// The checksum differs: something was changed or lost on the way.
    #[error("the checksum does not match: the text was changed or cut off")]
    Checksum,
    /// A number out of range.
    #[error("{name} must be from {low} to {high}, not {found}")]
    Range {
        /// Which.
        name: &'static str,
        /// Least.
        low: u32,
        /// Most.
        high: u32,
        /// As given.
        found: u32,
    },
    /// The target is not in its one normal form, or easier than one hash in two.
    #[error("{0} is not a share target")]
    Target(CompactBits),
    /// Identifier or prefix of a public network.
    #[error("identifier or prefix is that of a public network")]
    Public,
}

impl PrivatePool {
    /// Checks everything.
    ///
    /// # Errors
    /// Values out of range, and those of public networks.
    pub fn new(
        chain: Network,
        identifier: [u8; 8],
        prefix: [u8; 8],
        share_period: u32,
        window: u32,
        easiest: CompactBits,
    ) -> Result<Self, PrivatePoolError> {
        in_range("period", share_period, PERIOD)?;
        in_range("window", window, WINDOW)?;
        let target = easiest.target().ok_or(PrivatePoolError::Target(easiest))?;
        let is_usable = !target.is_zero() && target.bit_len() <= 255;
        if !is_usable || CompactBits::from_target(target) != easiest {
            return Err(PrivatePoolError::Target(easiest));
        }
        if is_public(&identifier) || is_public(&prefix) {
            return Err(PrivatePoolError::Public);
        }
        Ok(Self { chain, identifier, prefix, share_period, window, easiest })
    }

    /// The network's constants. What the text does not say is as on the live network.
    pub fn params(&self) -> Params {
        let max_target = self.easiest.target_saturating();
        let mainnet = Params::mainnet();
        Params {
            name: format!("private-{}", Hex(self.identifier)),
            chain: self.chain,
            identifier: self.identifier,
            prefix: self.prefix,
            share_period: self.share_period,
            chain_length: self.window,
            real_chain_length: self.window,
            target_lookbehind: mainnet.target_lookbehind.min(self.window / 2),
            max_target,
            segwit_activation: 15,
            addresses: AddressParams::of(self.chain),
            refuses_late_votes_for_16: false,
            needs_peers: false,
            halving_interval: if self.chain == Network::Regtest { 150 } else { 210_000 },
            sane_targets: (mainnet.sane_targets.0, max_target.max(mainnet.sane_targets.1)),
            ..mainnet
        }
    }

    fn without_sum(&self) -> String {
        let (id, prefix) = (Hex(self.identifier), Hex(self.prefix));
        let Self { chain, share_period, window, easiest, .. } = self;
        let chain = chain.to_core_arg();
        format!(
            "{SCHEME}chain={chain}&id={id}&prefix={prefix}&period={share_period}&window={window}&bits={easiest}"
        )
    }
}

impl fmt::Display for PrivatePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.without_sum();
        let sum = checksum(&text);
        write!(f, "{text}&sum={sum}")
    }
}

impl FromStr for PrivatePool {
    type Err = PrivatePoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX {
            return Err(PrivatePoolError::Scheme);
        }
        let entries = text.strip_prefix(SCHEME).ok_or(PrivatePoolError::Scheme)?;
        let (summed, sum) = text.rsplit_once("&sum=").ok_or(PrivatePoolError::Entry("sum"))?;
        if checksum(summed) != sum {
            return Err(PrivatePoolError::Checksum);
        }
        let mut entries = entries.split('&');
        let mut entry = |name: &'static str| {
            entries
                .next()
                .and_then(|entry| entry.strip_prefix(name)?.strip_prefix('='))
                .ok_or(PrivatePoolError::Entry(name))
        };
        let chain = entry("chain")?;
        let chain = Network::from_core_arg(chain).map_err(|_| PrivatePoolError::Entry("chain"))?;
        let identifier = eight_bytes("id", entry("id")?)?;
        let prefix = eight_bytes("prefix", entry("prefix")?)?;
        let period = number("period", entry("period")?)?;
        let window = number("window", entry("window")?)?;
        let bits = entry("bits")?;
        let bits = u32::from_str_radix(bits, 16).map_err(|_| PrivatePoolError::Entry("bits"))?;
        let pool = Self::new(chain, identifier, prefix, period, window, CompactBits(bits))?;
        // Whatever else the text holds, a leading zero or an entry twice, is not this pool's text.
        if pool.without_sum() == summed { Ok(pool) } else { Err(PrivatePoolError::Scheme) }
    }
}

struct Hex([u8; 8]);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn checksum(text: &str) -> String {
    sha256d(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn in_range(
    name: &'static str,
    found: u32,
    range: core::ops::RangeInclusive<u32>,
) -> Result<(), PrivatePoolError> {
    let (low, high) = range.into_inner();
    if (low..=high).contains(&found) {
        Ok(())
    } else {
        Err(PrivatePoolError::Range { name, low, high, found })
    }
}

fn is_public(bytes: &[u8; 8]) -> bool {
    let ours = [
        Params::mainnet(),
        Params::testnet(),
        Params::regtest(),
        Params::practice(Network::Testnet4),
        Params::practice(Network::Regtest),
        Params::simulation(),
    ];
    let public = |params: &Params| params.identifier == *bytes || params.prefix == *bytes;
    ours.iter().any(public)
}

fn eight_bytes(name: &'static str, text: &str) -> Result<[u8; 8], PrivatePoolError> {
    let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
    number.map(u64::to_be_bytes).ok_or(PrivatePoolError::Entry(name))
}

fn number(name: &'static str, text: &str) -> Result<u32, PrivatePoolError> {
    text.parse().map_err(|_| PrivatePoolError::Entry(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PrivatePool {
        PrivatePool::new(
            Network::Bitcoin,
            *b"our pool",
            *b"messages",
            15,
            4000,
            CompactBits(0x1e00_ffff),
        )
        .unwrap()
    }

    #[test]
    fn text_leads_back_to_the_same_pool() {
        let text = pool().to_string();
        assert!(text.starts_with("p2pool-pool:1?chain=main&id=6f757220706f6f6c&prefix="), "{text}");
        assert_eq!(text.parse(), Ok(pool()));
        let params = pool().params();
        assert_eq!((params.share_period, params.real_chain_length), (15, 4000));
        assert_eq!(params.max_target, CompactBits(0x1e00_ffff).target().unwrap());
        assert_eq!(params.spread, 3);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let text = pool().to_string();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<PrivatePool>().is_err(), "{changed}");
            assert!(text[..at].parse::<PrivatePool>().is_err());
        }
    }

    #[test]
    fn public_networks_are_refused() {
        for params in [Params::mainnet(), Params::testnet(), Params::practice(Network::Testnet4)] {
            let bits = CompactBits(0x1d00_ffff);
            for (id, prefix) in [(params.identifier, *b"messages"), (*b"our pool", params.prefix)] {
                assert_eq!(
                    PrivatePool::new(Network::Bitcoin, id, prefix, 30, 8640, bits),
                    Err(PrivatePoolError::Public)
                );
            }
        }
    }

    #[test]
    fn useless_values_are_refused() {
        let with = |period, window, bits| {
            PrivatePool::new(
                Network::Bitcoin,
                *b"our pool",
                *b"messages",
                period,
                window,
                CompactBits(bits),
            )
            .is_err()
        };
        assert!(with(0, 8640, 0x1d00_ffff));
        assert!(with(30, 10, 0x1d00_ffff));
        assert!(with(30, 8640, 0));
        assert!(with(30, 8640, 0x2100_ffff), "every hash");
        assert!(with(30, 8640, 0x1e00_00ff), "not in normal form");
    }
}
