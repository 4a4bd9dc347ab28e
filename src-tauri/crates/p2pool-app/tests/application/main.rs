//! The controller with a scripted node and a host of its own, on virtual time.
#![expect(clippy::unwrap_used, reason = "in a test that is the point")]

mod live;
mod pool;
mod pool_page;
mod problems;
mod states;
mod stream;
mod world;
