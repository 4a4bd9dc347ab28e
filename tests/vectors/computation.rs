//! What follows from a share's chain: targets, weights, payouts, the generation transaction.

use std::collections::BTreeMap;

use p2pool_sharechain::generation::{Generation, Window, expected_payouts};
use p2pool_sharechain::params::{DONATION_SCRIPT, Params};
use p2pool_sharechain::retarget::Retarget;
use p2pool_sharechain::{Attempts, CheckedShare, CompactBits, ShareHash, Tracker, address, stats};
use serde_json::Value;

use crate::cases::{same, same_bytes};
use crate::read::{Read, text, whole};
use crate::targets::same_double;

/// Compares the generation transaction that the chain demands with a record.
pub(crate) fn generation(
    record: &Value,
    share: &CheckedShare,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let generation = tracker.generation_of(share).map_err(|e| e.to_string())?;
    let nonce = share.share().last_txout_nonce.to_le_bytes();
    let stripped = [generation.up_to_nonce(), &nonce, &[0; 4]].concat();
    same_bytes("generation", &record.bytes("gentx_nonwitness_hex")?, &stripped)?;
    same_bytes("txid", &record.hash("gentx_txid")?, &generation.txid(nonce))?;
    same_bytes("ref hash", &record.bytes("ref_hash")?, generation.ref_hash())?;
    let mut whole_bytes = Vec::new();
    generation.write_with_witness(&mut whole_bytes, nonce);
    if record.get("gentx_hex").is_some() {
        let has_witness = share.share().info.segwit.is_some();
        let key = if has_witness { "gentx_hex" } else { "gentx_nonwitness_hex" };
        same_bytes("generation with witness", &record.bytes(key)?, &whole_bytes)?;
    }
    if record.maybe("gentx_size").is_some() {
        same("size", &record.whole("gentx_size")?, &(stripped.len() as u64))?;
        same("weight", &record.whole("gentx_weight")?, &(generation.weight() as u64))?;
    }
    let weight = stripped.len() * 3 + whole_bytes.len();
    same("weight of the bytes", &weight, &generation.weight())?;
    payouts(record, &generation, share, tracker.params())
}

/// Payouts in order, each to one of the keys that stand for its script.
fn payouts(
    record: &Value,
    generation: &Generation,
    share: &CheckedShare,
    params: &Params,
) -> Result<(), String> {
    let first = usize::from(share.share().info.segwit.is_some());
    let outputs = generation.outputs();
    let paid = outputs.get(first..outputs.len() - 1).unwrap_or_default();
    let expected = record.list("payouts")?;
    same("number of payouts", &expected.len(), &paid.len())?;
    for (expected, paid) in expected.iter().zip(paid) {
        same("value", &expected.whole("value")?, &paid.value_sats)?;
        same_bytes("script", &expected.bytes("script")?, &paid.script)?;
        let candidates = match expected.maybe("address_candidates") {
            Some(_) => expected.list("address_candidates")?.iter().map(text).collect(),
            None => expected.maybe("address").map(text).into_iter().collect::<Result<Vec<_>, _>>(),
        };
        for key in candidates? {
            let script = if key == "(donation)" {
                Ok(DONATION_SCRIPT.to_vec())
            } else {
                address::decode(key.as_bytes(), &params.addresses).and_then(|decoded| {
                    address::script(&decoded, share.share().version.pads_programs())
                })
            };
            same("script of the key", &Ok(paid.script.clone()), &script)?;
        }
    }
    Ok(())
}

/// Compares a record's `computation`.
pub(crate) fn check(
    expected: &Value,
    share: &CheckedShare,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let parent = share.share().parent();
    let (height, _) = tracker.height_and_last(parent);
    same("previous height", &expected.whole_32("previous_height")?, &height)?;
    targets(expected, parent, tracker)?;
    weights(expected.at("weights")?, share, tracker)
}

fn targets(expected: &Value, parent: Option<ShareHash>, tracker: &Tracker) -> Result<(), String> {
    let steps = Retarget::above(tracker, parent);
    let easiest = steps.map_or(tracker.params().max_target, |steps| steps.easiest);
    same("third target", &expected.target("pre_target3")?, &easiest)?;
    match (expected.maybe("pool_attempts_per_second"), steps) {
        (None, None) => Ok(()),
        (Some(_), Some(steps)) => {
            rate(expected, &steps)?;
            same("first target", &expected.target("pre_target")?, &steps.wanted)?;
            same("second target", &expected.target("pre_target2")?, &steps.stepped)
        }
        (expected, steps) => Err(format!("rate: expected {expected:?}, got {steps:?}")),
    }
}

fn rate(expected: &Value, steps: &Retarget) -> Result<(), String> {
    let rate = expected.attempts("pool_attempts_per_second")?;
    same("attempts per second", &rate, &steps.attempts_per_second)
}

/// Compares the pool's rate where a record has nothing else of its retarget.
pub(crate) fn rate_above(
    expected: &Value,
    share: &CheckedShare,
    tracker: &Tracker,
) -> Result<(), String> {
    match Retarget::above(tracker, share.share().parent()) {
        Some(steps) => rate(expected, &steps),
        None => Err("the chain is too short for a rate".to_owned()),
    }
}

/// Compares the payout window of a share, which starts at its grandparent.
pub(crate) fn weights(
    expected: &Value,
    share: &CheckedShare,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let parent = share.share().parent();
    let (height, _) = tracker.height_and_last(parent);
    let start = parent.and_then(|hash| tracker.get(hash)).and_then(|share| share.share().parent());
    let shares_max = height.min(tracker.params().real_chain_length).saturating_sub(1);
    let bits = share.share().header.bits;
    let window = tracker.payout_window(parent, bits);
    limits(expected, start, shares_max, bits, tracker.params())?;
    same_window(expected, &window)
}

/// Where the reference starts and stops counting weights.
fn limits(
    expected: &Value,
    start: Option<ShareHash>,
    shares_max: u32,
    block_bits: CompactBits,
    params: &Params,
) -> Result<(), String> {
    same("start", &expected.share_hash("start_hash")?, &start)?;
    same("most shares", &expected.whole_32("max_shares")?, &shares_max)?;
    let cap = block_bits.attempts() * Attempts::from(params.spread) * Attempts::from(65_535);
    same("most weight", &expected.attempts("desired_weight")?, &cap)
}

fn same_window(expected: &Value, window: &Window) -> Result<(), String> {
    let mut weights = BTreeMap::new();
    for (key, weight) in expected.at("weights")?.as_object().ok_or("not an object")? {
        let weight: Attempts = text(weight)?.parse().map_err(|e| format!("{weight}: {e}"))?;
        weights.insert(key.clone().into_bytes(), weight);
    }
    let actual: BTreeMap<_, _> =
        window.weights.iter().map(|(key, weight)| (key.text().to_vec(), *weight)).collect();
    same("weights", &weights, &actual)?;
    same("number of weights", &weights.len(), &window.weights.len())?;
    same("total weight", &expected.attempts("total_weight")?, &window.total)?;
    same("donation's weight", &expected.attempts("donation_weight")?, &window.donation())
}

/// Compares one of a record's `after`: the window that starts at the share itself.
pub(crate) fn after(
    expected: &Value,
    share: &CheckedShare,
    tracker: &mut Tracker,
) -> Result<(), String> {
    let target = expected.target("block_target")?;
    let bits = CompactBits::from_target(target);
    same("block target", &Some(target), &bits.target())?;
    let best = Some(share.hash());
    let window = tracker.expected_window(best, bits);
    let recorded = expected.at("cumulative_weights")?;
    let (height, _) = tracker.height_and_last(best);
    let shares_max = height.min(tracker.params().real_chain_length);
    limits(recorded, best, shares_max, bits, tracker.params())?;
    same_window(recorded, &window)?;

    let subsidy = expected.whole("subsidy")?;
    let mut payouts: BTreeMap<Vec<u8>, u64> =
        expected_payouts(&window, subsidy).into_iter().collect();
    let rest = subsidy - payouts.values().sum::<u64>();
    *payouts.entry(tracker.params().donation_key().to_vec()).or_default() += rest;
    let mut recorded = BTreeMap::new();
    for (key, sats) in expected.at("expected_payouts")?.as_object().ok_or("not an object")? {
        recorded.insert(key.clone().into_bytes(), whole(sats)?);
    }
    same("expected payouts", &recorded, &payouts)
}

/// Shares that the recorded statistics look at.
const STATS_SHARES: u32 = 100;

/// Compares a record's `after_stats`.
pub(crate) fn after_stats(
    expected: &Value,
    share: &CheckedShare,
    tracker: &Tracker,
) -> Result<(), String> {
    let best = Some(share.hash());
    let (height, _) = tracker.height_and_last(best);
    same("height", &expected.whole_32("height")?, &height)?;
    let sum = tracker.verified().total(best);
    same("work", &expected.attempts("delta_to_last_work")?, &sum.work)?;
    same("work by the easiest targets", &expected.attempts("min_work")?, &sum.min_work)?;

    let shares = height.min(STATS_SHARES);
    let mut votes = BTreeMap::new();
    for (version, work) in expected.at("desired_version_counts")?.as_object().ok_or("no object")? {
        let version: u64 = version.parse().map_err(|e| format!("{version}: {e}"))?;
        votes.insert(version, text(work)?.parse().map_err(|e| format!("{work}: {e}"))?);
    }
    same("votes", &votes, &tracker.votes(best, shares))?;

    let recorded = expected.at("stale_counts_lookbehind_min_height_100")?;
    let counts = stats::stale_counts(tracker, best, shares);
    let kinds = recorded.as_object().ok_or("no object")?;
    let mut other = Attempts::ZERO;
    for (kind, work) in kinds.iter().filter(|(kind, _)| kind.starts_with("unk")) {
        other += text(work)?.parse::<Attempts>().map_err(|e| format!("{kind}: {e}"))?;
    }
    let named =
        |kind: &str| recorded.maybe(kind).map_or(Ok(Attempts::ZERO), |_| recorded.attempts(kind));
    same("good", &named("good")?, &counts.good)?;
    same("orphan", &named("orphan")?, &counts.orphan)?;
    same("dead on arrival", &named("doa")?, &counts.dead_on_arrival)?;
    same("other announcements", &other, &counts.other)?;

    let proportion = stats::stale_proportion(tracker, best, shares);
    same_double("stale proportion", expected.double("average_stale_prop")?, proportion)?;
    let rate = stats::attempts_per_second(tracker, best, shares).ok_or("no rate")?;
    same_double("rate", expected.double("attempts_per_second_min_height_100")?, rate)
}
