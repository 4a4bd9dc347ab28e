//! A Bitcoin node that says what a test told it to say, over real HTTP on loopback.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use p2pool_bitcoind::{Auth, RpcConfig, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Name under which a long poll is scripted.
pub(crate) const LONG_POLL: &str = "getblocktemplate, long poll";

/// One answer of the script.
#[derive(Clone)]
pub(crate) enum Answer {
    Result(Value),
    Error(i32, &'static str),
    Status(u16, &'static str),
    /// Never.
    Silence,
    /// As the inner one, after the signal.
    After(Arc<Notify>, Box<Answer>),
}

#[derive(Default)]
struct Script {
    /// Answers in order; the last one stays.
    answers: BTreeMap<String, VecDeque<Answer>>,
    calls: Vec<(String, Value)>,
    /// The `Authorization` header that is let in; any if `None`.
    login: Option<String>,
}

/// Lives as long as the value.
pub(crate) struct ScriptedNode {
    url: String,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

impl ScriptedNode {
    /// Starts a node that passes the chain check for `chain`.
    pub(crate) async fn start(chain: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&script));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let node = Self { url, script, _tasks: tasks };
        node.on("getblockchaininfo", [Answer::Result(chain_info(chain))]);
        node.on("getnetworkinfo", [Answer::Result(network_info())]);
        node
    }

    pub(crate) fn on(&self, method: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers = answers.into_iter().collect();
        self.script.lock().unwrap().answers.insert(method.to_owned(), answers);
    }

    pub(crate) fn demand_login(&self, header: &str) {
        self.script.lock().unwrap().login = Some(header.to_owned());
    }

    pub(crate) fn config(&self) -> RpcConfig {
        let password = Secret::new("p".into());
        let auth = Auth::UserPassword { user: "u".into(), password };
        RpcConfig { url: self.url.clone(), auth, allows_public: false }
    }

    /// Parameters of all calls of a method so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Value> {
        let script = self.script.lock().unwrap();
        script.calls.iter().filter(|(name, _)| name == method).map(|(_, p)| p.clone()).collect()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let params = request["params"].clone();
    let mut method = request["method"].as_str().unwrap().to_owned();
    if params[0].get("longpollid").is_some() {
        LONG_POLL.clone_into(&mut method);
    }
    let mut answer = {
        let mut script = script.lock().unwrap();
        script.calls.push((method.clone(), params));
        let login = headers.get("authorization").map(|value| value.to_str().unwrap());
        if script.login.as_deref().is_some_and(|demanded| login != Some(demanded)) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        match script.answers.get_mut(&method) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers.front().unwrap().clone(),
            None => Answer::Error(-32601, "Method not found"),
        }
    };
    loop {
        match answer {
            Answer::Result(value) => {
                return json!({"result": value, "error": null, "id": request["id"]})
                    .to_string()
                    .into_response();
            }
            Answer::Error(code, message) => {
                let error = json!({"code": code, "message": message});
                let body = json!({"result": null, "error": error, "id": request["id"]});
                return (StatusCode::INTERNAL_SERVER_ERROR, body.to_string()).into_response();
            }
            Answer::Status(status, body) => {
                return (StatusCode::from_u16(status).unwrap(), body).into_response();
            }
            Answer::Silence => std::future::pending().await,
            Answer::After(signal, then) => {
                signal.notified().await;
                answer = *then;
            }
        }
    }
}

fn chain_info(chain: &str) -> Value {
    json!({
        "chain": chain, "blocks": 1, "headers": 1, "bestblockhash": hash(1), "difficulty": 1.0,
        "time": 1, "mediantime": 1, "verificationprogress": 1.0, "initialblockdownload": false,
        "pruned": false, "size_on_disk": 1, "warnings": []
    })
}

fn network_info() -> Value {
    json!({
        "version": 310_000, "subversion": "/Satoshi:31.0.0/", "protocolversion": 70016,
        "connections": 8, "networkactive": true, "warnings": []
    })
}

/// A block hash that ends in `number`.
pub(crate) fn hash(number: u32) -> String {
    format!("{number:064x}")
}

/// A template of difficulty 1 for `height`, on the block that `hash(height - 1)` names.
pub(crate) fn template(height: u32) -> Value {
    json!({
        "version": 0x2000_0000, "rules": ["csv", "!segwit", "taproot"], "vbavailable": {},
        "vbrequired": 0, "previousblockhash": hash(height - 1), "transactions": [],
        "coinbaseaux": {}, "coinbasevalue": 5_000_000_000_u64,
        "longpollid": format!("{}1", hash(height - 1)),
        "target": "00000000ffff0000000000000000000000000000000000000000000000000000",
        "mintime": 1_790_000_000, "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff", "sigoplimit": 80000, "sizelimit": 4_000_000,
        "weightlimit": 4_000_000, "curtime": 1_790_000_100, "bits": "1d00ffff", "height": height,
    })
}
