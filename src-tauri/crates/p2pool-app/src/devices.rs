//! Miners' own interfaces, as the application uses them: looked for, read, followed, changed and
//! put back, when the user says so.
//!
//! [`Desk`] is the one task that does it. It is told deeds and facts, and shows its state whole; it
//! knows nothing of the window. One device is asked one thing at a time.
//!
//! *Invariant:* nothing is sent to anybody before a deed asks for it; then only to devices that were
//! added, found by a search that was asked for, or typed.

mod book;
mod changes;
mod check;
mod desk;
mod naming;
mod plans;
mod polls;
mod searches;
mod state;
mod words;

pub(crate) use desk::{Desk, DeskHandle};
pub(crate) use plans::pools_of;
pub(crate) use state::{ChangeEntry, Deed, DeskState, DeviceEntry, Surroundings, TargetPlace};
pub(crate) use words::{family_of, offer_of};
