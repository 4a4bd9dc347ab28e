//! [`FakeBitcoind`]: a Bitcoin node that can be brought into every condition.
//!
//! A small real implementation, over real HTTP: it keeps a chain of regtest's rules, builds
//! templates, answers long polls and judges blocks. The same contract tests run on it and on the
//! true one. What a true node cannot be made to do on demand is a field of [`Behaviour`].

mod chain;
mod methods;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use p2pool_bitcoind::model::TemplateTransactionAnswer;
use p2pool_bitcoind::{Auth, RpcConfig, Secret};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use chain::Chain;
use methods::{Answer, answer};

/// `user:password` in base 64.
const LOGIN: &str = "Basic dXNlcjpwYXNzd29yZA==";
/// Requests under way may take this long when it is stopped.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What the node does and says of itself.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Requests are read and never answered.
    pub is_silent: bool,
    /// Every request is answered with this HTTP status alone.
    pub status: Option<u16>,
    /// It is starting; the words say with what.
    pub warm_up: Option<String>,
    /// Its name of the chain it is on.
    pub chain: String,
    /// Version as a number.
    pub version: u32,
    /// Peers. Outside regtest there are no templates without any.
    pub connections: u32,
    /// It is fetching the chain: headers that it has no blocks for, and how far it is.
    pub syncing: Option<(u32, f64)>,
    /// Header time of its tip, if not the true one.
    pub tip_time: Option<u32>,
    /// Whether it deletes old blocks.
    pub is_pruned: bool,
    /// More soft forks in force.
    pub rules: Vec<String>,
    /// Templates fail with this.
    pub template_error: Option<(i32, String)>,
    /// Blocks are answered with this word, without being looked at.
    pub verdict: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            is_silent: false,
            status: None,
            warm_up: None,
            chain: "regtest".into(),
            version: 310_000,
            connections: 8,
            syncing: None,
            tip_time: None,
            is_pruned: false,
            rules: Vec::new(),
            template_error: None,
            verdict: None,
        }
    }
}

/// Lives as long as the value.
#[derive(Debug)]
pub struct FakeBitcoind {
    address: SocketAddr,
    node: Arc<Node>,
    runtime: Option<Runtime>,
}

/// What requests are answered from.
#[derive(Debug)]
struct Node {
    inner: Mutex<Inner>,
    /// Counts up whenever a long poll has something to tell.
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    chain: Chain,
    behaviour: Behaviour,
    calls: Vec<(String, Value)>,
}

impl Node {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no answer panics")
    }
}

impl FakeBitcoind {
    /// Starts a healthy node with nothing but the first block.
    ///
    /// # Panics
    /// The system gives no port.
    pub fn start() -> Self {
        let inner =
            Inner { chain: Chain::new(), behaviour: Behaviour::default(), calls: Vec::new() };
        let node = Arc::new(Node { inner: Mutex::new(inner), news: watch::Sender::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let mut fake = Self { address, node, runtime: None };
        fake.serve(listener);
        fake
    }

    /// Serves on a runtime of its own: with it all connections end, as with a process.
    fn serve(&mut self, listener: TcpListener) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread");
        let router = Router::new().route("/", post(respond)).with_state(Arc::clone(&self.node));
        listener.set_nonblocking(true).expect("a listener can be set so");
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("set so above");
            axum::serve(listener, router).await.expect("serving does not fail");
        });
        self.runtime = Some(runtime);
    }

    /// Ends the node: connections break, nobody listens. Its chain stays.
    ///
    /// # Panics
    /// It does not end.
    pub fn stop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // Waiting for a runtime's end is not allowed on a thread that runs one.
        let end = std::thread::spawn(move || runtime.shutdown_timeout(END_WITHIN));
        end.join().expect("it ends");
    }

    /// Takes connections of a stopped node and ends them at once, so many.
    ///
    /// # Panics
    /// Its port has been taken meanwhile.
    pub fn hang_up(&self, count: usize) {
        let listener = TcpListener::bind(self.address).expect("its own port is free");
        for connection in listener.incoming().take(count) {
            drop(connection.expect("a connection"));
        }
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    /// Its port has been taken meanwhile.
    pub fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).expect("its own port is free");
        self.serve(listener);
    }

    /// Changes what it does.
    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.node.lock().behaviour);
    }

    /// A login that it takes.
    pub fn rpc_config(&self) -> RpcConfig {
        let password = Secret::new("password".into());
        let auth = Auth::UserPassword { user: "user".into(), password };
        RpcConfig { url: format!("http://{}", self.address), auth, allows_public: false }
    }

    /// Mines a block and tells those who wait.
    pub fn mine(&self) {
        self.node.lock().chain.mine();
        self.tell_news();
    }

    /// Leaves the newest block, as a reorganisation does.
    pub fn leave_tip(&self) {
        self.node.lock().chain.leave_tip();
        self.tell_news();
    }

    /// Height of its newest block.
    pub fn height(&self) -> u32 {
        self.node.lock().chain.height()
    }

    /// Transactions for its next templates.
    pub fn offer(&self, transactions: Vec<TemplateTransactionAnswer<'static>>) {
        self.node.lock().chain.mempool = transactions;
        self.tell_news();
    }

    /// Parameters of all calls of a method so far.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let inner = self.node.lock();
        let calls = inner.calls.iter().filter(|(name, _)| name == method);
        calls.map(|(_, params)| params.clone()).collect()
    }

    fn tell_news(&self) {
        self.node.news.send_modify(|news| *news += 1);
    }
}

impl Drop for FakeBitcoind {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn respond(State(node): State<Arc<Node>>, headers: HeaderMap, body: Bytes) -> Response {
    let login = headers.get("authorization").and_then(|value| value.to_str().ok());
    let (status, is_silent) = {
        let inner = node.lock();
        (inner.behaviour.status, inner.behaviour.is_silent)
    };
    if is_silent {
        std::future::pending::<()>().await;
    }
    if let Some(status) = status {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT).into_response();
    }
    if login != Some(LOGIN) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let method = request["method"].as_str().unwrap_or_default();
    let params = &request["params"];
    let answer = loop {
        let mut news = node.news.subscribe();
        match answer(&node, method, params) {
            // The sender lives as long as the node.
            Answer::Wait => drop(news.changed().await),
            Answer::Result(result) => break Ok(result),
            Answer::Error(code, message) => break Err((code, message)),
        }
    };
    node.lock().calls.push((method.to_owned(), params.clone()));
    let id = &request["id"];
    match answer {
        Ok(result) => {
            json!({"result": result, "error": null, "id": id}).to_string().into_response()
        }
        Err((code, message)) => {
            let error = json!({"code": code, "message": message});
            let body = json!({"result": null, "error": error, "id": id}).to_string();
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}
