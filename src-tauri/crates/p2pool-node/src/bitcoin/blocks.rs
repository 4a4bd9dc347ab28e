//! Found blocks: handed in to every node, then watched until nothing can happen to them any more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::model::BlockHeaderInfo;
use p2pool_bitcoind::{RetryPolicy, RpcClient, RpcError, SubmitOutcome, submit_with_retries};
use p2pool_engine::BlockOutcome;
use p2pool_sharechain::ShareHash;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::Found;

/// A block this deep is not watched any longer.
const WATCH_DEPTH: u32 = 100;
/// Wait before a node that answered with an error, or lacks the parent, is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// A node without the block's parent gets this long to fetch it.
const PARENT_WAIT: Duration = Duration::from_secs(120);
/// One node's refusal waits this long for another's word.
const SECOND_OPINION_WAIT: Duration = Duration::from_secs(60);

/// Whom to ask about blocks, the node in use first.
pub(super) type Asked = Vec<RpcClient>;

/// Hands in a block to all nodes at once until each has answered. A block that stays unanswered
/// stays in storage as being submitted, and is handed in again at the next start.
pub(super) async fn submit(
    hash: ShareHash,
    raw: Arc<[u8]>,
    nodes: Vec<RpcClient>,
    asked: Asked,
    found: mpsc::Sender<Found>,
) {
    let mut answers: FuturesUnordered<_> =
        nodes.into_iter().map(|node| hand_in(hash, Arc::clone(&raw), node)).collect();
    let mut refusal: Option<String> = None;
    loop {
        let answer = match refusal {
            None => answers.next().await,
            Some(_) => timeout(SECOND_OPINION_WAIT, answers.next()).await.unwrap_or_default(),
        };
        match answer {
            Some(Ok(())) => break,
            Some(Err(reason)) => refusal = Some(refusal.unwrap_or(reason)),
            None => {
                let reason = refusal.unwrap_or_default();
                let outcome = BlockOutcome::Rejected { reason };
                // Nobody listens only when the node is stopping.
                let _ = found.send(Found::Outcome { hash, outcome, is_final: true }).await;
                return;
            }
        }
    }
    check(hash, asked, found).await;
    // The other node shall have it too.
    while answers.next().await.is_some() {}
}

/// Hands in a block to one node until it takes it or refuses it, with a reason.
async fn hand_in(hash: ShareHash, raw: Arc<[u8]>, node: RpcClient) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match submit_with_retries(&node, &raw, RetryPolicy::default()).await {
            Ok(SubmitOutcome::ParentUnknown) if started.elapsed() < PARENT_WAIT => {}
            Ok(SubmitOutcome::ParentUnknown) => return Err("prev-blk-not-found".into()),
            Ok(SubmitOutcome::Rejected(reason)) => return Err(reason),
            Ok(
                SubmitOutcome::Accepted | SubmitOutcome::Duplicate | SubmitOutcome::Inconclusive,
            ) => return Ok(()),
            Err(RpcError::Rpc { code: code::DESERIALIZATION, message }) => return Err(message),
            Err(error) => tracing::warn!(%hash, %error, "block not handed in yet"),
        }
        sleep(AGAIN).await;
    }
}

/// Reports where a block stands, if any of the nodes knows it.
pub(super) async fn check(hash: ShareHash, asked: Asked, found: mpsc::Sender<Found>) {
    let Some((header, client)) = place(hash, &asked).await else { return };
    let (outcome, depth) = match u32::try_from(header.confirmations) {
        Ok(confirmations) => (BlockOutcome::Accepted { confirmations }, confirmations),
        Err(_) => {
            let tip = client.blockchain_info().await.map_or(header.height, |info| info.blocks);
            (BlockOutcome::Replaced, tip.saturating_sub(header.height))
        }
    };
    let is_final = depth >= WATCH_DEPTH;
    // Nobody listens only when the node is stopping.
    let _ = found.send(Found::Outcome { hash, outcome, is_final }).await;
}

/// The block's place according to the first node that knows it.
async fn place(hash: ShareHash, asked: &Asked) -> Option<(BlockHeaderInfo, &RpcClient)> {
    for client in asked {
        if let Ok(header) = client.block_header(hash.to_block_hash()).await {
            return Some((header, client));
        }
    }
    None
}

/// Asks about one block after the other.
pub(super) async fn check_all(blocks: Vec<ShareHash>, asked: Asked, found: mpsc::Sender<Found>) {
    for hash in blocks {
        check(hash, asked.clone(), found.clone()).await;
    }
    // Nobody listens only when the node is stopping.
    let _ = found.send(Found::AllChecked).await;
}
