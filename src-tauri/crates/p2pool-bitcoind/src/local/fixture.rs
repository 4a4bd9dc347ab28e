//! A data folder for tests, and the node that it makes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::local::block::Stamp;
use crate::local::folders::{System, Variables};
use crate::local::inspect::{LocalNode, Surroundings, inspect};
use crate::local::login::NewLogin;
use crate::local::plan::{LoginStyle, Wish};
use crate::local::process::{Program, RunningNode, own_user};
use crate::local::settings::CommandLine;

pub(crate) const NOON: Stamp =
    Stamp { year: 2026, month: 11, day: 22, hour: 14, minute: 5, second: 1 };

/// Files of a data folder, and perhaps a process that works on it.
pub(crate) struct Fixture {
    folder: TempDir,
    running: Option<RunningNode>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), running: None }
    }

    pub(crate) fn with_conf(bytes: impl AsRef<[u8]>) -> Self {
        Self::new().file("bitcoin.conf", bytes)
    }

    /// Adds a file; folders on its way are made.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Lets a program run on the folder.
    pub(crate) fn running(mut self, program: Program, arguments: &[&str]) -> Self {
        let folder = format!("-datadir={}", self.folder.path().display());
        let all = arguments.iter().copied().chain([folder.as_str()]).map(OsStr::new);
        self.running = Some(RunningNode {
            pid: 7,
            program,
            executable: None,
            started_unix_s: 1000,
            is_of_other_user: Some(false),
            command_line: CommandLine::parse(System::Linux, all),
            working_folder: None,
            home: None,
        });
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.path("bitcoin.conf")
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            system: System::Linux,
            variables: Variables::default(),
            user: own_user(),
            running: self.running.iter().cloned().collect(),
            saved_folder: Some(self.folder.path().to_owned()),
        }
    }

    pub(crate) fn node(&self) -> LocalNode {
        inspect(&self.surroundings()).with_folder(self.folder.path()).unwrap().clone()
    }
}

/// Always the same login, `p2pool-0707`.
pub(crate) fn login() -> NewLogin {
    NewLogin::from_entropy([7; 50])
}

pub(crate) fn wish(style: LoginStyle, login: &NewLogin) -> Wish<'_> {
    Wish { style, new_login: login, known_login: None, may_switch_server_on: false, stamp: NOON }
}
