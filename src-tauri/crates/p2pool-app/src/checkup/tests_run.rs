//! *Run all tests*: what asks the node, a member, the own door and the disk, within 15 seconds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::Network;
use p2pool_bitcoind::RpcConfig;
use p2pool_bitcoind::examine::{self, Examined, Fact, Outcome, Test};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::DISK_LOW_BYTES;
use crate::api::{CheckName, CheckOutcome, CheckResult};

/// All tests together take no longer.
const ALL_WITHIN: Duration = Duration::from_secs(14);
/// A connection takes no longer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Members that are tried, all at once.
const MEMBERS_MAX: usize = 3;
/// The clock may be this far off without a word, and before shares are refused, in seconds.
const CLOCK_OFF_MAX: u64 = 60;
const CLOCK_REFUSED: u64 = 600;

/// What the tests are made on.
#[derive(Clone, Debug)]
pub(crate) struct Subjects {
    /// The Bitcoin node; `None` without one.
    pub(crate) rpc: Option<RpcConfig>,
    pub(crate) chain: Network,
    /// Members whose addresses are known.
    pub(crate) members: Vec<SocketAddr>,
    /// Whether there are other members to reach; practice simulates them.
    pub(crate) has_members: bool,
    /// The miners' door; its port is 0 while it is closed.
    pub(crate) door: SocketAddr,
    pub(crate) data_dir: PathBuf,
    /// The present time.
    pub(crate) now_unix_s: u64,
}

/// Runs all tests, those of different subjects beside one another.
pub(crate) async fn run(subjects: Subjects) -> Vec<CheckResult> {
    let (node, member, door, disk) = tokio::join!(
        node(&subjects),
        member(&subjects),
        door(subjects.door),
        disk(subjects.data_dir.clone()),
    );
    node.into_iter().chain([member, door, disk]).collect()
}

fn result(
    test: CheckName,
    outcome: CheckOutcome,
    began: Instant,
    technical: impl Into<String>,
) -> CheckResult {
    timed(test, outcome, began.elapsed(), technical)
}

fn timed(
    test: CheckName,
    outcome: CheckOutcome,
    took: Duration,
    technical: impl Into<String>,
) -> CheckResult {
    CheckResult {
        test,
        outcome,
        took_ms: took.as_secs_f64() * 1_000.0,
        technical: technical.into(),
    }
}

/// The tests of the Bitcoin node, and of the clock, which its peers know.
async fn node(subjects: &Subjects) -> Vec<CheckResult> {
    let mut found = Vec::new();
    let mut clock = timed(CheckName::Clock, CheckOutcome::Skipped, Duration::ZERO, "");
    if let Some(rpc) = &subjects.rpc {
        let tell = |examined: Examined| {
            if let Some(Fact::Connections { clock_offset_s: Some(off), .. }) = examined.fact() {
                clock = clock_test(*off, examined.took);
            }
            found.push(of_node(&examined));
        };
        let all = examine::examine(rpc, subjects.chain, subjects.now_unix_s, tell);
        // What is not told by then has failed: it is missing below.
        let _ = timeout(ALL_WITHIN, all).await;
    }
    for test in Test::ALL.map(name) {
        if !found.iter().any(|result: &CheckResult| result.test == test) {
            let is_cut = subjects.rpc.is_some();
            let outcome = if is_cut { CheckOutcome::Failed } else { CheckOutcome::Skipped };
            let technical = if is_cut { "no answer in time" } else { "" };
            found.push(timed(test, outcome, Duration::ZERO, technical));
        }
    }
    found.push(clock);
    found
}

fn name(test: Test) -> CheckName {
    match test {
        Test::Port => CheckName::NodePort,
        Test::Login => CheckName::NodeLogin,
        Test::Chain => CheckName::NodeChain,
        Test::Connections => CheckName::NodeConnections,
        Test::Template => CheckName::NodeTemplate,
        Test::NewBlocks => CheckName::NodeNewBlocks,
    }
}

fn of_node(examined: &Examined) -> CheckResult {
    let (outcome, technical) = match &examined.outcome {
        Outcome::Skipped => (CheckOutcome::Skipped, String::new()),
        Outcome::Passed(_) => (CheckOutcome::Passed, String::new()),
        Outcome::Slow(_) => (CheckOutcome::Weak, String::new()),
        Outcome::NotTold(error) => (CheckOutcome::Weak, error.to_string()),
        Outcome::Failed { condition, details, .. } => {
            (CheckOutcome::Failed, format!("{} {details}", condition.code()))
        }
    };
    timed(name(examined.test), outcome, examined.took, technical)
}

fn clock_test(off_s: i64, took: Duration) -> CheckResult {
    let outcome = match off_s.unsigned_abs() {
        0..=CLOCK_OFF_MAX => CheckOutcome::Passed,
        off if off < CLOCK_REFUSED => CheckOutcome::Weak,
        _ => CheckOutcome::Failed,
    };
    timed(CheckName::Clock, outcome, took, format!("{off_s} s to the Bitcoin network"))
}

/// Whether any member takes a connection.
async fn member(subjects: &Subjects) -> CheckResult {
    let began = Instant::now();
    if !subjects.has_members {
        return result(CheckName::Member, CheckOutcome::Skipped, began, "");
    }
    let mut dials = tokio::task::JoinSet::new();
    for address in subjects.members.iter().copied().take(MEMBERS_MAX) {
        dials.spawn(timeout(CONNECT_WITHIN, TcpStream::connect(address)));
    }
    let mut last = "no address of a member is known".to_owned();
    while let Some(dial) = dials.join_next().await {
        match dial {
            Ok(Ok(Ok(_))) => return result(CheckName::Member, CheckOutcome::Passed, began, ""),
            Ok(Ok(Err(error))) => last = error.to_string(),
            Ok(Err(_)) => last = "no answer".to_owned(),
            Err(error) => last = error.to_string(),
        }
    }
    result(CheckName::Member, CheckOutcome::Failed, began, last)
}

/// Whether the miners' door answers at its own address.
async fn door(address: SocketAddr) -> CheckResult {
    let began = Instant::now();
    if address.port() == 0 {
        return result(CheckName::Door, CheckOutcome::Skipped, began, "");
    }
    match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(_)) => result(CheckName::Door, CheckOutcome::Passed, began, address.to_string()),
        Ok(Err(error)) => {
            result(CheckName::Door, CheckOutcome::Failed, began, format!("{address}: {error}"))
        }
        Err(_) => {
            result(CheckName::Door, CheckOutcome::Failed, began, format!("{address}: no answer"))
        }
    }
}

async fn disk(folder: PathBuf) -> CheckResult {
    let began = Instant::now();
    let free = tokio::task::spawn_blocking(move || disk_free(&folder)).await.ok().flatten();
    let (outcome, technical) = match free {
        None => (CheckOutcome::Skipped, String::new()),
        Some(bytes) => {
            let is_low = bytes < DISK_LOW_BYTES;
            let outcome = if is_low { CheckOutcome::Weak } else { CheckOutcome::Passed };
            (outcome, format!("{} MB free", bytes / 1_000_000))
        }
    };
    result(CheckName::Disk, outcome, began, technical)
}

/// Free bytes of the disk that a folder lies on; `None` if the system does not say.
pub(crate) fn disk_free(folder: &std::path::Path) -> Option<u64> {
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    let longest = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    Some(longest.available_space())
}
