//! Nodes that come and go.

use std::time::Duration;

use super::World;
use super::node::End;

/// The longest that a node stays away.
const AWAY_MAX: Duration = Duration::from_secs(240);

impl World {
    /// Lets time pass while one node after the other ends, one way or another, and starts again.
    /// `every` is the mean time between two ends. Afterwards all are up.
    pub(crate) fn churn_for(&mut self, time: Duration, every: Duration) {
        let end = self.now + time;
        let mut away: Vec<(Duration, usize)> = Vec::new();
        let mut next = self.now + every.mul_f64(2.0 * self.rng.f64());
        while self.now < end {
            let back = away.iter().map(|(at, _)| *at).min().unwrap_or(end);
            self.run_for(next.min(back).min(end).saturating_sub(self.now));
            let now = self.now;
            let returning: Vec<_> = away.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, node) in returning {
                self.start(node);
            }
            if self.now >= next {
                next = self.now + every.mul_f64(2.0 * self.rng.f64());
                let node = self.rng.usize(..self.nodes.len());
                if self.nodes[node].is_up() {
                    let how = [End::Orderly, End::Killed, End::PowerCut][self.rng.usize(..3)];
                    self.stop(node, how);
                    away.push((self.now + AWAY_MAX.mul_f64(self.rng.f64()), node));
                }
            }
        }
        for (_, node) in away {
            self.start(node);
        }
    }
}
