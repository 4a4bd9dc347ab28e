//! Connections to other nodes, as far as decisions need them.

use std::collections::BTreeMap;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::Now;
use p2pool_wire::Services;

use crate::Engine;
use crate::input::PeerId;
use crate::relay::Knowledge;

/// What is known of each connection.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    joined: BTreeMap<PeerId, Peer>,
}

#[derive(Debug)]
struct Peer {
    /// Its best share when it joined.
    best_share: Option<ShareHash>,
    /// What it understands.
    services: Services,
    /// Shares that it need not be sent.
    knowledge: Knowledge,
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

    /// What a peer understands.
    pub(crate) fn services(&self, peer: PeerId) -> Services {
        self.joined.get(&peer).map_or(Services::NONE, |peer| peer.services)
    }

    pub(crate) fn knowledge(&mut self, peer: PeerId) -> Option<&mut Knowledge> {
        self.joined.get_mut(&peer).map(|peer| &mut peer.knowledge)
    }

    /// Shares have left the tracker: they may be told again.
    pub(crate) fn forget(&mut self, removed: &[ShareHash]) {
        for peer in self.joined.values_mut() {
            removed.iter().for_each(|hash| peer.knowledge.forget(*hash));
        }
    }

    /// Peers that said this share was their best.
    pub(crate) fn with_best(&self, share: ShareHash) -> impl Iterator<Item = PeerId> + '_ {
        let has = move |peer: &Peer| peer.best_share == Some(share);
        self.joined.iter().filter(move |(_, peer)| has(peer)).map(|(id, _)| *id)
    }
}

impl Engine {
    pub(crate) fn peer_joined(
        &mut self,
        now: Now,
        peer: PeerId,
        best_share: Option<ShareHash>,
        services: Services,
    ) {
        self.peers
            .joined
            .insert(peer, Peer { best_share, services, knowledge: Knowledge::default() });
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
