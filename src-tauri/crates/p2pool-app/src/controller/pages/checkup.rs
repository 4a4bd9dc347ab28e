//! *Check-up*: its view, its tests, and the computer it looks after.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use p2pool_node::PeerState;
use p2pool_sharechain::change::{Fate, OwnShare};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::super::{Controller, MODES, TICK};
use crate::api::{
    AppReply, Change, CheckUp, CheckUpRequest, Checks, HealthLine, HealthSubject, LOG_BATCH_MAX,
    LatestKind, LightState, Problem, ProblemCode, ReportShows, UNPAID_SHARES_MAX, UiError,
    UnixSeconds, UnpaidShares,
};
use crate::checkup::tests_run::{self, Subjects};
use crate::checkup::{self, ComputerFacts, DISK_LOW_BYTES, Facts, OwnFound};
use crate::history;
use crate::problems::Condition;
use crate::report::{self, Material, REPORT_LINES};

/// Where an answer goes.
type Reply = oneshot::Sender<Result<AppReply, UiError>>;

/// Disk and records are read this often, the page shown or not.
const READ_EVERY: Duration = Duration::from_secs(60);
/// Waits for the processor are remembered this long.
const WAITS_KEPT: Duration = Duration::from_secs(600);
/// Ten minutes of one wait a second, so that the list has an end.
const WAITS_MAX: usize = 1_200;
/// Wall time that passes between two ticks only if the computer slept.
const SLEPT_SECS_MIN: u64 = 60;

/// What the page remembers.
#[derive(Debug, Default)]
pub(crate) struct CheckUpState {
    tests: Checks,
    computer: ComputerFacts,
    own: Vec<OwnFound>,
    /// When each line got its present look.
    looks: BTreeMap<(HealthSubject, String), (LightState, Option<UnixSeconds>)>,
    waits: VecDeque<(Instant, f64)>,
    ticked: Option<(Instant, UnixSeconds)>,
    read_at: Option<Instant>,
    /// Disk and records are to be read again.
    pub(crate) is_old: bool,
    /// The newest line of the log that the window has, while it looks at it.
    log_shown: Option<u64>,
}

impl CheckUpState {
    /// A disk that is nearly full.
    pub(crate) fn of_disk(&self, folder: &Path) -> Option<Condition> {
        let free = self.computer.disk_free.filter(|free| *free < DISK_LOW_BYTES)?;
        let technical = format!("{} MB free", free / 1_000_000);
        let condition = Condition::catalogued(ProblemCode::DataUnwritable, technical);
        Some(condition.with("path", folder.display().to_string()).hideable())
    }

    /// Notes how long the processor let this program wait; returns for how long it slept.
    fn tick(&mut self, at: Instant, now: UnixSeconds) -> Option<u64> {
        let (ticked, wall) = self.ticked.replace((at, now))?;
        let passed = now.0.saturating_sub(wall.0);
        if passed >= SLEPT_SECS_MIN {
            return Some(passed);
        }
        let wait = (at - ticked).saturating_sub(TICK).as_secs_f64() * 1_000.0;
        self.waits.push_back((at, wait));
        while self.waits.len() > WAITS_MAX
            || self.waits.front().is_some_and(|(noted, _)| at - *noted > WAITS_KEPT)
        {
            self.waits.pop_front();
        }
        self.computer.wait_ms = self.waits.iter().map(|(_, wait)| *wait).fold(0.0, f64::max);
        None
    }

    /// Notes when lines changed their look, and tells it to them.
    fn date(&mut self, lines: &[HealthLine], now: UnixSeconds) {
        let mut looks = BTreeMap::new();
        for line in lines {
            let key = key(line);
            let dated = match self.looks.get(&key) {
                Some((state, at)) if *state == line.state => (*state, *at),
                Some(_) => (line.state, Some(now)),
                None => (line.state, None),
            };
            looks.insert(key, dated);
        }
        self.looks = looks;
    }
}

/// Names a line for as long as it stands there.
fn key(line: &HealthLine) -> (HealthSubject, String) {
    (line.subject, line.of.clone())
}

impl Controller {
    /// What the page shows.
    pub(crate) fn check_up(&self) -> CheckUp {
        let now = self.host.now();
        let run = self.shown_run();
        let sight = run.map(|run| run.sight(now));
        let state = &self.checkup;
        let results = &state.tests.results;
        let mut health = self.health(&self.site().problems.list());
        for line in &mut health {
            line.changed_at = state.looks.get(&key(line)).and_then(|(_, at)| *at);
        }
        let ladder = match (&sight, run) {
            (Some(sight), Some(run)) => checkup::ladder(sight, run.last_left_at),
            _ => checkup::no_node(),
        };
        CheckUp {
            health,
            tests: state.tests.clone(),
            ladder,
            late: sight
                .as_ref()
                .map(|sight| checkup::late(sight, &state.computer, results))
                .unwrap_or_default(),
            unpaid: sight
                .as_ref()
                .map_or_else(UnpaidShares::default, |sight| checkup::unpaid(sight, &state.own)),
        }
    }

    fn health(&self, problems: &[Problem]) -> Vec<HealthLine> {
        let sight = self.shown_run().map(|run| run.sight(self.host.now()));
        let state = &self.checkup;
        checkup::health(
            sight.as_ref(),
            Facts {
                computer: &state.computer,
                problems,
                results: &state.tests.results,
                version: self.host.version(),
            },
        )
    }

    /// A request of the page.
    pub(crate) fn ask_check_up(&mut self, ask: CheckUpRequest, reply: Reply) {
        let answer = match ask {
            CheckUpRequest::RunTests => {
                self.run_tests();
                AppReply::Done
            }
            CheckUpRequest::ReadLog { before } => {
                let log = self.host.log().map(|log| log.before(before, LOG_BATCH_MAX));
                AppReply::Log { log: log.unwrap_or_default() }
            }
            CheckUpRequest::ShowLog { is_shown } => {
                let log = self.host.log().filter(|_| is_shown);
                self.checkup.log_shown = log.map(|log| log.last());
                AppReply::Done
            }
            CheckUpRequest::PreviewReport { shows } => return self.report(shows, false, reply),
            CheckUpRequest::SaveReport { shows } => return self.report(shows, true, reply),
        };
        // Who asked may have gone.
        let _ = reply.send(Ok(answer));
    }

    /// Makes a report beside the controller, and saves it if that is wanted.
    fn report(&mut self, shows: ReportShows, is_saved: bool, reply: Reply) {
        let (host, check_up) = (Arc::clone(&self.host), self.check_up());
        self.spawn_blocking_then(
            move || {
                let log = host.log().map(|log| log.before(None, REPORT_LINES).lines);
                let material = Material {
                    version: host.version().to_owned(),
                    settings: crate::settings::text(host.data_dir()),
                    check_up,
                    log: log.unwrap_or_default(),
                    names: report::names(host.data_dir()),
                };
                let files = report::files(&material, shows);
                if !is_saved {
                    return Ok(AppReply::Report { preview: report::preview(&files) });
                }
                let name = format!("p2pool-desktop-report-{}.zip", host.now().0);
                let saved = report::archive(&files)
                    .and_then(|zip| report::save(host.downloads_dir().as_deref(), &name, &zip));
                saved.map(|path| AppReply::Saved { path: path.display().to_string() })
            },
            |_, made: io::Result<AppReply>| {
                let answer = made.map_err(|error| {
                    let error = UiError::new(ProblemCode::Unexpected, error.to_string());
                    error.with("doing", "saving the report")
                });
                let _ = reply.send(answer);
            },
        );
    }

    /// Sends new lines of the log, while it is looked at.
    pub(crate) fn push_log(&mut self) {
        let (Some(after), Some(log)) = (self.checkup.log_shown, self.host.log()) else { return };
        let lines = log.after(after, LOG_BATCH_MAX);
        let Some(last) = lines.last() else { return };
        self.checkup.log_shown = Some(last.number);
        self.send(Change::Log(lines));
    }

    /// Whether new lines of the log are to be sent.
    pub(crate) fn is_log_shown(&self) -> bool {
        self.checkup.log_shown.is_some() && self.is_visible
    }

    fn run_tests(&mut self) {
        if self.checkup.tests.is_running {
            return;
        }
        self.checkup.tests.is_running = true;
        self.page_is_due();
        let subjects = self.subjects();
        self.spawn_then(tests_run::run(subjects), |controller, results| {
            let ended_at = Some(controller.host.now());
            controller.checkup.tests = Checks { is_running: false, ended_at, results };
            controller.page_is_due();
        });
    }

    fn subjects(&self) -> Subjects {
        let node = self.shown_run().map(|run| &run.node);
        let practice = node.and_then(|node| node.practice_rpc.as_ref());
        let rpc = practice.map(|rpc| rpc.config());
        let is_called = |peer: &&PeerState| !peer.is_incoming;
        Subjects {
            rpc: rpc.or_else(|| self.shown_run().and_then(|run| run.facts.rpc.clone())),
            chain: node.map_or(bitcoin::Network::Bitcoin, |node| node.chain),
            members: node
                .map(|node| {
                    let peers = node.p2p.peers.iter().filter(is_called);
                    peers.filter_map(|peer| peer.address).collect()
                })
                .unwrap_or_default(),
            has_members: node.is_some_and(|node| !node.is_practice),
            door: node.map_or(([127, 0, 0, 1], 0).into(), |node| node.stratum_address),
            data_dir: self.host.data_dir().to_owned(),
            now_unix_s: self.host.now().0,
        }
    }

    /// Watches the computer: whether it slept, is busy, or has no room left.
    pub(crate) fn look_after_computer(&mut self, now: UnixSeconds) {
        let at = Instant::now();
        if let Some(slept) = self.checkup.tick(at, now) {
            tracing::info!(slept_secs = slept, "this computer slept");
            for mode in MODES {
                if self.sites[mode].run().is_some() {
                    self.list(mode, (now, LatestKind::Slept { slept_secs: slept as f64 }));
                }
            }
        }
        let lines = self.health(&self.site().problems.list());
        self.checkup.date(&lines, now);
        let is_due = self.checkup.read_at.is_none_or(|read| at - read >= READ_EVERY);
        if is_due || std::mem::take(&mut self.checkup.is_old) {
            self.checkup.read_at = Some(at);
            self.read_computer();
        }
    }

    /// Reads what takes time to read.
    fn read_computer(&mut self) {
        let folder = self.host.data_dir().to_owned();
        let database = self.shown_run().map(|run| run.node.database.clone());
        let now = self.host.now();
        self.spawn_blocking_then(
            move || {
                let own =
                    database.map(|database| history::own_shares(&database, now, UNPAID_SHARES_MAX));
                (tests_run::disk_free(&folder), own)
            },
            |controller, (disk_free, own)| {
                controller.checkup.computer.disk_free = disk_free;
                match own {
                    Some(Ok(own)) => {
                        controller.checkup.own = own.iter().map(found).collect();
                    }
                    Some(Err(error)) => tracing::debug!(%error, "own shares not read"),
                    None => controller.checkup.own.clear(),
                }
            },
        );
    }
}

fn found(share: &OwnShare) -> OwnFound {
    OwnFound {
        hash: share.hash.to_string(),
        found_at: UnixSeconds(share.found_at.0),
        is_late: matches!(share.fate, Fate::Orphan | Fate::Dead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::HealthText;

    #[tokio::test(start_paused = true)]
    async fn jump_of_the_clock_between_two_ticks_is_sleep_and_no_wait() {
        let mut state = CheckUpState::default();
        assert_eq!(state.tick(Instant::now(), UnixSeconds(1_000)), None);
        tokio::time::advance(TICK + Duration::from_millis(80)).await;
        assert_eq!(state.tick(Instant::now(), UnixSeconds(1_001)), None);
        assert!((state.computer.wait_ms - 80.0).abs() < 1.0);
        tokio::time::advance(TICK).await;
        assert_eq!(state.tick(Instant::now(), UnixSeconds(1_001 + 10_800)), Some(10_800));
        assert!((state.computer.wait_ms - 80.0).abs() < 1.0);
        tokio::time::advance(WAITS_KEPT + TICK).await;
        // Ten minutes without a tick are sleep by the wall's clock; by this one alone, a wait.
        state.tick(Instant::now(), UnixSeconds(12_000));
        assert!(state.waits.len() <= 1);
    }

    #[test]
    fn lines_are_dated_when_their_look_changes() {
        let line = |state| HealthLine {
            subject: HealthSubject::Disk,
            of: String::new(),
            state,
            text: HealthText::DiskUnknown,
            changed_at: None,
            problem: None,
        };
        let mut state = CheckUpState::default();
        let at = |state: &CheckUpState| state.looks.values().next().and_then(|(_, at)| *at);
        state.date(&[line(LightState::Ok)], UnixSeconds(5));
        assert_eq!(at(&state), None);
        state.date(&[line(LightState::Attention)], UnixSeconds(9));
        assert_eq!(at(&state), Some(UnixSeconds(9)));
        state.date(&[line(LightState::Attention)], UnixSeconds(12));
        assert_eq!(at(&state), Some(UnixSeconds(9)));
    }

    #[test]
    fn disk_that_is_nearly_full_is_told() {
        let mut state = CheckUpState::default();
        assert_eq!(state.of_disk(Path::new("data")), None);
        state.computer.disk_free = Some(DISK_LOW_BYTES - 1);
        let condition = state.of_disk(Path::new("data")).unwrap();
        assert_eq!(condition.code(), ProblemCode::DataUnwritable);
        assert_eq!(condition.values["path"], "data");
    }
}
