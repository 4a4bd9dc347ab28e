//! Everything the engine can ask of the outside world.

use std::sync::Arc;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use p2pool_sharechain::change::ChangeSet;
use p2pool_sharechain::template::TemplateBase;
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::verify::ContextError;
use p2pool_sharechain::{CheckedShare, Hash32, ShareHash};

use crate::input::{PeerId, RequestId};

/// One effect to be carried out.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send shares, newest first.
    SendShares {
        /// To whom.
        peer: PeerId,
        /// What.
        shares: Vec<Arc<CheckedShare>>,
    },
    /// Ask for shares.
    RequestShares {
        /// Whom.
        peer: PeerId,
        /// Number of the question.
        request: RequestId,
        /// Newest shares wanted.
        hashes: Vec<ShareHash>,
        /// Ancestors wanted of each.
        parents: u64,
        /// Where the peer may stop.
        stops: Vec<ShareHash>,
    },
    /// Say that shares are here, without sending them.
    AnnounceShares {
        /// To whom.
        peer: PeerId,
        /// Newest first.
        hashes: Vec<ShareHash>,
    },
    /// Tell the newest Bitcoin block.
    SendBestBlock {
        /// To whom.
        peer: PeerId,
        /// Its header.
        header: [u8; 80],
    },
    /// Send a block that the pool found, in compact form.
    SendCompactBlock {
        /// To whom.
        peer: PeerId,
        /// The block.
        block: Arc<HeaderAndShortIds>,
    },
    /// Ask for transactions of a block that came in compact form.
    RequestBlockTxn {
        /// Whom.
        peer: PeerId,
        /// Which block and transactions.
        request: BlockTransactionsRequest,
    },
    /// Send transactions of a block that was sent in compact form.
    SendBlockTxn {
        /// To whom.
        peer: PeerId,
        /// The transactions.
        transactions: Arc<BlockTransactions>,
    },
    /// End a connection.
    DropPeer {
        /// Whom.
        peer: PeerId,
        /// Whether its address should be avoided for a while.
        is_ban: bool,
        /// Why, for the log.
        reason: DropReason,
    },
    /// Store these changes.
    Persist {
        /// Counts up by one.
        sequence: u64,
        /// What changed.
        changes: ChangeSet,
    },
    /// Give miners this work, or none.
    Publish(Option<Arc<TemplateBase>>),
    /// Give this block to the Bitcoin node until it answers.
    SubmitBlock {
        /// The block.
        hash: ShareHash,
        /// The whole block.
        raw: Arc<[u8]>,
    },
    /// Watch a block that others submitted, and report what became of it.
    WatchBlock {
        /// The block.
        hash: ShareHash,
    },
    /// Find out the height of a Bitcoin block.
    LookUpHeight {
        /// The block.
        block: Hash32,
    },
    /// Find out the header of the Bitcoin node's newest block.
    LookUpTip {
        /// The block.
        block: Hash32,
    },
    /// Ask the Bitcoin node for a new template at once: a peer knows of a newer block.
    RefreshTemplate,
    /// Send [`Wake`](crate::Input::Wake) at this time; a later output replaces it.
    WakeAt(MonoTime),
    /// Something worth telling.
    Event(Event),
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It sent a share that does not fit its chain.
    BadShare(ContextError),
    /// It did not answer a request in time.
    Silent,
    /// It told of a Bitcoin block whose hash does not meet its own target.
    BadBlockHeader,
    /// It gave a long history with next to no work.
    HopelessHistory,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chain continues from another share.
    BestShare {
        /// The share.
        hash: ShareHash,
        /// Known shares from it down.
        height: u32,
        /// Whether a miner of this node found it.
        is_own: bool,
    },
    /// A miner of this node found a share.
    ShareFound {
        /// The share.
        hash: ShareHash,
        /// Login name of the miner.
        worker: String,
        /// Whether it came in time.
        is_on_time: bool,
    },
    /// Somebody in the pool found a block.
    BlockFound {
        /// The block.
        hash: ShareHash,
        /// Its height.
        height: u32,
        /// Whether a miner of this node found it.
        is_own: bool,
    },
    /// A found block is in the Bitcoin chain.
    BlockAccepted {
        /// The block.
        hash: ShareHash,
        /// Its height.
        height: u32,
    },
    /// The Bitcoin node refused a found block.
    BlockRejected {
        /// The block.
        hash: ShareHash,
        /// The Bitcoin node's words.
        reason: String,
    },
    /// A found block lost its place to another.
    BlockReplaced {
        /// The block.
        hash: ShareHash,
    },
    /// An own share was relayed before it was stored, because storage is slow.
    StorageSlow,
}
