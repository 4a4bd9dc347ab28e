//! Small files that are whole or not there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a whole file or nothing: a kill at any moment leaves the old one or the new one.
///
/// # Errors
/// The disk refuses.
pub(crate) fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = PathBuf::from(format!("{}.new", path.display()));
    let mut file = fs::File::create(&fresh)?;
    io::Write::write_all(&mut file, text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&fresh, path)
}

/// Writes a value as a whole file or not at all.
///
/// # Errors
/// The disk refuses.
pub(crate) fn write_toml(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = toml::to_string(value).map_err(io::Error::other)?;
    write(path, text.as_bytes())
}

/// Reads a value; a file that is not there or says nothing usable is as good as none.
pub(crate) fn read_or_default<T: DeserializeOwned + Default>(path: &Path) -> T {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return T::default(),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "file not read");
            return T::default();
        }
    };
    toml::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, path = %path.display(), "file not understood");
        T::default()
    })
}
