//! Arguments of `p2poold conf`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use p2pool_bitcoind::local::LoginStyle;

use crate::chain::Chain;
use crate::conf::found::Place;

/// Look at the settings of the Bitcoin node on this computer, and give it a login of ours.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfArgs {
    #[command(subcommand)]
    pub(super) command: ConfCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum ConfCommand {
    /// Say what stands in bitcoin.conf, what is needed, and whether the login works.
    ///
    /// Ends with 0 if nothing has to be changed, with 4 if bitcoin.conf or the node needs a hand.
    Check(CheckArgs),
    /// Show the exact change that `conf write` would make, and change nothing.
    Show(LoginArgs),
    /// Give the node a login of ours: show the change, ask, keep a copy, write, read back.
    Write(WriteArgs),
    /// Take our lines out of bitcoin.conf again, which gives back every byte.
    Undo(UndoArgs),
}

/// Which node, and where our own data is.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// Chain that you want to mine on [default: the one that the node is on]
    #[arg(long, value_enum, env = "P2POOL_NETWORK")]
    pub(super) network: Option<Chain>,
    /// Folder of our own data, where the login is kept [default: p2pool-desktop in your own data folder]
    #[arg(long, value_name = "DIR", env = "P2POOL_DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    pub(super) which: CheckArgs,
    /// How to log in
    #[arg(long, value_enum, default_value_t)]
    pub(super) login: Style,
    /// Agree that a server=0 in bitcoin.conf becomes server=1
    #[arg(long)]
    pub(super) switch_server_on: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct WriteArgs {
    #[command(flatten)]
    pub(super) login: LoginArgs,
    /// Agree to the change that is shown, for scripts
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct UndoArgs {
    #[command(flatten)]
    pub(super) which: CheckArgs,
    /// Agree to the change that is shown, for scripts
    #[arg(long)]
    pub(super) yes: bool,
}

/// How to log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Style {
    /// Whatever works without writing, above all the node's cookie file; else rpcauth
    #[default]
    Auto,
    /// The node's cookie file; at most server=1 is written
    Cookie,
    /// A name and a salted hash of a password that only we know
    Rpcauth,
    /// Name and password in clear, for nodes that know nothing else; ends the node's cookie file
    Rpcpassword,
}

impl Style {
    /// Whether a login of ours is written whenever something is.
    pub(super) fn writes_login(self) -> bool {
        self != Self::Cookie
    }
}

impl From<Style> for LoginStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Auto => Self::Automatic,
            Style::Cookie => Self::Cookie,
            Style::Rpcauth => Self::RpcAuth,
            Style::Rpcpassword => Self::RpcPassword,
        }
    }
}
