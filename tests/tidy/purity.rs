//! Pure crates: no sockets, disk, threads, clock or entropy, and no unsafe code.

use crate::dependencies::PURE;
use crate::expect_none;
use crate::repository::{File, files};

/// What a pure crate never names. Address types live in `core::net`, which opens nothing.
const FORBIDDEN: [&str; 15] = [
    "tokio",
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "getrandom",
    "Rng::new",
    "thread_rng",
    "OsRng",
    "RandomState",
    "thread_local!",
    "static mut",
];

/// The same modules when they are named inside `use std::{..}`.
const FORBIDDEN_MODULES: [&str; 5] = ["net", "fs", "thread", "process", "env"];

/// Lines that stand in the library of every pure crate.
const DECLARATIONS: [&str; 2] =
    ["#![forbid(unsafe_code)]", "#![deny(clippy::iter_over_hash_type)]"];

/// The code of a file without comments and without what is compiled for tests only.
///
/// Reads rustfmt's layout: an item ends at the first line that closes it on its own indentation.
fn production_code(text: &str) -> Vec<(usize, &str)> {
    let mut code = Vec::new();
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        let indentation = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("#[cfg(test)]") {
            for (_, inside) in lines.by_ref() {
                let is_at_level = inside.len() - inside.trim_start().len() == indentation;
                let ends = inside.ends_with('}') || inside.ends_with(';');
                if is_at_level && ends && !inside.trim_start().starts_with("#[") {
                    break;
                }
            }
            continue;
        }
        let visible = line.split("//").next().unwrap_or_default();
        if !visible.trim().is_empty() {
            code.push((number, visible));
        }
    }
    code
}

/// All that makes this file of a pure crate impure.
fn complaints(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    let code = production_code(&file.text);
    for (number, line) in &code {
        for word in FORBIDDEN.iter().filter(|word| names(line, word)) {
            complaints.push(format!("{}:{number} names {word}", file.path));
        }
    }
    let joined: String = code.iter().flat_map(|(_, line)| [*line, " "]).collect();
    for group in joined.split("std::{").skip(1) {
        let group = group.split(';').next().unwrap_or_default();
        let words = group.split(|c: char| !c.is_alphanumeric() && c != '_');
        for module in words.filter(|word| FORBIDDEN_MODULES.contains(word)) {
            complaints.push(format!("{} names std::{module}", file.path));
        }
    }
    complaints
}

/// Whether `line` contains `word` not as a part of a longer name.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|s| s.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|s| s.chars().next());
        !is_part(before) && !is_part(after)
    })
}

fn is_for_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

#[test]
fn pure_crates_name_nothing_impure() {
    let files = files();
    let mut found = Vec::new();
    for (package, _) in PURE {
        let folder = format!("src-tauri/crates/{package}/src/");
        let sources = files.iter().filter(|f| f.path.starts_with(&folder));
        let sources: Vec<&File> = sources.filter(|f| f.extension() == "rs").collect();
        let library = sources.iter().find(|f| f.path == format!("{folder}lib.rs"));
        let library = library.unwrap_or_else(|| panic!("{folder}lib.rs is missing"));
        let lacks = |line: &&&str| !library.text.lines().any(|l| l == **line);
        found.extend(
            DECLARATIONS.iter().filter(lacks).map(|line| format!("{} lacks {line}", library.path)),
        );
        for file in sources.iter().filter(|f| !is_for_tests(&f.path)) {
            found.extend(complaints(file));
        }
    }
    expect_none("A pure crate gets time, chance and bytes as arguments", &found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_of(text: &str) -> Vec<String> {
        complaints(&File { path: "x.rs".into(), text: text.into() })
    }

    #[test]
    fn a_clock_a_socket_and_a_file_are_found() {
        assert_eq!(complaints_of("fn f() {\n    let t = Instant::now();\n}\n").len(), 1);
        assert_eq!(complaints_of("use std::net::TcpStream;\n").len(), 1);
        assert_eq!(complaints_of("use std::{\n    collections::BTreeMap,\n    fs,\n};\n").len(), 1);
        assert_eq!(complaints_of("use std::{collections::BTreeMap, fmt};\nuse x::env;\n").len(), 0);
    }

    #[test]
    fn comments_longer_names_and_addresses_are_no_complaint() {
        assert!(complaints_of("// tokio drives this\nlet tokio_like = 1;\n").is_empty());
        assert!(complaints_of("use core::net::SocketAddr;\n").is_empty());
    }

    #[test]
    fn code_for_tests_is_left_out_and_code_after_it_is_not() {
        let text = "\
fn a() {}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn b() {
        fs::read(\"x\").unwrap();
    }
}

use std::thread;
";
        assert_eq!(complaints_of(text), ["x.rs:13 names std::thread"]);
        assert!(complaints_of("#[cfg(test)]\nmod tests;\nfn a() {}\n").is_empty());
        assert_eq!(complaints_of("#[cfg(test)]\nuse std::fs;\nuse std::net::X;\n").len(), 1);
    }
}
