//! Starting a node on this computer, and room on its disk.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sysinfo::{Disks, Pid, ProcessRefreshKind, ProcessesToUpdate, UpdateKind};

use crate::local::process::RunningNode;

/// Names of the programs, the one with a window first: its owner sees what it does.
const PROGRAMS: [&str; 2] = ["bitcoin-qt", "bitcoind"];

/// A program with its arguments, of which one may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct StartCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: Option<PathBuf>,
}

impl StartCommand {
    /// How this node was started; `None` if the system does not tell, or it belongs to another
    /// user. Has to be asked while it runs.
    pub fn of_running(node: &RunningNode) -> Option<Self> {
        if node.is_of_other_user != Some(false) {
            return None;
        }
        let pid = Pid::from_u32(node.pid);
        let mut system = sysinfo::System::new().ok()?;
        let details = ProcessRefreshKind::nothing().without_tasks().with_cmd(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, details);
        let arguments = system.process(pid)?.cmd().iter().skip(1).cloned().collect();
        let program = node.executable.clone()?;
        Some(Self { program, arguments, folder: node.working_folder.clone() })
    }

    /// The program that is installed on this computer, for a data folder.
    pub fn of_installed(data_folder: &Path) -> Option<Self> {
        let mut argument = OsString::from("-datadir=");
        argument.push(data_folder);
        installed().map(|program| Self { program, arguments: vec![argument], folder: None })
    }

    /// Starts it. It outlives us.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start(&self) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        // Somebody has to ask how it ended, or it would stay in the list of processes.
        std::thread::spawn(move || child.wait());
        Ok(())
    }
}

impl fmt::Debug for StartCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// The program of a node, where such programs are installed.
fn installed() -> Option<PathBuf> {
    let ending = std::env::consts::EXE_SUFFIX;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let on_path = PROGRAMS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(format!("{name}{ending}"))));
    let mut known = vec![PathBuf::from("/Applications/Bitcoin-Qt.app/Contents/MacOS/Bitcoin-Qt")];
    if let Some(programs) = std::env::var_os("ProgramFiles") {
        known.push(Path::new(&programs).join("Bitcoin").join("bitcoin-qt.exe"));
    }
    on_path.chain(known).find(|program| program.is_file())
}

/// Bytes free on the disk that holds a folder, or will; `None` if the system does not tell.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.ancestors().find(|folder| folder.is_dir())?;
    let there = std::fs::canonicalize(there).unwrap_or_else(|_| there.to_owned());
    let disks = Disks::new_with_refreshed_list().ok()?;
    let holding = disks.iter().filter(|disk| there.starts_with(disk.mount_point()));
    let disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    Some(disk.available_space())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_not_printed() {
        let (program, folder) = ("bitcoind".into(), None);
        let arguments = vec!["-rpcpassword=hunter2".into()];
        let command = StartCommand { program, arguments, folder };
        assert!(!format!("{command:?}").contains("hunter2"));
    }

    #[test]
    fn room_is_known_for_folders_that_are_not_there_yet() {
        let here = free_bytes(&std::env::temp_dir());
        assert_eq!(free_bytes(&std::env::temp_dir().join("not/there")).is_some(), here.is_some());
    }
}
