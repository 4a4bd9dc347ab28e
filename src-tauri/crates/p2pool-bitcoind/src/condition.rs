//! What is wrong with a Bitcoin node, in the terms of the error catalogue.

use crate::chain_check::ChainCheckError;
use crate::error::{RpcError, code};
use crate::template::ParseTemplateError;
use crate::tip::SourceError;

/// A condition of a Bitcoin node that its owner can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// It is not running, or takes no connections.
    Unreachable,
    /// It takes more than ten seconds to answer.
    Slow,
    /// It refuses the login.
    LoginRefused,
    /// It takes no requests from this computer, or not these.
    Forbidden,
    /// Its cookie file exists, but cannot be read.
    CookieUnreadable,
    /// It is starting.
    Starting,
    /// It is still fetching the chain.
    Syncing,
    /// It serves another chain.
    WrongChain,
    /// It has no connection to the Bitcoin network.
    Alone,
    /// Its newest block is old although it has them all.
    TipOld,
    /// It is too old, or its rules are too new for this program.
    TooOld,
    /// It gives no template that a block can be made from.
    TemplateFailed,
    /// It refused a block that was found.
    BlockRefused,
    /// The login would cross the open internet unprotected.
    PublicAddress,
    /// The rest of the pool builds on blocks that it does not have.
    BehindPool,
}

impl Condition {
    /// Its code in the catalogue.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "N-01",
            Self::Slow => "N-02",
            Self::LoginRefused => "N-03",
            Self::Forbidden => "N-04",
            Self::CookieUnreadable => "N-05",
            Self::Starting => "N-06",
            Self::Syncing => "N-07",
            Self::WrongChain => "N-08",
            Self::Alone => "N-09",
            Self::TipOld => "N-10",
            Self::TooOld => "N-11",
            Self::TemplateFailed => "N-12",
            Self::BlockRefused => "N-13",
            Self::PublicAddress => "N-14",
            Self::BehindPool => "N-15",
        }
    }
}

impl From<&RpcError> for Condition {
    fn from(error: &RpcError) -> Self {
        match error {
            // A node that runs has a cookie file, unless its owner chose another login.
            RpcError::Unreachable { .. } | RpcError::CookieMissing { .. } => Self::Unreachable,
            RpcError::Timeout { .. } | RpcError::Overloaded => Self::Slow,
            RpcError::Unauthorized => Self::LoginRefused,
            RpcError::Forbidden => Self::Forbidden,
            RpcError::CookieUnreadable { .. } => Self::CookieUnreadable,
            RpcError::WarmUp(_) => Self::Starting,
            RpcError::PublicAddress { .. } => Self::PublicAddress,
            RpcError::Rpc { code, .. } => match *code {
                code::NOT_CONNECTED => Self::Alone,
                code::IN_INITIAL_DOWNLOAD => Self::Syncing,
                code::INVALID_PARAMETER | code::METHOD_NOT_FOUND => Self::TooOld,
                _ => Self::TemplateFailed,
            },
            RpcError::BodyTooLong { .. } | RpcError::BadReply { .. } => Self::TemplateFailed,
        }
    }
}

impl From<&ChainCheckError> for Condition {
    fn from(error: &ChainCheckError) -> Self {
        match error {
            ChainCheckError::Rpc(error) => error.into(),
            ChainCheckError::WrongChain { .. } => Self::WrongChain,
            ChainCheckError::TooOld { .. } => Self::TooOld,
        }
    }
}

impl From<&SourceError> for Condition {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::Node(error) => error.into(),
            SourceError::Rpc(error) => error.into(),
            SourceError::Syncing { .. } => Self::Syncing,
            SourceError::Template(
                ParseTemplateError::UnknownRule(_) | ParseTemplateError::WithoutSegwit,
            ) => Self::TooOld,
            SourceError::Template(_) | SourceError::Behind { .. } => Self::TemplateFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_words_have_their_codes() {
        let code_of = |code: i32| {
            let error = RpcError::Rpc { code, message: String::new() };
            Condition::from(&SourceError::Rpc(error)).code()
        };
        assert_eq!(
            [-8, -9, -10, -32601, -1].map(code_of),
            ["N-11", "N-09", "N-07", "N-11", "N-12"]
        );
        let unknown = ParseTemplateError::UnknownRule("covenants".into());
        assert_eq!(Condition::from(&SourceError::Template(unknown)), Condition::TooOld);
        let gone = RpcError::CookieMissing { path: "c".into() };
        assert_eq!(Condition::from(&gone).code(), "N-01");
        assert_eq!(Condition::from(&RpcError::Forbidden).code(), "N-04");
    }
}
