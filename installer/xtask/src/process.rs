//! Starting programs, showing the command line first, and stopping with a sentence.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

/// Why the work ends here, and what the reader can do about it.
#[derive(Debug)]
pub(crate) struct Stop {
    what: String,
    advice: String,
}

impl Stop {
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stopped: {}.\n{}", self.what, self.advice)
    }
}

/// A program with its arguments, folder and environment: shown to the reader, then run.
pub(crate) struct Call {
    command: Command,
    shown: String,
}

impl Call {
    /// A program found in `PATH`, run in `folder`.
    pub(crate) fn new(program: impl AsRef<OsStr>, arguments: &[&str], folder: &Path) -> Self {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(folder);
        let name = Path::new(program.as_ref()).file_stem().unwrap_or(program.as_ref());
        let shown = std::iter::once(name.to_string_lossy().into_owned())
            .chain(arguments.iter().map(|a| quoted(a)))
            .collect::<Vec<_>>()
            .join(" ");
        Self { command, shown }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo(arguments: &[&str], folder: &Path) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::new(cargo, arguments, folder)
    }

    /// npm, under the name it has on this system.
    pub(crate) fn npm(arguments: &[&str], folder: &Path) -> Self {
        Self::new(if cfg!(windows) { "npm.cmd" } else { "npm" }, arguments, folder)
    }

    /// Sets one variable for the program.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// The command line as a person would type it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Shows the command line and runs it, its output going straight to the reader.
    pub(crate) fn status(mut self) -> Result<ExitStatus, Stop> {
        println!("  $ {}", self.shown);
        self.command.status().map_err(|error| cannot_start(&self.shown, &error))
    }

    /// Shows the command line and becomes that program, so that Ctrl-C reaches it alone and the
    /// terminal waits until it has ended. Where a process cannot be replaced, it is waited for.
    pub(crate) fn become_it(self) -> Result<ExitCode, Stop> {
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            let Self { mut command, shown } = self;
            println!("  $ {shown}");
            Err(cannot_start(&shown, &command.exec()))
        }
        #[cfg(not(unix))]
        {
            let code = self.status()?.code().and_then(|code| u8::try_from(code).ok());
            Ok(ExitCode::from(code.unwrap_or(1)))
        }
    }

    /// Shows and runs it; anything but success stops with `advice`.
    pub(crate) fn must(self, advice: &str) -> Result<(), Stop> {
        let shown = self.shown.clone();
        let status = self.status()?;
        if status.success() {
            return Ok(());
        }
        Err(Stop::new(format!("'{shown}' failed ({status})"), advice))
    }

    /// Runs it silently and returns what it printed, or `None` if it is missing or failed.
    pub(crate) fn answer(mut self) -> Option<String> {
        let output =
            self.command.env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null()).output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn cannot_start(shown: &str, error: &std::io::Error) -> Stop {
    Stop::new(
        format!("cannot start '{shown}' ({error})"),
        "Install that program or add it to PATH, then try again: cargo xtask setup says how.",
    )
}

fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains(char::is_whitespace) {
        format!("\"{argument}\"")
    } else {
        argument.to_owned()
    }
}

/// Whether `program` lies in one of the folders of `PATH`.
pub(crate) fn is_in_path(program: &str) -> bool {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|folder| endings.iter().any(|e| folder.join(format!("{program}{e}")).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_line_is_what_a_person_would_type() {
        let call = Call::new("/usr/bin/tool", &["--flag", "two words"], Path::new("."));
        assert_eq!(call.shown(), "tool --flag \"two words\"");
    }

    #[test]
    fn a_missing_program_stops_with_advice_and_not_with_a_panic() {
        let call = Call::new("no-such-program-4f1d", &[], Path::new("."));
        let stop = call.must("never shown").unwrap_err();
        assert!(stop.to_string().contains("cannot start 'no-such-program-4f1d'"), "{stop}");
    }

    #[test]
    fn a_failing_program_stops_with_the_given_advice() {
        let call = Call::cargo(&["--no-such-option"], Path::new("."));
        let stop = call.must("Do this instead.").unwrap_err();
        assert!(stop.to_string().ends_with("Do this instead."), "{stop}");
    }

    #[test]
    fn a_missing_program_answers_nothing() {
        assert_eq!(Call::new("no-such-program-4f1d", &[], Path::new(".")).answer(), None);
        assert!(!is_in_path("no-such-program-4f1d"));
    }
}
