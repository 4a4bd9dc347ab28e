//! What the engine has put out so far, and the promises that it has to keep.

mod rest;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::hashes::Hash;
use p2pool_engine::{Engine, LoadedShare, Output, PeerId, RequestId};
use p2pool_sharechain::change::{ChangeSet, FoundBlock, Origin, OwnShare};
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CheckedShare, Hash32, Params, ShareHash};

use super::bitcoin_side::{check_block, check_work};
use super::extensions::BlockQuestion;
use super::forge::Forge;
pub(super) use talk::{Peer, Question};

/// Work published last, kept for miners who are late.
const WORKS_KEPT: usize = 4;

/// A share as storage has it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) share: Arc<CheckedShare>,
    pub(super) is_verified: bool,
    order: u64,
}

/// How a share came to the running node.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    step: u64,
    at: MonoTime,
    sequence: u64,
    origin: Origin,
}

/// See the module's documentation.
pub(super) struct Ledger {
    params: Arc<Params>,
    stored: BTreeMap<ShareHash, Stored>,
    own: BTreeMap<ShareHash, OwnShare>,
    blocks: BTreeMap<ShareHash, FoundBlock>,
    arrivals: BTreeMap<ShareHash, Arrival>,
    next_order: u64,
    /// The newest change set that was to be stored.
    sequence: u64,
    /// The newest one that the engine was told is stored.
    persisted: u64,
    /// Inputs given so far.
    steps: u64,
    peers: BTreeMap<PeerId, Peer>,
    questions: BTreeMap<RequestId, Question>,
    block_questions: Vec<BlockQuestion>,
    /// Shares that were sent and have left the node in the same step.
    gone: Vec<ShareHash>,
    lookups: Vec<Hash32>,
    /// Work published, newest last.
    works: Vec<Arc<TemplateBase>>,
    has_work: bool,
    /// Whether the newest work was compared with what others would make.
    is_work_checked: bool,
    /// What the engine was last given by the Bitcoin node.
    pub(super) template: Option<Arc<BlockTemplate>>,
    /// Whether peers that send good shares only can be told from others.
    pub(super) is_clock_honest: bool,
    /// Whether what was loaded is what had been stored.
    pub(super) is_disk_sound: bool,
    digest: u64,
}

impl Ledger {
    pub(super) fn new(params: Arc<Params>) -> Self {
        Self {
            params,
            stored: BTreeMap::new(),
            own: BTreeMap::new(),
            blocks: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            next_order: 0,
            sequence: 0,
            persisted: 0,
            steps: 0,
            peers: BTreeMap::new(),
            questions: BTreeMap::new(),
            block_questions: Vec::new(),
            gone: Vec::new(),
            lookups: Vec::new(),
            works: Vec::new(),
            has_work: false,
            is_work_checked: true,
            template: None,
            is_clock_honest: true,
            is_disk_sound: true,
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn own(&self) -> impl Iterator<Item = &OwnShare> {
        self.own.values()
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &FoundBlock> {
        self.blocks.values()
    }

    pub(super) fn stored(&self) -> &BTreeMap<ShareHash, Stored> {
        &self.stored
    }

    /// Work published, newest last.
    pub(super) fn works(&self) -> &[Arc<TemplateBase>] {
        &self.works
    }

    pub(super) fn has_work(&self) -> bool {
        self.has_work
    }

    /// One of the blocks whose heights the engine waits for.
    pub(super) fn take_lookup(&mut self, number: usize) -> Option<Hash32> {
        (number < self.lookups.len()).then(|| self.lookups.swap_remove(number))
    }

    /// Storage writes everything but the last few change sets; the number of the newest written.
    pub(super) fn write_out(&mut self, behind: u64) -> u64 {
        let sequence = self.sequence.saturating_sub(behind);
        self.persisted = self.persisted.max(sequence);
        sequence
    }

    /// One input is given.
    pub(super) fn count_step(&mut self) {
        self.steps += 1;
    }

    pub(super) fn note_loaded(&mut self, shares: &[LoadedShare]) {
        for loaded in shares {
            self.store(Arc::clone(&loaded.share), loaded.is_verified);
        }
    }

    /// Everything in memory is lost; the stored shares in the order in which they came.
    pub(super) fn restart(&mut self) -> Vec<Stored> {
        self.sequence = 0;
        self.persisted = 0;
        self.arrivals.clear();
        self.peers.clear();
        self.questions.clear();
        self.block_questions.clear();
        self.lookups.clear();
        self.works.clear();
        self.has_work = false;
        self.template = None;
        let mut stored: Vec<Stored> = self.stored.values().cloned().collect();
        stored.sort_by_key(|stored| stored.order);
        stored
    }

    fn store(&mut self, share: Arc<CheckedShare>, is_verified: bool) {
        self.next_order += 1;
        let hash = share.hash();
        self.stored.insert(hash, Stored { share, is_verified, order: self.next_order });
    }

    /// Checks an output and takes it to the books.
    pub(super) fn enter(&mut self, engine: &Engine, now: Now, forge: &mut Forge, output: Output) {
        self.note(&output);
        match output {
            Output::SendShares { peer, shares } => self.send(engine, peer, &shares),
            Output::RequestShares { peer, request, hashes, parents, stops } => {
                let question = Question::new(now, peer, &hashes, parents, stops);
                self.request(engine, request, question);
            }
            Output::AnnounceShares { peer, hashes } => self.announce(engine, peer, &hashes),
            Output::SendCompactBlock { peer, block } => self.send_block(peer, &block),
            Output::RequestBlockTxn { peer, request } => self.ask_for_transactions((peer, request)),
            Output::SendBestBlock { peer, .. } | Output::SendBlockTxn { peer, .. } => {
                assert!(self.peers.contains_key(&peer), "only peers are told");
            }
            Output::LookUpTip { block } => {
                let tip = self.template.as_ref().map(|known| known.previous_block.to_byte_array());
                assert_eq!(tip, Some(block), "the tip of the newest template");
            }
            Output::RefreshTemplate => assert!(self.template.is_some()),
            Output::DropPeer { peer, is_ban, reason } => self.drop_peer(now, peer, is_ban, reason),
            Output::Persist { sequence, changes } => {
                assert_eq!(sequence, self.sequence + 1, "change sets are counted");
                self.sequence = sequence;
                self.persist(forge, now, changes);
            }
            Output::Publish(None) => {
                assert!(self.has_work, "no work is taken back twice");
                self.has_work = false;
            }
            Output::Publish(Some(base)) => {
                let template = self.template.as_ref().expect("work needs a template");
                check_work(&base, template, &self.params);
                if let Some(newest) = self.works.last() {
                    assert!(base.sequence > newest.sequence);
                }
                self.has_work = true;
                self.is_work_checked = false;
                self.works.push(base);
                if self.works.len() > WORKS_KEPT {
                    self.works.remove(0);
                }
            }
            Output::SubmitBlock { hash, raw } => check_block(hash, &raw),
            Output::WatchBlock { hash } => assert!(
                engine.tracker().get(hash).is_some() || self.blocks.contains_key(&hash),
                "a block out of nowhere is watched"
            ),
            Output::LookUpHeight { block } => {
                assert_ne!(block, [0; 32], "no block is not looked up");
                self.lookups.push(block);
            }
            Output::WakeAt(_) | Output::Event(_) => {}
        }
    }

    /// Takes an output into the digest.
    fn note(&mut self, output: &Output) {
        let (kind, number) = match output {
            Output::SendShares { peer, shares } => (1, peer.wrapping_mul(31) ^ first(shares)),
            Output::RequestShares { peer, hashes, parents, stops, .. } => {
                let asked = hashes.first().map_or(0, number_of);
                (2, peer.wrapping_mul(31) ^ asked ^ parents ^ (stops.len() as u64) << 32)
            }
            Output::AnnounceShares { hashes, .. } => (3, hashes.first().map_or(0, number_of)),
            Output::SendBestBlock { peer, .. } => (12, *peer),
            Output::SendCompactBlock { peer, .. } => (13, *peer),
            Output::RequestBlockTxn { peer, .. } => (14, *peer),
            Output::SendBlockTxn { peer, .. } => (15, *peer),
            Output::LookUpTip { block } => (16, u64::from(block[0])),
            Output::RefreshTemplate => (17, 0),
            Output::DropPeer { peer, is_ban, .. } => (4, peer << 1 | u64::from(*is_ban)),
            Output::Persist { changes, .. } => (5, changes.best.as_ref().map_or(0, number_of)),
            Output::Publish(base) => (6, base.as_ref().map_or(0, |base| base.sequence)),
            Output::SubmitBlock { hash, .. } => (7, number_of(hash)),
            Output::WatchBlock { hash } => (8, number_of(hash)),
            Output::LookUpHeight { block } => (9, u64::from(block[0])),
            Output::WakeAt(_) => (10, 0),
            Output::Event(_) => (11, 0),
        };
        for part in [kind, number] {
            self.digest = (self.digest ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
        }
    }

    fn persist(&mut self, forge: &mut Forge, now: Now, changes: ChangeSet) {
        assert!(!changes.is_empty(), "nothing is stored");
        for added in changes.added {
            let share = CheckedShare::parse(&added.raw, &self.params);
            let share = Arc::new(share.expect("what is stored can be read again"));
            assert_eq!((share.hash(), share.share().parent()), (added.hash, added.parent));
            assert!(!self.stored.contains_key(&added.hash), "a share is stored twice");
            forge.learn(&share, now.wall);
            self.store(share, added.verified);
            let (step, at, sequence) = (self.steps, now.mono, self.sequence);
            self.arrivals.insert(added.hash, Arrival { step, at, sequence, origin: added.origin });
        }
        for hash in changes.verified {
            let stored = self.stored.get_mut(&hash).expect("verified shares are stored");
            assert!(!stored.is_verified, "verified twice");
            stored.is_verified = true;
        }
        for hash in changes.removed {
            assert!(self.stored.remove(&hash).is_some(), "removed shares were stored");
            self.arrivals.remove(&hash);
            self.peers.values_mut().for_each(|peer| peer.forget(hash));
        }
        for own in changes.own {
            self.own.insert(own.hash, own);
        }
        for block in changes.blocks {
            let paid: u64 = block.payouts.iter().map(|(_, sats)| sats).sum();
            if let Some(share) = forge.get(block.hash) {
                assert_eq!(paid, share.share().info.data.subsidy_sats, "a block pays it all");
            }
            self.blocks.insert(block.hash, block);
        }
    }
}

fn number_of(hash: &ShareHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.to_internal();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn first(shares: &[Arc<CheckedShare>]) -> u64 {
    shares.first().map_or(0, |share| number_of(&share.hash()))
}
