//! The health list: one line a subject, from the node, the computer and the present problems.

use p2pool_node::{BitcoinNode, BitcoinState, Miner};

use super::{ComputerFacts, result};
use crate::api::{
    CheckName, CheckResult, HEALTH_MINERS_MAX, HealthLine, HealthSubject, HealthText, LightState,
    Problem, ProblemCode, Severity, UnixSeconds,
};
use crate::problems;
use crate::views::{self, Sight, count};

/// Less free space than this stops the writing of history.
pub(crate) const DISK_LOW_BYTES: u64 = 1_000_000_000;
/// Part of late results from which a miner needs attention.
const LATE_MIN: f64 = 0.1;

/// What the list is made of beside the node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) computer: &'a ComputerFacts,
    pub(crate) problems: &'a [Problem],
    pub(crate) results: &'a [CheckResult],
    pub(crate) version: &'a str,
}

/// The list of a node that runs, or of none.
pub(crate) fn health(sight: Option<&Sight<'_>>, facts: Facts<'_>) -> Vec<HealthLine> {
    use HealthSubject as Of;
    let mut lines = Vec::new();
    let with_node = |make: fn(&Sight<'_>, &[CheckResult]) -> (LightState, HealthText)| {
        sight.map_or((LightState::Off, HealthText::NotStarted), |it| make(it, facts.results))
    };
    lines.push(line(Of::BitcoinNode, with_node(node)));
    lines.push(line(Of::Clock, with_node(clock)));
    lines.push(line(Of::ShareChain, with_node(chain)));
    lines.push(line(Of::Members, with_node(members)));
    lines.push(line(Of::MinersDoor, with_node(door)));
    match sight {
        Some(sight) if !sight.node.miners.miners.is_empty() => {
            let miners = sight.node.miners.miners.iter().take(HEALTH_MINERS_MAX);
            lines.extend(
                miners.map(|it| HealthLine { of: it.worker.clone(), ..line(Of::Miner, miner(it)) }),
            );
        }
        Some(_) => lines.push(line(Of::Miner, (LightState::Off, HealthText::MinerNone))),
        None => {}
    }
    lines.push(line(Of::PayoutAddress, with_node(address)));
    lines.push(line(Of::Disk, disk(facts.computer.disk_free)));
    lines.push(line(Of::Sleep, sleep(facts.computer.is_kept_awake)));
    let version = facts.version.to_owned();
    lines.push(line(Of::Updates, (LightState::Ok, HealthText::UpdatesByHand { version })));
    lines.into_iter().map(|line| with_problem(line, facts.problems)).collect()
}

fn line(subject: HealthSubject, (state, text): (LightState, HealthText)) -> HealthLine {
    HealthLine { subject, of: String::new(), state, text, changed_at: None, problem: None }
}

/// A line says what its worst problem says.
fn with_problem(line: HealthLine, problems: &[Problem]) -> HealthLine {
    let is_of = |problem: &&Problem| {
        subject_of(problem.code) == Some(line.subject)
            && (line.subject != HealthSubject::Miner || is_named(&line.text, problem))
    };
    let Some(problem) = problems.iter().find(is_of) else { return line };
    let state = match problem.severity {
        Severity::Notice => line.state,
        Severity::Warning => LightState::Attention,
        Severity::Error => LightState::Stopped,
    };
    HealthLine { state, text: HealthText::Problem, problem: Some(problem.id), ..line }
}

/// Whether a problem is that of the miner a line speaks of.
fn is_named(text: &HealthText, problem: &Problem) -> bool {
    let (HealthText::MinerWorking { name, .. }
    | HealthText::MinerSilent { name }
    | HealthText::MinerAway { name, .. }) = text
    else {
        return false;
    };
    if problem.code == ProblemCode::HelperBlocked {
        return name.is_none();
    }
    name.is_some() && problem.values.get("name") == name.as_ref()
}

/// What a problem is about; `None` for those of other pages.
#[expect(clippy::too_many_lines, reason = "a table, one line a code")]
fn subject_of(code: ProblemCode) -> Option<HealthSubject> {
    use ProblemCode as Code;
    Some(match code {
        Code::NodeUnreachable
        | Code::NodeSlow
        | Code::LoginRefused
        | Code::LoginMissing
        | Code::ComputerRefused
        | Code::CookieUnreadable
        | Code::NodeStarting
        | Code::NodeCatchingUp
        | Code::WrongChain
        | Code::NodeWithoutPeers
        | Code::NodeStuck
        | Code::NodeTooOld
        | Code::TemplateFailed
        | Code::LoginUnprotected
        | Code::NodeBehindPool
        | Code::FoldersUnclear
        | Code::ConfUnwritable
        | Code::BackupFailed
        | Code::ConfChanged
        | Code::ConfRestored
        | Code::NodeNotRestarted
        | Code::ServerForbidden
        | Code::KeychainMissing
        | Code::KeychainLocked => HealthSubject::BitcoinNode,
        Code::ClockOff => HealthSubject::Clock,
        Code::ChainWrong | Code::RulesUnknown | Code::PoolSplit | Code::PoolSilent => {
            HealthSubject::ShareChain
        }
        Code::NoMembers
        | Code::PoolPortBlocked
        | Code::PoolPortInUse
        | Code::RefusedByMembers
        | Code::OnlyMiner
        | Code::MappingLost => HealthSubject::Members,
        Code::PortInUse
        | Code::FirewallBlocks
        | Code::NetworkPublic
        | Code::LanAddressChanged
        | Code::LocalNetworkDenied
        | Code::RefusedOutside
        | Code::NoPrivateNetwork
        | Code::ProtocolUnknown => HealthSubject::MinersDoor,
        Code::MinerWithoutResults
        | Code::MinerAway
        | Code::MinerOnBackup
        | Code::MinerLate
        | Code::MinerWrong
        | Code::MinerHot
        | Code::ToyMiner
        | Code::ForeignAddress
        | Code::HelperBlocked => HealthSubject::Miner,
        Code::AddressTypo
        | Code::AddressUnsupported
        | Code::AddressOfTestNetwork
        | Code::SecretPasted
        | Code::AddressRare
        | Code::AddressChanged => HealthSubject::PayoutAddress,
        Code::DataUnwritable | Code::DataOfOther => HealthSubject::Disk,
        Code::UpdateFailed | Code::UpdateNotGenuine => HealthSubject::Updates,
        Code::BlockRefused
        | Code::DeviceRefuses
        | Code::DeviceForgets
        | Code::DeviceGone
        | Code::DeviceOnOldPool
        | Code::FirmwareUnknown
        | Code::UndoWaits
        | Code::DeviceLogin
        | Code::AlreadyRunning
        | Code::SettingsDamaged
        | Code::SettingRefused
        | Code::EngineRestarted
        | Code::StartedAsRoot
        | Code::NoTray
        | Code::EngineLost
        | Code::Unexpected => return None,
    })
}

fn node(sight: &Sight<'_>, results: &[CheckResult]) -> (LightState, HealthText) {
    match &sight.node.bitcoin {
        BitcoinState::Connecting => (LightState::Working, HealthText::NodeConnecting),
        // Its problem tells more; this stands there until the list of problems has it.
        BitcoinState::Unavailable { .. } => (LightState::Stopped, HealthText::NodeConnecting),
        BitcoinState::Ready { tip_height } => {
            let in_use = |node: &&BitcoinNode| node.is_in_use;
            let used = sight.node.bitcoin_details.nodes.iter().find(in_use);
            let facts = used.and_then(|node| node.facts.as_ref());
            let program = facts.map(|facts| facts.subversion.trim_matches('/').replace(':', " "));
            let answer = result(results, CheckName::NodeLogin).map(|test| test.took_ms);
            let height = *tip_height;
            (LightState::Ok, HealthText::NodeReady { program, height, answer_ms: answer })
        }
    }
}

fn clock(sight: &Sight<'_>, _: &[CheckResult]) -> (LightState, HealthText) {
    match problems::clock_off_secs(sight.node) {
        // Practice asks nobody what time it is; a chain of its own takes any.
        None => (LightState::Ok, HealthText::ClockNotCompared),
        Some(off) => {
            let off_secs = u32::try_from(off.unsigned_abs()).unwrap_or(u32::MAX);
            (LightState::Ok, HealthText::ClockRight { off_secs })
        }
    }
}

fn chain(sight: &Sight<'_>, _: &[CheckResult]) -> (LightState, HealthText) {
    let summary = &sight.node.summary;
    let state = views::lights(sight).chain.state;
    if summary.verified_height < summary.height {
        let (done, total) = (summary.verified_height, summary.height);
        return (state, HealthText::ChainChecking { done, total });
    }
    let newest = summary.window.first();
    let age = newest.map(|share| sight.now.0.saturating_sub(u64::from(share.timestamp)) as f64);
    (state, HealthText::ChainReady { shares: summary.verified_height, newest_secs: age })
}

fn members(sight: &Sight<'_>, _: &[CheckResult]) -> (LightState, HealthText) {
    let light = views::lights(sight).members;
    let text = if sight.node.is_practice {
        HealthText::MembersSimulated { connected: light.connected }
    } else if light.connected == 0 {
        HealthText::MembersNone
    } else {
        let incoming = count(sight.node.p2p.incoming);
        HealthText::MembersConnected { connected: light.connected, incoming }
    };
    (light.state, text)
}

fn door(sight: &Sight<'_>, _: &[CheckResult]) -> (LightState, HealthText) {
    let address = sight.node.stratum_address;
    if address.port() == 0 {
        return (LightState::Off, HealthText::DoorClosed);
    }
    let seen = sight.node.miners.door.hello_seen_at;
    let phone_seen_at = seen.map(|at| UnixSeconds(at.0));
    (LightState::Ok, HealthText::DoorOpen { address: address.to_string(), phone_seen_at })
}

fn miner(miner: &Miner) -> (LightState, HealthText) {
    let name = (!miner.is_helper).then(|| miner.worker.clone());
    if miner.connections == 0 {
        let since = UnixSeconds(miner.since.0);
        return (LightState::Off, HealthText::MinerAway { name, since });
    }
    if miner.accepted == 0 {
        return (LightState::Working, HealthText::MinerSilent { name });
    }
    let late_part = miner.late as f64 / miner.accepted as f64;
    let state = if late_part >= LATE_MIN { LightState::Attention } else { LightState::Ok };
    (state, HealthText::MinerWorking { name, hps: miner.hashrate_hps, late_part })
}

fn address(sight: &Sight<'_>, _: &[CheckResult]) -> (LightState, HealthText) {
    (LightState::Ok, HealthText::AddressPaid { address: sight.node.payout_address.clone() })
}

fn disk(free: Option<u64>) -> (LightState, HealthText) {
    match free {
        None => (LightState::Ok, HealthText::DiskUnknown),
        Some(bytes) if bytes < DISK_LOW_BYTES => {
            (LightState::Attention, HealthText::DiskLow { bytes })
        }
        Some(bytes) => (LightState::Ok, HealthText::DiskFree { bytes }),
    }
}

fn sleep(is_kept_awake: Option<bool>) -> (LightState, HealthText) {
    match is_kept_awake {
        None => (LightState::Off, HealthText::SleepUnknown),
        Some(true) => (LightState::Ok, HealthText::SleepHeld),
        Some(false) => (LightState::Ok, HealthText::SleepAllowed),
    }
}
