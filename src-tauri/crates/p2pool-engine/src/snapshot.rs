//! What readers see of the engine: an immutable summary, made when something changed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use p2pool_sharechain::change::{Fate, FoundBlock, OwnShare};
use p2pool_sharechain::compact::{difficulty, ratio};
use p2pool_sharechain::payout::PayeeKey;
use p2pool_sharechain::stats::LeadingVote;
use p2pool_sharechain::template::{MinerTerms, TemplateBase};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Attempts, CompactBits, ShareHash, U256, stats};

use crate::Engine;
use crate::outbox::{MATURE, height_in};
use crate::progress::{SyncProgress, WhyNoWork};

/// Shares that the pool's rate is taken over.
const RATE_SHARES_MAX: u32 = 120;
/// Shares that the pool's height is taken from, at most and of others at least.
const HEIGHT_SHARES_MAX: usize = 15;
const HEIGHT_SHARES_MIN: usize = 3;

/// The share chain and the work on it, at one moment. Rates are for display only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainSummary {
    /// The share that own work builds on.
    pub best: Option<ShareHash>,
    /// Known shares from it down.
    pub height: u32,
    /// Verified shares from it down.
    pub verified_height: u32,
    /// All known shares, branches included.
    pub known_shares: usize,
    /// Connected nodes.
    pub peers: usize,
    /// How far the share chain is known.
    pub sync: SyncProgress,
    /// Why there is no work for miners; `None` if there may be.
    pub why_no_work: Option<WhyNoWork>,
    /// Shares of the payout window, newest first.
    pub window: Vec<WindowShare>,
    /// Scripts and sats that a block found now on own work would pay, in output order.
    pub payouts_now: Vec<(Vec<u8>, u64)>,
    /// Part of `payouts_now` that goes to the own payout address, sats.
    pub own_payout_sats: u64,
    /// Subsidy and fees of the block being worked on, sats; zero without work.
    pub block_value_sats: u64,
    /// Height of the block being worked on; zero without work.
    pub next_height: u32,
    /// Height of the Bitcoin block that the pool's other members build, by what their newest
    /// shares say; `None` with too few of them.
    pub pool_next_height: Option<u32>,
    /// Whether there is work for miners.
    pub has_work: bool,
    /// Difficulty that the next share has to meet at least.
    pub share_difficulty: f64,
    /// Difficulty of the Bitcoin network.
    pub network_difficulty: f64,
    /// Hashes per second of the whole pool, estimated from its shares; zero if unknown.
    pub pool_hashrate_hps: f64,
    /// The share type with most votes in the deciding part of the chain; `None` while the chain
    /// is too short to tell.
    pub leading_vote: Option<LeadingVote>,
    /// The share type above those that this program knows with most votes among recent shares.
    pub unsupported_vote: Option<LeadingVote>,
    /// Part of the pool's former rate that is left on this chain, 0 to 1, if there are signs that
    /// the rest went another way.
    pub split_part: Option<f64>,
    /// Shares of types that this program does not know, by type, since the start.
    pub unknown_shares: BTreeMap<u64, u64>,
    /// Own shares found since records began.
    pub own_found: usize,
    /// Of these, in the best chain now.
    pub own_in_chain: usize,
    /// Of these, lost to a race or late.
    pub own_lost: usize,
    /// Of these, late: built on an older share than the best one when they were found.
    pub own_dead: usize,
    /// Part of the whole pool's shares of the last hour that were lost, 0 to below 1.
    pub pool_stale_part: f64,
    /// Found blocks, oldest first.
    pub blocks: Vec<PoolBlock>,
    /// Work done since the newest of them, as a part of what a block takes on average; `None` if
    /// not all of it is known.
    pub round_effort: Option<f64>,
}

/// One share of the payout window.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowShare {
    /// Identity.
    pub hash: ShareHash,
    /// Share timestamp, unix seconds.
    pub timestamp: u32,
    /// Address text that it pays.
    pub payee: String,
    /// Whether a miner of this node found it.
    pub is_own: bool,
    /// Difficulty that it had to meet.
    pub difficulty: f64,
    /// Whether it announces a lost share of its maker.
    pub is_stale_notice: bool,
    /// Whether it was a Bitcoin block.
    pub is_block: bool,
}

/// A found block with its depth.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolBlock {
    /// As stored.
    pub block: FoundBlock,
    /// Confirmations (1 = the tip), at most what makes payouts spendable.
    pub confirmations: u32,
    /// Work done from the block before it to this one, as a part of what a block takes on average;
    /// `None` if not all of it is known.
    pub round_effort: Option<f64>,
}

impl Engine {
    /// The state that readers may see.
    pub fn summary(&mut self) -> ChainSummary {
        let (height, _) = self.tracker.height_and_last(self.best);
        let (verified_height, _) = self.tracker.verified().height_and_last(self.best);
        let mut summary = ChainSummary {
            best: self.best,
            height,
            verified_height,
            known_shares: self.tracker.len(),
            pool_next_height: self.pool_next_height(),
            peers: self.peers.len(),
            sync: self.sync_progress(),
            why_no_work: self.why_no_work(),
            pool_hashrate_hps: stats::pool_rate(&self.tracker, self.best, RATE_SHARES_MAX)
                .unwrap_or_default(),
            leading_vote: stats::leading_vote(&self.tracker, self.best),
            unsupported_vote: self.unsupported_vote(),
            split_part: self.split_part(),
            unknown_shares: self.unknown.clone(),
            own_found: self.outbox.own_shares().count(),
            own_in_chain: self.own_with_fate(&[Fate::InChain]),
            own_lost: self.own_with_fate(&[Fate::Orphan, Fate::Dead]),
            own_dead: self.own_with_fate(&[Fate::Dead]),
            pool_stale_part: self.pool_stale_part(height),
            ..ChainSummary::default()
        };
        let tip = self.work.template.as_ref().map_or(0, |template| template.height);
        summary.blocks = self
            .outbox
            .blocks()
            .map(|block| PoolBlock {
                block: FoundBlock { raw: None, ..block.clone() },
                confirmations: tip.saturating_sub(block.height).min(MATURE),
                round_effort: None,
            })
            .collect();
        summary.blocks.sort_by_key(|entry| (entry.block.found_at, entry.block.hash));
        self.measure_rounds(&mut summary.blocks);
        summary.round_effort = self.present_round_effort(&summary.blocks);
        if let Some(base) = self.work.base.clone() {
            self.describe_work(&base, &mut summary);
        }
        summary
    }

    fn describe_work(&mut self, base: &Arc<TemplateBase>, summary: &mut ChainSummary) {
        summary.has_work = true;
        summary.next_height = base.block.height;
        summary.block_value_sats = base.block.coinbase_value_sats;
        summary.share_difficulty = difficulty(base.position.max_bits.target_saturating());
        summary.network_difficulty = difficulty(base.block.bits.target_saturating());
        let terms = MinerTerms {
            payout_address: self.config.payout_address.clone(),
            wanted_target: U256::MAX,
            nonce: 0,
            timestamp: base.block.current_time,
        };
        if let Ok(template) = base.for_miner(&terms) {
            let own_script = own_script(&self.config);
            let paying = template.outputs().iter().filter(|output| output.value_sats > 0);
            for output in paying {
                if Some(&output.script) == own_script.as_ref() {
                    summary.own_payout_sats += output.value_sats;
                }
                summary.payouts_now.push((output.script.clone(), output.value_sats));
            }
        }
        let window = self.tracker.expected_window(self.best, base.block.bits);
        let own: HashSet<ShareHash> = self.outbox.own_shares().map(|own| own.hash).collect();
        summary.window = self
            .tracker
            .chain(self.best)
            .take(window.shares as usize)
            .map(|known| {
                let share = &known.share;
                let info = &share.share().info;
                WindowShare {
                    hash: share.hash(),
                    timestamp: info.timestamp,
                    payee: String::from_utf8_lossy(share.payee()).into_owned(),
                    is_own: own.contains(&share.hash()),
                    difficulty: difficulty(share.target()),
                    is_stale_notice: info.data.stale_info.is_stale(),
                    is_block: share.claims_block()
                        && is_plausible(share.share().header.bits, base.block.bits),
                }
            })
            .collect();
    }

    /// What most of the newest shares of others are building. A share that lies changes nothing.
    fn pool_next_height(&self) -> Option<u32> {
        let mut heights: Vec<u32> = self
            .tracker
            .chain(self.best)
            .take(HEIGHT_SHARES_MAX)
            .filter(|known| !self.outbox.is_own(known.share.hash()))
            .filter_map(|known| height_in(&known.share.share().info.data.coinbase))
            .collect();
        heights.sort_unstable();
        (heights.len() >= HEIGHT_SHARES_MIN).then(|| heights[heights.len() / 2])
    }

    /// Votes for types that this program does not know, over the shares of the last hour.
    fn unsupported_vote(&self) -> Option<LeadingVote> {
        let votes = self.tracker.votes(self.best, stats::recent_shares(&self.tracker));
        let total = votes.values().fold(Attempts::ZERO, |sum, vote| sum.wrapping_add(*vote));
        let newest = ShareVersion::NEWEST.number();
        let unknown = votes.into_iter().filter(|(version, _)| *version > newest);
        let (version, votes) = unknown.max_by_key(|(_, votes)| *votes)?;
        let part = ratio(votes, total);
        Some(LeadingVote { version, part, is_supported: false })
    }

    /// Each payee's part of the pool's work, 0 to 1.
    pub fn users(&mut self) -> Vec<(Arc<PayeeKey>, f64)> {
        stats::users(&mut self.tracker, self.best)
    }

    /// Own shares since records began.
    pub fn own_shares(&self) -> impl Iterator<Item = &OwnShare> + '_ {
        self.outbox.own_shares()
    }

    /// Bitcoin's target for the block being worked on.
    pub fn block_bits(&self) -> Option<CompactBits> {
        self.work.template.as_ref().map(|template| template.bits)
    }

    fn pool_stale_part(&self, height: u32) -> f64 {
        let shares = stats::recent_shares(&self.tracker).min(height);
        stats::stale_proportion(&self.tracker, self.best, shares)
    }

    fn own_with_fate(&self, fates: &[Fate]) -> usize {
        self.outbox.own_shares().filter(|own| fates.contains(&own.fate)).count()
    }
}

/// Whether a block of these bits may have been found within the window: one period ago at most,
/// and so at most four times as easy as those of now. Easier ones cost nothing to pretend.
fn is_plausible(bits: CompactBits, now: CompactBits) -> bool {
    let easiest = now.target_saturating().saturating_mul(U256::from(4));
    bits.target().is_some_and(|target| target <= easiest)
}

/// The script of the own payout address.
fn own_script(config: &crate::Config) -> Option<Vec<u8>> {
    use p2pool_sharechain::address;
    let decoded = address::decode(&config.payout_address, &config.params.addresses).ok()?;
    address::script(&decoded, true).ok()
}
