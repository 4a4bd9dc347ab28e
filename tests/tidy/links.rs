//! Every relative link in the papers leads somewhere.

use std::path::Path;

use crate::expect_none;
use crate::repository::{File, files, root};

/// Targets of Markdown links outside code, as written.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_in_fence = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            is_in_fence = !is_in_fence;
        }
        if is_in_fence || line.starts_with("    ") {
            continue;
        }
        for after in line.split("](").skip(1) {
            let Some((target, _)) = after.split_once(')') else { continue };
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// Path and part of a page that a link means, or nothing if it leads out of the repository.
fn relative(target: &str) -> Option<(&str, &str)> {
    let target = target.split(' ').next().unwrap_or_default();
    let is_outside = target.contains("://") || target.starts_with("mailto:");
    (!is_outside).then(|| target.split_once('#').unwrap_or((target, "")))
}

/// The names under which the headings of a page can be linked to.
fn parts(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept =
                title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The dead links of one page. `read` gives the text of what a path leads to: empty for a folder or
/// a file that is no text, nothing if it leads nowhere.
fn complaints(file: &File, read: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    targets(&file.text)
        .into_iter()
        .filter_map(|(number, target)| {
            let (path, part) = relative(&target)?;
            let text =
                if path.is_empty() { Some(file.text.clone()) } else { read(&folder.join(path)) };
            let is_alive =
                text.is_some_and(|t| part.is_empty() || parts(&t).iter().any(|p| p == part));
            (!is_alive).then(|| format!("{}:{number} links to {target}", file.path))
        })
        .collect()
}

#[test]
fn every_link_in_the_papers_leads_somewhere() {
    let root = root();
    let read = |path: &Path| {
        let path = root.join(path);
        path.exists().then(|| std::fs::read_to_string(path).unwrap_or_default())
    };
    let papers: Vec<File> = files().into_iter().filter(|f| f.extension() == "md").collect();
    let found: Vec<String> = papers.iter().flat_map(|file| complaints(file, read)).collect();
    expect_none("Dead links", &found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> File {
        File { path: "docs/page.md".into(), text: text.into() }
    }

    #[test]
    fn dead_links_are_found_relative_to_their_page() {
        let text = "See [a](a.md), [b](../b.md), [c](https://x.example/c.md).\n";
        let found = complaints(&page(text), |path| {
            (path.to_string_lossy().replace('\\', "/") == "docs/a.md").then(String::new)
        });
        assert_eq!(found, ["docs/page.md:1 links to ../b.md"]);
    }

    #[test]
    fn dead_parts_of_living_pages_are_found() {
        let text = "# Top\n[a](a.md#7-how-and-why) [b](a.md#8) [c](#top) [d](#bottom)\n";
        let found = complaints(&page(text), |_| Some("## 7. How, and why?\n".to_owned()));
        let expected = ["docs/page.md:2 links to a.md#8", "docs/page.md:2 links to #bottom"];
        assert_eq!(found, expected);
    }

    #[test]
    fn code_contains_no_links() {
        assert!(targets("```\n[x](y)\n```\n    a[0](b)\n").is_empty());
    }
}
