//! Identities: [`ShareHash`], and 32-byte tree nodes.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use bitcoin::BlockHash;
use bitcoin::hashes::{Hash, sha256d};
use ruint::aliases::U256;

/// A transaction id, witness id or merkle node: 32 bytes in internal (natural SHA-256) order.
pub type Hash32 = [u8; 32];

/// Identifies a share: double SHA-256 of its 80-byte header, bytes in internal order.
///
/// Not a [`BlockHash`]: the same bytes may also name a block, but only a
/// [`Grade`](crate::template::Grade) may say so. Displays reversed, like block hashes.
/// Ordered as the 256-bit number that the displayed digits spell, because the choice of
/// the best share breaks ties that way.
///
/// Source: protocol notes, encoding.md section 7.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareHash([u8; 32]);

impl ShareHash {
    /// Wraps 32 bytes in internal order.
    pub const fn from_internal(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes in internal order.
    pub const fn to_internal(self) -> [u8; 32] {
        self.0
    }

    /// Hashes an 80-byte block header.
    pub fn of_header(header: &[u8; 80]) -> Self {
        Self(sha256d(header))
    }

    /// The number that is compared with targets.
    pub fn to_uint(self) -> U256 {
        U256::from_le_bytes(self.0)
    }

    /// The block that has this header, should it be one.
    pub fn to_block_hash(self) -> BlockHash {
        BlockHash::from_byte_array(self.0)
    }
}

impl Ord for ShareHash {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for ShareHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ShareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ShareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share hash is written with 64 hexadecimal digits")]
pub struct ParseShareHashError;

impl FromStr for ShareHash {
    type Err = ParseShareHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<BlockHash>()
            .map(|hash| Self(hash.to_byte_array()))
            .map_err(|_| ParseShareHashError)
    }
}

/// Double SHA-256, internal byte order.
pub fn sha256d(data: &[u8]) -> Hash32 {
    sha256d::Hash::hash(data).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_displayed_number() {
        let mut low = [0xff; 32];
        low[31] = 0;
        let mut high = [0; 32];
        high[31] = 1;
        assert!(ShareHash::from_internal(low) < ShareHash::from_internal(high));
        assert!(ShareHash::from_internal(low).to_uint() < ShareHash::from_internal(high).to_uint());
    }

    #[test]
    fn text_round_trips() {
        let text = "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d";
        let hash: ShareHash = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(hash.to_internal()[0], 0x1d);
        assert_eq!("12".parse::<ShareHash>(), Err(ParseShareHashError));
    }
}
