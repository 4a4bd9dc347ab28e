//! The node among its neighbours: one event after the other.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::Block;
use p2pool_engine::{BlockOutcome, Input, LoadedShare, PeerId, Solved};
use p2pool_sharechain::template::Solution;
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::verify::FUTURE_MAX;
use p2pool_sharechain::{CompactBits, Params, ShareHash, U256};

use super::bitcoin_side::{block_at, share_template, template};
use super::forge::{self, EASY_BITS, Forge, HARD_BITS, HISTORY_PACE, HISTORY_SHARES, START};
use super::node::Node;
use crate::choices::Choices;

/// Shares made in one run.
const SHARES_MAX: usize = 700;
/// Shares at the old end of the history that pruning may have taken.
const PRUNED_MAX: usize = 20;

/// See the module's documentation.
pub(super) struct World {
    pub(super) node: Node,
    pub(super) forge: Forge,
    params: Arc<Params>,
    /// Blocks that others found, newest last.
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) next_peer: PeerId,
    height: u32,
    bits: CompactBits,
}

impl World {
    /// A world some time after the common history, of which the node has all, a part or nothing.
    pub(super) fn new(choices: &mut Choices<'_>) -> Self {
        let start = choices.u8();
        let params = Arc::new(forge::params(start & 0x80 != 0));
        let forge = Forge::new(&params);
        let wall = u64::from(START + HISTORY_SHARES * HISTORY_PACE);
        let node = Node::new(&params, u64::from(choices.u8()), wall);
        let mut world = Self {
            node,
            forge,
            params,
            blocks: Vec::new(),
            next_peer: 1,
            height: 7,
            bits: HARD_BITS,
        };
        world.load(start & 0x7f, choices);
        world.new_template(choices);
        world
    }

    /// What storage held when the node started.
    fn load(&mut self, how: u8, choices: &mut Choices<'_>) {
        let history = self.forge.made()[..HISTORY_SHARES as usize].iter();
        let mut shares: Vec<LoadedShare> = history
            .map(|made| LoadedShare { share: Arc::clone(&made.share), is_verified: how % 5 != 2 })
            .collect();
        match how % 5 {
            0 => shares.clear(),
            1 | 2 => shares.truncate(choices.below(shares.len() + 1)),
            // The old end was pruned.
            3 => drop(shares.drain(..choices.below(PRUNED_MAX + 1))),
            _ => self.damage(&mut shares, choices),
        }
        if !shares.is_empty() {
            self.node.load(&mut self.forge, shares);
        }
    }

    /// The disk is an input like any other.
    fn damage(&mut self, shares: &mut Vec<LoadedShare>, choices: &mut Choices<'_>) {
        self.node.ledger.is_disk_sound = false;
        shares.drain(..choices.below(shares.len()));
        let (hole, width) = (choices.below(shares.len()), choices.below(8));
        shares.drain(hole..(hole + width).min(shares.len()));
        if choices.flag() {
            shares.reverse();
        }
        let period = choices.below(7) + 1;
        for (number, loaded) in shares.iter_mut().enumerate() {
            loaded.is_verified = number % period == 0;
        }
    }

    /// Lets one thing happen.
    pub(super) fn event(&mut self, choices: &mut Choices<'_>) {
        match choices.u8() % 40 {
            0..=3 => self.peer_joins(choices),
            4 => self.peer_leaves(choices),
            5..=9 => self.pool_grows(choices),
            10 | 11 => self.old_shares_are_sent(choices),
            12 | 13 => self.bad_share_is_sent(choices),
            14..=16 => self.question_is_answered(choices),
            17 => self.question_is_asked(choices),
            18 => self.new_template(choices),
            19 => self.give(Input::TemplateLost),
            20..=23 => self.miner_finds(choices),
            24 => self.height_is_told(choices),
            25 => self.block_fares(choices),
            26 => self.storage_writes(choices),
            27 | 28 => self.time_passes(choices),
            29 => self.check_summary(),
            30 => self.clock_is_set(choices),
            31 => self.node.restart(&mut self.forge),
            32 | 33 => self.hashes_are_announced(choices),
            34 => self.best_block_is_told(choices),
            35 | 36 => self.block_is_passed_on(choices),
            37 => self.transactions_are_sent(choices),
            38 => self.transactions_are_asked_for(choices),
            _ => self.tip_is_told(choices),
        }
    }

    /// The digest of all that the engine put out.
    pub(super) fn finish(mut self) -> u64 {
        self.check_summary();
        self.heal();
        self.check_summary();
        self.node.ledger.check_storage(&self.node.engine);
        self.node.restart(&mut self.forge);
        self.check_summary();
        self.node.ledger.digest()
    }

    pub(super) fn give(&mut self, input: Input) {
        self.node.handle(&mut self.forge, input);
    }

    pub(super) fn can_make_shares(&self) -> bool {
        self.forge.made().len() < HISTORY_SHARES as usize + SHARES_MAX
    }

    /// The Bitcoin target that shares of honest miners claim.
    pub(super) fn bits(&self) -> CompactBits {
        self.bits
    }

    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    pub(super) fn tip(&self) -> [u8; 32] {
        block_at(self.height)
    }

    pub(super) fn wall(&self) -> UnixTime {
        self.node.now.wall
    }

    fn new_template(&mut self, choices: &mut Choices<'_>) {
        let how = choices.u8();
        self.height = match how & 7 {
            0..=3 => self.height,
            4 | 5 => self.height + 1,
            6 => self.height.saturating_sub(1),
            _ => choices.pick(&[0, 1, 15, 16, 127, 128, 40_000, 9_000_000]),
        };
        self.bits = if how & 0x38 == 0x38 { EASY_BITS } else { HARD_BITS };
        let time = self.wall().to_u32().wrapping_add(choices.pick(&[0, 0, 5, u32::MAX - 300]));
        let template = template(choices, self.height, self.bits, time);
        self.give(Input::Template(Arc::new(template)));
    }

    /// A miner of this node solves the newest work, or older, in time or not.
    fn miner_finds(&mut self, choices: &mut Choices<'_>) {
        let works = self.node.ledger.works();
        let how = choices.u8();
        let back = usize::from(how & 3);
        let Some(base) = works.iter().rev().nth(if how & 4 == 0 { 0 } else { back }).cloned()
        else {
            return;
        };
        let wanted = match how >> 6 {
            0 => U256::MAX,
            1 => base.position.easiest_target / U256::from(30),
            2 => base.position.easiest_target / U256::from(3),
            _ => U256::ZERO,
        };
        let payee = if how & 8 == 0 { 0 } else { choices.below(forge::PAYEES) };
        let nonce = u32::from(choices.u8());
        let template = Arc::new(share_template(&base, &self.params, payee, nonce, wanted));
        let mut solution = Solution {
            version: template.header_version() | (u32::from(how & 16) << 13),
            coinbase_nonce: [how; 8],
            time: self.wall().to_u32(),
            nonce: 0,
        };
        let is_hit = how & 32 == 0;
        let target = if is_hit { template.share_target() } else { U256::MAX };
        let Some(found) = forge::search(template.header(&solution), target) else { return };
        solution.nonce = found;
        let grade = template.grade(&solution);
        let is_new = self.node.engine.tracker().get(grade.hash).is_none();
        let solved = Solved {
            template,
            solution,
            worker: "miner".into(),
            is_on_time: how & 4 == 0,
            found_at: self.wall(),
        };
        // A clock that was set back makes own shares come from the future.
        let is_from_now = u64::from(solved.template.info().timestamp) <= self.wall().0 + FUTURE_MAX;
        let is_kept = grade.is_share && is_new && solved.is_on_time;
        let is_kept = is_kept && is_from_now && self.node.ledger.is_disk_sound;
        self.give(Input::Solved(Box::new(solved)));
        let ledger = &self.node.ledger;
        if grade.is_block {
            assert!(ledger.blocks().any(|block| block.hash == grade.hash), "a lost block");
        }
        if is_kept {
            assert!(ledger.stored().contains_key(&grade.hash), "a lost share");
            assert!(ledger.own().any(|own| own.hash == grade.hash), "a share that is not own");
        }
    }

    fn height_is_told(&mut self, choices: &mut Choices<'_>) {
        let number = usize::from(choices.u8() % 8);
        let block = self.node.ledger.take_lookup(number);
        let block = block.unwrap_or_else(|| [choices.u8(); 32]);
        let height = match choices.u8() % 4 {
            0 => None,
            1 => Some(u32::from(choices.u8())),
            2 => Some(u32::MAX),
            _ => Some(self.height),
        };
        self.give(Input::BlockHeight { block, height });
    }

    fn block_fares(&mut self, choices: &mut Choices<'_>) {
        let blocks: Vec<ShareHash> = self.node.ledger.blocks().map(|block| block.hash).collect();
        let unknown = ShareHash::from_internal([choices.u8(); 32]);
        let hash = blocks.get(choices.below(blocks.len())).copied().unwrap_or(unknown);
        let outcome = match choices.u8() % 5 {
            0 => BlockOutcome::Accepted { confirmations: u32::from(choices.u8()) },
            1 => BlockOutcome::Accepted { confirmations: 1 },
            2 => BlockOutcome::Accepted { confirmations: u32::MAX },
            3 => BlockOutcome::Replaced,
            _ => BlockOutcome::Rejected { reason: "bad-txns".into() },
        };
        self.give(Input::BlockOutcome { hash, outcome });
    }

    fn storage_writes(&mut self, choices: &mut Choices<'_>) {
        let sequence = self.node.ledger.write_out(u64::from(choices.u8() % 4));
        self.give(Input::Persisted { sequence });
    }

    fn time_passes(&mut self, choices: &mut Choices<'_>) {
        let seconds = Duration::from_secs;
        match choices.u8() {
            millis @ 0..=99 => {
                self.node.wait(&mut self.forge, Duration::from_millis(u64::from(millis) * 5));
            }
            time @ 100..=199 => {
                self.node.wait(&mut self.forge, seconds(u64::from(time - 99)));
            }
            time @ 200..=250 => {
                self.node.sleep(&mut self.forge, seconds(u64::from(time - 199) * 10));
            }
            time => self.node.sleep(&mut self.forge, seconds(u64::from(time - 250) * 7_200)),
        }
    }

    /// Somebody sets the computer's clock; the other one goes on.
    fn clock_is_set(&mut self, choices: &mut Choices<'_>) {
        let wall = self.wall().0;
        let by = u64::from(choices.u8()) * 60;
        let is_forth = choices.flag();
        // What was good may seem to come from the future now.
        self.node.ledger.is_clock_honest &= is_forth;
        let set = if is_forth { wall + by } else { wall.saturating_sub(by) };
        self.node.now.wall = UnixTime(set);
    }

    /// The figures that readers see agree with each other and with the engine.
    fn check_summary(&mut self) {
        let summary = self.node.engine.summary();
        let tracker = self.node.engine.tracker();
        assert_eq!(summary.best, self.node.engine.best());
        assert_eq!(summary.known_shares, tracker.len());
        assert_eq!(summary.height, tracker.height_and_last(summary.best).0);
        assert!(summary.verified_height <= summary.height);
        assert_eq!(summary.peers, self.node.ledger.peers().len());
        assert_eq!(summary.has_work, self.node.ledger.has_work());
        assert!(summary.own_in_chain + summary.own_lost <= summary.own_found);
        assert_eq!(summary.own_found, self.node.ledger.own().count());
        assert_eq!(summary.blocks.len(), self.node.ledger.blocks().count());
        let paid: u64 = summary.payouts_now.iter().map(|(_, sats)| sats).sum();
        assert_eq!(paid, summary.block_value_sats, "subsidy and fees, to the last");
        assert!(summary.own_payout_sats <= paid);
        assert!(summary.window.len() <= self.params.real_chain_length as usize);
        if summary.has_work {
            let expected = summary.height.min(self.params.real_chain_length) as usize;
            assert!(summary.window.len() <= expected);
            assert_eq!(summary.window.first().map(|share| share.hash), summary.best);
        }
        for figure in [summary.share_difficulty, summary.network_difficulty] {
            assert!(figure.is_finite() && figure >= 0.0);
        }
        assert!(summary.pool_hashrate_hps.is_finite() && summary.pool_hashrate_hps >= 0.0);
        self.node.ledger.check_storage(&self.node.engine);
    }
}
