use std::ffi::OsStr;

use super::*;
use crate::local::fixture::Fixture;

fn home(folder: &Path) -> Surroundings {
    let variables = Variables { home: Some(folder.to_owned()), ..Variables::default() };
    Surroundings {
        system: System::Linux,
        variables,
        user: own_user(),
        running: vec![],
        saved_folder: None,
    }
}

fn running(program: Program, arguments: &[String]) -> RunningNode {
    RunningNode {
        pid: 7,
        program,
        executable: None,
        started_unix_s: 1000,
        is_of_other_user: Some(false),
        command_line: CommandLine::parse(System::Linux, arguments.iter().map(OsStr::new)),
        working_folder: None,
        home: None,
    }
}

/// Data folders below `folder`: a computer that runs the tests may have one of its own.
fn below(inspection: &Inspection, folder: &Path) -> Vec<PathBuf> {
    let all = inspection.nodes.iter().map(|node| node.started_folder());
    all.filter_map(|found| Some(found.strip_prefix(folder).ok()?.to_owned())).collect()
}

#[test]
fn folders_that_a_node_has_used_are_found() {
    let fixture = Fixture::new()
        .file(".bitcoin/blocks/x", "")
        .file("snap/bitcoin-core/common/.bitcoin/bitcoin.conf", "")
        .file(".var/app/org.bitcoincore.bitcoin-qt/data/unrelated", "");
    let inspection = inspect(&home(fixture.folder()));
    let expected = [".bitcoin", "snap/bitcoin-core/common/.bitcoin"];
    assert_eq!(below(&inspection, fixture.folder()), expected.map(PathBuf::from));
}

#[test]
fn the_folder_chosen_in_the_window_is_found() {
    let disk = Fixture::with_conf("");
    let text = format!("[General]\nstrDataDir={}\n", disk.folder().display());
    let fixture = Fixture::new().file(".config/Bitcoin/Bitcoin-Qt.conf", text);
    assert!(inspect(&home(fixture.folder())).with_folder(disk.folder()).is_some());

    let mut surroundings = home(fixture.folder());
    surroundings.running = vec![running(Program::BitcoinQt, &[])];
    let inspection = inspect(&surroundings);
    assert_eq!(inspection.nodes[0].started_folder(), disk.folder());
    assert!(inspection.nodes[0].is_running());
    surroundings.running = vec![running(Program::Bitcoind, &[])];
    assert!(inspect(&surroundings).nodes[0].started_folder().ends_with(".bitcoin"));
}

#[test]
fn a_running_node_tells_its_folder_by_its_arguments_or_its_home() {
    let fixture = Fixture::with_conf("").file("inner/.bitcoin/bitcoin.conf", "");
    let folder = fixture.folder();
    let mut surroundings = home(Path::new("/no/such"));
    let mut found = |node: RunningNode| {
        surroundings.running = vec![node];
        inspect(&surroundings).nodes.first().map(|node| node.started_folder().to_owned())
    };
    let argument = [format!("-datadir={}", folder.display())];
    assert_eq!(found(running(Program::Bitcoind, &argument)), Some(folder.to_owned()));
    let relative = [String::from("-datadir=inner/.bitcoin")];
    let mut node = running(Program::Bitcoind, &relative);
    assert_eq!(found(node.clone()), None, "nobody knows from where");
    node.working_folder = Some(folder.to_owned());
    assert_eq!(found(node), Some(folder.join("inner/.bitcoin")));
    let mut node = running(Program::Bitcoind, &[]);
    node.home = Some(folder.join("inner"));
    assert_eq!(found(node), Some(folder.join("inner/.bitcoin")));
}

#[test]
fn a_stranger_whose_folder_nobody_tells_is_listed_apart() {
    let mut surroundings = home(Path::new("/no/such"));
    let mut node = running(Program::Bitcoind, &[]);
    node.is_of_other_user = Some(true);
    surroundings.running = vec![node];
    let inspection = inspect(&surroundings);
    assert_eq!(inspection.unplaced.len(), 1);
    if inspection.nodes.is_empty() {
        let error = inspection.choose(Network::Bitcoin).unwrap_err();
        assert_eq!((error.code(), error), (Some("N-05"), ChooseError::OtherUser));
    }
}

#[test]
fn the_same_folder_is_one_node_unless_two_chains_run_in_it() {
    let fixture = Fixture::with_conf("");
    let argument = format!("-datadir={}", fixture.folder().display());
    let mut surroundings = home(Path::new("/no/such"));
    surroundings.saved_folder = Some(fixture.folder().join("."));
    let main = running(Program::Bitcoind, std::slice::from_ref(&argument));
    let regtest = running(Program::Bitcoind, &[argument, "-regtest".into()]);
    surroundings.running = vec![main.clone(), main.clone()];
    let one = |s: &Surroundings| {
        let inspection = inspect(s);
        inspection.nodes.iter().filter(|node| node.is_running()).count()
    };
    assert_eq!(one(&surroundings), 1);
    surroundings.running = vec![main, regtest];
    assert_eq!(one(&surroundings), 2);
    let inspection = inspect(&surroundings);
    let chosen = |chain| inspection.choose(chain).map(|node| node.chain()).ok();
    assert_eq!(chosen(Network::Bitcoin), Some(Network::Bitcoin));
    assert_eq!(chosen(Network::Regtest), Some(Network::Regtest));
    assert_eq!(chosen(Network::Signet), None);
}

#[test]
fn the_node_to_work_with_is_the_one_that_runs_else_the_only_one() {
    let (one, two) = (Fixture::with_conf(""), Fixture::with_conf(""));
    let only = |fixtures: &[&Fixture]| Inspection {
        nodes: fixtures.iter().map(|fixture| fixture.node()).collect(),
        unplaced: vec![],
    };
    let nothing = only(&[]).choose(Network::Bitcoin).unwrap_err();
    assert_eq!((nothing.code(), nothing), (None, ChooseError::Nothing));
    assert!(only(&[&one]).choose(Network::Bitcoin).is_ok());
    let folders = vec![one.folder().to_owned(), two.folder().to_owned()];
    let both = only(&[&one, &two]);
    let several = both.choose(Network::Bitcoin).unwrap_err();
    assert_eq!((several.code(), several), (Some("N-16"), ChooseError::Several(folders)));

    let two = two.running(Program::Bitcoind, &[]);
    let both = only(&[&one, &two]);
    let chosen = both.choose(Network::Bitcoin).unwrap();
    assert_eq!(chosen.started_folder(), two.folder());
    assert!(both.choose(Network::Signet).is_ok(), "it will be told that the chain is wrong");
    let one = one.running(Program::Bitcoind, &[]);
    assert!(only(&[&one, &two]).choose(Network::Bitcoin).is_err());
}

#[test]
fn a_node_tells_how_to_call_it() {
    let conf = "rpcport=9000\nrpcauth=bob:1$2\n";
    let node = Fixture::with_conf(conf).file(".cookie", "__cookie__:aa").node();
    let Cookie::Readable(path) = node.cookie() else { panic!("{:?}", node.cookie()) };
    assert_eq!(node.rpc_config(Auth::Cookie(path.clone())).url, "http://127.0.0.1:9000");
    assert_eq!((node.users(), node.own_user()), (vec!["bob".to_owned()], None));
    assert_eq!((node.server(), node.serves()), (&Server::Unsaid, None));
    assert_eq!(node.conf_state(), &ConfState::Read);

    let clear = Fixture::with_conf("rpcuser=u\nrpcpassword=hunter2 hunter2\n").node();
    assert_eq!(clear.cookie(), &Cookie::NotMade);
    assert!(clear.login().is_some());
    assert!(!format!("{clear:?}").contains("hunter2"));
}

#[test]
fn a_cookie_that_may_call_nothing_is_pointed_out() {
    let node = Fixture::with_conf("rpcwhitelist=x:stop\n").file(".cookie", "a:b").node();
    let kinds: Vec<_> = node.findings().iter().map(|finding| &finding.kind).collect();
    assert!(kinds.contains(&&FindingKind::CookieNotWhitelisted), "{kinds:?}");
    assert_eq!(node.usable_cookie(), None);
}

#[test]
fn this_computer_can_be_looked_at() {
    let surroundings = Surroundings::of_this_computer();
    assert_eq!(surroundings.user.is_some(), cfg!(unix));
    let inspection = inspect(&surroundings);
    assert!(inspection.unplaced.len() <= surroundings.running.len());
}

#[test]
fn a_folder_and_a_file_named_by_a_person_are_looked_at_even_if_no_node_has_used_them() {
    let fixture = Fixture::new().file("etc/my.conf", "server=1\n").running(Program::Bitcoind, &[]);
    let unused = fixture.path("unused");
    let surroundings = fixture.surroundings();
    let node = look_at(&surroundings, &unused, None, None);
    assert_eq!((node.conf_state(), node.is_running()), (&ConfState::Missing, false));
    assert_eq!(node.conf_path(), unused.join(CONF_NAME));

    let file = fixture.path("etc/my.conf");
    let node = look_at(&surroundings, &unused, Some(&file), None);
    assert_eq!((node.conf_path(), node.conf_state()), (file.as_path(), &ConfState::Read));
    assert!(matches!(node.server(), Server::On(_)));

    let node = look_at(&surroundings, &unused, Some(&file), Some(Network::Regtest));
    assert_eq!((node.chain(), node.access.port), (Network::Regtest, 18_443));
    assert_eq!(node.cookie(), &Cookie::Missing(unused.join("regtest/.cookie")));
    assert!(matches!(node.server(), Server::On(_)), "the file counts too");

    assert!(look_at(&surroundings, fixture.folder(), None, None).is_running());
    assert!(!look_at(&surroundings, fixture.folder(), Some(&file), None).is_running());
}
