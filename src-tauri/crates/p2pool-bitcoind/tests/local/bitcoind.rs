//! A true node on regtest in a folder of its own.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use p2pool_bitcoind::local::{
    CommandLine, Inspection, LocalNode, Program, RunningNode, Surroundings, System, Variables,
    inspect,
};
use tempfile::TempDir;

/// A node that says nothing for so long has hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder, and how a node is started on it.
pub(crate) struct Place {
    program: OsString,
    folder: TempDir,
    pub(crate) port: u16,
    more: Vec<String>,
}

/// A node that has started.
pub(crate) struct Bitcoind {
    process: Child,
    /// Ends when the node does.
    lines: Receiver<String>,
}

impl Place {
    /// `None`, and a word about it, if there is no program to run.
    pub(crate) fn new() -> Option<Self> {
        let Some(program) = std::env::var_os("BITCOIND_EXE") else {
            eprintln!("skipped: no bitcoind");
            return None;
        };
        // The node cannot pick a free port itself; one that was free a moment ago will do.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Self { program, folder: tempfile::tempdir().unwrap(), port, more: vec![] })
    }

    pub(crate) fn with_argument(mut self, argument: &str) -> Self {
        self.more.push(argument.to_owned());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.path("bitcoin.conf")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn arguments(&self) -> Vec<String> {
        let mut all = vec![
            "-regtest".to_owned(),
            "-listen=0".into(),
            "-connect=0".into(),
            format!("-datadir={}", self.folder.path().display()),
            format!("-rpcport={}", self.port),
        ];
        all.extend_from_slice(&self.more);
        all
    }

    /// Starts a node and waits until it is ready; `None` if it refuses to start.
    pub(crate) fn start(&self) -> Option<Bitcoind> {
        let mut node = self.spawn();
        node.says("Done loading").then_some(node)
    }

    fn spawn(&self) -> Bitcoind {
        let mut process = Command::new(&self.program)
            .args(self.arguments())
            .arg("-printtoconsole=1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("BITCOIND_EXE runs");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        // Reads on to the end, or the node would stand still once the pipe is full.
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Bitcoind { process, lines }
    }

    /// The node as it is found with a process of these arguments.
    pub(crate) fn look(&self) -> LocalNode {
        let arguments = self.arguments();
        let running = RunningNode {
            pid: 1,
            program: Program::Bitcoind,
            executable: None,
            started_unix_s: 0,
            is_of_other_user: Some(false),
            command_line: CommandLine::parse(System::this(), arguments.iter().map(OsStr::new)),
            working_folder: std::env::current_dir().ok(),
            home: None,
        };
        let surroundings = Surroundings {
            system: System::this(),
            variables: Variables::default(),
            running: vec![running],
            ..Surroundings::of_this_computer()
        };
        self.find(&inspect(&surroundings))
    }

    pub(crate) fn find(&self, inspection: &Inspection) -> LocalNode {
        inspection.with_folder(self.folder.path()).expect("it is found").clone()
    }
}

impl Bitcoind {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the node has ended by itself.
    pub(crate) fn ends(&mut self) {
        assert!(!self.says("a line that no node says"));
        assert!(self.process.wait().unwrap().success());
    }

    /// Waits for a line with these words; whether it came before the end.
    fn says(&mut self, words: &str) -> bool {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return true,
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the node hangs"),
            }
        }
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
