//! The one overall state, and what the mining button offers.

use p2pool_node::{BitcoinState, NodeSnapshot, ProblemCode as NodeCode};

use crate::api::{MiningControl, OverallState, Problem, Severity, UnixSeconds, WaitReason};
use crate::problems;
use crate::views::{Sight, Window};

/// What the person wants of mining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Start has not been pressed.
    #[default]
    Idle,
    /// Start (or resume) was pressed; mining begins when everything is ready.
    Armed {
        /// Whether mining was paused before.
        is_resume: bool,
    },
    /// Mining.
    Mining,
    /// Paused by the person.
    Paused,
}

/// What a node that wants to mine still waits for, in the order in which it will be there.
pub(crate) fn waits_for(node: &NodeSnapshot) -> Vec<WaitReason> {
    let mut reasons = Vec::new();
    match &node.bitcoin {
        BitcoinState::Ready { .. } => {}
        BitcoinState::Connecting | BitcoinState::Unavailable { .. } => {
            reasons.push(WaitReason::Node);
        }
    }
    if !node.is_practice && node.summary.peers == 0 {
        reasons.push(WaitReason::Members);
    }
    if node.summary.verified_height < node.summary.height {
        reasons.push(WaitReason::ShareChain);
    }
    if !node.summary.has_work {
        reasons.push(WaitReason::Template);
    }
    reasons
}

/// What a node that is still starting waits for.
pub(crate) const STARTING_WAITS_FOR: [WaitReason; 3] =
    [WaitReason::Node, WaitReason::ShareChain, WaitReason::Template];

/// What the mining button offers.
pub(crate) fn control(wish: Wish, waits_for: Vec<WaitReason>) -> MiningControl {
    match wish {
        Wish::Idle => MiningControl::Start { waits_for },
        // Ready, and mining begins this very moment.
        Wish::Armed { .. } if waits_for.is_empty() => MiningControl::Pause,
        Wish::Armed { .. } => MiningControl::Armed { waits_for },
        Wish::Mining => MiningControl::Pause,
        Wish::Paused => MiningControl::Resume,
    }
}

/// The overall state of a running node.
pub(crate) fn overall(
    sight: &Sight<'_>,
    wish: Wish,
    problems: &[Problem],
    last_left_at: Option<UnixSeconds>,
) -> OverallState {
    if let BitcoinState::Unavailable { code, since, .. } = &sight.node.bitcoin {
        return if *code == NodeCode::NodeChain {
            OverallState::Blocked { code: problems::code(*code) }
        } else if *code == NodeCode::NodeSyncing {
            let progress = problems::sync_progress(sight.node).unwrap_or_default();
            OverallState::NodeSyncing { progress, remaining_secs: None }
        } else {
            OverallState::NodeDown { since: UnixSeconds(since.0) }
        };
    }
    match wish {
        Wish::Paused => paused(sight),
        Wish::Idle | Wish::Armed { .. } => getting_ready(sight),
        Wish::Mining if !sight.node.summary.has_work => getting_ready(sight),
        Wish::Mining => mining(sight, problems, last_left_at),
    }
}

fn paused(sight: &Sight<'_>) -> OverallState {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    OverallState::Paused { shares_count_secs: window.leaves_secs(&summary.window) }
}

fn getting_ready(sight: &Sight<'_>) -> OverallState {
    let summary = &sight.node.summary;
    if matches!(sight.node.bitcoin, BitcoinState::Connecting) {
        return OverallState::Joining { shares_done: None, shares_total: None };
    }
    if summary.verified_height < summary.height {
        let (done, total) = (summary.verified_height, summary.height);
        return OverallState::Joining { shares_done: Some(done), shares_total: Some(total) };
    }
    if !summary.has_work {
        return OverallState::Joining { shares_done: None, shares_total: None };
    }
    waiting_miner(sight)
}

fn waiting_miner(sight: &Sight<'_>) -> OverallState {
    let address = sight.node.stratum_address;
    let miner_url = (address.port() != 0).then(|| format!("stratum+tcp://{address}"));
    OverallState::WaitingMiner { miner_url }
}

fn mining(
    sight: &Sight<'_>,
    problems: &[Problem],
    last_left_at: Option<UnixSeconds>,
) -> OverallState {
    if sight.connected_miners() == 0 {
        return waiting_miner(sight);
    }
    let summary = &sight.node.summary;
    let has_share_in_window = summary.window.iter().any(|share| share.is_own);
    if problems.iter().any(|problem| problem.severity >= Severity::Warning) {
        OverallState::Degraded { has_share_in_window }
    } else if has_share_in_window {
        OverallState::Earning
    } else if summary.own_found == 0 {
        OverallState::FirstShare
    } else {
        OverallState::Between { last_left_at }
    }
}
