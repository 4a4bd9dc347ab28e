//! A miner of the old kind, played by hand: getwork over HTTP.

use p2pool_sharechain::{ShareHash, U256};
use serde_json::{Value, json};

use crate::node::Node;

/// `rig1:x`, as RFC 7617 has it.
const LOGIN: &str = "Basic cmlnMTp4";

struct Answer {
    head: String,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).expect("a status")
    }
}

fn post(node: &Node, path: &str, headers: &str, body: &str) -> Answer {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: pool.lan:9332\r\nUser-Agent: cpuminer 1.0\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    let answer = String::from_utf8(node.say(request.as_bytes())).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    Answer { head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() }
}

fn call(node: &Node, path: &str, params: &Value) -> Answer {
    let body = json!({ "method": "getwork", "params": params, "id": 7 }).to_string();
    post(node, path, &format!("Authorization: {LOGIN}\r\n"), &body)
}

fn bytes(digits: &Value) -> Vec<u8> {
    let digits = digits.as_str().expect("digits");
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn words_reversed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    bytes
}

/// What the work's miner hands in: the data with the first nonce that is good enough.
fn solve(work: &Value) -> String {
    let target = U256::from_le_slice(&bytes(&work["target"]));
    let mut data = words_reversed(bytes(&work["data"]));
    assert_eq!((data.len(), data[80], &data[126..]), (128, 0x80, &[2, 0x80][..]));
    let nonce = (0_u32..).find(|nonce| {
        data[76..80].copy_from_slice(&nonce.to_le_bytes());
        ShareHash::of_header(data[..80].try_into().expect("80 bytes")).to_uint() <= target
    });
    data[76..80].copy_from_slice(&nonce.expect("there is one").to_le_bytes());
    words_reversed(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn previous_block(work: &Value) -> Vec<u8> {
    words_reversed(bytes(&work["data"]))[4..36].to_vec()
}

#[test]
fn miner_that_asks_for_headers_finds_shares_and_blocks() {
    let node = Node::start();
    let first = call(&node, "/", &json!([]));
    assert_eq!(first.status(), "200");
    assert_eq!(first.header("X-Long-Polling"), Some("/long-polling"));
    assert_eq!(first.header("X-Stratum"), Some("stratum+tcp://pool.lan:9332"));
    assert_eq!(first.header("X-Is-P2Pool"), Some("true"));
    assert_eq!(first.header("X-Roll-NTime"), Some("expire=100"));
    assert_eq!((&first.body["id"], &first.body["error"]), (&json!(7), &Value::Null));
    let work = &first.body["result"];
    let again = call(&node, "/", &json!([]));
    assert_ne!(work["data"], again.body["result"]["data"], "nobody gets the same header twice");

    // Some members' share or block may come in between: then new work is as good.
    let (old, found) = (0..20)
        .find_map(|_| {
            let work = call(&node, "/", &json!([])).body["result"].clone();
            let solved = solve(&work);
            let verdict = call(&node, "/", &json!([solved]));
            (verdict.body["result"] == true).then_some((work, solved))
        })
        .expect("good headers are accepted");
    node.wait_for("a share and a block of this miner", |node| {
        node.summary.own_found > 0 && node.summary.blocks.iter().any(|block| block.block.own)
    });
    node.wait_for("a miner with its results", |node| {
        node.miners.miners.iter().any(|miner| miner.worker == "rig1" && miner.accepted > 0)
    });

    // Work on a new share comes as well, and may come first.
    (0..20)
        .map(|_| call(&node, "/long-polling", &json!([])).body["result"].clone())
        .find(|newest| previous_block(newest) != previous_block(&old))
        .expect("there is another block to build on");
    let late = call(&node, "/", &json!([found]));
    assert_eq!(late.body["result"], false);
    let reason = late.header("X-Reject-Reason").expect("a reason");
    assert!(["Stale", "Job not found", "Duplicate share"].contains(&reason), "{reason}");
    node.stop();
}

#[test]
fn what_is_no_miner_is_told_so() {
    let node = Node::start();
    let getwork = r#"{"method":"getwork","id":1}"#;
    let status = |headers: &str, body: &str| {
        let answer = post(&node, "/", headers, body);
        (answer.status().to_owned(), answer.body["error"]["code"].as_i64())
    };
    assert_eq!(status("", getwork), ("200".into(), None), "any login will do, and none");
    assert_eq!(status("Origin: http://evil.example\r\n", getwork), ("403".into(), None));
    assert_eq!(status("Authorization: Basic ???\r\n", getwork), ("401".into(), None));
    assert_eq!(status("", r#"{"method":"getinfo","id":1}"#), ("200".into(), Some(-32601)));
    assert_eq!(status("", "hello"), ("200".into(), Some(-32700)));
    assert_eq!(status("", &"x".repeat(5000)), ("413".into(), None));
    let garbage = post(&node, "/", "", r#"{"method":"getwork","params":["00"],"id":1}"#);
    assert_eq!(garbage.body["result"], false);
    assert_eq!(garbage.header("X-Reject-Reason"), Some("Malformed submit"));
    node.stop();
}

#[test]
fn miner_waits_for_another_share_and_hears_of_it() {
    let node = Node::start();
    let heads = node.json("/web/verified_heads");
    let first = call(&node, "/", &json!([])).body["result"].clone();
    let next = call(&node, "/long-polling", &json!([])).body["result"].clone();
    assert_ne!(first["data"], next["data"]);
    let is_another = node.json("/web/verified_heads") != heads
        || previous_block(&first) != previous_block(&next);
    assert!(is_another, "answered without news");
    node.stop();
}
