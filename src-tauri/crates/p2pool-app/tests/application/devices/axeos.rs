//! A Bitaxe with AxeOS 2.14, or a NerdQAxe, made of software: a small server on loopback.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// `PATCH /api/system`.
    pub(super) line: String,
    /// In lower case.
    pub(super) headers: String,
    pub(super) body: Value,
}

#[derive(Debug)]
struct State {
    is_nerdaxe: bool,
    stored: Map<String, Value>,
    heard: Vec<Heard>,
}

/// The device; lives as long as the value.
#[derive(Debug)]
pub(super) struct AxeOs {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
    _server: JoinSet<()>,
}

impl AxeOs {
    pub(super) async fn bitaxe() -> Self {
        Self::start(false).await
    }

    /// One that blocks pools which do not pay it alone.
    pub(super) async fn nerdaxe() -> Self {
        Self::start(true).await
    }

    async fn start(is_nerdaxe: bool) -> Self {
        let state = State { is_nerdaxe, stored: factory(is_nerdaxe), heard: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        let mut server = JoinSet::new();
        server.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &shared).await;
            }
        });
        Self { port, state, _server: server }
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.state.lock().unwrap().heard.clone()
    }

    /// Requests that change something.
    pub(super) fn changes(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| !heard.line.starts_with("GET")).collect()
    }

    /// All that the device keeps, byte by byte.
    pub(super) fn stored(&self) -> String {
        serde_json::to_string(&self.state.lock().unwrap().stored).unwrap()
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let headers = text.to_lowercase();
    let length = headers.split("content-length:").nth(1);
    let length = length.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    let body = serde_json::from_slice(&bytes[head + 4..]).unwrap_or(Value::Null);
    let heard = Heard { line: words.join(" "), headers, body };
    let answer = state.lock().unwrap().answer(&heard);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
    // The other side may have heard enough.
    let _ = stream.write_all(&[head.as_bytes(), answer.as_bytes()].concat()).await;
    let _ = stream.shutdown().await;
}

impl State {
    fn answer(&mut self, heard: &Heard) -> String {
        self.heard.push(heard.clone());
        if heard.line == "PATCH /api/system" {
            for (key, value) in heard.body.as_object().unwrap() {
                self.stored.insert(key.clone(), value.clone());
            }
        }
        if heard.line != "GET /api/system/info" {
            return String::new();
        }
        let mut info = json!({
            "ASICModel": "BM1370", "version": "v2.14.0", "macAddr": "E0:E1:A9:0C:04:05",
            "hashRate": 1210.5, "power": 17.3, "temp": 58.2,
        });
        if self.is_nerdaxe {
            info["deviceModel"] = "NerdQAxe++".into();
            info["version"] = "v1.0.38".into();
        } else {
            info["boardVersion"] = "601".into();
        }
        for (key, value) in self.stored.iter().filter(|(key, _)| !key.contains("Password")) {
            info[key] = value.clone();
        }
        info.to_string()
    }
}

/// Settings of a device that has worked elsewhere.
fn factory(is_nerdaxe: bool) -> Map<String, Value> {
    let mut stored = json!({
        "hostname": "bitaxe", "stratumURL": "solo.example.org", "stratumPort": 3333,
        "stratumUser": "bc1qold.bitaxe", "stratumPassword": "old-secret",
        "fallbackStratumURL": "backup.example.org", "fallbackStratumPort": 3334,
        "fallbackStratumUser": "bc1qold.backup", "fallbackStratumPassword": "backup-secret",
    });
    if is_nerdaxe {
        stored["coinbaseVerifyMode"] = 1.into();
        stored["coinbaseVerifyForce"] = true.into();
    }
    stored.as_object().unwrap().clone()
}
