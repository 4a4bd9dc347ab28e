//! The JSON-RPC client.
//!
//! One [`RpcClient`] is one pool of keep-alive connections. A long poll or a block submission
//! that must not stand behind another call gets a client of its own.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::BlockHash;
use reqwest::{StatusCode, Url, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::auth::{Auth, Credentials};
use crate::error::{RpcError, code};
use crate::model::{BlockHeaderInfo, BlockchainInfo, NetworkInfo, ZmqNotification};
use crate::reach::{PrivateResolver, PublicAddress, Reach};

/// Wait for an ordinary answer. Ten seconds is also what the window calls "very slow".
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an ordinary answer.
pub const REPLY_BYTES_MAX: usize = 1 << 20;
/// Most bytes of an answer that holds a block: four million bytes in hex with room for names.
pub const BLOCK_REPLY_BYTES_MAX: usize = 32 << 20;

/// Short, so that a node that returns after a while without a network is found soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The node closes idle connections after 30 s; we let go earlier than that.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// Notices a computer that vanished while a long poll is open.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Most characters of the node's words that we keep.
const WORDS_CHARS_MAX: usize = 300;

/// Where the node is and how to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// `http://host:port`.
    pub url: String,
    /// The login.
    pub auth: Auth,
    /// Whether the login may cross the open internet, where everybody on the way can read it.
    pub allows_public: bool,
}

impl RpcConfig {
    /// Whether the node runs on another computer.
    pub fn is_remote(&self) -> bool {
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.is_some_and(|host| match literal(&host) {
            Some(address) => Reach::of(address) != Reach::Loopback,
            None => host != "localhost",
        })
    }
}

impl RpcConfig {
    /// Host and port, `host:port`.
    pub fn place(&self) -> String {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(|url| url.host_str());
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(80);
        format!("{}:{port}", host.unwrap_or_default())
    }
}

/// The address that a host is written as, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The URL is not one that we can call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not the address of a Bitcoin node: {reason}")]
pub struct BadUrl {
    url: String,
    reason: String,
}

/// Limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From connecting to the last byte of the answer.
    pub timeout: Duration,
    /// Most bytes of the answer's body.
    pub bytes_max: usize,
}

impl Limits {
    /// For methods with short answers.
    pub const SHORT: Self = Self { timeout: CALL_TIMEOUT, bytes_max: REPLY_BYTES_MAX };
    /// For templates and blocks.
    pub const BLOCK: Self =
        Self { timeout: Duration::from_secs(20), bytes_max: BLOCK_REPLY_BYTES_MAX };
}

/// Calls methods of one Bitcoin node. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct RpcClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    auth: Auth,
    /// A public address to which the login must not go.
    forbidden: Option<IpAddr>,
    /// The login that worked last; forgotten when the node refuses it or cannot be reached.
    credentials: Mutex<Option<Credentials>>,
    next_id: AtomicU64,
}

/// The body of an answer without error, for parsing without copies.
#[derive(Debug)]
pub(crate) struct Reply {
    method: String,
    body: Vec<u8>,
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: P,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<ErrorObject>,
    id: Option<u64>,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i32,
    message: String,
}

impl RpcClient {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// A URL that is not `http://host:port`.
    pub fn new(config: &RpcConfig) -> Result<Self, BadUrl> {
        let bad = |reason: String| BadUrl { url: config.url.clone(), reason };
        let url = Url::parse(&config.url).map_err(|error| bad(error.to_string()))?;
        if url.scheme() != "http" {
            return Err(bad("it must start with http://".into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it must not contain a login".into()));
        }
        let address = url.host_str().and_then(literal);
        let forbidden =
            address.filter(|address| Reach::of(*address) == Reach::Public && !config.allows_public);
        let mut builder = reqwest::Client::builder()
            // The node is ours: no stranger's proxy, no other address, may come between.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(KEEPALIVE);
        if !config.allows_public {
            builder = builder.dns_resolver(Arc::new(PrivateResolver));
        }
        let http = builder.build().map_err(|error| bad(error.to_string()))?;
        let shared = Shared {
            http,
            url,
            auth: config.auth.clone(),
            forbidden,
            credentials: Mutex::new(None),
            next_id: AtomicU64::new(1),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Calls a method.
    ///
    /// # Errors
    /// Any [`RpcError`].
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
        limits: Limits,
    ) -> Result<R, RpcError> {
        self.call_raw(method, params, limits).await?.result()
    }

    /// `getblockchaininfo`.
    ///
    /// # Errors
    /// Any [`RpcError`].
    pub async fn blockchain_info(&self) -> Result<BlockchainInfo, RpcError> {
        self.call("getblockchaininfo", (), Limits::SHORT).await
    }

    /// `getnetworkinfo`.
    ///
    /// # Errors
    /// Any [`RpcError`].
    pub async fn network_info(&self) -> Result<NetworkInfo, RpcError> {
        self.call("getnetworkinfo", (), Limits::SHORT).await
    }

    /// `getbestblockhash`.
    ///
    /// # Errors
    /// Any [`RpcError`].
    pub async fn best_block_hash(&self) -> Result<BlockHash, RpcError> {
        let text: String = self.call("getbestblockhash", (), Limits::SHORT).await?;
        text.parse().map_err(|_| bad_reply("getbestblockhash", "not a block hash"))
    }

    /// `getblockheader`, verbose.
    ///
    /// # Errors
    /// Any [`RpcError`]; code -5 for an unknown block.
    pub async fn block_header(&self, hash: BlockHash) -> Result<BlockHeaderInfo, RpcError> {
        self.call("getblockheader", (hash.to_string(), true), Limits::SHORT).await
    }

    /// `getzmqnotifications`.
    ///
    /// # Errors
    /// Any [`RpcError`]; code -32601 from a node that was built without ZMQ.
    pub async fn zmq_notifications(&self) -> Result<Vec<ZmqNotification>, RpcError> {
        self.call("getzmqnotifications", (), Limits::SHORT).await
    }

    /// The host that is called, without brackets.
    pub(crate) fn host(&self) -> Option<&str> {
        let host = self.shared.url.host_str()?;
        Some(host.trim_start_matches('[').trim_end_matches(']'))
    }

    /// Calls a method and keeps the answer's bytes.
    pub(crate) async fn call_raw(
        &self,
        method: &str,
        params: impl Serialize,
        limits: Limits,
    ) -> Result<Reply, RpcError> {
        self.call_as(method, params, limits, true).await
    }

    /// The same, but a connection that breaks is told: behind it may be another node by now.
    pub(crate) async fn call_raw_once(
        &self,
        method: &str,
        params: impl Serialize,
        limits: Limits,
    ) -> Result<Reply, RpcError> {
        self.call_as(method, params, limits, false).await
    }

    async fn call_as(
        &self,
        method: &str,
        params: impl Serialize,
        limits: Limits,
        repeats: bool,
    ) -> Result<Reply, RpcError> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::to_vec(&Request { jsonrpc: "1.0", id, method, params: &params })
            .map_err(|error| bad_reply(method, &error.to_string()))?;
        let mut outcome = self.exchange(method, &body, limits).await;
        if repeats && self.is_worth_repeating(&outcome) {
            outcome = self.exchange(method, &body, limits).await;
        }
        if let Err(RpcError::Unauthorized | RpcError::Unreachable { .. }) = outcome {
            *self.lock_credentials() = None;
        }
        let (status, body) = outcome?;
        let reply = Reply { method: method.to_owned(), body };
        reply.check(status, id)?;
        Ok(reply)
    }

    /// A restarted node has a new cookie and has closed our connection: both show only in use.
    /// Every method that we call may be called twice.
    fn is_worth_repeating(&self, outcome: &Result<(StatusCode, Vec<u8>), RpcError>) -> bool {
        match outcome {
            Err(RpcError::Unauthorized) => {
                let refused = self.lock_credentials().take();
                self.shared.auth.credentials().ok().is_some_and(|now| Some(now) != refused)
            }
            Err(RpcError::Unreachable { .. }) => self.lock_credentials().take().is_some(),
            Ok(_) | Err(_) => false,
        }
    }

    /// One HTTP request and its answer.
    async fn exchange(
        &self,
        method: &str,
        body: &[u8],
        limits: Limits,
    ) -> Result<(StatusCode, Vec<u8>), RpcError> {
        if let Some(address) = self.shared.forbidden {
            return Err(RpcError::PublicAddress { address: address.to_string() });
        }
        let credentials = self.credentials()?;
        let failed = |error: reqwest::Error| transport_error(method, limits.timeout, &error);
        let mut response = self
            .shared
            .http
            .post(self.shared.url.clone())
            .basic_auth(&credentials.user, Some(credentials.password.expose()))
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .timeout(limits.timeout)
            .body(body.to_vec())
            .send()
            .await
            .map_err(failed)?;
        match response.status() {
            StatusCode::UNAUTHORIZED => return Err(RpcError::Unauthorized),
            StatusCode::FORBIDDEN => return Err(RpcError::Forbidden),
            StatusCode::SERVICE_UNAVAILABLE => return Err(RpcError::Overloaded),
            _ => {}
        }
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if answer.len() + piece.len() > limits.bytes_max {
                return Err(RpcError::BodyTooLong {
                    method: method.to_owned(),
                    bytes_max: limits.bytes_max,
                });
            }
            answer.extend_from_slice(&piece);
        }
        Ok((response.status(), answer))
    }

    fn credentials(&self) -> Result<Credentials, RpcError> {
        let mut known = self.lock_credentials();
        if let Some(credentials) = &*known {
            return Ok(credentials.clone());
        }
        let credentials = self.shared.auth.credentials()?;
        *known = Some(credentials.clone());
        Ok(credentials)
    }

    fn lock_credentials(&self) -> std::sync::MutexGuard<'_, Option<Credentials>> {
        // A panic elsewhere cannot leave half a login behind.
        self.shared.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reply {
    /// The result, borrowing from the body where its type can.
    pub(crate) fn result<'a, R: Deserialize<'a>>(&'a self) -> Result<R, RpcError> {
        let envelope: Envelope<'a> =
            serde_json::from_slice(&self.body).map_err(|error| self.bad(&error.to_string()))?;
        serde_json::from_str(envelope.result.map_or("null", RawValue::get))
            .map_err(|error| self.bad(&error.to_string()))
    }

    fn check(&self, status: StatusCode, id: u64) -> Result<(), RpcError> {
        // Errors come with HTTP 404 or 500 and a JSON body: the body counts, not the status.
        let envelope: Envelope<'_> = serde_json::from_slice(&self.body).map_err(|_| {
            self.bad(&format!("HTTP {status}: {}", String::from_utf8_lossy(&self.body)))
        })?;
        if let Some(ErrorObject { code, message }) = envelope.error {
            let message = shorten(&message);
            return Err(match code {
                code::IN_WARMUP => RpcError::WarmUp(message),
                _ => RpcError::Rpc { code, message },
            });
        }
        if envelope.id != Some(id) {
            return Err(self.bad("it answers another request"));
        }
        Ok(())
    }

    fn bad(&self, reason: &str) -> RpcError {
        bad_reply(&self.method, reason)
    }
}

pub(crate) fn bad_reply(method: &str, reason: &str) -> RpcError {
    RpcError::BadReply { method: method.to_owned(), reason: shorten(reason) }
}

fn shorten(words: &str) -> String {
    words.chars().take(WORDS_CHARS_MAX).collect()
}

fn transport_error(method: &str, timeout: Duration, error: &reqwest::Error) -> RpcError {
    if error.is_timeout() && !error.is_connect() {
        return RpcError::Timeout { method: method.to_owned(), after: timeout };
    }
    // The innermost cause is the system's word ("Connection refused"), the outer ones repeat it.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if let Some(PublicAddress(address)) = cause.downcast_ref() {
        return RpcError::PublicAddress { address: address.clone() };
    }
    RpcError::Unreachable { reason: shorten(&cause.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Secret;

    fn config(url: &str) -> RpcConfig {
        let password = Secret::new("p".into());
        let auth = Auth::UserPassword { user: "u".into(), password };
        RpcConfig { url: url.into(), auth, allows_public: false }
    }

    #[tokio::test]
    async fn no_login_leaves_for_the_open_internet() {
        // Addresses for documentation: nobody has them.
        for url in ["http://203.0.113.7:8332", "http://[2001:db8::7]:8332"] {
            let client = RpcClient::new(&config(url)).unwrap();
            let refused = client.best_block_hash().await;
            assert!(matches!(refused, Err(RpcError::PublicAddress { .. })), "{refused:?}");
        }
    }

    #[test]
    fn other_computers_are_remote() {
        for (url, is_remote) in [
            ("http://127.0.0.1:8332", false),
            ("http://[::1]:8332", false),
            ("http://localhost:8332", false),
            ("http://192.168.1.5:8332", true),
            ("http://umbrel.local:8332", true),
        ] {
            assert_eq!(config(url).is_remote(), is_remote, "{url}");
        }
    }

    #[test]
    fn only_plain_http_addresses_are_taken() {
        assert!(RpcClient::new(&config("http://127.0.0.1:8332")).is_ok());
        for url in ["", "127.0.0.1:8332", "https://127.0.0.1:8332", "http://u:p@127.0.0.1:8332"] {
            assert!(RpcClient::new(&config(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn warm_up_and_errors_are_told_apart_from_garbage() {
        let reply = |body: &str| Reply { method: "m".into(), body: body.into() };
        let check = |body: &str| reply(body).check(StatusCode::INTERNAL_SERVER_ERROR, 7);
        assert_eq!(
            check(
                r#"{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":7}"#
            ),
            Err(RpcError::WarmUp("Loading block index…".into()))
        );
        assert_eq!(
            check(r#"{"result":null,"error":{"code":-8,"message":"x"},"id":7}"#),
            Err(RpcError::Rpc { code: -8, message: "x".into() })
        );
        for body in ["", "<html>", r#"{"result":1,"error":null,"id":8}"#, "[]"] {
            assert!(matches!(check(body), Err(RpcError::BadReply { .. })), "{body}");
        }
        assert_eq!(check(r#"{"result":null,"error":null,"id":7}"#), Ok(()));
        assert_eq!(reply(r#"{"result":null,"error":null,"id":7}"#).result(), Ok(None::<String>));
    }
}
