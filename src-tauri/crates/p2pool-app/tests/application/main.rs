//! The controller with a scripted node and a host of its own, on virtual time.
#![expect(clippy::unwrap_used, reason = "in a test that is the point")]

mod computer;
mod devices;
#[path = "../../../p2poold/src/fake_node.rs"]
mod fake_node;
mod live;
mod miners_page;
mod payouts;
mod pool;
mod pool_page;
mod problems;
mod session;
mod settings;
mod setup;
mod states;
mod stream;
mod world;
