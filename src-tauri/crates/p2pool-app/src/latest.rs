//! *Latest*: from what happened in the node to what the window lists.

use std::collections::BTreeMap;

use p2pool_node::{Event, NodeEventKind, PoolBlock};
use p2pool_sharechain::ShareHash;
use serde::Deserialize;

use crate::api::{LatestKind, Party, Sats};
use crate::views::{self, Sight, count};

/// Something that happened, as far as it is worth a line: from a node's event or from history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tale {
    ShareFound { hash: ShareHash, is_on_time: bool },
    BlockAccepted { hash: ShareHash },
    BlockRejected { hash: ShareHash },
    MinerConnected { worker: String, is_helper: bool },
    MinerLeft { worker: String, is_helper: bool },
    MemberJoined,
    MemberLeft,
    MiningStarted,
    MiningPaused,
}

/// What a record of history may say; which of it, depends on its kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    hash: String,
    worker: String,
    is_on_time: bool,
    is_helper: bool,
}

impl Tale {
    /// What an event of the node tells, if anything.
    pub(crate) fn of_event(event: &NodeEventKind) -> Option<Self> {
        Some(match event {
            NodeEventKind::Chain(Event::ShareFound { hash, is_on_time, .. }) => {
                Self::ShareFound { hash: *hash, is_on_time: *is_on_time }
            }
            NodeEventKind::Chain(Event::BlockAccepted { hash, .. }) => {
                Self::BlockAccepted { hash: *hash }
            }
            NodeEventKind::Chain(Event::BlockRejected { hash, .. }) => {
                Self::BlockRejected { hash: *hash }
            }
            NodeEventKind::MinerConnected { worker, is_helper } => {
                Self::MinerConnected { worker: worker.clone(), is_helper: *is_helper }
            }
            NodeEventKind::MinerLeft { worker, is_helper } => {
                Self::MinerLeft { worker: worker.clone(), is_helper: *is_helper }
            }
            NodeEventKind::MemberJoined { .. } => Self::MemberJoined,
            NodeEventKind::MemberLeft { .. } => Self::MemberLeft,
            NodeEventKind::MiningStarted => Self::MiningStarted,
            NodeEventKind::MiningPaused => Self::MiningPaused,
            // A found block is told once the Bitcoin node has judged it; the rest shows as
            // problems, or is the pool's everyday business.
            NodeEventKind::Chain(
                Event::BestShare { .. }
                | Event::BlockFound { .. }
                | Event::BlockReplaced { .. }
                | Event::StorageSlow,
            )
            | NodeEventKind::Helper(_)
            | NodeEventKind::Bitcoin(_)
            | NodeEventKind::Storage(_)
            | NodeEventKind::DatabaseReplaced { .. } => return None,
        })
    }

    /// What a record of history tells, if anything. Who came and went in an earlier run is not
    /// worth a line now.
    pub(crate) fn of_record(kind: &str, json: &str) -> Option<Self> {
        let record: Record = serde_json::from_str(json).ok()?;
        let hash = || record.hash.parse::<ShareHash>().ok();
        Some(match kind {
            "share_found" => Self::ShareFound { hash: hash()?, is_on_time: record.is_on_time },
            "block_accepted" => Self::BlockAccepted { hash: hash()? },
            "block_rejected" => Self::BlockRejected { hash: hash()? },
            "miner_connected" => {
                Self::MinerConnected { worker: record.worker, is_helper: record.is_helper }
            }
            "miner_left" => Self::MinerLeft { worker: record.worker, is_helper: record.is_helper },
            "mining_started" => Self::MiningStarted,
            "mining_paused" => Self::MiningPaused,
            _ => return None,
        })
    }

    /// The line; `None` while the snapshot does not yet know what it speaks of.
    pub(crate) fn tell(
        &self,
        sight: &Sight<'_>,
        finders: &BTreeMap<ShareHash, Party>,
    ) -> Option<LatestKind> {
        Some(match self {
            Self::ShareFound { is_on_time: false, .. } => LatestKind::ShareLate,
            Self::ShareFound { hash, .. } => {
                let window = &sight.node.summary.window;
                let share = window.iter().find(|share| share.hash == *hash)?;
                LatestKind::ShareFound { difficulty: share.difficulty }
            }
            Self::BlockAccepted { hash } => {
                let block = block(sight, *hash)?;
                let is_finder_known = block.block.own || finders.contains_key(hash);
                return is_finder_known.then(|| pool_block(sight, block, finders));
            }
            Self::BlockRejected { hash } => {
                LatestKind::BlockRefused { height: block(sight, *hash)?.block.height }
            }
            Self::MinerConnected { worker, is_helper } => {
                LatestKind::MinerConnected { name: (!is_helper).then(|| worker.clone()) }
            }
            Self::MinerLeft { worker, is_helper } => {
                LatestKind::MinerLeft { name: (!is_helper).then(|| worker.clone()) }
            }
            Self::MemberJoined => LatestKind::MemberJoined {
                party: Party::Member,
                connected: count(sight.node.summary.peers),
            },
            Self::MemberLeft => LatestKind::MemberLeft {
                party: Party::Member,
                connected: count(sight.node.summary.peers),
            },
            Self::MiningStarted => LatestKind::MiningStarted,
            Self::MiningPaused => LatestKind::MiningPaused,
        })
    }

    /// The line of something just happened that the snapshot does not tell more about.
    pub(crate) fn tell_now(
        &self,
        sight: &Sight<'_>,
        finders: &BTreeMap<ShareHash, Party>,
    ) -> Option<LatestKind> {
        if let Self::ShareFound { .. } = self {
            // Found a moment ago and out of the window already: its difficulty was the present.
            let difficulty = sight.node.summary.share_difficulty;
            return Some(LatestKind::ShareFound { difficulty });
        }
        self.tell_past(sight, finders)
    }

    /// The line of something of an earlier run. The difficulty of a share that has left the
    /// window is forgotten, and its line with it; a block tells what is left of it.
    pub(crate) fn tell_past(
        &self,
        sight: &Sight<'_>,
        finders: &BTreeMap<ShareHash, Party>,
    ) -> Option<LatestKind> {
        if let Self::BlockAccepted { hash } = self {
            return block(sight, *hash).map(|block| pool_block(sight, block, finders));
        }
        self.tell(sight, finders)
    }
}

fn pool_block(
    sight: &Sight<'_>,
    block: &PoolBlock,
    finders: &BTreeMap<ShareHash, Party>,
) -> LatestKind {
    let mine = views::mine(block, sight.parties);
    LatestKind::PoolBlock {
        height: block.block.height,
        found_by: views::finder(block, finders),
        mine_sats: (mine > 0).then_some(Sats(mine)),
    }
}

fn block<'a>(sight: &Sight<'a>, hash: ShareHash) -> Option<&'a PoolBlock> {
    sight.node.summary.blocks.iter().find(|block| block.block.hash == hash)
}
