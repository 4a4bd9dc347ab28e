//! The map in `ARCHITECTURE.md` shows no room that is not there. Planned ones stand in parentheses.

use crate::expect_none;
use crate::repository::{File, files};

const PAPER: &str = "ARCHITECTURE.md";
const SECTION: &str = "## 2. Tree";

/// The tree of the map, without what stands in parentheses.
fn tree(paper: &str) -> String {
    let section = paper.split_once(SECTION).map_or("", |(_, after)| after);
    let tree = section.split("```").nth(1).unwrap_or_default();
    let mut depth = 0_usize;
    tree.chars()
        .filter(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// Every file that the tree names, by its name alone.
fn named_files(tree: &str) -> Vec<&str> {
    let words = tree.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/'));
    words.filter(|word| word.ends_with(".rs") || word.ends_with(".ts")).collect()
}

#[test]
fn every_room_on_the_map_is_there() {
    let files = files();
    let paper = files.iter().find(|f: &&File| f.path == PAPER).expect("the map is in the root");
    let tree = tree(&paper.text);
    let named = named_files(&tree);
    assert!(named.len() > 20, "the map is read wrongly: {named:?}");
    let missing: Vec<String> = named
        .into_iter()
        .filter(|name| !files.iter().any(|f| f.name() == *name))
        .map(|name| format!("{name} is on the map, but no file has that name"))
        .collect();
    expect_none("Mend the map, or put planned rooms in parentheses", &missing);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_rooms_are_left_out() {
        let paper = "## 1.\n```\nno.rs\n```\n## 2. Tree\n```\nsrc/a.rs b.rs, c (d.rs and\n  e.rs) f.rs\n```\n";
        assert_eq!(named_files(&tree(paper)), ["a.rs", "b.rs", "f.rs"]);
    }
}
