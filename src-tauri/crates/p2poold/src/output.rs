//! [`Console`]: lines for a person, and a person's answers.

use std::io::{self, BufRead, Write};

use p2pool_node::ProblemCode;

use crate::failure::Failure;
use crate::text::printable;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64;

/// Says and asks.
pub(crate) struct Console<'a> {
    out: &'a mut dyn Write,
    answers: &'a mut dyn BufRead,
}

impl<'a> Console<'a> {
    /// Writes to `out`, reads answers from `answers`.
    pub(crate) fn new(out: &'a mut dyn Write, answers: &'a mut dyn BufRead) -> Self {
        Self { out, answers }
    }

    /// Prints lines; a reader that has gone does not want more.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        write_lines(self.out, text)
    }

    /// Asks; only a clear yes is one.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub(crate) fn agrees(&mut self, question: &str) -> Result<bool, Failure> {
        write!(self.out, "{} [y/N] ", printable(question))
            .and_then(|()| self.out.flush())
            .map_err(|error| unwritten(&error))?;
        let mut answer = String::new();
        let mut answers = io::Read::take(&mut *self.answers, ANSWER_BYTES_MAX);
        // Who closes the input, or types no text, has not agreed.
        let is_read = answers.read_line(&mut answer).is_ok();
        if !answer.ends_with('\n') {
            self.say("")?;
        }
        Ok(is_read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Prints lines to standard output.
///
/// # Errors
/// Nobody listens any more.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    write_lines(&mut io::stdout(), text)
}

fn write_lines(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    let mut lines: Vec<String> = text.lines().map(printable).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(|error| unwritten(&error))
}

/// The failure of an output that is closed or full.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    Failure::of_run(ProblemCode::DataFolder, format!("The output cannot be written: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answer: &str) -> (bool, String) {
        let (mut out, mut answers) = (Vec::new(), answer.as_bytes());
        let agreed = Console::new(&mut out, &mut answers).agrees("Write it?").unwrap();
        (agreed, String::from_utf8(out).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, is_yes) in [("y\n", true), (" YES \n", true), ("\n", false), ("", false)] {
            let (agreed, shown) = asked(answer);
            assert_eq!(agreed, is_yes, "{answer:?}");
            assert!(shown.starts_with("Write it? [y/N] "), "{shown:?}");
        }
        assert!(!asked("yet\n").0);
        assert!(!asked(&"y".repeat(1000)).0);
    }

    #[test]
    fn nobody_else_steers_the_terminal() {
        let (mut out, mut answers) = (Vec::new(), &b""[..]);
        Console::new(&mut out, &mut answers).say("a\x1b[2Jb\nc").unwrap();
        assert_eq!(out, b"a?[2Jb\nc\n");
    }
}
