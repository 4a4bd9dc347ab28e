//! Other nodes of the pool: whom to connect to, and what is said on each connection.
//!
//! [`connection`] is one task a peer, between a socket, a session and the driver; [`doors`] are
//! the sockets on which others connect; [`settings`] is what a person may decide about it,
//! [`state`] what is shown of it.

pub(crate) mod connection;
pub(crate) mod doors;
pub(crate) mod host;
pub(crate) mod settings;
pub(crate) mod state;

pub(crate) use connection::{PeerCommand, PeerLinks, keep_dialling, listen};
