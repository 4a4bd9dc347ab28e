//! Waiting times between attempts: doubling, capped, with jitter.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Doubling waits between `first` and `max`, each cut by up to half at random so that many
/// clients of a restarted node do not return in step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    attempts: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, attempts: 0 }
    }

    /// Starts again from the shortest wait.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The next wait.
    pub(crate) fn next_wait(&mut self) -> Duration {
        // The process-wide hash seed is random enough for spreading retries.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(self.attempts);
        let wait = self.wait(hasher.finish());
        self.attempts = self.attempts.saturating_add(1);
        wait
    }

    fn wait(&self, random: u64) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.attempts.min(16)).min(self.max);
        let cut = u32::try_from(random % 512).expect("below 512");
        doubled - doubled / 1024 * cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(500);
    const MAX: Duration = Duration::from_secs(10);

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = Backoff::new(FIRST, MAX);
        let mut longest = Vec::new();
        for _ in 0..7 {
            longest.push(backoff.wait(0));
            backoff.attempts += 1;
        }
        let seconds: Vec<f32> = longest.iter().map(Duration::as_secs_f32).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        backoff.attempts = u32::MAX;
        assert_eq!(backoff.wait(0), MAX);
    }

    #[test]
    fn jitter_takes_off_at_most_half() {
        let mut backoff = Backoff::new(FIRST, MAX);
        for random in [0, 1, 255, 511, u64::MAX] {
            let wait = backoff.wait(random);
            assert!(wait > FIRST / 2 && wait <= FIRST, "{wait:?}");
        }
        for _ in 0..100 {
            assert!(backoff.next_wait() <= MAX);
        }
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }
}
