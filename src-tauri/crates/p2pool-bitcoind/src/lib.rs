//! The edge to a Bitcoin node: JSON-RPC over HTTP, and the node's own files on this computer.
//!
//! * [`rpc`] calls methods, [`model`] names their answers (a server may use the same types).
//! * [`chain_check`](mod@chain_check) asks whether the node is one that we can work with;
//!   [`condition`] names what is wrong with it, [`reach`] how far away it is. [`examine`](mod@examine)
//!   makes all tests that tell whether one could mine with it.
//! * [`template`] turns `getblocktemplate` into the share chain's
//!   [`BlockTemplate`](p2pool_sharechain::template::BlockTemplate), strictly.
//! * [`tip`] keeps the newest template at hand, told of new blocks by long poll and, where the node
//!   is set up for it, by ZMQ; [`submit`] hands in blocks.
//! * [`local`] finds the node on this computer and gives it a login of ours in `bitcoin.conf`.
//!
//! What it is not: it holds no state of the pool, decides nothing about mining, and never spawns
//! a task; whoever composes a node runs [`TemplateSource::run`].
//!
//! *Invariant:* nothing that a Bitcoin node sends is trusted to be small, well formed or true to
//! its type; what leaves this crate is.
//!
//! ```no_run
//! use bitcoin::Network;
//! use p2pool_bitcoind::{Auth, RpcClient, RpcConfig, chain_check};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = RpcConfig {
//!     url: "http://127.0.0.1:8332".into(),
//!     auth: Auth::Cookie("/home/me/.bitcoin/.cookie".into()),
//!     allows_public: false,
//! };
//! let client = RpcClient::new(&config)?;
//! let facts = chain_check(&client, Network::Bitcoin).await?;
//! assert!(facts.connections > 0);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod auth;
mod backoff;
pub mod chain_check;
pub mod condition;
pub mod error;
pub mod examine;
pub mod local;
pub mod model;
pub mod private_file;
pub mod reach;
pub mod rpc;
pub mod submit;
pub mod template;
pub mod tip;
mod zmq;

pub use crate::auth::{Auth, Secret};
pub use crate::chain_check::{ChainCheckError, NodeFacts, chain_check};
pub use crate::condition::Condition;
pub use crate::error::RpcError;
pub use crate::examine::examine;
pub use crate::rpc::{RpcClient, RpcConfig};
pub use crate::submit::{RetryPolicy, SubmitOutcome, submit_block, submit_with_retries};
pub use crate::template::ParseTemplateError;
pub use crate::tip::{SourceError, TemplateSource, TemplateState, Timings};
