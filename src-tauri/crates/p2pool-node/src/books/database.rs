//! The node's own database as books: shares out, recorded shares in.

use std::path::{Path, PathBuf};

use p2pool_sharechain::change::{ChangeSet, Origin, StoredShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CheckedShare, Params, ShareHash};
use p2pool_store::{HistoryReader, Store};

use super::{BooksError, RecordedLine, read_lines};
use crate::handle::StartError;
use crate::open::{network_id, open_store};

/// Name of the database in a node's folder.
const DATABASE: &str = "node.sqlite";
/// Shares stored in one transaction.
const BATCH: usize = 1000;

/// A node's database, read beside the node itself.
#[derive(Debug)]
pub struct Books {
    reader: HistoryReader,
}

impl Books {
    /// Opens the database in a node's own folder.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(node_dir: &Path) -> Result<Self, BooksError> {
        let path = node_dir.join(DATABASE);
        if let Err(source) = std::fs::metadata(&path) {
            return Err(BooksError::File { path, source });
        }
        Ok(Self { reader: HistoryReader::open(&path)? })
    }

    /// All stored shares, lowest first.
    pub fn shares(&self) -> impl Iterator<Item = Result<StoredShare, BooksError>> + '_ {
        self.reader.shares().map(|share| share.map_err(BooksError::from))
    }

    /// The best share when the node last stored one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn best(&self) -> Result<Option<ShareHash>, BooksError> {
        Ok(self.reader.best()?)
    }

    /// A found block as a whole, if this node has it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn block(&self, hash: ShareHash) -> Result<Option<Vec<u8>>, BooksError> {
        Ok(self.reader.block_bytes(hash)?)
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Lines with a share.
    pub given: u64,
    /// Of these, stored (shares already there included).
    pub stored: u64,
    /// Shares that fail by themselves; the first with its file, line and fault.
    pub refused: u64,
    /// The first line that was refused.
    pub first_refused: Option<(PathBuf, u64, String)>,
    /// Lines that say nothing sensible.
    pub bad_lines: u64,
}

/// Takes recorded shares into the database of a node that is not running.
///
/// Only what stands by itself is taken; the node checks the rest at its next start. Hints that a
/// share was verified are not believed.
///
/// # Errors
/// The node is running, the database is of another network, a file cannot be read.
pub fn import(
    node_dir: &Path,
    params: &Params,
    files: &[PathBuf],
    now: UnixTime,
) -> Result<ImportReport, ImportError> {
    let mut store = open_store(node_dir, &network_id(params), now)?.store;
    let mut report = ImportReport::default();
    for path in files {
        import_file(&mut store, params, path, now, &mut report)?;
    }
    store.close().map_err(BooksError::from)?;
    Ok(report)
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The database does not open.
    #[error(transparent)]
    Open(#[from] StartError),
    /// A file or the database fails.
    #[error(transparent)]
    Books(#[from] BooksError),
}

fn import_file(
    store: &mut Store,
    params: &Params,
    path: &Path,
    now: UnixTime,
    report: &mut ImportReport,
) -> Result<(), BooksError> {
    let mut batch = ChangeSet::default();
    let mut failed = None;
    read_lines(path, |number, line| match line {
        Ok(RecordedLine::Share(raw)) => {
            report.given += 1;
            match CheckedShare::parse(&raw, params) {
                Ok(share) => batch.added.push(stored(&share, &raw, now)),
                Err(error) => {
                    report.refused += 1;
                    let place = (path.to_owned(), number, error.to_string());
                    report.first_refused.get_or_insert(place);
                }
            }
            if batch.added.len() >= BATCH && failed.is_none() {
                failed = keep(store, &mut batch, report).err();
            }
        }
        Ok(RecordedLine::Verified(_) | RecordedLine::Nothing) => {}
        Err(_) => report.bad_lines += 1,
    })?;
    match failed {
        Some(error) => Err(error),
        None => keep(store, &mut batch, report),
    }
}

fn keep(
    store: &mut Store,
    batch: &mut ChangeSet,
    report: &mut ImportReport,
) -> Result<(), BooksError> {
    let changes = std::mem::take(batch);
    store.apply(&changes)?;
    report.stored += changes.added.len() as u64;
    Ok(())
}

fn stored(share: &CheckedShare, raw: &[u8], now: UnixTime) -> StoredShare {
    StoredShare {
        hash: share.hash(),
        parent: share.share().parent(),
        abs_height: share.share().info.abs_height,
        seen_at: now,
        origin: Origin::Import,
        verified: false,
        raw: raw.into(),
    }
}
