//! Passing shares on: those near the best one, and the solutions of blocks.
//!
//! Each share goes to each peer at most once, and never back to who sent or announced it. Peers
//! that want to save bandwidth get hashes first, but solutions of blocks at once and whole.
//!
//! Source: protocol notes, wire.md section 6.1.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CheckedShare, ShareHash};
use p2pool_wire::Services;

use crate::Engine;
use crate::input::PeerId;
use crate::output::Output;

/// Shares passed on at once, from the best one down.
const BROADCAST_DEPTH: usize = 5;
/// A block's solution is offered again after this time to those who did not get it.
const REPEAT_AFTER: Duration = Duration::from_secs(5);
/// Solutions of blocks further below Bitcoin's tip are not passed on for their own sake.
const BLOCK_DEPTH_MAX: u32 = 5;
/// Solutions waiting to be offered again.
const REPEATS_MAX: usize = 16;
/// Shares remembered of each peer.
const REMEMBERED_MAX: usize = 2_000;

/// What a peer knows of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knows {
    /// We told its hash.
    Hash,
    /// It has the share, or says so.
    Share,
}

/// Shares that need not be sent to one peer.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    shares: BTreeMap<ShareHash, Knows>,
    order: VecDeque<ShareHash>,
}

impl Knowledge {
    /// The peer has this share, because it sent or announced it, or we sent it.
    pub(crate) fn note_share(&mut self, hash: ShareHash) {
        self.note(hash, Knows::Share);
    }

    pub(crate) fn forget(&mut self, hash: ShareHash) {
        self.shares.remove(&hash);
    }

    fn note(&mut self, hash: ShareHash, knows: Knows) {
        if self.shares.insert(hash, knows).is_some() {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.shares.remove(&oldest);
        }
    }
}

/// Solutions of blocks that are to be offered again.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    due: VecDeque<(MonoTime, ShareHash)>,
}

impl Repeats {
    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.due.front().map(|(at, _)| *at)
    }
}

impl Engine {
    /// Passes a share and those just below it on to all peers that do not have them.
    pub(crate) fn broadcast(&mut self, now: Now, from: ShareHash) {
        if !self.hold_back(now, from) {
            self.spread(from, false);
        }
    }

    /// Sends a share and those below it that nobody was sent; `is_whole`: to everybody whole.
    fn spread(&mut self, from: ShareHash, is_whole: bool) {
        let mut fresh = Vec::new();
        for known in self.tracker.chain(Some(from)).take(BROADCAST_DEPTH) {
            if self.outbox.is_sent(known.share.hash()) {
                break;
            }
            fresh.push(Arc::clone(&known.share));
        }
        for share in &fresh {
            self.outbox.mark_sent(share.hash());
        }
        let peers: Vec<PeerId> = self.peers.ids().collect();
        for peer in peers {
            if !is_whole && self.is_told_hashes(peer) {
                self.announce(peer, &fresh);
            } else {
                self.push(peer, &fresh);
            }
        }
    }

    /// Passes the solution of a block on, to everybody and whole, now and again a little later.
    pub(crate) fn broadcast_block(&mut self, now: Now, hash: ShareHash) {
        let Some(share) = self.tracker.get(hash) else { return };
        if self.heights.depth(&share.share().header.previous_block) >= BLOCK_DEPTH_MAX {
            return;
        }
        self.spread(hash, true);
        if self.repeats.due.len() < REPEATS_MAX {
            self.repeats.due.push_back((now.mono + REPEAT_AFTER, hash));
        }
    }

    /// Offers solutions of blocks again that are due: to peers that have come since.
    pub(crate) fn repeat_blocks(&mut self, now: Now) {
        while let Some((at, hash)) = self.repeats.due.front().copied()
            && at <= now.mono
        {
            self.repeats.due.pop_front();
            self.offer_block(hash);
        }
    }

    fn offer_block(&mut self, hash: ShareHash) {
        let Some(share) = self.tracker.get(hash).map(Arc::clone) else { return };
        self.outbox.mark_sent(hash);
        let peers: Vec<PeerId> = self.peers.ids().collect();
        for peer in peers {
            self.push(peer, std::slice::from_ref(&share));
        }
    }

    /// Whether a peer is told the hashes of new shares instead of the shares.
    fn is_told_hashes(&self, peer: PeerId) -> bool {
        let services = self.peers.services(peer);
        services.contains(Services::SHARE_HASHES)
            && (self.config.low_bandwidth || services.contains(Services::WANTS_SHARE_HASHES))
    }

    /// Sends what the peer does not have.
    fn push(&mut self, peer: PeerId, shares: &[Arc<CheckedShare>]) {
        let Some(knowledge) = self.peers.knowledge(peer) else { return };
        let lacks =
            |share: &&Arc<CheckedShare>| knowledge.shares.get(&share.hash()) != Some(&Knows::Share);
        let shares: Vec<_> = shares.iter().filter(lacks).map(Arc::clone).collect();
        for share in &shares {
            knowledge.note(share.hash(), Knows::Share);
        }
        if !shares.is_empty() {
            self.outputs.push_back(Output::SendShares { peer, shares });
        }
    }

    /// Tells the hashes of what the peer has not heard of.
    fn announce(&mut self, peer: PeerId, shares: &[Arc<CheckedShare>]) {
        let Some(knowledge) = self.peers.knowledge(peer) else { return };
        let hashes = shares.iter().map(|share| share.hash());
        let hashes: Vec<_> = hashes.filter(|hash| !knowledge.shares.contains_key(hash)).collect();
        for hash in &hashes {
            knowledge.note(*hash, Knows::Hash);
        }
        if !hashes.is_empty() {
            self.outputs.push_back(Output::AnnounceShares { peer, hashes });
        }
    }
}
