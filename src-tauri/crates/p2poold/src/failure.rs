//! Why the node does not run, in words: a code of the error catalogue, a sentence, what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use p2pool_node::{ProblemCode, StartError};

use crate::notice::Notice;

/// Code of wrong options.
const BAD_OPTIONS: &str = "E-CLI-01";
/// Exit code of wrong options and settings.
pub(crate) const EXIT_INPUT: u8 = 2;
/// Exit code of everything else.
pub(crate) const EXIT_FAILURE: u8 = 1;
/// Exit code of asking a node that does not run.
pub(crate) const EXIT_NOT_RUNNING: u8 = 3;
/// Exit code of a look at something that needs a person's hand.
pub(crate) const EXIT_TO_DO: u8 = 4;

/// An end before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Code of the error catalogue.
    pub(crate) code: &'static str,
    /// What is wrong and what to do about it.
    pub(crate) sentence: String,
    /// Technical text, possibly of several lines; may be empty.
    pub(crate) details: String,
    /// The program's exit code.
    pub(crate) exit: u8,
}

impl Failure {
    /// Options that cannot be understood; `details` is the parser's text.
    pub(crate) fn bad_options(details: &str) -> Self {
        Self {
            code: BAD_OPTIONS,
            sentence: "These options cannot be used. See p2poold --help.".into(),
            details: details.trim_end().to_owned(),
            exit: EXIT_INPUT,
        }
    }

    /// A value that cannot be.
    pub(crate) fn bad_value(sentence: String) -> Self {
        Self { code: BAD_OPTIONS, sentence, details: String::new(), exit: EXIT_INPUT }
    }

    /// The system does not say where data belongs.
    pub(crate) fn no_data_folder() -> Self {
        Self {
            code: BAD_OPTIONS,
            sentence: "This system names no folder for your data. Name one with --data-dir.".into(),
            details: String::new(),
            exit: EXIT_INPUT,
        }
    }

    /// Wrong settings.
    pub(crate) fn of_settings(code: ProblemCode, sentence: String, details: String) -> Self {
        Self { code: code.as_str(), sentence, details, exit: EXIT_INPUT }
    }

    /// Anything that fails while running.
    pub(crate) fn of_run(code: ProblemCode, sentence: String) -> Self {
        Self { code: code.as_str(), sentence, details: String::new(), exit: EXIT_FAILURE }
    }

    /// Tells the person, and with `is_json` also the program that listens; gives the exit code.
    pub(crate) fn tell(&self, is_json: bool) -> ExitCode {
        if is_json {
            let message = self.sentence.clone();
            let line = Notice::Failed { code: self.code, message, details: self.details.clone() };
            // Who has closed our output does not want to know.
            let _ = writeln!(io::stdout(), "{}", line.to_json(crate::notice::now()));
        }
        let _ = writeln!(io::stderr(), "{self}");
        ExitCode::from(self.exit)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence)?;
        self.details.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = error.code().as_str();
        let other_folder = "choose another folder with --data-dir";
        let (sentence, details, exit) = match error {
            StartError::Settings(error) => {
                ("These settings cannot be used.".into(), error.to_string(), EXIT_INPUT)
            }
            StartError::PortTaken { port, reason } => {
                let sentence = format!(
                    "Port {port} is used by another program. Stop it, or choose another port with \
                     --stratum-port (0 for any free one)."
                );
                (sentence, reason, EXIT_FAILURE)
            }
            StartError::DataFolder { path, reason } => {
                let path = path.display();
                let sentence = format!(
                    "Data cannot be saved in {path}. Make room and give access, or {other_folder}."
                );
                (sentence, reason, EXIT_FAILURE)
            }
            StartError::DataLocked { path } => {
                let path = path.display();
                let sentence = format!(
                    "Another P2Pool node is using the data in {path}. Stop it, or {other_folder}."
                );
                (sentence, String::new(), EXIT_FAILURE)
            }
            StartError::DataOfOther { path, reason } => {
                let path = path.display();
                let sentence = format!(
                    "The data in {path} belongs to another network or a newer version. Start it \
                     with its own --chain, or {other_folder}."
                );
                (sentence, reason, EXIT_FAILURE)
            }
            StartError::PracticeChain { reason } => {
                ("The practice chain does not open.".into(), reason, EXIT_FAILURE)
            }
            StartError::System(error) => {
                ("The system refuses to start the node.".into(), error.to_string(), EXIT_FAILURE)
            }
            _ => ("The node does not start.".into(), error.to_string(), EXIT_FAILURE),
        };
        Self { code, sentence, details, exit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_start_has_a_code_a_sentence_and_an_exit_code() {
        let path = std::path::PathBuf::from("/data");
        let reason = String::from("as it is");
        let starts = [
            (StartError::PortTaken { port: 19332, reason: reason.clone() }, "S-01"),
            (StartError::DataFolder { path: path.clone(), reason: reason.clone() }, "E-APP-01"),
            (StartError::DataLocked { path: path.clone() }, "E-APP-02"),
            (StartError::DataOfOther { path, reason }, "E-APP-06"),
        ];
        for (error, code) in starts {
            let failure = Failure::from(error);
            assert_eq!((failure.code, failure.exit), (code, 1));
            let text = failure.to_string();
            assert!(text.starts_with(&format!("{code}: ")), "{text}");
            assert!(text.contains(". ") && text.contains("--"), "says what to do: {text}");
        }
    }
}
