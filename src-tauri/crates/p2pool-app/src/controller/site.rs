//! What belongs to one node: its phase, what is wanted of it, its problems and its list.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use p2pool_node::{NodeEvent, NodeSnapshot, SettingsError, StartError};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::latest_list::LatestList;
use crate::api::{Mode, ProblemCode};
use crate::link::NodeLink;
use crate::problems::{Condition, ProblemBook};
use crate::run::{Run, RunFacts};
use crate::settings;
use crate::state::Wish;

/// The live node and the practice node, which run side by side.
#[derive(Debug, Default)]
pub(super) struct Sites {
    live: Site,
    practice: Site,
}

/// One node and everything that is known and wanted of it.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) phase: Phase,
    /// News of the running node.
    pub(super) news: Option<News>,
    pub(super) wish: Wish,
    /// Mining rests although it is wished for: the person tries practice meanwhile.
    pub(super) is_resting: bool,
    /// The node is to be stopped and started again, with other settings.
    pub(super) is_to_restart: bool,
    pub(super) problems: ProblemBook,
    /// Problems of the application itself, beside those of the node.
    pub(super) conditions: Vec<Condition>,
    /// When nodes ended by themselves, newest last.
    pub(super) failures: VecDeque<Instant>,
    pub(super) latest: LatestList,
    /// When the miners were last looked at for the chart.
    pub(super) sampled: Option<Instant>,
    /// My late shares are to be read again.
    pub(super) is_late_due: bool,
}

/// What a node is doing.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// There is none.
    #[default]
    Idle,
    /// It is being started.
    Starting,
    /// It runs.
    Running(Box<Run>),
    /// It is being stopped.
    Stopping,
    /// It is not started, for this reason, until the person has done something about it.
    Held(ProblemCode),
}

/// The ends of a node's channels on which it tells something.
#[derive(Debug)]
pub(super) struct News {
    pub(super) snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    pub(super) events: broadcast::Receiver<NodeEvent>,
}

/// Something a node told.
#[derive(Debug)]
pub(super) enum Told {
    Snapshot(Arc<NodeSnapshot>),
    Event(NodeEvent),
    /// It has ended; this is its last word.
    End(Arc<NodeSnapshot>),
}

/// A node that has been started, with what it was started with.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) link: NodeLink,
    pub(super) facts: RunFacts,
    /// The settings file.
    pub(super) read: settings::Read,
}

/// Why there is no node.
#[derive(Debug)]
pub(super) enum StartFailure {
    Refused(StartError),
    /// It was not even tried.
    Held(Box<Condition>),
    /// A panic, in words.
    Panic(String),
}

impl From<StartError> for StartFailure {
    fn from(error: StartError) -> Self {
        Self::Refused(error)
    }
}

impl From<SettingsError> for StartFailure {
    fn from(error: SettingsError) -> Self {
        Self::Refused(error.into())
    }
}

impl Sites {
    /// The next thing any node tells; never, without a node.
    pub(super) async fn next_told(&mut self) -> (Mode, Told) {
        tokio::select! {
            told = next_told(&mut self.live.news) => (Mode::Live, told),
            told = next_told(&mut self.practice.news) => (Mode::Practice, told),
        }
    }
}

impl Index<Mode> for Sites {
    type Output = Site;

    fn index(&self, mode: Mode) -> &Site {
        match mode {
            Mode::Live => &self.live,
            Mode::Practice => &self.practice,
        }
    }
}

impl IndexMut<Mode> for Sites {
    fn index_mut(&mut self, mode: Mode) -> &mut Site {
        match mode {
            Mode::Live => &mut self.live,
            Mode::Practice => &mut self.practice,
        }
    }
}

impl Site {
    /// The run of its node, while that runs.
    pub(super) fn run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Running(run) => Some(run),
            Phase::Idle | Phase::Starting | Phase::Stopping | Phase::Held(_) => None,
        }
    }

    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match &mut self.phase {
            Phase::Running(run) => Some(run),
            Phase::Idle | Phase::Starting | Phase::Stopping | Phase::Held(_) => None,
        }
    }

    /// Whether a node runs, starts or stops.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Running(_) | Phase::Stopping)
    }

    /// Adds a problem of the application; a newer one of the same code replaces it.
    pub(super) fn add(&mut self, condition: Condition) {
        self.conditions.retain(|old| old.key != condition.key);
        self.conditions.push(condition);
    }

    /// A new attempt: what kept the last one from working is told anew if it still does.
    pub(super) fn try_again(&mut self) {
        self.conditions.clear();
        if matches!(self.phase, Phase::Held(_)) {
            self.phase = Phase::Idle;
        }
    }
}

/// The next thing a node tells; never, without a node.
async fn next_told(news: &mut Option<News>) -> Told {
    let Some(news) = news else { return std::future::pending().await };
    loop {
        tokio::select! {
            changed = news.snapshots.changed() => return match changed {
                Ok(()) => Told::Snapshot(Arc::clone(&news.snapshots.borrow_and_update())),
                Err(_) => Told::End(Arc::clone(&news.snapshots.borrow())),
            },
            event = news.events.recv() => match event {
                Ok(event) => return Told::Event(event),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::debug!(lost, "events of the node missed; its snapshot has the state");
                }
                // The snapshots end too.
                Err(broadcast::error::RecvError::Closed) => {
                    while news.snapshots.changed().await.is_ok() {}
                    return Told::End(Arc::clone(&news.snapshots.borrow()));
                }
            },
        }
    }
}
