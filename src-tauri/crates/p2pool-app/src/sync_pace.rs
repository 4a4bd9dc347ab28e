//! How fast the Bitcoin node catches up, from its progress of the last half hour.

use std::collections::VecDeque;

use crate::api::UnixSeconds;
use crate::estimate;

/// The pace is that of this time.
const SPAN_SECS: u64 = 30 * 60;
/// Progress is looked at this often.
const EVERY_SECS: u64 = 15;

/// Progress, 0 to 1, at moments of the last half hour, oldest first.
#[derive(Debug, Default)]
pub(crate) struct SyncPace {
    samples: VecDeque<(UnixSeconds, f64)>,
}

impl SyncPace {
    /// Takes in the progress of now; `None` if the node does not say.
    pub(crate) fn note(&mut self, now: UnixSeconds, progress: Option<f64>) {
        let Some(progress) = progress else { return };
        match self.samples.back() {
            Some((last, _)) if now < *last => self.samples.clear(),
            Some((last, _)) if now.0 < last.0 + EVERY_SECS => return,
            Some(_) | None => {}
        }
        self.samples.push_back((now, progress));
        self.samples.retain(|(at, _)| now.0 - at.0 <= SPAN_SECS);
    }

    /// Time until it is done; `None` while there is no pace to speak of.
    pub(crate) fn remaining_secs(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (*self.samples.front()?, *self.samples.back()?);
        // Seconds of half an hour are exact in a float.
        estimate::remaining_secs(before, after, (to.0 - from.0) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(samples: impl IntoIterator<Item = (u64, f64)>) -> Option<f64> {
        let mut pace = SyncPace::default();
        for (at, progress) in samples {
            pace.note(UnixSeconds(at), Some(progress));
        }
        pace.remaining_secs()
    }

    #[test]
    fn the_last_half_hour_is_what_counts() {
        // A stand still of ten minutes, then one part in a thousand each minute.
        let samples = (0..3_000_u32).map(|second| {
            let progress = 0.5 + f64::from(second.saturating_sub(600)) / 60_000.0;
            (u64::from(second), progress)
        });
        let left = pace(samples).unwrap();
        assert!((left - 0.46 * 60_000.0).abs() < 200.0, "{left}");
    }

    #[test]
    fn no_pace_before_it_moves_and_none_from_a_clock_set_back() {
        assert_eq!(pace([(1_000, 0.2)]), None);
        assert_eq!(pace([(1_000, 0.2), (1_100, 0.2)]), None);
        assert_eq!(pace([(1_000, 0.2), (1_100, 0.3), (50, 0.31)]), None);
    }
}
