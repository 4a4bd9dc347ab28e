//! A person without a window and a true Bitcoin node on the same computer: found, given a login,
//! looked at, mined with, asked how it does, and left as it was.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use p2pool_tests::{Bitcoind, Outcome, StratumMiner, TempNode, run};
use serde_json::Value;

use crate::{SOON, STOP_WITHIN};

/// What stands in the settings before anybody of us comes.
const CONF: &[u8] = b"# mine\r\ndbcache=50\r\n[regtest]\r\npeertimeout=60";
const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
/// Between two looks at something that needs a while.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Finds until one is a share: most are.
const FINDS_MAX: u32 = 50;

/// The folders of one computer.
struct Home {
    bitcoin: PathBuf,
    own: PathBuf,
}

impl Home {
    fn p2poold(&self, line: &str) -> Outcome {
        let mut words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        words.extend(["--data-dir".into(), self.own.clone().into_os_string()]);
        run(&words)
    }

    /// The same for a command that looks at the Bitcoin node.
    fn at_node(&self, line: &str) -> Outcome {
        self.p2poold(&format!("{line} --bitcoin-dir {}", self.bitcoin.display()))
    }

    /// Asks until the answer has these words.
    fn until(&self, line: &str, words: &str) -> Outcome {
        let start = Instant::now();
        loop {
            let outcome = self.at_node(line);
            if outcome.stdout.contains(words) {
                return outcome;
            }
            let Outcome { stdout, stderr, .. } = outcome;
            assert!(start.elapsed() < SOON, "no {words:?} in:\n{stdout}{stderr}");
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn good(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
}

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A login of ours, which the node takes once it was restarted; gives the user's name.
fn give_login(home: &Home, bitcoind: &mut Bitcoind) -> String {
    home.until("conf check", "with the node's cookie file");
    let written = home.at_node("conf write --login rpcauth --yes");
    good(&written);
    assert_eq!(fs::read(copy_of_conf(home)).unwrap(), CONF);
    let kept = fs::read_to_string(home.own.join("bitcoind-login")).unwrap();
    let (user, password) = kept.trim_end().split_once(':').unwrap();
    let conf = fs::read(home.bitcoin.join("bitcoin.conf")).unwrap();
    let conf = String::from_utf8_lossy(&conf);
    assert!(conf.contains(&format!("rpcauth={user}:")) && !conf.contains(password), "{conf}");
    assert!(!written.stdout.contains(password) && !written.stderr.contains(password));

    let early = home.at_node("conf check");
    assert!(early.stdout.contains("C-05: "), "{}", early.stdout);
    bitcoind.stop();
    bitcoind.start_again();
    home.until("conf check", &format!("p2poold logs in as {user}"));
    user.to_owned()
}

fn copy_of_conf(home: &Home) -> PathBuf {
    let files = fs::read_dir(&home.bitcoin).unwrap().map(|entry| entry.unwrap().path());
    let is_copy = |path: &PathBuf| path.to_string_lossy().contains("-backup-");
    files.into_iter().find(is_copy).expect("a copy of the old file")
}

/// Every test that concerns the Bitcoin node is good.
fn is_healthy(home: &Home) {
    let doctor = home.at_node("doctor --json --network regtest -w 127.0.0.1:0 --no-listen");
    let checks = json(&doctor.stdout);
    for name in ["Bitcoin node", "RPC port", "login", "chain", "template", "new blocks", "clock"] {
        let check = checks.iter().find(|check| check["check"] == name);
        let check = check.unwrap_or_else(|| panic!("no {name}: {}", doctor.stdout));
        assert_eq!(check["result"], "good", "{check}");
    }
    assert!(checks.iter().all(|check| check["result"] != "trouble"), "{}", doctor.stdout);
}

/// Until a share and a block have been found.
async fn mine(node: &mut TempNode, miner: &mut StratumMiner) {
    for number in 1..=FINDS_MAX {
        let work = miner.work(SOON, |_| true).await;
        miner.find(&work.work).await;
        miner.answered(number.into(), SOON).await;
        let block = node.wait_for("block_accepted", SOON, |_| true);
        assert_eq!(block["is_exact"], true, "{block}");
        // The answer to the find came after the share.
        node.wait_for_next("status", SOON, |line| line["type"] == "status");
        if node.seen().iter().any(|line| line["type"] == "share_found") {
            return;
        }
    }
    panic!("no share in {FINDS_MAX} finds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_found_given_a_login_mined_with_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { Path::new(folder.path()).join(name) };
    let home = Home { bitcoin: at("bitcoin"), own: at("own") };
    fs::create_dir(&home.bitcoin).unwrap();
    fs::write(home.bitcoin.join("bitcoin.conf"), CONF).unwrap();
    let Some(mut bitcoind) = Bitcoind::start(&home.bitcoin, "regtest", &[]) else { return };
    let user = give_login(&home, &mut bitcoind);
    is_healthy(&home);
    assert_eq!(home.p2poold("status").code, Some(3));

    let bitcoin = home.bitcoin.to_str().unwrap();
    let arguments = ["--address", ADDRESS, "--bitcoin-dir", bitcoin];
    let mut node = TempNode::run_on_regtest(&home.own, &arguments);
    let started = node.wait_for("started", SOON, |_| true);
    assert!(started["rpc_login"].as_str().unwrap().contains(&user), "{started}");
    let door = started["stratum_url"].as_str().unwrap().trim_start_matches("stratum+tcp://");
    let door: SocketAddr = door.parse().unwrap();
    let mut miner = StratumMiner::start(door, "rig");
    mine(&mut node, &mut miner).await;

    let status = home.p2poold("status --json");
    good(&status);
    let report = &json(&status.stdout)[0];
    assert_eq!(
        (&report["status"]["state"], &report["network"]),
        (&"mining".into(), &"p2pool-regtest".into())
    );
    assert_eq!(report["payout_address"], ADDRESS);
    let words = home.p2poold("status");
    assert!(words.stdout.contains("p2pool-regtest: mining"), "{}", words.stdout);

    let exit = node.terminate(STOP_WITHIN);
    exit.assert_good();
    assert!(exit.line("summary")["blocks_accepted"].as_u64().unwrap() >= 1);
    assert_eq!(home.p2poold("status").code, Some(3));
    good(&home.at_node("conf undo --yes"));
    assert_eq!(fs::read(home.bitcoin.join("bitcoin.conf")).unwrap(), CONF);
    assert!(!home.own.join("bitcoind-login").exists());
}

#[test]
fn without_a_payable_address_or_with_a_secret_in_its_place_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home { bitcoin: folder.path().into(), own: folder.path().join("own") };
    let wif = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";
    for (line, code) in [
        ("run".to_owned(), "A-01: "),
        (format!("run --address {ADDRESS}"), "A-03: "),
        (format!("run --address {wif}"), "A-04: "),
    ] {
        let outcome = home.at_node(&line);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with(code) && !outcome.stderr.contains(wif), "{line}");
        assert!(!home.own.exists(), "nothing was begun");
    }
}

#[test]
fn a_bitcoin_node_that_comes_later_and_elsewhere_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let bitcoin = folder.path().join("bitcoin");
    fs::create_dir(&bitcoin).unwrap();
    if std::env::var_os("BITCOIND_EXE").is_none() {
        return drop(Bitcoind::start(&bitcoin, "regtest", &[]));
    }
    let arguments = ["--bitcoin-dir", bitcoin.to_str().unwrap()];
    let mut node = TempNode::run_on_regtest(&folder.path().join("own"), &arguments);
    let started = node.wait_for("started", SOON, |_| true);
    node.wait_for("bitcoin", SOON, |line| line["state"] == "unavailable");
    let _bitcoind = Bitcoind::start(&bitcoin, "regtest", &[]);
    let is_elsewhere = |line: &Value| line["rpc_url"] != started["rpc_url"];
    node.wait_for("started", SOON, is_elsewhere);
    node.wait_for_next("bitcoin", SOON, |line| line["state"] == "ready");
    node.terminate(STOP_WITHIN).assert_good();
}
