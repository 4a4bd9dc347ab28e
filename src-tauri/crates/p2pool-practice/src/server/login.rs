//! The cookie file, and the header that its reader sends.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const USER: &str = "__cookie__";

/// One run's login; its file is removed when this is dropped.
pub(super) struct Login {
    path: PathBuf,
    authorization: String,
}

impl Login {
    /// Draws a password and writes the cookie file, readable by its owner alone.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let cookie = format!("{USER}:{password}");
        // Whoever reads it meanwhile finds the old file or the new one, never half of one.
        let unfinished = path.with_extension("tmp");
        owner_only(&unfinished)?.write_all(cookie.as_bytes())?;
        fs::rename(&unfinished, &path)?;
        let authorization = format!("Basic {}", base64(cookie.as_bytes()));
        Ok(Self { path, authorization })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The `Authorization` header of a request that may pass.
    pub(super) fn authorization(&self) -> &str {
        &self.authorization
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        // Gone already, or to be replaced at the next start: nothing to do about either.
        let _ = fs::remove_file(&self.path);
    }
}

fn owner_only(path: &Path) -> io::Result<File> {
    // A left-over file would keep its old permissions.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Compares in a time that tells nothing of where the difference is.
pub(super) fn is_same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Source: RFC 4648, section 4.
fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in data.chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=piece.len()].copy_from_slice(piece);
        let number = u32::from_be_bytes(bytes);
        for digit in 0..4 {
            let value = (number >> (18 - 6 * digit)) & 63;
            text.push(if digit <= piece.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_rfc() {
        for (data, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("__cookie__:aa", "X19jb29raWVfXzphYQ=="),
        ] {
            assert_eq!(base64(data.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn cookie_is_new_each_time_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".cookie");
        let first = Login::create(path.clone()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let password = text.strip_prefix("__cookie__:").unwrap();
        assert!(password.len() == 64 && password.bytes().all(|c| c.is_ascii_hexdigit()));
        assert!(is_same(first.authorization().as_bytes(), first.authorization().as_bytes()));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(&path).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        let second = Login::create(path.clone()).unwrap();
        assert!(!is_same(first.authorization().as_bytes(), second.authorization().as_bytes()));
        assert!(!format!("{second:?}").contains(password));
        drop(second);
        assert!(!path.exists());
    }
}
