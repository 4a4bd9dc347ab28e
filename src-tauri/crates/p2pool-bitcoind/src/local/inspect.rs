//! Finds the Bitcoin nodes of this computer and reads what they are set to. Changes nothing.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use bitcoin::Network;

use crate::auth::Auth;
use crate::local::access::{Access, Server};
use crate::local::block::strip;
use crate::local::conf::Value;
use crate::local::configuration::{CONF_NAME, ConfState, Configuration, Start, path};
use crate::local::findings::{Finding, FindingKind, findings};
use crate::local::folders::{
    Candidate, FolderKind, System, Variables, candidates, chosen_folder, chosen_folder_file,
    usual_folder,
};
use crate::local::process::{Program, RunningNode, own_user, running_nodes};
use crate::local::settings::{CommandLine, Found, Sources};
use crate::rpc::RpcConfig;

/// Most bytes of the file in which the program's window keeps its choices.
const CHOICES_BYTES_MAX: u64 = 64 << 10;

/// The name under which the cookie file logs in.
const COOKIE_USER: &str = "__cookie__";

/// What a data folder holds once a node has used it.
const TRACES: [&str; 9] = [
    CONF_NAME,
    "blocks",
    "chainstate",
    "debug.log",
    "settings.json",
    "testnet3",
    "testnet4",
    "signet",
    "regtest",
];

/// Where to look.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The system.
    pub system: System,
    /// Its variables.
    pub variables: Variables,
    /// Number of the user we run as, on systems where users have one.
    pub user: Option<u32>,
    /// Nodes that run.
    pub running: Vec<RunningNode>,
    /// The data folder that was found or chosen last time.
    pub saved_folder: Option<PathBuf>,
}

/// All nodes found, those that run first.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Nodes whose data folder is known.
    pub nodes: Vec<LocalNode>,
    /// Nodes that run, but whose data folder cannot be told: another user started them.
    pub unplaced: Vec<RunningNode>,
}

/// No node, or more than one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// No trace of a node.
    #[error("no Bitcoin node found on this computer")]
    Nothing,
    /// A node runs as another user, who alone knows where its data is.
    #[error("a Bitcoin node of another user runs on this computer")]
    OtherUser,
    /// Several folders, and nothing tells which one is in use.
    #[error("several Bitcoin data folders: {}", .0.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "))]
    Several(Vec<PathBuf>),
}

/// The cookie file of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// It is there and we can read it.
    Readable(PathBuf),
    /// It is not there: the node does not run, or does not accept connections.
    Missing(PathBuf),
    /// It is there and we may not read it.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The node makes none, because of its settings.
    NotMade,
}

/// A Bitcoin node on this computer, running or not.
#[derive(Clone, Debug)]
pub struct LocalNode {
    pub(crate) configuration: Configuration,
    pub(crate) access: Access,
    process: Option<RunningNode>,
    cookie: Cookie,
    own_user: Option<String>,
    is_own_folder: bool,
    findings: Vec<Finding>,
}

impl Surroundings {
    /// This computer as it is now.
    pub fn of_this_computer() -> Self {
        Self {
            system: System::this(),
            variables: Variables::of_this_process(),
            user: own_user(),
            running: running_nodes(),
            saved_folder: None,
        }
    }

    /// The data folder of a node that is started without arguments.
    pub fn usual_data_folder(&self) -> Option<PathBuf> {
        self.usual_folder(None)
    }

    fn usual_folder(&self, home: Option<&PathBuf>) -> Option<PathBuf> {
        let home = home.or(self.variables.home.as_ref()).cloned();
        let variables = Variables { home, ..self.variables.clone() };
        usual_folder(self.system, &variables, |folder| folder.is_dir())
    }

    /// The folder that was chosen in the window of the program.
    fn chosen_folder(&self) -> Option<PathBuf> {
        let file = File::open(chosen_folder_file(self.system, &self.variables)?).ok()?;
        let mut text = String::new();
        file.take(CHOICES_BYTES_MAX).read_to_string(&mut text).ok()?;
        chosen_folder(&text)
    }

    /// The data folder that a running node was started with.
    fn folder_of(&self, node: &RunningNode) -> Option<PathBuf> {
        let arguments = Sources { command_line: node.command_line.clone(), ..Sources::default() };
        if let Some(Found { value: Value::Text(name), .. }) =
            arguments.single_without_chain("datadir")
            && !name.is_empty()
        {
            let name = path(name)?;
            return match &node.working_folder {
                Some(folder) => Some(folder.join(name)),
                None => name.is_absolute().then_some(name),
            };
        }
        if node.home.is_none() && node.is_of_other_user == Some(true) {
            return None;
        }
        let chosen = (node.program == Program::BitcoinQt).then(|| self.chosen_folder()).flatten();
        chosen.or_else(|| self.usual_folder(node.home.as_ref()))
    }
}

/// Looks at processes and folders, reads configurations. Takes some milliseconds and touches the
/// disk, so an async caller gives it a thread of its own.
pub fn inspect(surroundings: &Surroundings) -> Inspection {
    let mut inspection = Inspection { nodes: vec![], unplaced: vec![] };
    for process in &surroundings.running {
        let Some(folder) = surroundings.folder_of(process) else {
            inspection.unplaced.push(process.clone());
            continue;
        };
        let start = Start {
            folder,
            conf_elsewhere: None,
            command_line: process.command_line.clone(),
            working_folder: process.working_folder.clone(),
        };
        inspection.add(&start, Some(process.clone()), surroundings.user);
    }
    let named = |folder| Candidate { folder, kind: FolderKind::Chosen, conf_elsewhere: None };
    let saved = surroundings.saved_folder.clone().map(named);
    let chosen = surroundings.chosen_folder().map(named);
    let known = candidates(surroundings.system, &surroundings.variables);
    for candidate in saved.into_iter().chain(chosen).chain(known) {
        let Candidate { folder, conf_elsewhere, .. } = candidate;
        let is_saved = surroundings.saved_folder.as_ref() == Some(&folder);
        if is_saved || is_used(&folder) {
            let start = Start { folder, conf_elsewhere, ..Start::default() };
            inspection.add(&start, None, surroundings.user);
        }
    }
    inspection
}

/// The node of a folder and a configuration file that a person names. If a node runs with them, it
/// is that one; else it is as it would be if one were started with them, and with `chain` if its
/// settings choose another one.
pub fn look_at(
    surroundings: &Surroundings,
    folder: &Path,
    conf: Option<&Path>,
    chain: Option<Network>,
) -> LocalNode {
    let named = Surroundings { saved_folder: Some(folder.to_owned()), ..surroundings.clone() };
    let inspection = inspect(&named);
    let fits =
        |node: &&LocalNode| conf.is_none_or(|conf| is_same(&node.configuration.conf_path, conf));
    let is_of_chain = |node: &LocalNode| chain.is_none_or(|chain| node.chain() == chain);
    if let Some(node) = inspection.with_folder(folder).filter(fits)
        && (node.is_running() || is_of_chain(node))
    {
        return node.clone();
    }
    let as_started = |chain: Option<Network>| {
        let conf = conf.map(|conf| {
            let mut argument = OsString::from("-conf=");
            argument.push(conf);
            argument
        });
        let chain = chain.map(|chain| OsString::from(format!("-chain={}", chain.to_core_arg())));
        let arguments: Vec<OsString> = conf.into_iter().chain(chain).collect();
        let arguments = arguments.iter().map(OsString::as_os_str);
        let start = Start {
            folder: folder.to_owned(),
            command_line: CommandLine::parse(surroundings.system, arguments),
            ..Start::default()
        };
        LocalNode::new(&start, None, surroundings.user)
    };
    let node = as_started(None);
    if is_of_chain(&node) { node } else { as_started(chain) }
}

impl Inspection {
    /// The node to work with: the only running one on this chain, else the only one there is.
    ///
    /// # Errors
    /// None, or several: the person decides.
    pub fn choose(&self, chain: Network) -> Result<&LocalNode, ChooseError> {
        let of_chain = |node: &&LocalNode| node.is_running() && node.chain() == chain;
        let running: Vec<&LocalNode> = self.nodes.iter().filter(of_chain).collect();
        let any_running: Vec<&LocalNode> = self.nodes.iter().filter(|n| n.is_running()).collect();
        let all: Vec<&LocalNode> = self.nodes.iter().collect();
        for nodes in [running, any_running] {
            match nodes.as_slice() {
                [] => {}
                [node] => return Ok(node),
                several => return Err(ChooseError::several(several)),
            }
        }
        match all.as_slice() {
            [] | [_] if !self.unplaced.is_empty() => Err(ChooseError::OtherUser),
            [] => Err(ChooseError::Nothing),
            [node] => Ok(node),
            several => Err(ChooseError::several(several)),
        }
    }

    /// The node with this data folder.
    pub fn with_folder(&self, folder: &Path) -> Option<&LocalNode> {
        self.nodes.iter().find(|node| is_same(node.started_folder(), folder))
    }

    /// A folder may serve two nodes at once if they work on different chains.
    fn add(&mut self, start: &Start, process: Option<RunningNode>, user: Option<u32>) {
        if process.is_none() && self.with_folder(&start.folder).is_some() {
            return;
        }
        let node = LocalNode::new(start, process, user);
        let folder = &node.configuration.chain_folder;
        if self.nodes.iter().all(|known| !is_same(&known.configuration.chain_folder, folder)) {
            self.nodes.push(node);
        }
    }
}

impl ChooseError {
    /// Code of the error catalogue; `None` if the window has a page for it instead.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::OtherUser => Some("N-05"),
            Self::Several(_) => Some("N-16"),
        }
    }

    fn several(nodes: &[&LocalNode]) -> Self {
        Self::Several(nodes.iter().map(|node| node.started_folder().to_owned()).collect())
    }
}

impl LocalNode {
    fn new(start: &Start, process: Option<RunningNode>, user: Option<u32>) -> Self {
        let configuration = Configuration::read(start);
        let access =
            Access::new(&configuration.sources, configuration.chain, &configuration.chain_folder);
        let cookie = match &access.cookie {
            Some(path) => look_at_cookie(path),
            None => Cookie::NotMade,
        };
        let mut findings = findings(&configuration);
        if access.cookie.is_some() && !access.admits(COOKIE_USER) {
            findings.push(Finding { kind: FindingKind::CookieNotWhitelisted, origin: None });
        }
        let own_user = configuration.conf().and_then(|conf| strip(conf.bytes()).user);
        let is_own_folder = is_own(&configuration.data_folder, user);
        Self { configuration, access, process, cookie, own_user, is_own_folder, findings }
    }

    /// The folder that holds its chain and everything else.
    pub fn data_folder(&self) -> &Path {
        &self.configuration.data_folder
    }

    /// The folder that it was started with; its configuration file may name another.
    pub fn started_folder(&self) -> &Path {
        &self.configuration.started_folder
    }

    /// Its configuration file, which need not be there.
    pub fn conf_path(&self) -> &Path {
        &self.configuration.conf_path
    }

    /// What became of reading that file.
    pub fn conf_state(&self) -> &ConfState {
        &self.configuration.conf_state
    }

    /// The process, if it runs.
    pub fn process(&self) -> Option<&RunningNode> {
        self.process.as_ref()
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// The chain that its settings choose.
    pub fn chain(&self) -> Network {
        self.configuration.chain
    }

    /// Whether its settings let programs connect.
    pub fn server(&self) -> &Server {
        &self.access.server
    }

    /// Whether programs can connect; `None` if that depends on which program will be started.
    pub fn serves(&self) -> Option<bool> {
        match self.access.server {
            Server::On(_) => Some(true),
            Server::Off(_) => Some(false),
            Server::Unsaid => {
                self.process.as_ref().map(|process| process.program.serves_by_default())
            }
        }
    }

    /// Its cookie file.
    pub fn cookie(&self) -> &Cookie {
        &self.cookie
    }

    /// Path of its cookie file, whether it is there or not; `None` if it makes none.
    pub fn cookie_path(&self) -> Option<&Path> {
        match &self.cookie {
            Cookie::Readable(path) | Cookie::Missing(path) | Cookie::Unreadable { path, .. } => {
                Some(path)
            }
            Cookie::NotMade => None,
        }
    }

    /// The login that stands in clear in its settings.
    pub fn login(&self) -> Option<&Auth> {
        self.access.login.as_ref()
    }

    /// Names of the users that its `rpcauth` lines know, ours included.
    pub fn users(&self) -> Vec<String> {
        self.access.users()
    }

    /// The user name in our lines, if they are there.
    pub fn own_user(&self) -> Option<&str> {
        self.own_user.as_deref()
    }

    /// What is worth a word in its settings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How to call it with a login.
    pub fn rpc_config(&self, auth: Auth) -> RpcConfig {
        RpcConfig { url: self.access.url(), auth, allows_public: false }
    }

    /// The cookie file to log in with, if that works now or will once the node runs.
    pub(crate) fn usable_cookie(&self) -> Option<&Path> {
        if !self.access.admits(COOKIE_USER) {
            return None;
        }
        match &self.cookie {
            Cookie::Readable(path) => Some(path),
            Cookie::Missing(path) if self.is_own_folder && !self.is_running() => Some(path),
            Cookie::Missing(_) | Cookie::Unreadable { .. } | Cookie::NotMade => None,
        }
    }
}

fn look_at_cookie(path: &Path) -> Cookie {
    match Auth::Cookie(path.to_owned()).credentials() {
        Ok(_) => Cookie::Readable(path.to_owned()),
        Err(crate::RpcError::CookieMissing { path }) => Cookie::Missing(path),
        Err(error) => Cookie::Unreadable { path: path.to_owned(), reason: error.to_string() },
    }
}

/// Whether a node has ever used this folder.
fn is_used(folder: &Path) -> bool {
    TRACES.iter().any(|name| folder.join(name).exists())
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

/// Whether what a node writes into this folder will be ours to read.
#[cfg(unix)]
fn is_own(folder: &Path, user: Option<u32>) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(folder).is_ok_and(|metadata| Some(metadata.uid()) == user)
}

/// Elsewhere a folder that can be listed is one's own.
#[cfg(not(unix))]
fn is_own(folder: &Path, _: Option<u32>) -> bool {
    fs::read_dir(folder).is_ok()
}

#[cfg(test)]
mod tests;
