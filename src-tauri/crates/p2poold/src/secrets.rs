//! Files that only their owner may read: the login that we made for the Bitcoin node, and a
//! password that somebody else keeps for us.
//!
//! What stands in them is never printed, and never an argument of any program.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use p2pool_bitcoind::local::NewLogin;
use p2pool_bitcoind::{Auth, Secret};
use p2pool_node::ProblemCode;

use crate::failure::Failure;

/// Name of our login's file in the data folder.
const LOGIN_FILE: &str = "bitcoind-login";
/// A name and a password are much shorter.
const BYTES_MAX: u64 = 1024;

/// The login that we made for the Bitcoin node, `name:password` as in the node's own cookie file.
#[derive(Clone, Debug)]
pub(crate) struct LoginFile {
    path: PathBuf,
}

impl LoginFile {
    /// The file in this data folder, which need not be there.
    pub(crate) fn in_folder(data_dir: &Path) -> Self {
        Self { path: data_dir.join(LOGIN_FILE) }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The login that is kept; `None` if there is none.
    ///
    /// # Errors
    /// The file is open to others, unreadable or no login.
    pub(crate) fn read(&self) -> Result<Option<Auth>, Failure> {
        let text = match read_private(&self.path) {
            Err(Unread::Missing) => return Ok(None),
            read => read.map_err(|unread| unread.failure(&self.path))?,
        };
        let (user, password) = text
            .split_once(':')
            .ok_or_else(|| Unread::Other("it is not name:password".into()).failure(&self.path))?;
        let password = Secret::new(password.to_owned());
        Ok(Some(Auth::UserPassword { user: user.to_owned(), password }))
    }

    /// Keeps a login in place of the one before; all or nothing.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn keep(&self, login: &NewLogin) -> Result<(), Failure> {
        self.try_keep(login).map_err(|error| {
            let sentence = format!("The login cannot be kept in {}: {error}.", self.path.display());
            Failure::of_run(ProblemCode::DataFolder, sentence)
        })
    }

    fn try_keep(&self, login: &NewLogin) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.path.with_extension("new");
        // One that an earlier run could not finish is in the way.
        let _ = fs::remove_file(&new);
        let mut file = create_private(&new)?;
        let text = format!("{}:{}\n", login.user(), login.password().expose());
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
        fs::rename(&new, &self.path)
    }

    /// Forgets the login; says whether there was one.
    pub(crate) fn forget(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

/// Reads a password from the first line of a file that only its owner may read.
///
/// # Errors
/// The file is not there, open to others, unreadable or empty.
pub(crate) fn read_password(path: &Path) -> Result<Secret, Failure> {
    read_private(path).map(Secret::new).map_err(|unread| unread.failure(path))
}

/// Creates a file for its owner alone, which must not be there yet.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Why a secret was not read.
#[derive(Debug)]
enum Unread {
    Missing,
    Open(u32),
    Other(String),
}

impl Unread {
    fn failure(self, path: &Path) -> Failure {
        let path = path.display();
        let (sentence, details) = match self {
            Self::Missing => (format!("There is no file {path}."), String::new()),
            Self::Open(mode) => (
                format!("Others can read {path}, which holds a password. First: chmod 600 {path}"),
                format!("its rights are {mode:o}"),
            ),
            Self::Other(reason) => (format!("The login in {path} cannot be read."), reason),
        };
        Failure::of_settings(ProblemCode::NodeLogin, sentence, details)
    }
}

/// The first line of a file that only its owner may read.
fn read_private(path: &Path) -> Result<String, Unread> {
    let other = |error: io::Error| Unread::Other(error.to_string());
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Missing),
        opened => opened.map_err(other)?,
    };
    let metadata = file.metadata().map_err(other)?;
    if !metadata.is_file() {
        return Err(Unread::Other("it is not a plain file".into()));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(Unread::Open(mode));
        }
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(other)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        Some(_) | None => Err(Unread::Other("its first line is empty".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_kept_for_its_owner_alone_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = LoginFile::in_folder(&folder.path().join("new"));
        assert_eq!(file.read().unwrap(), None);
        let first = NewLogin::generate().unwrap();
        file.keep(&first).unwrap();
        assert_eq!(file.read().unwrap(), Some(first.auth()));
        let second = NewLogin::generate().unwrap();
        file.keep(&second).unwrap();
        assert_eq!(file.read().unwrap(), Some(second.auth()));
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
        assert!(file.forget() && !file.forget());
    }

    #[test]
    #[cfg(unix)]
    fn a_secret_that_others_can_read_is_refused_without_being_told() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2\nmore\n").unwrap();
        for (mode, is_taken) in [(0o644, false), (0o640, false), (0o600, true), (0o400, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read_password(&path) {
                Ok(password) => assert!(is_taken && password.expose() == "hunter2", "{mode:o}"),
                Err(failure) => {
                    let text = failure.to_string();
                    assert!(!is_taken && text.contains("chmod 600"), "{mode:o} {text}");
                    assert!(!text.contains("hunter2"), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_login_is_refused_without_being_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = LoginFile::in_folder(folder.path());
        for text in ["", "hunter2\n", "\nu:hunter2\n"] {
            file.forget();
            let mut created = create_private(file.path()).unwrap();
            created.write_all(text.as_bytes()).unwrap();
            let failure = file.read().unwrap_err();
            assert_eq!((failure.code, failure.exit), ("N-03", 2), "{text:?}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
        assert_eq!(read_password(&folder.path().join("none")).unwrap_err().code, "N-03");
    }
}
