//! Words that must not stand in this repository.

use crate::expect_none;
use crate::repository::{File, files};

/// Words about money that promise what nobody can: texts of the window never say them.
const PROMISES: [&str; 4] = ["balance", "pending", "guaranteed", "profit"];

/// Traces of the place where the files were written. In pieces, or this file would contain them.
const PLACES: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
    concat!("../sha", "red"),
    concat!("sub", "agent"),
    concat!("helper ", "session"),
];

/// The one file that may look beside the checkout: it finds a Bitcoin Core to test against.
const MAY_LOOK_OUTSIDE: &str = ".ci/run";

fn place(file: &File) -> Vec<String> {
    if file.path == MAY_LOOK_OUTSIDE {
        return Vec::new();
    }
    let found = (1..).zip(file.text.lines()).filter_map(|(number, line): (usize, &str)| {
        let word = PLACES.iter().find(|word| line.contains(*word))?;
        Some(format!("{}:{number} contains '{word}'", file.path))
    });
    found.collect()
}

/// Where the window's words live, and the page that greets newcomers.
fn speaks_to_users(file: &File) -> bool {
    file.path == "README.md"
        || file.path.starts_with("ui/src/text/") && !file.name().contains(".test.")
}

fn promise(file: &File) -> Vec<String> {
    let found = (1..).zip(file.text.lines()).flat_map(|(number, line): (usize, &str)| {
        let words = line.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
        words
            .filter(|word| PROMISES.contains(&word.as_str()))
            .map(move |word| format!("{}:{number} says '{word}'", file.path))
    });
    found.collect()
}

#[test]
fn nothing_tells_where_it_was_written() {
    let complaints: Vec<String> = files().iter().flat_map(place).collect();
    expect_none("The project speaks of itself only", &complaints);
}

#[test]
fn nothing_shown_to_users_promises_money() {
    let files = files();
    let shown: Vec<&File> = files.iter().filter(|f| speaks_to_users(f)).collect();
    assert!(
        shown.iter().any(|f| f.path.starts_with("ui/src/text/")),
        "the words of the window are not where this check looks"
    );
    let complaints: Vec<String> = shown.into_iter().flat_map(promise).collect();
    expect_none("ui/docs/ux.md, section 23, criterion 26", &complaints);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn promises_are_found_as_whole_words_in_any_case() {
        let text = "a: \"Your Balance\",\nb: \"unbalanced spending\",\n";
        assert_eq!(
            promise(&file("ui/src/text/en.ts", text)),
            ["ui/src/text/en.ts:1 says 'balance'"]
        );
    }

    #[test]
    fn places_are_found_everywhere_but_in_one_file() {
        let text = format!("cp {}x y\n", PLACES[3]);
        assert_eq!(place(&file("a/b.md", &text)).len(), 1);
        assert!(place(&file(MAY_LOOK_OUTSIDE, &text)).is_empty());
    }
}
