//! What was said between the engine and its peers.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::bip152::HeaderAndShortIds;
use p2pool_engine::{DropReason, Engine, PeerId, RequestId};
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CheckedShare, ShareHash};
use p2pool_wire::Services;
use p2pool_wire::message::ShareReq;

use super::Ledger;
use crate::engine_steps::extensions::BlockQuestion;
use crate::engine_steps::forge::Made;

/// Shares passed on at once.
const BROADCAST_MAX: usize = 5;
/// Ancestors asked for at once; stops in a question; questions on their way.
const PARENTS_MAX: u64 = 1000;
const STOPS_MAX: usize = 100;
const REQUESTS_MAX: usize = 72;
/// Shares in an answer beyond those asked for.
const ANSWER_MAX: usize = 1000;
/// Time that a peer has for an answer.
const REPLY_TIMEOUT: Duration = Duration::from_secs(15);

/// A question that the engine has sent.
#[derive(Clone, Debug)]
pub(in crate::engine_steps) struct Question {
    pub(in crate::engine_steps) peer: PeerId,
    pub(in crate::engine_steps) hash: ShareHash,
    pub(in crate::engine_steps) parents: u64,
    pub(in crate::engine_steps) stops: Vec<ShareHash>,
    deadline: MonoTime,
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub(in crate::engine_steps) struct Peer {
    pub(super) joined_step: u64,
    /// Sent nothing but good shares so far.
    is_clean: bool,
    /// Shares that it sent.
    pub(super) delivered: BTreeSet<ShareHash>,
    /// What it understands.
    services: Services,
    /// Shares that it was told the hashes of.
    pub(super) told: BTreeSet<ShareHash>,
    /// Blocks that it passed on, and that it was sent.
    blocks: BTreeSet<BlockHash>,
    sent_blocks: BTreeSet<BlockHash>,
    /// Shares that it was sent.
    pub(super) sent: BTreeSet<ShareHash>,
    /// The engine wants the connection ended.
    pub(super) is_dropped: bool,
}

impl Peer {
    /// The share has left the node: it may be told again.
    pub(super) fn forget(&mut self, hash: ShareHash) {
        self.sent.remove(&hash);
        self.told.remove(&hash);
        self.delivered.remove(&hash);
    }
}

impl Question {
    pub(super) fn new(
        now: Now,
        peer: PeerId,
        hashes: &[ShareHash],
        parents: u64,
        stops: Vec<ShareHash>,
    ) -> Self {
        let [hash] = *hashes else { panic!("one share is asked for at a time") };
        Self { peer, hash, parents, stops, deadline: now.mono + REPLY_TIMEOUT }
    }
}

impl Ledger {
    /// Nobody gets more than he asked for, and nothing that is not known.
    pub(in crate::engine_steps) fn check_answer(&self, engine: &Engine, question: &ShareReq) {
        assert_eq!(engine.served().revision() > 0, engine.tracker().revision() > 0);
        let shares = engine.served().answer(question);
        assert!(shares.len() <= ANSWER_MAX + question.hashes.len(), "too long an answer");
        assert!(shares.iter().all(|share| engine.tracker().get(share.hash()).is_some()));
        for hash in &question.hashes {
            let is_known = engine.tracker().get(*hash).is_some();
            let is_wanted = is_known && !question.stops.contains(hash);
            assert!(!is_wanted || shares.iter().any(|share| share.hash() == *hash), "left out");
        }
    }

    /// Connections, oldest first.
    pub(in crate::engine_steps) fn peers(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    /// Open questions.
    pub(in crate::engine_steps) fn questions(&self) -> Vec<(RequestId, Question)> {
        self.questions.iter().map(|(request, open)| (*request, open.clone())).collect()
    }

    pub(in crate::engine_steps) fn add_peer(&mut self, peer: PeerId, services: Services) {
        let state = Peer {
            joined_step: self.steps,
            is_clean: true,
            services,
            told: BTreeSet::new(),
            blocks: BTreeSet::new(),
            sent_blocks: BTreeSet::new(),
            delivered: BTreeSet::new(),
            sent: BTreeSet::new(),
            is_dropped: false,
        };
        self.peers.insert(peer, state);
    }

    /// Whether no peer is here, save those whose connections are to end.
    pub(super) fn is_alone(&self) -> bool {
        self.peers.values().all(|peer| peer.is_dropped)
    }

    /// A peer whose connection the engine wants ended.
    pub(in crate::engine_steps) fn dropped_peer(&self) -> Option<PeerId> {
        self.peers.iter().find(|(_, peer)| peer.is_dropped).map(|(id, _)| *id)
    }

    pub(in crate::engine_steps) fn forget_peer(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.questions.retain(|_, open| open.peer != peer);
    }

    /// Notes an answer; `false` if this peer was not asked.
    pub(in crate::engine_steps) fn note_answer(
        &mut self,
        request: RequestId,
        peer: PeerId,
    ) -> bool {
        let is_owed = self.questions.get(&request).is_some_and(|open| open.peer == peer);
        if is_owed {
            self.questions.remove(&request);
        }
        is_owed
    }

    /// Notes that a peer sends shares.
    pub(in crate::engine_steps) fn note_delivery(&mut self, from: PeerId, shares: &[Made]) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        for made in shares {
            peer.is_clean &= made.is_good;
            peer.delivered.insert(made.share.hash());
        }
    }

    pub(super) fn send(&mut self, engine: &Engine, to: PeerId, shares: &[Arc<CheckedShare>]) {
        let peer = self.peers.get_mut(&to).expect("only peers are told");
        assert!((1..=BROADCAST_MAX).contains(&shares.len()));
        for share in shares {
            let hash = share.hash();
            if engine.tracker().get(hash).is_none() {
                self.gone.push(hash);
            }
            assert!(!peer.delivered.contains(&hash), "a share goes back to who sent it");
            assert!(peer.sent.insert(hash), "a share is sent twice");
        }
    }

    /// Hashes go to those who understand them, once, and not to those who have the shares.
    pub(super) fn announce(&mut self, engine: &Engine, to: PeerId, hashes: &[ShareHash]) {
        let peer = self.peers.get_mut(&to).expect("only peers are told");
        assert!(peer.services.contains(Services::SHARE_HASHES));
        assert!((1..=BROADCAST_MAX).contains(&hashes.len()));
        for hash in hashes {
            assert!(engine.tracker().get(*hash).is_some(), "a hash that nobody knows is told");
            let has_it = peer.delivered.contains(hash) || peer.sent.contains(hash);
            assert!(!has_it && peer.told.insert(*hash), "a hash is told for nothing");
        }
    }

    /// A peer says that it has shares.
    pub(in crate::engine_steps) fn note_announcement(
        &mut self,
        from: PeerId,
        hashes: &[ShareHash],
    ) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.delivered.extend(hashes);
        }
    }

    /// A peer says something that no honest one would.
    pub(in crate::engine_steps) fn note_bad(&mut self, peer: PeerId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.is_clean = false;
        }
    }

    pub(in crate::engine_steps) fn note_block_holder(&mut self, peer: PeerId, block: BlockHash) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.blocks.insert(block);
        }
    }

    /// Blocks go to those who understand them, once.
    pub(super) fn send_block(&mut self, to: PeerId, block: &HeaderAndShortIds) {
        let peer = self.peers.get_mut(&to).expect("only peers are told");
        assert!(peer.services.contains(Services::COMPACT_BLOCKS));
        assert!(peer.sent_blocks.insert(block.header.block_hash()), "a block is sent twice");
        assert_eq!(block.prefilled_txs[0].idx, 0, "the coinbase is given");
    }

    pub(super) fn ask_for_transactions(&mut self, question: BlockQuestion) {
        let (peer, request) = &question;
        assert!(self.peers[peer].blocks.contains(&request.block_hash), "who has it is asked");
        assert!(request.indexes.is_sorted() && !request.indexes.is_empty());
        self.block_questions.push(question);
    }

    /// The oldest question for transactions.
    pub(in crate::engine_steps) fn take_block_question(&mut self) -> Option<BlockQuestion> {
        (!self.block_questions.is_empty()).then(|| self.block_questions.remove(0))
    }

    pub(super) fn request(&mut self, engine: &Engine, request: RequestId, question: Question) {
        let tracker = engine.tracker();
        assert!(self.peers.contains_key(&question.peer), "only peers are asked");
        assert!(tracker.get(question.hash).is_none(), "a known share is asked for");
        assert!(question.parents <= PARENTS_MAX && question.stops.len() <= STOPS_MAX);
        assert!(question.stops.iter().all(|stop| tracker.get(*stop).is_some()));
        let is_asked = self.questions.values().any(|open| open.hash == question.hash);
        assert!(!is_asked, "a share is asked for twice at once");
        assert!(self.questions.insert(request, question).is_none(), "a number is used twice");
        assert!(self.questions.len() <= REQUESTS_MAX, "too many questions");
    }

    pub(super) fn drop_peer(&mut self, now: Now, peer: PeerId, is_ban: bool, reason: DropReason) {
        let state = self.peers.get_mut(&peer).expect("only peers are dropped");
        match reason {
            DropReason::Silent => {
                let late = |open: &Question| open.peer == peer && open.deadline <= now.mono;
                let is_late = self.questions.values().any(late);
                assert!(is_late || state.is_dropped, "dropped though it owed nothing");
                self.questions.retain(|_, open| !late(open));
            }
            DropReason::BadShare(error) => {
                let is_known_good = state.is_clean && self.is_clock_honest;
                assert!(!is_known_good, "dropped for good shares: {error}");
            }
            DropReason::HopelessHistory => {
                assert!(!state.is_clean, "dropped for a history that others work on");
            }
            DropReason::BadBlockHeader => assert!(!state.is_clean, "dropped for a good block"),
        }
        let may_ban = matches!(reason, DropReason::BadShare(_) | DropReason::BadBlockHeader);
        assert!(may_ban || !is_ban, "banned for what an honest peer may do");
        state.is_dropped = true;
        self.questions.retain(|_, open| open.peer != peer);
    }
}
