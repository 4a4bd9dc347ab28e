//! The real thing: GNOME Keyring on a session bus of the test's own.
//!
//! The store is found by a variable of the process, so each case runs in a process of its own:
//! this test program once more, with the bus in its surroundings.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

const DAEMON: &str = "gnome-keyring-daemon";
const ACCOUNT: &str = "bitcoind:192.168.1.20:8332";

/// A store comes onto its bus a moment after it was started.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A child process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

/// A session bus without services to start.
fn bus() -> (Process, String) {
    let config = concat!("--config-file=", env!("CARGO_MANIFEST_DIR"), "/tests/bus.conf");
    let mut command = Command::new("dbus-daemon");
    command.args(["--nofork", "--print-address=1", config]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bus = Process(command.spawn().unwrap());
    let address = bus.first_line();
    (bus, address)
}

/// A password store that is unlocked, or that has never been.
fn keyring(address: &str, home: &Path, is_unlocked: bool) -> Process {
    let mut command = Command::new(DAEMON);
    command.args(["--foreground", "--components=secrets"]);
    if is_unlocked {
        command.arg("--unlock");
    }
    command
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("DISPLAY")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut keyring = Process(command.spawn().unwrap());
    keyring.0.stdin.take().unwrap().write_all(b"the store's own\n").unwrap();
    keyring
}

/// Runs a case of this program by itself, on that bus.
fn run(case: &str, address: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", &format!("keychain::tests::{case}")])
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{:?}", output.stderr);
}

fn has_keyring() -> bool {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let all = is_there(DAEMON) && is_there("dbus-daemon");
    if !all {
        println!("skipped: {DAEMON} is not installed (cargo xtask setup installs it)");
    }
    all
}

#[test]
fn login_goes_into_the_systems_store_and_comes_back() {
    if !has_keyring() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (_bus, address) = bus();
    let _keyring = keyring(&address, home.path(), true);
    run("round_trip", &address);
    let mut kept = Vec::new();
    let file = home.path().join("keyrings/login.keyring");
    std::fs::File::open(file).unwrap().read_to_end(&mut kept).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("correct horse"), "it is stored unreadable");
}

#[test]
fn locked_store_declines_and_a_missing_one_is_unavailable() {
    if !has_keyring() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (_bus, address) = bus();
    run("no_service", &address);
    let _keyring = keyring(&address, home.path(), false);
    run("locked", &address);
    run("no_service", "unix:path=/nowhere");
}

/// Waits until the store has come onto the bus.
fn store() -> SystemKeychain {
    let deadline = Instant::now() + PATIENCE;
    while let Err(KeychainError::Unavailable(reason)) = SystemKeychain.get(ACCOUNT) {
        assert!(Instant::now() < deadline, "{reason}");
        std::thread::sleep(POLL);
    }
    SystemKeychain
}

#[test]
#[ignore = "run by login_goes_into_the_systems_store_and_comes_back"]
fn round_trip() {
    let store = store();
    assert_eq!(store.get(ACCOUNT), Ok(None));
    store.set(ACCOUNT, &Secret::new("battery staple".into())).unwrap();
    store.set(ACCOUNT, &Secret::new("correct horse".into())).unwrap();
    store.set("bitcoind:127.0.0.1:8332", &Secret::new("other".into())).unwrap();
    assert_eq!(store.get(ACCOUNT).unwrap().unwrap().expose(), "correct horse");
    store.delete(ACCOUNT).unwrap();
    assert_eq!(store.get(ACCOUNT), Ok(None));
    assert_eq!(store.get("bitcoind:127.0.0.1:8332").unwrap().unwrap().expose(), "other");
    assert_eq!(store.delete(ACCOUNT), Ok(()), "forgetting what is not there changes nothing");
    store.set(ACCOUNT, &Secret::new("correct horse".into())).unwrap();
}

#[test]
#[ignore = "run by locked_store_declines_and_a_missing_one_is_unavailable"]
fn no_service() {
    let answer = SystemKeychain.set(ACCOUNT, &Secret::new("correct horse".into()));
    let Err(KeychainError::Unavailable(reason)) = answer else { panic!("{answer:?}") };
    assert!(!reason.is_empty() && !reason.contains("correct horse"), "{reason}");
}

#[test]
#[ignore = "run by locked_store_declines_and_a_missing_one_is_unavailable"]
fn locked() {
    let answer = store().set(ACCOUNT, &Secret::new("correct horse".into()));
    assert!(matches!(answer, Err(KeychainError::Declined(_))), "{answer:?}");
}
