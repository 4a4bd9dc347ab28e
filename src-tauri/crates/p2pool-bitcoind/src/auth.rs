//! How we log in: the node's cookie file, or a user name and a password.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::RpcError;

/// A cookie file is 75 bytes long; anything much longer is not one.
const COOKIE_BYTES_MAX: u64 = 1024;

/// The login of a Bitcoin node's RPC interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Path of the node's cookie file, which the node writes anew at every start.
    Cookie(PathBuf),
    /// A login that the node's configuration names.
    UserPassword {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
}

/// A text that no log and no error may show; wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the system's password store or the node and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// User name and password as they go into a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl Auth {
    /// The credentials as they are now; reads the cookie file.
    pub(crate) fn credentials(&self) -> Result<Credentials, RpcError> {
        match self {
            Self::Cookie(path) => read_cookie(path),
            Self::UserPassword { user, password } => {
                Ok(Credentials { user: user.clone(), password: password.clone() })
            }
        }
    }
}

fn read_cookie(path: &Path) -> Result<Credentials, RpcError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(COOKIE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| {
            let path = path.to_owned();
            if error.kind() == io::ErrorKind::NotFound {
                RpcError::CookieMissing { path }
            } else {
                RpcError::CookieUnreadable { path, reason: error.to_string() }
            }
        })?;
    let (user, password) = text.trim_end().split_once(':').ok_or_else(|| {
        RpcError::CookieUnreadable { path: path.to_owned(), reason: "no colon in it".into() }
    })?;
    Ok(Credentials { user: user.to_owned(), password: Secret::new(password.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let auth = Auth::UserPassword { user: "pool".into(), password: Secret::new("x7".into()) };
        assert_eq!(format!("{auth:?}"), "UserPassword { user: \"pool\", password: Secret(..) }");
    }

    #[test]
    fn cookie_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".cookie");
        let auth = Auth::Cookie(path.clone());
        assert!(matches!(auth.credentials(), Err(RpcError::CookieMissing { .. })));

        std::fs::write(&path, "__cookie__:aa11").unwrap();
        let first = auth.credentials().unwrap();
        assert_eq!((first.user.as_str(), first.password.expose()), ("__cookie__", "aa11"));

        std::fs::write(&path, "__cookie__:bb:22\n").unwrap();
        assert_eq!(auth.credentials().unwrap().password.expose(), "bb:22");

        std::fs::write(&path, "nonsense").unwrap();
        assert!(matches!(auth.credentials(), Err(RpcError::CookieUnreadable { .. })));
    }
}
