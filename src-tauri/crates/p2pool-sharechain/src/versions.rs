//! Share types: what each looks like, and the vote that leads from one to the next.
//!
//! Source: protocol notes, sharechain.md sections 2.1 and 8.

/// A share type that can be parsed and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShareVersion {
    /// The oldest type with reference data.
    V17,
    /// As 17, with another timestamp rule.
    V32,
    /// Witness data on the live network.
    V33,
    /// Payees as address texts; no transaction references.
    V34,
    /// In force: witness programs are padded to 20 bytes.
    V35,
}

impl ShareVersion {
    /// The oldest type that can be parsed.
    pub const OLDEST: Self = Self::V17;

    /// The newest type this program makes.
    pub const NEWEST: Self = Self::V35;

    const ALL: [Self; 5] = [Self::V17, Self::V32, Self::V33, Self::V34, Self::V35];

    /// The type with this number, `None` if it is not known.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.number() == number)
    }

    /// The number that travels.
    pub fn number(self) -> u64 {
        match self {
            Self::V17 => 17,
            Self::V32 => 32,
            Self::V33 => 33,
            Self::V34 => 34,
            Self::V35 => 35,
        }
    }

    /// The type that may follow this one after a vote.
    pub fn successor(self) -> Option<Self> {
        (self != Self::V35).then_some(Self::V35)
    }

    /// Whether the payee is an address text.
    pub fn pays_addresses(self) -> bool {
        self >= Self::V34
    }

    /// Whether the share names its block's transactions.
    pub fn refers_to_transactions(self) -> bool {
        self < Self::V34
    }

    /// Whether witness programs are padded (`encoding.md` section 9.4).
    pub fn pads_programs(self) -> bool {
        self >= Self::V35
    }

    /// Whether the share timestamp is clipped from above, too.
    pub fn clips_timestamp(self) -> bool {
        self == Self::V17
    }

    /// Lowest node protocol version that must understand this type.
    pub fn minimum_protocol(self) -> u32 {
        match self {
            Self::V17 | Self::V32 => 1400,
            Self::V33 | Self::V34 => 3300,
            Self::V35 => 3500,
        }
    }
}
