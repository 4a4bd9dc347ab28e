//! The system's password store: Secret Service, macOS Keychain or Windows Credential Manager.
//!
//! What it is not: a place to fall back to. Where there is no store, the person chooses.

use keyring::{Entry, Error};
use p2pool_app::{Keychain, KeychainError, Secret};

/// Name under which the person finds our entries in the system's own tools.
const SERVICE: &str = "P2Pool Desktop";

/// See the module's documentation. Connects anew at each call, so that a store which was locked
/// or not yet started is found when it is there.
#[derive(Debug)]
pub(crate) struct SystemKeychain;

impl Keychain for SystemKeychain {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        match entry(account)?.get_password() {
            Ok(password) => Ok(Some(Secret::new(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(why(&error)),
        }
    }

    fn set(&self, account: &str, password: &Secret) -> Result<(), KeychainError> {
        entry(account)?.set_password(password.expose()).map_err(|error| why(&error))
    }

    fn delete(&self, account: &str) -> Result<(), KeychainError> {
        match entry(account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(why(&error)),
        }
    }
}

fn entry(account: &str) -> Result<Entry, KeychainError> {
    Entry::new(SERVICE, account).map_err(|error| why(&error))
}

/// Words of the system. The store's errors may hold what was stored, so only those that cannot
/// are put into words.
fn why(error: &Error) -> KeychainError {
    match error {
        Error::NoStorageAccess(reason) => KeychainError::Declined(reason.to_string()),
        Error::PlatformFailure(reason) => KeychainError::Unavailable(reason.to_string()),
        Error::BadEncoding(_) => KeychainError::Unavailable("the entry is no text".into()),
        Error::Ambiguous(entries) => {
            KeychainError::Unavailable(format!("{} entries for one login", entries.len()))
        }
        Error::TooLong(what, limit) => {
            KeychainError::Unavailable(format!("{what} is longer than {limit} characters"))
        }
        Error::NoEntry | Error::Invalid(..) | _ => {
            KeychainError::Unavailable("it does not say why".into())
        }
    }
}

#[cfg(test)]
mod tests;
