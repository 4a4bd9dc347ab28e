//! Work beside the set-up: disk, processes, Bitcoin node, password store. What comes of it is
//! handed back; no job decides anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use p2pool_bitcoind::examine::{Examined, examine};
use p2pool_bitcoind::local::{
    Applied, ApplyError, Change, LoginStyle, NewLogin, Plan, PlanError, RestartProgress,
    RestartWatch, RunningNode, Stamp, StartCommand, apply, usual_port,
};
use p2pool_bitcoind::private_file::{read_secret, write_secret};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{Auth, NodeFacts, RpcClient, RpcConfig, RpcError, Secret, chain_check};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::answers::Answers;
use super::found::{Found, Looked, ask, look};
use crate::bitcoin_login;
use crate::host::{Host, KeychainError};

/// Where a password is kept if its owner chooses a file.
pub(crate) const PASSWORD_FILE: &str = "bitcoin-password";
/// A node has this long to stop when asked to: it writes down what it holds in memory.
const STOP_WITHIN: Duration = Duration::from_secs(300);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Whoever listens on this computer answers within this time.
const LOOPBACK_WITHIN: Duration = Duration::from_millis(500);
/// Most wallets that are told.
const WALLETS_MAX: usize = 16;

/// Something to be done beside the set-up.
#[derive(Debug)]
pub(crate) enum Job {
    /// Look for nodes of this computer.
    Look { chain: Network, folder: Option<PathBuf> },
    /// Test a node; lines are told as they come.
    Examine { rpc: RpcConfig, chain: Network, lines: watch::Sender<Vec<Examined>> },
    /// Ask a node how far it is.
    AskProgress { rpc: RpcConfig, chain: Network },
    /// Work out what a login needs, with the files as they are now.
    Plan { folder: PathBuf, style: LoginStyle, may_switch_server_on: bool, login: NewLogin },
    /// Keep a password.
    Keep { password: Secret, place: KeepPlace },
    /// Carry a change out.
    Write { change: Box<Change> },
    /// See whether a node runs with its new settings.
    SeeRestart { watch: RestartWatch, rpc: RpcConfig },
    /// Stop a node and start it again.
    Restart { rpc: RpcConfig, node: Box<RunningNode> },
    /// Start a node.
    Start { command: StartCommand },
    /// Ask a node for its wallets, and whose an address is.
    AskWallets { rpc: RpcConfig, address: Option<String> },
    /// Ask a node's wallet for a new address.
    NewAddress { rpc: RpcConfig, wallet: String },
    /// Write the answers down.
    Save { answers: Box<Answers> },
}

/// Where a password is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeepPlace {
    /// The password store, for the node at this URL.
    Keychain(String),
    /// A file for its owner alone.
    File(PathBuf),
    /// Nowhere: the person is asked at each start.
    Memory,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) enum JobDone {
    /// Something about the node.
    Node(NodeDone),
    Wallets {
        names: Vec<String>,
        owner: Owner,
    },
    Address(Result<String, String>),
    Saved(Result<(), String>),
}

/// What came of a job about the node.
#[derive(Debug)]
pub(crate) enum NodeDone {
    Looked(Found),
    Examined,
    Progress(Option<NodeFacts>),
    Planned {
        looked: Box<Looked>,
        plan: Result<Plan, PlanError>,
    },
    /// The folder is no node's any more.
    NotPlanned,
    Kept(Result<(), KeepError>),
    Written(Result<Applied, ApplyError>),
    Restart(RestartProgress),
    Restarted(Result<(), String>),
    Started(Result<(), String>),
}

/// Why a password was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// What a node says about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owner {
    #[default]
    Unknown,
    Wallet(String),
    Refused,
}

impl Job {
    /// Does it.
    pub(crate) async fn run(self, host: Arc<dyn Host>) -> JobDone {
        JobDone::Node(match self {
            Self::Look { chain, folder } => NodeDone::Looked(look_here(host, chain, folder).await),
            Self::Examine { rpc, chain, lines } => {
                let now = host.now().0;
                examine(&rpc, chain, now, |line| lines.send_modify(|all| all.push(line))).await;
                NodeDone::Examined
            }
            Self::AskProgress { rpc, chain } => match RpcClient::new(&rpc) {
                Ok(client) => NodeDone::Progress(chain_check(&client, chain).await.ok()),
                Err(_) => NodeDone::Progress(None),
            },
            Self::Plan { folder, style, may_switch_server_on, login } => {
                let planned = blocking(move || {
                    let stamp = Stamp::from_unix_s(host.now().0);
                    let looked = look_at(host.as_ref(), &folder)?;
                    let plan = looked.plan(style, &login, may_switch_server_on, stamp);
                    Some(NodeDone::Planned { looked: Box::new(looked), plan })
                });
                planned.await.flatten().unwrap_or(NodeDone::NotPlanned)
            }
            Self::Keep { password, place } => {
                let kept = blocking(move || keep(host.as_ref(), &password, &place));
                NodeDone::Kept(
                    kept.await.unwrap_or_else(|| {
                        Err(KeychainError::Unavailable("it failed".into()).into())
                    }),
                )
            }
            Self::Write { change } => {
                let path = change.path().to_owned();
                let stamp = Stamp::from_unix_s(host.now().0);
                let written = blocking(move || apply(&change, stamp)).await;
                let failed = ApplyError::VerifyFailed { path, is_restored: false, backup: None };
                NodeDone::Written(written.unwrap_or(Err(failed)))
            }
            Self::SeeRestart { watch, rpc } => {
                let login = probe(&rpc).await;
                let running = blocking(move || host.surroundings().running).await;
                NodeDone::Restart(
                    watch.judge(&running.unwrap_or_default(), login.as_ref().copied()),
                )
            }
            Self::Restart { rpc, node } => NodeDone::Restarted(restart(&host, &rpc, &node).await),
            Self::Start { command } => {
                let started = blocking(move || command.start()).await;
                let started = started.unwrap_or_else(|| Err(std::io::Error::other("it failed")));
                NodeDone::Started(started.map_err(|error| error.to_string()))
            }
            Self::AskWallets { rpc, address } => {
                return ask_wallets(&rpc, address.as_deref()).await;
            }
            Self::NewAddress { rpc, wallet } => {
                let address = new_address(&rpc, &wallet).await;
                return JobDone::Address(address.map_err(|error| error.to_string()));
            }
            Self::Save { answers } => {
                let saved = blocking(move || answers.write(host.data_dir())).await;
                let saved = saved.unwrap_or_else(|| Err(std::io::Error::other("it failed")));
                return JobDone::Saved(saved.map_err(|error| error.to_string()));
            }
        })
    }
}

/// Work that blocks, on a thread for such work; `None` after a panic, which is logged.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(%error, "work of the set-up failed")).ok()
}

async fn look_here(host: Arc<dyn Host>, chain: Network, folder: Option<PathBuf>) -> Found {
    let looked = blocking(move || {
        let mut surroundings = host.surroundings();
        surroundings.saved_folder = folder.or(surroundings.saved_folder);
        look(&surroundings, chain, |url| kept(host.as_ref(), url))
    });
    let mut found = looked.await.unwrap_or_default();
    ask(&mut found, chain).await;
    if found.nodes.is_empty() {
        let port = TcpStream::connect(("127.0.0.1", usual_port(chain)));
        let answered = tokio::time::timeout(LOOPBACK_WITHIN, port).await;
        found.is_port_open = matches!(answered, Ok(Ok(_)));
    }
    found
}

/// The node of a folder, with its files as they are now.
fn look_at(host: &dyn Host, folder: &Path) -> Option<Looked> {
    let mut surroundings = host.surroundings();
    surroundings.saved_folder = Some(folder.to_owned());
    let found = look(&surroundings, Network::Bitcoin, |url| kept(host, url));
    found.nodes.into_iter().find(|looked| looked.node.started_folder() == folder)
}

/// The password that is kept for the node at a URL, and the file that it is in if it is in one.
/// That the store cannot be asked is told when something has to be kept there.
fn kept(host: &dyn Host, url: &str) -> Option<(Secret, Option<PathBuf>)> {
    if let Ok(Some(password)) = host.keychain().get(&bitcoin_login::account(url)) {
        bitcoin_login::hide(host, &password);
        return Some((password, None));
    }
    let file = host.data_dir().join(PASSWORD_FILE);
    read_secret(&file).ok().map(|password| (password, Some(file)))
}

fn keep(host: &dyn Host, password: &Secret, place: &KeepPlace) -> Result<(), KeepError> {
    bitcoin_login::hide(host, password);
    match place {
        KeepPlace::Keychain(url) => {
            Ok(host.keychain().set(&bitcoin_login::account(url), password)?)
        }
        KeepPlace::File(path) => Ok(write_secret(path, password)?),
        KeepPlace::Memory => Ok(()),
    }
}

async fn probe(rpc: &RpcConfig) -> Result<(), RpcError> {
    let client =
        RpcClient::new(rpc).map_err(|error| RpcError::Unreachable { reason: error.to_string() })?;
    client.blockchain_info().await.map(drop)
}

/// Asks the node to stop, waits until it has, and starts the same program with the same arguments.
async fn restart(host: &Arc<dyn Host>, rpc: &RpcConfig, node: &RunningNode) -> Result<(), String> {
    let old = node.clone();
    let command = blocking(move || StartCommand::of_running(&old)).await.flatten();
    let command = command.ok_or("the system does not tell how the node was started")?;
    let client = RpcClient::new(rpc).map_err(|error| error.to_string())?;
    let stopped: Result<serde_json::Value, RpcError> = client.call("stop", (), Limits::SHORT).await;
    stopped.map_err(|error| error.to_string())?;
    let wait = async {
        loop {
            let (host, old) = (Arc::clone(host), node.clone());
            let is_there = blocking(move || {
                host.surroundings().running.iter().any(|running| running.is_same_run(&old))
            });
            if is_there.await == Some(false) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let stopped = tokio::time::timeout(STOP_WITHIN, wait).await;
    stopped.map_err(|_| "the node does not stop")?;
    let started = blocking(move || command.start()).await;
    started.ok_or("it failed")?.map_err(|error| error.to_string())
}

/// Methods of wallets are asked at an address of their own.
fn wallet_client(rpc: &RpcConfig, wallet: &str) -> Option<RpcClient> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !wallet.chars().all(is_plain) {
        return None;
    }
    let url = format!("{}/wallet/{wallet}", rpc.url.trim_end_matches('/'));
    RpcClient::new(&RpcConfig { url, ..rpc.clone() }).ok()
}

async fn ask_wallets(rpc: &RpcConfig, address: Option<&str>) -> JobDone {
    #[derive(Deserialize)]
    struct Validity {
        isvalid: bool,
    }
    #[derive(Deserialize)]
    struct Info {
        #[serde(default)]
        ismine: bool,
    }
    let nothing = JobDone::Wallets { names: Vec::new(), owner: Owner::Unknown };
    let Ok(client) = RpcClient::new(rpc) else { return nothing };
    // A node without wallets knows no such method.
    let names: Vec<String> =
        client.call("listwallets", (), Limits::SHORT).await.unwrap_or_default();
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| wallet_client(rpc, name).is_some())
        .take(WALLETS_MAX)
        .collect();
    let Some(address) = address else { return JobDone::Wallets { names, owner: Owner::Unknown } };
    let validity: Result<Validity, RpcError> =
        client.call("validateaddress", [address], Limits::SHORT).await;
    let mut owner = match validity {
        Ok(Validity { isvalid: false }) => Owner::Refused,
        Ok(Validity { isvalid: true }) | Err(_) => Owner::Unknown,
    };
    for name in &names {
        let Some(wallet) = wallet_client(rpc, name) else { continue };
        let info: Result<Info, RpcError> =
            wallet.call("getaddressinfo", [address], Limits::SHORT).await;
        if info.is_ok_and(|info| info.ismine) {
            owner = Owner::Wallet(name.clone());
            break;
        }
    }
    JobDone::Wallets { names, owner }
}

async fn new_address(rpc: &RpcConfig, wallet: &str) -> Result<String, RpcError> {
    let client = wallet_client(rpc, wallet)
        .ok_or_else(|| RpcError::Unreachable { reason: "no such wallet".into() })?;
    client.call("getnewaddress", ["P2Pool", "bech32"], Limits::SHORT).await
}

/// The password of a login, if it has one.
pub(crate) fn password(auth: &Auth) -> Option<&Secret> {
    match auth {
        Auth::UserPassword { password, .. } => Some(password),
        Auth::Cookie(_) => None,
    }
}
