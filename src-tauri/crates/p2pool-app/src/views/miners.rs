//! The list of miners: connections joined with the devices behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use p2pool_devices::{Device, Fault, Health};
use p2pool_node::{Miner, MinerNotice, NodeSnapshot};

use crate::api::pages::{DeviceFamily, MINER_ROWS_MAX, MinerRow, MinerState};
use crate::api::{ProblemCode, UnixSeconds};
use crate::devices::{DeskState, DeviceEntry, family_of};

/// Row of the node's own CPU miner.
pub(crate) const CPU_ROW: &str = "cpu";
/// Before the worker names that stand for rows without a device.
const WORKER_ROW: &str = "w:";
/// Longest name that is shown of a login.
const NAME_CHARS_MAX: usize = 24;

/// Small charts by worker name.
pub(crate) type Sparks = BTreeMap<String, Vec<Option<f64>>>;

/// The rows, in order of their names; `node` is `None` while none runs.
pub(crate) fn miner_rows(
    node: Option<&NodeSnapshot>,
    desk: &DeskState,
    sparks: &Sparks,
    forgotten: &BTreeSet<String>,
) -> Vec<MinerRow> {
    let miners = node.map(|node| node.miners.miners.as_slice()).unwrap_or_default();
    let mut joined: BTreeSet<&str> = BTreeSet::new();
    let mut rows = Vec::new();
    for (id, entry) in &desk.devices {
        let miner = miner_of(entry, miners);
        if let Some(miner) = miner {
            joined.insert(&miner.worker);
        }
        rows.push(row(id.clone(), node, desk, miner, Some(entry), sparks));
    }
    for miner in miners.iter().filter(|miner| !joined.contains(miner.worker.as_str())) {
        let id = if miner.is_helper {
            CPU_ROW.to_owned()
        } else {
            format!("{WORKER_ROW}{}", miner.worker)
        };
        let is_gone = miner.connections == 0 && (forgotten.contains(&id) || miner.is_helper);
        if !is_gone {
            rows.push(row(id, node, desk, Some(miner), None, sparks));
        }
    }
    rows.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    rows.truncate(MINER_ROWS_MAX);
    rows
}

/// The worker behind a row; `None` for rows of devices.
pub(crate) fn worker_of(row: &str) -> Option<&str> {
    row.strip_prefix(WORKER_ROW)
}

/// The connection of a device: by the user name that it was given, else by where it comes from.
pub(crate) fn miner_of<'a>(entry: &DeviceEntry, miners: &'a [Miner]) -> Option<&'a Miner> {
    let user = entry.pointed_at().map(|(_, user)| user);
    let by_name = miners.iter().find(|miner| Some(miner.worker.as_str()) == user);
    let ip = IpAddr::from(entry.identity.address.ip());
    let at = miners.iter().filter(|miner| miner.ip == Some(ip) && !miner.is_helper);
    by_name.or_else(|| at.max_by_key(|miner| (miner.connections > 0, miner.since)))
}

fn row(
    id: String,
    node: Option<&NodeSnapshot>,
    desk: &DeskState,
    miner: Option<&Miner>,
    entry: Option<&DeviceEntry>,
    sparks: &Sparks,
) -> MinerRow {
    let label = desk.labels.get(&id);
    let health = entry.and_then(|entry| entry.health.as_ref()).map(|(_, health)| &**health);
    let identity = entry.map(|entry| &entry.identity);
    let is_connected = miner.is_some_and(|miner| miner.connections > 0);
    let family = match (miner, identity) {
        (Some(miner), _) if miner.is_helper => DeviceFamily::Cpu,
        (_, Some(identity)) => family_of(identity.family),
        (Some(miner), None) => family_of_agent(&miner.user_agent),
        (None, None) => DeviceFamily::Other,
    };
    let name = label.and_then(|label| label.name.clone());
    let called = identity.map(|it| it.name.as_str().to_owned()).filter(|name| !name.is_empty());
    let login = miner.filter(|miner| !miner.is_helper).map(|miner| short_name(&miner.worker));
    let model = identity.map(|it| format!("{} {}", it.model.as_str(), it.firmware.as_str()));
    let model = model.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let foreign = miner.and_then(foreign_address);
    MinerRow {
        name: name.or(called).or(login).unwrap_or_default(),
        family,
        is_hidden: label.is_some_and(|label| label.is_hidden),
        is_managed: entry.is_some(),
        can_learn: entry.is_none()
            && miner.is_some_and(|miner| {
                !miner.is_helper && matches!(miner.ip, Some(IpAddr::V4(ip)) if ip.is_private())
            }),
        state: state(node, miner, health),
        hashrate_hps: miner.filter(|_| is_connected).map(|miner| miner.hashrate_hps),
        spark: miner.and_then(|miner| sparks.get(&miner.worker)).cloned().unwrap_or_default(),
        late_part: miner.and_then(late_part),
        last_result_at: miner.and_then(|it| it.last_result_at).map(|at| UnixSeconds(at.0)),
        power_watts: health.and_then(|health| health.power_watts),
        celsius: health.and_then(|health| health.temperature_celsius),
        ip: identity
            .map(|identity| identity.address.to_string())
            .or_else(|| miner.and_then(|miner| miner.ip).map(|ip| ip.to_string())),
        mac: identity.and_then(|identity| match identity.id {
            p2pool_devices::DeviceId::Mac(mac) => Some(mac.to_string()),
            p2pool_devices::DeviceId::Address(_) => None,
        }),
        model: model.or_else(|| miner.map(|it| it.user_agent.clone())).unwrap_or_default(),
        difficulty: miner.and_then(|miner| miner.difficulty),
        accepted: miner.map_or(0, |miner| miner.accepted),
        late: miner.map_or(0, |miner| miner.late),
        rejected: miner.map_or(0, |miner| miner.rejected),
        since: miner.map(|miner| UnixSeconds(miner.since.0)),
        user: miner.map(|miner| miner.worker.clone()),
        pool: health.and_then(|health| health.pool.as_ref()).map(|it| it.as_str().to_owned()),
        is_foreign_paid: false,
        foreign_address: foreign,
        change: desk.changes.get(&id).cloned(),
        id,
    }
}

/// Whether a device can show a greeting.
pub(crate) fn can_identify(entry: &DeviceEntry) -> bool {
    Device::can_greet(&entry.identity)
}

fn state(
    node: Option<&NodeSnapshot>,
    miner: Option<&Miner>,
    health: Option<&Health>,
) -> MinerState {
    let problem = |code, values: &[(&str, String)]| MinerState::Problem {
        code,
        values: values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    if let Some(health) = health {
        if health.faults.contains(&Fault::Overheated) {
            let celsius = health.temperature_celsius.unwrap_or_default();
            return problem(ProblemCode::MinerHot, &[("celsius", format!("{celsius:.0}"))]);
        }
        let is_here = miner.is_some_and(|miner| miner.connections > 0);
        if health.is_on_backup_pool == Some(true) && !is_here {
            let host = health.pool.as_ref().map(|pool| pool.as_str().to_owned());
            let host = host.unwrap_or_default();
            return problem(ProblemCode::MinerOnBackup, &[("host", host)]);
        }
    }
    let is_mining = node.is_some_and(|node| node.is_mining);
    let Some(miner) = miner.filter(|miner| miner.connections > 0) else {
        let since = miner.map(|miner| UnixSeconds(miner.since.0));
        return if is_mining || node.is_none() {
            MinerState::Away { since }
        } else {
            MinerState::Paused
        };
    };
    if !is_mining {
        return MinerState::Paused;
    }
    let mut is_long = false;
    for notice in &miner.notices {
        match notice {
            MinerNotice::CannotRead | MinerNotice::CoinbaseTooLong { .. } => {
                return problem(ProblemCode::ToyMiner, &[]);
            }
            MinerNotice::Rejected { reason } => {
                return problem(ProblemCode::MinerWrong, &[("reason", (*reason).to_owned())]);
            }
            MinerNotice::Late => {
                let percent = late_part(miner).unwrap_or_default() * 100.0;
                return problem(ProblemCode::MinerLate, &[("percent", format!("{percent:.0}"))]);
            }
            MinerNotice::NoResult => is_long = true,
            MinerNotice::ForeignAddress { .. } => {}
        }
    }
    match miner.last_result_at {
        Some(_) => MinerState::Mining,
        None => MinerState::Connected { is_long },
    }
}

fn late_part(miner: &Miner) -> Option<f64> {
    (miner.accepted > 0).then(|| miner.late as f64 / miner.accepted as f64)
}

fn foreign_address(miner: &Miner) -> Option<String> {
    miner.notices.iter().find_map(|notice| match notice {
        MinerNotice::ForeignAddress { address } => Some(address.clone()),
        MinerNotice::NoResult
        | MinerNotice::Late
        | MinerNotice::Rejected { .. }
        | MinerNotice::CannotRead
        | MinerNotice::CoinbaseTooLong { .. } => None,
    })
}

/// The kind of device, as its program's name tells.
fn family_of_agent(agent: &str) -> DeviceFamily {
    let agent = agent.to_ascii_lowercase();
    let is = |word: &str| agent.contains(word);
    if is("nerdqaxe") || is("nerdaxe") || is("nerdoctaxe") {
        DeviceFamily::NerdAxe
    } else if is("bitaxe") {
        DeviceFamily::Bitaxe
    } else if is("avalon") {
        DeviceFamily::Avalon
    } else if is("antminer") || is("bmminer") {
        DeviceFamily::Antminer
    } else if is("bosminer") || is("braiins") {
        DeviceFamily::Braiins
    } else if is("cgminer") || is("bfgminer") {
        DeviceFamily::UsbStick
    } else {
        DeviceFamily::Other
    }
}

/// The name in a login: what stands behind the address, without difficulties.
fn short_name(login: &str) -> String {
    let login = login.split(['+', '/']).next().unwrap_or_default();
    let name = login.split_once('.').map_or(login, |(_, name)| name);
    let name = if name.is_empty() { login } else { name };
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let (begin, end) = (chars.iter().take(8), chars.iter().skip(chars.len() - 6));
    begin.chain([&'…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_shown_by_their_names() {
        assert_eq!(short_name("bc1qabc.cellar+512/1000"), "cellar");
        assert_eq!(short_name("cellar"), "cellar");
        assert_eq!(short_name("bc1qabc."), "bc1qabc.");
        let address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
        assert_eq!(short_name(address), "bc1qw508…v8f3t4");
    }

    #[test]
    fn programs_tell_their_kind() {
        for (agent, family) in [
            ("bitaxe/BM1370/v2.14.0", DeviceFamily::Bitaxe),
            ("NerdQAxe++/BM1370/v1.0.36", DeviceFamily::NerdAxe),
            ("cgminer/4.11.1", DeviceFamily::UsbStick),
            ("bosminer-plus-tuner", DeviceFamily::Braiins),
            ("", DeviceFamily::Other),
        ] {
            assert_eq!(family_of_agent(agent), family, "{agent}");
        }
    }
}
