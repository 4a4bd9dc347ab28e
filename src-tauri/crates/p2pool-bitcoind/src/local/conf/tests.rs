use super::*;

/// Each setting as `section|name|value`, with `-` and `+` for switches.
fn read(text: &[u8]) -> Vec<String> {
    let file = ConfFile::parse(text.to_vec());
    let show = |entry: &Entry| {
        let value = match &entry.value {
            Value::Negated => "-".into(),
            Value::Affirmed => "+".into(),
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        };
        assert_eq!(entry.value_at.is_empty(), text[entry.value_at.clone()].is_empty());
        format!("{}|{}|{value}", entry.section, entry.name)
    };
    file.entries().iter().map(show).collect()
}

fn fault(text: &[u8]) -> Option<Fault> {
    ConfFile::parse(text.to_vec()).fault().cloned()
}

#[test]
fn settings_are_read_with_blanks_comments_and_any_line_end() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &[]),
        (b"\n\r\n  \t\n# server=1\n", &[]),
        (b"server=1", &["|server|1"]),
        (b"\t server \t=\t 0 # x\r\n", &["|server|0"]),
        (b"server=0=1\n", &["|server|0=1"]),
        (b"server=\n", &["|server|"]),
        (b"=0\n", &["||0"]),
        (b"foo=1\rserver=0\r", &["|foo|1\rserver=0"]),
        (b"Server=0\n", &["|Server|0"]),
        (b"\x0bserver=0\n", &["|\x0bserver|0"]),
        (b"noserver=1\nnoserver=0\nnoserver=\n", &["|server|-", "|server|+", "|server|-"]),
        (b"nonoserver=1\n", &["|noserver|-"]),
        (b"\xe9=\xff\n", &["|\u{fffd}|\u{fffd}"]),
        (b"\xef\xbb\xbfserver=0\n", &["|\u{feff}server|0"]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{}", text.escape_ascii());
        assert_eq!(fault(text), None, "{}", text.escape_ascii());
    }
}

#[test]
fn sections_count_until_the_next_and_by_dots() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"a=1\n[test]\nb=2\n[main]\nc=3\n", &["|a|1", "test|b|2", "main|c|3"]),
        (b"  [regtest]  # c\nserver=0\n", &["regtest|server|0"]),
        (b"[ regtest ]\na=1\n", &[" regtest |a|1"]),
        (b"[]\nserver=0\n", &["|server|0"]),
        (b"regtest.server=0\n", &["regtest|server|0"]),
        (b"regtest.noserver=1\n", &["regtest|server|-"]),
        (b"noregtest.server=1\n", &["noregtest|server|1"]),
        (b"[main]\ntest.server=0\n", &["main|test.server|0"]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{}", text.escape_ascii());
    }
    let file = ConfFile::parse(b"a=1\n  [test]\n[main]\n".to_vec());
    assert_eq!(file.global_end(), 4);
    assert_eq!(file.sections()[1].line, 3);
    assert_eq!(ConfFile::parse(b"a=1\nmain.b=2\n".to_vec()).global_end(), 13);
}

#[test]
fn what_keeps_core_from_starting_is_found_with_its_line() {
    let cases: &[(&[u8], Fault)] = &[
        (b"\nserver\n", Fault::NoEquals { line: 2 }),
        (b"-server=0\n", Fault::LeadingDash { line: 1 }),
        (b"rpcpassword=a#b\n", Fault::HashInPassword { line: 1 }),
        (b"[main]\nxrpcpassword=a # b\n", Fault::HashInPassword { line: 2 }),
        (b"conf=x\n", Fault::NotAllowed { line: 1, name: "conf".into() }),
        (b"noconf=1\n", Fault::NotAllowed { line: 1, name: "conf".into() }),
        (b"nodatadir=1\n", Fault::NotAllowed { line: 1, name: "datadir".into() }),
        (b"\xef\xbb\xbf# hi\n", Fault::NoEquals { line: 1 }),
        (b"\xef\xbb\xbf[main]\n", Fault::NoEquals { line: 1 }),
        (b"s\0e\0=\x001\0\r\0\n\0", Fault::NoEquals { line: 2 }),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text).as_ref(), Some(expected), "{}", text.escape_ascii());
    }
    assert_eq!(fault(b"#rpcpassword=a\nrpcauth=a:b$c\nnorpcauth=1\n"), None);
}

#[test]
fn users_are_read_from_well_formed_proofs_only() {
    for (value, user) in [
        ("u:5a$11", Some("u")),
        (":$", Some("")),
        ("", None),
        ("foo", None),
        ("u:5a", None),
        ("a:b:c$d", None),
        ("a:b$c$d", None),
    ] {
        assert_eq!(rpcauth_user(value.as_bytes()), user.map(str::as_bytes), "{value}");
    }
}

#[test]
fn switches_are_read_as_numbers() {
    for (text, is_on) in [
        ("", true),
        ("1", true),
        ("0", false),
        ("00", false),
        ("true", false),
        ("yes", false),
        ("\"1\"", false),
        ("0x1", false),
        ("1x", true),
        ("-1", true),
        ("+1", true),
        ("+-1", false),
        ("\x0b1", true),
        ("999999999999999999999", true),
        ("-999999999999999999999", true),
    ] {
        assert_eq!(Value::Text(text.into()).is_on(), is_on, "{text:?}");
    }
}

#[test]
fn line_ends_of_the_majority_are_found() {
    for (text, expected) in
        [("", false), ("a\n", false), ("a\r\n", true), ("a\r\nb\nc\r\n", true), ("a\r\nb\n", false)]
    {
        assert_eq!(ConfFile::parse(text.into()).is_crlf(), expected, "{text:?}");
    }
}

#[test]
fn passwords_are_not_printed() {
    let file = ConfFile::parse(b"rpcpassword=hunter2\nrpcpassword=a # hunter2\n".to_vec());
    assert!(!format!("{file:?}").contains("hunter2"));
}
