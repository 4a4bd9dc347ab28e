//! The protocol between a pool and its miners, Stratum version 1, both halves of it.
//!
//! Pure: no sockets, no clock, no threads. [`Session`] is the server's side of one connection and
//! [`Client`] the miner's; both are fed with lines and the time through `handle`, and say what to do
//! through `poll`. What it is not: it does not accept connections, decide what is mined, or know
//! what becomes of a solution.
//!
//! *Invariant:* a solution that makes a block leaves the session, whatever else is wrong with it.
//!
//! ```
//! use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
//! use p2pool_stratum::{Action, Event, Extranonce1, Session, SessionConfig};
//!
//! let now = Now { wall: UnixTime(1_700_000_000), mono: MonoTime::ZERO };
//! let config = SessionConfig::new(b"bcrt1qexample".to_vec());
//! let mut session = Session::new(config, Extranonce1(0x0bad_cafe), now);
//! let Some(Action::WakeAt(_)) = session.poll() else { panic!("it asks for a timer") };
//! session.handle(now, Event::Line(br#"{"id":1,"method":"mining.subscribe","params":[]}"#));
//! let Some(Action::Send(line)) = session.poll() else { panic!("an answer is due") };
//! assert!(line.starts_with(br#"{"id":1,"result":[[["mining.notify","0badcafe"]"#));
//! ```
//!
//! The facts about miners in the field that this crate follows are in `docs/stratum.md`.
#![forbid(unsafe_code)]
#![deny(clippy::iter_over_hash_type)]

pub mod client;
pub mod extranonce;
pub mod first;
pub mod getwork;
pub mod job;
pub mod lines;
pub mod login;
pub mod message;
pub mod notify;
pub mod prepared;
pub mod session;
pub mod share_size;
pub mod submit;
pub mod vardiff;

pub use crate::client::{Client, ClientConfig};
pub use crate::extranonce::{Extranonce1, ExtranonceAllocator};
pub use crate::lines::LineBuffer;
pub use crate::prepared::{Prepared, Terms};
pub use crate::session::getwork::GetworkSession;
pub use crate::session::payees::{OWN_MINER_AGENT, check_payee};
pub use crate::session::{Action, CloseReason, Event, Parked, Session, SessionConfig};
pub use crate::share_size::ShareSize;
pub use crate::submit::RejectReason;
