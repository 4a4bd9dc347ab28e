//! Bitcoin nodes that run on this computer, and what they were started with.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use sysinfo::{
    Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, Uid, UpdateKind,
};

use crate::local::folders::System;
use crate::local::settings::CommandLine;

/// Most running nodes that are looked at.
const NODES_MAX: usize = 16;

/// The clock's corrections may move the start of a process by this much, in seconds.
const START_TOLERANCE_S: u64 = 10;

/// Which of the programs runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `bitcoind`: accepts connections from programs unless told not to.
    Bitcoind,
    /// `bitcoin-node`: the same as a process of its own.
    BitcoinNode,
    /// `bitcoin-qt` or `bitcoin-gui`, with a window: accepts connections only if told to.
    BitcoinQt,
}

/// A running node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningNode {
    /// Number of the process.
    pub pid: u32,
    /// What it is.
    pub program: Program,
    /// Its file, if we may know.
    pub executable: Option<PathBuf>,
    /// When it started, unix seconds.
    pub started_unix_s: u64,
    /// Whether it belongs to another user of this computer; `None` if unknown.
    pub is_of_other_user: Option<bool>,
    /// What it was started with.
    pub command_line: CommandLine,
    /// The folder it was started in, if we may know; relative paths count from there.
    pub working_folder: Option<PathBuf>,
    /// Its `HOME`, if we may know; packages set it.
    pub home: Option<PathBuf>,
}

impl Program {
    /// Reads the name of a program's file.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.to_ascii_lowercase();
        match name.strip_suffix(".exe").unwrap_or(&name) {
            "bitcoind" => Some(Self::Bitcoind),
            "bitcoin-node" => Some(Self::BitcoinNode),
            "bitcoin-qt" | "bitcoin-gui" => Some(Self::BitcoinQt),
            _ => None,
        }
    }

    /// Whether it accepts connections from programs when no setting says so.
    pub fn serves_by_default(self) -> bool {
        match self {
            Self::Bitcoind | Self::BitcoinNode => true,
            Self::BitcoinQt => false,
        }
    }
}

impl RunningNode {
    /// Whether this is the same run of the same process.
    pub fn is_same_run(&self, other: &Self) -> bool {
        self.pid == other.pid
            && self.started_unix_s.abs_diff(other.started_unix_s) <= START_TOLERANCE_S
    }
}

/// Looks through the processes of this computer; takes some milliseconds.
///
/// Of processes that are no Bitcoin nodes only the names are read. Where the system does not tell
/// about processes, none is found.
pub fn running_nodes() -> Vec<RunningNode> {
    let Ok(mut system) = sysinfo::System::new() else { return vec![] };
    let names = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, names);
    let mut pids: Vec<Pid> = system
        .processes()
        .values()
        .filter(|process| process.status() != ProcessStatus::Zombie)
        .filter(|process| Program::from_name(process.name()).is_some())
        .map(Process::pid)
        .collect();
    pids.sort_unstable();
    pids.truncate(NODES_MAX);
    let me = sysinfo::get_current_pid().ok();
    let of_interest: Vec<Pid> = pids.iter().copied().chain(me).collect();
    let details = names
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_environ(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&of_interest), true, details);
    let my_user = me.and_then(|me| system.process(me)?.user_id());
    let processes = pids.into_iter().filter_map(|pid| system.process(pid));
    let mut nodes: Vec<RunningNode> =
        processes.filter_map(|process| describe(process, my_user)).collect();
    nodes.sort_by_key(|node| (node.started_unix_s, node.pid));
    nodes
}

/// Number of the user we run as, on systems where users have one.
pub(crate) fn own_user() -> Option<u32> {
    let me = sysinfo::get_current_pid().ok()?;
    let mut system = sysinfo::System::new().ok()?;
    let user = ProcessRefreshKind::nothing().without_tasks().with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[me]), true, user);
    user_number(system.process(me)?.effective_user_id()?)
}

#[cfg(unix)]
fn user_number(user: &Uid) -> Option<u32> {
    Some(**user)
}

/// Elsewhere a user has a name that is no number.
#[cfg(not(unix))]
fn user_number(_: &Uid) -> Option<u32> {
    None
}

fn describe(process: &Process, me: Option<&Uid>) -> Option<RunningNode> {
    let program = Program::from_name(process.name())?;
    let arguments = process.cmd().iter().skip(1).map(OsString::as_os_str);
    let is_of_other_user = process.user_id().zip(me).map(|(owner, me)| owner != me);
    let home = process.environ().iter().find_map(|variable| {
        let path = variable.to_str()?.strip_prefix("HOME=")?;
        (!path.is_empty()).then(|| PathBuf::from(path))
    });
    Some(RunningNode {
        pid: process.pid().as_u32(),
        program,
        executable: process.exe().map(Path::to_owned),
        started_unix_s: process.start_time(),
        is_of_other_user,
        command_line: CommandLine::parse(System::this(), arguments),
        working_folder: process.cwd().map(Path::to_owned),
        home,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_names() {
        for (name, expected) in [
            ("bitcoind", Some(Program::Bitcoind)),
            ("bitcoind.exe", Some(Program::Bitcoind)),
            ("Bitcoin-Qt", Some(Program::BitcoinQt)),
            ("bitcoin-gui", Some(Program::BitcoinQt)),
            ("bitcoin-node", Some(Program::BitcoinNode)),
            ("bitcoin-cli", None),
            ("bitcoind.sh", None),
        ] {
            assert_eq!(Program::from_name(OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn only_programs_with_a_window_need_to_be_told_to_serve() {
        assert!(Program::Bitcoind.serves_by_default() && Program::BitcoinNode.serves_by_default());
        assert!(!Program::BitcoinQt.serves_by_default());
    }

    #[test]
    fn a_restarted_node_is_another_run() {
        let node = RunningNode {
            pid: 7,
            program: Program::Bitcoind,
            executable: None,
            started_unix_s: 1000,
            is_of_other_user: None,
            command_line: CommandLine::default(),
            working_folder: None,
            home: None,
        };
        let moved = RunningNode { started_unix_s: 1001, ..node.clone() };
        assert!(node.is_same_run(&moved));
        let later = RunningNode { started_unix_s: 1100, ..node.clone() };
        let other = RunningNode { pid: 8, ..node.clone() };
        assert!(!node.is_same_run(&later) && !node.is_same_run(&other));
    }
}
