//! One port for everybody: pages as other nodes serve them, miners, and guests of the wrong kind.

mod getwork;
mod node;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use node::Node;

/// Pages of another node, recorded.
fn recorded() -> Vec<Value> {
    let file = "../../../tests/vectors/live/run3_web_api.json.gz";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let file = std::fs::File::open(path).expect("the vectors are there");
    let document: Value = serde_json::from_reader(GzDecoder::new(file)).expect("they are JSON");
    document["nodes"]["A"].as_array().expect("pages of a node").clone()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .map(|members| members.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Compares records: the same members, of the same kinds.
fn same_form(path: &str, theirs: &Value, ours: &Value) {
    assert_eq!(keys(theirs), keys(ours), "{path}");
    for key in keys(theirs) {
        let (theirs, ours) = (&theirs[key], &ours[key]);
        let is_unknown = theirs.is_null() || ours.is_null();
        assert!(is_unknown || kind(theirs) == kind(ours), "{path} {key}: {theirs} {ours}");
    }
}

/// Records whose members have fixed names.
const RECORDS: [&str; 3] = ["/global_stats", "/local_stats", "/web/currency_info"];
const PARTS_OF_LOCAL_STATS: [&str; 5] = [
    "my_hash_rates_in_last_hour",
    "my_share_counts_in_last_hour",
    "my_stale_proportions_in_last_hour",
    "peers",
    "shares",
];

#[test]
fn pages_have_the_form_of_those_that_other_nodes_serve() {
    let node = Node::start();
    for page in recorded() {
        let path = page["path"].as_str().expect("a path");
        if path == "/" {
            continue;
        }
        let is_of_a_share = ["/web/share/", "/web/share_data/", "/web/payout_address/"]
            .iter()
            .any(|prefix| path.starts_with(prefix));
        if is_of_a_share && !path.ends_with("/zz") && !path.ends_with("000000") {
            continue;
        }
        let (status, content_type, body) = node.get(path);
        assert_eq!(page["status"], status, "{path}");
        if status != 200 {
            continue;
        }
        assert_eq!(page["content_type"], content_type.as_str(), "{path}");
        let Some(theirs) = page.get("json") else { continue };
        let ours: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(kind(theirs), kind(&ours), "{path}");
        if RECORDS.contains(&path) {
            same_form(path, theirs, &ours);
        }
        if path == "/local_stats" {
            for part in PARTS_OF_LOCAL_STATS {
                same_form(part, &theirs[part], &ours[part]);
            }
        }
        if path == "/web/log" || path == "/recent_blocks" {
            assert!(!ours[0].is_null(), "{path} has rows");
            same_form(path, &theirs[0], &ours[0]);
        }
        if path.starts_with("/web/graph_data/") {
            let count = |graph: &Value| graph.as_array().map(Vec::len);
            assert_eq!(count(theirs), count(&ours), "{path}");
            assert_eq!(theirs[1][3], ours[1][3], "{path}: what an empty bin counts as");
        }
    }
    share_pages(&node);
    node.stop();
}

/// The record of the best share has the members of the recorded one.
fn share_pages(node: &Node) {
    let best = node.json("/web/best_share_hash");
    let best = best.as_str().expect("there is a best share");
    let ours = node.json(&format!("/web/share/{best}"));
    let pages = recorded();
    let theirs = pages
        .iter()
        .find(|page| page["json"].get("share_data").is_some())
        .expect("a share is recorded");
    let theirs = &theirs["json"];
    same_form("share", theirs, &ours);
    for part in ["local", "share_data", "block"] {
        same_form(part, &theirs[part], &ours[part]);
    }
    for part in ["header", "gentx"] {
        same_form(part, &theirs["block"][part], &ours["block"][part]);
    }
    let payee = node.json(&format!("/web/payout_address/{best}"));
    assert_eq!(payee, ours["share_data"]["payout_address"]);
    let users = node.json("/users");
    assert!(users.get(payee.as_str().expect("an address")).is_some(), "{users}");
    let (status, kind, bytes) = node.get(&format!("/web/share_data/{best}"));
    assert_eq!((status, kind.as_str()), (200, "application/octet-stream"));
    assert!(bytes.len() > 200);
    let heads = node.json("/web/heads");
    let heads = heads.as_array().expect("a list");
    assert!(!heads.is_empty() && heads.iter().all(|head| head.as_str().map(str::len) == Some(64)));
    let rate = node.json("/rate").as_f64().expect("a number");
    assert!(rate > 0.0);
}

#[test]
fn one_port_serves_miners_browsers_and_exporters_and_tells_others_off() {
    let node = Node::start();
    let mut miner = TcpStream::connect(node.address).expect("the door is open");
    miner.write_all(b"  {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n").expect("sent");
    let mut bytes = [0; 1000];
    let count = miner.read(&mut bytes).expect("an answer");
    assert!(bytes[..count].starts_with(b"{\"id\":1,\"result\":[[[\"mining.notify\""));

    let (status, kind, page) = node.get("/hello");
    let page = String::from_utf8_lossy(&page).into_owned();
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains(&format!("stratum+tcp://{}", node.address)) && page.contains("<svg"));
    let (status, kind, page) = node.get("/metrics");
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let page = String::from_utf8_lossy(&page).into_owned();
    assert!(page.contains("# TYPE p2pool_pool_hashrate_hps gauge\np2pool_pool_hashrate_hps "));

    assert_eq!(node.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), [21, 3, 1, 0, 2, 2, 40]);
    assert_eq!(node.say(b"\x9b\x03\xf2 something else"), b"");
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let answer = node.say(long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "no head without bounds");
    let posted = node.say(b"POST /local_stats HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert!(posted.starts_with(b"HTTP/1.1 405"));
    // A page cannot smuggle work in: lines after an HTTP head are never read as Stratum.
    let smuggled = node.say(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 54\r\n\r\n\
          {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n",
    );
    assert!(!String::from_utf8_lossy(&smuggled).contains("mining.notify"));
    node.stop();
}
