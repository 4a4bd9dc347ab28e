//! Found blocks travel to every node's own Bitcoin client, so that none hangs on its finder's line.
//!
//! A block goes out in compact form: header, generation transaction, and short names of the other
//! transactions, which most nodes have in their own templates. The rest is asked from the sender.
//! What comes in is looked at only if it is a block of this pool on top of a block that our Bitcoin
//! node gave work for; its transactions must be those that it commits to; then it is stored,
//! handed to our Bitcoin node, and passed on once. Whether it is valid is for the Bitcoin node to
//! say.
//!
//! Source: BIP-0152 (encoding), p2pool-wire's extensions.md (rules).

mod assembly;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash;
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CompactBits, ShareHash};
use p2pool_wire::Services;

use self::assembly::{Assembly, Part};
use crate::Engine;
use crate::input::{PeerId, Solved};
use crate::output::{DropReason, Output};
use crate::tip::{has_work, hash_of};

/// Templates whose transactions are remembered.
const TEMPLATES_KEPT: usize = 4;
/// Blocks whose transactions peers may ask for.
const BLOCKS_KEPT: usize = 4;
/// Blocks being put together, and of these begun by one peer.
const OPEN_MAX: usize = 4;
const OPEN_PER_PEER_MAX: usize = 2;
/// Blocks remembered as done.
const DONE_MAX: usize = 64;
/// Questions for transactions of one block that one peer may ask.
const ANSWERS_MAX: u32 = 3;
/// A peer has so long to send missing transactions.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// A block that peers may ask about.
#[derive(Debug)]
struct Kept {
    hash: ShareHash,
    compact: Arc<HeaderAndShortIds>,
    parts: Vec<Part>,
    /// Peers that have it.
    holders: BTreeSet<PeerId>,
    answers: BTreeMap<PeerId, u32>,
}

/// A block being put together.
#[derive(Debug)]
struct Open {
    assembly: Assembly,
    /// Who began it.
    first: PeerId,
    /// Who was asked, and until when an answer counts.
    asked: Option<(PeerId, MonoTime)>,
    /// Who else has it, to be asked next.
    others: VecDeque<PeerId>,
    holders: BTreeSet<PeerId>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct BlockRelay {
    templates: VecDeque<Arc<BlockTemplate>>,
    kept: VecDeque<Kept>,
    open: BTreeMap<ShareHash, Open>,
    done: VecDeque<ShareHash>,
}

impl BlockRelay {
    pub(crate) fn note_template(&mut self, template: &Arc<BlockTemplate>) {
        self.templates.push_front(Arc::clone(template));
        self.templates.truncate(TEMPLATES_KEPT);
    }

    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.open.values().filter_map(|open| open.asked.map(|(_, until)| until)).min()
    }

    fn note_done(&mut self, hash: ShareHash) {
        self.done.push_back(hash);
        if self.done.len() > DONE_MAX {
            self.done.pop_front();
        }
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push_front(kept);
        self.kept.truncate(BLOCKS_KEPT);
    }
}

impl Engine {
    /// Passes a block of a miner of this node on to all who understand it.
    pub(crate) fn relay_found(&mut self, solved: &Solved, hash: ShareHash) {
        let raw = solved.template.block(&solved.solution);
        let nonce = self.rng.u64(..);
        let template = &solved.template.base().block;
        let Some((compact, parts)) = assembly::split(&raw, template, nonce) else { return };
        self.relay_block(hash, compact, parts, BTreeSet::new());
    }

    /// A stored block that its Bitcoin node has not answered for: peers may have better luck.
    pub(crate) fn keep_stored(&mut self, block: &FoundBlock) {
        let nonce = self.rng.u64(..);
        let split = block.raw.as_ref().and_then(|raw| assembly::split_whole(raw, nonce));
        if let Some((compact, parts)) = split {
            self.relay_block(block.hash, compact, parts, BTreeSet::new());
        }
    }

    fn relay_block(
        &mut self,
        hash: ShareHash,
        compact: HeaderAndShortIds,
        parts: Vec<Part>,
        holders: BTreeSet<PeerId>,
    ) {
        self.block_relay.note_done(hash);
        let (compact, answers) = (Arc::new(compact), BTreeMap::new());
        self.block_relay.keep(Kept { hash, compact, parts, holders, answers });
        let peers: Vec<PeerId> = self.peers.ids().collect();
        for peer in peers {
            self.offer_compact(peer, hash);
        }
    }

    /// Sends a newcomer the blocks that our Bitcoin node has not answered for.
    pub(crate) fn offer_open_blocks(&mut self, peer: PeerId) {
        let kept = self.block_relay.kept.iter().map(|kept| kept.hash);
        let is_open = |hash: &ShareHash| {
            self.outbox.block(*hash).is_some_and(|block| block.status == BlockStatus::Submitting)
        };
        let open: Vec<ShareHash> = kept.filter(is_open).collect();
        open.into_iter().for_each(|hash| self.offer_compact(peer, hash));
    }

    /// Sends a peer a block that it lacks, if it understands it.
    fn offer_compact(&mut self, peer: PeerId, hash: ShareHash) {
        let mut kept = self.block_relay.kept.iter_mut();
        let Some(kept) = kept.find(|kept| kept.hash == hash) else { return };
        if self.peers.services(peer).contains(Services::COMPACT_BLOCKS) && kept.holders.insert(peer)
        {
            let block = Arc::clone(&kept.compact);
            self.outputs.push_back(Output::SendCompactBlock { peer, block });
        }
    }

    /// A peer sends a block.
    pub(crate) fn compact_block(&mut self, now: Now, peer: PeerId, block: &HeaderAndShortIds) {
        if !has_work(&block.header) {
            self.drop_peer(peer, true, DropReason::BadBlockHeader);
            return;
        }
        let hash = hash_of(&block.header);
        let mut kept = self.block_relay.kept.iter_mut();
        if let Some(kept) = kept.find(|kept| kept.hash == hash) {
            kept.holders.insert(peer);
        }
        if self.block_relay.done.contains(&hash) {
            return;
        }
        if let Some(open) = self.block_relay.open.get_mut(&hash) {
            if open.holders.insert(peer) {
                open.others.push_back(peer);
            }
            return;
        }
        let begun = self.block_relay.open.values().filter(|open| open.first == peer).count();
        let is_full = self.block_relay.open.len() >= OPEN_MAX || begun >= OPEN_PER_PEER_MAX;
        if is_full || !self.is_expected(block) {
            return;
        }
        let templates = self.block_relay.templates.iter().map(|template| template.as_ref());
        let Some(assembly) = Assembly::new(block, templates) else { return };
        let holders = BTreeSet::from([peer]);
        let others = VecDeque::new();
        let open = Open { assembly, first: peer, asked: None, others, holders };
        self.block_relay.open.insert(hash, open);
        self.go_on(now, hash, peer);
    }

    /// Whether our Bitcoin node can judge the block: it stands on what it gave work for, or on a
    /// block of this pool that it was given, at a target that it demands.
    fn is_expected(&self, block: &HeaderAndShortIds) -> bool {
        let header = &block.header;
        let previous = ShareHash::from_internal(header.prev_blockhash.to_byte_array());
        let templates = &self.block_relay.templates;
        let is_on_tip = templates.iter().any(|known| known.previous_block == header.prev_blockhash);
        let is_ours =
            |block: &FoundBlock| block.raw.is_some() || block.status == BlockStatus::Accepted;
        let is_on_ours = || self.outbox.block(previous).is_some_and(is_ours);
        let bits = CompactBits(header.bits.to_consensus());
        templates.iter().any(|known| known.bits == bits) && (is_on_tip || is_on_ours())
    }

    /// Finishes a block if all its parts are here; else asks `peer` for those that are not.
    fn go_on(&mut self, now: Now, hash: ShareHash, peer: PeerId) {
        let Some(open) = self.block_relay.open.get_mut(&hash) else { return };
        let indexes = open.assembly.missing();
        if !indexes.is_empty() {
            open.asked = Some((peer, now.mono + REPLY_TIMEOUT));
            let request = BlockTransactionsRequest { block_hash: hash.to_block_hash(), indexes };
            self.outputs.push_back(Output::RequestBlockTxn { peer, request });
            return;
        }
        if open.assembly.is_sound() {
            self.finish(now, hash);
        } else if open.assembly.start_over() {
            // Two transactions may have had the same short name.
            self.go_on(now, hash, peer);
        } else {
            self.ask_next(now, hash);
        }
    }

    fn finish(&mut self, now: Now, hash: ShareHash) {
        let Some(Open { assembly, holders, .. }) = self.block_relay.open.remove(&hash) else {
            return;
        };
        let raw: Arc<[u8]> = assembly.raw().into();
        self.note_whole_block(now, hash, raw, assembly.coinbase());
        let nonce = self.rng.u64(..);
        let (compact, parts) = assembly.into_compact(nonce);
        self.relay_block(hash, compact, parts, holders);
    }

    /// Whoever was asked has failed: the next one, or nobody.
    fn ask_next(&mut self, now: Now, hash: ShareHash) {
        let Some(open) = self.block_relay.open.get_mut(&hash) else { return };
        open.asked = None;
        while let Some(peer) = open.others.pop_front() {
            if self.peers.contains(peer) {
                self.go_on(now, hash, peer);
                return;
            }
        }
        self.block_relay.open.remove(&hash);
    }

    /// A peer sends transactions that it was asked for.
    pub(crate) fn block_txn(&mut self, now: Now, peer: PeerId, answer: &BlockTransactions) {
        let hash = ShareHash::from_internal(answer.block_hash.to_byte_array());
        let Some(open) = self.block_relay.open.get_mut(&hash) else { return };
        if open.asked.is_none_or(|(asked, _)| asked != peer) {
            return;
        }
        open.asked = None;
        if open.assembly.fill(&answer.transactions) {
            self.go_on(now, hash, peer);
        } else {
            self.ask_next(now, hash);
        }
    }

    /// A peer lacks transactions of a block; only recent ones are answered for.
    pub(crate) fn get_block_txn(&mut self, peer: PeerId, request: &BlockTransactionsRequest) {
        let hash = ShareHash::from_internal(request.block_hash.to_byte_array());
        let mut kept = self.block_relay.kept.iter_mut();
        let Some(kept) = kept.find(|kept| kept.hash == hash) else { return };
        let answers = kept.answers.entry(peer).or_default();
        *answers = answers.saturating_add(1);
        if *answers > ANSWERS_MAX || request.indexes.len() > kept.parts.len() {
            return;
        }
        let part = |index: &u64| {
            let part = kept.parts.get(usize::try_from(*index).ok()?)?;
            deserialize(&part.raw).ok()
        };
        let Some(transactions) = request.indexes.iter().map(part).collect() else { return };
        let block_hash = request.block_hash;
        let transactions = Arc::new(BlockTransactions { block_hash, transactions });
        self.outputs.push_back(Output::SendBlockTxn { peer, transactions });
    }

    /// Gives up on answers that did not come, and on peers that have gone.
    pub(crate) fn expire_block_questions(&mut self, now: Now) {
        let is_over = |open: &Open| {
            open.asked.is_none_or(|(peer, until)| until <= now.mono || !self.peers.contains(peer))
        };
        let open = self.block_relay.open.iter();
        let over: Vec<ShareHash> =
            open.filter(|(_, open)| is_over(open)).map(|(hash, _)| *hash).collect();
        for hash in over {
            self.ask_next(now, hash);
        }
    }
}
