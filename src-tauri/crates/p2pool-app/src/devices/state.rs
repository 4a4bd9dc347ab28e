//! What the desk is told, and what it shows.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::sync::Arc;

use p2pool_devices::{Backup, Health, Identity, Secrets};
use p2pool_node::Arrivals;
use p2pool_store::{DeviceChangeRow, LabelRow};

use crate::api::UnixSeconds;
use crate::api::pages::{DeviceChange, HealthPoint, MinerCheck, PlanView, SearchState};

/// Something the user asked for.
#[derive(Debug)]
pub(crate) enum Deed {
    Look {
        range: String,
    },
    StopLooking,
    AddAddress {
        address: String,
    },
    /// Looks once at a connected miner.
    Learn {
        ip: Ipv4Addr,
    },
    Plan {
        device: String,
        keeps_old: bool,
        slot: Option<u8>,
        tries_other_way: bool,
    },
    PlanUndo {
        device: String,
        change: Option<i64>,
    },
    ClosePlan,
    Apply {
        secrets: Secrets,
    },
    /// Changes these devices, one first.
    UseAll {
        devices: Vec<String>,
    },
    WaitLonger {
        device: String,
    },
    PutBack {
        device: String,
    },
    DismissChange {
        device: String,
        forgets_undo: bool,
    },
    Identify {
        device: String,
    },
    Restart {
        device: String,
    },
    Label(LabelRow),
    Forget {
        device: String,
    },
    ChooseNetwork {
        address: Ipv4Addr,
    },
    Check {
        address: String,
    },
    /// What the CPU miner reached with one thread.
    NoteCpuRate {
        hps: f64,
    },
}

/// Where devices shall work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetPlace {
    pub(crate) host: Ipv4Addr,
    pub(crate) port: NonZeroU16,
    /// The address that work pays.
    pub(crate) payout: String,
}

/// What the desk must know of everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// What came to the door from each address.
    pub(crate) arrivals: BTreeMap<IpAddr, Arrivals>,
    /// Where devices shall work; `None` while they cannot.
    pub(crate) target: Option<TargetPlace>,
    /// When another device last came through the firewall.
    pub(crate) phone_seen_at: Option<UnixSeconds>,
    /// The device whose page is looked at.
    pub(crate) watched: Option<String>,
}

/// One of this computer's networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) is_virtual: bool,
}

/// A device that a search found.
#[derive(Clone, Debug)]
pub(crate) struct FoundEntry {
    pub(crate) identity: Identity,
    pub(crate) hashrate_hps: Option<f64>,
    /// Host and port of its pool.
    pub(crate) pool: String,
}

/// A device that is kept.
#[derive(Clone, Debug)]
pub(crate) struct DeviceEntry {
    pub(crate) identity: Identity,
    /// Its newest figures, and when they came.
    pub(crate) health: Option<(UnixSeconds, Arc<Health>)>,
    /// Questions in a row that it did not answer.
    pub(crate) silences: u32,
    /// Oldest first.
    pub(crate) points: VecDeque<HealthPoint>,
    /// Oldest first.
    pub(crate) changes: Vec<ChangeEntry>,
}

/// A change that was made on a device.
#[derive(Clone, Debug)]
pub(crate) struct ChangeEntry {
    pub(crate) row: DeviceChangeRow,
    /// What it was before; `None` if the file is gone.
    pub(crate) backup: Option<Arc<Backup>>,
}

impl DeviceEntry {
    pub(crate) fn new(identity: Identity) -> Self {
        Self { identity, health: None, silences: 0, points: VecDeque::new(), changes: Vec::new() }
    }

    /// The newest change that holds.
    pub(crate) fn holding(&self) -> Option<&ChangeEntry> {
        self.changes.iter().rev().find(|change| change.row.undone_at.is_none())
    }

    /// Where that change pointed it: this computer's address, and the user name.
    pub(crate) fn pointed_at(&self) -> Option<(Ipv4Addr, &str)> {
        let target = self.holding()?.backup.as_ref()?.target();
        Some((target.address(), target.user()))
    }

    /// Whether its old settings wait for it.
    pub(crate) fn undo_waits(&self) -> bool {
        self.changes.iter().any(|change| change.row.is_undo_waiting)
    }
}

/// Everything the desk shows. Devices are named by what they are known by.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeskState {
    /// This computer's networks, the usual one first.
    pub(crate) networks: Vec<Network>,
    /// The network that the user chose.
    pub(crate) chosen: Option<Ipv4Addr>,
    pub(crate) search: SearchState,
    pub(crate) found: BTreeMap<String, FoundEntry>,
    pub(crate) plan: Option<PlanView>,
    /// Changes under way, and ends of the last ones.
    pub(crate) changes: BTreeMap<String, DeviceChange>,
    pub(crate) devices: BTreeMap<String, DeviceEntry>,
    pub(crate) labels: BTreeMap<String, LabelRow>,
    pub(crate) check: Option<MinerCheck>,
    /// Whether several devices are being changed one after the other.
    pub(crate) is_rolling: bool,
    /// What the CPU miner reached with one thread, hashes per second.
    pub(crate) cpu_hps: Option<f64>,
}

impl DeskState {
    /// The network whose address miners are told: the chosen one while it is there, else the usual.
    pub(crate) fn network(&self) -> Option<&Network> {
        let chosen = self.networks.iter().find(|network| Some(network.address) == self.chosen);
        chosen.or_else(|| self.networks.iter().find(|network| !network.is_virtual))
    }

    /// Who a device is, whether found or kept.
    pub(crate) fn identity(&self, device: &str) -> Option<&Identity> {
        let kept = self.devices.get(device).map(|entry| &entry.identity);
        kept.or_else(|| self.found.get(device).map(|entry| &entry.identity))
    }

    /// Devices that look for an address of this computer that is not its own any more.
    pub(crate) fn astray(&self) -> Vec<String> {
        let Some(network) = self.network() else { return Vec::new() };
        let own: Vec<Ipv4Addr> = self.networks.iter().map(|network| network.address).collect();
        let is_astray = |entry: &DeviceEntry| {
            entry.pointed_at().is_some_and(|(host, _)| {
                host != network.address && !own.contains(&host) && !entry.undo_waits()
            })
        };
        let astray = self.devices.iter().filter(|(_, entry)| is_astray(entry));
        astray.map(|(id, _)| id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use p2pool_devices::{
        DeviceAddress, Document, Info, Reach, Reading, ReadyChange, Target, Wishes, plan_change,
    };
    use p2pool_sharechain::time::UnixTime;

    use super::*;

    const DOCUMENT: &str = r#"{"ASICModel":"BM1370","boardVersion":"601","version":"2.9.0",
        "hostname":"bitaxe","stratumURL":"solo.example.org","stratumPort":3333,
        "stratumUser":"u","fallbackStratumURL":"","fallbackStratumPort":0,
        "fallbackStratumUser":""}"#;

    /// A device that was pointed at an address of this computer.
    fn pointed(at: [u8; 4], ip: u8, folder: &std::path::Path) -> DeviceEntry {
        let info = Info::parse(DOCUMENT.as_bytes()).unwrap();
        let address = DeviceAddress::new([192, 168, 1, ip].into(), Reach::Private).unwrap();
        let identity = info.identity(address);
        let reading = Reading { identity: identity.clone(), document: Document::Info(info) };
        let target = Target::new(at.into(), 9332.try_into().unwrap(), "me.bitaxe").unwrap();
        let plan = plan_change(&reading, &Wishes::usual(target)).unwrap();
        let ready = ReadyChange::save(plan, folder, u64::from(ip)).unwrap();
        let row = DeviceChangeRow {
            id: i64::from(ip),
            device: identity.id.folder(),
            at: UnixTime(1),
            backup: ready.path().to_string_lossy().into_owned(),
            undone_at: None,
            is_undo_waiting: false,
        };
        let backup = Some(Arc::new(ready.backup().clone()));
        DeviceEntry { changes: vec![ChangeEntry { row, backup }], ..DeviceEntry::new(identity) }
    }

    /// Acceptance 31: what *Update miners* is about.
    #[test]
    fn only_devices_that_were_pointed_at_an_old_address_are_astray() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = ([192, 168, 1, 20], [192, 168, 1, 30]);
        let network = |address: [u8; 4]| Network {
            name: "eth0".into(),
            address: address.into(),
            prefix: 24,
            is_virtual: false,
        };
        let mut desk = DeskState { networks: vec![network(old)], ..DeskState::default() };
        desk.devices.insert("a".into(), pointed(old, 57, dir.path()));
        let mut undone = pointed(old, 58, dir.path());
        undone.changes[0].row.undone_at = Some(UnixTime(2));
        desk.devices.insert("undone".into(), undone);
        let stranger = DeviceEntry { changes: Vec::new(), ..pointed(old, 59, dir.path()) };
        desk.devices.insert("stranger".into(), stranger);
        assert_eq!(desk.astray(), Vec::<String>::new());

        desk.networks = vec![network(new)];
        assert_eq!(desk.astray(), ["a"]);
        desk.devices.insert("moved".into(), pointed(new, 60, dir.path()));
        assert_eq!(desk.astray(), ["a"]);
    }
}
