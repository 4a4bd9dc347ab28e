//! The edge to miners' own interfaces on the local network: find them, read them, change their pool
//! with a plan, a check and an undo. It knows nothing of pools, shares or coins.
//!
//! What it relies on is written down in `docs/devices.md`, family by family, each fact with its
//! evidence.
//!
//! * [`search`] looks for miners, when it is polled and not before.
//! * [`Device`] is a handle to one of them: look, read, health, greeting, restart.
//! * [`plan_change`] works a change out, [`ReadyChange::save`] puts the backup on the disk, and only
//!   what came out of that can be carried out by [`apply`]. [`undo`] puts a backup back.
//! * [`follow`] asks a device how it is doing, at a rate it can bear.
//! * [`Guide`] names what to tell the user about devices that are set up by hand.
//!
//! Deciding is apart from doing: parsers, planners and the machine in `transaction.rs` touch no
//! socket and no clock. Nothing here spawns a task; every future may be dropped.
//!
//! Invariant: nothing is scanned or changed unasked, and every change can be undone. Only addresses
//! on private networks are called, only with requests that `request.rs` spells out, and everything
//! that comes back is bounded and mistrusted.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use p2pool_devices::{
//!     ClientConfig, DeviceClient, FirstLook, Ports, Reach, ReadyChange, Secrets, Target, Wishes,
//!     apply, plan_change,
//! };
//!
//! let user_agent = "P2Pool Desktop/0.1.0 (local miner setup)".to_owned();
//! let config = ClientConfig { user_agent, reach: Reach::Private, ports: Ports::default() };
//! let client = DeviceClient::new(&config)?;
//! let mut device = client.device(client.resolve("bitaxe.local").await?)?;
//! let secrets = Secrets::default();
//! let FirstLook::Read(reading) = device.look(&secrets).await? else { return Ok(()) };
//!
//! let target = Target::new([192, 168, 1, 20].into(), 9332.try_into()?, "bc1qexample.bitaxe1")?;
//! let plan = plan_change(&reading, &Wishes::usual(target))?;
//! // The user reads `plan.rows` and `plan.notes`, and agrees.
//! let change = ReadyChange::save(plan, "devices".as_ref(), 1_790_000_000)?;
//! let (_door_count, door) = tokio::sync::watch::channel(Default::default());
//! let verdict = apply(&mut device, &change, &secrets, door, |_phase| {}).await;
//! # drop(verdict);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod address;
mod backup;
mod cgminer;
mod change;
mod client;
mod discover;
mod error;
mod fingerprint;
mod follow;
mod health;
mod identity;
mod info;
mod instructions;
mod lan;
mod mdns;
mod neighbours;
mod pace;
mod plan;
mod progress;
mod request;
mod rollout;
mod script;
mod sweep;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod transaction;

pub use address::{DeviceAddress, NotPrivate, Reach};
pub use backup::{Backup, BackupError, ReadyChange};
pub use cgminer::{PoolEntry, Pools};
pub use change::{UndoError, Verdict, apply, carry_out_undo, seen_again, undo, wait_longer};
pub use client::{
    ANSWER_BYTES_MAX, BadClient, CALL_TIMEOUT, ClientConfig, Device, DeviceClient, FirstLook,
    Ports, ResolveError,
};
pub use discover::{ADDRESSES_MAX, BROWSE_TIME, Search, SearchEnd, SearchEvent, search};
pub use error::{CallError, Denial, DeviceProblem, Silence};
pub use follow::follow;
pub use health::{Fault, Health, WEAK_WIFI_DBM};
pub use identity::{Ability, DeviceId, Dialect, Family, FirmwareVersion, Identity, Mac, NotAMac};
pub use info::Info;
pub use instructions::{CopyValue, Guide, Instructions, Remark, Step};
pub use lan::{AddressRange, BadRange, Interface, RANGE_ADDRESSES_MAX, interfaces};
pub use neighbours::{Neighbour, neighbours};
pub use pace::{POLL_MIN, POLL_SILENT, POLL_UNWATCHED, POLL_WATCHED, Pace};
pub use plan::{
    Needs, Note, Plan, PlanError, Row, Subject, UndoPlan, UsedSlot, Wishes, plan_change, plan_undo,
};
pub use progress::{DoorCount, Ending, Phase, RESULT_WITHIN};
pub use request::{NoSuchSlot, SlotId};
pub use rollout::Rollout;
pub use script::{AVALON_BACK_WITHIN, BACK_WITHIN, Document, Reading};
pub use sweep::{NEW_PER_SECOND_MAX, OPEN_AT_ONCE_MAX};
pub use target::{BadTarget, Target, USER_CHARS_MAX};
pub use text::{DEVICE_TEXT_CHARS_MAX, DeviceText, Login, OneTimeCode, Secret, Secrets};
