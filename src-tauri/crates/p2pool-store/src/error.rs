//! What can go wrong with a database.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why reading or writing failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room left on the disk; the same write may succeed later.
    #[error("the disk is full")]
    DiskFull,
    /// Another program keeps the database busy; the same write may succeed later.
    #[error("another program keeps the database busy")]
    Busy,
    /// The file's contents are broken; opening it again sets it aside.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A chart value that is not a number.
    #[error("series {name} has a value that is not a finite number")]
    NotFinite {
        /// Name of the series.
        name: String,
    },
    /// Anything else that SQLite reports.
    #[error("the database failed")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the same call may succeed later without anything being repaired.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Busy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

/// Whether an error says that the file does not hold what this crate wrote.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
    ) || matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another running node uses the folder.
    #[error("{} is in use by another running node", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be created or written.
    #[error("cannot write to {}", path.display())]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database belongs to another network.
    #[error("the database is of network {found}, not of {wanted}")]
    OtherNetwork {
        /// The network that it was made for.
        found: String,
        /// The network that was asked for.
        wanted: String,
    },
    /// A newer version of the application made the database.
    #[error("the database has schema {found}, this version knows schemas up to {known}")]
    TooNew {
        /// Schema number of the file.
        found: u32,
        /// Newest schema number that this version knows.
        known: u32,
    },
    /// The file is a sound database of some other program.
    #[error("{} is a database of another program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, and so was the one put in its place.
    #[error("the database {} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is broken.
        detail: String,
    },
    /// Reading or writing the opened database failed.
    #[error("cannot use the database {}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: StoreError,
    },
}
