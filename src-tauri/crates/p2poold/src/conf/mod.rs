//! `p2poold conf`: the Bitcoin node on this computer, its settings, and a login of ours in them.
//!
//! Nothing is written that was not shown and agreed to; what was written can be taken back to the
//! last byte. The work is done by [`p2pool_bitcoind::local`]; here are the words.

mod args;
pub(crate) mod found;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;

use bitcoin::Network;
use p2pool_bitcoind::local::{
    ApplyError, Change, LocalNode, NewLogin, Plan, PlanError, Stamp, Surroundings, Wish, apply,
    plan, undo,
};
use p2pool_bitcoind::{
    Auth, ChainCheckError, Condition, NodeFacts, RpcClient, RpcError, chain_check,
};
use p2pool_node::ProblemCode;
use tokio::runtime::Builder;

pub(crate) use self::args::ConfArgs;
use self::args::{CheckArgs, ConfCommand, LoginArgs, UndoArgs, WriteArgs};
use self::words::{facts, row, situation};
pub(crate) use self::words::{finding, login, not_planned};
use crate::catalogue;
use crate::failure::{EXIT_FAILURE, EXIT_TO_DO, Failure};
use crate::folders;
use crate::notice::now;
use crate::output::Console;
use crate::secrets::LoginFile;

/// Carries out `p2poold conf …`; gives the exit code.
pub(crate) fn conf(args: &ConfArgs, console: Console<'_>) -> Result<u8, Failure> {
    Job { surroundings: Surroundings::of_this_computer(), unix_s: now(), console }.run(args)
}

/// One command, on one computer, at one moment.
struct Job<'a> {
    surroundings: Surroundings,
    unix_s: u64,
    console: Console<'a>,
}

/// What a node answers to a login, and how long that took.
type Answer = Result<NodeFacts, ChainCheckError>;

impl Job<'_> {
    fn run(&mut self, args: &ConfArgs) -> Result<u8, Failure> {
        match &args.command {
            ConfCommand::Check(args) => self.check(args),
            ConfCommand::Show(args) => self.show(args),
            ConfCommand::Write(args) => self.write(args),
            ConfCommand::Undo(args) => self.undo(args),
        }
    }

    fn check(&mut self, args: &CheckArgs) -> Result<u8, Failure> {
        let (node, file) = self.find(args)?;
        for line in facts(&node) {
            self.console.say(&line)?;
        }
        let known = file.read()?;
        if known.is_some() {
            self.console.say(&row("Our login", &file.path().display().to_string()))?;
        }
        for found in node.findings() {
            self.console.say(&finding(found))?;
        }
        let fresh = new_login()?;
        let planned = plan(&node, &self.wish(&LoginArgs::default(), &fresh, known.as_ref()));
        let auth = match &planned {
            Ok(Plan::UseLogin(auth)) => Some(auth.clone()),
            Ok(Plan::Write(_)) | Err(_) => known,
        };
        let chain = args.chain().unwrap_or(node.chain());
        let answer = match &auth {
            Some(auth) => Some(ask(&node, auth.clone(), chain)?),
            None => None,
        };
        self.console.say("")?;
        let is_ready = self.judge(&node, chain, auth.as_ref(), answer.as_ref())?;
        if is_ready {
            return Ok(0);
        }
        match planned {
            Ok(Plan::UseLogin(_)) => {}
            Ok(Plan::Write(_)) => self.console.say(
                "The node needs a login for us: `p2poold conf show` shows the change of \
                 bitcoin.conf, `p2poold conf write` makes it.",
            )?,
            Err(error) => self.console.say(&not_planned(&error, &node).to_string())?,
        }
        Ok(EXIT_TO_DO)
    }

    /// Says how the node does with the login at hand; whether all is well.
    fn judge(
        &mut self,
        node: &LocalNode,
        chain: Network,
        auth: Option<&Auth>,
        answer: Option<&Answer>,
    ) -> Result<bool, Failure> {
        let facts = answer.and_then(|answer| answer.as_ref().ok());
        if let (Some(facts), Some(auth)) = (facts, auth) {
            self.console.say(&format!(
                "The login works: {} logs in {}. Nothing has to be written.",
                env!("CARGO_PKG_NAME"),
                login(auth, node),
            ))?;
            self.console.say(&format!(
                "{} on {}, block {} of {}.",
                facts.subversion.trim_matches('/'),
                chain.to_core_arg(),
                facts.blocks,
                facts.headers,
            ))?;
        }
        if let Some(Err(ChainCheckError::Rpc(error))) = answer
            && node.is_running()
            && !matches!(error, RpcError::WarmUp(_) | RpcError::Forbidden)
        {
            let is_old = *error == RpcError::Unauthorized && node.own_user().is_some();
            let (code, words) = if is_old {
                ("C-05", "Bitcoin Core hasn't been restarted yet. Close it and start it again.")
            } else {
                let code = Condition::from(error).code();
                (code, catalogue::sentence(code))
            };
            self.console.say(&format!("{code}: {words}\n  {error}"))?;
            return Ok(false);
        }
        let judged = node.situation(chain, answer);
        self.console.say(&situation(&judged, facts))?;
        if let (None, Some(auth)) = (facts, auth) {
            self.console.say(&format!("We will log in {}.", login(auth, node)))?;
        }
        Ok(facts.is_some() && judged.code().is_none())
    }

    fn show(&mut self, args: &LoginArgs) -> Result<u8, Failure> {
        let (node, file) = self.find(&args.which)?;
        let (known, fresh) = (file.read()?, new_login()?);
        match plan(&node, &self.wish(args, &fresh, known.as_ref())) {
            Ok(Plan::UseLogin(auth)) => self.nothing_to_write(&node, &auth),
            Ok(Plan::Write(change)) => {
                self.review(&change)?;
                self.console.say(
                    "Nothing was changed. `p2poold conf write` makes this change, with a name, \
                     salt and hash made anew.",
                )?;
                Ok(EXIT_TO_DO)
            }
            Err(error) => Err(not_planned(&error, &node)),
        }
    }

    fn write(&mut self, args: &WriteArgs) -> Result<u8, Failure> {
        let (node, file) = self.find(&args.login.which)?;
        let (known, fresh) = (file.read()?, new_login()?);
        let mut wish = self.wish(&args.login, &fresh, known.as_ref());
        let mut planned = plan(&node, &wish);
        if let Err(PlanError::ServerForbidden { origin }) = &planned
            && !args.yes
        {
            let question =
                format!("{origin}: your bitcoin.conf forbids connections. Change it to server=1?");
            if self.console.agrees(&question)? {
                wish.may_switch_server_on = true;
                planned = plan(&node, &wish);
            }
        }
        let change = match planned {
            Ok(Plan::UseLogin(auth)) => return self.nothing_to_write(&node, &auth),
            Ok(Plan::Write(change)) => change,
            Err(error) => {
                if matches!(error, PlanError::Unreadable { .. }) {
                    // So that the lines shown let us in once their owner has added them.
                    file.keep(&fresh)?;
                }
                return Err(not_planned(&error, &node));
            }
        };
        self.review(&change)?;
        if !args.yes && !self.console.agrees("Write it?")? {
            self.console.say("Nothing was changed.")?;
            return Ok(EXIT_FAILURE);
        }
        let writes_login = args.login.login.writes_login();
        if writes_login {
            // Before the file is written: a login whose password is lost lets nobody in.
            file.keep(&fresh)?;
        }
        self.apply(&change)?;
        if writes_login {
            self.console.say(&format!(
                "The password of {} is kept in {}, for you alone.",
                fresh.user(),
                file.path().display()
            ))?;
        }
        self.console.say(if node.is_running() {
            "Please close Bitcoin Core and start it again; then `p2poold conf check` tells whether \
             the login works. `p2poold conf undo` takes our lines out again."
        } else {
            "It counts when Bitcoin Core is started. `p2poold conf undo` takes our lines out again."
        })?;
        Ok(0)
    }

    fn undo(&mut self, args: &UndoArgs) -> Result<u8, Failure> {
        let (node, file) = self.find(&args.which)?;
        let Some(change) = undo(&node).map_err(|error| not_planned(&error, &node))? else {
            let path = node.conf_path().display();
            self.console.say(&format!("None of our lines stand in {path}: nothing to undo."))?;
            return Ok(0);
        };
        self.review(&change)?;
        if change.leaves_server_on() {
            self.console.say(
                "A server=1 stays that was server=0 before: its line was changed since then.",
            )?;
        }
        if !args.yes && !self.console.agrees("Take them out?")? {
            self.console.say("Nothing was changed.")?;
            return Ok(EXIT_FAILURE);
        }
        self.apply(&change)?;
        let is_ours = |login: &Auth| matches!(login, Auth::UserPassword { user, .. } if node.own_user() == Some(user));
        if file.read().is_ok_and(|login| login.as_ref().is_some_and(is_ours)) {
            file.forget();
            self.console.say("The password that belonged to them is deleted.")?;
        }
        self.console.say("It counts when Bitcoin Core is started again.")?;
        Ok(0)
    }

    fn find(&mut self, args: &CheckArgs) -> Result<(LocalNode, LoginFile), Failure> {
        let data_dir = args.data_dir()?;
        let node = args.place.find(&self.surroundings, args.chain())?;
        Ok((node, LoginFile::in_folder(&data_dir)))
    }

    fn wish<'a>(
        &self,
        args: &LoginArgs,
        new_login: &'a NewLogin,
        known_login: Option<&'a Auth>,
    ) -> Wish<'a> {
        Wish {
            style: args.login.into(),
            new_login,
            known_login,
            may_switch_server_on: args.switch_server_on,
            stamp: Stamp::from_unix_s(self.unix_s),
        }
    }

    fn nothing_to_write(&mut self, node: &LocalNode, auth: &Auth) -> Result<u8, Failure> {
        self.console
            .say(&format!("Nothing has to be written: we log in {}.", login(auth, node)))?;
        Ok(0)
    }

    /// Shows a change: the file, every line that comes or goes, what follows from it.
    fn review(&mut self, change: &Change) -> Result<(), Failure> {
        let path = change.path().display();
        let deed = if change.creates_file() {
            "is made anew, for you alone to read"
        } else if change.removes_file() {
            "goes, because there is nothing in it but our lines"
        } else {
            "changes; a copy of the old file is kept next to it"
        };
        self.console.say(&format!("{path} {deed}:"))?;
        for line in change.diff() {
            let sign = if line.is_added { '+' } else { '-' };
            self.console.say(&format!("  {sign}{:>4}  {}", line.number, line.text))?;
        }
        if change.stops_cookie() {
            self.console.say(
                "Core will then stop making its cookie file; programs that use the cookie (for \
                 example some wallets) must be set to this login.",
            )?;
        }
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Result<(), Failure> {
        let applied = apply(change, Stamp::from_unix_s(self.unix_s)).map_err(not_applied)?;
        let path = applied.path.display();
        match applied.backup {
            Some(backup) => {
                self.console.say(&format!("{path} is changed. The old file: {}", backup.display()))
            }
            None if change.removes_file() => self.console.say(&format!("{path} is gone.")),
            None => self.console.say(&format!("{path} is written.")),
        }
    }
}

impl CheckArgs {
    fn data_dir(&self) -> Result<PathBuf, Failure> {
        match &self.data_dir {
            Some(folder) => Ok(folder.clone()),
            None => folders::data_dir().ok_or_else(Failure::no_data_folder),
        }
    }

    fn chain(&self) -> Option<Network> {
        self.network.map(Into::into)
    }
}

/// Asks the node with a login.
fn ask(node: &LocalNode, auth: Auth, chain: Network) -> Result<Answer, Failure> {
    let refused = |reason: String| {
        Failure::of_run(
            ProblemCode::NodeUnreachable,
            format!("The node cannot be asked: {reason}."),
        )
    };
    let client =
        RpcClient::new(&node.rpc_config(auth)).map_err(|error| refused(error.to_string()))?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| refused(error.to_string()))?;
    Ok(runtime.block_on(chain_check(&client, chain)))
}

fn new_login() -> Result<NewLogin, Failure> {
    NewLogin::generate().map_err(|error| {
        Failure::of_run(ProblemCode::EngineRestarted, format!("No login can be made up: {error}."))
    })
}

/// Why a change was not carried out, in words.
fn not_applied(error: ApplyError) -> Failure {
    let code = error.code();
    let technical = error.to_string();
    let (sentence, details) = match error {
        ApplyError::NotWritable { path, lines, .. } => (
            format!("We can't change bitcoin.conf ({}). Add these lines yourself:", path.display()),
            format!("{}\n({technical})", lines.as_slice().join("\n")),
        ),
        ApplyError::BackupFailed { .. } => {
            ("We couldn't make a backup copy, so nothing was changed.".to_owned(), technical)
        }
        ApplyError::ChangedMeanwhile { .. } => (
            "bitcoin.conf was changed by something else just now. Please start again.".into(),
            technical,
        ),
        ApplyError::VerifyFailed { is_restored: true, .. } => {
            ("The change didn't go through; the old file was put back.".into(), technical)
        }
        ApplyError::VerifyFailed { backup, .. } => {
            let copy =
                backup.map_or_else(String::new, |copy| format!(" Its copy: {}", copy.display()));
            (
                format!(
                    "The change didn't go through, and the old file could not be put back.{copy}"
                ),
                technical,
            )
        }
        _ => ("The change didn't go through.".into(), technical),
    };
    Failure { code, sentence, details, exit: EXIT_FAILURE }
}
