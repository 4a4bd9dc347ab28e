//! The window and its shell agree on the names of their commands.

use std::collections::BTreeSet;

use crate::expect_none;
use crate::repository::{File, files};

const TYPESCRIPT: &str = "ui/src/ipc/commands.ts";
const RUST: &str = "src-tauri/src/commands.rs";

/// Every string of the file that alone names commands.
fn named_in_typescript(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("/*")
        .enumerate()
        .map(|(number, part)| match part.split_once("*/") {
            Some((_, after)) if number > 0 => after,
            _ => part,
        })
        .collect();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(['"', '\'']).skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// Every function marked as a command.
fn registered_in_rust(text: &str) -> BTreeSet<String> {
    let after_marks = text.split("#[tauri::command").skip(1);
    after_marks
        .filter_map(|after| after.split_once("fn ")?.1.split(['(', '<']).next())
        .map(|name| name.trim().to_owned())
        .collect()
}

#[test]
fn both_sides_name_the_same_commands() {
    let files = files();
    let text = |path: &str| {
        let file = files.iter().find(|f: &&File| f.path == path);
        &file.unwrap_or_else(|| panic!("{path} is missing")).text
    };
    let named = named_in_typescript(text(TYPESCRIPT));
    let registered = registered_in_rust(text(RUST));
    assert!(!registered.is_empty(), "{RUST} registers no command: the check reads it wrongly");
    let complaints: Vec<String> = named
        .symmetric_difference(&registered)
        .map(|name| {
            let side = if named.contains(name) { TYPESCRIPT } else { RUST };
            format!("'{name}' stands in {side} only")
        })
        .collect();
    expect_none("A command needs both ends", &complaints);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_strings_and_not_from_comments() {
        let text = "/** The \"old\" one. */\nexport const COMMANDS = {\n  a: \"ask\", // \"no\"\n} as const;\n";
        assert_eq!(named_in_typescript(text), BTreeSet::from(["ask".to_owned()]));
    }

    #[test]
    fn functions_are_read_with_any_visibility_and_attributes() {
        let text = "\
#[tauri::command]
pub(crate) async fn subscribe(app: App) {}

#[tauri::command(rename_all = \"camelCase\")]
#[expect(clippy::x, reason = \"y\")]
fn request<R: Runtime>(app: App<R>) {}

fn not_a_command() {}
";
        assert_eq!(
            registered_in_rust(text),
            BTreeSet::from(["request".to_owned(), "subscribe".to_owned()])
        );
    }
}
