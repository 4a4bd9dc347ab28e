//! The order of a change on several devices: one of them first, the others only if it went well,
//! and none after a failure.

use std::collections::VecDeque;

/// A queue of devices, one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout<T> {
    waiting: VecDeque<T>,
    is_running: bool,
    has_failed: bool,
}

impl<T> Rollout<T> {
    /// Takes the devices in the order in which they shall be changed.
    pub fn new(devices: impl IntoIterator<Item = T>) -> Self {
        Self { waiting: devices.into_iter().collect(), is_running: false, has_failed: false }
    }

    /// The next device; nothing while one is being changed, after a failure, or at the end.
    pub fn begin_next(&mut self) -> Option<T> {
        if self.is_running || self.has_failed {
            return None;
        }
        let device = self.waiting.pop_front()?;
        self.is_running = true;
        Some(device)
    }

    /// Tells how the change of the device went that was last handed out.
    pub fn ended(&mut self, went_well: bool) {
        self.is_running = false;
        self.has_failed |= !went_well;
    }

    /// The devices that were not begun.
    pub fn untouched(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_is_changed_at_a_time() {
        let mut rollout = Rollout::new([1, 2]);
        assert_eq!(rollout.begin_next(), Some(1));
        assert_eq!(rollout.begin_next(), None);
        rollout.ended(true);
        assert_eq!(rollout.begin_next(), Some(2));
        rollout.ended(true);
        assert_eq!(rollout.begin_next(), None);
    }

    #[test]
    fn the_first_failure_stops_the_rest() {
        let mut rollout = Rollout::new([1, 2, 3]);
        rollout.begin_next();
        rollout.ended(false);
        assert_eq!(rollout.begin_next(), None);
        assert_eq!(rollout.untouched().copied().collect::<Vec<_>>(), [2, 3]);
    }
}
