use std::ffi::OsString;

use super::*;

fn sources(arguments: &[&str], json: &[(&str, Value)], files: &[&str]) -> Sources {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    Sources {
        command_line: CommandLine::parse(System::Linux, arguments.iter().map(OsString::as_os_str)),
        settings_file: json.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        files: files
            .iter()
            .map(|text| (PathBuf::from("bitcoin.conf"), ConfFile::parse(text.as_bytes().into())))
            .collect(),
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

/// Whether `server` is on for regtest; `None` if nothing says so.
fn server(sources: &Sources) -> Option<bool> {
    sources.single("server", Network::Regtest).map(|found| found.value.is_on())
}

#[test]
fn first_value_of_a_file_wins_and_a_negation_wipes_out_what_stands_before_it() {
    for (files, expected) in [
        (&[""] as &[&str], None),
        (&["server=0\nserver=1\n"], Some(false)),
        (&["server=1\nserver=0\n"], Some(true)),
        (&["noserver=1\nserver=1\n"], Some(true)),
        (&["server=1\nnoserver=1\n"], Some(false)),
        (&["noserver=0\n"], Some(true)),
        (&["server=1\nnoserver=1\nserver=0\nserver=1\n"], Some(false)),
        (&["server=1\n[regtest]\nserver=0\n"], Some(false)),
        (&["noserver=1\n[regtest]\nserver=1\n"], Some(true)),
        (&["server=1\n[regtest]\nnoserver=1\n"], Some(false)),
        (&["regtest.server=0\nserver=1\n"], Some(false)),
        (&["[main]\nserver=0\n"], None),
        (&["server=1\n", "server=0\n"], Some(true)),
        (&["", "server=0\n", "server=1\n"], Some(false)),
        (&["server=1\n", "[regtest]\nserver=0\n"], Some(false)),
    ] {
        assert_eq!(server(&sources(&[], &[], files)), expected, "{files:?}");
    }
}

#[test]
fn arguments_and_the_settings_file_stand_above_files_and_there_the_last_wins() {
    let on = &["[regtest]\nserver=1\n"];
    for (arguments, json, expected) in [
        (&["-server=0"] as &[&str], vec![], false),
        (&["--server=0", "-server"], vec![], true),
        (&["-server", "-noserver"], vec![], false),
        (&["-noserver=0"], vec![], true),
        (&["-server", "-"], vec![("server", Value::Negated)], true),
        (&["-", "-server=0"], vec![], true),
        (&["run", "-server=0"], vec![], true),
        (&["-psn_0_1", "-server=0"], vec![], false),
        (&[], vec![("server", Value::Negated)], false),
        (&[], vec![("server", text("0"))], false),
        (&[], vec![("server", Value::Affirmed)], true),
    ] {
        assert_eq!(server(&sources(arguments, &json, on)), Some(expected), "{arguments:?}");
    }
}

#[test]
fn windows_arguments_know_slashes_and_any_case() {
    let arguments = [OsStr::new("/SERVER=0"), OsStr::new("-RpcPort=Ab")];
    let windows = CommandLine::parse(System::Windows, arguments);
    assert_eq!(windows.0, [("server".into(), text("0")), ("rpcport".into(), text("Ab"))]);
    assert_eq!(CommandLine::parse(System::Linux, arguments).0, []);
}

#[test]
fn lists_gather_all_places_until_a_negation() {
    let users = |arguments: &[&str], json: &[(&str, Value)], file: &str| -> Vec<String> {
        let sources = sources(arguments, json, &[file]);
        let list = sources.list("rpcauth", Network::Regtest);
        list.iter().map(|found| String::from_utf8_lossy(found.value.text()).into()).collect()
    };
    const ONE: &str = "rpcauth=u:1$1\n";
    let other = text("x:1$2");
    assert_eq!(users(&[], &[], &format!("norpcauth=1\n{ONE}")), ["u:1$1"]);
    assert_eq!(users(&[], &[], &format!("{ONE}norpcauth=1\n")), [""; 0]);
    assert_eq!(users(&[], &[], &format!("{ONE}[regtest]\nnorpcauth=1\n")), [""; 0]);
    let section = format!("{ONE}[regtest]\nrpcauth=x:1$2\n");
    assert_eq!(users(&[], &[], &section), ["x:1$2", "u:1$1"]);
    let revived = format!("{ONE}[regtest]\nnorpcauth=1\nrpcauth=x:1$2\n");
    assert_eq!(users(&[], &[], &revived), ["x:1$2", "u:1$1"]);
    assert_eq!(users(&["-rpcauth=x:1$2"], &[], ONE), ["x:1$2", "u:1$1"]);
    assert_eq!(users(&["-norpcauth"], &[], ONE), [""; 0]);
    assert_eq!(users(&["-norpcauth", "-rpcauth=x:1$2"], &[], ONE), ["x:1$2", "u:1$1"]);
    assert_eq!(users(&[], &[("rpcauth", other)], ONE), ["x:1$2", "u:1$1"]);
    assert_eq!(users(&[], &[("rpcauth", Value::Negated)], ONE), [""; 0]);
}

#[test]
fn ports_of_the_global_part_count_for_the_main_chain_only() {
    let port = |file: &str, chain| {
        let sources = sources(&[], &[], &[file]);
        sources.single("rpcport", chain).map(|found| found.value.clone())
    };
    assert_eq!(port("rpcport=1\n", Network::Bitcoin), Some(text("1")));
    assert_eq!(port("rpcport=1\n", Network::Testnet4), None);
    assert_eq!(port("rpcport=1\n[testnet4]\nrpcport=2\n", Network::Testnet4), Some(text("2")));
    assert_eq!(port("norpcport=1\n", Network::Testnet4), Some(Value::Negated));
    assert_eq!(sources(&[], &[], &["rpcbind=::\n"]).list("rpcbind", Network::Signet), []);
}

#[test]
fn the_chain_is_chosen_as_core_chooses_it() {
    use Network::*;
    let chain = |arguments: &[&str], file: &str| sources(arguments, &[], &[file]).chain();
    for (arguments, file, expected) in [
        (&[] as &[&str], "", Bitcoin),
        (&[], "testnet4=1\n", Testnet4),
        (&[], "testnet=1\n", Testnet),
        (&[], "chain=signet\n", Signet),
        (&[], "chain=test\n", Testnet),
        (&[], "chain=signet\nchain=regtest\n", Signet),
        (&[], "regtest=1\nregtest=0\n", Bitcoin),
        (&[], "regtest=0\nregtest=1\n", Regtest),
        (&[], "regtest=1\nnoregtest=1\n", Bitcoin),
        (&["-noregtest"], "regtest=1\n", Regtest),
        (&["-regtest=0"], "regtest=1\n", Bitcoin),
        (&["-chain=main"], "chain=regtest\n", Bitcoin),
        (&[], "[main]\nregtest=1\n", Bitcoin),
        (&[], "[regtest]\nchain=regtest\n", Bitcoin),
    ] {
        assert_eq!(chain(arguments, file), Ok(expected), "{arguments:?} {file:?}");
    }
    assert_eq!(chain(&[], "testnet=1\nregtest=1\n"), Err(UnknownChain::Conflict));
    assert_eq!(chain(&["-chain=main"], "regtest=1\n"), Err(UnknownChain::Conflict));
    for (file, name) in [("chain=testnet3\n", "testnet3"), ("chain=\n", ""), ("nochain=1\n", "0")] {
        assert_eq!(chain(&[], file), Err(UnknownChain::NoSuch(name.into())));
    }
}

#[test]
fn a_value_tells_where_it_stands() {
    let sources = sources(&["-rpcport=1"], &[], &["", "# x\nserver=1\n"]);
    let origin = |name| {
        let found = sources.single(name, Network::Bitcoin).unwrap();
        sources.origin(found.spot)
    };
    assert_eq!(origin("rpcport"), Origin::CommandLine);
    assert_eq!(origin("server"), Origin::Conf { file: "bitcoin.conf".into(), line: 2 });
    assert_eq!(origin("server").to_string(), "bitcoin.conf, line 2");
}
