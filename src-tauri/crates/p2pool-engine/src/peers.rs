//! Connections to other nodes, as far as decisions need them.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_wire::Services;

use crate::Engine;
use crate::input::PeerId;
use crate::relay::Knowledge;
use crate::sync::PARENTS_FIRST;
use crate::wants::Purpose;

/// Shares that nobody asked for, taken from one peer in a row. The pool finds one in a share
/// period, and a new best share brings up to five.
const BURST: u32 = 60;
/// Further ones in a share period.
const PER_PERIOD: u32 = 3;

/// What is known of each connection.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    joined: BTreeMap<PeerId, Peer>,
    /// Between two shares that nobody asked for.
    pause: Duration,
}

#[derive(Debug)]
struct Peer {
    /// Its best share when it joined.
    best_share: Option<ShareHash>,
    /// What it understands.
    services: Services,
    /// Shares that it need not be sent.
    knowledge: Knowledge,
    /// When all credit for shares that nobody asked for is there again.
    credit_full_at: MonoTime,
    /// Shares it brought that are not verified.
    strays: usize,
    /// Bad shares in its answers.
    strikes: u32,
    /// Ancestors that it is asked for at once.
    parents_asked: u64,
    /// Its connection is to end.
    is_dismissed: bool,
}

impl Peers {
    pub(crate) fn new(share_period: u32) -> Self {
        let pause = Duration::from_secs(u64::from(share_period)) / PER_PERIOD;
        Self { joined: BTreeMap::new(), pause }
    }

    /// Peers that are to stay.
    pub(crate) fn len(&self) -> usize {
        self.ids().count()
    }

    /// Whether this peer is here, and to stay.
    pub(crate) fn contains(&self, peer: PeerId) -> bool {
        self.joined.get(&peer).is_some_and(|peer| !peer.is_dismissed)
    }

    /// Whether this peer's connection is to end.
    pub(crate) fn is_dismissed(&self, peer: PeerId) -> bool {
        self.joined.get(&peer).is_some_and(|peer| peer.is_dismissed)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.joined.iter().filter(|(_, peer)| !peer.is_dismissed).map(|(id, _)| *id)
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
        self.ids().filter(move |peer| self.joined[peer].best_share == Some(share))
    }

    /// A peer's connection is to end; `false` if it is already, or is gone.
    pub(crate) fn dismiss(&mut self, peer: PeerId) -> bool {
        let known = self.joined.get_mut(&peer);
        known.is_some_and(|peer| !core::mem::replace(&mut peer.is_dismissed, true))
    }

    /// Charges a peer for a share that nobody asked for; `false` if its credit is used up.
    pub(crate) fn take_token(&mut self, now: MonoTime, peer: PeerId) -> bool {
        let Some(peer) = self.joined.get_mut(&peer) else { return true };
        let full_at = peer.credit_full_at.max(now) + self.pause;
        let has_credit = full_at.since(now) <= self.pause * BURST;
        if has_credit {
            peer.credit_full_at = full_at;
        }
        has_credit
    }

    /// A share that was charged has proved good.
    pub(crate) fn refund_token(&mut self, peer: PeerId) {
        if let Some(peer) = self.joined.get_mut(&peer) {
            peer.credit_full_at = peer.credit_full_at - self.pause;
        }
    }

    /// Shares of this peer that are not verified.
    pub(crate) fn strays(&self, peer: PeerId) -> usize {
        self.joined.get(&peer).map_or(0, |peer| peer.strays)
    }

    pub(crate) fn count_stray(&mut self, peer: PeerId, change: isize) {
        if let Some(peer) = self.joined.get_mut(&peer) {
            peer.strays = peer.strays.saturating_add_signed(change);
        }
    }

    /// A bad share was in an answer; how many there were by now.
    pub(crate) fn strike(&mut self, peer: PeerId) -> u32 {
        self.joined.get_mut(&peer).map_or(0, |peer| {
            peer.strikes = peer.strikes.saturating_add(1);
            peer.strikes
        })
    }

    pub(crate) fn parents_asked(&self, peer: PeerId) -> u64 {
        self.joined.get(&peer).map_or(PARENTS_FIRST, |peer| peer.parents_asked)
    }

    pub(crate) fn set_parents_asked(&mut self, peer: PeerId, parents: u64) {
        if let Some(peer) = self.joined.get_mut(&peer) {
            peer.parents_asked = parents;
        }
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
        let joined = Peer {
            best_share,
            services,
            knowledge: Knowledge::default(),
            credit_full_at: now.mono,
            strays: 0,
            strikes: 0,
            parents_asked: PARENTS_FIRST,
            is_dismissed: false,
        };
        self.peers.joined.insert(peer, joined);
        if self.peers.len() == 1 {
            self.begin_catching_up(now);
        }
        self.wants.hope_again();
        if let Some(hash) = best_share
            && self.tracker.get(hash).is_none()
        {
            self.wants.add(now.mono, hash, Purpose::Claim, peer);
        }
        self.offer_open_blocks(peer);
        // With its first peer a node that must not be alone may have work to give out.
        self.republish(now);
    }

    pub(crate) fn peer_left(&mut self, peer: PeerId) {
        self.peers.joined.remove(&peer);
        self.peer_gone(peer);
    }

    /// Nothing can be expected from a peer any longer.
    pub(crate) fn peer_gone(&mut self, peer: PeerId) {
        self.requests.forget_peer(peer);
        self.wants.is_due = true;
        if self.config.params.needs_peers && self.peers.len() == 0 {
            self.withdraw_work();
        }
    }
}
