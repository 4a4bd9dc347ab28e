//! What we read from a configuration against what a true node makes of it.

use std::net::TcpStream;

use p2pool_bitcoind::local::{Cookie, FindingKind, LocalNode};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{Auth, RpcClient, RpcError, Secret};

use crate::bitcoind::Place;

/// `u` with the password `pw`.
const PROOF: &str =
    "rpcauth=u:5a17$8f741d35a04aaa5ec19a78674fbd1e7ebfe0efd3440bcf9f9460f7af19bd53fb\n";

struct Case {
    conf: &'static [u8],
    files: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
}

const fn conf(conf: &'static [u8]) -> Case {
    Case { conf, files: &[], arguments: &[] }
}

const fn included(conf: &'static [u8], files: &'static [(&'static str, &'static str)]) -> Case {
    Case { conf, files, arguments: &[] }
}

const fn started_with(conf: &'static [u8], arguments: &'static [&'static str]) -> Case {
    Case { conf, files: &[], arguments }
}

/// `PROOF` stands for the line above, `PORT` for the port.
const CASES: &[Case] = &[
    conf(b"server=0\nserver=1\n"),
    conf(b"server=1\nserver=0\n"),
    conf(b"noserver=1\nserver=1\n"),
    conf(b"server=1\nnoserver=1\n"),
    conf(b"server=1\n[regtest]\nnoserver=1\n"),
    conf(b"noserver=1\n[regtest]\nserver=1\n"),
    conf(b"regtest.server=0\nserver=1\n"),
    conf(b"[]\nserver=0\n"),
    conf(b"[regtest]\nregtest.server=0\n"),
    conf(b"server=\r\n[mainnet]\r\nserver=0\r\n"),
    conf(b"server=true\n"),
    conf(b"server=\x0b1\n"),
    conf(b"foo=1\rserver=0\r"),
    conf(b"\t server \t=\t 0 # x\n"),
    conf(b"\xef\xbb\xbfserver=0\n"),
    conf(b"\xef\xbb\xbf# x\n"),
    conf(b"s\0e\0=\x001\0\n\0"),
    conf(b"server=0\0\n"),
    conf(b"-server=1\n"),
    conf(b"server\n"),
    conf(b"conf=x\n"),
    conf(b"nodatadir=1\n"),
    conf(b"rpcpassword=a # b\n"),
    conf(b"rpcuser=u\nPROOF"),
    conf(b"rpcpassword=zz\n"),
    conf(b"rpcuser=k\nrpcpassword=zz\nrpcuser=u\nPROOF"),
    conf(b"rpcpassword=\nrpcuser=k\n"),
    conf(b"norpcpassword=1\nrpcuser=k\n"),
    conf(b"norpcauth=1\nPROOF"),
    conf(b"PROOF[regtest]\nnorpcauth=1\n"),
    conf(b"PROOF[regtest]\nnorpcauth=1\nrpcauth=x:11$22\n"),
    conf(b"rpcauth=x\n"),
    conf(b"[main]\nrpcauth=x\n"),
    conf(b"norpcauth=0\n"),
    conf(b"PROOFrpcwhitelist=x:uptime\n"),
    conf(b"PROOFrpcwhitelist=x:uptime\nrpcwhitelistdefault=0\n"),
    conf(b"rpccookiefile=my.cookie\n[regtest]\nrpccookiefile=our.cookie\n"),
    conf(b"norpccookiefile=1\n"),
    conf(b"rpcport=1\n"),
    conf(b"port=1\n"),
    conf(b"[regtest]\nrpcport=1\n"),
    conf(b"rpcallowip=127.0.0.1\nregtest.rpcbind=127.0.0.1:PORT\n"),
    conf(b"signet=1\n"),
    conf(b"datadir=/no/such\n"),
    started_with(b"server=1\n", &["-server=0"]),
    started_with(b"PROOF", &["-norpcauth"]),
    started_with(b"PROOF", &["-rpcauth=x:1$2"]),
    started_with(b"server=0\n", &["-noconf"]),
    started_with(b"server=0\n", &["-conf=other.conf"]),
    started_with(b"server=0\n", &["-conf=other.conf", "-allowignoredconf"]),
    included(b"includeconf=a.conf\nserver=1\n", &[("a.conf", "server=0\n")]),
    included(b"includeconf=a.conf\n", &[("a.conf", "[main]\n"), ("b.conf", "")]),
    included(
        b"includeconf=a.conf\n[regtest]\nincludeconf=b.conf\n",
        &[("a.conf", "server=0\n"), ("b.conf", "server=1\n")],
    ),
    included(b"includeconf=a.conf\n", &[("a.conf", "includeconf=no.conf\nserver=0\n")]),
    included(b"includeconf=no.conf\n", &[]),
    included(b"includeconf=no.conf\nnoincludeconf=1\n", &[]),
    included(b"server=1\n", &[("regtest/settings.json", "{\"server\": false}")]),
    included(b"server=0\n", &[("regtest/settings.json", "{\"server\": \"1\"}")]),
    included(b"", &[("regtest/settings.json", "{\"server\": true, \"server\": true}")]),
    included(b"", &[("regtest/settings.json", "{\"server\": tru")]),
];

fn fill(text: &[u8], place: &Place) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for (sign, value) in [("PROOF", PROOF.to_owned()), ("PORT", place.port.to_string())] {
        while let Some(at) = bytes.windows(sign.len()).position(|part| part == sign.as_bytes()) {
            bytes.splice(at..at + sign.len(), value.bytes());
        }
    }
    bytes
}

async fn answer(node: &LocalNode, auth: Auth) -> Result<u64, RpcError> {
    let client = RpcClient::new(&node.rpc_config(auth)).unwrap();
    client.call("uptime", (), Limits::SHORT).await
}

/// Starts a node on the case and compares.
async fn check(case: &Case, place: &Place) {
    let name = format!("{} {:?}", case.conf.escape_ascii(), case.arguments);
    let running = place.start();
    // Looked at while it runs: it writes its cookie and its settings.
    let node = place.look();
    let is_fatal =
        |kind: &FindingKind| matches!(kind, FindingKind::Refused(_) | FindingKind::PassedOver(_));
    let refusal = node.findings().iter().find(|finding| is_fatal(&finding.kind));
    assert_eq!(refusal.is_none(), running.is_some(), "{name}: {refusal:?}");
    if running.is_none() {
        return;
    }
    let url = node.rpc_config(Auth::Cookie("x".into())).url;
    let address = url.strip_prefix("http://").unwrap();
    let is_open = TcpStream::connect(address).is_ok();
    assert_eq!(node.serves(), Some(is_open), "{name}: {url}");
    if !is_open {
        return;
    }
    if let Cookie::Readable(path) = node.cookie() {
        let is_shut_out =
            node.findings().iter().any(|f| f.kind == FindingKind::CookieNotWhitelisted);
        let answer = answer(&node, Auth::Cookie(path.clone())).await;
        assert_eq!(answer == Err(RpcError::Forbidden), is_shut_out, "{name}: {answer:?}");
        assert_eq!(answer.is_ok(), !is_shut_out, "{name}: {answer:?}");
    } else {
        assert_eq!(node.cookie(), &Cookie::NotMade, "{name}");
        assert!(!place.path("regtest/.cookie").exists(), "{name}");
    }
    if let Some(login) = node.login() {
        assert!(answer(&node, login.clone()).await.is_ok(), "{name}");
    }
    let ours = Auth::UserPassword { user: "u".into(), password: Secret::new("pw".into()) };
    let is_known = answer(&node, ours).await != Err(RpcError::Unauthorized);
    assert_eq!(node.users().contains(&"u".to_owned()), is_known, "{name}");
}

#[tokio::test]
async fn a_true_node_makes_of_every_case_what_we_make_of_it() {
    for case in CASES {
        let Some(mut place) = Place::new() else { return };
        for argument in case.arguments {
            place = place.with_argument(argument);
        }
        place.write("other.conf", "server=1\n");
        place.write("bitcoin.conf", fill(case.conf, &place));
        for (name, text) in case.files {
            place.write(name, text);
        }
        check(case, &place).await;
    }
}
