//! Bitcoin nodes of this computer as the set-up sees them: what they are, and how one can log in.

use std::path::{Path, PathBuf};

use bitcoin::Network;
use p2pool_bitcoind::local::{
    Cookie, Inspection, LocalNode, LoginStyle, NewLogin, Plan, PlanError, RunningNode, Situation,
    Stamp, StartCommand, Surroundings, Wish, free_bytes, inspect, plan,
};
use p2pool_bitcoind::{
    Auth, ChainCheckError, NodeFacts, RpcClient, RpcConfig, Secret, chain_check,
};

use crate::api::{FOUND_NODES_MAX, LoginChoice, LoginOffer};

/// A password that is kept, and the file that it is in if it is in one.
pub(crate) type Kept = Option<(Secret, Option<PathBuf>)>;

/// What was found on this computer.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) nodes: Vec<Looked>,
    /// Whether a node of another user runs whose folder cannot be told.
    pub(crate) has_stranger: bool,
    /// Whether something answers at the usual port.
    pub(crate) is_port_open: bool,
    /// Several nodes, and nothing tells which one is in use.
    pub(crate) is_unclear: bool,
}

/// A node that was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) node: LocalNode,
    /// The login of ours that its settings know and whose password we keep.
    pub(crate) known: Option<Auth>,
    /// The file with that password, if it is in one.
    pub(crate) known_file: Option<PathBuf>,
    /// What it answered to a login at hand, if there is one.
    pub(crate) answer: Option<Result<NodeFacts, ChainCheckError>>,
    /// Bytes free on its disk.
    pub(crate) free_bytes: Option<u64>,
    /// How it can be started, if it does not run.
    pub(crate) start: Option<StartCommand>,
}

/// Looks at processes and folders; blocks. `kept` gives the password kept for the node at a URL.
pub(crate) fn look(
    surroundings: &Surroundings,
    chain: Network,
    kept: impl Fn(&str) -> Kept,
) -> Found {
    let inspection = inspect(surroundings);
    let best = inspection.choose(chain).ok().map(|node| node.started_folder().to_owned());
    let is_unclear = best.is_none() && inspection.nodes.len() > 1;
    let Inspection { nodes, unplaced } = inspection;
    let mut nodes: Vec<Looked> =
        nodes.into_iter().take(FOUND_NODES_MAX).map(|node| Looked::new(node, &kept)).collect();
    nodes.sort_by_key(|looked| {
        let node = &looked.node;
        let is_best = Some(node.started_folder()) == best.as_deref();
        (!is_best, !node.is_running(), node.chain() != chain)
    });
    Found { nodes, has_stranger: !unplaced.is_empty(), is_port_open: false, is_unclear }
}

/// Asks every node with the login at hand what it is.
pub(crate) async fn ask(found: &mut Found, chain: Network) {
    for looked in &mut found.nodes {
        let Some(auth) = looked.at_hand() else { continue };
        let Ok(client) = RpcClient::new(&looked.node.rpc_config(auth)) else { continue };
        looked.answer = Some(chain_check(&client, chain).await);
    }
}

impl Found {
    /// The node with this data folder.
    pub(crate) fn with_folder(&self, folder: &Path) -> Option<&Looked> {
        self.nodes.iter().find(|looked| looked.node.started_folder() == folder)
    }
}

impl Looked {
    fn new(node: LocalNode, kept: &impl Fn(&str) -> Kept) -> Self {
        let known = node.own_user().map(str::to_owned).and_then(|user| {
            let url = node.rpc_config(Auth::Cookie("none".into())).url;
            let (password, file) = kept(&url)?;
            Some((Auth::UserPassword { user, password }, file))
        });
        let (known, known_file) = known.unzip();
        let free_bytes = free_bytes(node.data_folder());
        let start = if node.is_running() {
            None
        } else {
            StartCommand::of_installed(node.started_folder())
        };
        Self { node, known, known_file: known_file.flatten(), answer: None, free_bytes, start }
    }

    /// A login that works without any change.
    pub(crate) fn at_hand(&self) -> Option<Auth> {
        let fresh = NewLogin::generate().ok()?;
        match self.plan(LoginStyle::Automatic, &fresh, false, Stamp::from_unix_s(0)) {
            Ok(Plan::UseLogin(auth)) => Some(auth),
            Ok(Plan::Write(_)) | Err(_) => None,
        }
    }

    /// What a login needs.
    ///
    /// # Errors
    /// No change of ours would make the login work, or somebody has to agree first.
    pub(crate) fn plan(
        &self,
        style: LoginStyle,
        new_login: &NewLogin,
        may_switch_server_on: bool,
        stamp: Stamp,
    ) -> Result<Plan, PlanError> {
        let known_login = self.known.as_ref();
        plan(&self.node, &Wish { style, new_login, known_login, may_switch_server_on, stamp })
    }

    pub(crate) fn situation(&self, chain: Network) -> Situation {
        self.node.situation(chain, self.answer.as_ref())
    }

    /// What it said about itself.
    pub(crate) fn facts(&self) -> Option<&NodeFacts> {
        self.answer.as_ref().and_then(|answer| answer.as_ref().ok())
    }

    /// Whether programs can connect now.
    pub(crate) fn is_serving(&self) -> bool {
        self.node.is_running() && self.node.serves() == Some(true)
    }

    /// How it can be stopped and started again by us: its cookie lets us in, and it is ours.
    pub(crate) fn restartable(&self) -> Option<(RpcConfig, RunningNode)> {
        let node = self.node.process()?;
        let is_ours = node.is_of_other_user == Some(false) && node.executable.is_some();
        let Cookie::Readable(path) = self.node.cookie() else { return None };
        let rpc = self.node.rpc_config(Auth::Cookie(path.clone()));
        is_ours.then(|| (rpc, node.clone()))
    }

    /// The login that belongs to a choice and works without writing.
    pub(crate) fn login(&self, choice: LoginChoice) -> Option<Auth> {
        let fresh = NewLogin::generate().ok()?;
        let stamp = Stamp::from_unix_s(0);
        let of_style = |style| match self.plan(style, &fresh, false, stamp) {
            Ok(Plan::UseLogin(auth)) => Some(auth),
            Ok(Plan::Write(_)) | Err(_) => None,
        };
        match choice {
            LoginChoice::Cookie => of_style(LoginStyle::Cookie),
            LoginChoice::Existing => {
                self.node.login().filter(|_| self.node.serves() == Some(true)).cloned()
            }
            LoginChoice::Own => self.known.as_ref().and(of_style(LoginStyle::RpcAuth)),
            LoginChoice::RpcAuth | LoginChoice::RpcPassword | LoginChoice::Typed => None,
        }
    }

    /// Ways to log in, the one to preselect first.
    pub(crate) fn offers(&self) -> Vec<LoginOffer> {
        let Ok(fresh) = NewLogin::generate() else { return Vec::new() };
        let could_write = |style| {
            let planned = self.plan(style, &fresh, false, Stamp::from_unix_s(0));
            matches!(
                planned,
                Ok(Plan::Write(_))
                    | Err(PlanError::ServerForbidden { .. } | PlanError::Unreadable { .. })
            )
        };
        let mut offers = Vec::new();
        let mut offer = |login, is_at_hand| offers.push(LoginOffer { login, is_at_hand });
        let at_hand = [LoginChoice::Own, LoginChoice::Cookie, LoginChoice::Existing];
        for login in at_hand.into_iter().filter(|login| self.login(*login).is_some()) {
            offer(login, true);
        }
        if could_write(LoginStyle::RpcAuth) {
            offer(LoginChoice::RpcAuth, false);
        }
        if could_write(LoginStyle::RpcPassword) {
            offer(LoginChoice::RpcPassword, false);
        }
        let makes_cookie = matches!(self.node.cookie(), Cookie::Missing(_) | Cookie::Readable(_));
        let is_cookie_at_hand = self.login(LoginChoice::Cookie).is_some();
        if makes_cookie && !is_cookie_at_hand && could_write(LoginStyle::Cookie) {
            offer(LoginChoice::Cookie, false);
        }
        offer(LoginChoice::Typed, false);
        offers
    }
}

/// The style of writing that belongs to a choice.
pub(crate) fn style(choice: LoginChoice) -> LoginStyle {
    match choice {
        LoginChoice::Cookie => LoginStyle::Cookie,
        LoginChoice::RpcPassword => LoginStyle::RpcPassword,
        LoginChoice::Existing | LoginChoice::Own | LoginChoice::RpcAuth | LoginChoice::Typed => {
            LoginStyle::RpcAuth
        }
    }
}
