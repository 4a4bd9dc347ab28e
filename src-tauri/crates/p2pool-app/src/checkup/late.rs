//! Where late work comes from: what was measured, never a guess.

use p2pool_node::Miner;

use super::{ComputerFacts, result};
use crate::api::{CheckName, CheckOutcome, CheckResult, LateAdvice, LateCause, LateMeasure};
use crate::views::{Sight, count};

/// Part of late work that is too much.
const HIGH_MIN: f64 = 0.1;
/// Results of a miner below which its part says nothing.
const RESULTS_MIN: u64 = 20;
/// Fewer members than this bring shares late.
const MEMBERS_MIN: u32 = 4;
/// An answer of the Bitcoin node may take this long, in milliseconds.
const ANSWER_MS_MAX: f64 = 1_000.0;
/// This program may wait this long for the processor, in milliseconds.
const WAIT_MS_MAX: f64 = 300.0;

/// What is known about late work.
pub(crate) fn late(
    sight: &Sight<'_>,
    computer: &ComputerFacts,
    results: &[CheckResult],
) -> LateAdvice {
    let late_part = sight.late_part();
    let mut causes: Vec<LateCause> = [
        one_miner(&sight.node.miners.miners),
        node_answer(sight, results),
        node_telling(results),
        members(sight),
        Some(cause(
            LateMeasure::ComputerBusy { wait_ms: computer.wait_ms },
            computer.wait_ms > WAIT_MS_MAX,
        )),
    ]
    .into_iter()
    .flatten()
    .collect();
    // The sort is stable: likely causes first, each group in the order above.
    causes.sort_by_key(|cause| !cause.is_cause);
    LateAdvice { late_part, is_high: late_part.is_some_and(|part| part >= HIGH_MIN), causes }
}

fn cause(measure: LateMeasure, is_cause: bool) -> LateCause {
    LateCause { measure, is_cause }
}

/// The miner with the largest part of late results, beside the others together.
fn one_miner(miners: &[Miner]) -> Option<LateCause> {
    let rated = || miners.iter().filter(|miner| miner.accepted >= RESULTS_MIN);
    let part = |late: u64, all: u64| if all == 0 { 0.0 } else { late as f64 / all as f64 };
    let worst =
        rated().max_by(|a, b| part(a.late, a.accepted).total_cmp(&part(b.late, b.accepted)))?;
    let others = rated().filter(|miner| miner.worker != worst.worker);
    let (late, all) =
        others.fold((0, 0), |(late, all), miner| (late + miner.late, all + miner.accepted));
    if all == 0 {
        // Nobody to compare with.
        return None;
    }
    let (late_part, others_part) = (part(worst.late, worst.accepted), part(late, all));
    let name = (!worst.is_helper).then(|| worst.worker.clone());
    let is_cause = late_part >= HIGH_MIN && others_part < late_part / 2.0;
    Some(cause(LateMeasure::OneMiner { name, late_part, others_part }, is_cause))
}

fn node_answer(sight: &Sight<'_>, results: &[CheckResult]) -> Option<LateCause> {
    let test = result(results, CheckName::NodeTemplate)?;
    if matches!(test.outcome, CheckOutcome::Skipped | CheckOutcome::Failed) {
        return None;
    }
    let nodes = &sight.node.bitcoin_details.nodes;
    let is_remote = nodes.iter().any(|node| node.is_in_use && node.is_remote);
    let measure = LateMeasure::NodeAnswer { answer_ms: test.took_ms, is_remote };
    Some(cause(measure, test.outcome == CheckOutcome::Weak || test.took_ms > ANSWER_MS_MAX))
}

fn node_telling(results: &[CheckResult]) -> Option<LateCause> {
    let test = result(results, CheckName::NodeNewBlocks)?;
    (test.outcome == CheckOutcome::Weak).then(|| cause(LateMeasure::NodeNotTelling, true))
}

fn members(sight: &Sight<'_>) -> Option<LateCause> {
    let connected = count(sight.node.summary.peers);
    let measure = LateMeasure::FewMembers { connected };
    (!sight.node.is_practice).then(|| cause(measure, connected < MEMBERS_MIN))
}
