//! The four lights of the status bar.

use p2pool_node::{BitcoinState, HelperState};

use super::{Sight, count};
use crate::api::{ChainLight, LightState, Lights, MembersLight, MinersLight, NodeLight};

/// The lights of a running node.
pub(crate) fn lights(sight: &Sight<'_>) -> Lights {
    Lights {
        node: node(sight),
        chain: chain(sight),
        members: members(sight),
        miners: miners(sight),
    }
}

/// The lights while a node starts.
pub(crate) fn starting() -> Lights {
    let working = LightState::Working;
    Lights {
        node: NodeLight { state: working, height: None },
        chain: ChainLight { state: working, shares: 0 },
        ..Lights::default()
    }
}

fn node(sight: &Sight<'_>) -> NodeLight {
    match sight.node.bitcoin {
        BitcoinState::Connecting => NodeLight { state: LightState::Working, height: None },
        BitcoinState::Ready { tip_height } => {
            NodeLight { state: LightState::Ok, height: Some(tip_height) }
        }
        BitcoinState::Unavailable { .. } => NodeLight { state: LightState::Stopped, height: None },
    }
}

fn chain(sight: &Sight<'_>) -> ChainLight {
    let summary = &sight.node.summary;
    // A practice chain may be empty and all right: its first share is still to be found.
    let state = if summary.has_work && summary.verified_height >= summary.height {
        LightState::Ok
    } else {
        LightState::Working
    };
    ChainLight { state, shares: summary.verified_height }
}

fn members(sight: &Sight<'_>) -> MembersLight {
    let connected = count(sight.node.summary.peers);
    let wanted = sight.parties.simulated();
    let state = if connected > 0 && connected >= wanted {
        LightState::Ok
    } else if !sight.node.is_practice {
        LightState::Attention
    } else if wanted == 0 {
        LightState::Off
    } else {
        LightState::Working
    };
    // Simulated members come to us; a practice node calls nobody.
    let incoming = if sight.node.is_practice { connected } else { 0 };
    MembersLight { state, connected, incoming }
}

fn miners(sight: &Sight<'_>) -> MinersLight {
    let (connected, working) = (sight.connected_miners(), sight.working_miners());
    let has_failed =
        matches!(sight.node.helper, HelperState::Missing { .. } | HelperState::Stopped { .. });
    let state = if !sight.node.is_mining {
        LightState::Off
    } else if working > 0 {
        LightState::Ok
    } else if connected == 0 && (has_failed || sight.accepted() > 0) {
        LightState::Stopped
    } else {
        LightState::Working
    };
    MinersLight { state, working, connected }
}
