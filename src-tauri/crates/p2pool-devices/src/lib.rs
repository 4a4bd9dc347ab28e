//! The edge to miners' own interfaces on the local network: find them, read them, change their pool
//! with a plan, a check and an undo. It knows nothing of pools, shares or coins.
//!
//! Empty so far: the application does not speak to devices yet. What it will rely on is written
//! down in `docs/devices.md`, family by family, each fact with its evidence.
//!
//! Invariant: nothing is scanned or changed unasked, and every change can be undone.

#![forbid(unsafe_code)]
