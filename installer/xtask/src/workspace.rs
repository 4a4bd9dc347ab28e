//! Where things lie in this checkout.

use std::path::{Path, PathBuf};

use crate::process::{Call, Stop};

/// The folders of one checkout.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout this program was started from.
    ///
    /// Cargo sets `CARGO_MANIFEST_DIR` at run time; the value compiled in is only for a copy started
    /// by hand, because a shared target folder may hold the program of another checkout.
    pub(crate) fn find() -> Self {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.ancestors().nth(2).expect("xtask lies two folders below the root");
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    pub(crate) fn ui_tests(&self) -> PathBuf {
        self.root.join("tests/ui")
    }

    pub(crate) fn shell(&self) -> PathBuf {
        self.root.join("src-tauri")
    }

    /// Where packages are collected.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The folder cargo builds into, wherever the environment or a configuration puts it.
    pub(crate) fn target(&self) -> Result<PathBuf, Stop> {
        let answer = Call::cargo(&["metadata", "--no-deps", "--format-version", "1"], &self.root)
            .answer()
            .as_deref()
            .and_then(|json| json_text_field(json, "target_directory"));
        answer.map(PathBuf::from).ok_or_else(|| {
            Stop::new(
                "cargo metadata did not name the target folder",
                "Run 'cargo metadata --no-deps' and mend what it complains about.",
            )
        })
    }
}

/// The text of the first `"name":"text"` in `json`. Enough for one unambiguous field.
fn json_text_field(json: &str, name: &str) -> Option<String> {
    let key = format!("\"{name}\":\"");
    let mut rest = json.get(json.find(&key)? + key.len()..)?.chars();
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => text.push(rest.next()?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        let workspace = Workspace::find();
        assert!(workspace.root().join("Cargo.lock").is_file());
        assert!(workspace.shell().join("Cargo.toml").is_file());
    }

    #[test]
    fn a_windows_path_is_read_without_its_escapes() {
        let json = r#"{"packages":[],"target_directory":"C:\\a\\b","version":1}"#;
        assert_eq!(json_text_field(json, "target_directory").as_deref(), Some("C:\\a\\b"));
    }

    #[test]
    fn a_missing_or_unfinished_field_is_none() {
        assert_eq!(json_text_field("{}", "target_directory"), None);
        assert_eq!(json_text_field(r#"{"target_directory":"C:"#, "target_directory"), None);
    }
}
