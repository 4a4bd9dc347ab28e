//! [`ChangeSet`]: all that storage ever sees of the share chain.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compact::CompactBits;
use crate::hash::{Hash32, ShareHash};
use crate::time::UnixTime;

/// Where a share came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made by this node.
    Own,
    /// Sent by a peer.
    Peer,
    /// Imported from a file.
    Import,
}

/// A share to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredShare {
    /// Identity.
    pub hash: ShareHash,
    /// Parent share.
    pub parent: Option<ShareHash>,
    /// Height that the share claims.
    pub abs_height: u32,
    /// When it was first seen.
    pub seen_at: UnixTime,
    /// Where it came from.
    pub origin: Origin,
    /// Whether its contextual checks have passed.
    pub verified: bool,
    /// As on the wire: type, length, contents.
    pub raw: Arc<[u8]>,
}

/// An own share, kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnShare {
    /// Identity.
    pub hash: ShareHash,
    /// Login name of the miner that found it.
    pub worker: String,
    /// When it was found.
    pub found_at: UnixTime,
    /// What became of it.
    pub fate: Fate,
    /// Height that it claims and target that it had to meet; `None` for one recorded before these
    /// were kept.
    pub place: Option<OwnPlace>,
}

/// Where an own share stands in the share chain, and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnPlace {
    /// Height that it claims.
    pub abs_height: u32,
    /// Target that it had to meet.
    pub bits: CompactBits,
}

/// What became of an own share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not yet decided.
    Open,
    /// In the best chain.
    InChain,
    /// Lost a race.
    Orphan,
    /// Built on an old share when it was found.
    Dead,
}

/// A block that the pool found and this node knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBlock {
    /// The block's (and share's) hash.
    pub hash: ShareHash,
    /// Height of the block.
    pub height: u32,
    /// When it was found or first seen.
    pub found_at: UnixTime,
    /// Whether this node found it.
    pub own: bool,
    /// Where it stands.
    pub status: BlockStatus,
    /// Why it was refused, in the Bitcoin node's words.
    pub reason: Option<String>,
    /// The whole block, when this node has it.
    pub raw: Option<Arc<[u8]>>,
    /// Scripts paid, with sats, in output order (without the two zero-value outputs).
    pub payouts: Vec<(Vec<u8>, u64)>,
    /// Id of the transaction that pays them, internal order, if it is known.
    pub txid: Option<Hash32>,
    /// Heights of the oldest and the newest share that it pays, if they are known.
    pub paid_heights: Option<(u32, u32)>,
    /// Where its share stands in the share chain, if the share was ever known here.
    pub standing: Option<Standing>,
}

/// Where a block's share stands in the share chain: rounds are measured by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Work since the chain's first share, the block's own included, modulo 2^128.
    pub abs_work: u128,
    /// Bitcoin's target for the block.
    pub bits: CompactBits,
}

/// Where a found block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockStatus {
    /// On its way to the Bitcoin node.
    Submitting,
    /// In the Bitcoin chain.
    Accepted,
    /// Refused by the Bitcoin node.
    Rejected,
    /// Replaced by another block.
    Orphaned,
    /// A hundred blocks deep.
    Mature,
}

/// Changes to be stored, in one transaction. Later sets are merged into earlier ones.
///
/// The fields take effect in their order: a share that one set both adds and removes is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// New shares.
    pub added: Vec<StoredShare>,
    /// Shares (new or stored before) that have passed their contextual checks.
    pub verified: Vec<ShareHash>,
    /// Shares that were pruned.
    pub removed: Vec<ShareHash>,
    /// New best share.
    pub best: Option<ShareHash>,
    /// Own shares, new or with a changed fate; the newest entry of a hash counts.
    pub own: Vec<OwnShare>,
    /// Found blocks, new or with a changed status; the newest entry of a hash counts.
    pub blocks: Vec<FoundBlock>,
}

impl ChangeSet {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.verified.is_empty()
            && self.removed.is_empty()
            && self.best.is_none()
            && self.own.is_empty()
            && self.blocks.is_empty()
    }

    /// Adds a later set to this one; storing the sum equals storing both in turn.
    pub fn merge(&mut self, later: Self) {
        // A share that comes back starts anew, whatever happened to it before.
        let back: BTreeSet<_> = later.added.iter().map(|share| share.hash).collect();
        self.added.retain(|share| !back.contains(&share.hash));
        self.verified.retain(|hash| !back.contains(hash));
        self.removed.retain(|hash| !back.contains(hash));
        self.added.extend(later.added);
        self.verified.extend(later.verified);
        self.removed.extend(later.removed);
        self.best = later.best.or(self.best);
        self.own.extend(later.own);
        self.blocks.extend(later.blocks);
    }
}
