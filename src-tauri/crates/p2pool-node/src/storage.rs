//! The database's only writer, on a thread of its own.

use std::net::SocketAddr;
use std::time::Duration;

use p2pool_sharechain::change::ChangeSet;
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{EventRecord, HostBan, PeerAddress, Retention, SeriesPoint, Store};
use tokio::sync::{mpsc, watch};

use crate::books::Recorder;
use crate::clock::Clock;
use crate::state::StorageState;

/// Change sets under way to storage; while full they merge in the driver.
pub(crate) const QUEUE: usize = 64;
/// After a failed write the next attempt comes this much later.
const RETRY: Duration = Duration::from_secs(1);
/// Chart history is rolled up this often.
const ROLL_UP_EVERY: Duration = Duration::from_secs(300);

/// What storage is asked to keep.
#[derive(Debug)]
pub(crate) enum StoreCommand {
    /// Share-chain changes; must not be lost.
    Changes { sequence: u64, changes: ChangeSet },
    /// Chart points; may be lost.
    Series(Vec<SeriesPoint>),
    /// Own shares to expect of the work of a minute; may be lost.
    Expected { at: UnixTime, shares: f64 },
    /// Events for the list of what happened; may be lost.
    Events(Vec<EventRecord>),
    /// Addresses of other nodes; may be lost.
    Peers { changed: Vec<PeerAddress>, removed: Vec<SocketAddr> },
    /// A host that is avoided, or no longer; may be lost.
    Ban(HostBan),
}

/// The writing thread's state.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Store,
    /// Keeps every share ever seen, if wanted.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) clock: Clock,
    pub(crate) commands: mpsc::Receiver<StoreCommand>,
    pub(crate) persisted: watch::Sender<u64>,
    pub(crate) state: watch::Sender<StorageState>,
}

impl Writer {
    /// Runs on the calling thread until every sender is gone; everything sent before is written.
    pub(crate) fn run(mut self) {
        let mut waiting: Option<(u64, ChangeSet)> = None;
        let mut next_roll_up = self.clock.now().mono + ROLL_UP_EVERY;
        while let Some(command) = self.next(waiting.is_some()) {
            self.take(command, &mut waiting);
            while let Ok(command) = self.commands.try_recv() {
                self.take(Next::Command(command), &mut waiting);
            }
            self.write(&mut waiting);
            let now = self.clock.now();
            if now.mono >= next_roll_up {
                next_roll_up = now.mono + ROLL_UP_EVERY;
                if let Err(error) = self.store.roll_up_and_prune(now.wall, &Retention::default()) {
                    tracing::debug!(%error, "history not rolled up");
                }
            }
        }
        self.write(&mut waiting);
        if let Some((_, rest)) = waiting {
            tracing::error!(shares = rest.added.len(), "changes could not be stored");
        }
        if let Err(error) = self.store.close() {
            tracing::warn!(%error, "database not closed cleanly; it will be at the next start");
        }
    }

    /// The next command; a wake-up after a while if writes failed; `None` at the end.
    fn next(&mut self, is_waiting: bool) -> Option<Next> {
        if !is_waiting {
            return self.commands.blocking_recv().map(Next::Command);
        }
        std::thread::sleep(RETRY);
        match self.commands.try_recv() {
            Ok(command) => Some(Next::Command(command)),
            Err(mpsc::error::TryRecvError::Empty) => Some(Next::Retry),
            Err(mpsc::error::TryRecvError::Disconnected) => None,
        }
    }

    fn take(&mut self, next: Next, waiting: &mut Option<(u64, ChangeSet)>) {
        let Next::Command(command) = next else { return };
        let outcome = match command {
            StoreCommand::Changes { sequence, changes } => {
                match waiting {
                    Some((newest, sum)) => {
                        *newest = sequence;
                        sum.merge(changes);
                    }
                    None => *waiting = Some((sequence, changes)),
                }
                return;
            }
            StoreCommand::Series(points) => self.store.record_series(&points),
            StoreCommand::Expected { at, shares } => self.store.add_expected_shares(at, shares),
            StoreCommand::Events(events) => self.store.record_events(&events),
            StoreCommand::Peers { changed, removed } => self.store.save_peers(&changed, &removed),
            StoreCommand::Ban(ban) => self.store.save_ban(&ban),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "history not stored");
        }
    }

    fn write(&mut self, waiting: &mut Option<(u64, ChangeSet)>) {
        let Some((sequence, changes)) = waiting.take() else { return };
        match self.store.apply(&changes) {
            Ok(()) => {
                self.record(&changes);
                self.persisted.send_replace(sequence);
                self.set_state(StorageState::Ok);
            }
            Err(error) => {
                self.set_state(StorageState::Degraded { reason: error.to_string() });
                *waiting = Some((sequence, changes));
            }
        }
    }

    /// A record that cannot be kept does not hold up anything.
    fn record(&mut self, changes: &ChangeSet) {
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.record(changes)
        {
            tracing::warn!(%error, "shares not recorded");
        }
    }

    fn set_state(&self, state: StorageState) {
        self.state.send_if_modified(|old| {
            let is_new = *old != state;
            if is_new {
                tracing::info!(?state, "storage");
                *old = state;
            }
            is_new
        });
    }
}

enum Next {
    Command(StoreCommand),
    Retry,
}
