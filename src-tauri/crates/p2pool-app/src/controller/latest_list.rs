//! The list of what happened lately, numbered.

use std::collections::VecDeque;

use crate::api::{EVENTS_MAX, LatestEvent, LatestKind};
use crate::run::Line;

/// Lines that may wait for the history.
const WAITING_MAX: usize = 256;

/// What happened in this run and, once the history has been read, before it.
#[derive(Debug, Default)]
pub(super) struct LatestList {
    /// Newest first.
    entries: VecDeque<LatestEvent>,
    last_id: u64,
    /// Lines that wait until the history has been read, so that numbers rise.
    waiting: Option<Vec<Line>>,
    /// Whether the next start of mining is the end of a pause.
    pub(super) is_resuming: bool,
}

impl LatestList {
    /// An empty list that will be told the history.
    pub(super) fn waiting() -> Self {
        Self { waiting: Some(Vec::new()), ..Self::default() }
    }

    /// The newest entries, newest first.
    pub(super) fn newest(&self) -> Vec<LatestEvent> {
        self.entries.iter().cloned().collect()
    }

    /// Takes in a line; returns it numbered, unless it still has to wait.
    pub(super) fn add(&mut self, line: Line) -> Option<LatestEvent> {
        let (at, what) = line;
        let is_resumption = what == LatestKind::MiningStarted && self.is_resuming;
        let what = if is_resumption { LatestKind::MiningResumed } else { what };
        if let Some(waiting) = &mut self.waiting {
            if waiting.len() < WAITING_MAX {
                waiting.push((at, what));
            }
            return None;
        }
        Some(self.number((at, what)))
    }

    /// Takes in the history, newest first, and then what has waited for it.
    pub(super) fn remember(&mut self, past: Vec<(u64, Line)>) {
        let Some(waiting) = self.waiting.take() else { return };
        self.last_id = past.iter().map(|(id, _)| *id).max().unwrap_or_default();
        self.entries = past
            .into_iter()
            .take(EVENTS_MAX)
            .map(|(id, (at, what))| LatestEvent { id, at, what })
            .collect();
        for line in waiting {
            self.number(line);
        }
    }

    fn number(&mut self, (at, what): Line) -> LatestEvent {
        self.last_id += 1;
        let added = LatestEvent { id: self.last_id, at, what };
        self.entries.push_front(added.clone());
        self.entries.truncate(EVENTS_MAX);
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::UnixSeconds;

    #[test]
    fn numbers_rise_from_history_to_what_waited_for_it() {
        let mut list = LatestList::waiting();
        assert_eq!(list.add((UnixSeconds(9), LatestKind::MiningStarted)), None);
        list.remember(vec![(7, (UnixSeconds(5), LatestKind::MiningPaused))]);
        list.add((UnixSeconds(10), LatestKind::ShareLate));
        let ids: Vec<_> = list.newest().iter().map(|entry| (entry.id, entry.at.0)).collect();
        assert_eq!(ids, [(9, 10), (8, 9), (7, 5)]);
    }

    #[test]
    fn start_after_a_pause_is_a_resumption() {
        let mut list = LatestList { is_resuming: true, ..LatestList::default() };
        let added = list.add((UnixSeconds(1), LatestKind::MiningStarted)).unwrap();
        assert_eq!(added.what, LatestKind::MiningResumed);
    }
}
