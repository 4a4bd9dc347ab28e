//! The practice chain by itself, and served to the client that talks to real nodes.

#[cfg(test)]
mod chain;
#[cfg(test)]
#[path = "../../../p2pool-bitcoind/tests/node/mining.rs"]
mod mining;
#[cfg(test)]
mod server;
