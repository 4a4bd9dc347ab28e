//! Work: from Bitcoin's block template to a share template that a miner can hash.
//!
//! [`BlockTemplate`] comes from the Bitcoin node; [`TemplateBase`] adds all that the next share
//! needs except the miner; [`ShareTemplate`] adds the miner. A [`Solution`] found for a share
//! template is graded here, and becomes a share and a block.

use std::sync::Arc;

use bitcoin::BlockHash;
use ruint::aliases::U256;

use crate::compact::CompactBits;
use crate::generation::{self, Generation, Window};
use crate::hash::{Hash32, ShareHash, sha256d};
use crate::hash_link::{HashLinkEngine, Midstate};
use crate::merkle_link;
use crate::params::{Params, WITNESS_RESERVED_VALUE};
use crate::share::{
    HashLink, MinHeader, Payee, SegwitData, Share, ShareData, ShareInfo, StaleInfo,
};
use crate::verify::{CheckedShare, StandaloneError};
use crate::versions::ShareVersion;

/// A block template from the Bitcoin node, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockTemplate {
    /// Block version with signalling bits.
    pub version: u32,
    /// The block to build on.
    pub previous_block: BlockHash,
    /// Transactions in block order, without the generation transaction.
    pub transactions: Vec<TemplateTransaction>,
    /// Subsidy plus fees of all `transactions`, sats.
    pub coinbase_value_sats: u64,
    /// Bytes that belong into the scriptSig after the height; normally empty.
    pub coinbase_aux: Vec<u8>,
    /// Bitcoin's target.
    pub bits: CompactBits,
    /// The node's clock, unix seconds.
    pub current_time: u32,
    /// Lowest header time allowed.
    pub min_time: u32,
    /// Highest header time that keeps `bits` right; only test networks have one.
    pub max_time: Option<u32>,
    /// Height of the block to be found.
    pub height: u32,
    /// Most weight of a block.
    pub weight_limit: u32,
    /// Most signature operations (weighted) of a block.
    pub sigop_limit: u32,
}

/// One transaction of a block template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateTransaction {
    /// Serialisation with witness.
    pub data: Arc<[u8]>,
    /// Hash without witness, internal order.
    pub txid: Hash32,
    /// Hash with witness, internal order.
    pub wtxid: Hash32,
    /// Fee in sats.
    pub fee_sats: u64,
    /// Weight units.
    pub weight: u32,
    /// Weighted signature operations.
    pub sigops: u32,
    /// Positions (from 0) of transactions in the same template that must come before.
    pub depends: Vec<u32>,
}

/// The next share minus the miner: the same for everybody, immutable, shared by all sessions.
#[derive(Debug)]
pub struct TemplateBase {
    /// Counts up with every base the engine publishes.
    pub sequence: u64,
    /// Whether work on older bases is late for the Bitcoin chain (the previous block changed).
    pub new_block: bool,
    /// The network.
    pub params: Arc<Params>,
    /// Bitcoin's part, transactions already chosen.
    pub block: Arc<BlockTemplate>,
    /// Parent of the next share.
    pub previous_share: Option<ShareHash>,
    /// Type of the next share.
    pub version: ShareVersion,
    /// Vote of the next share.
    pub desired_version: u64,
    /// Announcement in the next share.
    pub stale_info: StaleInfo,
    /// Default donation in 65535ths.
    pub donation: u16,
    /// Share-chain fields that follow from the parent.
    pub position: generation::Position,
    /// Weights that the generation transaction pays.
    pub window: Arc<Window>,
    /// Witness data over the chosen transactions.
    pub segwit: SegwitData,
    /// The scriptSig: height, aux bytes and text, at most 100 bytes.
    pub coinbase: Vec<u8>,
}

/// What a miner's session chooses about its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerTerms {
    /// Address text that is paid; must decode on the network.
    pub payout_address: Vec<u8>,
    /// Wanted share target; cut to what the chain allows. `U256::MAX` for the easiest.
    pub wanted_target: U256,
    /// Random number of the share.
    pub nonce: u32,
    /// Wall time of the job, unix seconds.
    pub timestamp: u32,
}

/// The next share of one miner, less the nonces.
#[derive(Clone, Debug)]
pub struct ShareTemplate {
    base: Arc<TemplateBase>,
    info: ShareInfo,
    generation: Generation,
    header_version: u32,
    prefix_state: HashLinkEngine,
}

/// What a miner found for a share template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Header version after rolling.
    pub version: u32,
    /// The eight bytes that follow the ref hash: extranonce1, then extranonce2.
    pub coinbase_nonce: [u8; 8],
    /// Header time.
    pub time: u32,
    /// Header nonce.
    pub nonce: u32,
}

/// What a solution is good for; `Block` and `Share` can both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grade {
    /// The header's hash.
    pub hash: ShareHash,
    /// Meets Bitcoin's target.
    pub is_block: bool,
    /// Meets the share's target.
    pub is_share: bool,
}

impl TemplateBase {
    /// Makes the share template of one miner.
    ///
    /// # Errors
    /// An address that the network cannot pay.
    pub fn for_miner(
        self: &Arc<Self>,
        terms: &MinerTerms,
    ) -> Result<ShareTemplate, crate::address::AddressError> {
        let data = ShareData {
            previous_share: self.previous_share,
            coinbase: self.coinbase.clone(),
            nonce: terms.nonce,
            payee: Payee::Address(terms.payout_address.clone()),
            subsidy_sats: self.block.coinbase_value_sats,
            donation: self.donation,
            stale_info: self.stale_info,
            desired_version: self.desired_version,
        };
        let info = self.position.share_info(
            data,
            Some(self.segwit.clone()),
            None,
            terms.timestamp,
            terms.wanted_target,
        );
        let generation =
            generation::generate(&self.params, self.version, &info, &self.window, &[])?;
        let prefix_state = HashLinkEngine::new(generation.prefix());
        Ok(ShareTemplate {
            base: Arc::clone(self),
            info,
            generation,
            // Bits 13 to 28 are for rolling (BIP-0320) and must be clear in what miners get.
            header_version: self.block.version.max(0x2000_0000) & !ROLLING_MASK,
            prefix_state,
        })
    }
}

/// Header version bits that miners may roll. Source: BIP-0320.
pub const ROLLING_MASK: u32 = 0x1fff_e000;

impl ShareTemplate {
    /// The base this was made from.
    pub fn base(&self) -> &Arc<TemplateBase> {
        &self.base
    }

    /// The share's fields.
    pub fn info(&self) -> &ShareInfo {
        &self.info
    }

    /// Outputs of the generation transaction in order: commitment, payouts, donation, ref hash.
    pub fn outputs(&self) -> &[generation::Output] {
        self.generation.outputs()
    }

    /// The generation transaction without witness up to the eight nonce bytes (`coinb1`).
    pub fn coinbase_prefix(&self) -> &[u8] {
        self.generation.up_to_nonce()
    }

    /// The four bytes after the nonce (`coinb2`): the lock time.
    pub fn coinbase_suffix(&self) -> [u8; 4] {
        [0; 4]
    }

    /// Merkle branch from the generation transaction to the header's root.
    pub fn merkle_branch(&self) -> &[Hash32] {
        &self.base.segwit.txid_branch
    }

    /// Header version to give to miners, rolling bits clear.
    pub fn header_version(&self) -> u32 {
        self.header_version
    }

    /// Target that makes a share.
    pub fn share_target(&self) -> U256 {
        self.info.bits.target_saturating()
    }

    /// Target that makes a block.
    pub fn block_target(&self) -> U256 {
        self.base.block.bits.target_saturating()
    }

    /// The 80-byte header of a solution.
    pub fn header(&self, solution: &Solution) -> [u8; 80] {
        let root = merkle_link::fold(self.txid(solution), &self.base.segwit.txid_branch);
        MinHeader {
            version: u64::from(solution.version),
            previous_block: self.previous_block(),
            timestamp: solution.time,
            bits: self.base.block.bits,
            nonce: solution.nonce,
        }
        .to_bytes(root)
        .expect("a 32-bit version builds a header")
    }

    /// Transaction id of a solution's generation transaction, internal order.
    pub fn txid(&self, solution: &Solution) -> Hash32 {
        let mut tail = [0_u8; 12];
        tail[..8].copy_from_slice(&solution.coinbase_nonce);
        let mut engine = self.prefix_state.clone();
        engine.update(self.generation.ref_hash());
        engine.finish_double(&tail)
    }

    /// Hashes a solution once and says what it is good for.
    pub fn grade(&self, solution: &Solution) -> Grade {
        let hash = ShareHash::of_header(&self.header(solution));
        let number = hash.to_uint();
        Grade {
            hash,
            is_block: self.base.block.bits.target().is_none_or(|target| number <= target),
            is_share: number <= self.share_target(),
        }
    }

    /// The share that a solution makes.
    ///
    /// # Errors
    /// As the standalone check: above all, a hash above the share's target.
    pub fn share(&self, solution: &Solution) -> Result<CheckedShare, StandaloneError> {
        let Midstate { state, length } = self.prefix_state.midstate();
        let share = Share {
            version: self.base.version,
            header: MinHeader {
                version: u64::from(solution.version),
                previous_block: self.previous_block(),
                timestamp: solution.time,
                bits: self.base.block.bits,
                nonce: solution.nonce,
            },
            info: self.info.clone(),
            ref_merkle_branch: Vec::new(),
            last_txout_nonce: u64::from_le_bytes(solution.coinbase_nonce),
            hash_link: HashLink { state, length },
            merkle_branch: Vec::new(),
        };
        CheckedShare::check(share, &self.base.params)
    }

    /// The whole block that a solution makes, witness included.
    pub fn block(&self, solution: &Solution) -> Vec<u8> {
        let transactions = &self.base.block.transactions;
        let size: usize = transactions.iter().map(|tx| tx.data.len()).sum();
        let beside = self.coinbase_prefix().len().saturating_add(200);
        let mut out = Vec::with_capacity(size.saturating_add(beside));
        out.extend_from_slice(&self.header(solution));
        crate::pack::write_var_int(&mut out, (transactions.len() as u64).saturating_add(1));
        self.generation.write_with_witness(&mut out, solution.coinbase_nonce);
        for tx in transactions {
            out.extend_from_slice(&tx.data);
        }
        out
    }

    fn previous_block(&self) -> Hash32 {
        use bitcoin::hashes::Hash;
        self.base.block.previous_block.to_byte_array()
    }
}

impl BlockTemplate {
    /// Witness data over this template's transactions.
    pub fn segwit_data(&self) -> SegwitData {
        let txids: Vec<Hash32> = self.transactions.iter().map(|tx| tx.txid).collect();
        let mut wtxids = vec![[0; 32]];
        wtxids.extend(self.transactions.iter().map(|tx| tx.wtxid));
        SegwitData {
            txid_branch: merkle_link::branch_of_first(&txids),
            wtxid_root: merkle_link::root(&wtxids),
        }
    }
}

/// The script of the witness commitment output for a witness root.
pub fn witness_commitment_script(wtxid_root: &Hash32) -> Vec<u8> {
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(wtxid_root);
    preimage[32..].copy_from_slice(&WITNESS_RESERVED_VALUE);
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend_from_slice(&sha256d(&preimage));
    script
}
