//! From a node's snapshot to what the window shows: pure functions, one file a section.

mod connect;
mod hero;
mod lights;
mod miners;
mod parties;
pub(crate) mod payments;
mod payouts;
pub(crate) mod pool;
mod rates;
mod shares;
mod window;

use p2pool_node::NodeSnapshot;
use p2pool_sharechain::Params;

use crate::api::{ChainKind, HelperState as HelperLook, PracticeFacts, Sats, UnixSeconds};

pub(crate) use connect::{Door, connect};
pub(crate) use hero::{effort, hero};
pub(crate) use lights::{lights, starting as starting_lights};
pub(crate) use miners::{CPU_ROW, Sparks, can_identify, miner_of, miner_rows, worker_of};
pub(crate) use parties::Parties;
pub(crate) use payouts::{finder, mine, payouts};
pub(crate) use rates::rates;
pub(crate) use shares::{LateMark, shares};
pub(crate) use window::Window;

/// Results younger than this count as "lately", in seconds.
const LATELY_SECS: u64 = 600;

/// All that a view of a running node is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) now: UnixSeconds,
    pub(crate) node: &'a NodeSnapshot,
    pub(crate) params: &'a Params,
    pub(crate) parties: &'a Parties,
    /// My hash rate, averaged; `None` before the first result and while not mining.
    pub(crate) mine_hps: Option<f64>,
    /// Time it is averaged over.
    pub(crate) mine_over_secs: f64,
}

impl Sight<'_> {
    /// The pool's hash rate, mine included.
    pub(crate) fn pool_hps(&self) -> Option<f64> {
        let hps = self.node.summary.pool_hashrate_hps;
        (hps > 0.0 && hps.is_finite()).then_some(hps)
    }

    /// Late work divided by all work of the last hour. An empty sum is a negative zero, which
    /// nobody wants to read.
    pub(crate) fn late_part(&self) -> Option<f64> {
        self.node.miners.late_part.map(|part| part + 0.0)
    }

    /// Average time to a pool block.
    pub(crate) fn pool_block_secs(&self) -> Option<f64> {
        crate::estimate::wait_secs(self.node.summary.network_difficulty, self.pool_hps()?)
    }

    /// Miners connected now.
    pub(crate) fn connected_miners(&self) -> u32 {
        count(self.node.miners.miners.iter().filter(|miner| miner.connections > 0).count())
    }

    /// Miners connected now that sent a result lately.
    pub(crate) fn working_miners(&self) -> u32 {
        let oldest = self.now.0.saturating_sub(LATELY_SECS);
        let is_working = |miner: &&p2pool_node::Miner| {
            miner.connections > 0 && miner.last_result_at.is_some_and(|at| at.0 >= oldest)
        };
        count(self.node.miners.miners.iter().filter(is_working).count())
    }

    /// Results accepted in this run.
    pub(crate) fn accepted(&self) -> u64 {
        self.node.miners.miners.iter().map(|miner| miner.accepted).sum()
    }
}

/// Facts under the band of practice mode.
pub(crate) fn practice(sight: &Sight<'_>, threads: u32, threads_available: u32) -> PracticeFacts {
    let chain = match sight.node.chain {
        bitcoin::Network::Regtest => ChainKind::Regtest,
        bitcoin::Network::Bitcoin
        | bitcoin::Network::Testnet
        | bitcoin::Network::Testnet4
        | bitcoin::Network::Signet => ChainKind::Testnet4,
    };
    let helper = helper_look(&sight.node.helper);
    PracticeFacts {
        chain,
        block_secs: sight.pool_block_secs(),
        share_secs: f64::from(sight.params.share_period),
        simulated_members: count(sight.node.members.len()),
        threads,
        threads_available,
        helper,
    }
}

/// How the CPU miner is, as the window names it.
pub(crate) fn helper_look(helper: &p2pool_node::HelperState) -> HelperLook {
    use p2pool_node::{HelperPause, HelperState};
    match helper {
        HelperState::Off => HelperLook::Off,
        HelperState::Starting => HelperLook::Starting,
        HelperState::Running { .. } => HelperLook::Running,
        HelperState::Paused { reason: HelperPause::OnBattery } => HelperLook::PausedOnBattery,
        HelperState::Paused { reason: HelperPause::UserActive } => HelperLook::PausedUserActive,
        HelperState::Finished => HelperLook::Finished,
        HelperState::TooHot { .. } => HelperLook::TooHot,
        HelperState::Missing { .. } | HelperState::Stopped { .. } => HelperLook::Failed,
    }
}

/// A length as the number that travels.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// An amount as a part of a whole.
fn part(amount: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| amount as f64 / whole as f64)
}

fn sats(amount: u64) -> Option<Sats> {
    (amount > 0).then_some(Sats(amount))
}
