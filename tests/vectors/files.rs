//! Finding and reading vector files.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

/// One file found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VectorFile {
    /// Path below the folder walked, for people.
    pub(crate) shown: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Name of the folder that it lies in.
    pub(crate) folder: String,
    /// Name without `.json` or `.json.gz`.
    pub(crate) name: String,
}

/// Every `.json` and `.json.gz` below `root`, in order of their paths.
pub(crate) fn below(root: &Path) -> Result<Vec<VectorFile>, String> {
    let mut open = vec![root.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Some(name) = name_of(&path) {
                let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                let folder = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
                found.push(VectorFile { shown, path, folder: folder.to_owned(), name });
            }
        }
    }
    found.sort();
    Ok(found)
}

fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".json").map(str::to_owned)
}

/// Reads a file's JSON, unpacking it if need be.
pub(crate) fn load(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    if path.extension() != Some(OsStr::new("gz")) {
        return serde_json::from_slice(&bytes).map_err(|e| e.to_string());
    }
    let mut text = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut text).map_err(|e| e.to_string())?;
    serde_json::from_slice(&text).map_err(|e| e.to_string())
}
