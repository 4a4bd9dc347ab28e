//! The window's types are those of the application layer, generated anew and compared.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::expect_none;
use crate::repository::root;

const COMMITTED: &str = "ui/src/ipc/generated";

/// Every TypeScript file below `folder`, by its path from there.
fn types_in(folder: &Path) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.expect("an entry can be read").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let inner = path.strip_prefix(folder).expect("the walk began there");
                let name = inner.to_string_lossy().replace('\\', "/");
                types.insert(name, fs::read_to_string(&path).expect("generated types are text"));
            }
        }
    }
    types
}

/// How the committed types differ from those the code yields.
fn differences(
    committed: &BTreeMap<String, String>,
    fresh: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in fresh {
        match committed.get(name) {
            None => found.push(format!("{COMMITTED}/{name} is missing")),
            Some(old) if old.replace("\r\n", "\n") != *text => {
                found.push(format!("{COMMITTED}/{name} is out of date"));
            }
            Some(_) => {}
        }
    }
    let left_over = committed.keys().filter(|name| !fresh.contains_key(*name));
    found.extend(left_over.map(|name| format!("{COMMITTED}/{name} has no type in Rust any more")));
    found
}

#[test]
fn generated_typescript_is_up_to_date() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--package", "p2pool-app", "--lib", "export_bindings"])
        .env("TS_RS_EXPORT_DIR", folder.path())
        .current_dir(root())
        .output()
        .expect("cargo is there: it runs this test");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the types cannot be exported: {complaint}");

    let fresh = types_in(folder.path());
    assert!(!fresh.is_empty(), "p2pool-app exports no type: the check runs the wrong tests");
    expect_none(
        "Run cargo test -p p2pool-app export_bindings and commit what it writes",
        &differences(&types_in(&root().join(COMMITTED)), &fresh),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn missing_changed_and_left_over_types_are_found() {
        let committed = types(&[("Changed.ts", "old"), ("Gone.ts", "x"), ("Same.ts", "same\r\n")]);
        let fresh = types(&[("Changed.ts", "new"), ("New.ts", "x"), ("Same.ts", "same\n")]);
        assert_eq!(differences(&committed, &fresh).len(), 3);
        assert!(differences(&fresh, &fresh).is_empty());
    }
}
