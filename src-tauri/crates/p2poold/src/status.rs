//! The newest snapshot and the tally as one [`Status`].

use std::time::Duration;

use p2pool_node::{HelperState, NodeSnapshot};

use crate::notice::{MiningState, Status};
use crate::payees::Payees;
use crate::problems::problems;
use crate::tally::Tally;

/// What there is to show at this moment.
pub(crate) fn status(
    ran: Duration,
    snapshot: &NodeSnapshot,
    tally: &Tally,
    payees: &Payees,
) -> Status {
    let summary = &snapshot.summary;
    let payouts = summary.payouts_now.iter().map(|(script, sats)| (script, *sats));
    let cpu_hashrate_hps = match snapshot.helper {
        HelperState::Running { hashrate_hps, .. } => Some(hashrate_hps),
        HelperState::Off
        | HelperState::Starting
        | HelperState::Paused { .. }
        | HelperState::Finished
        | HelperState::TooHot { .. }
        | HelperState::Missing { .. }
        | HelperState::Stopped { .. } => None,
    };
    Status {
        ran_seconds: ran.as_secs(),
        hashrate_hps: snapshot.miners.hashrate_hps,
        cpu_hashrate_hps,
        pool_hashrate_hps: summary.pool_hashrate_hps,
        is_mining: snapshot.is_mining,
        state: mining_state(snapshot),
        problems: problems(snapshot),
        shares_mine: tally.shares_mine,
        shares_late: tally.shares_late,
        shares_others: tally.shares_others,
        best_share: summary.best.map(|hash| hash.to_string()),
        height: summary.height,
        window_shares: summary.window.len() as u64,
        window_mine: summary.window.iter().filter(|share| share.is_own).count() as u64,
        peers: summary.peers as u64,
        blocks_found: tally.blocks_found,
        blocks_accepted: tally.blocks_accepted,
        next_block_height: summary.next_height,
        next_block_sats: summary.block_value_sats,
        share_difficulty: summary.share_difficulty,
        block_difficulty: summary.network_difficulty,
        payouts: payees.by_amount(payouts),
    }
}

/// Whether miners have work.
pub(crate) fn mining_state(snapshot: &NodeSnapshot) -> MiningState {
    match (snapshot.is_mining, snapshot.summary.has_work) {
        (false, _) => MiningState::Paused,
        (true, false) => MiningState::Waiting,
        (true, true) => MiningState::Mining,
    }
}
