//! What pages ask about single shares. Nothing here is part of a step.

use std::collections::{BTreeSet, HashMap};

use p2pool_sharechain::compact::difficulty;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::{CheckedShare, ShareHash};

use crate::Engine;
use crate::input::PeerId;

/// Newest shares of the best chain in the tree.
const TREE_CHAIN: usize = 60;
/// Most shares in the tree, those of side branches included.
const TREE_MAX: usize = 240;
/// Side branches are followed so far down.
const BRANCH_MAX: usize = 60;

/// Everything worth showing of one share.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareDetails {
    /// Identity.
    pub hash: ShareHash,
    /// The share below it.
    pub parent: Option<ShareHash>,
    /// Share timestamp, unix seconds.
    pub timestamp: u32,
    /// Address text that it pays.
    pub payee: String,
    /// Login name of the miner that found it, if it is one of this node's.
    pub worker: Option<String>,
    /// Difficulty that it had to meet.
    pub difficulty: f64,
    /// Its type.
    pub version: u64,
    /// The type that it votes for.
    pub wanted_version: u64,
    /// What it says of a lost share of its maker.
    pub announces: Announces,
    /// Shares since the chain's first.
    pub abs_height: u32,
    /// Shares of the best chain above it; `None` if it is not in the best chain.
    pub depth: Option<u32>,
    /// Whether it has passed every check.
    pub is_verified: bool,
    /// The connection that it first came by; `None` if it was found here or read from the disk.
    pub sender: Option<PeerId>,
    /// Whether it was read from the disk at the start.
    pub is_loaded: bool,
}

/// What a share says of a lost share of its maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announces {
    /// Nothing was lost.
    Nothing,
    /// One lost a race.
    Orphan,
    /// One was late when it was found.
    DeadOnArrival,
    /// Something that this program does not know.
    Other,
}

/// A share in the tree of recent shares.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeShare {
    /// Identity.
    pub hash: ShareHash,
    /// The share below it.
    pub parent: Option<ShareHash>,
    /// Share timestamp, unix seconds.
    pub timestamp: u32,
    /// Shares since the chain's first.
    pub abs_height: u32,
    /// Address text that it pays.
    pub payee: String,
    /// Whether a miner of this node found it.
    pub is_own: bool,
    /// Whether the best chain contains it.
    pub is_in_chain: bool,
    /// Whether nothing is known to build on it.
    pub is_head: bool,
    /// Whether it has passed every check.
    pub is_verified: bool,
}

impl Engine {
    /// What is known of a share; `None` if it is not known.
    pub fn share_details(&self, hash: ShareHash) -> Option<ShareDetails> {
        let known = self.tracker.known(hash)?;
        let share = known.share.share();
        let info = &share.info;
        let is_in_chain = self.best.is_some_and(|best| self.tracker.is_ancestor(hash, best));
        let height = |hash| self.tracker.height_and_last(Some(hash)).0;
        let depth = self.best.filter(|_| is_in_chain);
        let own = self.own_shares().find(|own| own.hash == hash);
        Some(ShareDetails {
            hash,
            parent: share.parent(),
            timestamp: info.timestamp,
            payee: payee(&known.share),
            worker: own.map(|own| own.worker.clone()),
            difficulty: difficulty(known.share.target()),
            version: share.version.number(),
            wanted_version: info.data.desired_version,
            announces: match info.data.stale_info {
                StaleInfo::NONE => Announces::Nothing,
                StaleInfo::ORPHAN => Announces::Orphan,
                StaleInfo::DEAD_ON_ARRIVAL => Announces::DeadOnArrival,
                _ => Announces::Other,
            },
            abs_height: info.abs_height,
            depth: depth.map(|best| height(best).saturating_sub(height(hash))),
            is_verified: self.tracker.is_verified(hash),
            sender: known.sender,
            is_loaded: known.seen == MonoTime::ZERO,
        })
    }

    /// The newest shares of the best chain and the branches beside them, highest first, at most
    /// 240 in all.
    pub fn share_tree(&self) -> Vec<TreeShare> {
        let chain: Vec<ShareHash> =
            self.tracker.chain(self.best).take(TREE_CHAIN).map(|k| k.share.hash()).collect();
        let heads: BTreeSet<ShareHash> = self.tracker.heads().map(|(head, _)| head).collect();
        let mut is_in_chain: HashMap<ShareHash, bool> =
            chain.iter().map(|hash| (*hash, true)).collect();
        let mut found = chain;
        for head in &heads {
            let branch = self.tracker.chain(Some(*head)).map(|known| known.share.hash());
            let branch: Vec<ShareHash> = branch
                .take_while(|hash| !is_in_chain.contains_key(hash))
                .take(BRANCH_MAX)
                .collect();
            let foot = branch.last().and_then(|last| self.tracker.get(*last)?.share().parent());
            let is_rooted = foot.is_some_and(|foot| is_in_chain.contains_key(&foot));
            if is_rooted && found.len() + branch.len() <= TREE_MAX {
                is_in_chain.extend(branch.iter().map(|hash| (*hash, false)));
                found.extend(branch);
            }
        }
        let mut tree: Vec<TreeShare> = found
            .into_iter()
            .filter_map(|hash| self.tracker.get(hash))
            .map(|checked| {
                let (hash, share) = (checked.hash(), checked.share());
                TreeShare {
                    hash,
                    parent: share.parent(),
                    timestamp: share.info.timestamp,
                    abs_height: share.info.abs_height,
                    payee: payee(checked),
                    is_own: self.outbox.is_own(hash),
                    is_in_chain: is_in_chain.get(&hash).copied().unwrap_or_default(),
                    is_head: heads.contains(&hash),
                    is_verified: self.tracker.is_verified(hash),
                }
            })
            .collect();
        tree.sort_by_key(|share| {
            (std::cmp::Reverse(share.abs_height), !share.is_in_chain, share.hash)
        });
        tree
    }
}

fn payee(share: &CheckedShare) -> String {
    String::from_utf8_lossy(share.payee()).into_owned()
}
