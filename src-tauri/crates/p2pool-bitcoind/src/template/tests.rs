use super::*;

/// A template as version 31 gives it on regtest at height 102, with one transaction.
const ANSWER: &str = r#"{
  "capabilities": ["proposal"], "version": 536870912,
  "rules": ["csv", "!segwit", "taproot"], "vbavailable": {}, "vbrequired": 0,
  "previousblockhash": "3d8e4e1a4d1cd4d6ad9a6d6a0f1d3aee3ea4e4b4cbd7cf0c52ab0a0e8a4bfa11",
  "transactions": [{
    "data": "0200000000010101", "txid": "1111111111111111111111111111111111111111111111111111111111111122",
    "hash": "3333333333333333333333333333333333333333333333333333333333333344",
    "depends": [], "fee": 1000, "sigops": 4, "weight": 20
  }, {
    "data": "02000000", "txid": "5511111111111111111111111111111111111111111111111111111111111122",
    "hash": "5511111111111111111111111111111111111111111111111111111111111122",
    "depends": [1], "fee": 7, "sigops": 0, "weight": 16
  }],
  "coinbaseaux": {}, "coinbasevalue": 5000001007,
  "longpollid": "3d8e4e1a4d1cd4d6ad9a6d6a0f1d3aee3ea4e4b4cbd7cf0c52ab0a0e8a4bfa112",
  "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
  "mintime": 1790000000, "mutable": ["time", "transactions", "prevblock"],
  "noncerange": "00000000ffffffff", "sigoplimit": 80000, "sizelimit": 4000000,
  "weightlimit": 4000000, "curtime": 1790000100, "bits": "207fffff", "height": 102,
  "default_witness_commitment": "6a24aa21a9ed"
}"#;

const DIFFICULTY_1: (&str, &str) =
    ("1d00ffff", "00000000ffff0000000000000000000000000000000000000000000000000000");
const HARDER: (&str, &str) =
    ("1c00ffff", "0000000000ffff00000000000000000000000000000000000000000000000000");

fn read(text: &str) -> TemplateAnswer<'_> {
    serde_json::from_str(text).unwrap()
}

fn parse_text(text: &str) -> Result<BlockTemplate, ParseTemplateError> {
    parse(&read(text), Network::Regtest, None)
}

/// The answer with one place changed.
fn changed(from: &str, to: &str) -> String {
    let text = ANSWER.replacen(from, to, 1);
    assert_ne!(text, ANSWER, "{from} is not in the answer");
    text
}

fn with_target((bits, target): (&str, &str)) -> String {
    changed("207fffff", bits)
        .replace("7fffff0000000000000000000000000000000000000000000000000000000000", target)
}

#[test]
fn every_field_arrives() {
    let template = parse_text(ANSWER).unwrap();
    assert_eq!(template.version, 0x2000_0000);
    assert_eq!(template.coinbase_value_sats, 5_000_001_007);
    assert_eq!(template.bits, CompactBits(0x207f_ffff));
    assert_eq!((template.min_time, template.current_time), (1_790_000_000, 1_790_000_100));
    assert_eq!(template.max_time, None);
    assert_eq!(
        (template.height, template.weight_limit, template.sigop_limit),
        (102, 4_000_000, 80_000)
    );
    assert!(template.coinbase_aux.is_empty());
    assert!(template.previous_block.to_string().starts_with("3d8e4e1a"));

    let [first, second] = template.transactions.as_slice() else { panic!("two transactions") };
    assert_eq!(&*first.data, [2, 0, 0, 0, 0, 1, 1, 1]);
    assert_eq!((first.txid[0], first.txid[31]), (0x22, 0x11), "internal order");
    assert_eq!((first.wtxid[0], first.wtxid[31]), (0x44, 0x33), "internal order");
    assert_eq!((first.fee_sats, first.weight, first.sigops), (1000, 20, 4));
    assert!(first.depends.is_empty());
    assert_eq!(second.depends, [0], "positions from 0");
}

#[test]
fn data_is_borrowed_from_the_answer() {
    assert!(matches!(read(ANSWER).transactions[0].data, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn unknown_demanded_rules_are_refused() {
    assert_eq!(
        parse_text(&changed("\"taproot\"", "\"taproot\", \"!covenants\"")),
        Err(ParseTemplateError::UnknownRule("covenants".into()))
    );
    assert!(parse_text(&changed("\"taproot\"", "\"!taproot\", \"!csv\", \"!signet\"")).is_ok());
    assert!(parse_text(&changed("\"taproot\"", "\"optional\"")).is_ok());
    assert_eq!(parse_text(&changed("\"!segwit\", ", "")), Err(ParseTemplateError::WithoutSegwit));
    assert_eq!(
        parse_text(&changed("\"vbrequired\": 0", "\"vbrequired\": 8192")),
        Err(ParseTemplateError::RequiredVersionBits(8192))
    );
}

#[test]
fn bits_and_target_must_agree() {
    for (from, to) in [("207fffff", "1d00ffff"), ("7fffff00", "7ffffe00"), ("207fffff", "00000000")]
    {
        let outcome = parse_text(&changed(from, to));
        assert!(matches!(outcome, Err(ParseTemplateError::Target { .. })), "{from} {to}");
    }
}

#[test]
fn sums_must_add_up() {
    assert!(matches!(
        parse_text(&changed("5000001007", "1006")),
        Err(ParseTemplateError::Fees { fees_sats: 1007, .. })
    ));
    assert!(matches!(
        parse_text(&changed("\"fee\": 7", "\"fee\": 18446744073709551615")),
        Err(ParseTemplateError::Fees { .. })
    ));
    assert_eq!(
        parse_text(&changed("\"weightlimit\": 4000000", "\"weightlimit\": 35")),
        Err(ParseTemplateError::Weight { weight: 36, limit: 35 })
    );
    assert!(matches!(
        parse_text(&changed("\"curtime\": 1790000100", "\"curtime\": 1789999999")),
        Err(ParseTemplateError::Time { .. })
    ));
    assert_eq!(
        parse_text(&changed("\"height\": 102", "\"height\": 0")),
        Err(ParseTemplateError::Height)
    );
}

#[test]
fn faulty_transactions_are_named() {
    for (from, to, index, what) in [
        ("\"0200000000010101\"", "\"020000000001010\"", 0, TransactionFault::Data),
        ("\"0200000000010101\"", "\"\"", 0, TransactionFault::Data),
        ("\"3333", "\"33", 0, TransactionFault::Hash),
        ("\"1111", "\"zz11", 0, TransactionFault::Hash),
        ("\"weight\": 20", "\"weight\": 33", 0, TransactionFault::Weight),
        ("\"weight\": 16", "\"weight\": 3", 1, TransactionFault::Weight),
        ("\"depends\": [1]", "\"depends\": [2]", 1, TransactionFault::Order),
        ("\"depends\": [1]", "\"depends\": [0]", 1, TransactionFault::Order),
    ] {
        let expected = ParseTemplateError::Transaction { index, what };
        assert_eq!(parse_text(&changed(from, to)), Err(expected), "{to}");
    }
}

#[test]
fn coinbase_aux_is_joined_and_bounded() {
    let with = |aux: &str| parse_text(&changed("\"coinbaseaux\": {}", aux));
    let template = with(r#""coinbaseaux": {"a": "01ff", "b": "", "c": "02"}"#).unwrap();
    assert_eq!(template.coinbase_aux, [1, 0xff, 2]);
    for aux in ["0".to_owned(), "00".repeat(81)] {
        let outcome = with(&format!(r#""coinbaseaux": {{"a": "{aux}"}}"#));
        assert_eq!(outcome, Err(ParseTemplateError::CoinbaseAux));
    }
}

#[test]
fn twenty_minute_rule_bounds_the_time() {
    let parse = |text: &str, network, parent| {
        parse(&read(text), network, parent).map(|template| (template.min_time, template.max_time))
    };
    let now = 1_790_000_100;
    let low = 1_790_000_000;
    for network in [Network::Testnet, Network::Testnet4] {
        let harder = with_target(HARDER);
        assert_eq!(parse(&harder, network, None), Err(ParseTemplateError::ParentTimeMissing));
        // Before the border the real difficulty holds, and only until the border.
        assert_eq!(parse(&harder, network, Some(now - 1200)), Ok((low, Some(now))));
        // After the border the least difficulty holds, and only from there on.
        let least = with_target(DIFFICULTY_1);
        assert_eq!(parse(&least, network, Some(now - 1201)), Ok((now, None)));
        // If the real difficulty is the least one there is no border.
        assert_eq!(parse(&least, network, Some(now - 1200)), Ok((low, None)));
        // The first block of a period does not know the rule.
        let first = harder.replace("\"height\": 102", "\"height\": 2016");
        assert_eq!(parse(&first, network, None), Ok((low, None)));
    }
    assert_eq!(parse(&with_target(HARDER), Network::Bitcoin, None), Ok((low, None)));
}

#[test]
fn requests_name_the_rules_of_their_network() {
    assert_eq!(request(Network::Bitcoin, None).rules, ["segwit"]);
    assert_eq!(request(Network::Signet, None).rules, ["segwit", "signet"]);
    assert_eq!(request(Network::Regtest, Some("x".into())).longpollid.as_deref(), Some("x"));
}
