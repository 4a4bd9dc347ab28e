//! Recent shares and the branches beside them, with a lane for each branch.

use std::collections::{BTreeMap, BTreeSet};

use p2pool_node::TreeShare;
use p2pool_sharechain::ShareHash;

use super::{Sight, count, payee};
use crate::api::UnixSeconds;
use crate::api::pages::pool::{ShareTree, TreeRow, TreeState};

/// The tree of `shares`, which are sorted highest first.
pub(crate) fn tree(sight: &Sight<'_>, shares: &[TreeShare]) -> ShareTree {
    let places: BTreeMap<ShareHash, u32> =
        (0..).zip(shares).map(|(place, share)| (share.hash, place)).collect();
    let lanes = lanes(shares);
    let row = |share: &TreeShare| TreeRow {
        hash: share.hash.to_string(),
        parent: share.parent.and_then(|parent| places.get(&parent).copied()),
        lane: lanes.get(&share.hash).copied().unwrap_or_default(),
        at: UnixSeconds(share.timestamp.into()),
        payee: payee(sight, &share.payee),
        state: match (share.is_in_chain, share.is_verified) {
            (true, _) => TreeState::Chain,
            (false, true) => TreeState::Late,
            (false, false) => TreeState::Unchecked,
        },
        is_head: share.is_head,
    };
    ShareTree {
        rows: shares.iter().map(row).collect(),
        lanes: lanes.values().copied().max().unwrap_or_default(),
    }
}

/// The lowest lane that is free all the way from a branch's top to its foot.
fn lanes(shares: &[TreeShare]) -> BTreeMap<ShareHash, u32> {
    let in_chain: BTreeSet<ShareHash> =
        shares.iter().filter(|share| share.is_in_chain).map(|share| share.hash).collect();
    let mut lanes: BTreeMap<ShareHash, u32> = BTreeMap::new();
    // Lanes in use, by the share that comes next in them.
    let mut waiting: BTreeMap<u32, ShareHash> = BTreeMap::new();
    for share in shares {
        if share.is_in_chain {
            waiting.retain(|_, next| *next != share.hash);
            continue;
        }
        let here = waiting.iter().find(|(_, next)| **next == share.hash).map(|(lane, _)| *lane);
        let is_free = |lane: &u32| !waiting.contains_key(lane);
        let lane = here.or_else(|| (1..=count(shares.len())).find(is_free)).unwrap_or(1);
        // Siblings' branches meet here.
        waiting.retain(|_, next| *next != share.hash);
        if let Some(parent) = share.parent {
            waiting.insert(lane, parent);
        }
        lanes.insert(share.hash, lane);
    }
    debug_assert!(lanes.keys().all(|hash| !in_chain.contains(hash)), "the chain has its own lane");
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(number: u8, parent: u8, height: u32, is_in_chain: bool) -> TreeShare {
        let hash = |number| ShareHash::from_internal([number; 32]);
        TreeShare {
            hash: hash(number),
            parent: Some(hash(parent)),
            timestamp: 0,
            abs_height: height,
            payee: String::new(),
            is_own: false,
            is_in_chain,
            is_head: false,
            is_verified: true,
        }
    }

    #[test]
    fn branches_beside_each_other_have_lanes_of_their_own_and_free_them_at_their_foot() {
        let shares = [
            share(9, 8, 9, true),
            share(20, 21, 9, false),
            share(8, 7, 8, true),
            share(21, 7, 8, false),
            share(30, 7, 8, false),
            share(7, 6, 7, true),
            share(40, 6, 7, false),
        ];
        let lanes = lanes(&shares);
        let lane = |number| lanes.get(&ShareHash::from_internal([number; 32])).copied();
        assert_eq!((lane(20), lane(21), lane(30), lane(40)), (Some(1), Some(1), Some(2), Some(1)));
        assert_eq!(lane(9), None);
    }
}
