//! A miner for processors that speaks Stratum: to the node it comes with, or to any pool.
//!
//! A program of its own, so that a virus scanner that dislikes miners takes nothing else away. The
//! library part exists for the program and for tests. What it is not: a way to earn. A processor core
//! makes some ten million hashes a second, a small mining device a hundred thousand times as many.
//!
//! *Invariant:* whatever the pool sends, the miner goes on or connects again; it ends when its
//! parent does. `unsafe` code is in one module, [`scan`]'s `backend`, and nowhere else.
#![deny(unsafe_code)]

pub mod options;
pub mod pool;
pub mod report;
pub mod rest;
pub mod run;
pub mod scan;
pub mod slots;
pub mod threads;
