use super::*;

const NOON: Stamp = Stamp { year: 2026, month: 11, day: 22, hour: 14, minute: 5, second: 1 };

fn body() -> Vec<Vec<u8>> {
    vec![b"server=1".into(), b"rpcuser=p2pool-7f3a".into(), b"rpcauth=p2pool-7f3a:1$2".into()]
}

fn with_block(text: &[u8], is_crlf: bool) -> Vec<u8> {
    insert(text, &render(&body(), NOON, is_crlf))
}

#[test]
fn block_reads_as_designed() {
    let expected = "# --- added by P2Pool Desktop 2026-11-22 14:05, remove this block to undo ---\n\
        server=1\nrpcuser=p2pool-7f3a\nrpcauth=p2pool-7f3a:1$2\n# --- end P2Pool Desktop ---\n";
    assert_eq!(String::from_utf8(render(&body(), NOON, false)).unwrap(), expected);
    let crlf = render(&body(), NOON, true);
    assert_eq!(String::from_utf8(crlf).unwrap(), expected.replace('\n', "\r\n"));
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (unix_s, people, files) in [
        (0, "1970-01-01 00:00", "19700101-000000"),
        (951_782_400, "2000-02-29 00:00", "20000229-000000"),
        (1_795_356_301, "2026-11-22 14:05", "20261122-140501"),
        (4_107_542_399, "2100-02-28 23:59", "21000228-235959"),
        (4_107_542_400, "2100-03-01 00:00", "21000301-000000"),
        (15_000_000_000, "2445-05-01 02:40", "24450501-024000"),
    ] {
        let stamp = Stamp::from_unix_s(unix_s);
        assert_eq!((stamp.for_people().as_str(), stamp.for_files().as_str()), (people, files));
    }
    assert_eq!(Stamp::from_unix_s(u64::MAX).year, u16::MAX);
}

#[test]
fn block_stands_at_the_end_of_the_global_part() {
    let block = String::from_utf8(render(&body(), NOON, false)).unwrap();
    let open = block.trim_end().to_owned();
    for (text, expected) in [
        ("", open.clone()),
        ("a=1\n", format!("a=1\n{block}")),
        ("a=1", format!("a=1\n{open}")),
        ("\n", format!("\n{block}")),
        ("[main]", format!("{block}[main]")),
        (
            "a=1\n\n# of main\n  [main]\nb=1\n[test]",
            format!("a=1\n\n# of main\n{block}  [main]\nb=1\n[test]"),
        ),
        ("a=1\nmain.b=2\n", format!("a=1\nmain.b=2\n{block}")),
    ] {
        let written = with_block(text.as_bytes(), false);
        assert_eq!(String::from_utf8(written.clone()).unwrap(), expected, "{text:?}");
        assert_eq!(strip(&written).bytes, text.as_bytes(), "{text:?}");
    }
}

#[test]
fn every_way_to_end_a_file_comes_back() {
    for text in
        ["", "a", "a\r", "a\n", "a\r\n", "a\r\nb", "a\r\nb\r", "\r", "\r\n", "\n\n", "a\r\n[main]"]
    {
        for is_crlf in [false, true] {
            let stripped = strip(&with_block(text.as_bytes(), is_crlf));
            assert_eq!(stripped.bytes, text.as_bytes(), "{text:?} {is_crlf}");
            assert!(stripped.had_block && !strip(text.as_bytes()).had_block);
            assert_eq!(stripped.user.as_deref(), Some("p2pool-7f3a"));
        }
    }
}

#[test]
fn lines_that_others_put_between_our_markers_stay() {
    let written = String::from_utf8(with_block(b"a=1\n", false)).unwrap();
    let changed = written
        .replace("server=1\n", "txindex=1\nserver=1\n\n")
        .replace("# --- end", "# mine\nrpcauth=bob:1$2\n[main]\n# --- end");
    let stripped = strip(changed.as_bytes());
    assert_eq!(
        String::from_utf8(stripped.bytes).unwrap(),
        "a=1\ntxindex=1\n# mine\nrpcauth=bob:1$2\n[main]\n"
    );
}

#[test]
fn a_marker_alone_is_a_comment() {
    let block = render(&body(), NOON, false);
    let begin = lines(&block).next().map(|line| block[line].to_vec()).unwrap();
    let orphan = [&begin[..], b"\nserver=1\n"].concat();
    assert_eq!(strip(&orphan).bytes, orphan);
    let end = b"# --- end P2Pool Desktop ---\nserver=1\n";
    assert_eq!(strip(end).bytes, end);
    let twice = [&orphan[..], &block[..]].concat();
    assert_eq!(strip(&twice).bytes, orphan);
}

#[test]
fn several_blocks_are_taken_out_together() {
    let twice = with_block(&with_block(b"a=1\n[test]\n", false), false);
    assert_eq!(strip(&twice).bytes, b"a=1\n[test]\n");
}

#[test]
fn the_line_that_was_changed_gets_its_old_value_again() {
    let note = ServerNote { line: 2, value: b"false".into() };
    let block = render(&[b"server=1".to_vec(), note_line(&note)], NOON, true);
    let written = insert(b"# x\r\n server = 1 # off\r\n", &block);
    let stripped = strip(&written);
    assert_eq!(stripped.bytes, b"# x\r\n server = false # off\r\n");

    let moved = [b"new=1\r\n", &written[..]].concat();
    assert_eq!(strip(&moved).bytes, b"new=1\r\n# x\r\n server = false # off\r\n");

    let gone = insert(b"a=1\n", &block);
    let stripped = strip(&gone);
    assert_eq!(stripped.bytes, b"a=1\n");
    assert!(stripped.is_server_left_on);

    let unclear = insert(b"a=1\n\n[main]\nserver=1\n[test]\nserver=1\n", &block);
    assert!(strip(&unclear).is_server_left_on);
}
