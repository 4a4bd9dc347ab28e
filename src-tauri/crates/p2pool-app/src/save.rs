//! Files that the person asked for, in the folder of downloads.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Longest name of a file.
const NAME_CHARS_MAX: usize = 100;
/// Names that are tried: `x.csv`, `x (2).csv`, and so on.
const COUNTER_MAX: u32 = 1_000;

/// Writes a file into a folder, under a name that is not taken yet.
///
/// # Errors
/// A name that is none, or a folder that cannot be written.
pub(crate) fn save(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let (stem, ending) = parts(name)?;
    std::fs::create_dir_all(folder)?;
    for counter in 1..=COUNTER_MAX {
        let name = match counter {
            1 => name.to_owned(),
            _ => format!("{stem} ({counter}).{ending}"),
        };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "too many files of this name"))
}

/// A plain name and its ending; what could lead out of the folder is none.
fn parts(name: &str) -> io::Result<(&str, &str)> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.split_once('.')
        .filter(|(stem, ending)| {
            name.len() <= NAME_CHARS_MAX
                && [stem, ending].iter().all(|part| !part.is_empty() && part.chars().all(is_plain))
        })
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not a name of a file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_of_a_taken_name_gets_a_number_and_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("Downloads");
        let first = save(&folder, "payments.csv", b"one").unwrap();
        let second = save(&folder, "payments.csv", b"two").unwrap();
        assert_eq!(second, folder.join("payments (2).csv"));
        assert_eq!(std::fs::read(first).unwrap(), b"one");
        assert_eq!(std::fs::read(second).unwrap(), b"two");
    }

    #[test]
    fn name_that_leads_elsewhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["", "x", ".csv", "../x.csv", "a/b.csv", "a\\b.csv", "a.b.csv", "c:.csv", "ä.csv"]
        {
            assert!(save(dir.path(), name, b"").is_err(), "{name}");
        }
        let long = format!("{}.csv", "x".repeat(200));
        assert!(save(dir.path(), &long, b"").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
