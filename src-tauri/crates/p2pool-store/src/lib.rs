//! The pool node's database: what must survive a restart, kept in one SQLite file.
//!
//! It stores [`ChangeSet`](p2pool_sharechain::change::ChangeSet)s, chart history and events, and
//! gives them back. It is **not** a place where anything is decided: shares come back as bytes
//! that the caller parses and checks again, because the disk is an input like any other.
//!
//! *Invariant*: whatever [`Store::apply`] has returned `Ok` for is there after a power cut, whole
//! change sets or nothing of them.
//!
//! One [`Store`] owns the file, guarded by a lock file, and is the only writer; any number of
//! [`HistoryReader`]s look at it meanwhile. No function here reads a clock.
//!
//! ```
//! use p2pool_sharechain::change::ChangeSet;
//! use p2pool_sharechain::hash::ShareHash;
//! use p2pool_sharechain::time::UnixTime;
//! use p2pool_store::Store;
//!
//! let dir = tempfile::tempdir()?;
//! let now = UnixTime(1_700_000_000);
//! let mut store = Store::open(dir.path(), "practice-0123", "0.1.0", now)?.store;
//! let best = ShareHash::from_internal([7; 32]);
//! store.apply(&ChangeSet { best: Some(best), ..ChangeSet::default() })?;
//! store.close()?;
//!
//! let store = Store::open(dir.path(), "practice-0123", "0.1.0", now)?.store;
//! assert_eq!(store.load_best()?, Some(best));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod app;
mod bans;
mod columns;
mod error;
mod history;
mod load;
mod open;
mod payments;
mod peers;
mod prune;
mod records;
mod recover;
mod schema;
mod writer;

pub use app::{APP_DATABASE_FILE, AppStore, DeviceChangeRow, DeviceRow, LabelRow};
pub use bans::HostBan;
pub use error::{OpenError, StoreError};
pub use history::{HistoryReader, PayoutRow};
pub use load::ShareRows;
pub use open::{DATABASE_FILE, LOCK_FILE, Opened, Store};
pub use payments::{OwnShareDay, PaidDay, PayingBlocks};
pub use peers::PeerAddress;
pub use prune::Retention;
pub use records::{EventRecord, SeriesPoint, Step, StoredEvent};
