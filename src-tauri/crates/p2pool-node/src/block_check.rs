//! What a block really pays, asked of the Bitcoin node or the practice chain itself.
//!
//! Nothing of the share chain goes into the answer: the block is fetched from the node, and its
//! outputs are added up against the subsidy and the fees that the node has counted.

use std::sync::Arc;

use bitcoin::Block;
use bitcoin::consensus::deserialize;
use bitcoin::hex::FromHex;
use p2pool_bitcoind::rpc::{BadUrl, Limits};
use p2pool_bitcoind::{RpcClient, RpcConfig, RpcError};
use p2pool_sharechain::{Params, ShareHash};
use serde::Deserialize;

/// Asks a chain for blocks and adds them up.
#[derive(Clone, Debug)]
pub struct BlockChecker {
    client: RpcClient,
    params: Arc<Params>,
}

/// A block as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockCheck {
    /// The block.
    pub hash: ShareHash,
    /// Its height.
    pub height: u32,
    /// Blocks from here to the tip, both counted.
    pub confirmations: u32,
    /// What the chain's rules create at this height.
    pub subsidy_sats: u64,
    /// Fees of its other transactions.
    pub fees_sats: u64,
    /// Outputs of its generation transaction, in order, those without value included.
    pub outputs: Vec<BlockOutput>,
}

/// One output of a generation transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOutput {
    /// The script that can spend it.
    pub script: Vec<u8>,
    /// Amount.
    pub value_sats: u64,
}

/// Why a block could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockCheckError {
    /// The chain's address makes no sense.
    #[error(transparent)]
    Address(#[from] BadUrl),
    /// The chain does not answer, or does not know the block.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The block is known but not in the best chain.
    #[error("block {hash} is not in the best chain")]
    NotInChain {
        /// The block.
        hash: ShareHash,
    },
    /// What the chain gives is not the block that was asked for.
    #[error("the answer is not block {hash}: {reason}")]
    WrongBlock {
        /// The block.
        hash: ShareHash,
        /// What is wrong.
        reason: String,
    },
    /// The node does not tell the fees of the block's other transactions.
    #[error("the fees of block {hash} are unknown: {source}")]
    UnknownFees {
        /// The block.
        hash: ShareHash,
        /// What it answers.
        source: RpcError,
    },
}

impl BlockChecker {
    /// Prepares a checker; nothing is asked yet.
    ///
    /// # Errors
    /// [`BlockCheckError::Address`].
    pub fn new(rpc: &RpcConfig, params: Arc<Params>) -> Result<Self, BlockCheckError> {
        Ok(Self { client: RpcClient::new(rpc)?, params })
    }

    /// Fetches a block of the best chain and adds it up.
    ///
    /// # Errors
    /// Unknown blocks, blocks off the best chain, and a chain that does not answer.
    pub async fn check(&self, hash: ShareHash) -> Result<BlockCheck, BlockCheckError> {
        let place = self.client.block_header(hash.to_block_hash()).await?;
        let confirmations =
            u32::try_from(place.confirmations).map_err(|_| BlockCheckError::NotInChain { hash })?;
        let hex: String =
            self.client.call("getblock", (hash.to_string(), 0), Limits::BLOCK).await?;
        let (outputs, others) = outputs(hash, &hex)?;
        let fees_sats = if others == 0 { 0 } else { self.fees_sats(hash).await? };
        Ok(BlockCheck {
            hash,
            height: place.height,
            confirmations,
            subsidy_sats: self.params.subsidy_sats(place.height),
            fees_sats,
            outputs,
        })
    }

    /// Fees of all transactions of a block, as the node counts them.
    async fn fees_sats(&self, hash: ShareHash) -> Result<u64, BlockCheckError> {
        #[derive(Deserialize)]
        struct Stats {
            totalfee: u64,
        }
        let wanted = (hash.to_string(), ["totalfee"]);
        let stats: Result<Stats, RpcError> =
            self.client.call("getblockstats", wanted, Limits::SHORT).await;
        match stats {
            Ok(stats) => Ok(stats.totalfee),
            // Asked again by whoever asked for the block.
            Err(error) if error.is_transient() => Err(error.into()),
            Err(source) => Err(BlockCheckError::UnknownFees { hash, source }),
        }
    }
}

impl BlockCheck {
    /// Sum of all outputs.
    pub fn paid_sats(&self) -> u64 {
        self.outputs.iter().map(|output| output.value_sats).sum()
    }

    /// Whether the outputs pay subsidy and fees, to the satoshi.
    pub fn is_exact(&self) -> bool {
        self.paid_sats() == self.subsidy_sats + self.fees_sats
    }
}

/// The generation transaction's outputs, if this is the block, and how many others it has.
fn outputs(hash: ShareHash, hex: &str) -> Result<(Vec<BlockOutput>, usize), BlockCheckError> {
    let wrong = |reason: String| BlockCheckError::WrongBlock { hash, reason };
    let raw = Vec::<u8>::from_hex(hex).map_err(|error| wrong(error.to_string()))?;
    let block: Block = deserialize(&raw).map_err(|error| wrong(error.to_string()))?;
    if block.block_hash() != hash.to_block_hash() {
        return Err(wrong(format!("it is {}", block.block_hash())));
    }
    if !block.check_merkle_root() {
        return Err(wrong("its transactions are not those of its header".into()));
    }
    let Some((generation, others)) = block.txdata.split_first() else {
        return Err(wrong("it has no transactions".into()));
    };
    let outputs: Vec<BlockOutput> = generation
        .output
        .iter()
        .map(|output| BlockOutput {
            script: output.script_pubkey.to_bytes(),
            value_sats: output.value.to_sat(),
        })
        .collect();
    let sum = outputs.iter().try_fold(0_u64, |sum, output| sum.checked_add(output.value_sats));
    sum.map(|_| (outputs, others.len()))
        .ok_or_else(|| wrong("its outputs exceed all numbers".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::consensus::encode::serialize_hex;
    use bitcoin::constants::genesis_block;
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, Network};
    use p2pool_practice::PracticeChainServer;
    use tokio_util::sync::CancellationToken;

    fn hash_of(block: &Block) -> ShareHash {
        ShareHash::from_internal(block.block_hash().to_byte_array())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn first_block_pays_its_subsidy_and_unknown_ones_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let server = PracticeChainServer::start(folder.path(), Network::Regtest).await.unwrap();
        let rpc = server.rpc_config();
        let token = CancellationToken::new();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(server.run(token.clone()));
        let params = Arc::new(Params::practice(Network::Regtest));
        let checker = BlockChecker::new(&rpc, params).unwrap();

        let first = checker.check(hash_of(&genesis_block(Network::Regtest))).await.unwrap();
        let unknown = checker.check(ShareHash::from_internal([7; 32])).await;

        assert_eq!((first.height, first.confirmations), (0, 1));
        assert_eq!((first.outputs.len(), first.paid_sats()), (1, 5_000_000_000));
        assert!(first.is_exact());
        assert!(matches!(unknown, Err(BlockCheckError::Rpc(_))), "{unknown:?}");
        token.cancel();
        tasks.join_next().await.unwrap().unwrap().unwrap();
    }

    #[test]
    fn one_satoshi_less_is_not_exact() {
        let output = |value_sats| BlockOutput { script: vec![0x51], value_sats };
        let mut check = BlockCheck {
            hash: ShareHash::from_internal([1; 32]),
            height: 1,
            confirmations: 1,
            subsidy_sats: 100,
            fees_sats: 7,
            outputs: vec![output(60), output(47), output(0)],
        };
        assert!(check.is_exact());
        check.outputs[0].value_sats -= 1;
        assert!(!check.is_exact());
    }

    #[test]
    fn another_block_and_changed_transactions_are_refused() {
        let block = genesis_block(Network::Regtest);
        let hash = hash_of(&block);
        let (paid, others) = outputs(hash, &serialize_hex(&block)).unwrap();
        assert_eq!((paid.len(), others), (1, 0));

        let mut changed = block.clone();
        changed.txdata[0].output[0].value += Amount::ONE_SAT;
        let other = genesis_block(Network::Testnet4);
        let mut more = block.clone();
        more.txdata.push(other.txdata[0].clone());
        more.header.merkle_root = more.compute_merkle_root().unwrap();

        for text in [serialize_hex(&changed), serialize_hex(&other), "00".into(), "zz".into()] {
            let refused = outputs(hash, &text);
            assert!(matches!(refused, Err(BlockCheckError::WrongBlock { .. })), "{refused:?}");
        }
        let (paid, others) = outputs(hash_of(&more), &serialize_hex(&more)).unwrap();
        assert_eq!((paid.len(), others), (1, 1));
    }
}
