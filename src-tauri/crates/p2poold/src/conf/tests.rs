use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use clap::Parser;
use p2pool_bitcoind::local::{CommandLine, Program, RunningNode, System, Variables};
use tempfile::TempDir;

use super::*;
use crate::args::{Cli, Command};
use crate::fake_node::FakeNode;

/// A computer with a Bitcoin folder and our own.
struct Computer {
    folder: TempDir,
    running: Option<RunningNode>,
}

impl Computer {
    fn new() -> Self {
        let computer = Self { folder: tempfile::tempdir().unwrap(), running: None };
        fs::create_dir(computer.bitcoin()).unwrap();
        computer
    }

    fn with_conf(text: &str) -> Self {
        let computer = Self::new();
        fs::write(computer.conf(), text).unwrap();
        computer
    }

    /// Lets bitcoind run on the Bitcoin folder.
    fn running(mut self) -> Self {
        let folder = format!("-datadir={}", self.bitcoin().display());
        self.running = Some(RunningNode {
            pid: 7,
            program: Program::Bitcoind,
            executable: None,
            started_unix_s: 1000,
            is_of_other_user: Some(false),
            command_line: CommandLine::parse(System::Linux, [OsStr::new(&folder)]),
            working_folder: None,
            home: None,
        });
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bitcoin(&self) -> PathBuf {
        self.path("bitcoin")
    }

    fn conf(&self) -> PathBuf {
        self.path("bitcoin/bitcoin.conf")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.conf()).unwrap()
    }

    fn login_file(&self) -> LoginFile {
        LoginFile::in_folder(&self.path("own"))
    }

    /// Runs a command as a person would who answers so.
    fn run(&self, line: &str, answers: &str) -> (Result<u8, Failure>, String) {
        let (bitcoin, own) = (self.bitcoin(), self.path("own"));
        let words = ["p2poold", "conf"].into_iter().chain(line.split_whitespace());
        let mut words: Vec<&OsStr> = words.map(OsStr::new).collect();
        words.extend([OsStr::new("--data-dir"), own.as_os_str()]);
        words.extend([OsStr::new("--bitcoin-dir"), bitcoin.as_os_str()]);
        let Command::Conf(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line}")
        };
        let (mut out, mut answers) = (Vec::new(), answers.as_bytes());
        let surroundings = Surroundings {
            system: System::Linux,
            variables: Variables::default(),
            running: self.running.iter().cloned().collect(),
            ..Surroundings::of_this_computer()
        };
        let console = Console::new(&mut out, &mut answers);
        let outcome = Job { surroundings, unix_s: 1_790_000_000, console }.run(&args);
        (outcome, String::from_utf8(out).unwrap())
    }
}

fn assert_told(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in:\n{text}");
    }
}

fn own_login(computer: &Computer) -> (String, String) {
    match computer.login_file().read().unwrap() {
        Some(Auth::UserPassword { user, password }) => (user, password.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_login_is_shown_agreed_to_written_found_again_and_undone_to_the_byte() {
    let before = "# mine\r\ndbcache=100\r\n[test]\r\nport=1";
    let computer = Computer::with_conf(before);
    let (outcome, text) = computer.run("show --login rpcauth", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(&text, &["a copy of the old file is kept", "+   3  # --- added by", "server=1"]);
    assert_eq!((computer.text().as_str(), files(&computer.path("own"))), (before, 0));

    let (outcome, text) = computer.run("write --login rpcauth", "y\n");
    assert_eq!(outcome.unwrap(), 0, "{text}");
    assert_told(&text, &["Write it? [y/N]", "is changed. The old file: ", "conf undo"]);
    let (user, password) = own_login(&computer);
    assert!(computer.text().contains(&format!("rpcauth={user}:")), "{}", computer.text());
    assert!(!text.contains(&password) && !computer.text().contains(&password));

    let (outcome, text) = computer.run("write --login rpcauth", "");
    assert_eq!(outcome.unwrap(), 0);
    assert_told(&text, &["Nothing has to be written", &user, "the password that we keep"]);

    let (outcome, text) = computer.run("undo --yes", "");
    assert_eq!(outcome.unwrap(), 0);
    assert_told(&text, &["-   4  server=1", "is deleted"]);
    assert_eq!((computer.text().as_str(), files(&computer.path("own"))), (before, 0));
    let (outcome, text) = computer.run("undo", "");
    assert_eq!(outcome.unwrap(), 0);
    assert_told(&text, &["nothing to undo"]);
}

#[test]
fn nothing_is_changed_without_a_clear_yes() {
    let computer = Computer::with_conf("txindex=1\n");
    for answer in ["", "n\n", "\n"] {
        let (outcome, text) = computer.run("write --login rpcauth", answer);
        assert_eq!(outcome.unwrap(), EXIT_FAILURE);
        assert_told(&text, &["Nothing was changed."]);
        assert_eq!((computer.text().as_str(), files(&computer.path("own"))), ("txindex=1\n", 0));
    }
}

#[test]
fn a_file_that_was_not_there_is_made_for_its_owner_alone_and_goes_again() {
    let computer = Computer::new();
    let (outcome, text) = computer.run("write --login rpcauth --yes", "");
    assert_eq!(outcome.unwrap(), 0);
    assert_told(&text, &["is made anew, for you alone to read", "is written."]);
    #[cfg(unix)]
    for path in [computer.conf(), computer.login_file().path().to_owned()] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    assert_eq!(computer.run("undo --yes", "").0.unwrap(), 0);
    assert!(!computer.conf().exists());
}

#[test]
fn a_cookie_that_can_be_read_is_preferred_and_nothing_is_written() {
    let computer = Computer::with_conf("").running();
    fs::write(computer.bitcoin().join(".cookie"), "__cookie__:aa").unwrap();
    for command in ["show", "write --yes"] {
        let (outcome, text) = computer.run(command, "");
        assert_eq!(outcome.unwrap(), 0, "{text}");
        assert_told(&text, &["Nothing has to be written", "the node's cookie file"]);
    }
    assert_eq!((computer.text().as_str(), files(&computer.path("own"))), ("", 0));
}

#[test]
fn connections_that_are_forbidden_are_asked_about_apart() {
    let computer = Computer::with_conf("server=0\n");
    let (outcome, _) = computer.run("write --yes", "");
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.exit), ("C-06", EXIT_FAILURE));
    assert!(failure.sentence.contains("--switch-server-on"), "{failure}");
    assert_eq!(computer.run("write", "n\n").0.unwrap_err().code, "C-06");
    assert_eq!(computer.text(), "server=0\n");

    let (outcome, text) = computer.run("write", "y\ny\n");
    assert_eq!(outcome.unwrap(), 0);
    assert_told(&text, &["line 1: your bitcoin.conf forbids connections", "-   1  server=0"]);
    assert!(computer.text().starts_with("server=1\n"));
    assert_eq!(computer.run("undo --yes", "").0.unwrap(), 0);
    assert_eq!(computer.text(), "server=0\n");
}

#[test]
#[cfg(unix)]
fn lines_to_add_by_hand_are_shown_where_the_file_cannot_be_changed() {
    use std::os::unix::fs::PermissionsExt;
    let computer = Computer::with_conf("txindex=1\n");
    fs::set_permissions(computer.conf(), fs::Permissions::from_mode(0o444)).unwrap();
    let failure = computer.run("write --login rpcauth --yes", "").0.unwrap_err();
    let (user, _) = own_login(&computer);
    assert_eq!(failure.code, "C-01");
    assert!(failure.details.contains(&format!("rpcauth={user}:")), "{failure}");
    assert_eq!(computer.text(), "txindex=1\n");
}

#[test]
fn check_says_what_stands_there_what_is_dangerous_and_what_is_needed() {
    let conf = "rpcallowip=0.0.0.0/0\nallowreceivebyip=1\nrpcauth=bob:1$2\n";
    let (outcome, text) = Computer::with_conf(conf).run("check", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(
        &text,
        &[
            "not running, chain main",
            "bitcoin.conf, line 1: rpcallowip=0.0.0.0/0 lets a good part of the internet",
            "no longer knows allowreceivebyip",
            "Logins        bob",
            "N-01: Bitcoin Core is installed but not running",
        ],
    );
    let (outcome, text) = Computer::new().run("check", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(&text, &["(not there yet)", "There is no bitcoin.conf yet", "conf show"]);
}

#[test]
fn check_tries_the_login_at_the_running_node() {
    let fake = FakeNode::start("main");
    let computer = Computer::with_conf(&format!("rpcport={}\n", fake.port())).running();
    fs::write(computer.bitcoin().join(".cookie"), "__cookie__:aa").unwrap();
    let (outcome, text) = computer.run("check", "");
    assert_eq!(outcome.unwrap(), 0, "{text}");
    assert_told(
        &text,
        &["The login works", "Satoshi:31.0.0 on main, block 120", "Ready to connect"],
    );

    let (outcome, text) = computer.run("check --network signet", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(&text, &["N-08: This node is on main"]);

    fake.on("getblockchaininfo", Err((-28, "Loading block index…")));
    let (outcome, text) = computer.run("check", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(&text, &["N-06: Your Bitcoin node is starting"]);

    fake.refuse(401);
    let (outcome, text) = computer.run("check", "");
    assert_eq!(outcome.unwrap(), EXIT_TO_DO);
    assert_told(&text, &["N-03: Your Bitcoin node rejected our login"]);

    computer.run("write --login rpcauth --yes", "").0.unwrap();
    let (_, text) = computer.run("check", "");
    assert_told(&text, &["C-05: Bitcoin Core hasn't been restarted yet"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let computer = Computer::new();
    fs::remove_dir(computer.bitcoin()).unwrap();
    let failure = computer.run("check", "").0.unwrap_err();
    assert_eq!((failure.code, failure.exit), ("E-CLI-01", 2));
    assert!(failure.sentence.contains("bitcoin"), "{failure}");
}
