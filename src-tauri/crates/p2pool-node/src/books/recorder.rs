//! Permanent recording: every share ever seen, also orphans, in the share store format.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use p2pool_sharechain::change::ChangeSet;

use super::record::raw_lines;
use super::store_files;

/// A file that has grown to this size is followed by the next one.
const FILE_BYTES_MAX: u64 = 10_000_000;

/// Appends shares to `shares.0`, `shares.1`, … in a folder of its own; never deletes anything.
///
/// Source: protocol notes, storage.md section 1.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    number: u64,
    file: BufWriter<File>,
    written: u64,
}

impl Recorder {
    /// Goes on where the folder's last file ends.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let last = store_files(folder).map_err(io::Error::other)?.pop();
        let number = last
            .as_deref()
            .and_then(Path::extension)
            .and_then(|number| number.to_str()?.parse().ok())
            .unwrap_or(0);
        let (file, written) = append(folder, number)?;
        Ok(Self { folder: folder.to_owned(), number, file, written })
    }

    /// Appends what is new in a change set.
    ///
    /// # Errors
    /// The disk is full or fails; what was written stays.
    pub fn record(&mut self, changes: &ChangeSet) -> io::Result<()> {
        let mut lines = Vec::new();
        for share in &changes.added {
            raw_lines(&mut lines, &share.raw, share.hash, share.verified)?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        if self.written >= FILE_BYTES_MAX {
            self.number = self.number.saturating_add(1);
            (self.file, self.written) = append(&self.folder, self.number)?;
        }
        self.file.write_all(&lines)?;
        self.written = self.written.saturating_add(lines.len() as u64);
        self.file.flush()
    }
}

fn append(folder: &Path, number: u64) -> io::Result<(BufWriter<File>, u64)> {
    let path = folder.join(format!("shares.{number}"));
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let written = file.metadata()?.len();
    Ok((BufWriter::new(file), written))
}

#[cfg(test)]
mod tests {
    use p2pool_sharechain::ShareHash;
    use p2pool_sharechain::change::{Origin, StoredShare};
    use p2pool_sharechain::time::UnixTime;

    use super::*;
    use crate::books::{RecordedLine, read_lines};

    #[test]
    fn shares_stay_recorded_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..3_u8 {
            let share = StoredShare {
                hash: ShareHash::from_internal([number; 32]),
                parent: None,
                abs_height: 1,
                seen_at: UnixTime(0),
                origin: Origin::Peer,
                verified: false,
                raw: [number].as_slice().into(),
            };
            let changes = ChangeSet { added: vec![share], ..ChangeSet::default() };
            Recorder::open(dir.path()).unwrap().record(&changes).unwrap();
        }
        let mut read = Vec::new();
        for file in store_files(dir.path()).unwrap() {
            read_lines(&file, |_, line| read.push(line.unwrap())).unwrap();
        }
        let share = |number| RecordedLine::Share(vec![number]);
        assert_eq!(read, [share(0), share(1), share(2)]);
    }
}
