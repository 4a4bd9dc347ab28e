//! [`TempNode`]: a node in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::program;

/// Lines shown when a test has waited in vain.
const LINES_SHOWN: usize = 40;
/// How often a process is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A `p2poold practice --json`, on regtest unless told otherwise, or a `p2poold run --json`. Killed
/// when dropped.
#[derive(Debug)]
pub struct TempNode {
    child: Child,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    complaints: Option<JoinHandle<String>>,
}

/// How a node ended.
#[derive(Debug)]
pub struct Exit {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// From the wish to the end.
    pub took: Duration,
    /// All lines.
    pub lines: Vec<Value>,
    /// Standard error.
    pub stderr: String,
}

impl TempNode {
    /// Starts a practice node on `data_dir` with any free port and further arguments.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let is_told = arguments.contains(&"--chain");
        let chain: &[&str] = if is_told { &[] } else { &["--chain", "regtest"] };
        Self::spawn(&["practice", "--stratum-port", "0"], data_dir, &[arguments, chain].concat())
    }

    /// Starts a node for a Bitcoin node on regtest, with any free port on loopback.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run_on_regtest(data_dir: &Path, arguments: &[&str]) -> Self {
        let base = ["run", "--network", "regtest", "-w", "127.0.0.1:0", "--no-listen"];
        Self::spawn(&base, data_dir, arguments)
    }

    fn spawn(base: &[&str], data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program("p2poold"));
        command
            .args(base)
            .args(["--json", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let output = BufReader::new(child.stdout.take().expect("piped above"));
        let mut errors = child.stderr.take().expect("piped above");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
                if sender.send(value).is_err() {
                    // The test is over.
                    return;
                }
            }
        });
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            // What could be read until the end is what there is.
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { child, lines, seen: Vec::new(), complaints: Some(complaints) }
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything told so far.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// The first line of this type that fits, told before or to come.
    ///
    /// # Panics
    /// It does not come in time, or the node ends.
    pub fn wait_for(
        &mut self,
        kind: &str,
        within: Duration,
        mut fits: impl FnMut(&Value) -> bool,
    ) -> Value {
        let mut is_it = |line: &Value| line["type"] == kind && fits(line);
        if let Some(line) = self.seen.iter().find(|line| is_it(line)) {
            return line.clone();
        }
        self.wait_for_next(kind, within, is_it)
    }

    /// The first line to come that fits; `what` names it if it does not come.
    ///
    /// # Panics
    /// It does not come in time, or the node ends.
    pub fn wait_for_next(
        &mut self,
        what: &str,
        within: Duration,
        mut fits: impl FnMut(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.give_up(what, "did not come in time"),
                Err(RecvTimeoutError::Disconnected) => self.give_up(what, "did not come: it ended"),
            }
        }
    }

    fn give_up(&mut self, what: &str, how: &str) -> ! {
        // Whether it ends by itself does not matter any more.
        let _ = self.child.kill();
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok());
        let last = last_lines(&self.seen);
        let complaints = complaints.unwrap_or_default();
        panic!("'{what}' {how}\nlast lines:\n{last}standard error:\n{complaints}");
    }

    /// Ends the node without any warning, as a power cut would.
    ///
    /// # Panics
    /// The system refuses.
    pub fn kill(mut self) -> Vec<Value> {
        self.child.kill().expect("an own child can be killed");
        self.child.wait().expect("an own child can be waited for");
        self.seen.extend(self.lines.iter());
        std::mem::take(&mut self.seen)
    }

    /// Asks the node to end, and waits for it.
    ///
    /// # Panics
    /// It does not end in time.
    #[cfg(unix)]
    pub fn terminate(self, within: Duration) -> Exit {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -TERM");
        self.wait(within)
    }

    /// Waits until the node has ended by itself.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn wait(mut self, within: Duration) -> Exit {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("an own child can be waited for") {
                break status;
            }
            if start.elapsed() > within {
                self.give_up("end", "did not come in time");
            }
            thread::sleep(LOOK_EVERY);
        };
        let took = start.elapsed();
        self.seen.extend(self.lines.iter());
        let complaints = self.complaints.take().expect("taken only at the end");
        Exit {
            code: status.code(),
            took,
            lines: std::mem::take(&mut self.seen),
            stderr: complaints.join().expect("reading does not panic"),
        }
    }
}

fn last_lines(lines: &[Value]) -> String {
    let start = lines.len().saturating_sub(LINES_SHOWN);
    lines[start..].iter().map(|line| format!("{line}\n")).collect()
}

impl Drop for TempNode {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Exit {
    /// Asserts that the node was satisfied with its own end.
    ///
    /// # Panics
    /// It was not.
    pub fn assert_good(&self) {
        let last = last_lines(&self.lines);
        assert_eq!(self.code, Some(0), "last lines:\n{last}standard error:\n{}", self.stderr);
    }

    /// The one line of this type.
    ///
    /// # Panics
    /// There is none.
    pub fn line(&self, kind: &str) -> &Value {
        let line = self.lines.iter().find(|line| line["type"] == kind);
        line.unwrap_or_else(|| panic!("no line '{kind}'; standard error:\n{}", self.stderr))
    }
}
