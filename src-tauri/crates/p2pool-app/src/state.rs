//! The one overall state, and what the mining button offers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use p2pool_node::{BitcoinState, NodeSnapshot, ProblemCode as NodeCode};

use p2pool_sharechain::Params;

use crate::api::{
    MiningControl, OverallState, Problem, ProblemCode, Severity, UnixSeconds, WaitReason,
};
use crate::problems;
use crate::run::Run;
use crate::views::{Sight, Window, count};

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

impl Wish {
    /// The node has ended; if there is another one, mining goes on as soon as it can.
    pub(crate) fn start_anew(&mut self) {
        if *self == Self::Mining {
            *self = Self::Armed { is_resume: true };
        }
    }
}

/// What a node that wants to mine still waits for, in the order in which it will be there.
pub(crate) fn waits_for(node: &NodeSnapshot, params: &Params) -> Vec<WaitReason> {
    let mut reasons = Vec::new();
    match &node.bitcoin {
        BitcoinState::Ready { .. } => {}
        BitcoinState::Unavailable { code: NodeCode::NodeSyncing, .. } => {
            reasons.push(WaitReason::NodeSync);
        }
        BitcoinState::Connecting | BitcoinState::Unavailable { .. } => {
            reasons.push(WaitReason::Node);
        }
    }
    if params.needs_peers && node.summary.peers == 0 {
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

/// The overall state of a running node. `lan` is this computer's address for miners.
pub(crate) fn overall(
    sight: &Sight<'_>,
    wish: Wish,
    problems: &[Problem],
    run: &Run,
    lan: Option<Ipv4Addr>,
) -> OverallState {
    if let BitcoinState::Unavailable { code, since, .. } = &sight.node.bitcoin {
        return if *code == NodeCode::NodeChain {
            OverallState::Blocked { code: problems::code(*code) }
        } else if *code == NodeCode::NodeSyncing {
            let progress = problems::sync_progress(sight.node).unwrap_or_default();
            OverallState::NodeSyncing { progress, remaining_secs: run.sync_secs() }
        } else {
            OverallState::NodeDown { since: UnixSeconds(since.0) }
        };
    }
    if problems::is_clock_useless(sight.node) {
        return OverallState::Blocked { code: ProblemCode::ClockOff };
    }
    if sight.node.p2p.problem == Some(NodeCode::PoolRulesUnknown) {
        return OverallState::Blocked { code: problems::code(NodeCode::PoolRulesUnknown) };
    }
    if sight.params.needs_peers && run.is_alone(sight.now) {
        return OverallState::NoMembers { tried: count(sight.node.p2p.tried) };
    }
    match wish {
        Wish::Paused => paused(sight),
        Wish::Idle | Wish::Armed { .. } => getting_ready(sight, lan),
        Wish::Mining if !sight.node.summary.has_work => getting_ready(sight, lan),
        Wish::Mining => mining(sight, problems, run.last_left_at, lan),
    }
}

fn paused(sight: &Sight<'_>) -> OverallState {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    OverallState::Paused { shares_count_secs: window.leaves_secs(&summary.window) }
}

fn getting_ready(sight: &Sight<'_>, lan: Option<Ipv4Addr>) -> OverallState {
    let summary = &sight.node.summary;
    if matches!(sight.node.bitcoin, BitcoinState::Connecting) {
        return OverallState::Joining { shares_done: None, shares_total: None };
    }
    let (done, total) = (summary.verified_height, summary.height.max(summary.sync.wanted));
    let is_checking = done < summary.height;
    if is_checking || (!summary.has_work && done < total) {
        return OverallState::Joining { shares_done: Some(done), shares_total: Some(total) };
    }
    if !summary.has_work {
        return OverallState::Joining { shares_done: None, shares_total: None };
    }
    waiting_miner(sight, lan)
}

fn waiting_miner(sight: &Sight<'_>, lan: Option<Ipv4Addr>) -> OverallState {
    let address = sight.node.stratum_address;
    let ip = match address.ip() {
        // Miners cannot be pointed at "everywhere", nor those in the house at "here".
        ip if ip.is_unspecified() => lan.map(IpAddr::V4),
        ip if ip.is_loopback() && !sight.node.is_practice => None,
        ip => Some(ip),
    };
    let ip = ip.filter(|_| address.port() != 0);
    let miner_url = ip.map(|ip| format!("stratum+tcp://{}", SocketAddr::new(ip, address.port())));
    OverallState::WaitingMiner { miner_url }
}

fn mining(
    sight: &Sight<'_>,
    problems: &[Problem],
    last_left_at: Option<UnixSeconds>,
    lan: Option<Ipv4Addr>,
) -> OverallState {
    if sight.connected_miners() == 0 {
        return waiting_miner(sight, lan);
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
