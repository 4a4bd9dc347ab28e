//! The log in memory: the newest lines, without secrets, for the window and for reports.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::api::{LogLevel, LogLine, LogLines, LogSource, UnixSeconds};

/// Lines that are kept.
pub const LOG_LINES_MAX: usize = 100_000;
/// A longer line is cut: a flood must not eat the memory.
const LINE_CHARS_MAX: usize = 2_000;
/// Secrets that are remembered.
const SECRETS_MAX: usize = 64;
/// Shorter words would hide what is none.
const SECRET_CHARS_MIN: usize = 6;
/// What stands in a secret's place.
const HIDDEN: &str = "•••";
/// What a secret follows, whoever wrote the line.
const MARKS: [&str; 6] =
    ["rpcpassword=", "password=", "passwd=", "authorization: basic ", "__cookie__:", "pin="];

/// The newest lines of the log. Cheap to write to from any thread.
#[derive(Debug, Default)]
pub struct LogBook(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    lines: VecDeque<LogLine>,
    /// Number of the newest line.
    last: u64,
    secrets: Vec<String>,
}

impl LogBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Never shows this text from now on.
    pub fn hide(&self, secret: &str) {
        let mut pages = self.pages();
        let is_known = pages.secrets.iter().any(|known| known == secret);
        if secret.chars().count() < SECRET_CHARS_MIN || is_known {
            return;
        }
        if pages.secrets.len() >= SECRETS_MAX {
            pages.secrets.remove(0);
        }
        pages.secrets.push(secret.to_owned());
        for line in &mut pages.lines {
            line.message = line.message.replace(secret, HIDDEN);
            line.raw = line.raw.replace(secret, HIDDEN);
        }
    }

    /// Writes a line. `target` is the module that speaks, `fields` its values.
    pub fn write(
        &self,
        at: UnixSeconds,
        level: LogLevel,
        target: &str,
        message: &str,
        fields: &str,
    ) {
        let mut pages = self.pages();
        let message = clean(message, &pages.secrets);
        let raw = clean(&format!("{target}: {fields}"), &pages.secrets);
        pages.last += 1;
        let line = LogLine { number: pages.last, at, level, source: source(target), message, raw };
        pages.lines.push_back(line);
        if pages.lines.len() > LOG_LINES_MAX {
            pages.lines.pop_front();
        }
    }

    /// Number of the newest line; 0 before the first.
    pub fn last(&self) -> u64 {
        self.pages().last
    }

    /// The newest lines before a number, or of all; oldest first.
    pub fn before(&self, number: Option<u64>, most: usize) -> LogLines {
        let pages = self.pages();
        let end = match number {
            None => pages.lines.len(),
            Some(number) => pages.lines.partition_point(|line| line.number < number),
        };
        let begin = end.saturating_sub(most);
        LogLines { lines: pages.lines.range(begin..end).cloned().collect(), has_older: begin > 0 }
    }

    /// The oldest lines after a number; oldest first.
    pub fn after(&self, number: u64, most: usize) -> Vec<LogLine> {
        let pages = self.pages();
        let begin = pages.lines.partition_point(|line| line.number <= number);
        pages.lines.range(begin..).take(most).cloned().collect()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a module speaks of.
fn source(target: &str) -> LogSource {
    let begins = |names: &[&str]| names.iter().any(|name| target.starts_with(name));
    if begins(&["p2pool_bitcoind", "p2pool_node::bitcoin", "p2pool_practice"]) {
        LogSource::Node
    } else if begins(&[
        "p2pool_stratum",
        "p2pool_node::door",
        "p2pool_node::cpu_miner",
        "p2pool_miner",
        "p2pool_devices",
    ]) {
        LogSource::Miners
    } else if begins(&["p2pool_node", "p2pool_engine", "p2pool_wire", "p2pool_store"]) {
        LogSource::Pool
    } else {
        LogSource::App
    }
}

/// A text on one line, not too long, without secrets.
fn clean(text: &str, secrets: &[String]) -> String {
    let mut text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LINE_CHARS_MAX)
        .collect();
    for secret in secrets {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), HIDDEN);
        }
    }
    for mark in MARKS {
        text = without_marked(&text, mark);
    }
    text
}

/// Hides the word that follows a mark, wherever it stands.
fn without_marked(text: &str, mark: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(mark) {
        let begin = at + found + mark.len();
        let is_end =
            |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | '}');
        let rest = &text[begin..];
        let skipped = rest.len() - rest.trim_start_matches(['"', '\'']).len();
        let length = rest[skipped..].find(is_end).unwrap_or(rest.len() - skipped);
        out.push_str(&text[at..begin]);
        out.push_str(HIDDEN);
        at = begin + skipped + length;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UnixSeconds = UnixSeconds(1_800_000_000);

    fn write(book: &LogBook, message: &str) {
        book.write(AT, LogLevel::Info, "p2pool_app", message, "");
    }

    #[test]
    fn a35_secrets_of_a_seeded_list_never_appear() {
        let secrets = ["hunter2hunter2", "9f8e7d6c5b4a", "correct horse battery"];
        let book = LogBook::new();
        write(&book, "written before it was known: hunter2hunter2");
        secrets.iter().for_each(|secret| book.hide(secret));
        for secret in secrets {
            write(&book, &format!("login {secret} refused"));
            book.write(AT, LogLevel::Debug, "hyper", "sent", &format!("body={secret}"));
        }
        write(&book, "rpcpassword=typed-by-hand and Authorization: Basic dXNlcjpwYXNz end");
        let all = format!("{:?}", book.before(None, 100));
        for secret in secrets.iter().chain(&["typed-by-hand", "dXNlcjpwYXNz"]) {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        assert!(all.contains("and Authorization: Basic ••• end"), "{all}");
    }

    #[test]
    fn a35_book_keeps_the_newest_hundred_thousand_lines() {
        let book = LogBook::new();
        for number in 0..LOG_LINES_MAX + 10 {
            write(&book, &number.to_string());
        }
        let newest = book.before(None, 3);
        let words: Vec<_> = newest.lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!((words, newest.has_older), (vec!["100007", "100008", "100009"], true));
        let oldest = book.before(Some(13), 100);
        assert_eq!((oldest.lines.len(), oldest.has_older), (2, false));
        assert_eq!(book.after(book.last() - 1, 10).len(), 1);
        assert!(book.after(book.last(), 10).is_empty());
    }

    #[test]
    fn lines_know_what_they_are_about() {
        assert_eq!(source("p2pool_bitcoind::rpc"), LogSource::Node);
        assert_eq!(source("p2pool_node::bitcoin::link"), LogSource::Node);
        assert_eq!(source("p2pool_node::door::miner"), LogSource::Miners);
        assert_eq!(source("p2pool_node::p2p"), LogSource::Pool);
        assert_eq!(source("tauri"), LogSource::App);
    }

    #[test]
    fn line_of_a_stranger_stays_one_line_of_bounded_length() {
        let book = LogBook::new();
        write(&book, &format!("a\nb{}", "x".repeat(9_999)));
        let line = &book.before(None, 1).lines[0];
        assert!(line.message.starts_with("a b") && line.message.chars().count() == 2_000);
    }
}
