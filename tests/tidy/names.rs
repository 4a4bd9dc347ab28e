//! No drawer for everything: what cannot be named has no home yet.

use crate::expect_none;
use crate::repository::{File, files};

/// Names under which anything could lie.
const DRAWERS: [&str; 9] = [
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "manager",
    "shared",
    "service-locator",
];

fn complaint(file: &File) -> Option<String> {
    if !matches!(file.extension(), "rs" | "ts" | "js" | "svelte" | "css") {
        return None;
    }
    let folders = file.path.split('/').rev().skip(1);
    let drawer = std::iter::once(file.stem())
        .chain(folders)
        .find(|part| DRAWERS.contains(&part.to_lowercase().as_str()))?;
    Some(format!("{}: '{drawer}' says nothing about what is in it", file.path))
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    let complaints: Vec<String> = files().iter().filter_map(complaint).collect();
    expect_none("Name it after the concept it serves", &complaints);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<String> {
        complaint(&File { path: path.into(), text: String::new() })
    }

    #[test]
    fn drawers_are_found_as_files_and_as_folders() {
        for path in ["a/src/utils.rs", "ui/src/common/Button.svelte", "ui/src/Helper.ts"] {
            assert!(of(path).is_some(), "{path}");
        }
        assert!(of("a/src/share_utilisation.rs").is_none());
    }
}
