//! Decides what a login needs, and works out the exact change of `bitcoin.conf`. Writes nothing.
//!
//! A change adds a block of ours to the global part and, where the person agreed, turns one
//! `server=0` into `server=1`; every other byte stays. It is proposed only if the node, reading the
//! changed file by its own rules, would then admit our login.

use std::path::PathBuf;

use crate::auth::Auth;
use crate::local::access::{Access, METHODS, Server};
use crate::local::block::{ServerNote, Stamp, insert, note_line, render, strip};
use crate::local::change::{Change, Lines};
use crate::local::conf::{ConfFile, Value};
use crate::local::configuration::{ConfState, Refusal};
use crate::local::inspect::LocalNode;
use crate::local::login::{NewLogin, rpcauth_admits};
use crate::local::settings::{Origin, Spot};

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginStyle {
    /// Whatever works without writing; else [`Self::RpcAuth`].
    Automatic,
    /// The node's cookie file; at most `server=1` is written.
    Cookie,
    /// User name and a salted hash of the password.
    RpcAuth,
    /// User name and password in clear, for nodes that know nothing else. The node then makes no
    /// cookie file: programs that use it lose their login.
    RpcPassword,
}

/// What a person wants.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// How to log in.
    pub style: LoginStyle,
    /// The login to write if one has to be written.
    pub new_login: &'a NewLogin,
    /// The login that we keep from an earlier time.
    pub known_login: Option<&'a Auth>,
    /// Whether a `server=0` may be turned into `server=1`.
    pub may_switch_server_on: bool,
    /// Now.
    pub stamp: Stamp,
}

/// What is to be done for a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: this login works, or will once the node runs.
    UseLogin(Auth),
    /// A change, to be shown and then handed to [`apply`](crate::local::apply).
    Write(Change),
}

/// Why no change can be proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file switches connections off, and nobody agreed to change that.
    #[error("connections are switched off by {origin}")]
    ServerForbidden {
        /// The line.
        origin: Origin,
    },
    /// Something that we do not write decides against us.
    #[error("{name} is decided by {}", decider(origin.as_ref()))]
    DecidedElsewhere {
        /// The setting.
        name: &'static str,
        /// Where it is decided.
        origin: Option<Origin>,
    },
    /// The file cannot be read, so it cannot be changed with care.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
        /// Lines to add by hand.
        lines: Lines,
    },
    /// The node was started so that it reads no configuration file.
    #[error("the node was told to read no configuration file")]
    ConfUnused,
    /// The node does not start with its files as they are; that has to be mended first.
    #[error("the node does not start with this configuration: {0}")]
    Refused(Refusal),
    /// A password in clear is there already and a second one would not count.
    #[error("a password in clear is there already")]
    PasswordTaken,
    /// The node makes no cookie file that we could use.
    #[error("the node makes no cookie file for us")]
    NoCookie,
}

impl PlanError {
    /// Code of the error catalogue; `None` where the text itself says what is the matter.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::ServerForbidden { .. } => Some("C-06"),
            Self::Unreadable { .. } => Some("C-01"),
            Self::NoCookie => Some("N-05"),
            Self::DecidedElsewhere { .. }
            | Self::ConfUnused
            | Self::Refused(_)
            | Self::PasswordTaken => None,
        }
    }
}

/// Decides what a login needs.
///
/// # Errors
/// No change of ours would make the login work, or somebody has to agree first.
pub fn plan(node: &LocalNode, wish: &Wish<'_>) -> Result<Plan, PlanError> {
    if let Some(login) = login_at_hand(node, wish) {
        return Ok(Plan::UseLogin(login));
    }
    let configuration = &node.configuration;
    let before = match &configuration.conf_state {
        ConfState::Unused => return Err(PlanError::ConfUnused),
        ConfState::Unreadable(reason) => {
            return Err(PlanError::Unreadable {
                path: configuration.conf_path.clone(),
                reason: reason.clone(),
                lines: Lines::new(&body(&node.access, wish)?),
            });
        }
        ConfState::Missing => None,
        ConfState::Read => configuration.conf().map(|conf| conf.bytes().to_owned()),
    };
    if let Some(refusal) = configuration.refusals.first() {
        return Err(PlanError::Refused(refusal.clone()));
    }
    write(node, wish, before).map(Plan::Write)
}

/// The change that takes our lines out of a node's configuration file, to be shown and then handed
/// to [`apply`](crate::local::apply). `None` if they are not there.
///
/// # Errors
/// The file cannot be read.
pub fn undo(node: &LocalNode) -> Result<Option<Change>, PlanError> {
    let configuration = &node.configuration;
    let conf = match &configuration.conf_state {
        ConfState::Unreadable(reason) => {
            let path = configuration.conf_path.clone();
            return Err(PlanError::Unreadable {
                path,
                reason: reason.clone(),
                lines: Lines::default(),
            });
        }
        ConfState::Missing | ConfState::Unused => None,
        ConfState::Read => configuration.conf(),
    };
    let Some(conf) = conf else { return Ok(None) };
    let stripped = strip(conf.bytes());
    if !stripped.had_block {
        return Ok(None);
    }
    // Only a file that we made ends with our own line feed and holds nothing else.
    let was_ours_alone = stripped.bytes.is_empty() && conf.bytes().ends_with(b"\n");
    Ok(Some(Change {
        path: configuration.conf_path.clone(),
        before: Some(conf.bytes().to_owned()),
        leaves_server_on: stripped.is_server_left_on,
        after: (!was_ours_alone).then_some(stripped.bytes),
        lines: Lines::default(),
        stops_cookie: false,
    }))
}

/// A login that works without any change.
fn login_at_hand(node: &LocalNode, wish: &Wish<'_>) -> Option<Auth> {
    let serves = node.serves() == Some(true);
    let known = || {
        let Some(Auth::UserPassword { user, password }) = wish.known_login else { return None };
        let values = node.access.rpcauth.iter().map(|value| String::from_utf8_lossy(value));
        let is_admitted = values.into_iter().any(|value| rpcauth_admits(&value, user, password))
            || node.access.login.as_ref() == wish.known_login;
        (is_admitted && node.access.admits(user)).then(|| wish.known_login.cloned())?
    };
    let cookie = || node.usable_cookie().map(|path| Auth::Cookie(path.to_owned()));
    let written = || {
        let Some(login @ Auth::UserPassword { user, .. }) = &node.access.login else { return None };
        node.access.admits(user).then(|| login.clone())
    };
    match wish.style {
        _ if !serves => None,
        LoginStyle::Automatic => known().or_else(cookie).or_else(written),
        LoginStyle::Cookie => cookie(),
        LoginStyle::RpcAuth | LoginStyle::RpcPassword => known(),
    }
}

fn decider(origin: Option<&Origin>) -> String {
    origin.map_or_else(|| "something else".to_owned(), Origin::to_string)
}

/// Works out the change of the file and makes sure that it would do.
fn write(node: &LocalNode, wish: &Wish<'_>, before: Option<Vec<u8>>) -> Result<Change, PlanError> {
    let stripped = strip(before.as_deref().unwrap_or_default());
    let access = |conf: &[u8]| {
        let configuration = &node.configuration;
        let sources = configuration.sources_with(conf);
        Access::new(&sources, configuration.chain, &configuration.chain_folder)
    };
    let alone = access(&stripped.bytes);
    let mut text = stripped.bytes.clone();
    let mut lines = body(&alone, wish)?;
    if let Server::Off(origin) = &alone.server
        && let Some(note) = switch_on(node, wish, &mut text, origin)?
    {
        lines.push(note_line(&note));
    }
    let is_crlf = ConfFile::parse(text.clone()).is_crlf();
    let mut after = insert(&text, &render(&lines, wish.stamp, is_crlf));
    if before.is_none() {
        after.push(b'\n');
    }
    check(node, wish, &access(&after), &after)?;
    Ok(Change {
        path: node.configuration.conf_path.clone(),
        before,
        after: Some(after),
        leaves_server_on: false,
        lines: Lines::new(&lines),
        stops_cookie: wish.style == LoginStyle::RpcPassword && alone.cookie.is_some(),
    })
}

/// Our lines without the markers.
fn body(alone: &Access, wish: &Wish<'_>) -> Result<Vec<Vec<u8>>, PlanError> {
    let user = wish.new_login.user();
    let mut lines = vec!["server=1".to_owned()];
    match wish.style {
        LoginStyle::Cookie => {}
        LoginStyle::Automatic | LoginStyle::RpcAuth => {
            // Beside a password of others a name of ours would change their login.
            if !alone.has_password && !alone.has_user {
                lines.push(format!("rpcuser={user}"));
            }
            lines.push(format!("rpcauth={}", wish.new_login.rpcauth()));
        }
        LoginStyle::RpcPassword if alone.has_password => return Err(PlanError::PasswordTaken),
        LoginStyle::RpcPassword => {
            lines.push(format!("rpcuser={user}"));
            lines.push(format!("rpcpassword={}", wish.new_login.password().expose()));
        }
    }
    if wish.style != LoginStyle::Cookie && !alone.admits(user) {
        lines.push(format!("rpcwhitelist={user}:{}", METHODS.join(",")));
    }
    Ok(lines.into_iter().map(String::into_bytes).collect())
}

/// Turns the line that switches connections off, unless our own `server=1` beats it anyway, as it
/// does where that line stands in an included file or is a negation before ours.
fn switch_on(
    node: &LocalNode,
    wish: &Wish<'_>,
    text: &mut Vec<u8>,
    origin: &Origin,
) -> Result<Option<ServerNote>, PlanError> {
    let configuration = &node.configuration;
    let with_ours = configuration.sources_with(&insert(text, b"server=1\n"));
    let is_beaten =
        with_ours.single("server", configuration.chain).is_some_and(|found| found.value.is_on());
    let sources = configuration.sources_with(text);
    let found = sources.single("server", configuration.chain);
    let change = match found.map(|found| (found.spot, found.value)) {
        _ if is_beaten => None,
        Some((Spot::Conf { file: 0, entry }, Value::Text(value))) => {
            let entry = &sources.files[0].1.entries()[entry];
            let note = ServerNote { line: entry.line, value: value.clone() };
            Some((entry.value_at.clone(), note))
        }
        _ => {
            let origin = Some(origin.clone());
            return Err(PlanError::DecidedElsewhere { name: "server", origin });
        }
    };
    if !wish.may_switch_server_on {
        return Err(PlanError::ServerForbidden { origin: origin.clone() });
    }
    Ok(change.map(|(value_at, note)| {
        text.splice(value_at, *b"1");
        note
    }))
}

/// Makes sure that the node would admit us with the file as it will be.
fn check(node: &LocalNode, wish: &Wish<'_>, then: &Access, after: &[u8]) -> Result<(), PlanError> {
    let conf = ConfFile::parse(after.to_owned());
    if let Some(fault) = conf.fault() {
        let (file, fault) = (node.configuration.conf_path.clone(), fault.clone());
        return Err(PlanError::Refused(Refusal::Line { file, fault }));
    }
    let elsewhere = |name, origin| Err(PlanError::DecidedElsewhere { name, origin });
    match &then.server {
        Server::On(_) => {}
        Server::Off(origin) => return elsewhere("server", Some(origin.clone())),
        Server::Unsaid => return elsewhere("server", None),
    }
    let user = wish.new_login.user();
    match wish.style {
        LoginStyle::Cookie if then.cookie.is_none() => Err(PlanError::NoCookie),
        LoginStyle::Cookie => Ok(()),
        LoginStyle::RpcPassword if then.login.as_ref() != Some(&wish.new_login.auth()) => {
            elsewhere("rpcuser", None)
        }
        LoginStyle::Automatic | LoginStyle::RpcAuth if !then.has_rpcauth(wish.new_login) => {
            elsewhere("rpcauth", None)
        }
        LoginStyle::Automatic | LoginStyle::RpcAuth | LoginStyle::RpcPassword => {
            if then.admits(user) { Ok(()) } else { elsewhere("rpcwhitelist", None) }
        }
    }
}

#[cfg(test)]
mod tests;
