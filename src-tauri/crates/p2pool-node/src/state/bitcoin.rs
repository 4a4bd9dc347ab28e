//! The Bitcoin nodes as everybody outside may see them.

use std::sync::Arc;

use p2pool_bitcoind::{Condition, NodeFacts};
use p2pool_sharechain::time::UnixTime;

use super::ProblemCode;

/// How the Bitcoin node is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BitcoinState {
    /// Not reached yet.
    Connecting,
    /// It gives templates.
    Ready {
        /// Height of its newest block.
        tip_height: u32,
    },
    /// It does not.
    Unavailable {
        /// Code of the error catalogue.
        code: ProblemCode,
        /// Technical text.
        reason: String,
        /// Since when.
        since: UnixTime,
    },
}

/// The Bitcoin nodes one by one, and what deserves a word although mining goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BitcoinDetails {
    /// The node, then the reserve if there is one.
    pub nodes: Vec<BitcoinNode>,
    /// Conditions under which work goes on.
    pub warnings: Vec<NodeProblem>,
}

/// One Bitcoin node.
#[derive(Clone, Debug, PartialEq)]
pub struct BitcoinNode {
    /// Its address, `http://host:port`.
    pub url: String,
    /// Whether it stands in for the other one only.
    pub is_reserve: bool,
    /// Whether it runs on another computer.
    pub is_remote: bool,
    /// Whether present work comes from it.
    pub is_in_use: bool,
    /// Height of its newest block, while it gives templates.
    pub tip_height: Option<u32>,
    /// What it last said about itself: version, peers, whether it is pruned, how far it is.
    pub facts: Option<Arc<NodeFacts>>,
    /// Why it gives no templates.
    pub problem: Option<NodeProblem>,
}

/// A condition of a Bitcoin node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProblem {
    /// Code of the error catalogue.
    pub code: ProblemCode,
    /// Technical text.
    pub reason: String,
    /// Since when.
    pub since: UnixTime,
}

impl From<Condition> for ProblemCode {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Unreachable => Self::NodeUnreachable,
            Condition::Slow => Self::NodeSlow,
            Condition::LoginRefused => Self::NodeLogin,
            Condition::Forbidden => Self::NodeForbidden,
            Condition::CookieUnreadable => Self::NodeCookie,
            Condition::Starting => Self::NodeStarting,
            Condition::Syncing => Self::NodeSyncing,
            Condition::WrongChain => Self::NodeChain,
            Condition::Alone => Self::NodeAlone,
            Condition::TipOld => Self::NodeTipOld,
            Condition::TooOld => Self::NodeTooOld,
            Condition::TemplateFailed => Self::NodeTemplate,
            Condition::BlockRefused => Self::BlockRejected,
            Condition::PublicAddress => Self::NodePublic,
            Condition::BehindPool => Self::NodeBehindPool,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_keep_their_code() {
        for condition in [
            Condition::Unreachable,
            Condition::Slow,
            Condition::LoginRefused,
            Condition::Forbidden,
            Condition::CookieUnreadable,
            Condition::Starting,
            Condition::Syncing,
            Condition::WrongChain,
            Condition::Alone,
            Condition::TipOld,
            Condition::TooOld,
            Condition::TemplateFailed,
            Condition::BlockRefused,
            Condition::PublicAddress,
            Condition::BehindPool,
        ] {
            assert_eq!(ProblemCode::from(condition).as_str(), condition.code());
        }
    }
}
