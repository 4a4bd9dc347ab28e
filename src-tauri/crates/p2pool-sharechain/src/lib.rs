//! The share chain's consensus: what a share is, which shares are valid, what a block must pay.
//!
//! Pure: no sockets, no disk, no clock, no threads. Everything that depends on the network is a
//! [`Params`] value. What it is not: the choice of whom to ask for shares, or when.
//!
//! *Invariant:* a share is valid here exactly if the live network's nodes take it. The protocol
//! notes in `docs/` say how; the vectors in `tests/vectors` are the judge.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic,
        clippy::cast_possible_truncation
    )
)]
#![deny(clippy::iter_over_hash_type)]

#[cfg_attr(not(test), deny(clippy::indexing_slicing))]
pub mod address;
pub mod best;
pub mod change;
pub mod compact;
pub mod forest;
pub mod generation;
pub mod hash;
pub mod hash_link;
pub mod merkle_link;
#[cfg_attr(not(test), deny(clippy::indexing_slicing))]
pub mod pack;
pub mod params;
pub mod payout;
pub mod private_pool;
pub mod prune;
pub mod retarget;
#[cfg_attr(not(test), deny(clippy::indexing_slicing))]
pub mod share;
#[cfg_attr(
    not(test),
    expect(clippy::float_arithmetic, reason = "figures for people; nothing decides by them")
)]
pub mod stats;
pub mod template;
pub mod time;
pub mod tracker;
#[cfg_attr(not(test), deny(clippy::indexing_slicing))]
pub mod verify;
pub mod versions;

pub use ruint::aliases::U256;

pub use crate::compact::{Attempts, CompactBits};
pub use crate::hash::{Hash32, ShareHash};
pub use crate::params::Params;
pub use crate::share::Share;
pub use crate::tracker::Tracker;
pub use crate::verify::CheckedShare;
