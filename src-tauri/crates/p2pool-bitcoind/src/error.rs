//! What can go wrong between us and a Bitcoin node.

use std::path::PathBuf;
use std::time::Duration;

/// Error numbers of the JSON-RPC interface, as the node's own sources name them.
pub mod code {
    /// The request is not a request.
    pub const INVALID_REQUEST: i32 = -32600;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The request is not JSON.
    pub const PARSE: i32 = -32700;
    /// Failures inside the server.
    pub const INTERNAL: i32 = -32603;
    /// Misuse of a method: above all, a wrong number of parameters.
    pub const MISC: i32 = -1;
    /// A parameter has the wrong JSON type.
    pub const TYPE: i32 = -3;
    /// Unknown block, or bad address.
    pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// A parameter's value is not allowed; for templates: a soft fork we do not know.
    pub const INVALID_PARAMETER: i32 = -8;
    /// The node has no connections to the Bitcoin network.
    pub const NOT_CONNECTED: i32 = -9;
    /// The node is still fetching the chain.
    pub const IN_INITIAL_DOWNLOAD: i32 = -10;
    /// Data does not decode.
    pub const DESERIALIZATION: i32 = -22;
    /// The node is starting.
    pub const IN_WARMUP: i32 = -28;
}

/// A call that brought no answer, or a bad one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// No connection, or it broke.
    #[error("the Bitcoin node cannot be reached: {reason}")]
    Unreachable {
        /// What the system said.
        reason: String,
    },
    /// No answer in time.
    #[error("no answer to {method} within {after:?}")]
    Timeout {
        /// The method called.
        method: String,
        /// How long we waited.
        after: Duration,
    },
    /// There is no cookie file: the node is not running, or its data folder is another one.
    #[error("there is no cookie file {path:?}")]
    CookieMissing {
        /// Where we looked.
        path: PathBuf,
    },
    /// The cookie file exists, but we may not read it or it is not one.
    #[error("the cookie file {path:?} cannot be read: {reason}")]
    CookieUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// HTTP 401: wrong user name or password.
    #[error("the Bitcoin node rejects our login")]
    Unauthorized,
    /// HTTP 403: this computer, or this method, is not allowed.
    #[error("the Bitcoin node does not allow our request")]
    Forbidden,
    /// The node is on the open internet, and the login must not go there.
    #[error("the login would cross the open internet to {address} unprotected")]
    PublicAddress {
        /// Where the node is.
        address: String,
    },
    /// HTTP 503: the node's queue is full.
    #[error("the Bitcoin node has too many requests to answer")]
    Overloaded,
    /// The node is starting; the text says what it is doing.
    #[error("the Bitcoin node is starting: {0}")]
    WarmUp(String),
    /// Any other refusal by the node.
    #[error("the Bitcoin node answers {code}: {message}")]
    Rpc {
        /// See [`code`].
        code: i32,
        /// The node's words.
        message: String,
    },
    /// The answer is longer than any honest one.
    #[error("the answer to {method} is longer than {bytes_max} bytes")]
    BodyTooLong {
        /// The method called.
        method: String,
        /// The limit.
        bytes_max: usize,
    },
    /// The answer is not what the method answers.
    #[error("the Bitcoin node's answer to {method} is not understood: {reason}")]
    BadReply {
        /// The method called.
        method: String,
        /// What is wrong.
        reason: String,
    },
}

impl RpcError {
    /// Whether the same call may succeed a little later with nothing changed by anybody.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::CookieMissing { .. }
            | Self::Unauthorized
            | Self::Overloaded
            | Self::WarmUp(_) => true,
            Self::Rpc { code, .. } => {
                matches!(*code, code::NOT_CONNECTED | code::IN_INITIAL_DOWNLOAD)
            }
            Self::CookieUnreadable { .. }
            | Self::Forbidden
            | Self::PublicAddress { .. }
            | Self::BodyTooLong { .. }
            | Self::BadReply { .. } => false,
        }
    }
}
