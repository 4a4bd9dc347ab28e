//! A pool node and its Bitcoin node, over real HTTP on loopback: a fake one in every condition, the
//! practice chain, and the true one where there is its program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conditions;
mod contract;
#[path = "../../../src-tauri/crates/p2pool-bitcoind/tests/node/mining.rs"]
mod mining;
mod pool;
mod regtest;
mod reinstall;
mod transactions;
