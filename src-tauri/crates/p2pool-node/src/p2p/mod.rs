//! Other nodes of the pool: whom to connect to, and what is said on each connection.
//!
//! [`service`] is the one task that decides whom to dial and whom to let in, by what
//! [`Peering`](p2pool_wire::peering::Peering) says; [`connection`] is one task a peer, between a
//! socket, a session and the driver; [`dial`] makes connections, straight or through a proxy;
//! [`doors`] are the sockets on which others connect. [`settings`] is what a person may decide
//! about it beforehand, [`deed`] what while it runs, [`state`] what is shown of it, [`problem`]
//! what is wrong with it.
//! What that means for who runs a node is written down in `docs/peers.md`.

mod addresses;
mod connection;
pub(crate) mod deed;
mod dial;
pub(crate) mod doors;
pub(crate) mod host;
mod intake;
mod outgoing;
mod problem;
pub(crate) mod service;
pub(crate) mod settings;
pub(crate) mod state;

pub(crate) use addresses::{ban_from_stored, from_stored};
pub(crate) use connection::{PeerCommand, PeerLinks};
pub(crate) use service::{P2pParts, P2pService, services};
