//! The service files in `installer/systemd`: what they say is understood, by systemd and by us.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the packages put the program.
const INSTALLED: &str = "/usr/bin/p2poold";

fn unit(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../installer/systemd");
    fs::read_to_string(root.join(name)).unwrap()
}

fn values<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
}

fn help_of_run() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_p2poold")).args(["run", "--help"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// Lets systemd judge the file, with the program where it is now; `false` without systemd.
fn is_verified(name: &str, arguments: &[&str]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("p2poold.service");
    let text = unit(name).replace(INSTALLED, env!("CARGO_BIN_EXE_p2poold"));
    fs::write(&file, text).unwrap();
    let judge = Command::new("systemd-analyze")
        .args(["--man=no", "verify"])
        .args(arguments)
        .arg(&file)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output();
    let Ok(outcome) = judge else { return false };
    let words = String::from_utf8_lossy(&outcome.stderr);
    let own: Vec<&str> = words.lines().filter(|line| line.contains("p2poold.service")).collect();
    assert!(own.is_empty(), "{name}: {own:?}");
    outcome.status.success()
}

#[test]
fn both_services_start_the_node_and_do_not_repeat_a_wrong_start() {
    for name in ["p2poold.service", "user/p2poold.service"] {
        let unit = unit(name);
        assert_eq!(values(&unit, "ExecStart"), [format!("{INSTALLED} run")], "{name}");
        assert_eq!(values(&unit, "RestartPreventExitStatus"), ["2"], "{name}");
        assert_eq!(values(&unit, "Restart"), ["on-failure"], "{name}");
        let patience: u64 = values(&unit, "TimeoutStopSec")[0].parse().unwrap();
        assert!(patience > 10, "{name}: the node may take ten seconds to stop");
    }
}

#[test]
fn the_service_of_the_system_has_no_more_rights_than_it_needs() {
    let unit = unit("p2poold.service");
    for (name, value) in [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("UMask", "0077"),
    ] {
        assert_eq!(values(&unit, name), [value], "{name}");
    }
}

#[test]
fn every_variable_that_the_services_speak_of_is_understood() {
    let help = help_of_run();
    let mut seen = 0;
    for name in ["p2poold.service", "user/p2poold.service"] {
        let unit = unit(name);
        let words =
            unit.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        for variable in words.filter(|word| word.starts_with("P2POOL_")) {
            assert!(help.contains(variable), "{variable} of {name} is not in the help of run");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn systemd_understands_both_services() {
    let is_system = is_verified("p2poold.service", &[]);
    let is_user = is_verified("user/p2poold.service", &["--user"]);
    if !is_system || !is_user {
        // The other tests have read the files all the same.
        eprintln!("skipped in part: no systemd that verifies (system {is_system}, user {is_user})");
    }
}
