//! Miners: they find shares by chance, and each share is truly hashed for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use p2pool_engine::{Input, Solved};
use p2pool_sharechain::address::p2pkh_text;
use p2pool_sharechain::template::{MinerTerms, ShareTemplate, Solution, TemplateBase};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{Params, ShareHash, U256};

use super::{Event, World};

/// Hashes tried before a search counts as hopeless.
const HASHES_MAX: u32 = 50_000_000;

/// One node's miner.
#[derive(Debug)]
pub(crate) struct Miner {
    /// Hashes per second; zero rests.
    pub(crate) rate_hps: f64,
    /// Time for new work to reach the machines, and for a find to come back.
    pub(crate) delay: Duration,
    /// Whether the next find is to be a block.
    pub(crate) wants_block: bool,
    job: Option<Arc<ShareTemplate>>,
    /// Counts up with every job: finds for older ones are not made any more.
    generation: u64,
    finds: u64,
}

/// A find on its way to the node.
#[derive(Clone)]
pub(crate) struct Find {
    pub(crate) hash: ShareHash,
    template: Arc<ShareTemplate>,
    solution: Solution,
}

impl fmt::Debug for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.hash)
    }
}

impl Miner {
    pub(crate) fn new(rate_hps: f64, rng: &mut Rng) -> Self {
        Self {
            rate_hps,
            delay: Duration::from_millis(rng.u64(20..120)),
            wants_block: false,
            job: None,
            generation: 0,
            finds: 0,
        }
    }

    /// Forgets all work.
    pub(crate) fn stop(&mut self) {
        self.job = None;
        self.generation += 1;
    }

    /// Time to the next find on the present job.
    fn luck(&self, rng: &mut Rng) -> Option<Duration> {
        let job = self.job.as_ref().filter(|_| self.rate_hps > 0.0)?;
        let hashes = f64::from(p2pool_sharechain::compact::attempts(job.share_target()));
        let pause = -(1.0 - rng.f64()).ln() * hashes / self.rate_hps;
        Some(Duration::from_secs_f64(pause.min(1e8)))
    }
}

impl World {
    /// The engine published work: after a while the miner has it.
    pub(super) fn tell_miner(&mut self, node: usize, work: Option<&Arc<TemplateBase>>) {
        match work {
            Some(base) => {
                let delay = self.nodes[node].miner.delay;
                self.after(delay, Event::Job { node, sequence: base.sequence });
            }
            None => self.nodes[node].miner.stop(),
        }
    }

    pub(super) fn job_arrives(&mut self, node: usize, sequence: u64) {
        let wall = self.wall(node);
        let params = Arc::clone(&self.params);
        let Some(run) = &self.nodes[node].run else { return };
        let Some(base) = run.work.clone().filter(|work| work.sequence == sequence) else { return };
        let miner = &mut self.nodes[node].miner;
        let number = u32::try_from(miner.generation % 1_000_000).expect("below a million");
        let address = payout_address(node, &params);
        miner.job = Some(share_template(&base, address, number, wall));
        self.expect_find(node);
    }

    /// Whatever was to be found before is forgotten: chance has no memory.
    pub(crate) fn expect_find(&mut self, node: usize) {
        let miner = &mut self.nodes[node].miner;
        miner.generation += 1;
        let generation = miner.generation;
        if let Some(pause) = miner.luck(&mut self.rng) {
            self.after(pause, Event::Find { node, generation });
        }
    }

    pub(super) fn miner_finds(&mut self, node: usize, generation: u64) {
        let wall = self.wall(node);
        let miner = &mut self.nodes[node].miner;
        if miner.generation != generation {
            return;
        }
        let Some(template) = miner.job.clone() else { return };
        miner.finds += 1;
        let extra = (node as u64) << 32 | miner.finds;
        let is_block = core::mem::take(&mut miner.wants_block);
        let solution = if is_block {
            solve_for(&template, template.block_target(), extra, wall)
        } else {
            solve(&template, extra, wall)
        };
        let delay = miner.delay;
        let hash = template.grade(&solution).hash;
        let find = Box::new(Find { hash, template, solution });
        self.after(delay, Event::Solved { node, find });
        self.expect_find(node);
    }

    pub(super) fn find_arrives(&mut self, node: usize, find: Find) {
        let found_at = self.wall(node);
        let Some(run) = &self.nodes[node].run else { return };
        let base = find.template.base();
        let is_on_time = run.work.as_ref().is_some_and(|work| {
            work.previous_share == base.previous_share
                && work.block.previous_block == base.block.previous_block
        });
        self.measure.found(find.hash, node, self.now, is_on_time);
        let Find { template, solution, .. } = find;
        let worker = "sim".to_owned();
        let solved = Solved { template, solution, worker, is_on_time, found_at };
        self.give(node, Input::Solved(Box::new(solved)));
    }

    /// A node's miner finds a block with the work it has; its hash.
    pub(crate) fn find_block(&mut self, node: usize) -> ShareHash {
        self.nodes[node].miner.wants_block = true;
        let generation = self.nodes[node].miner.generation;
        let before = self.measure.count();
        self.miner_finds(node, generation);
        while self.measure.count() == before {
            self.run_for(Duration::from_millis(10));
        }
        self.run_for(Duration::from_millis(100));
        let own = self.nodes[node].run.as_mut().expect("it is up").engine.summary().blocks;
        own.iter().rev().find(|entry| entry.block.own).expect("it was a block").block.hash
    }

    /// All miners rest.
    pub(crate) fn stop_miners(&mut self) {
        for node in &mut self.nodes {
            node.miner.rate_hps = 0.0;
            node.miner.generation += 1;
        }
    }
}

/// The address that a node's miner is paid at.
pub(crate) fn payout_address(number: usize, params: &Params) -> Vec<u8> {
    let mut hash = [0x51; 20];
    hash[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
    p2pkh_text(&hash, &params.addresses).into_bytes()
}

/// A miner's share template. What it pays is subsidy plus fees, to the last sat.
pub(crate) fn share_template(
    base: &Arc<TemplateBase>,
    payout_address: Vec<u8>,
    nonce: u32,
    wall: UnixTime,
) -> Arc<ShareTemplate> {
    let timestamp = wall.to_u32();
    let terms = MinerTerms { payout_address, wanted_target: U256::MAX, nonce, timestamp };
    let template = base.for_miner(&terms).expect("the address is of this network");
    let paid: u64 = template.outputs().iter().map(|output| output.value_sats).sum();
    assert_eq!(paid, base.block.coinbase_value_sats, "subsidy and fees, to the last");
    Arc::new(template)
}

/// Hashes until there is a share.
pub(crate) fn solve(template: &ShareTemplate, extra: u64, wall: UnixTime) -> Solution {
    solve_for(template, template.share_target(), extra, wall)
}

fn solve_for(template: &ShareTemplate, target: U256, extra: u64, wall: UnixTime) -> Solution {
    let mut solution = Solution {
        version: template.header_version(),
        coinbase_nonce: extra.to_le_bytes(),
        time: wall.to_u32(),
        nonce: 0,
    };
    solution.nonce = search(template.header(&solution), target);
    solution
}

/// The first nonce with which a header meets a target.
pub(crate) fn search(mut header: [u8; 80], target: U256) -> u32 {
    let meets = |nonce: &u32| {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        ShareHash::of_header(&header).to_uint() <= target
    };
    (0..HASHES_MAX).find(meets).expect("targets are easy here")
}
