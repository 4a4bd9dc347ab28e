use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parsed(line: &str) -> Message {
    parse(line.as_bytes(), LINE_BYTES_MAX).unwrap()
}

fn id_of(line: &str) -> Option<Id> {
    match parsed(line) {
        Message::Request { id, .. } | Message::Response { id, .. } => id,
    }
}

#[test]
fn ids_of_any_type_are_echoed_unchanged() {
    for id in
        ["1", "0", "-7", "\"xnsub\"", "\"\\u0031\"", "1.50", "1e3", "18446744073709551616", "true"]
    {
        let line = format!("{{\"id\": {id} ,\"method\":\"m\",\"params\":[]}}");
        let echoed = id_of(&line).unwrap();
        assert_eq!(echoed.as_json(), id);
        let answered = String::from_utf8(answer(&echoed, &json!(true))).unwrap();
        assert_eq!(answered, format!("{{\"id\":{id},\"result\":true,\"error\":null}}\n"));
    }
}

#[test]
fn null_or_missing_id_means_notification() {
    assert_eq!(id_of(r#"{"id":null,"method":"m"}"#), None);
    assert_eq!(id_of(r#"{"method":"m"}"#), None);
}

#[test]
fn missing_null_or_named_parameters_read_as_none() {
    for params in ["", r#","params":null"#, r#","params":{"a":1}"#, r#","params":"x""#] {
        let Message::Request { params, .. } =
            parsed(&format!(r#"{{"id":1,"method":"m"{params}}}"#))
        else {
            panic!("no request");
        };
        assert!(params.is_empty());
    }
}

#[test]
fn blanks_and_carriage_return_around_the_object_are_tolerated() {
    let Message::Request { method, params, .. } =
        parsed("  {\"id\":1,\"method\":\"mining.ping\",\"params\":[1,null]} \r\n")
    else {
        panic!("no request");
    };
    assert_eq!((method.as_str(), params), ("mining.ping", vec![json!(1), Value::Null]));
}

#[test]
fn answers_of_the_other_side_are_recognised() {
    assert_eq!(
        parsed(r#"{"id":4,"result":null,"error":[21,"Stale",null]}"#),
        Message::Response {
            id: Some(Id::number(4)),
            result: Value::Null,
            error: json!([21, "Stale", null])
        }
    );
}

#[test]
fn what_is_no_object_is_refused() {
    for line in [
        "",
        "GET / HTTP/1.1",
        "[1,\"mining.subscribe\",[]]",
        "null",
        "{",
        "{}{}",
        "{\"id\":1,\"id\":2,\"method\":\"m\"}",
        "{\"method\":\"\\ud800\"}",
    ] {
        assert!(
            matches!(parse(line.as_bytes(), LINE_BYTES_MAX), Err(ParseError::NotAnObject(_))),
            "{line}"
        );
    }
    assert!(matches!(
        parse(b"{\"method\":\"\xff\"}", LINE_BYTES_MAX),
        Err(ParseError::NotAnObject(_))
    ));
    assert_eq!(parse(b"{\"method\":5}", LINE_BYTES_MAX), Err(ParseError::BadMethod));
    assert_eq!(parse(b"{\"id\":[1],\"method\":\"m\"}", LINE_BYTES_MAX), Err(ParseError::BadId));
    let long_id = format!("{{\"id\":\"{}\",\"method\":\"m\"}}", "x".repeat(ID_BYTES_MAX));
    assert_eq!(parse(long_id.as_bytes(), LINE_BYTES_MAX), Err(ParseError::BadId));
}

#[test]
fn long_and_deep_lines_are_refused() {
    let long = format!("{{\"method\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX));
    assert!(matches!(parse(long.as_bytes(), LINE_BYTES_MAX), Err(ParseError::TooLong { .. })));
    let nested = |levels: usize| {
        format!("{{\"method\":\"m\",\"params\":{}{}}}", "[".repeat(levels), "]".repeat(levels))
    };
    assert!(parse(nested(DEPTH_MAX - 1).as_bytes(), LINE_BYTES_MAX).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX).as_bytes(), LINE_BYTES_MAX), Err(ParseError::TooDeep));
    assert_eq!(parse(nested(8_000).as_bytes(), LINE_BYTES_MAX), Err(ParseError::TooDeep));
    let in_text = format!("{{\"method\":\"m\",\"params\":[\"\\\"{}\"]}}", "[".repeat(100));
    assert!(parse(in_text.as_bytes(), LINE_BYTES_MAX).is_ok());
}

#[test]
fn difficulties_are_written_without_point_or_exponent_where_parsers_choke() {
    for (difficulty, text) in [
        (1000.0, "1000"),
        (466_000.0, "466000"),
        (2.3e15, "2300000000000000"),
        (0.00025, "0.00025"),
        (0.000_01, "0.00001"),
        (4.7e-10, "0.00000000047"),
    ] {
        assert_eq!(difficulty_text(difficulty), text);
    }
}

#[test]
fn numbers_take_one_to_eight_digits_and_nothing_else() {
    assert_eq!(number_from_hex("9546a142"), Some(0x9546_a142));
    assert_eq!(number_from_hex("9546A142"), Some(0x9546_a142));
    assert_eq!(number_from_hex("546a142"), Some(0x0546_a142));
    assert_eq!(number_from_hex("0"), Some(0));
    for bad in ["", "0x12", "+12", "-1", " 12", "12 ", "123456789", "g", "é"] {
        assert_eq!(number_from_hex(bad), None, "{bad}");
    }
}

#[test]
fn hex_round_trips_and_refuses_the_rest() {
    assert_eq!(from_hex("0bADcafe"), Some(vec![0x0b, 0xad, 0xca, 0xfe]));
    assert_eq!(hex(&[0x0b, 0xad]), "0bad");
    for bad in ["0", "0x", "zz", "é", "+1"] {
        assert_eq!(from_hex(bad), None, "{bad}");
    }
}

#[test]
fn texts_are_escaped_on_one_line() {
    let line = String::from_utf8(refusal(&Id::number(1), 20, "a \"b\"\nc")).unwrap();
    assert_eq!(line, "{\"id\":1,\"result\":null,\"error\":[20,\"a \\\"b\\\"\\nc\",null]}\n");
}

fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\"id\"",
        "\"method\"",
        "\"params\"",
        "null",
        "1",
        "-0.5e9",
        "\"mining.submit\"",
        "\\u0000",
        " ",
        "\n",
        "\"result\"",
        "true",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #[test]
    fn parser_never_panics_on_bytes(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&line, LINE_BYTES_MAX);
    }

    #[test]
    fn parser_never_panics_on_almost_json(line in json_like()) {
        let _ = parse(&line, LINE_BYTES_MAX);
    }

    #[test]
    fn what_is_written_is_read_back(number in any::<u64>(), text in "\\PC{0,40}") {
        let line = request(&Id::number(number), "mining.authorize", &[Value::from(text.as_str()).to_string()]);
        prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        prop_assert_eq!(
            parse(&line, LINE_BYTES_MAX).unwrap(),
            Message::Request {
                id: Some(Id::number(number)),
                method: "mining.authorize".into(),
                params: vec![Value::from(text)],
            }
        );
    }
}
