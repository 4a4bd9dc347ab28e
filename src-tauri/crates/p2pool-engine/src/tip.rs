//! `bestblock`: telling peers of Bitcoin's newest block, and hearing of newer ones.
//!
//! The reference mines on a block that a peer told of before its own Bitcoin node has seen it. This
//! node never does: it only asks its Bitcoin node for new work at once, so that it never works on
//! anything that its own node has not accepted.
//!
//! Source: protocol notes, wire.md section 7.

use std::collections::VecDeque;
use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CompactBits, ShareHash};

use crate::Engine;
use crate::input::PeerId;
use crate::output::{DropReason, Output};

/// The Bitcoin node is asked for new work at most this often because of what peers tell.
const REFRESH_PAUSE: Duration = Duration::from_secs(2);
/// Blocks remembered that the Bitcoin node was asked about.
const HEARD_MAX: usize = 16;

/// What is known of Bitcoin's newest block.
#[derive(Debug, Default)]
pub(crate) struct Tip {
    /// The newest that peers were told of.
    told: Option<ShareHash>,
    /// Blocks that peers told of and that were followed up.
    heard: VecDeque<ShareHash>,
    refreshed_at: Option<MonoTime>,
}

/// A header read from its 80 bytes.
pub(crate) fn read_header(bytes: &[u8; 80]) -> Header {
    deserialize(bytes).expect("any 80 bytes are a header")
}

/// Whether a block's hash meets the target that its own header claims.
pub(crate) fn has_work(header: &Header) -> bool {
    let target = CompactBits(header.bits.to_consensus()).target();
    target.is_some_and(|target| hash_of(header).to_uint() <= target)
}

pub(crate) fn hash_of(header: &Header) -> ShareHash {
    use bitcoin::hashes::Hash;
    ShareHash::from_internal(header.block_hash().to_byte_array())
}

impl Engine {
    /// There is a template: if its previous block is new, its header is for the peers.
    pub(crate) fn follow_tip(&mut self, previous_block: [u8; 32]) {
        if self.tip.told != Some(ShareHash::from_internal(previous_block)) {
            self.outputs.push_back(Output::LookUpTip { block: previous_block });
        }
    }

    /// The Bitcoin node gives the header of its newest block.
    pub(crate) fn tip_header(&mut self, header: [u8; 80]) {
        let hash = ShareHash::of_header(&header);
        let is_tip = self
            .work
            .template
            .as_ref()
            .is_some_and(|template| template.previous_block == hash.to_block_hash());
        if !is_tip || self.tip.told == Some(hash) {
            return;
        }
        self.tip.told = Some(hash);
        let peers: Vec<PeerId> = self.peers.ids().collect();
        for peer in peers {
            self.outputs.push_back(Output::SendBestBlock { peer, header });
        }
    }

    /// A peer tells of a Bitcoin block. Nothing is passed on: that would go in circles.
    pub(crate) fn best_block(&mut self, now: Now, peer: PeerId, bytes: &[u8; 80]) {
        let header = read_header(bytes);
        if !has_work(&header) {
            self.drop_peer(peer, true, DropReason::BadBlockHeader);
            return;
        }
        let Some(template) = &self.work.template else { return };
        let hash = hash_of(&header);
        // With less work than Bitcoin demands, it is no block at all.
        let is_block = template.bits.target().is_some_and(|target| hash.to_uint() <= target);
        let is_known = self.heights.get(&hash.to_internal()).is_some();
        let is_early = self.tip.refreshed_at.is_some_and(|at| now.mono.since(at) < REFRESH_PAUSE);
        if !is_block || is_known || is_early || self.tip.heard.contains(&hash) {
            return;
        }
        self.tip.refreshed_at = Some(now.mono);
        self.tip.heard.push_back(hash);
        if self.tip.heard.len() > HEARD_MAX {
            self.tip.heard.pop_front();
        }
        self.outputs.push_back(Output::RefreshTemplate);
    }
}
