//! No test is forgotten: what can be run is run by the checks, and the papers name the same checks.

use crate::expect_none;
use crate::repository::{File, files};

const CHECKS: &str = "installer/xtask/src/checks.rs";

/// The names of the test targets in the manifest of the tests.
fn test_targets(manifest: &str) -> Vec<String> {
    manifest
        .split("[[test]]")
        .skip(1)
        .filter_map(|section| {
            let line = section.lines().find_map(|line| line.trim().strip_prefix("name = \""))?;
            Some(line.trim_end_matches('"').to_owned())
        })
        .collect()
}

#[test]
fn every_test_target_is_run_by_the_checks() {
    let files = files();
    let text = |path: &str| {
        let file = files.iter().find(|f: &&File| f.path == path);
        &file.unwrap_or_else(|| panic!("{path} is missing")).text
    };
    let targets = test_targets(text("tests/Cargo.toml"));
    assert!(!targets.is_empty(), "tests/Cargo.toml is read wrongly");
    let checks = text(CHECKS);
    let forgotten: Vec<String> = targets
        .into_iter()
        .filter(|name| !checks.contains(&format!("\"--test\", \"{name}\"")))
        .map(|name| format!("the test target '{name}' is not run by {CHECKS}"))
        .collect();
    expect_none("A test that nobody runs", &forgotten);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest = "[lib]\nname = \"x\"\n\n[[test]]\nname = \"sim\"\npath = \"sim/main.rs\"\n";
        assert_eq!(test_targets(manifest), ["sim"]);
    }
}
