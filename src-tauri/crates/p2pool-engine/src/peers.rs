//! Connections to other nodes, as far as decisions need them.

use std::collections::BTreeMap;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::Now;

use crate::Engine;
use crate::input::PeerId;

/// What is known of each connection.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    joined: BTreeMap<PeerId, Peer>,
}

#[derive(Debug)]
struct Peer {
    /// Its best share when it joined.
    best_share: Option<ShareHash>,
}

impl Peers {
    pub(crate) fn len(&self) -> usize {
        self.joined.len()
    }

    pub(crate) fn contains(&self, peer: PeerId) -> bool {
        self.joined.contains_key(&peer)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.joined.keys().copied()
    }

    /// Peers that said this share was their best.
    pub(crate) fn with_best(&self, share: ShareHash) -> impl Iterator<Item = PeerId> + '_ {
        let has = move |peer: &Peer| peer.best_share == Some(share);
        self.joined.iter().filter(move |(_, peer)| has(peer)).map(|(id, _)| *id)
    }
}

impl Engine {
    pub(crate) fn peer_joined(&mut self, now: Now, peer: PeerId, best_share: Option<ShareHash>) {
        self.peers.joined.insert(peer, Peer { best_share });
        if let Some(hash) = best_share
            && self.tracker.get(hash).is_none()
        {
            self.ask(now, peer, hash, 0);
        }
        // With its first peer a node that must not be alone may have work to give out.
        self.republish(now);
    }

    pub(crate) fn peer_left(&mut self, peer: PeerId) {
        self.peers.joined.remove(&peer);
        self.requests.forget_peer(peer);
        if self.config.params.needs_peers && self.peers.len() == 0 {
            self.withdraw_work();
        }
    }
}
