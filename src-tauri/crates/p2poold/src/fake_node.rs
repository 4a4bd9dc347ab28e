//! A Bitcoin node for tests: answers JSON-RPC on loopback as it was told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What a method answers: a result, or a number and words of an error.
pub(crate) type Answer = Result<Value, (i32, &'static str)>;

/// Answers until the test ends.
#[derive(Clone, Debug)]
pub(crate) struct FakeNode {
    port: u16,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    /// Replaces every answer by this HTTP status.
    status: Option<u16>,
}

impl FakeNode {
    /// A synced node on this chain, with eight connections.
    pub(crate) fn start(chain: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script::default()));
        let node = Self { port, script: Arc::clone(&script) };
        node.on("getblockchaininfo", Ok(chain_info(chain)));
        node.on("getnetworkinfo", Ok(network_info()));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let script = Arc::clone(&script);
                thread::spawn(move || serve(&stream, &script));
            }
        });
        node
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn on(&self, method: &str, answer: Answer) {
        self.script.lock().unwrap().answers.insert(method.to_owned(), answer);
    }

    /// Answers everything with this HTTP status, or with none again.
    pub(crate) fn refuse(&self, status: impl Into<Option<u16>>) {
        self.script.lock().unwrap().status = status.into();
    }
}

/// What a synced node says of its chain.
pub(crate) fn chain_info(chain: &str) -> Value {
    json!({
        "chain": chain, "blocks": 120, "headers": 120, "difficulty": 1.0,
        "bestblockhash": "00".repeat(32), "time": 1_790_000_000, "mediantime": 1_790_000_000,
        "verificationprogress": 1.0, "initialblockdownload": false, "pruned": false,
        "warnings": [],
    })
}

fn network_info() -> Value {
    json!({
        "version": 310_000, "subversion": "/Satoshi:31.0.0/", "protocolversion": 70016,
        "connections": 8, "networkactive": true, "timeoffset": 0, "warnings": [],
    })
}

/// Requests of one connection, one after the other; ends with it.
fn serve(stream: &TcpStream, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream);
    while let Some(body) = request(&mut reader) {
        let call: Value = serde_json::from_slice(&body).unwrap();
        let script = script.lock().unwrap();
        let answer = script.answers.get(call["method"].as_str().unwrap());
        let (status, body) = match (script.status, answer) {
            (Some(status), _) => (status, String::new()),
            (None, Some(Ok(result))) => {
                (200, json!({ "result": result, "error": null, "id": call["id"] }).to_string())
            }
            (None, error) => {
                let (code, message) = match error {
                    Some(Err(error)) => *error,
                    Some(Ok(_)) | None => (-32601, "Method not found"),
                };
                let error = json!({ "code": code, "message": message });
                (500, json!({ "result": null, "error": error, "id": call["id"] }).to_string())
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
        if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The body of the next request.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
