//! From block template and best share to work for miners, and from finds to shares and blocks.
//!
//! Source: protocol notes, sharechain.md sections 6 to 8, mining.md sections 2, 4 and 7.

use std::sync::Arc;

use p2pool_sharechain::generation::{Position, Window};
use p2pool_sharechain::template::{BlockTemplate, Grade, TemplateBase};
use p2pool_sharechain::time::Now;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Attempts, ShareHash};

use crate::Engine;
use crate::input::Solved;
use crate::intake::Arrival;
use crate::output::{Event, Output};

/// Late shares are kept only while the parent has fewer children than this.
const LATE_SIBLINGS_MAX: usize = 4;
/// Longest scriptSig.
const COINBASE_BYTES_MAX: usize = 100;
/// Weight of a header.
const HEADER_WEIGHT: u64 = 320;

/// The work given out.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) template: Option<Arc<BlockTemplate>>,
    pub(crate) base: Option<Arc<TemplateBase>>,
    sequence: u64,
    /// Selection wants quick, hard shares (protocol notes, chain-selection.md section 4).
    pub(crate) is_pushing: bool,
}

impl Engine {
    pub(crate) fn new_template(&mut self, now: Now, template: Arc<BlockTemplate>) {
        use bitcoin::hashes::Hash;
        let tip = template.height.saturating_sub(1);
        let block = template.previous_block.to_byte_array();
        self.heights.insert(block, tip);
        self.heights.note_tip(tip);
        self.heights.note_bits(template.bits);
        self.block_relay.note_template(&template);
        self.follow_tip(block);
        self.work.template = Some(template);
        self.is_unsettled = true;
        self.republish(now);
    }

    pub(crate) fn template_lost(&mut self) {
        self.work.template = None;
        self.withdraw_work();
    }

    /// Takes back all work, so that miners turn to their other pools.
    pub(crate) fn withdraw_work(&mut self) {
        if self.work.base.take().is_some() {
            self.outputs.push_back(Output::Publish(None));
        }
    }

    /// Publishes work for the present template and best share, if there can be any.
    pub(crate) fn republish(&mut self, _now: Now) {
        let Some(template) = self.work.template.clone() else { return };
        if self.why_no_work().is_some() {
            self.withdraw_work();
            return;
        }
        let base = Arc::new(self.base_on(&template));
        self.work.base = Some(Arc::clone(&base));
        self.outputs.push_back(Output::Publish(Some(base)));
    }

    fn base_on(&mut self, template: &Arc<BlockTemplate>) -> TemplateBase {
        let parent = self.best;
        let version = self.next_version(parent);
        let window = Arc::new(self.tracker.payout_window(parent, template.bits));
        let coinbase = self.coinbase(template);
        let block = fit(template, &window, version, coinbase.len());
        let new_block = self
            .work
            .base
            .as_ref()
            .is_none_or(|base| base.block.previous_block != template.previous_block);
        self.work.sequence = self.work.sequence.saturating_add(1);
        TemplateBase {
            sequence: self.work.sequence,
            new_block,
            params: Arc::clone(&self.config.params),
            segwit: block.segwit_data(),
            block,
            previous_share: parent,
            version,
            desired_version: version.successor().unwrap_or(version).number(),
            stale_info: self.outbox.next_stale_info(),
            donation: self.config.donation,
            position: Position::above(&self.tracker, version, parent),
            window,
            coinbase,
        }
    }

    /// Type of the next share: the parent's, or its successor after a clear vote.
    fn next_version(&self, parent: Option<ShareHash>) -> ShareVersion {
        let Some(share) = parent.and_then(|hash| self.tracker.get(hash)) else {
            return ShareVersion::NEWEST;
        };
        let version = share.share().version;
        let (Some(next), Some(votes)) = (version.successor(), self.tracker.deciding_votes(parent))
        else {
            return version;
        };
        let sum = votes.values().fold(Attempts::ZERO, |sum, vote| sum.wrapping_add(*vote));
        let needed = sum.wrapping_mul(Attempts::from(95)) / Attempts::from(100);
        let support = votes.get(&next.number()).copied().unwrap_or_default();
        if support > needed { next } else { version }
    }

    /// The scriptSig: height, aux bytes of the template, text.
    fn coinbase(&self, template: &BlockTemplate) -> Vec<u8> {
        let mut script = bitcoin::script::Builder::new().push_int(i64::from(template.height));
        if template.height <= 16 {
            // Small heights push with one byte; two are the least a scriptSig may have.
            script = script.push_int(0);
        }
        let mut bytes = script.into_bytes();
        bytes.extend_from_slice(&template.coinbase_aux);
        let room = COINBASE_BYTES_MAX.saturating_sub(bytes.len() + 1).min(75);
        let text = &self.config.coinbase_text[..self.config.coinbase_text.len().min(room)];
        if !text.is_empty() {
            bytes.push(u8::try_from(text.len()).expect("cut to 75 bytes"));
            bytes.extend_from_slice(text);
        }
        bytes.truncate(COINBASE_BYTES_MAX);
        bytes
    }

    /// A miner's find: a share, a block, or both.
    pub(crate) fn solved(&mut self, now: Now, solved: &Solved) {
        let grade = solved.template.grade(&solved.solution);
        if grade.is_block {
            self.found_block(solved, grade.hash);
        }
        if grade.is_share && self.tracker.get(grade.hash).is_none() {
            self.found_share(now, solved, grade);
        }
        if grade.is_block {
            self.relay_found(solved, grade.hash);
        }
    }

    fn found_share(&mut self, now: Now, solved: &Solved, grade: Grade) {
        let parent = solved.template.base().previous_share;
        let siblings = self.tracker.children(parent).len();
        let is_kept = solved.is_on_time || siblings < LATE_SIBLINGS_MAX;
        let Ok(share) = solved.template.share(&solved.solution) else { return };
        self.note_own_share(solved, grade.hash);
        if is_kept {
            self.take_in(now, Arrival::Own, vec![Arc::new(share)]);
            if grade.is_block {
                self.broadcast_block(now, grade.hash);
            } else {
                self.hold_until_stored(now, grade.hash);
            }
        }
        self.event(Event::ShareFound {
            hash: grade.hash,
            worker: solved.worker.clone(),
            is_on_time: solved.is_on_time,
        });
    }
}

/// The template with as many transactions as fit beside our generation transaction.
///
/// Transactions go from the end: what depends on others comes after them.
fn fit(
    template: &Arc<BlockTemplate>,
    window: &Window,
    version: ShareVersion,
    coinbase_bytes: usize,
) -> Arc<BlockTemplate> {
    let (own_weight, own_sigops) = generation_cost(window, version, coinbase_bytes);
    let count_weight = 4 * 9;
    let mut weight = HEADER_WEIGHT + count_weight + own_weight;
    let mut sigops = own_sigops;
    let mut fitting = 0;
    for tx in &template.transactions {
        weight = weight.saturating_add(u64::from(tx.weight));
        sigops = sigops.saturating_add(u64::from(tx.sigops));
        if weight > u64::from(template.weight_limit) || sigops > u64::from(template.sigop_limit) {
            break;
        }
        fitting += 1;
    }
    if fitting == template.transactions.len() {
        return Arc::clone(template);
    }
    let mut fitted = BlockTemplate::clone(template);
    let dropped: u64 = fitted.transactions.drain(fitting..).map(|tx| tx.fee_sats).sum();
    fitted.coinbase_value_sats = fitted.coinbase_value_sats.saturating_sub(dropped);
    Arc::new(fitted)
}

/// Most weight and signature operations that a generation transaction over `window` takes.
fn generation_cost(window: &Window, version: ShareVersion, coinbase_bytes: usize) -> (u64, u64) {
    // Version, counts, input, lock time; commitment, donation, ref hash; the finder's output.
    let fixed_bytes = 4 + 3 + 3 + 41 + 3 + coinbase_bytes + 4 + (9 + 38) + (9 + 67) + (9 + 42) + 52;
    let pads = version.pads_programs();
    let scripts = window.weights.iter().map(|(key, _)| key.script(pads).map_or(43, <[u8]>::len));
    let bytes = scripts.fold(fixed_bytes, |sum, script| sum.saturating_add(9 + script));
    let weight = bytes.saturating_mul(4).saturating_add(36);
    let signature_outputs = window.weights.len().saturating_add(2);
    let as_u64 = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    (as_u64(weight), as_u64(signature_outputs.saturating_mul(4)))
}
