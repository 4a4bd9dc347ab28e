//! No test is forgotten: what can be run is run by the checks, and the papers name the same checks.

use crate::expect_none;
use crate::repository::{File, files};

const CHECKS: &str = "installer/xtask/src/checks.rs";
const PAPER: &str = "CONTRIBUTING.md";

/// The argument lists of the checks, each as it is typed.
fn command_lines(checks: &str) -> Vec<String> {
    checks
        .split("arguments: &[")
        .skip(1)
        .filter_map(|after| Some(after.split_once(']')?.0))
        .map(|list| list.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "))
        .collect()
}

/// The text of one file that must be there.
fn text<'f>(files: &'f [File], path: &str) -> &'f str {
    let file = files.iter().find(|f| f.path == path);
    &file.unwrap_or_else(|| panic!("{path} is missing")).text
}

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
    let targets = test_targets(text(&files, "tests/Cargo.toml"));
    assert!(!targets.is_empty(), "tests/Cargo.toml is read wrongly");
    let checks = text(&files, CHECKS);
    let forgotten: Vec<String> = targets
        .into_iter()
        .filter(|name| !checks.contains(&format!("\"--test\", \"{name}\"")))
        .map(|name| format!("the test target '{name}' is not run by {CHECKS}"))
        .collect();
    expect_none("A test that nobody runs", &forgotten);
}

#[test]
fn the_checks_are_the_list_that_a_person_can_type() {
    let files = files();
    let lines = command_lines(text(&files, CHECKS));
    assert!(lines.len() > 5, "{CHECKS} is read wrongly: {lines:?}");
    let paper = text(&files, PAPER);
    let missing: Vec<String> = lines
        .into_iter()
        .filter(|line| !paper.lines().any(|typed| typed.contains(&format!(" {line}"))))
        .map(|line| format!("'{line}' of {CHECKS} does not stand in {PAPER}"))
        .collect();
    expect_none("A check that nobody can type", &missing);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_read_across_lines() {
        let checks = "\
            arguments: &'static [&'static str],
            arguments: &[\"test\", \"-p\", \"x\"],
            arguments: &[
                \"fmt\",
                \"--check\",
            ],
";
        assert_eq!(command_lines(checks), ["test -p x", "fmt --check"]);
    }

    #[test]
    fn targets_are_read_from_the_manifest() {
        let manifest = "[lib]\nname = \"x\"\n\n[[test]]\nname = \"sim\"\npath = \"sim/main.rs\"\n";
        assert_eq!(test_targets(manifest), ["sim"]);
    }
}
