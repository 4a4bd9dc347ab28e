//! Secrets in files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::auth::Secret;

/// A name and a password are much shorter.
const BYTES_MAX: u64 = 1024;

/// Why a secret was not read. Never holds any part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// Others may read it.
    #[error("others can read it, its rights are {mode:o}")]
    Open {
        /// Its rights.
        mode: u32,
    },
    /// It is not a plain file.
    #[error("it is not a plain file")]
    NotAFile,
    /// Its first line is empty.
    #[error("its first line is empty")]
    Empty,
    /// The system refuses, or it is not text.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// Reads the first line of a file that only its owner may read.
///
/// # Errors
/// The file is not there, open to others, unreadable or empty.
pub fn read_secret(path: &Path) -> Result<Secret, PrivateFileError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PrivateFileError::Missing);
        }
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(PrivateFileError::NotAFile);
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateFileError::Open { mode });
        }
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
        Some(_) | None => Err(PrivateFileError::Empty),
    }
}

/// Writes a secret into a file of its own for its owner alone, in place of the one before; all or
/// nothing.
///
/// # Errors
/// The disk refuses.
pub fn write_secret(path: &Path, secret: &Secret) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    // One that an earlier run could not finish is in the way.
    let _ = fs::remove_file(&new);
    let mut file = create_private(&new)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

/// Creates a file for its owner alone, which must not be there yet.
///
/// # Errors
/// It is there, or the disk refuses.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_whole_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/password");
        assert!(matches!(read_secret(&path), Err(PrivateFileError::Missing)));
        for text in ["hunter2", "longer than hunter2"] {
            write_secret(&path, &Secret::new(text.into())).unwrap();
            assert_eq!(read_secret(&path).unwrap().expose(), text);
        }
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_secret_that_others_can_read_is_refused_without_being_told() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2\nmore\n").unwrap();
        for (mode, is_taken) in [(0o644, false), (0o640, false), (0o600, true), (0o400, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read_secret(&path) {
                Ok(password) => assert!(is_taken && password.expose() == "hunter2", "{mode:o}"),
                Err(error) => {
                    assert!(!is_taken && !error.to_string().contains("hunter2"), "{error}");
                }
            }
        }
    }
}
