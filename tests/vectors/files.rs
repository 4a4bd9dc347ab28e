//! Finding and reading vector files.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
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
    load_as(path)
}

/// Reads of a file's JSON what the type holds.
pub(crate) fn load_as<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    serde_json::from_slice(&unpacked(path)?).map_err(|e| e.to_string())
}

/// As [`load`], with each number as the text that it is written with: large ones keep all their
/// digits, and doubles their last.
pub(crate) fn load_with_number_texts(path: &Path) -> Result<Value, String> {
    serde_json::from_slice(&with_number_texts(&unpacked(path)?)).map_err(|e| e.to_string())
}

fn unpacked(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    if path.extension() != Some(OsStr::new("gz")) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut text).map_err(|e| e.to_string())?;
    Ok(text)
}

/// Puts quotes around the numbers of a JSON text.
fn with_number_texts(json: &[u8]) -> Vec<u8> {
    let is_part =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut in_string, mut is_escaped, mut in_number) = (false, false, false);
    for byte in json {
        let starts = byte.is_ascii_digit() || *byte == b'-';
        if in_number && !is_part(*byte) || !in_number && !in_string && starts {
            in_number = !in_number;
            out.push(b'"');
        }
        if *byte == b'"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = *byte == b'\\' && !is_escaped;
        out.push(*byte);
    }
    if in_number {
        out.push(b'"');
    }
    out
}
