//! Choice of the best share: trees that grow step by step, and what each step has to come to.
//!
//! Every scenario is run twice: with all verification of a step at once, and share by share. Both
//! must choose the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::best::{
    BlockHeights, BlockSolutionRule, Choice, Progress, RankedHead, RankedTail, Selector,
};
use p2pool_sharechain::compact::{Attempts, attempts, ratio};
use p2pool_sharechain::prune::prune;
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{CheckedShare, Params, ShareHash, Tracker};
use serde_json::Value;

use crate::cases::{Cases, same};
use crate::networks;
use crate::read::{Read, bytes, hash, text};

/// Verifications in one slice that are always enough.
const ALL: usize = 1_000_000;

/// Checks a file of `trees`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let params = Arc::new(networks::of_file(doc)?);
    for scenario in doc.list("scenarios")? {
        let name = scenario.text("name")?;
        let shares = shares(scenario, &params)?;
        let mut at_once = World::new(scenario, &params, &shares)?;
        let mut in_slices = World::new(scenario, &params, &shares)?;
        for (index, step) in scenario.list("steps")?.iter().enumerate() {
            cases.run(&format!("{name}, step {index}"), || {
                let outcome = at_once.run(step, &shares, ALL)?;
                let sliced = in_slices.run(step, &shares, 1)?;
                same("choice in slices", &outcome, &sliced)?;
                at_once.compare(step, &outcome)
            });
        }
    }
    Ok(())
}

type Shares = BTreeMap<ShareHash, Arc<CheckedShare>>;

fn shares(scenario: &Value, params: &Params) -> Result<Shares, String> {
    let entries = scenario.at("shares")?.as_object().ok_or("shares: not an object")?;
    let mut shares = Shares::new();
    for (key, packed) in entries {
        let share = CheckedShare::parse(&bytes(text(packed)?)?, params)
            .map_err(|e| format!("share {key}: {e}"))?;
        same("hash", key, &share.hash().to_string())?;
        shares.insert(share.hash(), Arc::new(share));
    }
    Ok(shares)
}

fn share_hash(value: &Value) -> Result<ShareHash, String> {
    hash(value).map(ShareHash::from_internal)
}

fn tail(value: &Value) -> Result<Option<ShareHash>, String> {
    if value.is_null() { Ok(None) } else { share_hash(value).map(Some) }
}

/// What a step came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    choice: Choice,
    bad_senders: BTreeSet<u64>,
    removed: BTreeSet<ShareHash>,
    failures: usize,
}

/// A node as far as selection goes.
struct World {
    tracker: Tracker,
    selector: Selector,
    heights: BlockHeights,
    /// Height that relative heights count from.
    tip: i64,
    peers: Vec<String>,
}

impl World {
    fn new(scenario: &Value, params: &Arc<Params>, shares: &Shares) -> Result<Self, String> {
        let mut selector = Selector::new(BlockSolutionRule::Plain);
        for (key, fee) in scenario.at("feecache")?.as_object().ok_or("feecache: not an object")? {
            let fee_sats = fee.as_u64().ok_or("feecache: not a whole number")?;
            selector.note_fee(hash(&Value::from(key.as_str()))?, fee_sats);
        }
        // A block that is not known counts as height 0, which must be as far below the tip as
        // the file says of unknown blocks.
        let default = scenario.at("default_block_rel_height")?;
        let tip = -default.as_i64().ok_or("default_block_rel_height: not a whole number")?;
        let mut world = Self {
            tracker: Tracker::new(Arc::clone(params), 1),
            selector,
            heights: BlockHeights::new(),
            tip,
            peers: Vec::new(),
        };
        if tip == 0 {
            for share in shares.values() {
                world.heights.insert(share.share().header.previous_block, 0);
            }
        }
        world.heights.note_tip(world.height(0)?);
        Ok(world)
    }

    fn height(&self, relative: i64) -> Result<u32, String> {
        u32::try_from(self.tip + relative).map_err(|e| format!("height {relative}: {e}"))
    }

    fn peer(&mut self, name: &str) -> u64 {
        let at = self.peers.iter().position(|peer| peer == name).unwrap_or_else(|| {
            self.peers.push(name.to_owned());
            self.peers.len() - 1
        });
        at as u64
    }

    fn run(&mut self, step: &Value, shares: &Shares, slice: usize) -> Result<Outcome, String> {
        let seconds = step.at("time")?.as_f64().ok_or("time: not a number")?;
        let mono = MonoTime(Duration::from_secs_f64(seconds));
        let now = Now { wall: UnixTime(mono.0.as_secs()), mono };
        if let Some(changes) = step.maybe("block_rel_height_changes").and_then(Value::as_object) {
            for (block, relative) in changes {
                let relative = relative.as_i64().ok_or("height: not a whole number")?;
                let height = self.height(relative)?;
                self.heights.insert(hash(&Value::from(block.as_str()))?, height);
            }
        }
        for entry in step.list("add")? {
            let share = shares.get(&share_hash(entry.at("hash")?)?).ok_or("share missing")?;
            let sender = entry.maybe("peer").map(text).transpose()?.map(|name| self.peer(name));
            let known = KnownShare { share: Arc::clone(share), seen: mono, sender };
            let is_new = self.tracker.insert(known).map_err(|e| e.to_string())?;
            same("is new", &entry.maybe("duplicate").is_none(), &is_new)?;
        }
        let mut removed = BTreeSet::new();
        let mut bad_senders = BTreeSet::new();
        let mut failures = 0;
        if step.maybe("clean_tracker").is_some() {
            let choice = self.choose(now, slice);
            removed.extend(choice.removed);
            bad_senders.extend(choice.bad_senders);
            failures += choice.failures.len();
            removed.extend(prune(&mut self.tracker, &choice.heads, now));
        }
        let choice = self.choose(now, slice);
        removed.extend(&choice.removed);
        bad_senders.extend(&choice.bad_senders);
        failures += choice.failures.len();
        Ok(Outcome { choice, bad_senders, removed, failures })
    }

    fn choose(&mut self, now: Now, slice: usize) -> Choice {
        loop {
            let progress = self.selector.step(&mut self.tracker, now, &self.heights, slice);
            if let Progress::Done(choice) = progress {
                return choice;
            }
        }
    }

    fn compare(&self, step: &Value, outcome: &Outcome) -> Result<(), String> {
        let expected = step.at("result")?;
        let choice = &outcome.choice;
        self.compare_best(expected, choice)?;
        self.compare_desires(expected, choice)?;
        let tails: Result<Vec<_>, String> = choice.tails.iter().map(shown_tail).collect();
        let expected_tails: Result<Vec<_>, String> =
            expected.list("decorated_tails")?.iter().map(expected_tail).collect();
        same("tails", &expected_tails?, &tails?)?;
        let heads: Vec<_> = choice.ranking.iter().map(shown_head).collect();
        let expected_heads: Result<Vec<_>, String> =
            expected.list("decorated_heads")?.iter().map(expected_head).collect();
        same("ranking of heads", &expected_heads?, &heads)?;
        let punish = expected.at("punish_aggressively")?.as_i64().ok_or("not a number")?;
        same("punish flag", &punish, &choice.punish.into())?;
        let peers: Result<Vec<&str>, String> =
            expected.list("bad_peers")?.iter().map(text).collect();
        let bad: Vec<&str> =
            outcome.bad_senders.iter().map(|at| self.peers[*at as usize].as_str()).collect();
        same("bad peers", &peers?, &bad)?;
        let removed: Result<BTreeSet<_>, String> =
            expected.list("removed")?.iter().map(share_hash).collect();
        same("removed", &removed?, &outcome.removed)?;
        same("known shares", &expected.whole("item_count")?, &(self.tracker.len() as u64))?;
        let verified = self.tracker.verified();
        same("verified shares", &expected.whole("verified_count")?, &(verified.len() as u64))?;
        let heads: BTreeMap<_, _> = self.tracker.heads().collect();
        same("heads", &expected_tails_by_head(expected.at("heads")?)?, &heads)?;
        let heads = expected_tails_by_head(expected.at("verified_heads")?)?;
        same("verified heads", &heads, verified.heads())?;
        // A share that failed before is not checked again here, but there.
        let errors = step.maybe("verification_errors").and_then(Value::as_array);
        let errors = errors.map_or(0, Vec::len);
        if outcome.failures > errors {
            return Err(format!("{} shares failed, {errors} expected", outcome.failures));
        }
        Ok(())
    }

    fn compare_best(&self, expected: &Value, choice: &Choice) -> Result<(), String> {
        same("best", &expected.share_hash("best")?, &choice.best)?;
        if choice.best.is_some() {
            let (height, _) = self.tracker.height_and_last(choice.best);
            same("height of the best", &expected.whole_32("best_height")?, &height)?;
            let works = self.tracker.chain(choice.best).map(|known| attempts(known.share.target()));
            let work = works.fold(Attempts::ZERO, |sum, work| sum + work);
            same("work of the best", &expected.attempts("best_work_to_tail")?, &work)?;
        }
        Ok(())
    }

    /// The file names a child's sender for each desire, the child taken at random; a null has none.
    fn compare_desires(&self, expected: &Value, choice: &Choice) -> Result<(), String> {
        let desires: BTreeMap<_, _> =
            choice.desired.iter().map(|desire| (desire.hash, &desire.senders)).collect();
        let mut wanted = BTreeSet::new();
        for entry in expected.list("desired")? {
            let (peer, missing) = (&entry[0], share_hash(&entry[1])?);
            let senders = desires.get(&missing).ok_or(format!("{missing} is not desired"))?;
            if !peer.is_null() && !senders.iter().any(|at| *peer == self.peers[*at as usize]) {
                return Err(format!("{missing} is not desired from {peer}"));
            }
            wanted.insert(missing);
        }
        same("desired", &wanted, &desires.keys().copied().collect())
    }
}

/// Height, rate as a double, tail.
type ShownTail = (u32, Option<f64>, Option<ShareHash>);

fn shown_tail(ranked: &RankedTail) -> Result<ShownTail, String> {
    let rate = ranked.score.rate.map(|rate| ratio(rate.work, Attempts::from(rate.seconds)));
    Ok((ranked.score.height, rate, ranked.tail))
}

fn expected_tail(value: &Value) -> Result<ShownTail, String> {
    let score = &value[0];
    let height = score[0].as_u64().and_then(|height| u32::try_from(height).ok());
    let rate = if score[1].is_null() { None } else { Some(double(&score[1])?) };
    Ok((height.ok_or("height: not a number")?, rate, tail(&value[1])?))
}

fn double(value: &Value) -> Result<f64, String> {
    value.text("repr")?.parse().map_err(|e| format!("{value}: {e}"))
}

/// Work with the head's own work added or taken off, punishment negated, time, head.
type ShownHead = (String, i64, f64, ShareHash);

fn shown_head(ranked: &RankedHead) -> ShownHead {
    let work = match ranked.punish {
        0 => ranked.work.to_string(),
        punish if punish < 0 => (ranked.work + ranked.own_work).to_string(),
        _ if ranked.work >= ranked.own_work => (ranked.work - ranked.own_work).to_string(),
        _ => format!("-{}", ranked.own_work - ranked.work),
    };
    (work, (-ranked.punish).into(), -ranked.seen.0.as_secs_f64(), ranked.hash)
}

fn expected_head(value: &Value) -> Result<ShownHead, String> {
    let key = &value[0];
    let punish = key[1].as_i64().ok_or("punishment: not a number")?;
    let seen = key[2].as_f64().ok_or("time: not a number")?;
    Ok((text(&key[0])?.to_owned(), punish, seen, share_hash(&value[1])?))
}

fn expected_tails_by_head(value: &Value) -> Result<BTreeMap<ShareHash, Option<ShareHash>>, String> {
    let entries = value.as_object().ok_or("heads: not an object")?;
    let entry = |(head, last): (&String, &Value)| {
        Ok((share_hash(&Value::from(head.as_str()))?, tail(last)?))
    };
    entries.iter().map(entry).collect()
}
