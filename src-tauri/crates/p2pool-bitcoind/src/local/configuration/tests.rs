use super::*;
use crate::local::fixture::Fixture;
use crate::local::folders::System;

/// Reads a folder as a node with these arguments would.
fn read(fixture: &Fixture, arguments: &[&str]) -> Configuration {
    let arguments = arguments.iter().map(std::ffi::OsStr::new);
    Configuration::read(&Start {
        folder: fixture.folder().to_owned(),
        command_line: CommandLine::parse(System::Linux, arguments),
        ..Start::default()
    })
}

/// Whether `server` is on for regtest.
fn server(configuration: &Configuration) -> Option<bool> {
    configuration.sources.single("server", Network::Regtest).map(|found| found.value.is_on())
}

#[test]
fn included_files_count_after_the_main_one() {
    const OFF: (&str, &str) = ("a.conf", "server=0\n");
    for (conf, files, expected) in [
        ("includeconf=a.conf\n", &[OFF] as &[_], Some(false)),
        ("includeconf=a.conf\nserver=1\n", &[OFF], Some(true)),
        ("[regtest]\nincludeconf=a.conf\n", &[OFF], Some(false)),
        ("[main]\nincludeconf=a.conf\n", &[OFF], None),
        ("includeconf=a.conf\nserver=1\n", &[("a.conf", "[regtest]\nserver=0\n")], Some(false)),
        ("includeconf=a.conf\nincludeconf=b.conf\n", &[OFF, ("b.conf", "server=1\n")], Some(false)),
        (
            "includeconf=a.conf\n[regtest]\nincludeconf=b.conf\n",
            &[OFF, ("b.conf", "server=1\n")],
            Some(true),
        ),
        (
            "includeconf=a.conf\n",
            &[("a.conf", "includeconf=b.conf\n"), ("b.conf", "server=0\n")],
            None,
        ),
        ("includeconf=a.conf\nnoincludeconf=1\n", &[OFF], None),
        (
            "includeconf=a.conf\nincludeconf=b.conf\n",
            &[("a.conf", "[main]\n"), ("b.conf", "server=0\n")],
            Some(false),
        ),
    ] {
        let mut fixture = Fixture::with_conf(conf);
        for (name, text) in files {
            fixture = fixture.file(name, text);
        }
        let configuration = read(&fixture, &["-regtest"]);
        assert_eq!(server(&configuration), expected, "{conf:?} {files:?}");
        assert_eq!(configuration.refusals, [], "{conf:?}");
    }
    let fixture = Fixture::with_conf("includeconf=a.conf\n").file("a.conf", "server=0\n");
    assert_eq!(server(&read(&fixture, &["-regtest", "-noincludeconf"])), None);
}

#[test]
fn a_missing_include_keeps_the_node_from_starting() {
    for (conf, name) in [("includeconf=a\n", "a"), ("includeconf=sub\n", "sub")] {
        let fixture = Fixture::with_conf(conf).file("sub/x", "");
        let refusals = read(&fixture, &[]).refusals;
        assert_eq!(refusals, [Refusal::NoInclude(fixture.path(name))]);
    }
}

#[test]
fn settings_file_of_the_chain_stands_above_files() {
    for (arguments, json, expected) in [
        (&["-regtest"] as &[&str], r#"{"_warning_": "x", "server": false}"#, Some(false)),
        (&["-regtest"], r#"{"server": "0"}"#, Some(false)),
        (&["-regtest"], r#"{"server": ["1", "0"]}"#, Some(false)),
        (&["-regtest"], r#"{"server": null}"#, Some(true)),
        (&["-regtest", "-nosettings"], r#"{"server": false}"#, Some(true)),
        (&["-regtest", "-settings=x.json"], r#"{"server": false}"#, Some(true)),
        (&[], r#"{"server": false}"#, Some(true)),
    ] {
        let fixture = Fixture::with_conf("server=1\n").file("regtest/settings.json", json);
        let configuration = read(&fixture, arguments);
        assert_eq!(server(&configuration), expected, "{arguments:?} {json}");
        assert_eq!(configuration.refusals, []);
    }
}

#[test]
fn a_damaged_settings_file_keeps_the_node_from_starting() {
    for json in ["", "{", "[]", r#"{"a":1}x"#, r#"{"server":true,"server":false}"#] {
        let fixture = Fixture::with_conf("").file("settings.json", json);
        let refusals = read(&fixture, &[]).refusals;
        assert_eq!(refusals, [Refusal::SettingsFile(fixture.path("settings.json"))], "{json}");
    }
}

#[test]
fn the_configuration_may_move_the_data_folder_but_not_what_it_includes() {
    let other = tempfile::tempdir().unwrap();
    let conf = format!("datadir={}\nincludeconf=a.conf\nregtest=1\n", other.path().display());
    let fixture = Fixture::with_conf(conf).file("a.conf", "server=0\n");
    let configuration = read(&fixture, &[]);
    assert_eq!(configuration.started_folder, fixture.folder());
    assert_eq!(configuration.data_folder, other.path());
    assert_eq!(configuration.chain_folder, other.path().join("regtest"));
    assert_eq!((configuration.refusals.len(), server(&configuration)), (0, Some(false)));

    let argument = format!("-datadir={}", fixture.folder().display());
    assert_eq!(read(&fixture, &[&argument]).data_folder, fixture.folder());

    let gone = Fixture::with_conf("datadir=/no/such/folder\n");
    let refusals = read(&gone, &[]).refusals;
    assert_eq!(refusals, [Refusal::NoDataFolder("/no/such/folder".into())]);
}

#[test]
fn the_configuration_file_is_the_one_that_the_node_takes() {
    let fixture = Fixture::with_conf("server=0\n").file("other.conf", "server=1\n");
    assert_eq!(server(&read(&fixture, &[])), Some(false));
    assert_eq!(server(&read(&fixture, &["-conf=other.conf"])), Some(true));
    let path = format!("-conf={}", fixture.path("other.conf").display());
    assert_eq!(server(&read(&fixture, &[&path])), Some(true));
    let none = read(&fixture, &["-noconf"]);
    assert_eq!((none.conf_state.clone(), server(&none)), (ConfState::Unused, None));
    let missing = read(&fixture, &["-conf=no.conf"]);
    assert_eq!(missing.conf_state, ConfState::Missing);

    let service = Fixture::new().file("etc.conf", "server=1\n");
    let start = |folder: PathBuf| {
        let conf_elsewhere = Some(service.path("etc.conf"));
        Configuration::read(&Start { folder, conf_elsewhere, ..Start::default() })
    };
    assert_eq!(server(&start(service.folder().into())), Some(true));
    assert_eq!(server(&start(fixture.folder().into())), Some(false), "its own file first");
}

#[test]
fn a_file_that_the_node_passes_over_is_found() {
    let fixture = Fixture::with_conf("").file("other.conf", "");
    let passed_over = |arguments: &[&str]| read(&fixture, arguments).passed_over();
    assert_eq!(passed_over(&[]), None);
    assert_eq!(passed_over(&["-noconf"]), None);
    assert_eq!(passed_over(&["-conf=other.conf"]), Some(fixture.conf()));
    assert_eq!(passed_over(&["-conf=other.conf", "-allowignoredconf"]), None);
    let moved = Fixture::with_conf(format!("datadir={}\n", fixture.folder().display()));
    assert_eq!(read(&moved, &[]).passed_over(), Some(fixture.conf()));
}

#[test]
fn files_that_are_none_are_not_read() {
    let folder = Fixture::new().file("bitcoin.conf/x", "");
    let configuration = read(&folder, &[]);
    assert_eq!(configuration.refusals, [Refusal::ConfIsFolder(folder.conf())]);
    assert!(matches!(configuration.conf_state, ConfState::Unreadable(_)));

    let huge = Fixture::with_conf(vec![b'\n'; CONF_BYTES_MAX + 1]);
    assert!(matches!(read(&huge, &[]).conf_state, ConfState::Unreadable(_)));
    let big = Fixture::with_conf(vec![b'\n'; CONF_BYTES_MAX]);
    assert_eq!(read(&big, &[]).conf_state, ConfState::Read);

    let nowhere = Configuration::read(&Start { folder: "/no/such".into(), ..Start::default() });
    assert_eq!(nowhere.conf_state, ConfState::Missing);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let fixture = Fixture::new();
    let made = std::process::Command::new("mkfifo").arg(fixture.conf()).status().unwrap();
    assert!(made.success());
    assert!(matches!(read(&fixture, &[]).conf_state, ConfState::Unreadable(_)));
}

#[test]
fn what_else_keeps_a_node_from_starting_is_found() {
    let conf = |line: u32, fixture: &Fixture| Origin::Conf { file: fixture.conf(), line };
    let fixture = Fixture::with_conf("testnet4=1\n[test]\nrpcauth=x\n");
    assert_eq!(read(&fixture, &[]).refusals, []);
    let fixture = Fixture::with_conf("\nrpcauth=x\n");
    let refusals = read(&fixture, &[]).refusals;
    assert_eq!(refusals, [Refusal::MalformedRpcauth(conf(2, &fixture))]);

    let fixture = Fixture::with_conf("rpcport=1\n");
    assert_eq!(read(&fixture, &[]).refusals, []);
    let refusals = read(&fixture, &["-signet"]).refusals;
    let origin = conf(1, &fixture);
    assert_eq!(refusals, [Refusal::OutsideSection { name: "rpcport", origin }]);
    assert_eq!(read(&fixture, &["-signet", "-rpcport=2"]).refusals, []);

    let fixture = Fixture::with_conf("regtest=1\n");
    let refusals = read(&fixture, &["-signet"]).refusals;
    assert_eq!(refusals, [Refusal::Chain(UnknownChain::Conflict)]);
    let fixture = Fixture::with_conf("nonsense\n");
    let fault = Fault::NoEquals { line: 1 };
    let refusals = read(&fixture, &[]).refusals;
    assert_eq!(refusals, [Refusal::Line { file: fixture.conf(), fault }]);
}
