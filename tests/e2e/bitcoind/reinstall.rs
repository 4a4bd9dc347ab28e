//! A new installation finds the payments of earlier blocks again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network};
use p2pool_node::{Event, NodeSnapshot, P2pSettings};
use p2pool_sharechain::change::BlockStatus;
use p2pool_sharechain::{ShareHash, address};
use p2pool_store::HistoryReader;
use p2pool_tests::FakeBitcoind;

use crate::pool::{Pool, SOON, settings};

/// Blocks found before the new installation.
const BLOCKS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn payments_of_earlier_blocks_are_found_again_with_an_empty_disk() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeBitcoind::start();
    let mut old = settings(&folder.path().join("old"), Network::Regtest, fake.rpc_config(), None);
    old.p2p.listen = vec![([127, 0, 0, 1], 0).into()];
    old.p2p.incoming_max = 4;
    let mut old = Pool::start(old).await;
    let (now, _) = old.until("a door", |now| !now.p2p.listening.is_empty()).await;
    let door = now.p2p.listening[0];
    let mut miner = old.miner();
    let mut found = BTreeSet::new();
    let mut tip = bitcoin::constants::genesis_block(Network::Regtest).block_hash();
    for _ in 0..BLOCKS {
        let parent = tip.to_byte_array();
        let work = miner.work(SOON, |work| work.notify.previous_block == parent).await;
        let hash = ShareHash::from_internal(miner.find(&work.work).await);
        old.chain_event("accepted", |event| {
            matches!(event, Event::BlockAccepted { hash: accepted, .. } if accepted == hash)
                .then_some(())
        })
        .await;
        found.insert(hash);
        tip = BlockHash::from_byte_array(hash.to_internal());
    }

    let new = settings(&folder.path().join("new"), Network::Regtest, fake.rpc_config(), None);
    let script = {
        let text = new.payout_address.clone().unwrap();
        let decoded = address::decode(text.as_bytes(), &new.params.addresses).unwrap();
        address::script(&decoded, true).unwrap()
    };
    let p2p = P2pSettings { fixed: vec![door.into()], outgoing_max: 1, ..new.p2p.clone() };
    let new = Pool::start(p2pool_node::Settings { p2p, ..new }).await;
    let has_all = |now: &Arc<NodeSnapshot>| {
        let blocks = now.summary.blocks.iter();
        let known = blocks.filter(|block| block.block.status == BlockStatus::Accepted);
        known.map(|block| block.block.hash).collect::<BTreeSet<_>>() == found
    };
    let (now, _) = new.until("the old blocks", has_all).await;
    // The first block was found on an empty window, all of it is the finder's.
    let first = now.summary.blocks.iter().min_by_key(|block| block.block.height).unwrap();
    assert!(first.block.payouts.iter().any(|(paid, sats)| *paid == script && *sats > 0));
    new.node.stop().await;
    let history = HistoryReader::open(&now.database).unwrap();
    let payments = history.payouts_to(&script, 10).unwrap();
    assert_eq!(payments.len(), BLOCKS);
    assert!(payments.iter().all(|payment| payment.sats > 0 && found.contains(&payment.block)));
    old.node.stop().await;
}
