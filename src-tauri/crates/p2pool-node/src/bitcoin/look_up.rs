//! Questions about blocks of the Bitcoin chain.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{RpcClient, RpcError};
use p2pool_sharechain::Hash32;
use tokio::sync::mpsc;

use super::Found;

/// Finds out where a block stands.
pub(super) async fn height(block: Hash32, client: RpcClient, found: mpsc::Sender<Found>) {
    let height = match client.block_header(BlockHash::from_byte_array(block)).await {
        Ok(header) => Some(header.height),
        Err(RpcError::Rpc { code: code::INVALID_ADDRESS_OR_KEY, .. }) => None,
        // Asked again by the next selection that needs it.
        Err(_) => return,
    };
    // Nobody listens only when the node is stopping.
    let _ = found.send(Found::Height { block, height }).await;
}

/// Finds out a block's header, as its 80 bytes.
pub(super) async fn header(block: Hash32, client: RpcClient, found: mpsc::Sender<Found>) {
    let hash = BlockHash::from_byte_array(block).to_string();
    let Ok(text) = client.call::<String>("getblockheader", (hash, false), Limits::SHORT).await
    else {
        return;
    };
    if let Ok(header) = FromHex::from_hex(&text) {
        // Nobody listens only when the node is stopping.
        let _ = found.send(Found::Tip { header }).await;
    }
}
