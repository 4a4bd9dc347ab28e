//! Open books: anybody can record shares and examine them.
//!
//! Shares leave as JSON lines or in the reference's share store format, come in from either, are
//! verified from scratch without trust, shown one by one, and blocks are audited to the satoshi.

mod audit;
mod database;
mod lines;
mod record;
mod recorder;
mod show;
mod verify;

pub use audit::{AuditError, BlockAudit, PayoutCheck, audit_block};
pub use database::{Books, ImportError, ImportReport, import};
pub use lines::{BadLine, RecordedLine, read_lines, store_files};
pub use record::{HeaderRecord, ShareRecord, raw_lines};
pub use recorder::Recorder;
pub use show::{ShareView, WindowPlace, show_share};
pub use verify::{BooksReport, Fault, verify_shares};

use std::path::PathBuf;

use p2pool_store::StoreError;

/// Why the books cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BooksError {
    /// A file that cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The database.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// No share has this hash, or begins with these digits.
    #[error("no share begins with {0:?}")]
    Unknown(String),
    /// Several do.
    #[error("{0:?} is the beginning of more than one share")]
    Ambiguous(String),
}
