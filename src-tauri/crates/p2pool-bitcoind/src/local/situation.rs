//! Which card of the set-up page fits a node: ux.md, section 6.1, the table of what is found.

use bitcoin::Network;

use crate::chain_check::{ChainCheckError, NodeFacts};
use crate::error::RpcError;
use crate::local::access::Server;
use crate::local::configuration::ConfState;
use crate::local::inspect::{Cookie, LocalNode};
use crate::local::settings::Origin;

/// What is the matter with a node, the row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Situation {
    /// It can be used; `is_pruned` is worth a friendly line.
    Ready {
        /// Whether it deletes old blocks, which is fine. Unknown before it has answered.
        is_pruned: bool,
    },
    /// A login stands in its settings.
    HasLogin,
    /// Our own lines are in its settings.
    HasOwnLines,
    /// Others log in there; we need a login of our own.
    OnlyOthers,
    /// Nothing stands in its settings that lets us in.
    NoLogin,
    /// It belongs to another user, or does not let this computer in.
    NoAccess,
    /// It accepts no connections from programs, because nobody asked it to.
    ServerOff,
    /// Its configuration file forbids connections.
    ServerForbidden,
    /// It is installed but does not run.
    NotRunning,
    /// It was used but has no configuration file.
    NoConf,
    /// It is starting.
    Starting,
    /// It is on another chain.
    WrongChain(String),
    /// Its version cannot make blocks for us.
    TooOld,
    /// It is still fetching the chain.
    CatchingUp,
    /// It has no connections to the Bitcoin network.
    NoConnections,
}

impl Situation {
    /// Code of the error catalogue; `None` if it is no problem, or one that the page itself solves.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoAccess => Some("N-05"),
            Self::ServerOff | Self::NotRunning => Some("N-01"),
            Self::ServerForbidden => Some("C-06"),
            Self::Starting => Some("N-06"),
            Self::WrongChain(_) => Some("N-08"),
            Self::TooOld => Some("N-11"),
            Self::CatchingUp => Some("N-07"),
            Self::NoConnections => Some("N-09"),
            Self::Ready { .. }
            | Self::HasLogin
            | Self::HasOwnLines
            | Self::OnlyOthers
            | Self::NoLogin
            | Self::NoConf => None,
        }
    }
}

impl LocalNode {
    /// Judges the node for mining on `chain`; `answer` is what it answered to
    /// [`chain_check`](crate::chain_check()) with a login at hand, if it was asked.
    pub fn situation(
        &self,
        chain: Network,
        answer: Option<&Result<NodeFacts, ChainCheckError>>,
    ) -> Situation {
        match answer {
            Some(Ok(facts)) if facts.initial_block_download => Situation::CatchingUp,
            Some(Ok(facts)) if facts.connections == 0 && chain == Network::Bitcoin => {
                Situation::NoConnections
            }
            Some(Ok(facts)) => Situation::Ready { is_pruned: facts.pruned },
            Some(Err(ChainCheckError::WrongChain { found, .. })) => {
                Situation::WrongChain(found.clone())
            }
            Some(Err(ChainCheckError::TooOld { .. })) => Situation::TooOld,
            Some(Err(ChainCheckError::Rpc(RpcError::WarmUp(_)))) => Situation::Starting,
            Some(Err(ChainCheckError::Rpc(RpcError::Forbidden))) => Situation::NoAccess,
            Some(Err(ChainCheckError::Rpc(_))) | None => self.situation_by_files(chain),
        }
    }

    fn situation_by_files(&self, chain: Network) -> Situation {
        if !self.is_running() {
            return match self.conf_state() {
                ConfState::Missing => Situation::NoConf,
                ConfState::Read | ConfState::Unreadable(_) | ConfState::Unused => {
                    Situation::NotRunning
                }
            };
        }
        if self.chain() != chain {
            return Situation::WrongChain(self.chain().to_core_arg().to_owned());
        }
        match (self.server(), self.serves()) {
            (Server::Off(Origin::Conf { .. }), _) => return Situation::ServerForbidden,
            (_, Some(false)) => return Situation::ServerOff,
            (_, Some(true) | None) => {}
        }
        if self.usable_cookie().is_some() {
            return Situation::Ready { is_pruned: false };
        }
        let is_others = |user: &String| Some(user.as_str()) != self.own_user();
        let is_strangers = self.process().and_then(|p| p.is_of_other_user) == Some(true);
        match (self.cookie(), self.conf_state()) {
            _ if self.login().is_some() => Situation::HasLogin,
            _ if self.own_user().is_some() => Situation::HasOwnLines,
            _ if self.users().iter().any(is_others) => Situation::OnlyOthers,
            (Cookie::Unreadable { .. }, _) | (_, ConfState::Unreadable(_)) => Situation::NoAccess,
            _ if is_strangers => Situation::NoAccess,
            (Cookie::Missing(_), _) => Situation::Starting,
            (Cookie::NotMade | Cookie::Readable(_), _) => Situation::NoLogin,
        }
    }
}

#[cfg(test)]
mod tests;
