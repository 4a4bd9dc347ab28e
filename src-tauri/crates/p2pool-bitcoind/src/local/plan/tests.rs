use std::fs;

use proptest::prelude::*;

use super::*;
use crate::local::apply;
use crate::local::fixture::{Fixture, NOON, login, wish};
use crate::local::process::Program;

mod cases;

/// What becomes of a file.
enum Expected {
    /// These bytes.
    Becomes(&'static [u8]),
    /// No plan, with this among the words why.
    Refused(&'static str),
    /// No change is needed.
    Nothing,
}

fn willing(style: LoginStyle, login: &NewLogin) -> Wish<'_> {
    Wish { may_switch_server_on: true, ..wish(style, login) }
}

fn change(node: &LocalNode, wish: &Wish<'_>) -> Change {
    match plan(node, wish) {
        Ok(Plan::Write(change)) => change,
        other => panic!("a change is due, not {other:?}"),
    }
}

/// The block with these lines between the usual ones.
fn block(user: bool, more: &str, eol: &str) -> String {
    let user = if user { "rpcuser=p2pool-0707\n" } else { "" };
    let text = format!(
        "# --- added by P2Pool Desktop 2026-11-22 14:05, remove this block to undo ---\n\
        server=1\n{user}rpcauth={}\n{more}# --- end P2Pool Desktop ---\n",
        login().rpcauth()
    );
    text.replace('\n', eol)
}

/// Replaces the signs of a case by what they stand for.
fn expand(template: &[u8]) -> Vec<u8> {
    let whitelist = format!("rpcwhitelist=p2pool-0707:{}\n", METHODS.join(","));
    let mut signs = vec![
        ("<B>".to_owned(), block(true, "", "\n")),
        ("<b>".to_owned(), block(true, "", "\n").trim_end().to_owned()),
        ("<C>".to_owned(), block(true, "", "\r\n")),
        ("<c>".to_owned(), block(true, "", "\r\n").trim_end().to_owned()),
        ("<N>".to_owned(), block(false, "", "\n")),
        ("<W>".to_owned(), block(true, &whitelist, "\n")),
    ];
    for (line, value) in [(1, "0"), (1, "false"), (1, "yes"), (2, "0")] {
        let note = format!("# line {line} was server={value}\n");
        signs.push((format!("<{line}:{value}>"), block(true, &note, "\n")));
        let open = block(true, &note, "\r\n").trim_end().to_owned();
        signs.push((format!("<{line}:{value} c>"), open));
    }
    let mut bytes = template.to_vec();
    for (sign, text) in signs {
        while let Some(at) = bytes.windows(sign.len()).position(|part| part == sign.as_bytes()) {
            bytes.splice(at..at + sign.len(), text.bytes());
        }
    }
    bytes
}

#[test]
fn every_case_becomes_what_it_should_and_comes_back_byte_for_byte() {
    let new = login();
    for (name, before, expected) in cases::CASES {
        let known = new.auth();
        let before = match expected {
            Expected::Nothing => format!("server=1\nrpcauth={}\n", new.rpcauth()).into_bytes(),
            Expected::Becomes(_) | Expected::Refused(_) => before.to_vec(),
        };
        let fixture = Fixture::with_conf(&before);
        let node = fixture.node();
        let wish = Wish { known_login: Some(&known), ..willing(LoginStyle::RpcAuth, &new) };
        match (plan(&node, &wish), expected) {
            (Ok(Plan::UseLogin(auth)), Expected::Nothing) => assert_eq!(auth, known, "{name}"),
            (Err(error), Expected::Refused(words)) => {
                assert!(error.to_string().contains(words), "{name}: {error}");
            }
            (Ok(Plan::Write(change)), Expected::Becomes(template)) => {
                let applied = apply(&change, NOON).unwrap_or_else(|e| panic!("{name}: {e}"));
                let after = fs::read(fixture.conf()).unwrap();
                assert_eq!(
                    after.escape_ascii().to_string(),
                    expand(template).escape_ascii().to_string(),
                    "{name}"
                );
                assert_eq!(fs::read(applied.backup.unwrap()).unwrap(), before, "{name}");
                let back = undo(&fixture.node()).unwrap().unwrap();
                assert!(!back.leaves_server_on() && !back.removes_file(), "{name}");
                apply(&back, NOON).unwrap();
                assert_eq!(fs::read(fixture.conf()).unwrap(), before, "{name}");
                assert_eq!(undo(&fixture.node()), Ok(None), "{name}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
    assert!(cases::CASES.len() >= 60, "{}", cases::CASES.len());
}

#[test]
fn a_second_run_replaces_our_lines_and_does_not_repeat_them() {
    let other = NewLogin::from_entropy([9; 50]);
    for (_, before, expected) in cases::CASES {
        let Expected::Becomes(template) = expected else { continue };
        let fixture = Fixture::with_conf(before);
        apply(&change(&fixture.node(), &willing(LoginStyle::RpcAuth, &other)), NOON).unwrap();
        assert_eq!(fixture.node().own_user(), Some("p2pool-0909"));
        apply(&change(&fixture.node(), &willing(LoginStyle::RpcAuth, &login())), NOON).unwrap();
        let after = fs::read(fixture.conf()).unwrap();
        assert_eq!(after.escape_ascii().to_string(), expand(template).escape_ascii().to_string());
    }
}

#[test]
fn a_missing_file_is_made_with_our_block_alone_and_goes_with_it() {
    let fixture = Fixture::new();
    let change = change(&fixture.node(), &wish(LoginStyle::Automatic, &login()));
    assert!(change.creates_file() && !fixture.conf().exists());
    let shown: Vec<String> = change.diff().into_iter().map(|line| line.text).collect();
    assert_eq!(shown.join("\n") + "\n", block(true, "", "\n"));

    let applied = apply(&change, NOON).unwrap();
    assert_eq!(applied.backup, None);
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), block(true, "", "\n"));

    let back = undo(&fixture.node()).unwrap().unwrap();
    assert!(back.removes_file());
    apply(&back, NOON).unwrap();
    assert!(!fixture.conf().exists());
    assert_eq!(undo(&fixture.node()), Ok(None));
}

#[test]
fn nothing_is_written_where_a_login_works_already() {
    let cookie = |fixture: Fixture| fixture.file(".cookie", "__cookie__:aa");
    let plan_of = |fixture: Fixture, style| {
        let cookie = Auth::Cookie(fixture.path(".cookie"));
        let plan = plan(&fixture.node(), &wish(style, &login()));
        (plan == Ok(Plan::UseLogin(cookie)), matches!(plan, Ok(Plan::Write(_))))
    };
    let running = |conf: &str| Fixture::with_conf(conf).running(Program::Bitcoind, &[]);
    let auto = LoginStyle::Automatic;
    assert_eq!(plan_of(cookie(running("")), auto), (true, false));
    assert_eq!(plan_of(cookie(running("")), LoginStyle::Cookie), (true, false));
    assert_eq!(plan_of(cookie(running("")), LoginStyle::RpcAuth), (false, true));
    assert_eq!(plan_of(cookie(running("rpcwhitelist=x:y\n")), auto), (false, true));
    // It does not run: it will make a cookie for us if it is told to serve and the folder is ours.
    assert_eq!(plan_of(Fixture::with_conf("server=1\n"), auto), (true, false));
    assert_eq!(plan_of(Fixture::with_conf("norpccookiefile=1\nserver=1\n"), auto), (false, true));
    assert_eq!(plan_of(Fixture::with_conf(""), auto), (false, true), "it may be a window");
    // A cookie of an earlier run says nothing about a program that does not serve.
    let window = Fixture::with_conf("").running(Program::BitcoinQt, &[]);
    assert_eq!(plan_of(cookie(window), auto), (false, true));

    let clear = running("rpcuser=u\nrpcpassword=p\n").node();
    let expected = clear.login().cloned().map(Plan::UseLogin);
    assert_eq!(plan(&clear, &wish(auto, &login())).ok(), expected);
}

#[test]
fn a_login_of_ours_is_used_again_until_the_password_is_lost() {
    let fixture = Fixture::with_conf("norpccookiefile=1\n").running(Program::Bitcoind, &[]);
    let new = login();
    apply(&change(&fixture.node(), &wish(LoginStyle::Automatic, &new)), NOON).unwrap();
    let known = new.auth();
    let again = NewLogin::from_entropy([9; 50]);
    let keeping = Wish { known_login: Some(&known), ..wish(LoginStyle::Automatic, &again) };
    assert_eq!(plan(&fixture.node(), &keeping), Ok(Plan::UseLogin(known)));

    let lost = change(&fixture.node(), &wish(LoginStyle::Automatic, &again));
    apply(&lost, NOON).unwrap();
    let text = fs::read_to_string(fixture.conf()).unwrap();
    assert!(text.contains("p2pool-0909") && !text.contains("p2pool-0707"), "{text}");
}

#[test]
fn switching_connections_on_needs_consent() {
    let fixture = Fixture::with_conf("a=1\nserver=0\n");
    for conf in ["a=1\nserver=0\n", "\nnoserver=1\n"] {
        fs::write(fixture.conf(), conf).unwrap();
        let error = plan(&fixture.node(), &wish(LoginStyle::Automatic, &login())).unwrap_err();
        let origin = Origin::Conf { file: fixture.conf(), line: 2 };
        assert_eq!((error.code(), error), (Some("C-06"), PlanError::ServerForbidden { origin }));
    }
    fs::write(fixture.conf(), "a=1\nserver=0\n").unwrap();
    let change = change(&fixture.node(), &willing(LoginStyle::Cookie, &login()));
    let shown: Vec<_> =
        change.diff().into_iter().map(|line| (line.is_added, line.number, line.text)).collect();
    assert_eq!(shown[..2], [(false, 2, "server=0".into()), (true, 2, "server=1".into())]);
    apply(&change, NOON).unwrap();
    let after = fs::read_to_string(fixture.conf()).unwrap();
    assert!(
        after.starts_with("a=1\nserver=1\n# --- added") && !after.contains("rpcauth"),
        "{after}"
    );
}

#[test]
fn what_we_do_not_write_is_not_fought() {
    let decided =
        |fixture: Fixture| match plan(&fixture.node(), &willing(LoginStyle::RpcAuth, &login())) {
            Err(PlanError::DecidedElsewhere { name, origin }) => (name, origin),
            other => panic!("{other:?}"),
        };
    let conf = || Fixture::with_conf("server=1\n");
    let argument = conf().running(Program::Bitcoind, &["-server=0"]);
    assert_eq!(decided(argument), ("server", Some(Origin::CommandLine)));
    let json = conf().file("settings.json", r#"{"server": false}"#);
    assert_eq!(decided(json), ("server", Some(Origin::SettingsFile)));
    let included = Fixture::with_conf("includeconf=a.conf\n").file("a.conf", "[main]\nserver=0\n");
    let origin = Origin::Conf { file: included.path("a.conf"), line: 2 };
    assert_eq!(decided(included), ("server", Some(origin)));
    let proofs = conf().running(Program::Bitcoind, &["-norpcauth"]);
    assert_eq!(decided(proofs), ("rpcauth", None));

    let unused = conf().running(Program::BitcoinQt, &["-noconf"]);
    let error = plan(&unused.node(), &wish(LoginStyle::Automatic, &login()));
    assert_eq!(error, Err(PlanError::ConfUnused));
}

#[test]
fn a_global_line_beats_one_in_an_included_file() {
    let fixture = Fixture::with_conf("includeconf=a.conf\n").file("a.conf", "server=0\n");
    apply(&change(&fixture.node(), &willing(LoginStyle::RpcAuth, &login())), NOON).unwrap();
    assert!(matches!(fixture.node().server(), Server::On(_)));
    assert_eq!(fs::read_to_string(fixture.path("a.conf")).unwrap(), "server=0\n");
}

#[test]
fn password_in_clear_is_written_only_where_it_counts() {
    let style = LoginStyle::RpcPassword;
    let fixture = Fixture::with_conf("a=1\n");
    let change = change(&fixture.node(), &wish(style, &login()));
    assert!(change.stops_cookie());
    let password = login().password().expose().to_owned();
    assert!(change.diff().iter().all(|line| !line.text.contains(&password)));
    assert!(!format!("{change:?}").contains(&password));
    assert!(change.lines().as_slice().contains(&format!("rpcpassword={password}")));
    apply(&change, NOON).unwrap();
    assert_eq!(fixture.node().login(), Some(&login().auth()));
    apply(&undo(&fixture.node()).unwrap().unwrap(), NOON).unwrap();
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), "a=1\n");

    let plan_of = |conf: &str| plan(&Fixture::with_conf(conf).node(), &wish(style, &login()));
    assert_eq!(plan_of("rpcpassword=x\n"), Err(PlanError::PasswordTaken));
    let taken = PlanError::DecidedElsewhere { name: "rpcuser", origin: None };
    assert_eq!(plan_of("rpcuser=bob\n"), Err(taken));
    let no_cookie = Fixture::with_conf("norpccookiefile=1\n").node();
    let error = plan(&no_cookie, &wish(LoginStyle::Cookie, &login())).unwrap_err();
    assert_eq!((error.code(), error), (Some("N-05"), PlanError::NoCookie));
}

#[test]
fn a_file_that_cannot_be_read_is_not_touched_but_the_lines_are_told() {
    let fixture = Fixture::new().file("bitcoin.conf/x", "");
    let error = plan(&fixture.node(), &wish(LoginStyle::RpcAuth, &login())).unwrap_err();
    assert_eq!(error.code(), Some("C-01"));
    let PlanError::Unreadable { lines, .. } = error else { panic!("{error:?}") };
    let expected = [
        "server=1".to_owned(),
        "rpcuser=p2pool-0707".into(),
        format!("rpcauth={}", login().rpcauth()),
    ];
    assert_eq!(lines.as_slice(), expected);
    assert!(undo(&fixture.node()).is_err());
}

#[test]
fn undo_takes_our_lines_alone_when_others_have_changed_the_file() {
    let fixture = Fixture::with_conf("server=0\n[test]\nb=1\n");
    apply(&change(&fixture.node(), &willing(LoginStyle::RpcAuth, &login())), NOON).unwrap();
    let text = fs::read_to_string(fixture.conf()).unwrap();
    let edited = text.replace("server=1\n# ---", "# new\nserver=1\n# ---") + "c=2\n";
    fs::write(fixture.conf(), edited).unwrap();
    apply(&undo(&fixture.node()).unwrap().unwrap(), NOON).unwrap();
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), "# new\nserver=0\n[test]\nb=1\nc=2\n");

    let gone = text.replacen("server=1\n", "", 1);
    fs::write(fixture.conf(), gone).unwrap();
    let change = undo(&fixture.node()).unwrap().unwrap();
    assert!(change.leaves_server_on());
    apply(&change, NOON).unwrap();
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), "[test]\nb=1\n");
}

/// Lines that a configuration may hold, sound and unsound.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "server=1",
        "server=0",
        "server=no",
        " server = 0 # x",
        "noserver=1",
        "noserver=0",
        "main.server=0",
        "rpcuser=bob",
        "rpcpassword=x",
        "rpcauth=bob:1$2",
        "norpcauth=1",
        "[main]",
        "[test]",
        "[]",
        "# comment",
        "",
        "\t",
        "txindex=1",
        "rpcwhitelist=bob:stop",
        "rpcport=1",
    ]);
    let text = prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>().prop_filter("lines", |b| *b != b'\n'), 0..20),
        1 => prop::collection::vec(any::<u8>().prop_filter("lines", |b| *b != b'\n'), 0..20)
            .prop_map(|text| [b"x=", &text[..]].concat()),
    ];
    let end = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    (text, end).prop_map(|(text, end)| [&text[..], end.as_bytes()].concat())
}

fn conf() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(line(), 0..8), any::<bool>()).prop_map(|(lines, is_open)| {
        let mut bytes = lines.concat();
        if is_open {
            bytes.pop();
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn writing_then_undoing_gives_the_same_bytes(
        before in conf(),
        style in prop::sample::select(vec![LoginStyle::RpcAuth, LoginStyle::RpcPassword]),
    ) {
        let fixture = Fixture::with_conf(&before);
        let Ok(plan) = plan(&fixture.node(), &willing(style, &login())) else { return Ok(()) };
        let Plan::Write(change) = plan else { panic!("no login is known") };
        // Without forcing each try to the disk; carrying a change out has tests of its own.
        let write = |change: &Change| fs::write(fixture.conf(), change.after.as_ref().unwrap());
        write(&change).unwrap();
        let once = fs::read(fixture.conf()).unwrap();
        let node = fixture.node();
        prop_assert!(matches!(node.server(), Server::On(_)));
        prop_assert!(node.access.admits("p2pool-0707"));
        prop_assert!(node.access.has_rpcauth(&login()) || node.login() == Some(&login().auth()));

        // A second run writes the same, not more.
        if let Ok(Plan::Write(again)) = super::plan(&node, &willing(style, &login())) {
            write(&again).unwrap();
            prop_assert_eq!(&fs::read(fixture.conf()).unwrap(), &once);
        }
        write(&undo(&fixture.node()).unwrap().unwrap()).unwrap();
        prop_assert_eq!(fs::read(fixture.conf()).unwrap(), before);
    }

    #[test]
    fn no_bytes_make_the_reading_fail(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let node = Fixture::with_conf(&bytes).node();
        let _ = (node.findings(), node.users(), undo(&node));
        let _ = plan(&node, &willing(LoginStyle::RpcAuth, &login()));
    }
}
