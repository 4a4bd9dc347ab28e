//! `p2poold shares` and `p2poold blocks`: the pool's books, open to anybody.

mod args;
mod audit;
mod examine;
mod exchange;

use std::time::{SystemTime, UNIX_EPOCH};

use p2pool_node::ProblemCode;
use p2pool_node::books::{BooksError, ImportError};
use p2pool_sharechain::time::UnixTime;

pub(crate) use self::args::{BlocksArgs, SharesArgs};
use self::args::{BlocksCommand, SharesCommand};
use crate::failure::Failure;

/// Carries out `p2poold shares …`.
pub(crate) fn shares(args: &SharesArgs) -> Result<(), Failure> {
    match &args.command {
        SharesCommand::Export(args) => exchange::export(args),
        SharesCommand::Import(args) => exchange::import_files(args),
        SharesCommand::Verify(args) => examine::verify(args),
        SharesCommand::Show(args) => examine::show(args),
    }
}

/// Carries out `p2poold blocks …`.
pub(crate) fn blocks(args: &BlocksArgs) -> Result<(), Failure> {
    match &args.command {
        BlocksCommand::Audit(args) => audit::audit(args),
    }
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(since.as_secs())
}

impl From<BooksError> for Failure {
    fn from(error: BooksError) -> Self {
        let sentence = match &error {
            BooksError::File { path, source } => {
                format!("{} cannot be read: {source}.", path.display())
            }
            BooksError::Store(error) => format!("The database cannot be read: {error}."),
            BooksError::Unknown(digits) => format!("No share begins or ends with {digits:?}."),
            BooksError::Ambiguous(digits) => {
                format!("More than one share begins or ends with {digits:?}. Give more digits.")
            }
            _ => format!("The books cannot be read: {error}."),
        };
        Self::of_run(ProblemCode::DataFolder, sentence)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Open(error) => error.into(),
            ImportError::Books(error) => error.into(),
            _ => Self::of_run(ProblemCode::DataFolder, format!("Nothing was imported: {error}.")),
        }
    }
}
