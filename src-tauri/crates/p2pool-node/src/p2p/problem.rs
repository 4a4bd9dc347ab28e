//! What is wrong with the connections to the pool, as far as a node can tell by itself.

use std::time::Duration;

use p2pool_engine::{ChainSummary, WhyNoWork};
use p2pool_sharechain::time::UnixTime;
use p2pool_wire::peering::PeeringStatus;

use crate::state::ProblemCode;

/// A pool without a new share for so long is silent.
const SILENT: Duration = Duration::from_secs(15 * 60);
/// So many addresses at which nobody answers at all mean that the way there is blocked.
const BLOCKED_MIN: usize = 8;
/// So many hang-ups in a row mean that members do not want this node.
const HANG_UPS_MIN: u32 = 5;
/// Fewer shares say nothing about who else mines.
const WINDOW_MIN: usize = 20;

/// What is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) status: &'a PeeringStatus,
    pub(crate) summary: &'a ChainSummary,
    /// Peers in a row that hung up on our greeting.
    pub(crate) hang_ups: u32,
    pub(crate) is_other_port: bool,
    /// Whether others are expected at all.
    pub(crate) is_practice: bool,
    pub(crate) now: UnixTime,
}

/// The worst problem, if there is any.
pub(crate) fn problem(facts: Facts<'_>) -> Option<ProblemCode> {
    let of_pool = if facts.is_practice { None } else { of_pool(facts) };
    of_pool.or(facts.is_other_port.then_some(ProblemCode::PoolPortTaken))
}

fn of_pool(facts: Facts<'_>) -> Option<ProblemCode> {
    let Facts { status, summary, now, .. } = facts;
    if summary.unsupported_vote.as_ref().is_some_and(|vote| vote.part > 0.5) {
        return Some(ProblemCode::PoolRulesUnknown);
    }
    if status.outgoing + status.incoming == 0 {
        return without_members(status, facts.hang_ups);
    }
    if summary.why_no_work == Some(WhyNoWork::NothingFits) {
        return Some(ProblemCode::PoolChainWrong);
    }
    if summary.split_part.is_some() {
        return Some(ProblemCode::PoolSplit);
    }
    let newest = summary.window.first().map(|share| u64::from(share.timestamp));
    if newest.is_some_and(|newest| now.0.saturating_sub(newest) > SILENT.as_secs()) {
        return Some(ProblemCode::PoolSilent);
    }
    let is_alone = summary.window.len() >= WINDOW_MIN && summary.window.iter().all(|s| s.is_own);
    is_alone.then_some(ProblemCode::PoolAlone)
}

fn without_members(status: &PeeringStatus, hang_ups: u32) -> Option<ProblemCode> {
    if hang_ups >= HANG_UPS_MIN {
        return Some(ProblemCode::PoolRefusesUs);
    }
    let is_blocked = status.reached_addresses == 0 && status.resolved_names > 0;
    if is_blocked && status.tried_addresses >= BLOCKED_MIN {
        return Some(ProblemCode::PoolPortBlocked);
    }
    status.has_tried_all.then_some(ProblemCode::PoolMembersMissing)
}

#[cfg(test)]
mod tests {
    use p2pool_engine::WindowShare;
    use p2pool_sharechain::ShareHash;

    use super::*;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn of(status: &PeeringStatus, summary: &ChainSummary) -> Option<ProblemCode> {
        let (hang_ups, is_other_port, is_practice) = (0, false, false);
        problem(Facts { status, summary, hang_ups, is_other_port, is_practice, now: NOW })
    }

    fn share(age: u64, is_own: bool) -> WindowShare {
        WindowShare {
            hash: ShareHash::from_internal([1; 32]),
            timestamp: u32::try_from(NOW.0 - age).unwrap(),
            payee: String::new(),
            difficulty: 1.0,
            is_own,
            is_stale_notice: false,
            is_block: false,
        }
    }

    fn connected() -> PeeringStatus {
        PeeringStatus { outgoing: 1, ..PeeringStatus::default() }
    }

    #[test]
    fn nobody_found_is_told_once_everybody_was_tried() {
        let status = PeeringStatus { tried_addresses: 3, ..PeeringStatus::default() };
        assert_eq!(of(&status, &ChainSummary::default()), None);
        let status = PeeringStatus { has_tried_all: true, ..status };
        let missing = Some(ProblemCode::PoolMembersMissing);
        assert_eq!(of(&status, &ChainSummary::default()), missing);
        assert_eq!(of(&connected(), &ChainSummary::default()), None);
    }

    #[test]
    fn names_found_but_nobody_reached_means_a_blocked_port() {
        let status = PeeringStatus {
            tried_addresses: BLOCKED_MIN,
            resolved_names: 2,
            has_tried_all: true,
            ..PeeringStatus::default()
        };
        let blocked = Some(ProblemCode::PoolPortBlocked);
        assert_eq!(of(&status, &ChainSummary::default()), blocked);
        // Without names it may as well be that there is no network.
        let status = PeeringStatus { resolved_names: 0, ..status };
        assert_ne!(of(&status, &ChainSummary::default()), blocked);
    }

    #[test]
    fn members_that_hang_up_are_told_apart_from_none() {
        let (status, summary) = (PeeringStatus::default(), ChainSummary::default());
        let facts = Facts {
            status: &status,
            summary: &summary,
            hang_ups: HANG_UPS_MIN,
            is_other_port: false,
            is_practice: false,
            now: NOW,
        };
        assert_eq!(problem(facts), Some(ProblemCode::PoolRefusesUs));
    }

    #[test]
    fn silent_pool_and_one_without_others_are_told() {
        let window = vec![share(SILENT.as_secs() + 1, false)];
        let summary = ChainSummary { window, ..ChainSummary::default() };
        assert_eq!(of(&connected(), &summary), Some(ProblemCode::PoolSilent));
        let window = vec![share(60, true); WINDOW_MIN];
        let summary = ChainSummary { window: window.clone(), ..ChainSummary::default() };
        assert_eq!(of(&connected(), &summary), Some(ProblemCode::PoolAlone));
        let window = [window, vec![share(90, false)]].concat();
        let summary = ChainSummary { window, ..ChainSummary::default() };
        assert_eq!(of(&connected(), &summary), None);
    }

    #[test]
    fn members_whose_shares_do_not_fit_together_are_told() {
        let why_no_work = Some(WhyNoWork::NothingFits);
        let summary = ChainSummary { why_no_work, ..ChainSummary::default() };
        assert_eq!(of(&connected(), &summary), Some(ProblemCode::PoolChainWrong));
    }

    #[test]
    fn a_pool_that_went_another_way_is_told() {
        let summary = ChainSummary { split_part: Some(0.3), ..ChainSummary::default() };
        assert_eq!(of(&connected(), &summary), Some(ProblemCode::PoolSplit));
    }

    #[test]
    fn practice_misses_nobody() {
        let status = PeeringStatus { has_tried_all: true, ..PeeringStatus::default() };
        let summary = ChainSummary::default();
        let facts = Facts {
            status: &status,
            summary: &summary,
            hang_ups: 0,
            is_other_port: true,
            is_practice: true,
            now: NOW,
        };
        assert_eq!(problem(facts), Some(ProblemCode::PoolPortTaken));
    }
}
