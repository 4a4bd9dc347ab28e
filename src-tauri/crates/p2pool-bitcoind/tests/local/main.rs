//! The configuration of a true Bitcoin node, whose program `BITCOIND_EXE` names: what we read from
//! it is what the node makes of it, and what we write lets us in.

#[cfg(test)]
mod bitcoind;
#[cfg(test)]
mod login;
#[cfg(test)]
mod semantics;
