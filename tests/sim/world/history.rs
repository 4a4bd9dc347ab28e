//! The shares that every node has when a network starts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_engine::{Config, Engine, Input, Output, Solved};
use p2pool_sharechain::change::{ChangeSet, StoredShare};
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::{Params, ShareHash};

use super::miner::{payout_address, share_template, solve};
use super::scenario::{START_WALL, Scenario};

/// Payees of the history.
const PAYEES: u32 = 20;

/// Mines the history with one engine, a share in each period, the last one just before the start.
pub(crate) fn mine(params: &Arc<Params>, scenario: &Scenario) -> Vec<StoredShare> {
    let mut engine = Engine::new(Config {
        // A pool of one may mine here.
        params: Arc::new(Params { needs_peers: false, ..Params::clone(params) }),
        seed: scenario.seed,
        payout_address: payout_address(0, params),
        donation: 0,
        coinbase_text: Vec::new(),
        low_bandwidth: false,
    });
    let mut stored = ChangeSet::default();
    let mut work = None;
    for number in 0..scenario.history {
        let ahead = u64::from(scenario.history - number) * u64::from(scenario.share_period);
        let wall = UnixTime(START_WALL - ahead);
        let mono = MonoTime(Duration::from_secs(u64::from(number + 1) * 30));
        let now = Now { wall, mono };
        if number == 0 {
            let template = template(scenario, wall.to_u32());
            step(&mut engine, now, Input::Template(Arc::new(template)), &mut stored, &mut work);
        }
        let base = work.clone().expect("a lone node has work");
        let payee = number % PAYEES;
        let template = share_template(&base, payout_address(payee as usize, params), number, wall);
        let solution = solve(&template, u64::from(number), wall);
        let worker = String::new();
        let solved = Solved { template, solution, worker, is_on_time: true, found_at: wall };
        step(&mut engine, now, Input::Solved(Box::new(solved)), &mut stored, &mut work);
    }
    let removed: BTreeSet<ShareHash> = stored.removed.into_iter().collect();
    stored.added.retain(|share| !removed.contains(&share.hash));
    let verified: BTreeSet<ShareHash> = stored.verified.into_iter().collect();
    for share in &mut stored.added {
        share.verified = verified.contains(&share.hash);
        assert!(share.verified, "the history is good");
    }
    stored.added
}

fn step(
    engine: &mut Engine,
    now: Now,
    input: Input,
    stored: &mut ChangeSet,
    work: &mut Option<Arc<TemplateBase>>,
) {
    let mut input = Some(input);
    while let Some(next) = input.take() {
        engine.handle(now, next);
        while let Some(output) = engine.poll() {
            if let Output::WakeAt(at) = output {
                input = (at <= now.mono).then_some(Input::Wake);
            } else if let Output::Publish(base) = output {
                *work = base;
            } else if let Output::Persist { changes, .. } = output {
                stored.merge(changes);
            }
        }
    }
}

fn template(scenario: &Scenario, time: u32) -> BlockTemplate {
    BlockTemplate {
        version: 0x2000_0000,
        previous_block: BlockHash::from_byte_array([1; 32]),
        transactions: Vec::new(),
        coinbase_value_sats: 5_000_000_000,
        coinbase_aux: Vec::new(),
        bits: scenario.bits,
        current_time: time,
        min_time: 0,
        max_time: None,
        height: 100,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    }
}
