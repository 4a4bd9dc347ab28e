//! A full block's template: from the node's JSON to the base of all miners' work.
//!
//! `cargo bench -p p2pool-bitcoind --bench template`. Four thousand transactions of four hundred
//! bytes, as the live network has them; the goal is 25 ms.

use std::hint::black_box;
use std::sync::Arc;

use bitcoin::Network;
use criterion::{Criterion, criterion_group, criterion_main};
use p2pool_bitcoind::model::TemplateAnswer;
use p2pool_bitcoind::template::parse;
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Params, Tracker};
use serde_json::{Value, json};

const TRANSACTIONS: u32 = 4_000;
const BYTES: usize = 400;

/// The node's answer, byte for byte as it would come.
fn answer() -> Vec<u8> {
    let transactions: Vec<Value> = (0..TRANSACTIONS)
        .map(|number| {
            let hash = format!("{:064x}", u64::from(number) * 0x9e37_79b9);
            json!({
                "data": format!("{number:08x}").repeat(BYTES / 4), "txid": hash, "hash": hash,
                "depends": if number % 7 == 6 { vec![number] } else { vec![] },
                "fee": 1000 + number, "sigops": 4, "weight": 2 * BYTES,
            })
        })
        .collect();
    let template = json!({
        "version": 0x2000_0000, "rules": ["csv", "!segwit", "taproot"], "vbavailable": {},
        "vbrequired": 0, "previousblockhash": format!("{:064x}", 9), "transactions": transactions,
        "coinbaseaux": {}, "coinbasevalue": 350_000_000_u64, "longpollid": "x1",
        "target": "00000000ffff0000000000000000000000000000000000000000000000000000",
        "mintime": 1_790_000_000, "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff", "sigoplimit": 80_000, "sizelimit": 4_000_000,
        "weightlimit": 4_000_000, "curtime": 1_790_000_100, "bits": "1d00ffff", "height": 900_000,
    });
    serde_json::to_vec(&template).expect("plain data")
}

fn read(answer: &[u8]) -> BlockTemplate {
    let answer: TemplateAnswer<'_> = serde_json::from_slice(answer).expect("an answer");
    parse(&answer, Network::Bitcoin, None).expect("a sound template")
}

fn base(params: &Arc<Params>, tracker: &mut Tracker, block: BlockTemplate) -> TemplateBase {
    let version = ShareVersion::NEWEST;
    TemplateBase {
        sequence: 1,
        new_block: true,
        params: Arc::clone(params),
        segwit: block.segwit_data(),
        previous_share: None,
        version,
        desired_version: version.number(),
        stale_info: StaleInfo::default(),
        donation: 0,
        position: Position::above(tracker, version, None),
        window: Arc::new(tracker.payout_window(None, block.bits)),
        coinbase: vec![3, 0xa0, 0xbb, 0x0d],
        block: Arc::new(block),
    }
}

fn template(criterion: &mut Criterion) {
    let text = answer();
    let params = Arc::new(Params::mainnet());
    let mut tracker = Tracker::new(Arc::clone(&params), 1);
    let name = format!("{TRANSACTIONS} transactions, {} bytes of JSON", text.len());
    criterion.bench_function(&format!("{name}: parsed"), |bench| {
        bench.iter(|| read(black_box(&text)));
    });
    criterion.bench_function(&format!("{name}: parsed and made into a base"), |bench| {
        bench.iter(|| base(&params, &mut tracker, read(black_box(&text))));
    });
}

criterion_group!(benches, template);
criterion_main!(benches);
