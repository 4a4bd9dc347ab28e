//! Whether a node is one that we can mine with.

use bitcoin::Network;

use crate::error::RpcError;
use crate::model::{BlockchainInfo, NetworkInfo};
use crate::rpc::RpcClient;

/// Oldest version taken: 22.0, the first that builds blocks with every soft fork in force today.
pub const NODE_VERSION_MIN: u32 = 220_000;

/// What a usable node says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeFacts {
    /// Version as a number: 310000 is 31.0.
    pub version: u32,
    /// Version as peers see it.
    pub subversion: String,
    /// Height of the best block.
    pub blocks: u32,
    /// Height of the best header.
    pub headers: u32,
    /// Whether the node is still fetching the chain; it gives no templates until then.
    pub initial_block_download: bool,
    /// Bytes on disk, if it says so.
    pub size_on_disk: Option<u64>,
    /// How much of the chain is verified, 0 to 1; for display.
    pub verification_progress: f64,
    /// Whether old blocks are deleted, which is fine.
    pub pruned: bool,
    /// Median time past of the best block, unix seconds.
    pub median_time: u32,
    /// Header time of the best block, unix seconds; nodes before version 29 do not say it here.
    pub tip_time: Option<u32>,
    /// Peers; without any there are no templates outside test networks.
    pub connections: u32,
    /// How far its peers' clocks are from its own, in seconds; `None` without peers.
    pub clock_offset_s: Option<i64>,
    /// What the node wants its owner to know.
    pub warnings: Vec<String>,
}

/// Why a node cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainCheckError {
    /// It does not answer, or not well.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It serves another chain.
    #[error("the Bitcoin node is on {found:?}, not on {expected}")]
    WrongChain {
        /// The chain that we mine on.
        expected: Network,
        /// The node's name of its chain.
        found: String,
    },
    /// It is older than [`NODE_VERSION_MIN`].
    #[error("the Bitcoin node has version {version}, at least {NODE_VERSION_MIN} is needed")]
    TooOld {
        /// The node's version.
        version: u32,
    },
}

/// Asks a node what it is.
///
/// # Errors
/// No answer, another chain than `expected`, or too old a version. A node that is still fetching
/// the chain is no error here: see [`NodeFacts::initial_block_download`].
pub async fn chain_check(
    client: &RpcClient,
    expected: Network,
) -> Result<NodeFacts, ChainCheckError> {
    let chain = client.blockchain_info().await?;
    let network = client.network_info().await?;
    judge(&chain, &network, expected)
}

fn judge(
    chain: &BlockchainInfo,
    network: &NetworkInfo,
    expected: Network,
) -> Result<NodeFacts, ChainCheckError> {
    if Network::from_core_arg(&chain.chain) != Ok(expected) {
        let found = chain.chain.chars().take(40).collect();
        return Err(ChainCheckError::WrongChain { expected, found });
    }
    if network.version < NODE_VERSION_MIN {
        return Err(ChainCheckError::TooOld { version: network.version });
    }
    let mut warnings: Vec<String> = chain.warnings.texts().map(str::to_owned).collect();
    for text in network.warnings.texts() {
        if !warnings.iter().any(|known| known == text) {
            warnings.push(text.to_owned());
        }
    }
    Ok(NodeFacts {
        version: network.version,
        subversion: network.subversion.clone(),
        blocks: chain.blocks,
        headers: chain.headers,
        initial_block_download: chain.initialblockdownload,
        size_on_disk: chain.size_on_disk,
        verification_progress: chain.verificationprogress,
        pruned: chain.pruned,
        median_time: chain.mediantime,
        tip_time: chain.time,
        connections: network.connections,
        clock_offset_s: (network.connections > 0).then_some(network.timeoffset),
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;

    use super::*;
    use crate::model::Warnings;

    fn node(chain: &str, version: u32) -> (BlockchainInfo, NetworkInfo) {
        let warnings = Warnings::Many(vec!["mind the gap".into()]);
        let chain = BlockchainInfo {
            chain: chain.into(),
            blocks: 0,
            headers: 0,
            bestblockhash: genesis_block(Network::Bitcoin).block_hash(),
            difficulty: 1.0,
            time: None,
            mediantime: 0,
            verificationprogress: 1.0,
            initialblockdownload: false,
            pruned: false,
            size_on_disk: None,
            warnings: warnings.clone(),
        };
        let network = NetworkInfo {
            version,
            subversion: "/Satoshi:31.0.0/".into(),
            protocolversion: 70016,
            connections: 8,
            networkactive: true,
            timeoffset: 0,
            warnings,
        };
        (chain, network)
    }

    #[test]
    fn chain_name_must_be_ours() {
        for (name, network) in [
            ("main", Network::Bitcoin),
            ("test", Network::Testnet),
            ("testnet4", Network::Testnet4),
            ("signet", Network::Signet),
            ("regtest", Network::Regtest),
        ] {
            let (chain, info) = node(name, 310_000);
            assert_eq!(judge(&chain, &info, network).unwrap().warnings, ["mind the gap"]);
            let other =
                if network == Network::Bitcoin { Network::Regtest } else { Network::Bitcoin };
            assert_eq!(
                judge(&chain, &info, other),
                Err(ChainCheckError::WrongChain { expected: other, found: name.into() })
            );
        }
        let (chain, info) = node("liquid", 310_000);
        assert!(judge(&chain, &info, Network::Bitcoin).is_err());
    }

    #[test]
    fn old_versions_are_refused() {
        let (chain, info) = node("main", NODE_VERSION_MIN - 1);
        assert_eq!(
            judge(&chain, &info, Network::Bitcoin),
            Err(ChainCheckError::TooOld { version: NODE_VERSION_MIN - 1 })
        );
        let (chain, info) = node("main", NODE_VERSION_MIN);
        assert!(judge(&chain, &info, Network::Bitcoin).is_ok());
    }
}
