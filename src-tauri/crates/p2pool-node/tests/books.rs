//! Recorded shares of the reference implementation, read and audited as anybody could.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use p2pool_node::books::{
    Fault, RecordedLine, ShareRecord, WindowPlace, audit_block, raw_lines, read_lines, show_share,
    verify_shares,
};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CheckedShare, CompactBits, Params};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors").join(name);
    let file = std::fs::File::open(path).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn recorded() -> (Vec<Vec<u8>>, Arc<Params>) {
    let document = vectors("live/run1_share_store.json.gz");
    let shares = document["shares"].as_array().unwrap();
    (shares.iter().map(|share| unhex(&share["packed"])).collect(), Arc::new(Params::regtest()))
}

#[test]
fn recorded_store_verifies_from_scratch_and_its_blocks_pay_to_the_satoshi() {
    let (shares, params) = recorded();
    let count = shares.len() as u64;
    let mut report = verify_shares(shares.into_iter(), &params, UnixTime(u64::MAX));
    assert_eq!((report.given, report.verified, report.faulty), (count, count, 0));
    assert_eq!(report.first_fault, None);

    let blocks = vectors("live/accepted_blocks.json.gz");
    let mut audited = 0;
    for block in blocks["blocks"].as_array().unwrap() {
        if let Ok(audit) = audit_block(&mut report.tracker, &unhex(&block["block_hex"])) {
            assert!(audit.is_clean(), "{audit:?}");
            assert_eq!(audit.coinbase_sats, block["coinbase_value_sum"].as_u64().unwrap());
            audited += 1;
        }
    }
    assert!(audited > 0, "some recorded blocks are shares of this store");
}

#[test]
fn missing_and_damaged_shares_are_found_and_named() {
    let (mut shares, params) = recorded();
    shares.remove(40);
    let missing = verify_shares(shares.clone().into_iter(), &params, UnixTime(u64::MAX));
    assert!(missing.unjudged > 0, "what stands on the missing share cannot be judged");
    shares[10].truncate(60);
    let changed = verify_shares(shares.into_iter(), &params, UnixTime(u64::MAX));
    assert!(matches!(changed.first_fault, Some(Fault::Standalone { number: 11, .. })));
}

#[test]
fn export_reads_back_in_both_formats() {
    let (shares, params) = recorded();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shares.0");
    let mut file = Vec::new();
    for (index, raw) in shares.iter().enumerate() {
        let share = CheckedShare::parse(raw, &params).unwrap();
        if index % 2 == 0 {
            raw_lines(&mut file, raw, share.hash(), true).unwrap();
        } else {
            serde_json::to_writer(&mut file, &ShareRecord::new(&share, &params)).unwrap();
            file.push(b'\n');
        }
    }
    std::fs::write(&path, file).unwrap();
    let mut read = Vec::new();
    read_lines(&path, |_, line| {
        if let RecordedLine::Share(raw) = line.unwrap() {
            read.push(raw);
        }
    })
    .unwrap();
    assert_eq!(read, shares);
}

#[test]
fn share_is_shown_with_its_coinbase_and_its_place() {
    let (shares, params) = recorded();
    let mut report = verify_shares(shares.into_iter(), &params, UnixTime(u64::MAX));
    let (best, height) = report.longest.unwrap();
    let bits = CompactBits(0x1d00_ffff);
    let digits = best.to_string();
    let view = show_share(&mut report.tracker, Some(best), &digits[..12], bits).unwrap();
    assert_eq!(view.place, WindowPlace::InWindow { depth: 0, window: height });
    let paid: u64 = view.outputs.iter().map(|output| output.value_sats).sum();
    assert_eq!(paid, view.share.share().info.data.subsidy_sats);
    assert!(show_share(&mut report.tracker, Some(best), "ffffffffff", bits).is_err());
    assert!(show_share(&mut report.tracker, Some(best), "", bits).is_err());
}
