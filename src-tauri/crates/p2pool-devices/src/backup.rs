//! The backup of a device's settings, on the disk before anything is sent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cgminer::Pools;
use crate::error::CallError;
use crate::identity::{Dialect, Identity};
use crate::info::Info;
use crate::plan::{Plan, Row};
use crate::request::Request;
use crate::script::{Document, Script};
use crate::target::Target;

/// A backup holds one document of at most 64 KiB, escaped, and little else.
const BACKUP_BYTES_MAX: u64 = 512 * 1024;
/// The layout of the file.
const FORMAT: u32 = 1;
/// More backups of one device in one second mean that something runs in a circle.
const SAME_SECOND_MAX: u32 = 20;

/// What a device was set to before a change, and what the change sent. Holds no password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    format: u32,
    taken_at_unix_s: u64,
    identity: Identity,
    /// The whole document, byte for byte as the device gave it.
    before: String,
    rows: Vec<Row>,
    target: Target,
    sent: Vec<Request>,
}

/// A backup could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The disk refuses.
    #[error("cannot use {path}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is not a backup that we can read.
    #[error("{path} is not a backup")]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
}

impl Backup {
    /// The backup of the settings that a plan is about to change.
    fn of(plan: &Plan, taken_at_unix_s: u64) -> Self {
        Self {
            format: FORMAT,
            taken_at_unix_s,
            identity: plan.identity.clone(),
            before: plan.before.raw().to_owned(),
            rows: plan.rows.clone(),
            target: plan.target.clone(),
            sent: plan.script.writes.clone(),
        }
    }

    /// Reads a backup from the disk.
    ///
    /// # Errors
    /// A file that cannot be read, or is no backup.
    pub fn load(path: &Path) -> Result<Self, BackupError> {
        let disk = |source| BackupError::Disk { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(disk)?;
        file.take(BACKUP_BYTES_MAX).read_to_end(&mut bytes).map_err(disk)?;
        Self::from_bytes(&bytes).ok_or_else(|| BackupError::NotABackup { path: path.to_owned() })
    }

    /// Reads a backup from its bytes; nothing if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let backup: Self = serde_json::from_slice(bytes).ok()?;
        (backup.format == FORMAT && backup.before().is_ok()).then_some(backup)
    }

    /// The device, as it was then.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When it was taken, in seconds since 1970.
    pub fn taken_at_unix_s(&self) -> u64 {
        self.taken_at_unix_s
    }

    /// What the change changed, line by line.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Where the change pointed the device.
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn sent(&self) -> &[Request] {
        &self.sent
    }

    /// The settings before the change.
    pub(crate) fn before(&self) -> Result<Document, CallError> {
        let bytes = self.before.as_bytes();
        match self.identity.family.dialect() {
            Some(Dialect::AxeOs) => Info::parse(bytes).map(Document::Info),
            Some(Dialect::Cgminer) => Pools::parse(bytes).map(Document::Pools),
            None => Err(CallError::NotUnderstood("this family is not changed by us")),
        }
    }
}

/// A change whose backup is on the disk. Only such a one can be carried out.
#[derive(Clone, Debug)]
pub struct ReadyChange {
    backup: Backup,
    path: PathBuf,
    script: Script,
}

impl ReadyChange {
    /// Writes the backup to `folder/<device>/<time>.json`, through to the disk. Blocks.
    ///
    /// # Errors
    /// A folder or file that cannot be written, or does not read back as written.
    pub fn save(plan: Plan, folder: &Path, unix_s: u64) -> Result<Self, BackupError> {
        let backup = Backup::of(&plan, unix_s);
        let folder = folder.join(plan.identity.id.folder());
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |source| BackupError::Disk { path, source }
        };
        fs::create_dir_all(&folder).map_err(disk(&folder))?;
        let bytes =
            serde_json::to_vec_pretty(&backup).map_err(io::Error::other).map_err(disk(&folder))?;
        let (path, file) = create_new(&folder, unix_s).map_err(disk(&folder))?;
        let written = write_through(file, &folder, &bytes);
        written.map_err(disk(&path))?;
        if Backup::load(&path)? != backup {
            return Err(BackupError::NotABackup { path });
        }
        Ok(Self { backup, path, script: plan.script })
    }

    /// The backup.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn script(&self) -> &Script {
        &self.script
    }
}

/// A new file, readable by its owner alone: it names the pools that somebody mined for.
fn create_new(folder: &Path, unix_s: u64) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 0..SAME_SECOND_MAX {
        let name = match number {
            0 => format!("{unix_s}.json"),
            _ => format!("{unix_s}-{number}.json"),
        };
        let path = folder.join(name);
        match options.open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The new name must survive a loss of power as well, hence the folder.
fn write_through(mut file: File, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
