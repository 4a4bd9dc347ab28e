//! A program that is killed while it writes its settings.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;

/// Tells the writer where to write; without it the writer has nothing to do.
const VARIABLE: &str = "P2POOL_TEST_SETTINGS_DIR";
/// Times the writer is killed.
const KILLS: u32 = 8;

/// Writes for ever, in a process of its own.
#[test]
fn writer() {
    let Some(dir) = std::env::var_os(VARIABLE).map(PathBuf::from) else { return };
    for threads in (3..=4).cycle() {
        change(&dir, |raw| {
            raw.practice.threads = Some(threads);
            raw.p2p.peers = (0..60).map(|number| format!("{threads}-{number}.example")).collect();
        })
        .unwrap();
    }
}

/// Acceptance 59: the next start has the old or the new settings, whole.
#[test]
fn settings_survive_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(SETTINGS_FILE);
    for _ in 0..KILLS {
        fs::write(&path, "[practice]\nthreads = 3\n").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["settings::kill::writer", "--exact"])
            .env(VARIABLE, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !fs::read_to_string(&path).is_ok_and(|text| text.contains("4-59.example")) {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let read = read(dir.path(), UnixSeconds(1_800_000_000)).unwrap();
        assert_eq!(read.restored, None);
        let threads = read.raw.practice.threads.unwrap();
        let peer = format!("{threads}-59.example");
        assert_eq!((read.raw.p2p.peers.len(), read.raw.p2p.peers.last()), (60, Some(&peer)));
    }
}
