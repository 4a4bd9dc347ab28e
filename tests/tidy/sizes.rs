//! A file is one idea: there is a size beyond which it cannot be.

use crate::expect_none;
use crate::repository::{File, files};

/// No source file is longer.
const SOURCE_LINES_MAX: usize = 800;

/// No component of the UI is longer.
const COMPONENT_LINES_MAX: usize = 250;

fn complaint(file: &File) -> Option<String> {
    let most = match file.extension() {
        "svelte" => COMPONENT_LINES_MAX,
        "rs" | "ts" | "js" | "css" => SOURCE_LINES_MAX,
        _ => return None,
    };
    let lines = file.text.lines().count();
    (lines > most).then(|| format!("{} has {lines} lines, at most {most}: split it", file.path))
}

#[test]
fn every_file_fits_one_idea() {
    let complaints: Vec<String> = files().iter().filter_map(complaint).collect();
    expect_none("Too long", &complaints);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, lines: usize) -> Option<String> {
        complaint(&File { path: path.into(), text: "x\n".repeat(lines) })
    }

    #[test]
    fn the_limits_are_inclusive() {
        assert!(of("a.rs", 800).is_none() && of("a.rs", 801).is_some());
        assert!(of("A.svelte", 250).is_none() && of("A.svelte", 251).is_some());
        assert!(of("long.md", 5_000).is_none());
    }
}
