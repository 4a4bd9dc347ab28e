//! The CPU miner's card.

use p2pool_node::{HelperSettings, HelperState, NodeSnapshot};
use p2pool_sharechain::time::UnixTime;
use tokio::time::Instant;

use super::super::super::Controller;
use crate::api::pages::{CpuView, CpuWish};
use crate::api::{ProblemCode, UiError};
use crate::devices::{Deed, DeskState};
use crate::estimate;
use crate::link::NodeDeed;
use crate::views;

/// A measurement is kept again after this time.
const NOTE_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// What is asked of the CPU miner of a run.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The run by its start, and the wish.
    wish: Option<(UnixTime, CpuWish)>,
    noted_at: Option<Instant>,
}

impl Controller {
    pub(super) fn cpu_view(&self, desk: &DeskState) -> Option<CpuView> {
        let run = self.shown_run()?;
        let node = &run.node;
        let wish = self.cpu_wish(node);
        let per_thread = desk.cpu_hps;
        let (hashrate_hps, cannot_tell) = match &node.helper {
            HelperState::Running { hashrate_hps, cannot_tell, .. } => {
                (Some(*hashrate_hps), !cannot_tell.is_empty())
            }
            HelperState::Off
            | HelperState::Starting
            | HelperState::Paused { .. }
            | HelperState::Finished
            | HelperState::TooHot { .. }
            | HelperState::Missing { .. }
            | HelperState::Stopped { .. } => (None, false),
        };
        let failure = match &node.helper {
            HelperState::Missing { path, reason } => Some(format!("{}: {reason}", path.display())),
            HelperState::Stopped { reason } => Some(reason.clone()),
            HelperState::Off
            | HelperState::Starting
            | HelperState::Running { .. }
            | HelperState::Paused { .. }
            | HelperState::Finished
            | HelperState::TooHot { .. } => None,
        };
        let expected_hps = per_thread.map(|hps| hps * f64::from(wish.threads));
        let rate = hashrate_hps.or(expected_hps);
        let difficulty = node.summary.share_difficulty;
        Some(CpuView {
            wish,
            state: views::helper_look(&node.helper),
            hashrate_hps,
            expected_hps,
            share_secs: rate.and_then(|hps| estimate::wait_secs(difficulty, hps)),
            threads_available: self.host.threads_available(),
            celsius: p2pool_node::processor_celsius(),
            cannot_tell,
            failure,
        })
    }

    pub(super) fn set_cpu(&mut self, wish: CpuWish) -> Result<(), UiError> {
        let threads = wish.threads.clamp(1, self.host.threads_available().max(1));
        let wish = CpuWish { threads, ..wish };
        let program = self.host.helper_program();
        let Some(run) = self.shown_run() else {
            let error = UiError::new(ProblemCode::Unexpected, "no node runs");
            return Err(error.with("doing", "switching the CPU miner"));
        };
        let usual = HelperSettings::live(program, threads);
        let settings = wish.is_on.then(|| HelperSettings {
            pause_on_battery: wish.pause_on_battery,
            pause_when_active: wish.pause_when_active,
            stop_after: usual.stop_after.filter(|_| wish.stop_soon),
            stop_above_celsius: usual.stop_above_celsius.filter(|_| wish.stop_when_hot),
            ..usual
        });
        if run.deeds().try_send(NodeDeed::SetHelper(settings)).is_err() {
            let error = UiError::new(ProblemCode::Unexpected, "too much is asked at once");
            return Err(error.with("doing", "switching the CPU miner"));
        }
        let started_at = run.node.started_at;
        self.pages.miners.cpu.wish = Some((started_at, wish));
        self.page_is_due();
        Ok(())
    }

    /// What was asked in this run, or what it began with.
    fn cpu_wish(&self, node: &NodeSnapshot) -> CpuWish {
        if let Some((started_at, wish)) = self.pages.miners.cpu.wish
            && started_at == node.started_at
        {
            return wish;
        }
        let threads = self.shown_run().map_or(0, |run| run.facts.threads);
        let is_live = !node.is_practice;
        CpuWish {
            is_on: threads > 0,
            threads: threads.max(1),
            pause_on_battery: is_live,
            pause_when_active: false,
            stop_soon: is_live,
            stop_when_hot: is_live,
        }
    }

    /// Keeps what one thread reaches, for the estimate of another day.
    pub(super) fn note_cpu_rate(&mut self, node: &NodeSnapshot, desk: &DeskState) {
        let HelperState::Running { threads, hashrate_hps, .. } = node.helper else { return };
        let state = &mut self.pages.miners;
        let is_due = state.cpu.noted_at.is_none_or(|at| at.elapsed() >= NOTE_EVERY);
        if !is_due || threads == 0 || hashrate_hps <= 0.0 {
            return;
        }
        state.cpu.noted_at = Some(Instant::now());
        let hps = hashrate_hps / f64::from(threads);
        let is_known = desk.cpu_hps.is_some_and(|old| (old - hps).abs() < old * 0.05);
        if !is_known {
            // A measurement that does not fit now comes again in a minute.
            let _ = state.desk.ask(Deed::NoteCpuRate { hps });
        }
    }
}
