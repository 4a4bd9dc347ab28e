//! Arguments of the books' commands.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use bitcoin::Network;
use clap::{Args, Subcommand};
use p2pool_sharechain::Params;
use p2pool_sharechain::private_pool::PrivatePool;

use crate::failure::Failure;
use crate::folders;

/// Take shares out, bring shares in, verify and show them.
#[derive(Clone, Debug, Args)]
pub(crate) struct SharesArgs {
    #[command(subcommand)]
    pub(super) command: SharesCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum SharesCommand {
    /// Write all stored shares to standard output, lowest first.
    Export(ExportArgs),
    /// Check shares from scratch, trusting nothing; without PATH those of the own database.
    Verify(VerifyArgs),
    /// Show one share with its coinbase, its payouts and its place in the window.
    Show(ShowArgs),
    /// Take recorded shares into the database of a node that is not running.
    Import(ImportArgs),
}

/// Examine the pool's blocks.
#[derive(Clone, Debug, Args)]
pub(crate) struct BlocksArgs {
    #[command(subcommand)]
    pub(super) command: BlocksCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum BlocksCommand {
    /// Compare what a block pays with what its shares demand, to the satoshi.
    Audit(AuditArgs),
}

/// Which books.
#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// Folder of all data [default: p2pool-desktop in your own data folder]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// practice, practice-regtest, main, testnet3, testnet4, signet, regtest, or the text of a private pool
    #[arg(long, value_name = "NETWORK", default_value = "practice")]
    network: NetworkName,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The reference's share store format instead of JSON lines
    #[arg(long)]
    pub(super) raw: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct VerifyArgs {
    /// A file of recorded shares, or a folder with shares.0, shares.1, …
    pub(super) path: Option<PathBuf>,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ShowArgs {
    /// First or last digits of the share's hash
    pub(super) digits: String,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ImportArgs {
    /// A file of recorded shares, or a folder with shares.0, shares.1, …
    pub(super) path: PathBuf,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Clone, Debug, Args)]
pub(super) struct AuditArgs {
    /// Hash of the block
    pub(super) hash: String,
    /// File with the whole block as hexadecimal digits [default: the own database]
    #[arg(long, value_name = "FILE")]
    pub(super) block: Option<PathBuf>,
    #[command(flatten)]
    pub(super) which: Which,
}

/// A share-chain network by its name.
#[derive(Clone, Debug)]
struct NetworkName(Arc<Params>);

impl FromStr for NetworkName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let params = match text {
            "practice" => Params::practice(Network::Testnet4),
            "practice-regtest" => Params::practice(Network::Regtest),
            "bitcoin" | "main" => Params::mainnet(),
            "testnet" | "testnet3" => Params::testnet(),
            "testnet4" => Params::test_pool(Network::Testnet4),
            "signet" => Params::test_pool(Network::Signet),
            "regtest" => Params::test_pool(Network::Regtest),
            "btcregtest" => Params::regtest(),
            text => {
                let pool: PrivatePool = text.parse().map_err(|error| format!("{error}"))?;
                pool.params()
            }
        };
        Ok(Self(Arc::new(params)))
    }
}

impl Which {
    pub(super) fn params(&self) -> &Arc<Params> {
        &self.network.0
    }

    /// The folder that a node of this network keeps its own data in.
    pub(super) fn node_dir(&self) -> Result<PathBuf, Failure> {
        let data_dir = match &self.data_dir {
            Some(folder) => folder.clone(),
            None => folders::data_dir().ok_or_else(Failure::no_data_folder)?,
        };
        let name = &self.params().name;
        Ok(data_dir.join(if name.starts_with("practice") { "practice" } else { name }))
    }
}
