//! `p2poold`: the P2Pool node without a window.
//!
//! A shell: arguments, signals and words around [`p2pool_node`]. It knows nothing of the pool;
//! what it prints comes from the node's snapshots and events, and from the chain itself for what
//! accepted blocks pay. `--json` prints the same as one event a line, see `docs/events.md`.
//!
//! Exit codes: 0 for a good end, 2 for wrong options or settings, 1 for every other failure.
#![forbid(unsafe_code)]

mod args;
mod bitcoin_login;
mod books;
mod catalogue;
mod chain;
mod conf;
mod doctor;
mod face;
mod failure;
#[cfg(test)]
mod fake_node;
mod folders;
mod json;
mod logs;
#[cfg(test)]
mod man_pages;
mod notice;
mod output;
mod p2p_args;
mod payees;
mod problems;
mod run;
mod run_args;
mod secrets;
mod signals;
mod status;
mod status_command;
mod status_file;
mod summary;
mod tally;
mod text;
mod view;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;
use p2pool_node::{BitcoinSource, ProblemCode};
use tokio::runtime::Builder;

use crate::args::{Cli, Command, Plan, SessionArgs};
use crate::face::Face;
use crate::failure::Failure;
use crate::json::JsonLines;
use crate::logs::LogLines;
use crate::output::Console;
use crate::run::{Again, Goal, Origin, Run};
use crate::signals::Signals;
use crate::status_command::status;
use crate::view::{LiveView, PlainLines};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command: Command::Run(args) }) => run_node(args.plan(), &args.session),
        Ok(Cli { command: Command::Practice(args) }) => run_node(args.plan(), &args.session),
        Ok(Cli { command: Command::Status(args) }) => with_console(|c| status(&args, c)),
        Ok(Cli { command: Command::Doctor(args) }) => with_console(|c| doctor::doctor(&args, c)),
        Ok(Cli { command: Command::Conf(args) }) => with_console(|c| conf::conf(&args, c)),
        Ok(Cli { command: Command::Shares(args) }) => told(books::shares(&args)),
        Ok(Cli { command: Command::Blocks(args) }) => told(books::blocks(&args)),
        Err(error) => not_options(&error),
    }
}

fn told(outcome: Result<(), Failure>) -> ExitCode {
    outcome.map_or_else(|failure| failure.tell(false), |()| ExitCode::SUCCESS)
}

/// Runs a command that talks with a person and gives an exit code.
fn with_console(command: impl FnOnce(Console<'_>) -> Result<u8, Failure>) -> ExitCode {
    let (mut out, mut answers) = (io::stdout(), io::stdin().lock());
    let outcome = command(Console::new(&mut out, &mut answers));
    outcome.map_or_else(|failure| failure.tell(false), ExitCode::from)
}

/// Help and versions are printed; everything else is a mistake.
fn not_options(error: &clap::Error) -> ExitCode {
    let is_wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_wanted || is_help {
        error.exit()
    }
    Failure::bad_options(&error.to_string()).tell(false)
}

fn run_node(plan: Result<Plan, Failure>, session: &SessionArgs) -> ExitCode {
    match plan.and_then(|plan| follow_nodes(plan, session)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(session.json),
    }
}

/// Runs a node until its end, and again whenever its Bitcoin node has moved.
fn follow_nodes(mut plan: Plan, session: &SessionArgs) -> Result<(), Failure> {
    let (mut face, log_lines) = face(session.json);
    logs::init(&session.log, log_lines)?;
    while let Some(again) = follow_node(plan.clone(), face)? {
        face = again.face;
        plan.run_for = plan.run_for.map(|time| time.saturating_sub(again.ran));
        if let BitcoinSource::Bitcoind { rpc, .. } = &mut plan.settings.bitcoin {
            rpc.clone_from(&again.login.rpc);
        }
        plan.login = Some(again.login);
    }
    Ok(())
}

/// Runs a node and tells about it until its end.
fn follow_node(plan: Plan, face: Box<dyn Face>) -> Result<Option<Again>, Failure> {
    let params = Arc::clone(&plan.settings.params);
    let (data_dir, login, look) = (plan.data_dir, plan.login, plan.look);
    let origin = Origin { data_dir, params, login, look };
    let handle = p2pool_node::start(plan.settings)?;
    let refused = |error: io::Error| {
        let sentence = format!("The system refuses to start the node: {error}.");
        Failure::of_run(ProblemCode::EngineRestarted, sentence)
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let goal = Goal { run_for: plan.run_for, blocks: plan.blocks };
    let outcome = runtime.block_on(async {
        let signals = Signals::listen().map_err(refused)?;
        let run = Run::new(&handle, origin, goal, face)?;
        run.until_end(handle, signals).await
    });
    // A second Ctrl-C must not wait for what still runs.
    runtime.shutdown_background();
    outcome
}

/// The face that suits standard output; where logs would tear it, they go through it.
fn face(is_json: bool) -> (Box<dyn Face>, Option<LogLines>) {
    let out = io::stdout();
    if is_json {
        return (Box::new(JsonLines::new(out)), None);
    }
    if out.is_terminal() && understands_escapes() {
        let logs = LogLines::default();
        return (Box::new(LiveView::new(out, logs.clone())), Some(logs));
    }
    (Box::new(PlainLines::new(out)), None)
}

/// Terminals on Unix do unless they say so; on Windows only newer ones announce themselves.
fn understands_escapes() -> bool {
    let term = std::env::var_os("TERM");
    if cfg!(windows) {
        term.is_some() || std::env::var_os("WT_SESSION").is_some()
    } else {
        term.is_some_and(|term| term != "dumb")
    }
}
