//! The CPU miner: a separate program that this service starts, watches and stops.
//!
//! A scanner that removes it takes nothing else with it.

mod heat;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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

pub use heat::processor_celsius;

/// Worker name of the CPU miner.
pub(crate) const WORKER: &str = "cpu";
/// First wait before a new start; doubles up to the last.
const RESTART_FIRST: Duration = Duration::from_secs(1);
const RESTART_MAX: Duration = Duration::from_secs(60);
/// A miner that ran this long starts again at once when it ends.
const GOOD_RUN: Duration = Duration::from_secs(60);
/// Time to end by itself once its input is closed.
const END_WITHIN: Duration = Duration::from_secs(2);
/// How often the processor's temperature is looked at.
const HEAT_EVERY: Duration = Duration::from_secs(5);
/// Longest line it may print.
const LINE_BYTES_MAX: usize = 4096;

/// The service's state.
#[derive(Debug)]
pub(crate) struct HelperService {
    /// What is wanted now; `None` for no CPU mining.
    pub(crate) settings: watch::Receiver<Option<HelperSettings>>,
    pub(crate) stratum: SocketAddr,
    pub(crate) is_mining: watch::Receiver<bool>,
    pub(crate) state: watch::Sender<HelperState>,
}

/// The other ends of the service.
#[derive(Debug)]
pub(crate) struct HelperLink {
    /// What is wanted of it.
    pub(crate) wishes: watch::Sender<Option<HelperSettings>>,
    /// How it is doing.
    pub(crate) state: watch::Receiver<HelperState>,
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
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unwanted {
    Cancelled,
    /// Mining is off, or something else is wanted of it.
    Off,
    TimeUp,
    TooHot {
        celsius: f64,
    },
}

/// Why a run ended.
enum RunEnd {
    Asked(Unwanted),
    Died(String),
}

impl HelperService {
    /// Makes the service and its link. It mines at `stratum` while `is_mining`.
    pub(crate) fn new(
        settings: Option<HelperSettings>,
        stratum: SocketAddr,
        is_mining: watch::Receiver<bool>,
    ) -> (Self, HelperLink) {
        let (wishes, settings) = watch::channel(settings);
        let (state, reader) = watch::channel(HelperState::Off);
        (Self { settings, stratum, is_mining, state }, HelperLink { wishes, state: reader })
    }

    /// Keeps the helper running while it is wanted, until cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut is_mining = self.is_mining.clone();
        let mut wanted = self.settings.clone();
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                () = until(&mut is_mining, |is_mining| *is_mining) => {}
            }
            let Some(settings) = wanted.borrow_and_update().clone() else {
                tokio::select! {
                    () = token.cancelled() => return,
                    () = until(&mut wanted, Option::is_some) => continue,
                }
            };
            let end = self.keep_running(&settings, pin!(self.unwanted(&settings, &token))).await;
            let rest = match end {
                Unwanted::Cancelled => return,
                Unwanted::Off => None,
                Unwanted::TimeUp => Some(HelperState::Finished),
                Unwanted::TooHot { celsius } => Some(HelperState::TooHot { celsius }),
            };
            if let Some(rest) = rest {
                self.set(rest);
                tokio::select! {
                    () = token.cancelled() => return,
                    () = until(&mut is_mining, |is_mining| !*is_mining) => {}
                    // Whoever asks again wants it again, even if the wish is the same.
                    Ok(()) = wanted.changed() => {}
                }
            }
            self.set(HelperState::Off);
        }
    }

    /// Waits for a reason to stop, with the time counted from now.
    async fn unwanted(&self, settings: &HelperSettings, token: &CancellationToken) -> Unwanted {
        let mut is_mining = self.is_mining.clone();
        let mut wanted = self.settings.clone();
        let time = async {
            match settings.stop_after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = token.cancelled() => Unwanted::Cancelled,
            () = until(&mut is_mining, |is_mining| !*is_mining) => Unwanted::Off,
            () = until(&mut wanted, |now| now.as_ref() != Some(settings)) => Unwanted::Off,
            () = time => Unwanted::TimeUp,
            celsius = heat::above(settings.stop_above_celsius, HEAT_EVERY) => {
                Unwanted::TooHot { celsius }
            }
        }
    }

    /// Starts the helper again whenever it ends, until it is not wanted any longer.
    async fn keep_running(
        &self,
        settings: &HelperSettings,
        mut unwanted: Pin<&mut impl Future<Output = Unwanted>>,
    ) -> Unwanted {
        let mut pause = RESTART_FIRST;
        loop {
            let started = tokio::time::Instant::now();
            match self.start(settings) {
                Err(reason) => {
                    let path = settings.program.clone();
                    self.set(HelperState::Missing { path, reason });
                }
                Ok(child) => match self.watch(settings.threads, child, unwanted.as_mut()).await {
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

    fn start(&self, settings: &HelperSettings) -> Result<Child, String> {
        let HelperSettings { program, threads, limit_hps, .. } = settings;
        let mut command = Command::new(program);
        command
            .arg("--url")
            .arg(format!("stratum+tcp://{}", self.door()))
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
        if settings.pause_on_battery {
            command.arg("--pause-on-battery");
        }
        if settings.pause_when_active {
            command.arg("--pause-when-active");
        }
        let child = command.spawn().map_err(|error| error.to_string())?;
        self.set(HelperState::Starting);
        Ok(child)
    }

    /// The miners' door as seen from this computer: a door on all addresses is on its own, too.
    fn door(&self) -> SocketAddr {
        let ip = match self.stratum.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        SocketAddr::new(ip, self.stratum.port())
    }

    /// Follows the helper's reports until it ends or is not wanted any longer.
    async fn watch(
        &self,
        threads: u32,
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
                        self.note(threads, &line, &mut cannot_tell);
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
    fn note(&self, threads: u32, line: &str, cannot_tell: &mut Vec<HelperPause>) {
        match serde_json::from_str(line) {
            Ok(Report::Hashrate { hashrate_hps }) if hashrate_hps.is_finite() => {
                let cannot_tell = cannot_tell.clone();
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

/// Waits until it is as wanted; for ever, if nobody can change it any more.
async fn until<T>(watched: &mut watch::Receiver<T>, is_wanted: impl FnMut(&T) -> bool) {
    if watched.wait_for(is_wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
