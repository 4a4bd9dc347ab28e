//! Own shares until their fate is known, and found blocks until they are safe.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::Hash;
use bitcoin::{Transaction, TxOut};
use p2pool_sharechain::change::{BlockStatus, Fate, FoundBlock, OwnPlace, OwnShare};
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::stats::OwnShares;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CompactBits, ShareHash, Tracker};

use crate::Engine;
use crate::input::{BlockOutcome, Solved};
use crate::output::{Event, Output};

/// An own share is relayed after this time even if storage has not answered.
const PERSIST_WAIT: Duration = Duration::from_millis(200);
/// Blocks kept in memory; older ones are in storage.
const BLOCKS_MAX: usize = 500;
/// Own shares kept in memory; older ones are in storage.
const OWN_MAX: usize = 20_000;
/// Confirmations that make a block's payouts spendable.
pub(crate) const MATURE: u32 = 100;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Shares passed on already.
    sent: BTreeSet<ShareHash>,
    own: BTreeMap<ShareHash, OwnShare>,
    ledger: OwnShares,
    /// Own shares whose fate may have changed since it was last settled; `None` for all.
    moved: Option<Vec<ShareHash>>,
    held: Vec<Held>,
    persisted: u64,
    blocks: BTreeMap<ShareHash, FoundBlock>,
}

/// An own share that waits for storage before it is relayed.
#[derive(Debug)]
struct Held {
    hash: ShareHash,
    sequence: u64,
    deadline: MonoTime,
}

impl Outbox {
    pub(crate) fn mark_sent(&mut self, hash: ShareHash) {
        self.sent.insert(hash);
    }

    pub(crate) fn is_sent(&self, hash: ShareHash) -> bool {
        self.sent.contains(&hash)
    }

    pub(crate) fn is_own(&self, hash: ShareHash) -> bool {
        self.own.contains_key(&hash)
    }

    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.held.iter().map(|held| held.deadline).min()
    }

    pub(crate) fn own_shares(&self) -> impl Iterator<Item = &OwnShare> + '_ {
        self.own.values()
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &FoundBlock> + '_ {
        self.blocks.values()
    }

    pub(crate) fn block(&self, hash: ShareHash) -> Option<&FoundBlock> {
        self.blocks.get(&hash)
    }

    /// What the next share has to announce: each lost share once.
    pub(crate) fn next_stale_info(&self) -> StaleInfo {
        self.ledger.next_announcement()
    }

    /// Follows the best share; to be told while the old one is still known.
    pub(crate) fn follow(&mut self, tracker: &Tracker, best: Option<ShareHash>) {
        let moved = self.ledger.set_best(tracker, best);
        self.moved = match (self.moved.take(), moved) {
            (Some(mut before), Some(moved)) => {
                before.extend(moved);
                Some(before)
            }
            (None, _) | (_, None) => None,
        };
    }

    /// Forgets what was known of shares that have left the tracker.
    pub(crate) fn forget(&mut self, removed: &[ShareHash]) {
        for hash in removed {
            self.sent.remove(hash);
        }
        self.ledger.forget(removed);
    }
}

impl Engine {
    pub(crate) fn load_outbox(&mut self, now: Now, own: Vec<OwnShare>, blocks: Vec<FoundBlock>) {
        for own in own {
            if let Some(share) = self.tracker.get(own.hash) {
                let announces = share.share().info.data.stale_info;
                self.outbox.ledger.add(own.hash, own.fate == Fate::Dead, announces);
            }
            self.outbox.own.insert(own.hash, own);
        }
        for block in blocks {
            if block.status == BlockStatus::Submitting {
                self.push_block(&block);
                self.keep_stored(&block);
            } else if matches!(block.status, BlockStatus::Accepted | BlockStatus::Orphaned) {
                // One that lost its place may come back.
                self.outputs.push_back(Output::WatchBlock { hash: block.hash });
            }
            self.outbox.blocks.insert(block.hash, block);
        }
        self.bound(now);
    }

    pub(crate) fn note_own_share(&mut self, solved: &Solved, hash: ShareHash) {
        let fate = if solved.is_on_time { Fate::Open } else { Fate::Dead };
        let info = solved.template.info();
        let own = OwnShare {
            hash,
            worker: solved.worker.clone(),
            found_at: solved.found_at,
            fate,
            place: Some(OwnPlace { abs_height: info.abs_height, bits: info.bits }),
        };
        self.changes.own.push(own.clone());
        self.outbox.own.insert(hash, own);
        if let Some(moved) = &mut self.outbox.moved {
            moved.push(hash);
        }
        let announces = solved.template.info().data.stale_info;
        self.outbox.ledger.add(hash, !solved.is_on_time, announces);
    }

    /// Keeps an own share back until storage has it.
    pub(crate) fn hold_until_stored(&mut self, now: Now, hash: ShareHash) {
        // The changes of this step leave under the next number.
        let sequence = self.next_sequence;
        self.outbox.held.push(Held { hash, sequence, deadline: now.mono + PERSIST_WAIT });
    }

    /// Whether this share, or one of those that would go with it, still waits for storage.
    pub(crate) fn hold_back(&mut self, now: Now, hash: ShareHash) -> bool {
        self.outbox.held.iter().any(|held| {
            held.hash == hash && held.sequence > self.outbox.persisted && held.deadline > now.mono
        })
    }

    pub(crate) fn persisted(&mut self, sequence: u64) {
        self.outbox.persisted = self.outbox.persisted.max(sequence);
    }

    /// Relays own shares that storage has by now, or that have waited long enough.
    pub(crate) fn release_held(&mut self, now: Now) {
        let persisted = self.outbox.persisted;
        let is_due = |held: &Held| held.sequence <= persisted || held.deadline <= now.mono;
        let due: Vec<Held> = self.outbox.held.extract_if(.., |held| is_due(held)).collect();
        if due.iter().any(|held| held.sequence > persisted) {
            self.event(Event::StorageSlow);
        }
        if let Some(best) = self.best
            && due.iter().any(|held| self.tracker.is_ancestor(held.hash, best))
        {
            self.broadcast(now, best);
        }
    }

    /// Brings the fates of own shares up to date with the best chain.
    pub(crate) fn settle_fates(&mut self) {
        let Some(best) = self.best else { return };
        match self.outbox.moved.replace(Vec::new()) {
            Some(moved) => moved.into_iter().for_each(|hash| self.settle_fate(hash, best)),
            None => {
                let all: Vec<ShareHash> = self.outbox.own.keys().copied().collect();
                all.into_iter().for_each(|hash| self.settle_fate(hash, best));
            }
        }
    }

    fn settle_fate(&mut self, hash: ShareHash, best: ShareHash) {
        let Some(own) = self.outbox.own.get_mut(&hash) else { return };
        if self.tracker.get(hash).is_none() {
            return;
        }
        let fate = if self.tracker.is_ancestor(hash, best) {
            Fate::InChain
        } else if own.fate == Fate::Dead {
            Fate::Dead
        } else {
            Fate::Orphan
        };
        if own.fate != fate {
            own.fate = fate;
            self.changes.own.push(own.clone());
        }
    }

    /// A miner of this node found a block: submit, store and tell at once.
    pub(crate) fn found_block(&mut self, solved: &Solved, hash: ShareHash) {
        if self.outbox.blocks.contains_key(&hash) {
            return;
        }
        let template = &solved.template;
        let (info, block_bits) = (template.info(), template.base().block.bits);
        let paid_heights = self.paid_heights(info.data.previous_share, info.abs_height, block_bits);
        let block = FoundBlock {
            hash,
            height: template.base().block.height,
            found_at: solved.found_at,
            own: true,
            status: BlockStatus::Submitting,
            reason: None,
            raw: Some(template.block(&solved.solution).into()),
            payouts: payouts(template.outputs()),
            txid: Some(template.txid(&solved.solution)),
            paid_heights,
            standing: None,
        };
        self.push_block(&block);
        self.note_block(block);
    }

    /// A verified share of somebody else may be a block.
    pub(crate) fn note_block_of_others(&mut self, now: Now, hash: ShareHash) {
        let Some(share) = self.tracker.get(hash).map(Arc::clone) else { return };
        if self.outbox.blocks.contains_key(&hash) {
            return self.note_share_of_block(hash);
        }
        if !share.claims_block() {
            return;
        }
        let header = &share.share().header;
        let is_real = self.work.template.as_ref().is_some_and(|known| known.bits == header.bits);
        if !is_real {
            return;
        }
        let Ok(generation) = self.tracker.generation_of(&share) else { return };
        let block = FoundBlock {
            hash,
            height: height_in(&share.share().info.data.coinbase).unwrap_or_default(),
            found_at: now.wall,
            own: false,
            status: BlockStatus::Submitting,
            reason: None,
            raw: None,
            payouts: payouts(generation.outputs()),
            txid: Some(*share.txid()),
            paid_heights: self.paid_heights_of(hash),
            standing: None,
        };
        self.push_block(&block);
        self.note_block(block);
        self.broadcast_block(now, hash);
    }

    /// The whole block has come from a peer: handed in, unless our Bitcoin node has it already.
    pub(crate) fn note_whole_block(
        &mut self,
        now: Now,
        hash: ShareHash,
        raw: Arc<[u8]>,
        coinbase: &Transaction,
    ) {
        if let Some(block) = self.outbox.blocks.get_mut(&hash) {
            if block.raw.is_none() && block.status == BlockStatus::Submitting {
                block.raw = Some(raw);
                let block = block.clone();
                self.push_block(&block);
                self.changes.blocks.push(block);
            }
            return;
        }
        let paying = coinbase.output.iter().filter(|output| output.value.to_sat() > 0);
        let paid = |output: &TxOut| (output.script_pubkey.to_bytes(), output.value.to_sat());
        let script = coinbase.input.first().map(|input| input.script_sig.as_bytes());
        let block = FoundBlock {
            hash,
            height: script.and_then(height_in).unwrap_or_default(),
            found_at: now.wall,
            own: false,
            status: BlockStatus::Submitting,
            reason: None,
            raw: Some(raw),
            payouts: paying.map(paid).collect(),
            txid: Some(coinbase.compute_txid().to_byte_array()),
            paid_heights: self.paid_heights_of(hash),
            standing: None,
        };
        self.push_block(&block);
        self.note_block(block);
    }

    fn push_block(&mut self, block: &FoundBlock) {
        let hash = block.hash;
        self.outputs.push_back(match &block.raw {
            Some(raw) => Output::SubmitBlock { hash, raw: Arc::clone(raw) },
            None => Output::WatchBlock { hash },
        });
    }

    fn note_block(&mut self, mut block: FoundBlock) {
        block.standing = self.standing_of(block.hash);
        let (hash, height, is_own) = (block.hash, block.height, block.own);
        self.changes.blocks.push(block.clone());
        self.outbox.blocks.insert(hash, block);
        self.event(Event::BlockFound { hash, height, is_own });
    }

    /// Keeps and watches a block that was found before this node knew of it. That is no news.
    pub(crate) fn record_block(&mut self, mut block: FoundBlock) {
        if self.outbox.blocks.contains_key(&block.hash) {
            return;
        }
        block.paid_heights = block.paid_heights.or_else(|| self.paid_heights_of(block.hash));
        block.standing = block.standing.or_else(|| self.standing_of(block.hash));
        self.push_block(&block);
        self.changes.blocks.push(block.clone());
        self.outbox.blocks.insert(block.hash, block);
    }

    /// The whole block came before its share: what it pays, and where it stands, is known now.
    fn note_share_of_block(&mut self, hash: ShareHash) {
        let (paid_heights, standing) = (self.paid_heights_of(hash), self.standing_of(hash));
        let Some(block) = self.outbox.blocks.get_mut(&hash) else { return };
        let known = (block.paid_heights.or(paid_heights), block.standing.or(standing));
        if known != (block.paid_heights, block.standing) {
            (block.paid_heights, block.standing) = known;
            self.changes.blocks.push(block.clone());
        }
    }

    /// Heights of the shares that a block pays whose share is known.
    fn paid_heights_of(&mut self, hash: ShareHash) -> Option<(u32, u32)> {
        let share = self.tracker.get(hash).map(Arc::clone)?;
        let share = share.share();
        self.paid_heights(share.parent(), share.info.abs_height, share.header.bits)
    }

    /// Heights of the shares that a block pays, the oldest and the newest: the window of a share
    /// ends with its grandparent.
    fn paid_heights(
        &mut self,
        parent: Option<ShareHash>,
        abs_height: u32,
        block_bits: CompactBits,
    ) -> Option<(u32, u32)> {
        let shares = self.tracker.payout_window(parent, block_bits).shares;
        let newest = abs_height.checked_sub(2)?;
        let oldest = newest.checked_sub(shares.checked_sub(1)?)?;
        Some((oldest, newest))
    }

    pub(crate) fn block_outcome(&mut self, hash: ShareHash, outcome: BlockOutcome) {
        let Some(block) = self.outbox.blocks.get_mut(&hash) else { return };
        let (status, reason) = match outcome {
            BlockOutcome::Accepted { confirmations } if confirmations >= MATURE => {
                (BlockStatus::Mature, None)
            }
            BlockOutcome::Accepted { .. } => (BlockStatus::Accepted, None),
            BlockOutcome::Replaced => (BlockStatus::Orphaned, None),
            BlockOutcome::Rejected { reason } => (BlockStatus::Rejected, Some(reason)),
        };
        if block.status == status {
            return;
        }
        let before = core::mem::replace(&mut block.status, status);
        block.reason = reason.clone();
        let is_safe = !block.own && status == BlockStatus::Accepted;
        if is_safe || matches!(status, BlockStatus::Mature | BlockStatus::Rejected) {
            block.raw = None;
        }
        let height = block.height;
        self.changes.blocks.push(block.clone());
        match status {
            BlockStatus::Accepted if before != BlockStatus::Mature => {
                self.event(Event::BlockAccepted { hash, height });
            }
            BlockStatus::Orphaned => self.event(Event::BlockReplaced { hash }),
            BlockStatus::Rejected => {
                self.event(Event::BlockRejected { hash, reason: reason.unwrap_or_default() });
            }
            BlockStatus::Accepted | BlockStatus::Mature | BlockStatus::Submitting => {}
        }
    }

    /// Forgets what storage keeps anyway, oldest first.
    fn bound(&mut self, _now: Now) {
        drop_oldest(&mut self.outbox.blocks, BLOCKS_MAX, |block| block.found_at);
        drop_oldest(&mut self.outbox.own, OWN_MAX, |own| own.found_at);
    }
}

fn drop_oldest<V, T: Ord>(
    map: &mut BTreeMap<ShareHash, V>,
    count_max: usize,
    time: impl Fn(&V) -> T,
) {
    let surplus = map.len().saturating_sub(count_max);
    if surplus == 0 {
        return;
    }
    let mut by_time: Vec<(T, ShareHash)> =
        map.iter().map(|(hash, value)| (time(value), *hash)).collect();
    by_time.sort_unstable();
    for (_, hash) in by_time.into_iter().take(surplus) {
        map.remove(&hash);
    }
}

/// Outputs that carry value.
fn payouts(outputs: &[p2pool_sharechain::generation::Output]) -> Vec<(Vec<u8>, u64)> {
    let paying = outputs.iter().filter(|output| output.value_sats > 0);
    paying.map(|output| (output.script.clone(), output.value_sats)).collect()
}

/// The height that a scriptSig starts with. Source: BIP-0034.
pub(crate) fn height_in(coinbase: &[u8]) -> Option<u32> {
    match *coinbase.first()? {
        0 => Some(0),
        opcode @ 0x51..=0x60 => Some(u32::from(opcode - 0x50)),
        length @ 1..=4 => {
            let digits = coinbase.get(1..=usize::from(length))?;
            let mut bytes = [0; 4];
            bytes[..digits.len()].copy_from_slice(digits);
            Some(u32::from_le_bytes(bytes))
        }
        _ => None,
    }
}
