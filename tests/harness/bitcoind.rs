//! [`Bitcoind`]: a true Bitcoin node, whose program the variable `BITCOIND_EXE` names.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use p2pool_bitcoind::{Auth, RpcConfig};

/// A node in a folder of its own, with ports of its own and no connections unless told so. Killed
/// when dropped.
#[derive(Debug)]
pub struct Bitcoind {
    program: PathBuf,
    folder: PathBuf,
    chain: &'static str,
    rpc_port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Bitcoind {
    /// Starts a node on a chain as bitcoind names it. `None`, and a word about it, if there is no
    /// program to run.
    ///
    /// # Panics
    /// The program cannot be started.
    #[expect(clippy::print_stderr, reason = "a test that did not run must not look like one")]
    pub fn start(folder: &Path, chain: &'static str, arguments: &[&str]) -> Option<Self> {
        let Some(program) = std::env::var_os("BITCOIND_EXE") else {
            eprintln!("skipped: no bitcoind");
            return None;
        };
        let mut node = Self {
            program: program.into(),
            folder: folder.to_owned(),
            chain,
            rpc_port: free_port(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            process: None,
        };
        node.start_again();
        Some(node)
    }

    /// Starts it once more, with the same folder and ports.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        std::fs::create_dir_all(&self.folder).expect("a folder for the node");
        let mut command = Command::new(&self.program);
        command
            .args(["-server=1", "-printtoconsole=0", "-dnsseed=0", "-fixedseeds=0"])
            .arg(format!("-chain={}", self.chain))
            .arg(format!("-datadir={}", self.folder.display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let has_network =
            self.arguments.iter().any(|a| a.starts_with("-bind") || a.starts_with("-connect"));
        if !has_network {
            command.args(["-listen=0", "-connect=0"]);
        }
        self.process = Some(command.spawn().expect("BITCOIND_EXE runs"));
    }

    /// Ends it as its owner would, and waits for that.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        // Elsewhere than on Unix there is no polite way from outside.
        let asked = Command::new("kill").arg(process.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            process.kill().expect("an own child can be killed");
        }
        process.wait().expect("an own child can be waited for");
    }

    /// How to log in: by its cookie.
    pub fn rpc_config(&self) -> RpcConfig {
        let folder = match self.chain {
            "main" => self.folder.clone(),
            chain => self.folder.join(chain),
        };
        RpcConfig {
            url: format!("http://127.0.0.1:{}", self.rpc_port),
            auth: Auth::Cookie(folder.join(".cookie")),
            allows_public: false,
        }
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A port that was free a moment ago: the node cannot pick one itself.
///
/// # Panics
/// The system has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
