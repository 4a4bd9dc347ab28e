//! The records on the disk: devices, changes, names.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use p2pool_devices::{Backup, Identity};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{AppStore, DeviceRow, LabelRow, OpenError, StoreError};

use super::state::{ChangeEntry, DeviceEntry};
use crate::api::UnixSeconds;

/// Folder of the backups, in the data folder.
const BACKUPS_DIR: &str = "devices";
/// Facts that are kept beside devices.
const CHOSEN_NETWORK: &str = "network";
const CPU_RATE: &str = "cpu_hps";

/// The records. Every call may block.
#[derive(Clone, Debug)]
pub(super) struct Book {
    /// One small write at a time; never held while anything else is waited for.
    store: Arc<Mutex<AppStore>>,
    backups: PathBuf,
}

/// What the records say at the start.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) devices: Vec<(String, DeviceEntry)>,
    pub(super) labels: Vec<LabelRow>,
    pub(super) chosen: Option<std::net::Ipv4Addr>,
    pub(super) cpu_hps: Option<f64>,
}

impl Book {
    pub(super) fn open(data_dir: &Path, now: UnixSeconds) -> Result<Self, OpenError> {
        let store = AppStore::open(data_dir, UnixTime(now.0))?;
        Ok(Self { store: Arc::new(Mutex::new(store)), backups: data_dir.join(BACKUPS_DIR) })
    }

    pub(super) fn backups(&self) -> &Path {
        &self.backups
    }

    pub(super) fn read(&self) -> Result<Remembered, StoreError> {
        self.with(|store| {
            let changes = store.changes()?;
            let mut devices = Vec::new();
            for row in store.devices()? {
                let Ok(identity) = serde_json::from_str::<Identity>(&row.identity) else {
                    tracing::warn!(device = row.id, "record of a device not understood");
                    continue;
                };
                let mut entry = DeviceEntry::new(identity);
                for change in changes.iter().filter(|change| change.device == row.id) {
                    let backup = Backup::load(Path::new(&change.backup)).ok().map(Arc::new);
                    entry.changes.push(ChangeEntry { row: change.clone(), backup });
                }
                devices.push((row.id, entry));
            }
            let fact = |name| store.fact(name);
            Ok(Remembered {
                devices,
                labels: store.labels()?,
                chosen: fact(CHOSEN_NETWORK)?.and_then(|text| text.parse().ok()),
                cpu_hps: fact(CPU_RATE)?.and_then(|text| text.parse().ok()),
            })
        })
    }

    pub(super) fn put_device(
        &self,
        identity: &Identity,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Ok(text) = serde_json::to_string(identity) else { return Ok(()) };
        let id = identity.id.folder();
        let row = DeviceRow { id, identity: text, added_at: UnixTime(now.0) };
        self.with(|store| store.put_device(&row))
    }

    pub(super) fn add_change(
        &self,
        device: &str,
        now: UnixSeconds,
        backup: &Path,
    ) -> Result<i64, StoreError> {
        let backup = backup.to_string_lossy().into_owned();
        self.with(|store| store.add_change(device, UnixTime(now.0), &backup))
    }

    pub(super) fn note_undo(
        &self,
        change: i64,
        undone_at: Option<UnixSeconds>,
        is_waiting: bool,
    ) -> Result<(), StoreError> {
        self.with(|store| store.note_undo(change, undone_at.map(|at| UnixTime(at.0)), is_waiting))
    }

    pub(super) fn put_label(&self, label: &LabelRow) -> Result<(), StoreError> {
        self.with(|store| store.put_label(label))
    }

    pub(super) fn forget(&self, device: &str) -> Result<(), StoreError> {
        self.with(|store| store.forget_device(device))
    }

    pub(super) fn choose_network(&self, address: std::net::Ipv4Addr) -> Result<(), StoreError> {
        self.with(|store| store.put_fact(CHOSEN_NETWORK, &address.to_string()))
    }

    pub(super) fn note_cpu_rate(&self, hps: f64) -> Result<(), StoreError> {
        self.with(|store| store.put_fact(CPU_RATE, &hps.to_string()))
    }

    fn with<T>(&self, deed: impl FnOnce(&mut AppStore) -> T) -> T {
        deed(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
