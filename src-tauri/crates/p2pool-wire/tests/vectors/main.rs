//! Agreement with recorded messages of the reference implementation and its recorded reactions.

mod messages;

use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;

/// Checks a file in the repository's folder of vectors.
fn check(name: &str, expected_cases: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors");
    let file = File::open(folder.join(name)).expect("the vectors are part of the repository");
    let document = serde_json::from_reader(GzDecoder::new(file)).expect("valid JSON");
    let (mut cases, mut failures) = (0, Vec::new());
    messages::check(&document, &mut |case, result| {
        cases += 1;
        failures.extend(result.err().map(|reason| format!("{case}: {reason}")));
    });
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert_eq!(cases, expected_cases, "{name} has other cases than it had");
}

#[test]
fn messages_and_reactions_on_the_live_network_agree() {
    check("p2p_messages_bitcoin.json.gz", 28 + 35);
}

#[test]
fn messages_and_reactions_on_the_regtest_network_agree() {
    check("p2p_messages_btcregtest.json.gz", 28 + 35);
}
