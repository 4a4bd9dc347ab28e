//! Carries a [`Change`] out, all or nothing.
//!
//! A copy of the old file first; then a new file beside it, forced to the disk and renamed over the
//! old one; then a look at what is there now. Owner and rights stay as they were; where they cannot,
//! nothing is written. On Windows a new file takes the rights of its folder, which inside a person's
//! own folders are that person's.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use crate::local::block::Stamp;
use crate::local::change::{Change, Lines};
use crate::local::conf::CONF_BYTES_MAX;

/// The product's name as it stands in the names of copies.
const PRODUCT: &str = "P2Pool-Desktop";
/// Most copies made in one second.
const COPIES_MAX: u32 = 9;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The file that was changed: if the configuration file is a link, the file behind it.
    pub path: PathBuf,
    /// The copy of the old file, if there was one.
    pub backup: Option<PathBuf>,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The file cannot be changed by us.
    #[error("{} cannot be changed: {reason}", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
        /// Lines to add by hand.
        lines: Lines,
    },
    /// No copy of the old file could be made.
    #[error("no copy of {} could be made: {reason}", path.display())]
    BackupFailed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no longer what was shown.
    #[error("{} was changed by something else", path.display())]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// What was written is not what is there now.
    #[error("{} is not what was written", path.display())]
    VerifyFailed {
        /// The file.
        path: PathBuf,
        /// Whether the old file is there again.
        is_restored: bool,
        /// The copy of the old file, if there was one.
        backup: Option<PathBuf>,
    },
}

impl ApplyError {
    /// Code of the error catalogue.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWritable { .. } => "C-01",
            Self::BackupFailed { .. } => "C-02",
            Self::ChangedMeanwhile { .. } => "C-03",
            Self::VerifyFailed { .. } => "C-04",
        }
    }
}

/// Carries a change out.
///
/// # Errors
/// Nothing was changed, or the old file is there again.
pub fn apply(change: &Change, stamp: Stamp) -> Result<Applied, ApplyError> {
    apply_with(change, stamp, read)
}

/// The same with another way to look at what was written.
fn apply_with(
    change: &Change,
    stamp: Stamp,
    read_back: impl FnOnce(&Path) -> io::Result<Option<Vec<u8>>>,
) -> Result<Applied, ApplyError> {
    let not_writable = |error: &io::Error| ApplyError::NotWritable {
        path: change.path.clone(),
        reason: error.to_string(),
        lines: change.lines.clone(),
    };
    let path = target(&change.path).map_err(|error| not_writable(&error))?;
    let as_shown = || match read(&path) {
        Ok(now) if now == change.before => Ok(()),
        Ok(_) => Err(ApplyError::ChangedMeanwhile { path: path.clone() }),
        Err(error) => Err(not_writable(&error)),
    };
    as_shown()?;
    let old = writable(&path).map_err(|error| not_writable(&error))?;
    let backup = match (&change.before, &change.after) {
        (Some(before), Some(_)) => Some(back_up(&path, before, old.as_ref(), stamp)?),
        (Some(_), None) | (None, _) => None,
    };
    let written = match &change.after {
        Some(after) => {
            let temporary = write_beside(&path, after, old.as_ref());
            let temporary = temporary.map_err(|error| not_writable(&error))?;
            as_shown().inspect_err(|_| remove(&temporary))?;
            fs::rename(&temporary, &path).inspect_err(|_| remove(&temporary))
        }
        None => fs::remove_file(&path),
    };
    written.map_err(|error| not_writable(&error))?;
    settle(&path);
    if read_back(&path).is_ok_and(|now| now == change.after) {
        info!(path = %path.display(), "configuration file changed");
        return Ok(Applied { path, backup });
    }
    let is_restored = put_back(&path, change.before.as_deref(), old.as_ref());
    warn!(path = %path.display(), is_restored, "configuration file was not kept as written");
    Err(ApplyError::VerifyFailed { path, is_restored, backup })
}

/// The file behind a link, however many links there are.
fn target(path: &Path) -> io::Result<PathBuf> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path).map_err(|error| {
        io::Error::other(format!("it is a link to a file that is not there: {error}"))
    })
}

fn parts(path: &Path) -> io::Result<(&Path, &std::ffi::OsStr)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name();
    folder.zip(name).ok_or_else(|| io::Error::other("it has no folder"))
}

/// Whether we may change the file, and what it is like; a file that its owner marked as not to be
/// written is left alone even where the folder's rights would let us replace it.
fn writable(path: &Path) -> io::Result<Option<Metadata>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    if metadata.permissions().readonly() {
        return Err(io::Error::other("it is marked as read-only"));
    }
    OpenOptions::new().write(true).open(path)?;
    Ok(Some(metadata))
}

/// The bytes of a file of a sane size; `None` if it is not there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    // Longer than anything we have read or written, which is enough to tell that it differs.
    file.take(2 * CONF_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Keeps the old file under a dated name beside it, for its owner's eyes only.
fn back_up(
    path: &Path,
    before: &[u8],
    old: Option<&Metadata>,
    stamp: Stamp,
) -> Result<PathBuf, ApplyError> {
    let failed = |reason: String| ApplyError::BackupFailed { path: path.to_owned(), reason };
    for number in 1..=COPIES_MAX {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let ending = format!(".{PRODUCT}-backup-{}{suffix}", stamp.for_files());
        let copy = with_ending(path, &ending).map_err(|error| failed(error.to_string()))?;
        let mut file = match create_private(&copy) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(failed(error.to_string())),
            Ok(file) => file,
        };
        let kept = take_over_owner(&file, old).and_then(|()| fill(&mut file, before));
        let kept = kept.and_then(|()| read(&copy)).map(|copied| copied.as_deref() == Some(before));
        return match kept {
            Ok(true) => Ok(copy),
            Ok(false) => {
                remove(&copy);
                Err(failed("the copy differs".into()))
            }
            Err(error) => {
                remove(&copy);
                Err(failed(error.to_string()))
            }
        };
    }
    Err(failed(format!("there are {COPIES_MAX} copies of this second already")))
}

/// Writes a file beside the other, like it in owner and rights, and forces it to the disk.
fn write_beside(path: &Path, bytes: &[u8], like: Option<&Metadata>) -> io::Result<PathBuf> {
    let temporary = with_ending(path, &format!(".{PRODUCT}-{}.tmp", std::process::id()))?;
    // Left over from a process of the same number that died.
    remove(&temporary);
    let mut file = create_private(&temporary)?;
    let done = take_over_owner(&file, like)
        .and_then(|()| take_over_rights(&file, like))
        .and_then(|()| fill(&mut file, bytes));
    done.inspect_err(|_| remove(&temporary))?;
    Ok(temporary)
}

fn with_ending(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let (folder, name) = parts(path)?;
    let mut name = OsString::from(name);
    name.push(ending);
    Ok(folder.join(name))
}

fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

fn put_back(path: &Path, before: Option<&[u8]>, old: Option<&Metadata>) -> bool {
    let done = match before {
        Some(before) => write_beside(path, before, old)
            .and_then(|temporary| fs::rename(&temporary, path).inspect_err(|_| remove(&temporary))),
        None => fs::remove_file(path),
    };
    settle(path);
    done.is_ok() && read(path).is_ok_and(|now| now.as_deref() == before)
}

fn remove(path: &Path) {
    // What is left over is told apart by its name; there is nobody to tell about it here.
    let _ = fs::remove_file(path);
}

/// Forces the renaming to the disk, where the system knows how.
fn settle(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        // The new file is there either way; only a power cut right now could bring the old one back.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Makes a file that only we can read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn take_over_owner(file: &File, like: Option<&Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Some(like) = like else { return Ok(()) };
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid()))
        .map_err(|error| io::Error::other(format!("its owner could not be kept: {error}")))
}

#[cfg(unix)]
fn take_over_rights(file: &File, like: Option<&Metadata>) -> io::Result<()> {
    like.map_or(Ok(()), |like| file.set_permissions(like.permissions()))
}

#[cfg(not(unix))]
fn take_over_owner(_: &File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn take_over_rights(_: &File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
