//! `cargo xtask setup | run | test | bundle`: everything a person does with this repository by one
//! command each, from any shell, on Linux, macOS and Windows.
//!
//! It is not a build system: each command only finds out what is missing, prints what it does and
//! calls the tools a person would call. The checks of `test` are the list in `CONTRIBUTING.md`.
//!
//! Invariant: nothing here asks a question. Either a step can be done, or it stops with one sentence
//! that says what to do.

#![expect(clippy::print_stdout, reason = "a command-line tool speaks to the person who called it")]

mod bundle;
mod checks;
mod contents;
mod needs;
mod packages;
mod process;
mod setup;
mod start;
mod workspace;

use std::process::ExitCode;

use process::Stop;
use workspace::Workspace;

/// What `cargo xtask` without a command prints.
const USAGE: &str = "\
Usage: cargo xtask COMMAND

  setup            look for everything needed to run and test, install what may be installed
  run [-- ARGS]    build and start the application; without a display, practice mode in the terminal
  test             run every check of CONTRIBUTING.md, stop at the first that fails
  bundle           build the packages for this system into dist/";

/// One call of `cargo xtask`, understood.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Setup,
    Run { arguments: Vec<String> },
    Test,
    Bundle,
    Help,
}

impl Task {
    /// Reads the arguments after `cargo xtask`.
    fn parse(arguments: &[String]) -> Result<Self, Stop> {
        let Some((command, rest)) = arguments.split_first() else { return Ok(Self::Help) };
        let task = match command.as_str() {
            "setup" => Self::Setup,
            "run" => return Ok(Self::Run { arguments: pass_through(rest) }),
            "test" => Self::Test,
            "bundle" => Self::Bundle,
            "help" | "--help" | "-h" => Self::Help,
            unknown => {
                return Err(Stop::new(format!("there is no command '{unknown}'"), USAGE));
            }
        };
        match rest.first() {
            None => Ok(task),
            Some(extra) => Err(Stop::new(format!("'{command}' takes no '{extra}'"), USAGE)),
        }
    }
}

/// Arguments for the program that is started: a leading `--` is only punctuation.
fn pass_through(rest: &[String]) -> Vec<String> {
    rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest).to_vec()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Task::parse(&arguments).and_then(perform) {
        Ok(code) => code,
        Err(stop) => {
            println!("\n{stop}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<ExitCode, Stop> {
    let workspace = Workspace::find();
    match task {
        Task::Help => println!("{USAGE}"),
        Task::Setup => {
            setup::prepare(&workspace, needs::Scope::Tests)?;
            println!("\nEverything is there. Next: cargo xtask run, or cargo xtask test");
        }
        Task::Run { arguments } => return start::start(&workspace, &arguments),
        Task::Test => return checks::run_all(&workspace),
        Task::Bundle => bundle::bundle(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, Stop> {
        Task::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn run_hands_on_what_follows_with_or_without_dashes() {
        let expected = Task::Run { arguments: vec!["--data-dir".into(), "x".into()] };
        assert_eq!(parse("run -- --data-dir x").unwrap(), expected);
        assert_eq!(parse("run --data-dir x").unwrap(), expected);
    }

    #[test]
    fn a_second_double_dash_belongs_to_the_program() {
        assert_eq!(
            parse("run -- -- x").unwrap(),
            Task::Run { arguments: vec!["--".into(), "x".into()] }
        );
    }

    #[test]
    fn unknown_commands_and_extra_words_are_refused_with_the_usage() {
        for line in ["tset", "test fast", "setup --all"] {
            let stop = parse(line).unwrap_err();
            assert!(stop.to_string().contains("Usage: cargo xtask"), "{line}: {stop}");
        }
    }

    #[test]
    fn no_command_shows_help() {
        assert_eq!(parse("").unwrap(), Task::Help);
    }
}
