//! The CPU miner: a separate program that this service starts, watches and stops.
//!
//! A scanner that removes it takes nothing else with it.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::settings::HelperSettings;
use crate::state::{HelperPause, HelperState};

/// Worker name of the CPU miner.
pub(crate) const WORKER: &str = "cpu";
/// First wait before a new start; doubles up to the last.
const RESTART_FIRST: Duration = Duration::from_secs(1);
const RESTART_MAX: Duration = Duration::from_secs(60);
/// A miner that ran this long starts again at once when it ends.
const GOOD_RUN: Duration = Duration::from_secs(60);
/// Time to end by itself once its input is closed.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Longest line it may print.
const LINE_BYTES_MAX: usize = 4096;

/// The service's state.
#[derive(Debug)]
pub(crate) struct HelperService {
    pub(crate) settings: HelperSettings,
    pub(crate) stratum: SocketAddr,
    pub(crate) is_mining: watch::Receiver<bool>,
    pub(crate) state: watch::Sender<HelperState>,
}

/// What the helper prints, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Report {
    Hashrate {
        hashrate_hps: f64,
    },
    Paused {
        reason: HelperPause,
    },
    CannotTell {
        reasons: Vec<HelperPause>,
    },
    #[serde(other)]
    Other,
}

/// Why the helper is not to run any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unwanted {
    Cancelled,
    Off,
    TimeUp,
}

/// Why a run ended.
enum RunEnd {
    Asked(Unwanted),
    Died(String),
}

impl HelperService {
    /// Keeps the helper running while mining is on and its time is not up, until cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut is_mining = self.is_mining.clone();
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                () = until(&mut is_mining, true) => {}
            }
            match self.keep_running(pin!(self.unwanted(&token))).await {
                Unwanted::Cancelled => return,
                Unwanted::Off => {}
                Unwanted::TimeUp => {
                    self.set(HelperState::Finished);
                    tokio::select! {
                        () = token.cancelled() => return,
                        () = until(&mut is_mining, false) => {}
                    }
                }
            }
            self.set(HelperState::Off);
        }
    }

    /// Waits for a reason to stop, with the time counted from now.
    async fn unwanted(&self, token: &CancellationToken) -> Unwanted {
        let mut is_mining = self.is_mining.clone();
        let time = async {
            match self.settings.stop_after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = token.cancelled() => Unwanted::Cancelled,
            () = until(&mut is_mining, false) => Unwanted::Off,
            () = time => Unwanted::TimeUp,
        }
    }

    /// Starts the helper again whenever it ends, until it is not wanted any longer.
    async fn keep_running(
        &self,
        mut unwanted: Pin<&mut impl Future<Output = Unwanted>>,
    ) -> Unwanted {
        let mut pause = RESTART_FIRST;
        loop {
            let started = tokio::time::Instant::now();
            match self.start() {
                Err(reason) => {
                    let path = self.settings.program.clone();
                    self.set(HelperState::Missing { path, reason });
                }
                Ok(child) => match self.watch(child, unwanted.as_mut()).await {
                    RunEnd::Asked(unwanted) => return unwanted,
                    RunEnd::Died(reason) => self.set(HelperState::Stopped { reason }),
                },
            }
            if started.elapsed() >= GOOD_RUN {
                pause = RESTART_FIRST;
            }
            tokio::select! {
                unwanted = unwanted.as_mut() => return unwanted,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RESTART_MAX);
        }
    }

    fn start(&self) -> Result<Child, String> {
        let HelperSettings { program, threads, limit_hps, .. } = &self.settings;
        let mut command = Command::new(program);
        command
            .arg("--url")
            .arg(format!("stratum+tcp://{}", self.stratum))
            .args(["--user", WORKER, "--json", "--parent-watch"])
            .arg("--threads")
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Some(limit) = limit_hps {
            command.arg("--limit").arg(limit.to_string());
        }
        if self.settings.pause_on_battery {
            command.arg("--pause-on-battery");
        }
        if self.settings.pause_when_active {
            command.arg("--pause-when-active");
        }
        let child = command.spawn().map_err(|error| error.to_string())?;
        self.set(HelperState::Starting);
        Ok(child)
    }

    /// Follows the helper's reports until it ends or is not wanted any longer.
    async fn watch(
        &self,
        mut child: Child,
        mut unwanted: Pin<&mut impl Future<Output = Unwanted>>,
    ) -> RunEnd {
        let Some(output) = child.stdout.take() else {
            return RunEnd::Died("its output cannot be read".into());
        };
        let mut lines = BufReader::new(output).lines();
        let mut cannot_tell = Vec::new();
        let unwanted = loop {
            tokio::select! {
                unwanted = unwanted.as_mut() => break unwanted,
                line = lines.next_line() => match line {
                    Ok(Some(line)) if line.len() <= LINE_BYTES_MAX => {
                        self.note(&line, &mut cannot_tell);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => {
                        let status = child.wait().await;
                        let reason = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                        return RunEnd::Died(reason);
                    }
                }
            }
        };
        // Its input closes, which it takes as the wish to end.
        drop(child.stdin.take());
        if tokio::time::timeout(END_WITHIN, child.wait()).await.is_err()
            && let Err(error) = child.kill().await
        {
            tracing::warn!(%error, "the CPU miner does not end");
        }
        RunEnd::Asked(unwanted)
    }

    /// Takes a report. It is running, or running again, once it tells its hash rate.
    fn note(&self, line: &str, cannot_tell: &mut Vec<HelperPause>) {
        match serde_json::from_str(line) {
            Ok(Report::Hashrate { hashrate_hps }) if hashrate_hps.is_finite() => {
                let (threads, cannot_tell) = (self.settings.threads, cannot_tell.clone());
                self.set(HelperState::Running { threads, hashrate_hps, cannot_tell });
            }
            Ok(Report::Paused { reason }) => self.set(HelperState::Paused { reason }),
            Ok(Report::CannotTell { reasons }) => *cannot_tell = reasons,
            Ok(Report::Hashrate { .. } | Report::Other) | Err(_) => {}
        }
    }

    fn set(&self, state: HelperState) {
        self.state.send_if_modified(|old| {
            let is_new = *old != state;
            *old = state;
            is_new
        });
    }
}

/// Waits until mining is on or off as wanted; for ever, if nobody can switch it any more.
async fn until(is_mining: &mut watch::Receiver<bool>, wanted: bool) {
    if is_mining.wait_for(|is_mining| *is_mining == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
