//! Conditions that only time shows: a tip that gets old, and a node that the pool has left behind.

use std::time::Duration;

use bitcoin::Network;
use p2pool_bitcoind::{Condition, NodeFacts};
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::time::UnixTime;
use tokio::time::Instant;

use crate::state::NodeProblem;

/// Two hours without a block happen once in half a year.
const TIP_AGE_MAX_SECS: u64 = 2 * 3600;
/// A block takes seconds to reach everybody; a node that lacks two for so long is cut off.
const BEHIND_MAX: Duration = Duration::from_secs(120);

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Health {
    behind_since: Option<Instant>,
}

impl Health {
    /// Whether the pool has been ahead for too long. `pool_height` is what the pool's newest
    /// shares build, `own_height` what the node in use does.
    pub(super) fn is_behind(
        &mut self,
        now: Instant,
        own_height: Option<u32>,
        pool_height: Option<u32>,
    ) -> bool {
        let is_behind = match (own_height, pool_height) {
            (Some(own), Some(pool)) => pool > own.saturating_add(1),
            _ => false,
        };
        if !is_behind {
            self.behind_since = None;
            return false;
        }
        let since = *self.behind_since.get_or_insert(now);
        now.duration_since(since) >= BEHIND_MAX
    }
}

/// A warning if no block has been seen for hours. Private chains have no pace.
pub(super) fn old_tip(
    chain: Network,
    now: UnixTime,
    template: &BlockTemplate,
    facts: &NodeFacts,
) -> Option<NodeProblem> {
    let is_public = matches!(chain, Network::Bitcoin | Network::Testnet | Network::Testnet4);
    let is_of_this_tip = facts.blocks.checked_add(1) == Some(template.height);
    let tip_time = u64::from(facts.tip_time.filter(|_| is_public && is_of_this_tip)?);
    let age_secs = now.0.saturating_sub(tip_time);
    (age_secs > TIP_AGE_MAX_SECS).then(|| NodeProblem {
        code: Condition::TipOld.into(),
        reason: format!("block {} is {age_secs} s old", facts.blocks),
        since: UnixTime(tip_time + TIP_AGE_MAX_SECS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_a_race_and_two_blocks_for_two_minutes_are_not() {
        let start = Instant::now();
        let mut health = Health::default();
        let mut look = |second: u64, own: u32, pool: u32| {
            health.is_behind(start + Duration::from_secs(second), Some(own), Some(pool))
        };
        assert!(!look(0, 10, 11));
        assert!(!look(300, 10, 12));
        assert!(!look(419, 10, 12));
        assert!(look(420, 10, 12));
        assert!(!look(421, 11, 12), "caught up");
        assert!(!look(422, 10, 12), "the time starts anew");
    }

    #[test]
    fn nothing_is_said_of_heights_that_nobody_knows() {
        let mut health = Health::default();
        let later = Instant::now() + Duration::from_secs(1000);
        for (own, pool) in [(None, Some(5)), (Some(5), None), (None, None)] {
            assert!(!health.is_behind(Instant::now(), own, pool));
            assert!(!health.is_behind(later, own, pool));
        }
    }
}
