//! What a node understands beyond the reference's protocol.
//!
//! Source: `docs/extensions.md`.

use core::fmt;
use core::ops::BitOr;

/// Bits of the field `services`, which the reference sends as zero and does not look at.
///
/// ```
/// use p2pool_wire::Services;
///
/// let ours = Services::COMPACT_BLOCKS | Services::SHARE_HASHES;
/// assert!(ours.contains(Services::SHARE_HASHES));
/// assert!(!Services::NONE.contains(ours));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Services(pub u64);

impl Services {
    /// The reference's protocol and nothing else.
    pub const NONE: Self = Self(0);
    /// Understands `cmpctblock`, `getblocktxn` and `blocktxn`.
    pub const COMPACT_BLOCKS: Self = Self(1 << 40);
    /// Understands `sharehashes`.
    pub const SHARE_HASHES: Self = Self(1 << 41);
    /// Would rather be told hashes of new shares than the shares themselves.
    pub const WANTS_SHARE_HASHES: Self = Self(1 << 42);

    /// Whether all of these bits are set.
    pub const fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Services {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
