//! What peers may ask for: all known shares, at one moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use p2pool_sharechain::{CheckedShare, ShareHash};
use p2pool_wire::message::ShareReq;
use rpds::HashTrieMapSync;

/// Most shares in an answer beyond those asked for.
const ANSWER_MAX: u64 = 1000;

/// An immutable copy of all known shares: cheap to clone, to be asked from any thread.
///
/// Connections answer questions for shares from it, so that no question ever waits for the
/// engine, nor the engine for a question.
#[derive(Clone, Debug, Default)]
pub struct Served {
    shares: HashTrieMapSync<ShareHash, Arc<CheckedShare>>,
    revision: u64,
}

impl Served {
    /// Changes whenever a share is added or removed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A known share.
    pub fn get(&self, hash: ShareHash) -> Option<&Arc<CheckedShare>> {
        self.shares.get(&hash)
    }

    /// The answer to a question: of each wanted share it and so many ancestors as are asked for
    /// and allowed, newest first, ending before a stop. Unknown shares give nothing.
    ///
    /// Source: protocol notes, wire.md section 6.2.
    pub fn answer(&self, question: &ShareReq) -> Vec<Arc<CheckedShare>> {
        let wanted = u64::try_from(question.hashes.len()).unwrap_or(u64::MAX).max(1);
        let each = question.parents.min(ANSWER_MAX / wanted).saturating_add(1);
        let each = usize::try_from(each).unwrap_or(usize::MAX);
        let stops: BTreeSet<ShareHash> = question.stops.iter().copied().collect();
        let chains = question.hashes.iter().map(|hash| self.chain(*hash).take(each));
        let is_open = |share: &&Arc<CheckedShare>| !stops.contains(&share.hash());
        chains.flat_map(|chain| chain.take_while(is_open)).map(Arc::clone).collect()
    }

    /// A share and its ancestors as far as known.
    fn chain(&self, hash: ShareHash) -> impl Iterator<Item = &Arc<CheckedShare>> {
        let parent = |share: &&Arc<CheckedShare>| self.get(share.share().parent()?);
        std::iter::successors(self.get(hash), parent)
    }

    pub(crate) fn insert(&mut self, share: &Arc<CheckedShare>) {
        self.shares.insert_mut(share.hash(), Arc::clone(share));
        self.revision = self.revision.wrapping_add(1);
    }

    pub(crate) fn remove(&mut self, removed: &[ShareHash]) {
        for hash in removed {
            self.shares.remove_mut(hash);
            self.revision = self.revision.wrapping_add(1);
        }
    }
}
