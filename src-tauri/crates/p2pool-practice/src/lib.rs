//! Practice: a private Bitcoin chain that speaks like a Bitcoin node.
//!
//! libbitcoinkernel, Bitcoin Core's own consensus code, validates and stores the chain; nothing
//! here decides whether a block is valid. [`PracticeChainServer`] serves it as the JSON-RPC that
//! bitcoind speaks, on loopback, at a random port, behind a random cookie. Past the URL and the
//! cookie no other code can tell practice from the real thing.
//!
//! * [`chain`] is the chain: blocks in, verdicts out, survives being killed.
//! * [`template`] builds block templates, which the kernel does not.
//! * [`server`] is the JSON-RPC face.
//!
//! What it is not: a node. There are no peers and there is no mempool: the kernel cannot tell
//! whether a transaction outside a block spends what exists, so `sendrawtransaction` is not
//! served, every template is without transactions, and a block pays its subsidy alone.
//!
//! *Invariant:* a block is reported as accepted exactly if the kernel has connected it.
//!
//! ```no_run
//! use bitcoin::Network;
//! use p2pool_practice::PracticeChainServer;
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cancel = CancellationToken::new();
//! let server = PracticeChainServer::start("practice".as_ref(), Network::Testnet4).await?;
//! let config = server.rpc_config();
//! server.run(cancel).await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod chain;
mod kernel;
pub mod members;
pub mod server;
pub mod template;
mod unflushed;
pub mod work;

pub use crate::chain::{ChainError, OpenError, PracticeChain, SubmitError, Tip, Verdict};
pub use crate::server::{PracticeChainServer, RunError, StartError};
