//! The files of this checkout, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold builds, downloads or output of tests, never sources.
const SKIPPED: [&str; 8] =
    [".git", ".svelte-kit", "artifacts", "coverage", "dist", "gen", "node_modules", "target"];

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the root, with `/` on every system.
    pub(crate) path: String,
    /// Its contents.
    pub(crate) text: String,
}

impl File {
    /// What follows the last dot of the name; empty without one.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The name up to its first dot: `app` for `app.svelte.ts`.
    pub(crate) fn stem(&self) -> &str {
        let name = self.name();
        name.split('.').find(|part| !part.is_empty()).unwrap_or(name)
    }
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package lies one folder below the root").to_owned()
}

/// Every text file outside the skipped folders, in the order of their paths.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("a folder of the checkout can be read");
        for entry in entries {
            let path = entry.expect("an entry of the checkout can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(File { path: relative(&root, &path), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn relative(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).expect("the walk began at the root");
    let parts: Vec<_> = inner.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_sources_and_leaves_builds_out() {
        let files = files();
        let has = |path: &str| files.iter().any(|f| f.path == path);
        assert!(has("Cargo.toml") && has("tests/tidy/main.rs") && has(".cargo/config.toml"));
        assert!(!files.iter().any(|f| f.path.contains("node_modules") || f.path.contains(".git/")));
    }

    #[test]
    fn names_are_taken_apart_at_their_dots() {
        let file = File { path: "ui/src/stores/app.svelte.ts".into(), text: String::new() };
        assert_eq!((file.name(), file.stem(), file.extension()), ("app.svelte.ts", "app", "ts"));
    }
}
