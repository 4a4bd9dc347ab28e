//! The chain's JSON-RPC face: what bitcoind would answer, on loopback, behind a cookie.
//!
//! HTTP and envelope are those of bitcoind for JSON-RPC 1.x: errors come with status 404, 400 or
//! 500 and a JSON body. Batches and named parameters are not served.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bitcoin::Network;
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::{Auth, RpcConfig};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::chain::{OpenError, PracticeChain};

mod login;
mod methods;

use login::Login;

/// A block of four million bytes in hex, and its envelope.
const BODY_BYTES_MAX: usize = 9 << 20;
/// Requests under way, long polls among them.
const REQUESTS_MAX: usize = 64;
/// How long an answer that is being sent may delay the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A practice chain being served.
#[derive(Debug)]
pub struct PracticeChainServer {
    chain: PracticeChain,
    listener: TcpListener,
    url: String,
    login: Login,
}

/// The server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The chain cannot be opened.
    #[error(transparent)]
    Chain(#[from] OpenError),
    /// No port on loopback.
    #[error("cannot listen on loopback")]
    Listen(#[source] io::Error),
    /// The cookie file cannot be written.
    #[error("cannot write the cookie file {path:?}")]
    Cookie {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The server ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("serving the practice chain failed")]
pub struct RunError(#[from] io::Error);

impl PracticeChainServer {
    /// Opens the chain in `folder`, picks a free port and writes `folder/.cookie`. Connections
    /// are answered once [`run`](Self::run) is polled.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left running.
    pub async fn start(folder: &Path, network: Network) -> Result<Self, StartError> {
        let chain = PracticeChain::open(folder, network).await?;
        let outcome = Self::listen(&chain, folder).await;
        if outcome.is_err() {
            chain.close().await;
        }
        outcome
    }

    async fn listen(chain: &PracticeChain, folder: &Path) -> Result<Self, StartError> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let path = folder.join(".cookie");
        let login =
            Login::create(path.clone()).map_err(|source| StartError::Cookie { path, source })?;
        let url = format!("http://{address}");
        info!(%url, "practice chain serves");
        Ok(Self { chain: chain.clone(), listener, url, login })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file with user name and password, for this run only.
    pub fn cookie_path(&self) -> &Path {
        self.login.path()
    }

    /// All that an RPC client needs.
    pub fn rpc_config(&self) -> RpcConfig {
        let auth = Auth::Cookie(self.cookie_path().to_owned());
        RpcConfig { url: self.url.clone(), auth, allows_public: false }
    }

    /// The chain itself.
    pub fn chain(&self) -> PracticeChain {
        self.chain.clone()
    }

    /// Serves until cancelled, or told to `stop`; then closes the chain, with all on disk, and
    /// removes the cookie file.
    ///
    /// # Errors
    /// The listening socket failed; the chain is closed then, too.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), RunError> {
        let Self { chain, listener, url: _, login } = self;
        let stop = cancel.child_token();
        let shared = Shared {
            chain: chain.clone(),
            authorization: login.authorization().to_owned(),
            permits: Semaphore::new(REQUESTS_MAX),
            started: Instant::now(),
            stop: stop.clone(),
        };
        let router = Router::new()
            .route("/", post(answer))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::new(shared));
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let overdue = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        let outcome = tokio::select! {
            outcome = serving => outcome,
            () = overdue => Ok(()),
        };
        chain.close().await;
        Ok(outcome?)
    }
}

/// What every request sees.
struct Shared {
    chain: PracticeChain,
    /// The one `Authorization` header that is let in.
    authorization: String,
    permits: Semaphore,
    started: Instant,
    stop: CancellationToken,
}

/// A refusal, with bitcoind's number for it.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    code: i32,
    message: String,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// bitcoind's choice for JSON-RPC 1.x.
    fn status(&self) -> StatusCode {
        match self.code {
            code::INVALID_REQUEST => StatusCode::BAD_REQUEST,
            code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    method: Value,
    #[serde(default)]
    params: Value,
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let given = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    if !login::is_same(given, shared.authorization.as_bytes()) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"jsonrpc\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    let Ok(_permit) = shared.permits.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded").into_response();
    };
    let (id, outcome) = match serde_json::from_slice::<Value>(&body) {
        Ok(request) => call(&shared, request).await,
        Err(_) => (Value::Null, Err(Failure::new(code::PARSE, "Parse error"))),
    };
    let (status, body) = match outcome {
        Ok(result) => (StatusCode::OK, json!({"result": result, "error": null, "id": id})),
        Err(failure) => {
            let error = json!({"code": failure.code, "message": failure.message});
            (failure.status(), json!({"result": null, "error": error, "id": id}))
        }
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, format!("{body}\n")).into_response()
}

async fn call(shared: &Shared, request: Value) -> (Value, Result<Value, Failure>) {
    let invalid = |message: &str| Err(Failure::new(code::INVALID_REQUEST, message));
    let Ok(Request { id, method, params }) = serde_json::from_value(request) else {
        return (Value::Null, invalid("Invalid Request object"));
    };
    let Value::String(method) = method else {
        return (id, invalid("Method must be a string"));
    };
    let params = match params {
        Value::Null => Vec::new(),
        Value::Array(params) => params,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return (id, invalid("Params must be an array"));
        }
    };
    (id, methods::call(shared, &method, params).await)
}
