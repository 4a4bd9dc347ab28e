//! What was found, in words.

use p2pool_bitcoind::local::{
    ConfState, Cookie, Finding, FindingKind, LocalNode, PlanError, Program, Server, Situation,
};
use p2pool_bitcoind::{Auth, NodeFacts};

use crate::failure::{EXIT_FAILURE, Failure};

/// What stands there, a line each, names first.
pub(super) fn facts(node: &LocalNode) -> Vec<String> {
    let process = node.process().map_or_else(
        || "not running".to_owned(),
        |process| format!("{}, process {}", program(process.program), process.pid),
    );
    vec![
        row("Bitcoin node", &format!("{process}, chain {}", node.chain().to_core_arg())),
        row("Data folder", &node.data_folder().display().to_string()),
        row(
            "Settings",
            &format!("{}{}", node.conf_path().display(), conf_state(node.conf_state())),
        ),
        row("Connections", &connections(node)),
        row("Cookie file", &cookie(node.cookie())),
        row("Logins", &logins(node)),
    ]
}

/// A name and what belongs to it.
pub(super) fn row(name: &str, text: &str) -> String {
    format!("{name:<14}{text}")
}

fn program(program: Program) -> &'static str {
    match program {
        Program::Bitcoind => "bitcoind",
        Program::BitcoinNode => "bitcoin-node",
        Program::BitcoinQt => "Bitcoin Core with a window",
    }
}

fn conf_state(state: &ConfState) -> String {
    match state {
        ConfState::Read => String::new(),
        ConfState::Missing => " (not there yet)".into(),
        ConfState::Unreadable(reason) => format!(" (cannot be read: {reason})"),
        ConfState::Unused => " (the node was told to read none)".into(),
    }
}

fn connections(node: &LocalNode) -> String {
    match (node.server(), node.serves()) {
        (Server::On(origin), _) => format!("switched on by {origin}"),
        (Server::Off(origin), _) => format!("switched off by {origin}"),
        (Server::Unsaid, Some(true)) => "accepted; no setting says otherwise".into(),
        (Server::Unsaid, Some(false)) => "not accepted: Bitcoin Core with a window does so only \
                                          with server=1"
            .into(),
        (Server::Unsaid, None) => "accepted by bitcoind, not by Bitcoin Core with a window".into(),
    }
}

fn cookie(cookie: &Cookie) -> String {
    match cookie {
        Cookie::Readable(path) => format!("{}, readable", path.display()),
        Cookie::Missing(path) => {
            format!("{}, not there: the node makes it anew at every start", path.display())
        }
        Cookie::Unreadable { path, reason } => {
            format!("{}, not readable: {reason}", path.display())
        }
        Cookie::NotMade => "none: the settings keep the node from making one".into(),
    }
}

fn logins(node: &LocalNode) -> String {
    let mut all = Vec::new();
    if let Some(Auth::UserPassword { user, .. }) = node.login() {
        all.push(format!("{user:?} with its password in clear"));
    }
    for user in node.users() {
        let whose = if node.own_user() == Some(user.as_str()) { " (ours)" } else { "" };
        all.push(format!("{user}{whose}"));
    }
    if all.is_empty() { "none in the settings".into() } else { all.join(", ") }
}

/// How we will log in.
pub(crate) fn login(auth: &Auth, node: &LocalNode) -> String {
    match auth {
        Auth::Cookie(path) if node.is_running() => {
            format!("with the node's cookie file {}", path.display())
        }
        Auth::Cookie(path) => {
            format!("with the cookie file {}, once the node runs", path.display())
        }
        Auth::UserPassword { user, .. } if node.login() == Some(auth) => {
            format!("as {user:?}, with the login that stands in the node's settings")
        }
        Auth::UserPassword { user, .. } => format!("as {user}, with the password that we keep"),
    }
}

/// One thing worth a word.
pub(crate) fn finding(finding: &Finding) -> String {
    let mark = if finding.kind.is_danger() { "DANGER  " } else { "NOTE    " };
    let place = finding.origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default();
    format!("{mark}{place}{}", finding_kind(&finding.kind))
}

fn finding_kind(kind: &FindingKind) -> String {
    match kind {
        FindingKind::OpenToEveryone(value) => format!(
            "rpcallowip={value} lets a good part of the internet knock at your node. Name single \
             addresses of your own network instead."
        ),
        FindingKind::BoundPublicly(value) => format!(
            "rpcbind={value} makes the node listen beyond this computer. RPC is not encrypted: \
             remove it unless another computer of yours needs it."
        ),
        FindingKind::WorldReadable { file, has_password } => format!(
            "Other users of this computer can read {0}{1}. First: chmod 600 {0}",
            file.display(),
            if *has_password { ", in which a password stands" } else { "" },
        ),
        FindingKind::WeakPassword => {
            "rpcpassword can be guessed. rpcauth with a long random one is better.".into()
        }
        FindingKind::Obsolete(name) => {
            format!("Bitcoin Core no longer knows {name}; the line can go.")
        }
        FindingKind::Ignored(name) => {
            format!("this {name} counts for nothing: an earlier line decides.")
        }
        FindingKind::NotANumber(text) => {
            format!(
                "server={text} switches connections off; Bitcoin Core reads numbers only: server=1"
            )
        }
        FindingKind::UnknownSection(name) => {
            format!("Bitcoin Core knows no section [{name}]; what stands in it counts for nothing.")
        }
        FindingKind::ByteOrderMark => {
            "the file begins with an invisible mark, so its first line counts for nothing. Save it \
             as UTF-8 without a mark."
                .into()
        }
        FindingKind::NotPlainText => "this is no plain text. Save it as UTF-8.".into(),
        FindingKind::CookieNotWhitelisted => {
            "rpcwhitelist keeps the cookie login from calling what we need.".into()
        }
        FindingKind::Unread(path) => {
            format!("{} is part of the settings, but we may not read it.", path.display())
        }
        FindingKind::PassedOver(path) => format!(
            "the node passes {} over, because it takes another file. Versions from 25 on do not \
             start like this.",
            path.display()
        ),
        FindingKind::Refused(refusal) => format!("the node does not start like this: {refusal}."),
        _ => "something in the settings is unusual.".into(),
    }
}

/// What is the matter and what to do, and whether mining can begin.
pub(super) fn situation(situation: &Situation, facts: Option<&NodeFacts>) -> String {
    let with_code = |text: &str| match situation.code() {
        Some(code) => format!("{code}: {text}"),
        None => text.to_owned(),
    };
    with_code(&match situation {
        Situation::Ready { is_pruned: true } => {
            "Ready to connect. The node is pruned, which is fine for P2Pool.".into()
        }
        Situation::Ready { .. } => "Ready to connect.".to_owned(),
        Situation::HasLogin => "The node's settings already have a login.".into(),
        Situation::HasOwnLines => "Our own lines stand in the node's settings.".into(),
        Situation::OnlyOthers => "Other programs log in here; we need our own login.".into(),
        Situation::NoLogin => "Nothing in the node's settings lets us in yet.".into(),
        Situation::NoAccess => {
            "The node belongs to another user of this computer, or does not let \
                                us in. Ask its owner to add the lines of `p2poold conf show`."
                .into()
        }
        Situation::ServerOff => "Bitcoin Core is running but does not accept connections from \
                                 programs."
            .into(),
        Situation::ServerForbidden => "Your bitcoin.conf forbids connections (server=0).".into(),
        Situation::NotRunning => "Bitcoin Core is installed but not running. Start it.".into(),
        Situation::NoConf => "There is no bitcoin.conf yet. We can create a small one.".into(),
        Situation::Starting => "Your Bitcoin node is starting. Wait for it.".into(),
        Situation::WrongChain(found) => {
            format!(
                "This node is on {found}. Name the chain with --network, or choose another node."
            )
        }
        Situation::TooOld => "This Bitcoin node is too old for P2Pool. Please update it.".into(),
        Situation::CatchingUp => {
            let part = facts.map_or(0.0, |facts| facts.verification_progress * 100.0);
            format!(
                "Your Bitcoin node is still catching up ({part:.1} %). Mining starts by itself."
            )
        }
        Situation::NoConnections => "Your node has no connection to the Bitcoin network.".into(),
        _ => "Something about this node is unusual.".into(),
    })
}

/// Why nothing can be written, with the lines to add by hand if that helps.
pub(crate) fn not_planned(error: &PlanError, node: &LocalNode) -> Failure {
    let code = error.code().unwrap_or("C-01");
    let path = node.conf_path().display();
    let (sentence, details) = match error {
        PlanError::ServerForbidden { .. } => (
            "Your bitcoin.conf forbids connections (server=0). If it may become server=1, say so \
             with --switch-server-on."
                .to_owned(),
            error.to_string(),
        ),
        PlanError::Unreadable { reason, lines, .. } => (
            format!("We can't change bitcoin.conf ({path}). Add these lines yourself:"),
            format!("{}\n({reason})", lines.as_slice().join("\n")),
        ),
        PlanError::NoCookie => (
            "The node makes no login file that we may read. Use --login rpcauth.".into(),
            error.to_string(),
        ),
        PlanError::PasswordTaken => (
            "A password in clear is there already, and a second one would not count. Use --login \
             rpcauth."
                .into(),
            error.to_string(),
        ),
        PlanError::Refused(_) => (
            "The node does not start with its settings as they are. Mend that first.".into(),
            error.to_string(),
        ),
        PlanError::ConfUnused | PlanError::DecidedElsewhere { .. } | _ => {
            (format!("A change of bitcoin.conf ({path}) would not help."), error.to_string())
        }
    };
    Failure { code, sentence, details, exit: EXIT_FAILURE }
}
