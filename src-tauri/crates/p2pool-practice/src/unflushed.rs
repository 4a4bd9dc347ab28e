//! Blocks that the kernel has taken but not yet written down for good.
//!
//! The kernel writes its index and its coins about once an hour; a process that is killed in
//! between would lose the blocks since. So each accepted block is also written here, and offered
//! to the kernel again when the chain is opened. The files go when the kernel has flushed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bitcoin::BlockHash;

/// Blocks kept before the kernel is made to flush.
pub(crate) const BLOCKS_MAX: usize = 100;
/// No block is longer.
const BLOCK_BYTES_MAX: u64 = 4_000_000;
const ENDING: &str = "block";

/// The folder with one file per block.
#[derive(Debug)]
pub(crate) struct Unflushed {
    folder: PathBuf,
    count: usize,
}

impl Unflushed {
    /// Opens the folder, making it if needed.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut unflushed = Self { folder: folder.to_owned(), count: 0 };
        unflushed.count = unflushed.files()?.len();
        Ok(unflushed)
    }

    /// How many blocks are kept.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Keeps a block; returns when the disk has it.
    pub(crate) fn keep(&mut self, height: u32, hash: BlockHash, raw: &[u8]) -> io::Result<()> {
        let path = self.folder.join(format!("{height:010}-{hash}.{ENDING}"));
        let unfinished = path.with_extension("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(raw)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        // Windows has no handle for a folder, and writes names down by itself.
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        self.count += 1;
        Ok(())
    }

    /// The kept blocks, parents before children.
    pub(crate) fn blocks(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut blocks = Vec::new();
        for path in self.files()? {
            let mut raw = Vec::new();
            File::open(&path)?.take(BLOCK_BYTES_MAX).read_to_end(&mut raw)?;
            blocks.push(raw);
        }
        Ok(blocks)
    }

    /// Forgets all blocks.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        for path in self.files()? {
            fs::remove_file(path)?;
        }
        self.count = 0;
        Ok(())
    }

    /// Finished files; their names begin with the height.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;

    use super::*;

    #[test]
    fn blocks_come_back_in_order_of_height() {
        let folder = tempfile::tempdir().unwrap();
        let mut unflushed = Unflushed::open(folder.path()).unwrap();
        for height in [10, 9, 100] {
            let name = BlockHash::from_byte_array([u8::try_from(200 - height).unwrap(); 32]);
            unflushed.keep(height, name, &height.to_le_bytes()).unwrap();
        }
        fs::write(folder.path().join("0-torn.unfinished"), b"torn").unwrap();

        let mut again = Unflushed::open(folder.path()).unwrap();
        assert_eq!(again.count(), 3);
        let expected = [9_u32, 10, 100].map(|height| height.to_le_bytes().to_vec());
        assert_eq!(again.blocks().unwrap(), expected);
        again.clear().unwrap();
        assert_eq!((again.count(), again.blocks().unwrap()), (0, Vec::new()));
    }
}
