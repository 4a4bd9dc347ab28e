//! Blocks of the pool that this node has no record of: after a new installation, or when they were
//! found while it was away. The share chain names them, the Bitcoin node has them.

use std::collections::BTreeSet;

use bitcoin::Block;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use p2pool_bitcoind::RpcClient;
use p2pool_bitcoind::rpc::Limits;
use p2pool_engine::ChainSummary;
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{Hash32, ShareHash};
use tokio::sync::mpsc;

use super::Found;
use super::blocks::Asked;

/// Blocks that are asked about in one walk.
const WALK_MAX: usize = 16;

/// Shares of the window that were blocks and of which there is no record, without those asked
/// about before.
pub(super) fn unrecorded(
    summary: &ChainSummary,
    asked_before: &BTreeSet<ShareHash>,
) -> Vec<ShareHash> {
    let known: BTreeSet<ShareHash> = summary.blocks.iter().map(|block| block.block.hash).collect();
    let blocks = summary.window.iter().filter(|share| share.is_block).map(|share| share.hash);
    blocks
        .filter(|hash| !known.contains(hash) && !asked_before.contains(hash))
        .take(WALK_MAX)
        .collect()
}

/// Asks for one block after the other, and reports those that are in the chain.
pub(super) async fn find_all(blocks: Vec<ShareHash>, asked: Asked, found: mpsc::Sender<Found>) {
    for hash in blocks {
        for client in &asked {
            let Some(block) = find(hash, client).await else { continue };
            // Nobody listens only when the node is stopping.
            let _ = found.send(Found::Unrecorded(Box::new(block))).await;
            break;
        }
    }
    // As above.
    let _ = found.send(Found::Searched).await;
}

async fn find(hash: ShareHash, client: &RpcClient) -> Option<FoundBlock> {
    let header = client.block_header(hash.to_block_hash()).await.ok()?;
    // One that lost its place pays nobody.
    u32::try_from(header.confirmations).ok()?;
    let text: String = client.call("getblock", (hash.to_string(), 0), Limits::BLOCK).await.ok()?;
    let (txid, payouts) = payouts(hash, &text)?;
    Some(FoundBlock {
        hash,
        height: header.height,
        found_at: UnixTime(header.time.into()),
        own: false,
        status: BlockStatus::Accepted,
        reason: None,
        raw: None,
        payouts,
        txid: Some(txid),
        paid_heights: None,
        standing: None,
    })
}

/// Scripts and sats.
type Outputs = Vec<(Vec<u8>, u64)>;

/// What a block pays and the transaction that does, if the text is that block.
fn payouts(hash: ShareHash, text: &str) -> Option<(Hash32, Outputs)> {
    let block: Block = deserialize(&Vec::<u8>::from_hex(text).ok()?).ok()?;
    if block.block_hash() != hash.to_block_hash() || !block.check_merkle_root() {
        return None;
    }
    let generation = block.txdata.first()?;
    let paying = generation.output.iter().filter(|output| output.value.to_sat() > 0);
    let paid = paying.map(|output| (output.script_pubkey.to_bytes(), output.value.to_sat()));
    Some((generation.compute_txid().to_byte_array(), paid.collect()))
}

#[cfg(test)]
mod tests {
    use bitcoin::Network;
    use bitcoin::consensus::encode::serialize_hex;
    use bitcoin::constants::genesis_block;
    use p2pool_engine::WindowShare;

    use super::*;

    fn share(number: u8, is_block: bool) -> WindowShare {
        WindowShare {
            hash: ShareHash::from_internal([number; 32]),
            timestamp: 0,
            payee: String::new(),
            is_own: false,
            difficulty: 1.0,
            is_stale_notice: false,
            is_block,
        }
    }

    #[test]
    fn only_blocks_without_a_record_are_asked_about_and_once() {
        let window = vec![share(1, true), share(2, false), share(3, true)];
        let mut summary = ChainSummary { window, ..ChainSummary::default() };
        let hash = |number| ShareHash::from_internal([number; 32]);
        assert_eq!(unrecorded(&summary, &BTreeSet::new()), [hash(1), hash(3)]);
        assert_eq!(unrecorded(&summary, &BTreeSet::from([hash(1)])), [hash(3)]);
        summary.window = (0..100).map(|number| share(number, true)).collect();
        assert_eq!(unrecorded(&summary, &BTreeSet::new()).len(), WALK_MAX);
    }

    #[test]
    fn a_blocks_own_bytes_say_what_it_pays() {
        let block = genesis_block(Network::Regtest);
        let hash = ShareHash::from_internal(block.block_hash().to_byte_array());
        let (txid, paid) = payouts(hash, &serialize_hex(&block)).unwrap();
        assert_eq!(txid, block.txdata[0].compute_txid().to_byte_array());
        assert_eq!((paid.len(), paid[0].1), (1, 5_000_000_000));
        let other = genesis_block(Network::Bitcoin);
        let mut changed = block;
        changed.txdata[0].output[0].value *= 2;
        for text in [serialize_hex(&other), serialize_hex(&changed), "00".into(), "zz".into()] {
            assert_eq!(payouts(hash, &text), None);
        }
    }
}
