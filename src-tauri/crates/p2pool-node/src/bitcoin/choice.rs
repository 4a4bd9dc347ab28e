//! Which of two Bitcoin nodes work comes from.

use std::time::Duration;

use tokio::time::Instant;

/// The first node may hear of a block this much later than the reserve.
const LAG_MAX: Duration = Duration::from_secs(30);

/// The node in use: the first whenever it can be used, else the reserve.
#[derive(Debug, Default)]
pub(super) struct Choice {
    in_use: usize,
    /// Since when the first node has fewer blocks than the reserve.
    lags_since: Option<Instant>,
}

impl Choice {
    /// Position of the node in use.
    pub(super) fn in_use(&self) -> usize {
        self.in_use
    }

    /// Chooses anew. `first` and `reserve` are the heights that the two build, if they do.
    pub(super) fn update(&mut self, now: Instant, first: Option<u32>, reserve: Option<u32>) {
        let is_behind = matches!((first, reserve), (Some(first), Some(reserve)) if first < reserve);
        if !is_behind {
            self.lags_since = None;
        }
        match (first, reserve) {
            (None, Some(_)) => self.in_use = 1,
            (Some(_), _) if !is_behind => self.in_use = 0,
            (Some(_), _) => {
                // A block that the reserve knew first is no reason to change over, and one that
                // it alone knows none to go back.
                let since = *self.lags_since.get_or_insert(now);
                if now.duration_since(since) >= LAG_MAX {
                    self.in_use = 1;
                }
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(heights: &[(u64, Option<u32>, Option<u32>)]) -> Vec<usize> {
        let start = Instant::now();
        let mut choice = Choice::default();
        let mut used = Vec::new();
        for (second, first, reserve) in heights {
            choice.update(start + Duration::from_secs(*second), *first, *reserve);
            used.push(choice.in_use());
        }
        used
    }

    #[test]
    fn reserve_stands_in_until_the_first_node_has_caught_up() {
        let heights = [
            (0, Some(10), Some(10)),
            (1, None, Some(10)),
            (2, None, Some(11)),
            (3, Some(10), Some(11)),
            (4, Some(11), Some(11)),
        ];
        assert_eq!(steps(&heights), [0, 1, 1, 1, 0]);
    }

    #[test]
    fn a_short_lag_changes_nothing_and_a_long_one_does() {
        let heights = [
            (0, Some(10), Some(11)),
            (5, Some(11), Some(11)),
            (6, Some(11), Some(12)),
            (35, Some(11), Some(12)),
            (36, Some(11), Some(12)),
            (37, Some(12), Some(12)),
        ];
        assert_eq!(steps(&heights), [0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn nobody_to_choose_from_changes_nothing() {
        assert_eq!(steps(&[(0, None, Some(3)), (1, None, None)]), [1, 1]);
        assert_eq!(steps(&[(0, Some(3), None), (1, None, None)]), [0, 0]);
    }
}
