//! What the last run of live mining left: whether it mined, and for whom.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files;

/// Its file in the data folder.
const FILE: &str = "last-run.toml";

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LastRun {
    /// Whether it mined.
    pub(crate) mining: LastWish,
    /// The address that its work paid, which the person had confirmed.
    pub(crate) address: Option<String>,
}

/// What the person wanted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LastWish {
    /// Start had not been pressed.
    #[default]
    Off,
    /// To mine.
    On,
    /// To pause.
    Paused,
}

impl LastRun {
    /// Reads it. A file that says nothing usable is a first run: mining waits for the person, and
    /// the address of the settings is taken as it is.
    pub(crate) fn read(data_dir: &Path) -> Self {
        files::read_or_default(&data_dir.join(FILE))
    }

    /// Writes it.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(crate) fn write(&self, data_dir: &Path) -> io::Result<()> {
        files::write_toml(&data_dir.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_run_is_remembered_and_nonsense_is_a_first_run() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(LastRun::read(dir.path()), LastRun::default());
        let last = LastRun { mining: LastWish::On, address: Some("bc1q".into()) };
        last.write(dir.path()).unwrap();
        assert_eq!(LastRun::read(dir.path()), last);
        std::fs::write(dir.path().join(FILE), "mining = 7").unwrap();
        assert_eq!(LastRun::read(dir.path()), LastRun::default());
    }
}
