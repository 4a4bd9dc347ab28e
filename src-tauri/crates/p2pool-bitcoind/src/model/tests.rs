use super::*;

/// Shortened answer of a node with version 31.
const BLOCKCHAIN_INFO: &str = r#"{
  "chain": "testnet4", "blocks": 7, "headers": 9,
  "bestblockhash": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
  "bits": "1d00ffff", "target": "00000000ffff0000000000000000000000000000000000000000000000000000",
  "difficulty": 1, "time": 1714777860, "mediantime": 1714777860, "verificationprogress": 0.5,
  "initialblockdownload": true, "chainwork": "00", "size_on_disk": 301, "pruned": false,
  "warnings": ["This is a pre-release test build"]
}"#;

#[test]
fn blockchain_info_of_any_version_is_read() {
    let info: BlockchainInfo = serde_json::from_str(BLOCKCHAIN_INFO).unwrap();
    assert_eq!((info.chain.as_str(), info.blocks, info.headers), ("testnet4", 7, 9));
    assert!(info.initialblockdownload);
    assert_eq!(info.warnings.texts().collect::<Vec<_>>(), ["This is a pre-release test build"]);

    let old = BLOCKCHAIN_INFO
        .replace(r#"["This is a pre-release test build"]"#, r#""""#)
        .replace(r#""time": 1714777860, "#, "");
    let info: BlockchainInfo = serde_json::from_str(&old).unwrap();
    assert_eq!(info.time, None);
    assert_eq!(info.warnings.texts().count(), 0);
}

#[test]
fn what_is_written_reads_back() {
    let info: BlockchainInfo = serde_json::from_str(BLOCKCHAIN_INFO).unwrap();
    let text = serde_json::to_string(&info).unwrap();
    assert_eq!(serde_json::from_str::<BlockchainInfo>(&text).unwrap(), info);

    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Testnet4);
    let place = Place { height: 0, confirmations: 8, median_time: 1_714_777_860, next: None };
    let header = BlockHeaderInfo::new(&genesis.header, place, 1);
    let text = serde_json::to_string(&header).unwrap();
    assert!(text.contains(r#""bits":"1d00ffff""#), "{text}");
    assert!(!text.contains("previousblockhash"), "{text}");
    assert_eq!(serde_json::from_str::<BlockHeaderInfo>(&text).unwrap(), header);

    let block = BlockInfo {
        header,
        size: 285,
        weight: 1140,
        tx: genesis.txdata.iter().map(bitcoin::Transaction::compute_txid).collect(),
    };
    let text = serde_json::to_string(&block).unwrap();
    assert_eq!(serde_json::from_str::<BlockInfo>(&text).unwrap(), block);
}

#[test]
fn bad_values_are_refused() {
    for (from, to) in [
        (r#""blocks": 7"#, r#""blocks": -7"#),
        (r#""blocks": 7"#, r#""blocks": 4294967296"#),
        ("00000000da84", "da84"),
        (r#""chain": "testnet4""#, r#""chain": 4"#),
    ] {
        let text = BLOCKCHAIN_INFO.replace(from, to);
        assert_ne!(text, BLOCKCHAIN_INFO);
        assert!(serde_json::from_str::<BlockchainInfo>(&text).is_err(), "{to}");
    }
}
