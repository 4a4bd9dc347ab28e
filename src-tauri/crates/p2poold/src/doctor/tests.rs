use std::fs;

use clap::Parser;
use p2pool_bitcoind::local::{Surroundings, System, Variables};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::args::{Cli, Command};
use crate::fake_node::{FakeNode, chain_info};

/// A computer with a Bitcoin node, perhaps.
struct Computer(TempDir);

impl Computer {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs the doctor with these arguments; gives exit code and tests by name.
    fn visit(&self, line: &str) -> (u8, Vec<Value>) {
        let words = ["p2poold", "doctor", "--json"].into_iter().chain(line.split_whitespace());
        let Command::Doctor(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line}")
        };
        let home = Some(self.0.path().to_owned());
        let surroundings = Surroundings {
            system: System::Linux,
            variables: Variables { home, ..Variables::default() },
            running: vec![],
            ..Surroundings::of_this_computer()
        };
        let search = Search { surroundings, password: None, data_dir: self.0.path() };
        let (mut out, mut answers) = (Vec::new(), &b""[..]);
        let console = Console::new(&mut out, &mut answers);
        let mut visit = Visit { console, is_json: args.json, worst: Grade::Skipped };
        visit.all(&args.node, &search).unwrap();
        let code = visit.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        (code, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The same on regtest, at a node that answers as `fake`.
    fn visit_node(&self, fake: &FakeNode) -> (u8, Vec<Value>) {
        let cookie = self.0.path().join("cookie");
        fs::write(&cookie, "__cookie__:aa").unwrap();
        let url = format!("http://127.0.0.1:{}", fake.port());
        let ports = "-w 0 --no-listen";
        self.visit(&format!(
            "--network regtest {ports} --rpc-url {url} --rpc-cookie {}",
            cookie.display()
        ))
    }
}

fn find<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:#?}"))
}

fn results(checks: &[Value], result: &str) -> Vec<String> {
    let all = checks.iter().filter(|check| check["result"] == result);
    all.map(|check| format!("{} {}", check["check"], check["message"])).collect()
}

/// An empty block template, as a node on regtest gives it.
fn template() -> Value {
    json!({
        "capabilities": ["proposal"], "version": 536_870_912, "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {}, "vbrequired": 0, "previousblockhash": "11".repeat(32),
        "transactions": [], "coinbaseaux": {}, "coinbasevalue": 5_000_000_000_u64,
        "longpollid": "x", "target": format!("7fffff{}", "00".repeat(29)), "mintime": 1,
        "mutable": ["time"], "noncerange": "00000000ffffffff", "sigoplimit": 80_000,
        "sizelimit": 4_000_000, "weightlimit": 4_000_000, "curtime": crate::notice::now(),
        "bits": "207fffff", "height": 121, "default_witness_commitment": "6a24aa21a9ed",
    })
}

fn healthy() -> FakeNode {
    let fake = FakeNode::start("regtest");
    fake.on("getblocktemplate", Ok(template()));
    let tip = json!({ "hash": "11".repeat(32), "height": 120 });
    fake.on("waitfornewblock", Ok(tip));
    fake
}

#[test]
fn a_healthy_node_passes_every_test() {
    let (code, checks) = Computer::new().visit_node(&healthy());
    assert_eq!(results(&checks, "trouble"), [""; 0]);
    assert_eq!(code, 0, "{checks:#?}");
    for name in ["RPC port", "login", "chain", "connections", "template", "new blocks", "clock"] {
        assert_eq!(find(&checks, name)["result"], "good", "{name}");
        assert!(find(&checks, name)["took_ms"].is_u64());
    }
    assert_eq!(find(&checks, "template")["message"], "block 121 with 0 transactions");
    assert_eq!(find(&checks, "members")["result"], "skipped");
}

#[test]
fn every_condition_of_the_node_has_its_code_and_says_what_to_do() {
    let computer = Computer::new();
    let ill = |method: &str, answer| {
        let fake = healthy();
        fake.on(method, answer);
        fake
    };
    let refusing = |status| {
        let fake = healthy();
        fake.refuse(status);
        fake
    };
    for (fake, check, code) in [
        (refusing(401), "login", "N-03"),
        (refusing(403), "login", "N-04"),
        (ill("getblockchaininfo", Err((-28, "Loading block index…"))), "login", "N-06"),
        (ill("getblockchaininfo", Ok(chain_info("main"))), "chain", "N-08"),
        (ill("getblocktemplate", Err((-9, "no peers"))), "template", "N-09"),
        (ill("getblocktemplate", Err((-1, "odd"))), "template", "N-12"),
    ] {
        let (exit, checks) = computer.visit_node(&fake);
        let found = find(&checks, check);
        assert_eq!((exit, &found["code"]), (1, &json!(code)), "{found}");
        assert_ne!(found["advice"], "", "{found}");
        assert!(find(&checks, "clock")["took_ms"].is_u64(), "the rest is told too");
    }
}

#[test]
fn without_a_node_the_rest_is_tested_all_the_same() {
    let (code, checks) = Computer::new().visit("--network regtest -w 0 --no-listen");
    assert_eq!(code, 1);
    assert_eq!(find(&checks, "RPC port")["code"], "N-01");
    assert_eq!(find(&checks, "login")["result"], "skipped");
    assert_eq!(find(&checks, "data folder")["result"], "good");
}

#[test]
fn bad_settings_and_addresses_are_told_first() {
    let computer = Computer::new();
    let (code, checks) = computer.visit("--network regtest -w everywhere");
    assert_eq!((code, &find(&checks, "settings")["code"]), (1, &json!("E-CLI-01")));
    let address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let line = format!("--network regtest -w 0 --no-listen --address {address}");
    let (_, checks) = computer.visit(&line);
    assert_eq!(find(&checks, "address")["code"], "A-03");
    fs::write(computer.0.path().join("settings.toml"), "[run]\nthread = 1\n").unwrap();
    let (_, checks) = computer.visit("--network regtest");
    assert_eq!(find(&checks, "settings")["code"], "E-APP-03");
}
