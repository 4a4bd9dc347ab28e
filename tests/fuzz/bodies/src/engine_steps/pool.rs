//! The rest of the pool: peers that are honest, lazy, behind, or up to no good.

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{Input, PeerId, RequestId};
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, ShareHash};
use p2pool_wire::Services;
use p2pool_wire::message::ShareReq;

use super::extensions::services;
use super::forge::{EASY_BITS, HARD_BITS, HISTORY_SHARES, Made, PAYEES, Terms};
use super::ledger::Question;
use super::world::World;
use crate::choices::Choices;

/// Connections at once.
const PEERS_MAX: usize = 6;
/// Rounds in which an honest peer may bring the node up to date.
const HEALING_ROUNDS: usize = 120;

impl World {
    pub(super) fn peer_joins(&mut self, choices: &mut Choices<'_>) {
        if self.node.ledger.peers().len() >= PEERS_MAX {
            return;
        }
        let best_share = match choices.u8() % 4 {
            0 => None,
            1 => self.best_good(),
            2 => Some(self.some_share(choices)),
            _ => Some(ShareHash::from_internal([choices.u8(); 32])),
        };
        let services = services(choices.u8());
        self.join(best_share, services);
    }

    fn join(&mut self, best_share: Option<ShareHash>, services: Services) {
        let peer = self.next_peer;
        self.next_peer += 1;
        self.node.ledger.add_peer(peer, services);
        self.give(Input::PeerJoined { peer, best_share, services });
    }

    pub(super) fn peer_leaves(&mut self, choices: &mut Choices<'_>) {
        if let Some(peer) = self.some_peer(choices) {
            self.node.hang_up(&mut self.forge, peer);
        }
    }

    /// Somebody finds shares, one on top of the other, and a peer sends them.
    pub(super) fn pool_grows(&mut self, choices: &mut Choices<'_>) {
        let how = choices.u8();
        let mut parent = match how & 7 {
            0..=2 => self.best_good(),
            3 | 4 => self.node.engine.best(),
            5 | 6 => Some(self.some_share(choices)),
            _ => None,
        };
        let count = if how & 8 == 0 { 1 } else { 1 + choices.below(40) };
        let mut terms = self.terms(choices, how);
        let pause = choices.pick(&[30, 1, 5, 60, 0, 700]);
        let mut made = Vec::new();
        for _ in 0..count {
            if !self.can_make_shares() {
                break;
            }
            let now = self.wall();
            let Some(share) = self.forge.share(parent, &terms, now) else { break };
            parent = Some(share.share.hash());
            terms.timestamp = terms.timestamp.saturating_add(pause);
            terms.payee += 1;
            made.push(share);
        }
        let is_withheld = how & 0x80 != 0;
        if !is_withheld {
            made.reverse();
            self.send(choices, &made);
        }
    }

    fn terms(&mut self, choices: &mut Choices<'_>, how: u8) -> Terms {
        let is_odd = how & 0x10 != 0;
        let mut terms = self.plain_terms();
        terms.payee = choices.below(PAYEES);
        terms.timestamp = terms.timestamp.saturating_sub(choices.pick(&[0, 0, 30, 300, 3_000]));
        terms.harder = choices.pick(&[1, 1, 2, 5, 30]);
        if is_odd {
            terms.bits = choices.pick(&[HARD_BITS, EASY_BITS]);
            terms.block = [choices.u8(); 32];
            terms.stale_info = StaleInfo(choices.pick(&[0, 253, 254, 1]));
            terms.donation = choices.pick(&[0, 1, 65_534, u16::MAX]);
            terms.version = choices.pick(&[ShareVersion::V35, ShareVersion::V34]);
            terms.desired_version = choices.pick(&[35, 34, 36, u64::MAX, 16]);
            terms.subsidy_sats = choices.pick(&[5_000_000_000, 0, 1, 199, u64::MAX]);
            let late = choices.pick(&[0, 0, 599, 601, 100_000]);
            terms.timestamp = terms.timestamp.saturating_add(late);
        }
        terms
    }

    /// What an ordinary miner wants.
    fn plain_terms(&self) -> Terms {
        Terms {
            payee: 1,
            timestamp: self.wall().to_u32(),
            harder: 1,
            bits: self.bits(),
            block: self.tip(),
            stale_info: StaleInfo::NONE,
            donation: 0,
            version: ShareVersion::V35,
            desired_version: 35,
            subsidy_sats: 5_000_000_000,
        }
    }

    /// Shares that others know already, in any order.
    pub(super) fn old_shares_are_sent(&mut self, choices: &mut Choices<'_>) {
        let count = self.forge.made().len();
        let from = choices.below(count);
        let to = (from + 1 + choices.below(120)).min(count);
        let mut shares: Vec<Made> = self.forge.made()[from..to].to_vec();
        match choices.u8() % 3 {
            0 => shares.reverse(),
            1 => {}
            _ => shares.sort_by_key(|made| made.share.hash()),
        }
        self.send(choices, &shares);
    }

    pub(super) fn bad_share_is_sent(&mut self, choices: &mut Choices<'_>) {
        let model = self.some_share(choices);
        let Some(model) = self.forge.get(model).map(Arc::clone) else { return };
        if !self.can_make_shares() {
            return;
        }
        let now = self.wall();
        if let Some(made) = self.forge.spoilt(&model, choices, now) {
            self.send(choices, &[made]);
        }
    }

    /// An answer to a question of the node's: right, in part, empty, refused, or not asked for.
    pub(super) fn question_is_answered(&mut self, choices: &mut Choices<'_>) {
        let mut questions = self.node.ledger.questions();
        if questions.is_empty() {
            return;
        }
        let (request, question) = questions.swap_remove(choices.below(questions.len()));
        let honest = self.honest_answer(&question);
        match choices.u8() % 8 {
            0..=3 => self.answer(request, question.peer, Some(honest)),
            4 => {
                let kept = choices.below(honest.len() + 1);
                self.answer(request, question.peer, Some(honest[..kept].to_vec()));
            }
            5 => self.answer(request, question.peer, None),
            6 => {
                let wrong = self.some_share(choices);
                let share = self.forge.get(wrong).map(Arc::clone);
                self.answer(request, question.peer, Some(share.into_iter().collect()));
            }
            _ => self.meddle(choices, request, honest),
        }
    }

    fn honest_answer(&self, question: &Question) -> Vec<Arc<CheckedShare>> {
        self.forge.answer(question.hash, question.parents, &question.stops)
    }

    fn answer(&mut self, request: RequestId, peer: PeerId, shares: Option<Vec<Arc<CheckedShare>>>) {
        if self.node.ledger.note_answer(request, peer) {
            self.note(peer, shares.as_deref().unwrap_or_default());
        }
        self.give(Input::ShareReply { peer, request, shares });
    }

    /// Somebody who was not asked answers, or answers something else.
    fn meddle(
        &mut self,
        choices: &mut Choices<'_>,
        request: RequestId,
        shares: Vec<Arc<CheckedShare>>,
    ) {
        let Some(peer) = self.some_peer(choices) else { return };
        let request = if choices.flag() { request } else { [choices.u8(); 32] };
        self.answer(request, peer, Some(shares));
    }

    /// A peer asks the node for shares, reasonably or not.
    pub(super) fn question_is_asked(&mut self, choices: &mut Choices<'_>) {
        let mut some = |world: &Self, count: usize| -> Vec<ShareHash> {
            (0..count).map(|_| world.some_share(choices)).collect()
        };
        let hashes = some(self, 3);
        let stops = some(self, 2);
        let hashes = match choices.u8() % 4 {
            0 => Vec::new(),
            1 => vec![ShareHash::from_internal([0; 32])],
            2 => hashes,
            _ => hashes[..1].to_vec(),
        };
        let parents = choices.pick(&[0, 1, 100, 499, 1_000, u64::MAX]);
        let id = [choices.u8(); 32];
        self.node.ledger.check_answer(&self.node.engine, &ShareReq { id, hashes, parents, stops });
    }

    /// A peer, if there is one, sends shares unasked.
    fn send(&mut self, choices: &mut Choices<'_>, shares: &[Made]) {
        let Some(peer) = self.some_peer(choices) else { return };
        self.node.ledger.note_delivery(peer, shares);
        let shares = shares.iter().map(|made| Arc::clone(&made.share)).collect();
        self.give(Input::Shares { peer, shares });
    }

    fn note(&mut self, peer: PeerId, shares: &[Arc<CheckedShare>]) {
        let made = |share: &Arc<CheckedShare>| Made {
            share: Arc::clone(share),
            is_good: self.forge.is_good(share.hash()),
        };
        let made: Vec<Made> = shares.iter().map(made).collect();
        self.node.ledger.note_delivery(peer, &made);
    }

    /// At last there is one peer that has everything and answers: the node finds its way.
    pub(super) fn heal(&mut self) {
        for peer in self.node.ledger.peers() {
            self.node.hang_up(&mut self.forge, peer);
        }
        let now = self.wall();
        // A new share, because bad ones on top of the others may hide them.
        let terms = self.plain_terms();
        let parent = self.best_good();
        let Some(made) = self.forge.share(parent, &terms, now) else { return };
        let best = made.share.hash();
        self.join(Some(best), Services::NONE);
        for _ in 0..HEALING_ROUNDS {
            for (request, question) in self.node.ledger.questions() {
                // An honest node has got rid of bad shares.
                let mut shares = self.honest_answer(&question);
                shares.retain(|share| self.forge.is_good(share.hash()));
                self.answer(request, question.peer, Some(shares));
            }
            self.node.wait(&mut self.forge, Duration::from_secs(1));
        }
        if made.is_good && self.node.ledger.is_clock_honest {
            self.check_healed(best);
        }
    }

    /// The node's best chain is as long as the pool's, or took more work.
    fn check_healed(&mut self, best: ShareHash) {
        let (height, work) = self.forge.height_and_work(best);
        let own = self.node.engine.best();
        let verified = self.node.engine.tracker().verified();
        let (own_height, _) = verified.height_and_last(own);
        let is_healed = own_height >= height.min(120) || verified.total(own).work >= work;
        assert!(is_healed, "{own_height} shares instead of {height}");
    }

    /// The good share with the longest chain, the newest of them.
    fn best_good(&self) -> Option<ShareHash> {
        let good = self.forge.made().iter().filter(|made| made.is_good);
        let best = good.max_by_key(|made| made.share.share().info.abs_height)?;
        Some(best.share.hash())
    }

    /// A share that somebody has made, more likely a new one.
    pub(super) fn some_share(&self, choices: &mut Choices<'_>) -> ShareHash {
        let made = self.forge.made();
        let newer = made.len() - (HISTORY_SHARES as usize).min(made.len() - 1);
        let back = match choices.u8() {
            back @ 0..=199 => usize::from(back) % newer.max(8),
            back => usize::from(back - 200) * 5,
        };
        made[made.len() - 1 - back.min(made.len() - 1)].share.hash()
    }

    pub(super) fn some_peer(&self, choices: &mut Choices<'_>) -> Option<PeerId> {
        let peers = self.node.ledger.peers();
        peers.get(choices.below(peers.len())).copied()
    }
}
