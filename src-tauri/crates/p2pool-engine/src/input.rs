//! Everything that can happen to the engine.

use std::sync::Arc;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use p2pool_sharechain::change::{FoundBlock, OwnShare};
use p2pool_sharechain::template::{BlockTemplate, ShareTemplate, Solution};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CheckedShare, Hash32, ShareHash};
use p2pool_wire::Services;

/// Names a connection to another node; never used twice in one run.
pub type PeerId = u64;

/// Names a question to a peer, as it travels.
pub type RequestId = [u8; 32];

/// One fact about the outside world.
#[derive(Debug)]
pub enum Input {
    /// What storage holds; the first input, if there is storage.
    Load(Box<Loaded>),
    /// A peer has finished its handshake.
    PeerJoined {
        /// The connection.
        peer: PeerId,
        /// Its best share, as it says.
        best_share: Option<ShareHash>,
        /// What it understands.
        services: Services,
    },
    /// A connection has ended.
    PeerLeft {
        /// The connection.
        peer: PeerId,
    },
    /// A peer sends shares without having been asked.
    Shares {
        /// Who.
        peer: PeerId,
        /// Newest first or in any order.
        shares: Vec<Arc<CheckedShare>>,
    },
    /// A peer sent shares of a type that this program does not know.
    UnknownShares {
        /// The type.
        version: u64,
        /// How many.
        count: u64,
    },
    /// A peer answers a request for shares.
    ShareReply {
        /// Who.
        peer: PeerId,
        /// The request.
        request: RequestId,
        /// The shares; `None` if it could not or would not.
        shares: Option<Vec<Arc<CheckedShare>>>,
    },
    /// A peer says that it has shares, without sending them.
    ShareHashes {
        /// Who.
        peer: PeerId,
        /// Newest first.
        hashes: Vec<ShareHash>,
    },
    /// A peer tells its newest Bitcoin block.
    BestBlock {
        /// Who.
        peer: PeerId,
        /// The block's header.
        header: [u8; 80],
    },
    /// A peer sends a block that the pool found, in compact form.
    CompactBlock {
        /// Who.
        peer: PeerId,
        /// The block.
        block: Box<HeaderAndShortIds>,
    },
    /// A peer lacks transactions of a block that it was sent in compact form.
    GetBlockTxn {
        /// Who.
        peer: PeerId,
        /// Which block and transactions.
        request: BlockTransactionsRequest,
    },
    /// A peer answers [`RequestBlockTxn`](crate::Output::RequestBlockTxn).
    BlockTxn {
        /// Who.
        peer: PeerId,
        /// The transactions.
        transactions: BlockTransactions,
    },
    /// The Bitcoin node gives new work.
    Template(Arc<BlockTemplate>),
    /// The Bitcoin node has been silent for too long.
    TemplateLost,
    /// A miner found a share or a block.
    Solved(Box<Solved>),
    /// Where a Bitcoin block stands; answers [`LookUpHeight`](crate::Output::LookUpHeight).
    BlockHeight {
        /// The block.
        block: Hash32,
        /// Its height; `None` if the Bitcoin node does not know it.
        height: Option<u32>,
    },
    /// The header of the Bitcoin node's newest block; answers
    /// [`LookUpTip`](crate::Output::LookUpTip).
    TipHeader {
        /// The header.
        header: [u8; 80],
    },
    /// What became of a submitted block.
    BlockOutcome {
        /// The block.
        hash: ShareHash,
        /// The Bitcoin node's answer.
        outcome: BlockOutcome,
    },
    /// A block of the pool that the Bitcoin node has: to be recorded, unless it is.
    PoolBlock(Box<FoundBlock>),
    /// Storage has written every change set up to this number.
    Persisted {
        /// Number of the newest one written.
        sequence: u64,
    },
    /// A moment asked for by [`WakeAt`](crate::Output::WakeAt) has come.
    Wake,
}

/// What storage holds.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Shares, parents before children.
    pub shares: Vec<LoadedShare>,
    /// Own shares found so far.
    pub own: Vec<OwnShare>,
    /// Found blocks, oldest first.
    pub blocks: Vec<FoundBlock>,
}

/// A stored share, checked again.
#[derive(Debug)]
pub struct LoadedShare {
    /// The share.
    pub share: Arc<CheckedShare>,
    /// Whether it had passed its contextual checks.
    pub is_verified: bool,
}

/// A miner's find.
#[derive(Debug)]
pub struct Solved {
    /// What was mined.
    pub template: Arc<ShareTemplate>,
    /// What was found.
    pub solution: Solution,
    /// Login name of the miner.
    pub worker: String,
    /// Whether the work was the newest when the find arrived.
    pub is_on_time: bool,
    /// When it arrived.
    pub found_at: UnixTime,
}

/// The Bitcoin node's answer about a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockOutcome {
    /// In the chain, with this many confirmations (1 = the tip).
    Accepted {
        /// Blocks from it to the tip, both counted.
        confirmations: u32,
    },
    /// Valid, but another block has its place.
    Replaced,
    /// Refused for good.
    Rejected {
        /// The Bitcoin node's words.
        reason: String,
    },
}
