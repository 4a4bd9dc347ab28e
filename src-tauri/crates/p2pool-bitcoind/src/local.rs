//! The Bitcoin node on this computer: found, read, and given a login of ours in `bitcoin.conf`.
//!
//! Nothing is written before it was shown, and everything written can be taken back:
//!
//! 1. [`inspect()`] looks at processes and folders and gives [`LocalNode`]s. It changes nothing.
//! 2. [`plan()`] says that nothing is needed, or gives the exact [`Change`] of one file.
//! 3. [`apply`] keeps a copy, writes, reads back; at the first doubt the old file is there again.
//! 4. [`RestartWatch`] tells whether the node already runs with the new settings.
//! 5. [`undo`] gives the [`Change`] that takes our lines out again, for [`apply`].
//!
//! All of it blocks on the disk for some milliseconds: an async caller gives it a thread of its own.
//! Codes such as `C-03` are those of the error catalogue, ux.md section 18.
//!
//! ```no_run
//! use p2pool_bitcoind::local::{
//!     LoginStyle, NewLogin, Plan, Stamp, Surroundings, Wish, apply, inspect, plan,
//! };
//!
//! # fn example(unix_s: u64) -> Result<(), Box<dyn std::error::Error>> {
//! let inspection = inspect(&Surroundings::of_this_computer());
//! let node = inspection.choose(bitcoin::Network::Bitcoin)?;
//! let wish = Wish {
//!     style: LoginStyle::Automatic,
//!     new_login: &NewLogin::generate()?,
//!     known_login: None,
//!     may_switch_server_on: false,
//!     stamp: Stamp::from_unix_s(unix_s),
//! };
//! let auth = match plan(node, &wish)? {
//!     Plan::UseLogin(auth) => auth,
//!     Plan::Write(change) => {
//!         for line in change.diff() {
//!             println!("{} {}", if line.is_added { '+' } else { '-' }, line.text);
//!         }
//!         apply(&change, wish.stamp)?; // only after the person has agreed
//!         wish.new_login.auth() // once the node was restarted
//!     }
//! };
//! let config = node.rpc_config(auth);
//! # Ok(())
//! # }
//! ```

mod access;
mod block;
mod change;
mod conf;
mod configuration;
mod findings;
#[cfg(test)]
mod fixture;
mod folders;
mod inspect;
mod login;
mod plan;
mod process;
mod restart;
mod settings;
mod situation;
mod start;
mod write;

pub use self::access::{METHODS, Server, usual_port};
pub use self::block::Stamp;
pub use self::change::{Change, DiffLine, Lines};
pub use self::conf::Fault;
pub use self::configuration::{ConfState, Refusal};
pub use self::findings::{Finding, FindingKind};
pub use self::folders::{System, Variables};
pub use self::inspect::{
    ChooseError, Cookie, Inspection, LocalNode, Surroundings, inspect, look_at,
};
pub use self::login::{NewLogin, NoEntropy};
pub use self::plan::{LoginStyle, Plan, PlanError, Wish, plan, undo};
pub use self::process::{Program, RunningNode, running_nodes};
pub use self::restart::{RestartProgress, RestartWatch};
pub use self::settings::{CommandLine, Origin, UnknownChain};
pub use self::situation::Situation;
pub use self::start::{StartCommand, free_bytes};
pub use self::write::{Applied, ApplyError, apply};
