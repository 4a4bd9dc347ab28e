//! The CPU miner: a separate program that this service starts, watches and stops.
//!
//! A scanner that removes it takes nothing else with it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::settings::HelperSettings;
use crate::state::HelperState;

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
struct Report {
    event: String,
    #[serde(default)]
    hashrate_hps: f64,
}

/// Why a run ended.
enum RunEnd {
    Asked,
    Died(String),
}

impl HelperService {
    /// Keeps the helper running while mining is on, until cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let mut pause = RESTART_FIRST;
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                () = until(&mut self.is_mining, true) => {}
            }
            let started = tokio::time::Instant::now();
            match self.start() {
                Err(reason) => {
                    let path = self.settings.program.clone();
                    self.set(HelperState::Missing { path, reason });
                }
                Ok(child) => match self.watch(child, &token).await {
                    RunEnd::Asked => {
                        self.set(HelperState::Off);
                        pause = RESTART_FIRST;
                        continue;
                    }
                    RunEnd::Died(reason) => self.set(HelperState::Stopped { reason }),
                },
            }
            if started.elapsed() >= GOOD_RUN {
                pause = RESTART_FIRST;
            }
            tokio::select! {
                () = token.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RESTART_MAX);
        }
    }

    fn start(&self) -> Result<Child, String> {
        let mut command = Command::new(&self.settings.program);
        command
            .arg("--url")
            .arg(format!("stratum+tcp://{}", self.stratum))
            .args(["--user", WORKER, "--json", "--parent-watch"])
            .arg("--threads")
            .arg(self.settings.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // The way by which a shell may have been told the Bitcoin node's password.
            .env_remove("P2POOL_RPC_PASSWORD")
            .kill_on_drop(true);
        if let Some(limit) = self.settings.limit_hps {
            command.arg("--limit").arg(limit.to_string());
        }
        let child = command.spawn().map_err(|error| error.to_string())?;
        self.set(HelperState::Starting);
        Ok(child)
    }

    /// Follows the helper's reports until it ends or is not wanted any longer.
    async fn watch(&self, mut child: Child, token: &CancellationToken) -> RunEnd {
        let mut is_mining = self.is_mining.clone();
        let Some(output) = child.stdout.take() else {
            return RunEnd::Died("its output cannot be read".into());
        };
        let mut lines = BufReader::new(output).lines();
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                () = until(&mut is_mining, false) => break,
                line = lines.next_line() => match line {
                    Ok(Some(line)) if line.len() <= LINE_BYTES_MAX => self.note(&line),
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => {
                        let status = child.wait().await;
                        let reason = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                        return RunEnd::Died(reason);
                    }
                }
            }
        }
        // Its input closes, which it takes as the wish to end.
        drop(child.stdin.take());
        if tokio::time::timeout(END_WITHIN, child.wait()).await.is_err()
            && let Err(error) = child.kill().await
        {
            tracing::warn!(%error, "the CPU miner does not end");
        }
        RunEnd::Asked
    }

    fn note(&self, line: &str) {
        let Ok(report) = serde_json::from_str::<Report>(line) else { return };
        if report.event == "hashrate" && report.hashrate_hps.is_finite() {
            let threads = self.settings.threads;
            self.set(HelperState::Running { threads, hashrate_hps: report.hashrate_hps });
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
