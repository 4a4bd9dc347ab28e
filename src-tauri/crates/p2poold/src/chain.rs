//! [`Chain`]: a Bitcoin chain by the name that people give it.

use bitcoin::Network;
use clap::ValueEnum;

/// The Bitcoin chain to mine on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Chain {
    /// Bitcoin
    Main,
    /// The older public test network
    Testnet3,
    /// The public test network
    Testnet4,
    /// The test network whose blocks are signed
    Signet,
    /// A test network of your own
    Regtest,
}

impl From<Chain> for Network {
    fn from(chain: Chain) -> Self {
        match chain {
            Chain::Main => Self::Bitcoin,
            Chain::Testnet3 => Self::Testnet,
            Chain::Testnet4 => Self::Testnet4,
            Chain::Signet => Self::Signet,
            Chain::Regtest => Self::Regtest,
        }
    }
}
