//! The protocol between nodes: frames, messages, one connection's handshake and keep-alive, and
//! whom to connect to.
//!
//! Pure: bytes and the time go in, messages and bytes come out. What it is not: what to ask for,
//! or whether a share is any good; shares travel as bytes. The protocol notes
//! are in `docs/wire.md`; what goes beyond them, negotiated by [`Services`], in `docs/extensions.md`.
//!
//! Where it is more patient than the reference: transactions that nobody knows are no offence,
//! and nobody is silent while he is not read. Where it is stricter, at sizes that no honest node
//! comes near: greetings, questions and lists have limits ([`message::SHARES_MAX`],
//! [`message::REQUEST_HASHES_MAX`], [`message::TRANSACTIONS_MAX`]), and a peer that asks for more
//! than we care to answer is read more slowly, never cut off.
//!
//! *Invariant*: no input makes it panic or hold more memory than its limits; every fault has an
//! owner ([`Blame`]).
//!
//! ```
//! use p2pool_sharechain::Params;
//! use p2pool_wire::frame::Decoder;
//! use p2pool_wire::message::Message;
//!
//! let prefix = Params::mainnet().prefix;
//! let bytes = Message::GetAddrs { count: 8 }.encode(prefix)?;
//!
//! let mut decoder = Decoder::new(prefix);
//! let mut input = &bytes[..];
//! let frame = decoder.decode(&mut input)?.expect("the frame is complete");
//! assert_eq!(Message::decode(frame)?, Message::GetAddrs { count: 8 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(clippy::iter_over_hash_type)]

pub mod addrbook;
pub mod frame;
pub mod message;
mod pace;
pub mod peering;
mod services;
pub mod session;
mod transaction;

pub use p2pool_sharechain::verify::Blame;

pub use crate::message::Message;
pub use crate::services::Services;
pub use crate::session::{Input, Output, Peer, Session, SessionConfig, SessionError};
