//! The node step as a state machine: what is chosen, what has to be written for it, what is being
//! tested. It asks for jobs and takes in what comes of them.
//!
//! *Invariant:* a file outside the application's folder is changed by [`Job::Write`] alone, which
//! only a confirmed review asks for; a node is stopped by [`Job::Restart`] alone, which only that
//! button asks for.

use std::path::{Path, PathBuf};

use bitcoin::Network;
use p2pool_bitcoind::examine::{Examined, Fact, Outcome, Test};
use p2pool_bitcoind::local::{
    ApplyError, Change, Lines, NewLogin, Plan, PlanError, RestartProgress, RestartWatch,
};
use p2pool_bitcoind::{Auth, Condition, NodeFacts, RpcConfig, Secret};
use tokio::sync::watch;

use super::answers::{Answers, Connection};
use super::found::{Found, Looked, style};
use super::job::{Job, KeepError, KeepPlace, NodeDone, PASSWORD_FILE, password};
use crate::api::{KeepChoice, LoginChoice, NodePlace, UnixSeconds};
use crate::sync_pace::SyncPace;

/// A node that does not run is looked for this often, in seconds.
const LOOK_EVERY_S: u64 = 3;
/// One that is to be started again is looked at this often.
const RESTART_EVERY_S: u64 = 2;
/// One that fetches the chain is asked this often.
const SYNC_EVERY_S: u64 = 10;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct NodeWork {
    pub(super) chain: Network,
    data_dir: PathBuf,
    /// Counts changes of mind; what comes of older jobs is dropped.
    turn: u32,
    pub(super) is_looking: bool,
    pub(super) found: Option<Found>,
    looked_at: UnixSeconds,
    pub(super) exam: Option<Exam>,
    pub(super) review: Option<Review>,
    pub(super) trouble: Option<Trouble>,
    pub(super) restart: Option<Restart>,
    pub(super) keeping: Option<Keeping>,
    pub(super) sync: Option<NodeFacts>,
    pub(super) pace: SyncPace,
    asked_at: UnixSeconds,
    /// What the person typed last in the form.
    pub(super) typed: Option<Secret>,
    /// A login made up for a node on another computer.
    pub(super) made_up: Option<NewLogin>,
    /// The file into which the password of a written login was put.
    kept_file: Option<PathBuf>,
    /// The password of the connection, for this run.
    pub(super) given: Option<Secret>,
}

/// Tests of a node, under way or done.
#[derive(Debug)]
pub(crate) struct Exam {
    pub(super) rpc: RpcConfig,
    pub(super) login: LoginChoice,
    lines: watch::Receiver<Vec<Examined>>,
    pub(super) is_done: bool,
    /// Whether the password still has to be kept.
    is_to_keep: bool,
}

/// A change that is shown.
#[derive(Debug)]
pub(crate) struct Review {
    pub(super) change: Change,
    pub(super) choice: LoginChoice,
    login: NewLogin,
    pub(super) is_writing: bool,
}

/// Why nothing was changed.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(super) code: &'static str,
    pub(super) path: PathBuf,
    pub(super) details: String,
    pub(super) lines: Lines,
}

/// A node that has to be started again.
#[derive(Debug)]
pub(crate) struct Restart {
    watch: RestartWatch,
    rpc: RpcConfig,
    login: LoginChoice,
    /// Whether the password was kept before the file was written.
    is_kept: bool,
    pub(super) stage: RestartProgress,
    seen_at: UnixSeconds,
    is_seeing: bool,
    pub(super) is_restarting: bool,
}

/// A password that has to be kept before going on.
#[derive(Debug)]
pub(crate) struct Keeping {
    password: Secret,
    url: String,
    place: KeepPlace,
    then: Then,
    /// Why it was not.
    pub(super) error: Option<KeepError>,
}

/// What follows when the password is kept.
#[derive(Debug)]
enum Then {
    /// The reviewed change is carried out.
    Write,
    /// The connection is complete.
    Finish(Box<Connection>),
}

/// A job with the turn it belongs to.
pub(crate) type TurnedJob = (u32, Job);

impl NodeWork {
    pub(super) fn new(chain: Network, data_dir: &Path) -> Self {
        Self {
            chain,
            data_dir: data_dir.to_owned(),
            turn: 0,
            is_looking: false,
            found: None,
            looked_at: UnixSeconds(0),
            exam: None,
            review: None,
            trouble: None,
            restart: None,
            keeping: None,
            sync: None,
            pace: SyncPace::default(),
            asked_at: UnixSeconds(0),
            typed: None,
            made_up: None,
            kept_file: None,
            given: None,
        }
    }

    /// The chosen node.
    pub(super) fn chosen(&self, answers: &Answers) -> Option<&Looked> {
        self.found.as_ref()?.with_folder(answers.folder.as_deref()?)
    }

    /// Lines of the tests so far.
    pub(super) fn lines(&self) -> Vec<Examined> {
        self.exam.as_ref().map_or_else(Vec::new, |exam| exam.lines.borrow().clone())
    }

    /// The first condition that keeps the node from being used, passing ones last.
    pub(super) fn condition(&self) -> Option<Condition> {
        let lines = self.lines();
        let failed = lines.iter().filter_map(|line| match line.outcome {
            Outcome::Failed { condition, .. } => Some(condition),
            Outcome::Skipped | Outcome::Passed(_) | Outcome::Slow(_) | Outcome::NotTold(_) => None,
        });
        failed.min_by_key(|condition| is_passing(*condition))
    }

    /// Whether the set-up may go on with this node.
    pub(super) fn is_ready(&self, answers: &Answers) -> bool {
        let is_at_rest = self.review.is_none() && self.keeping.is_none();
        let is_well = match &self.exam {
            Some(exam) => exam.is_done && self.condition().is_none_or(is_passing),
            None => self.restart.is_none(),
        };
        answers.connection.is_some() && is_at_rest && is_well
    }

    /// Whether something is under way that must not be interrupted.
    pub(super) fn is_busy(&self) -> bool {
        let waits = self.keeping.as_ref().is_some_and(|keeping| keeping.error.is_some());
        let is_writing = !waits && self.review.as_ref().is_some_and(|review| review.is_writing);
        is_writing || self.restart.as_ref().is_some_and(|restart| restart.is_restarting)
    }

    /// Looks for nodes.
    pub(super) fn look(&mut self, now: UnixSeconds, answers: &Answers) -> Vec<TurnedJob> {
        if std::mem::replace(&mut self.is_looking, true) {
            return Vec::new();
        }
        self.looked_at = now;
        vec![(self.turn, Job::Look { chain: self.chain, folder: answers.folder.clone() })]
    }

    /// Another node or login: what was under way for the last one is over.
    pub(super) fn begin_anew(&mut self) {
        self.turn += 1;
        self.is_looking = false;
        self.exam = None;
        self.review = None;
        self.trouble = None;
        self.restart = None;
        self.keeping = None;
        self.sync = None;
        self.pace = SyncPace::default();
    }

    /// Tests the chosen login, if it works without writing.
    pub(super) fn test(&mut self, answers: &Answers) -> Vec<TurnedJob> {
        let Some(login) = answers.login else { return Vec::new() };
        let Some(looked) = self.chosen(answers) else { return Vec::new() };
        let Some(auth) = looked.login(login) else { return Vec::new() };
        let rpc = looked.node.rpc_config(auth);
        self.examine(rpc, login, login == LoginChoice::Existing)
    }

    /// Tests a login that the person knows.
    pub(super) fn test_typed(&mut self, user: &str, answers: &Answers) -> Vec<TurnedJob> {
        let made_up = self.made_up.as_ref().filter(|made_up| made_up.user() == user);
        let Some(password) = self.typed.clone().or_else(|| made_up.map(|it| it.password().clone()))
        else {
            return Vec::new();
        };
        let auth = Auth::UserPassword { user: user.to_owned(), password };
        let rpc = match (answers.place, self.chosen(answers)) {
            (NodePlace::Here, Some(looked)) => looked.node.rpc_config(auth),
            (NodePlace::Here, None) | (NodePlace::Elsewhere, _) => {
                RpcConfig { url: answers.form.url(), auth, allows_public: false }
            }
        };
        let allows_public = answers.form.allows_public;
        self.examine(RpcConfig { allows_public, ..rpc }, LoginChoice::Typed, true)
    }

    fn examine(&mut self, rpc: RpcConfig, login: LoginChoice, is_to_keep: bool) -> Vec<TurnedJob> {
        self.turn += 1;
        self.is_looking = false;
        self.keeping = None;
        self.sync = None;
        let (sender, lines) = watch::channel(Vec::new());
        let job = Job::Examine { rpc: rpc.clone(), chain: self.chain, lines: sender };
        self.exam = Some(Exam { rpc, login, lines, is_done: false, is_to_keep });
        vec![(self.turn, job)]
    }

    /// Works out the change for the chosen login.
    pub(super) fn plan(&mut self, answers: &Answers, may_switch_server_on: bool) -> Vec<TurnedJob> {
        let (Some(folder), Some(choice)) = (answers.folder.clone(), answers.login) else {
            return Vec::new();
        };
        let Ok(login) = NewLogin::generate() else { return Vec::new() };
        self.begin_anew();
        self.made_up = Some(login.clone());
        let style = style(choice);
        vec![(self.turn, Job::Plan { folder, style, may_switch_server_on, login })]
    }

    /// The person agreed to the change.
    pub(super) fn confirm(&mut self) -> Vec<TurnedJob> {
        let Some(review) = &mut self.review else { return Vec::new() };
        if std::mem::replace(&mut review.is_writing, true) {
            return Vec::new();
        }
        if review.choice == LoginChoice::Cookie {
            return vec![(self.turn, Job::Write { change: Box::new(review.change.clone()) })];
        }
        // Before the file is written: a login whose password is lost lets nobody in.
        let password = review.login.password().clone();
        let Some(url) = self.planned_url() else { return Vec::new() };
        let place = KeepPlace::Keychain(url.clone());
        self.keep(Keeping { password, url, place, then: Then::Write, error: None })
    }

    fn planned_url(&self) -> Option<String> {
        self.restart.as_ref().map(|restart| restart.rpc.url.clone())
    }

    fn keep(&mut self, keeping: Keeping) -> Vec<TurnedJob> {
        let (password, place) = (keeping.password.clone(), keeping.place.clone());
        self.keeping = Some(keeping);
        vec![(self.turn, Job::Keep { password, place })]
    }

    /// What to do where the password store cannot be used; `Cookie` is another login, see
    /// [`super::Setup`].
    pub(super) fn keep_elsewhere(&mut self, choice: KeepChoice) -> Vec<TurnedJob> {
        let Some(mut keeping) = self.keeping.take_if(|keeping| keeping.error.is_some()) else {
            return Vec::new();
        };
        keeping.error = None;
        keeping.place = match choice {
            KeepChoice::TryAgain | KeepChoice::Cookie => KeepPlace::Keychain(keeping.url.clone()),
            KeepChoice::PrivateFile => KeepPlace::File(self.data_dir.join(PASSWORD_FILE)),
            KeepChoice::Ask => KeepPlace::Memory,
        };
        self.keep(keeping)
    }

    /// Stops the node and starts it again.
    pub(super) fn restart(&mut self, answers: &Answers) -> Vec<TurnedJob> {
        let Some((rpc, node)) = self.chosen(answers).and_then(Looked::restartable) else {
            return Vec::new();
        };
        let Some(restart) = &mut self.restart else { return Vec::new() };
        if std::mem::replace(&mut restart.is_restarting, true) {
            return Vec::new();
        }
        vec![(self.turn, Job::Restart { rpc, node: Box::new(node) })]
    }

    /// Starts the chosen node.
    pub(super) fn start(&mut self, answers: &Answers) -> Vec<TurnedJob> {
        let command = self.chosen(answers).and_then(|looked| looked.start.clone());
        command.map(|command| (self.turn, Job::Start { command })).into_iter().collect()
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: UnixSeconds, answers: &Answers) -> Vec<TurnedJob> {
        if let Some(restart) = &mut self.restart {
            let is_due = now.0 >= restart.seen_at.0 + RESTART_EVERY_S;
            if restart.is_seeing || !is_due || self.review.is_some() {
                return Vec::new();
            }
            restart.is_seeing = true;
            restart.seen_at = now;
            let (watch, rpc) = (restart.watch.clone(), restart.rpc.clone());
            return vec![(self.turn, Job::SeeRestart { watch, rpc })];
        }
        let is_catching_up =
            matches!(self.condition(), Some(Condition::Syncing | Condition::Starting));
        if let Some(exam) = self.exam.as_ref().filter(|exam| exam.is_done && is_catching_up) {
            if now.0 < self.asked_at.0 + SYNC_EVERY_S {
                return Vec::new();
            }
            self.asked_at = now;
            return vec![(
                self.turn,
                Job::AskProgress { rpc: exam.rpc.clone(), chain: self.chain },
            )];
        }
        let is_waiting = answers.place == NodePlace::Here
            && self.exam.is_none()
            && self.review.is_none()
            && self.chosen(answers).is_none_or(|looked| !looked.is_serving());
        if is_waiting && now.0 >= self.looked_at.0 + LOOK_EVERY_S {
            return self.look(now, answers);
        }
        Vec::new()
    }

    /// Takes in what came of a job.
    pub(super) fn done(
        &mut self,
        turn: u32,
        done: NodeDone,
        now: UnixSeconds,
        answers: &mut Answers,
    ) -> Vec<TurnedJob> {
        if turn != self.turn {
            return Vec::new();
        }
        match done {
            NodeDone::Looked(found) => self.looked(found, answers),
            NodeDone::Examined => self.examined(now, answers),
            NodeDone::Progress(facts) => self.progress(facts, now),
            NodeDone::Planned { looked, plan } => self.planned(&looked, plan, now, answers),
            NodeDone::NotPlanned => self.look(now, answers),
            NodeDone::Kept(Ok(())) => self.kept(answers),
            NodeDone::Kept(Err(error)) => {
                if let Some(keeping) = &mut self.keeping {
                    keeping.error = Some(error);
                }
                Vec::new()
            }
            NodeDone::Written(written) => {
                self.written(written.err());
                Vec::new()
            }
            NodeDone::Restart(stage) => self.restart_seen(stage),
            NodeDone::Restarted(result) => {
                if let Some(restart) = &mut self.restart {
                    restart.is_restarting = false;
                }
                if let Err(reason) = result {
                    tracing::warn!(reason, "the Bitcoin node was not restarted");
                }
                Vec::new()
            }
            NodeDone::Started(Err(reason)) => {
                tracing::warn!(reason, "the Bitcoin node was not started");
                Vec::new()
            }
            NodeDone::Started(Ok(())) => Vec::new(),
        }
    }

    fn looked(&mut self, found: Found, answers: &mut Answers) -> Vec<TurnedJob> {
        self.is_looking = false;
        let is_there =
            answers.folder.as_deref().is_some_and(|folder| found.with_folder(folder).is_some());
        if !is_there && !found.is_unclear {
            answers.folder =
                found.nodes.first().map(|looked| looked.node.started_folder().to_owned());
            answers.login = None;
        }
        self.found = Some(found);
        self.choose_login(answers);
        // Tests in the person's own words, or on another computer, are not disturbed.
        if answers.place == NodePlace::Here && self.exam.is_none() {
            return self.test(answers);
        }
        Vec::new()
    }

    /// Preselects a login, unless the person has chosen one that is still offered.
    pub(super) fn choose_login(&self, answers: &mut Answers) {
        let offers = self.chosen(answers).map(Looked::offers).unwrap_or_default();
        if answers.login.is_none_or(|login| offers.iter().all(|offer| offer.login != login)) {
            answers.login = offers.first().map(|offer| offer.login);
        }
    }

    fn examined(&mut self, now: UnixSeconds, answers: &mut Answers) -> Vec<TurnedJob> {
        let Some(exam) = &mut self.exam else { return Vec::new() };
        exam.is_done = true;
        self.asked_at = now;
        if !self.condition().is_none_or(is_passing) {
            answers.connection = None;
            return Vec::new();
        }
        let Some(exam) = &self.exam else { return Vec::new() };
        let folder = (answers.place == NodePlace::Here).then(|| answers.folder.clone()).flatten();
        let mut connection = Connection {
            url: exam.rpc.url.clone(),
            folder,
            allows_public: exam.rpc.allows_public,
            ..Connection::default()
        };
        match &exam.rpc.auth {
            Auth::Cookie(path) => connection.cookie = Some(path.clone()),
            Auth::UserPassword { user, .. } => connection.user = Some(user.clone()),
        }
        let secret = password(&exam.rpc.auth).cloned();
        match secret.filter(|_| exam.is_to_keep) {
            Some(password) => {
                let (url, then) = (exam.rpc.url.clone(), Then::Finish(Box::new(connection)));
                let place = KeepPlace::Keychain(url.clone());
                self.keep(Keeping { password, url, place, then, error: None })
            }
            None => {
                self.finish(connection, answers);
                Vec::new()
            }
        }
    }

    /// The connection is complete.
    fn finish(&mut self, connection: Connection, answers: &mut Answers) {
        let login = self.exam.as_ref().map(|exam| exam.login);
        let password_file = match login {
            Some(LoginChoice::Own) => {
                self.chosen(answers).and_then(|looked| looked.known_file.clone())
            }
            Some(LoginChoice::RpcAuth | LoginChoice::RpcPassword) => {
                connection.password_file.clone().or(self.kept_file.take())
            }
            Some(LoginChoice::Cookie | LoginChoice::Existing | LoginChoice::Typed) | None => {
                connection.password_file.clone()
            }
        };
        self.given = self.exam.as_ref().and_then(|exam| password(&exam.rpc.auth)).cloned();
        answers.connection = Some(Connection { password_file, ..connection });
        self.restart = None;
    }

    fn kept(&mut self, answers: &mut Answers) -> Vec<TurnedJob> {
        let Some(Keeping { place, then, .. }) = self.keeping.take() else { return Vec::new() };
        let file = match place {
            KeepPlace::File(path) => Some(path),
            KeepPlace::Keychain(_) | KeepPlace::Memory => None,
        };
        match then {
            Then::Finish(connection) => {
                self.finish(Connection { password_file: file, ..*connection }, answers);
                Vec::new()
            }
            Then::Write => {
                let Some(review) = &self.review else { return Vec::new() };
                self.kept_file = file;
                vec![(self.turn, Job::Write { change: Box::new(review.change.clone()) })]
            }
        }
    }

    fn planned(
        &mut self,
        looked: &Looked,
        plan: Result<Plan, PlanError>,
        now: UnixSeconds,
        answers: &Answers,
    ) -> Vec<TurnedJob> {
        let (Some(choice), Some(login)) = (answers.login, self.made_up.take()) else {
            return Vec::new();
        };
        let auth = match (choice, looked.node.cookie_path()) {
            (LoginChoice::Cookie, Some(path)) => Auth::Cookie(path.to_owned()),
            _ => login.auth(),
        };
        let waits = Restart {
            watch: RestartWatch::new(now.0, looked.node.process().cloned()),
            rpc: looked.node.rpc_config(auth),
            login: choice,
            is_kept: true,
            stage: RestartProgress::StillRunning,
            seen_at: now,
            is_seeing: false,
            is_restarting: false,
        };
        match plan {
            Ok(Plan::UseLogin(auth)) => {
                let rpc = looked.node.rpc_config(auth);
                self.examine(rpc, choice, false)
            }
            Ok(Plan::Write(change)) => {
                self.review = Some(Review { change, choice, login, is_writing: false });
                self.restart = Some(waits);
                Vec::new()
            }
            Err(error) => {
                let (code, details) = (error.code().unwrap_or("C-01"), error.to_string());
                let path = looked.node.conf_path().to_owned();
                let lines = if let PlanError::Unreadable { lines, .. } = error {
                    lines
                } else {
                    Lines::default()
                };
                if !lines.as_slice().is_empty() {
                    // The person adds them; then the login works.
                    self.restart = Some(Restart { is_kept: false, ..waits });
                }
                self.trouble = Some(Trouble { code, path, details, lines });
                Vec::new()
            }
        }
    }

    fn written(&mut self, error: Option<ApplyError>) {
        self.review = None;
        let Some(error) = error else { return };
        let (code, details) = (error.code(), error.to_string());
        let (path, lines) = match error {
            ApplyError::NotWritable { path, lines, .. } => (path, lines),
            ApplyError::BackupFailed { path, .. }
            | ApplyError::ChangedMeanwhile { path }
            | ApplyError::VerifyFailed { path, .. } => (path, Lines::default()),
            _ => (PathBuf::new(), Lines::default()),
        };
        if lines.as_slice().is_empty() {
            self.restart = None;
        }
        self.trouble = Some(Trouble { code, path, details, lines });
    }

    fn restart_seen(&mut self, stage: RestartProgress) -> Vec<TurnedJob> {
        let Some(restart) = &mut self.restart else { return Vec::new() };
        restart.is_seeing = false;
        restart.stage = stage;
        if stage != RestartProgress::LoginWorks {
            return Vec::new();
        }
        self.trouble = None;
        let (rpc, login) = (restart.rpc.clone(), restart.login);
        let is_to_keep = !restart.is_kept && login != LoginChoice::Cookie;
        self.restart = None;
        self.examine(rpc, login, is_to_keep)
    }

    /// The node said how far it is.
    fn progress(&mut self, facts: Option<NodeFacts>, now: UnixSeconds) -> Vec<TurnedJob> {
        let Some(facts) = facts else { return Vec::new() };
        self.pace.note(now, Some(facts.verification_progress));
        let is_over = !facts.initial_block_download;
        self.sync = Some(facts);
        let Some(exam) = self.exam.as_ref().filter(|_| is_over) else { return Vec::new() };
        let (rpc, login) = (exam.rpc.clone(), exam.login);
        self.examine(rpc, login, false)
    }

    /// Part of the chain that the node has, and its blocks and headers, while it fetches it.
    pub(super) fn progress_now(&self) -> Option<(f64, u32, u32)> {
        if self.condition() != Some(Condition::Syncing) {
            return None;
        }
        if let Some(facts) = &self.sync {
            return Some((facts.verification_progress, facts.blocks, facts.headers));
        }
        self.lines().iter().find_map(|line| match (line.test, line.fact()) {
            (Test::Chain, Some(Fact::Chain(info))) => {
                Some((info.verificationprogress, info.blocks, info.headers))
            }
            _ => None,
        })
    }
}

/// Whether a condition passes by itself, so that mining begins when it is over.
pub(super) fn is_passing(condition: Condition) -> bool {
    match condition {
        Condition::Syncing
        | Condition::Starting
        | Condition::Alone
        | Condition::TipOld
        | Condition::Slow
        | Condition::BehindPool => true,
        Condition::Unreachable
        | Condition::LoginRefused
        | Condition::Forbidden
        | Condition::CookieUnreadable
        | Condition::WrongChain
        | Condition::TooOld
        | Condition::TemplateFailed
        | Condition::BlockRefused
        | Condition::PublicAddress => false,
    }
}
