//! Plays the committed corpus of every fuzz target through its body, as ordinary tests.

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use p2pool_fuzz_bodies::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The files of one folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    files.sort();
    files
}

/// Plays a target's corpus and names each input that fails.
fn replay(name: &str) {
    let (_, body) = TARGETS.into_iter().find(|(target, _)| *target == name).expect("a target");
    let files = files(&corpus().join(name));
    assert!(!files.is_empty(), "no corpus for {name}");
    let fails = |file: &PathBuf| {
        let data = fs::read(file).expect("a file of the corpus can be read");
        panic::catch_unwind(|| body(&data)).is_err()
    };
    let failed: Vec<PathBuf> = files.into_iter().filter(fails).collect();
    assert!(failed.is_empty(), "{name} fails with {failed:?}");
}

#[test]
fn address_decode() {
    replay("address_decode");
}

#[test]
fn axeos_info() {
    replay("axeos_info");
}

#[test]
fn engine_steps() {
    replay("engine_steps");
}

#[test]
fn http_request() {
    replay("http_request");
}

#[test]
fn share_parse() {
    replay("share_parse");
}

#[test]
fn stratum_line() {
    replay("stratum_line");
}

#[test]
fn wire_frame() {
    replay("wire_frame");
}

#[test]
fn wire_message() {
    replay("wire_message");
}

#[test]
fn wire_session() {
    replay("wire_session");
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folders = files(&corpus());
    let names: Vec<_> =
        folders.iter().map(|folder| folder.file_name().unwrap_or_default().to_owned()).collect();
    assert_eq!(names, TARGETS.map(|(name, _)| name));
    let manifest = fs::read_to_string(corpus().with_file_name("Cargo.toml"));
    let manifest = manifest.expect("the targets have a manifest");
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not built");
    }
}
