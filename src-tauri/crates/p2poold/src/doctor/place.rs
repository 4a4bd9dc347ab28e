//! Tests of this computer: folder, disk, ports, CPU miner, and the way to other members.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p2pool_bitcoind::local::free_bytes;
use p2pool_node::{HostPort, P2pSettings};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::check::{Check, Watch};
use crate::status_file::{self, Report};

/// Less free space than this is worth a word, and less than that is too little.
const FREE_NOTE_BYTES: u64 = 5 << 30;
const FREE_TROUBLE_BYTES: u64 = 200 << 20;
/// A member that answers later is none.
const MEMBER_PATIENCE: Duration = Duration::from_secs(5);

/// Whether data can be saved, and whether a node runs there already.
pub(super) fn data_folder(data_dir: &Path, node_dir: &Path) -> (Check, Option<Report>) {
    let watch = Watch::start("data folder");
    let shown = data_dir.display();
    let advice = "Make room and give access, or choose another folder with --data-dir.";
    let refused = |error: io::Error| {
        let message = format!("We can't save data in {shown}. ({error})");
        (watch.trouble("E-APP-01", &message, advice), None)
    };
    let probe = nearest(data_dir).join(format!(".p2poold-{}", std::process::id()));
    if let Err(error) = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe)) {
        return refused(error);
    }
    match status_file::read(node_dir) {
        Ok(Some(report)) => {
            let words = format!("{shown}; a node runs on it (process {})", report.process);
            (watch.good(words), Some(report))
        }
        Ok(None) => (watch.good(format!("{shown}")), None),
        Err(error) => refused(error),
    }
}

/// The folder itself, or the nearest one above it that is there.
fn nearest(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let found = absolute.ancestors().find(|folder| folder.is_dir());
    found.unwrap_or(Path::new("/")).to_owned()
}

/// Whether there is room for the share chain.
pub(super) fn disk(data_dir: &Path) -> Check {
    let watch = Watch::start("disk space");
    match free_bytes(data_dir) {
        Some(bytes) => free(watch, bytes),
        None => watch.skipped("the system does not tell"),
    }
}

fn free(watch: Watch, bytes: u64) -> Check {
    let shown = if bytes >= 1 << 30 {
        format!("{} GB free", bytes >> 30)
    } else {
        format!("{} MB free", bytes >> 20)
    };
    let advice = "Make room: the share chain takes some hundred megabytes, and the Bitcoin node \
                  stops when its disk is full.";
    if bytes < FREE_TROUBLE_BYTES {
        watch.trouble("E-APP-01", &format!("Only {shown}."), advice)
    } else if bytes < FREE_NOTE_BYTES {
        watch.note(None, &format!("Only {shown}."), advice)
    } else {
        watch.good(shown)
    }
}

/// Whether miners will be able to connect.
pub(super) fn miners_port(address: SocketAddr, running: Option<&Report>) -> Check {
    let watch = Watch::start("miners' port");
    if let Some(report) = running {
        return watch.good(format!("{} is served by the node that runs", report.stratum_url));
    }
    match TcpListener::bind(address) {
        Ok(_) if address.ip().is_loopback() => watch.note(
            None,
            &format!("{address} is free, but only this computer reaches it."),
            "For miners in your house, listen on all addresses: --stratum-port PORT.",
        ),
        Ok(_) => watch.good(format!("{address} is free")),
        Err(error) => watch.trouble(
            "S-01",
            &format!("Another program uses port {}. ({error})", address.port()),
            "Stop it, or choose another port with --stratum-port.",
        ),
    }
}

/// Whether other members will be able to connect.
pub(super) fn members_port(p2p: &P2pSettings, running: Option<&Report>) -> Check {
    let watch = Watch::start("members' port");
    let Some(address) = p2p.listen.first() else {
        return watch.skipped("no other node may connect, by your own settings");
    };
    if running.is_some() {
        return watch.good("in the hands of the node that runs");
    }
    match TcpListener::bind(address) {
        Ok(_) => watch.good(format!("port {} is free", address.port())),
        Err(error) => watch.note(
            Some("P-03"),
            &format!("Another program uses port {}. ({error})", address.port()),
            "Is another P2Pool running? Without it, another port is taken; --p2p-port chooses one.",
        ),
    }
}

/// Whether the CPU miner is there, if it is wanted.
pub(super) fn cpu_miner(program: &Path, threads: u32) -> Check {
    let watch = Watch::start("CPU miner");
    if threads == 0 {
        return watch.skipped("not wanted");
    }
    if program.is_file() {
        return watch.good(program.display().to_string());
    }
    let message = format!("There is no program {}.", program.display());
    let advice =
        "Install p2pool-miner beside p2poold, and look at what your virus scanner removed.";
    watch.note(Some("E-CPU-01"), &message, advice)
}

/// What became of looking for one member.
enum Visit {
    Reached(Duration),
    /// The name leads somewhere, but nobody answers.
    Silent,
    Unknown,
}

/// Whether any member of the pool can be reached from here.
pub(super) async fn members(p2p: &P2pSettings, needs_peers: bool) -> Check {
    let watch = Watch::start("members");
    if p2p.proxy.is_some() {
        return watch.skipped("reached through your proxy alone, which this test leaves in peace");
    }
    let hosts: Vec<HostPort> = p2p.fixed.iter().chain(&p2p.bootstrap).cloned().collect();
    if hosts.is_empty() && !needs_peers {
        return watch.skipped("none needed on this network");
    }
    let all = hosts.len();
    let mut visits = JoinSet::new();
    for host in hosts {
        visits.spawn(visit(host));
    }
    let (mut reached, mut silent) = (Vec::new(), 0);
    while let Some(visit) = visits.join_next().await {
        match visit {
            Ok(Visit::Reached(took)) => reached.push(took),
            Ok(Visit::Silent) => silent += 1,
            Ok(Visit::Unknown) | Err(_) => {}
        }
    }
    let fastest = reached.iter().min().map(Duration::as_millis);
    match fastest {
        Some(ms) => {
            watch.good(format!("{} of {all} hosts answer, the first in {ms} ms", reached.len()))
        }
        None if silent > 0 => watch.condition(
            "P-02",
            &format!("none of {all} hosts answers"),
            "Allow outgoing connections to port 9333 in your firewall or router, or use --proxy.",
        ),
        None => watch.condition(
            "P-01",
            &format!("none of {all} names leads anywhere"),
            "Check this computer's way to the internet and its name server, or name a member with \
             --peer.",
        ),
    }
}

async fn visit(host: HostPort) -> Visit {
    let began = Instant::now();
    let found = timeout(MEMBER_PATIENCE, lookup_host((host.host(), host.port()))).await;
    let Ok(Ok(addresses)) = found else { return Visit::Unknown };
    let mut outcome = Visit::Unknown;
    for address in addresses.take(4) {
        match timeout(MEMBER_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Visit::Reached(began.elapsed()),
            Ok(Err(_)) | Err(_) => outcome = Visit::Silent,
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Grade;
    use p2pool_node::{P2pPlace, RawP2p};
    use p2pool_sharechain::Params;

    fn p2p(raw: &RawP2p) -> P2pSettings {
        raw.check(&Params::regtest(), P2pPlace::Practice).unwrap()
    }

    #[test]
    fn little_room_is_noted_and_none_is_trouble() {
        for (bytes, expected) in
            [(10 << 30, Grade::Good), (1 << 30, Grade::Note), (1 << 20, Grade::Trouble)]
        {
            assert_eq!(free(Watch::start("disk"), bytes).result, expected, "{bytes}");
        }
        assert_ne!(disk(&std::env::temp_dir().join("not/there")).result, Grade::Trouble);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let (check, running) = data_folder(&folder.path().join("new"), folder.path());
        assert_eq!((check.result, running), (Grade::Good, None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_port_in_use_is_named() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let check = miners_port(address, None);
        assert_eq!(check.code.as_deref(), Some("S-01"));
        assert!(check.message.contains(&address.port().to_string()), "{}", check.message);
        let port = Some(address.port());
        let check = members_port(&p2p(&RawP2p { port, ..RawP2p::default() }), None);
        assert_eq!((check.code.as_deref(), check.result), (Some("P-03"), Grade::Note));
        drop(other);
        assert_eq!(miners_port(address, None).result, Grade::Note, "only this computer");
    }

    #[tokio::test]
    async fn members_that_answer_are_told_from_those_that_do_not() {
        let member = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = member.local_addr().unwrap().to_string();
        let raw = RawP2p { peers: vec![address], ..RawP2p::default() };
        let check = members(&p2p(&raw), true).await;
        assert_eq!(check.result, Grade::Good, "{}", check.message);
        drop(member);
        let check = members(&p2p(&raw), true).await;
        assert_eq!((check.result, check.code.as_deref()), (Grade::Trouble, Some("P-02")));
        let alone = members(&p2p(&RawP2p::default()), false).await;
        assert_eq!(alone.result, Grade::Skipped);
    }

    #[test]
    fn a_missing_cpu_miner_is_noted_only_if_it_is_wanted() {
        let nowhere = Path::new("/no/such/program");
        assert_eq!(cpu_miner(nowhere, 0).result, Grade::Skipped);
        assert_eq!(cpu_miner(nowhere, 1).code.as_deref(), Some("E-CPU-01"));
    }
}
