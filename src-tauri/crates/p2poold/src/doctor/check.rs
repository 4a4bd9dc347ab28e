//! What one test of the doctor found.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::catalogue;
use crate::failure::Failure;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    /// Nothing to look at: it does not apply, or an earlier test has failed.
    Skipped,
    Good,
    /// Mining works, but something is worth a look.
    Note,
    /// Mining does not work like this.
    Trouble,
}

/// One test and what came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) check: &'static str,
    pub(super) result: Grade,
    /// Code of the error catalogue.
    pub(super) code: Option<String>,
    pub(super) message: String,
    /// What to do; empty if nothing is.
    pub(super) advice: String,
    pub(super) took_ms: u64,
}

/// Measures a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    check: &'static str,
    began: Instant,
}

impl Watch {
    /// Begins to measure.
    pub(super) fn start(check: &'static str) -> Self {
        Self { check, began: Instant::now() }
    }

    pub(super) fn took(self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn good(self, message: impl Into<String>) -> Check {
        self.end(Grade::Good, None, message.into(), String::new())
    }

    pub(super) fn skipped(self, message: impl Into<String>) -> Check {
        self.end(Grade::Skipped, None, message.into(), String::new())
    }

    /// Something worth a look, with the catalogue's words if it has a code.
    pub(super) fn note(self, code: Option<&str>, message: &str, advice: &str) -> Check {
        self.end(Grade::Note, code, message.to_owned(), advice.to_owned())
    }

    pub(super) fn trouble(self, code: &str, message: &str, advice: &str) -> Check {
        self.end(Grade::Trouble, Some(code), message.to_owned(), advice.to_owned())
    }

    /// A condition of the catalogue; its own words, and beside them what is known in detail.
    pub(super) fn condition(self, code: &str, details: &str, advice: &str) -> Check {
        let words = catalogue::sentence(code);
        let details = if details.is_empty() { String::new() } else { format!(" ({details})") };
        self.trouble(code, &format!("{words}{details}"), advice)
    }

    /// A failure that `run` would end with; its sentence says what to do.
    pub(super) fn failure(self, failure: &Failure) -> Check {
        let message = failure.sentence.lines().chain(failure.details.lines());
        let message: Vec<&str> = message.collect();
        self.trouble(failure.code, &message.join("\n"), "")
    }

    fn end(self, result: Grade, code: Option<&str>, message: String, advice: String) -> Check {
        let took_ms = u64::try_from(self.took().as_millis()).unwrap_or(u64::MAX);
        Check { check: self.check, result, code: code.map(str::to_owned), message, advice, took_ms }
    }
}

impl Check {
    /// For people: the first line with grade and time, what is to be done below it.
    pub(super) fn lines(&self) -> Vec<String> {
        let grade = match self.result {
            Grade::Skipped => "  -  ",
            Grade::Good => " ok  ",
            Grade::Note => "note ",
            Grade::Trouble => "FAIL ",
        };
        let code = self.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        let time = match self.result {
            Grade::Skipped => String::new(),
            Grade::Good | Grade::Note | Grade::Trouble => format!("{} ms", self.took_ms),
        };
        let mut words = self.message.lines();
        let first = words.next().unwrap_or_default();
        let mut lines = vec![format!("{grade}{:<16}{time:>8}  {code}{first}", self.check)];
        let more = words.chain(self.advice.lines());
        lines.extend(more.map(|line| format!("{:31}{line}", "")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_told_with_its_time_code_and_what_to_do() {
        let mut check = Watch::start("login").condition("N-03", "401", "Write a new one.");
        check.took_ms = 12;
        let lines = check.lines();
        assert!(lines[0].starts_with("FAIL login"), "{lines:?}");
        assert!(lines[0].contains("12 ms  N-03: Your Bitcoin node rejected our login."));
        assert!(lines[0].ends_with("(401)"));
        assert_eq!(lines[1].trim(), "Write a new one.");
        let skipped = Watch::start("members").skipped("none needed").lines();
        assert!(!skipped[0].contains("ms"), "{skipped:?}");
    }

    #[test]
    fn grades_are_ordered_by_how_bad_they_are() {
        let worst = [Grade::Good, Grade::Trouble, Grade::Note, Grade::Skipped].into_iter().max();
        assert_eq!(worst, Some(Grade::Trouble));
        assert_eq!([Grade::Skipped, Grade::Good].into_iter().max(), Some(Grade::Good));
    }
}
