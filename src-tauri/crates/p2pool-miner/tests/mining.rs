//! The miner against real sessions: in memory, and as a program over TCP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake_pool;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fake_pool::{Seen, base, listen, serve};
use p2pool_miner::pool::Rig;
use p2pool_miner::report::Reporter;
use p2pool_miner::rest::{Rest, RestReason};
use p2pool_miner::scan::Backend;
use p2pool_miner::threads::Threads;
use p2pool_sharechain::template::TemplateBase;
use p2pool_stratum::Extranonce1;
use p2pool_stratum::client::ClientConfig;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Nothing here takes this long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, future).await.expect("it should not take so long")
}

/// What a reporter wrote, shared with the test.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// Waits until a text was written so many times.
    async fn holds(&self, text: &str, times: usize) {
        loop {
            let written = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            if written.matches(text).count() >= times {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn miner_and_session_understand_each_other_over_a_pipe() {
    let (work_sender, work) = watch::channel(base(1));
    let (seen_sender, mut seen) = mpsc::unbounded_channel();
    let (near, far) = tokio::io::duplex(4096);
    let (sender, found) = mpsc::channel(64);
    let threads =
        Threads::start(NonZeroU32::MIN, Some(300_000), Backend::fastest(), sender).unwrap();
    let written = Written::default();
    let (_rest_sender, rest) = watch::channel(Rest::default());
    let mut rig = Rig::new(threads, found, Reporter::new(written.clone(), false), rest);
    let config =
        ClientConfig { user: "me".into(), password: "x".into(), user_agent: "test".into() };
    let watcher = async {
        let mut shares = 0;
        while shares < 5 {
            if let Seen::Share { worker, .. } = seen.recv().await.unwrap() {
                assert_eq!(worker, "me");
                shares += 1;
            }
        }
        drop(work_sender);
    };
    let pool = serve(far, Extranonce1(7), work, seen_sender);
    let (ending, served, ()) =
        soon(async { tokio::join!(rig.converse(near, config), pool, watcher) }).await;
    served.unwrap();
    let ending = ending.unwrap();
    assert!(ending.was_authorized);
    assert_eq!(ending.reason, "the pool closed the connection");
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with("the pool accepts this miner\naccepted"), "{text}");
}

#[tokio::test]
async fn miner_rests_while_it_should_and_then_goes_on() {
    let (work_sender, work) = watch::channel(base(1));
    let (seen_sender, mut seen) = mpsc::unbounded_channel();
    let (near, far) = tokio::io::duplex(4096);
    let (sender, found) = mpsc::channel(64);
    let threads =
        Threads::start(NonZeroU32::MIN, Some(300_000), Backend::fastest(), sender).unwrap();
    let written = Written::default();
    let on_battery = Rest { reason: Some(RestReason::OnBattery), cannot_tell: Vec::new() };
    let (rest_sender, rest) = watch::channel(on_battery.clone());
    let mut rig = Rig::new(threads, found, Reporter::new(written.clone(), false), rest);
    let config =
        ClientConfig { user: "me".into(), password: "x".into(), user_agent: "test".into() };
    let watcher = async {
        assert!(matches!(seen.recv().await, Some(Seen::Connected)));
        written.holds("resting on battery\n", 1).await;
        written.holds("the pool accepts this miner\n", 1).await;
        assert!(seen.try_recv().is_err(), "no share while it rests");
        rest_sender.send(Rest::default()).unwrap();
        written.holds("hashing again\n", 1).await;
        assert!(matches!(seen.recv().await, Some(Seen::Share { .. })));
        rest_sender.send(on_battery).unwrap();
        written.holds("resting on battery\n", 2).await;
        drop(work_sender);
    };
    let pool = serve(far, Extranonce1(7), work, seen_sender);
    let (ending, served, ()) =
        soon(async { tokio::join!(rig.converse(near, config), pool, watcher) }).await;
    served.unwrap();
    assert!(ending.unwrap().was_authorized);
}

/// A pool on a port of its own, and the program connected to it.
struct World {
    miner: Child,
    reports: Lines<BufReader<ChildStdout>>,
    work: watch::Sender<Arc<TemplateBase>>,
    seen: mpsc::UnboundedReceiver<Seen>,
    hang_up: mpsc::Sender<()>,
    _pool: JoinSet<()>,
}

impl World {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (work, work_receiver) = watch::channel(base(1));
        let (seen_sender, seen) = mpsc::unbounded_channel();
        let (hang_up, hang_up_receiver) = mpsc::channel(1);
        let mut pool = JoinSet::new();
        pool.spawn(listen(listener, work_receiver, seen_sender, hang_up_receiver));
        let mut miner = Command::new(env!("CARGO_BIN_EXE_p2pool-miner"))
            .args(["--url", &format!("stratum+tcp://127.0.0.1:{port}")])
            .args(["--user", "cpu", "--threads", "2", "--limit", "300000"])
            .args(["--json", "--parent-watch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let reports = BufReader::new(miner.stdout.take().unwrap()).lines();
        Self { miner, reports, work, seen, hang_up, _pool: pool }
    }

    /// Reads reports up to the first of this kind.
    async fn report(&mut self, event: &str) -> Value {
        loop {
            let line = soon(self.reports.next_line()).await.unwrap().expect("it goes on");
            let report: Value = serde_json::from_str(&line).unwrap();
            if report["event"] == "rejected" {
                assert_eq!(report["code"], 21, "late at most: {line}");
            }
            if report["event"] == event {
                return report;
            }
        }
    }

    async fn share_on(&mut self, wanted: u8) {
        while !matches!(soon(self.seen.recv()).await, Some(Seen::Share { block, .. }) if block == wanted)
        {
        }
    }
}

#[tokio::test]
async fn program_mines_reports_and_ends_with_its_parent() {
    let mut world = World::start().await;
    assert_eq!(world.report("started").await["threads"], 2);
    assert!(world.report("connected").await["pool"].as_str().unwrap().starts_with("127.0.0.1:"));
    world.report("authorized").await;
    assert!(world.report("work").await["difficulty"].as_f64().unwrap() < 1e-6);
    assert_eq!(world.report("accepted").await["accepted"], 1);
    world.share_on(1).await;
    let rate = world.report("hashrate").await["hashrate_hps"].as_f64().unwrap();
    assert!(rate < 450_000.0, "{rate}");

    world.work.send(base(2)).unwrap();
    world.share_on(2).await;

    drop(world.miner.stdin.take());
    let status = soon(world.miner.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn program_comes_back_to_a_pool_that_hung_up() {
    let mut world = World::start().await;
    world.report("accepted").await;
    world.hang_up.send(()).await.unwrap();
    let gone = world.report("disconnected").await;
    assert!(!gone["reason"].as_str().unwrap().is_empty());
    assert!(gone["retry_seconds"].as_f64().unwrap() <= 1.25);
    world.report("connected").await;
    world.report("accepted").await;
}

#[cfg(unix)]
#[tokio::test]
async fn program_ends_cleanly_on_a_signal_and_when_nobody_reads() {
    let mut world = World::start().await;
    world.report("authorized").await;
    let id = world.miner.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert_eq!(soon(world.miner.wait()).await.unwrap().code(), Some(0));

    let mut world = World::start().await;
    world.report("authorized").await;
    let World { miner, reports, .. } = &mut world;
    drop(std::mem::replace(reports, unread()));
    assert_eq!(soon(miner.wait()).await.unwrap().code(), Some(0));
}

/// Reports of a program that prints nothing.
#[cfg(unix)]
fn unread() -> Lines<BufReader<ChildStdout>> {
    let mut silent = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(silent.stdout.take().unwrap()).lines()
}

/// Without a screen, Linux does not tell whether anybody is there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn rule_that_cannot_be_kept_is_told() {
    let mut miner = Command::new(env!("CARGO_BIN_EXE_p2pool-miner"))
        .args(["--url", "127.0.0.1:1", "--user", "me", "--json", "--pause-when-active"])
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(miner.stdout.take().unwrap()).lines();
    let told = loop {
        let line = soon(lines.next_line()).await.unwrap().unwrap();
        let report: Value = serde_json::from_str(&line).unwrap();
        assert_ne!(report["event"], "paused");
        if report["event"] == "cannot_tell" {
            break report;
        }
    };
    assert_eq!(told["reasons"], serde_json::json!(["user_active"]));
    miner.kill().await.unwrap();
}

async fn program(arguments: &[&str]) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_p2pool-miner"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    soon(program).await.unwrap()
}

#[tokio::test]
async fn bad_options_end_with_code_2_and_a_sentence() {
    for (arguments, sentence) in [
        (&["--user", "me"][..], "--url <URL>"),
        (&["--url", "a:1"], "--user <NAME>"),
        (&["--url", "stratum+ssl://a:1", "--user", "me"], "is not spoken here"),
        (&["--url", "a", "--user", "me"], "a port is missing"),
        (&["--url", "a:1", "--user", "me", "--threads", "0"], "a number from 1 to 1024"),
        (&["--url", "a:1", "--user", "me", "--limit", "none"], "invalid value 'none'"),
        (&["--url", "a:1", "--user", "me", "--made-up"], "unexpected argument '--made-up'"),
    ] {
        let output = program(arguments).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(sentence), "{text}");
    }
}

#[tokio::test]
async fn pool_that_is_not_there_is_told_and_tried_again() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut miner = Command::new(env!("CARGO_BIN_EXE_p2pool-miner"))
        .args(["--url", &address.to_string(), "--user", "me"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(miner.stdout.take().unwrap()).lines();
    let mut tries = 0;
    while tries < 2 {
        let line = soon(lines.next_line()).await.unwrap().unwrap();
        tries += u32::from(line.starts_with(&format!("no connection: {address}: ")));
    }
    miner.kill().await.unwrap();
}
