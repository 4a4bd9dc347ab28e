//! The page of miners: the list, one device, the CPU miner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::{ChartRange, ProblemCode, SeriesPoint, UnixSeconds};
use super::connect::{Connect, DeviceChange, DeviceFamily};
use super::secret::SecretText;

/// Most rows of the list.
pub const MINER_ROWS_MAX: usize = 1_000;
/// Most points of a row's small chart.
pub const SPARK_POINTS_MAX: usize = 48;
/// Most points of a device's own charts.
pub const HEALTH_POINTS_MAX: usize = 1_440;

/// What the page of miners shows. Push on change, at most once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinersView {
    /// Miners that work.
    pub working: u32,
    /// Miners that are away.
    pub away: u32,
    /// All together, hashes per second; `None` if nothing mines.
    pub hashrate_hps: Option<f64>,
    /// One row a miner, at most [`MINER_ROWS_MAX`], in order of their names.
    pub rows: Vec<MinerRow>,
    /// Miners that the user hid.
    pub hidden: u32,
    /// How to connect one.
    pub connect: Connect,
    /// This computer's address has changed, and devices look for the old one (`S-04`).
    pub address_change: Option<AddressChange>,
    /// The last miner check.
    pub check: Option<MinerCheck>,
    /// The CPU miner; `None` without a node.
    pub cpu: Option<CpuView>,
    /// The miner whose page is open.
    pub open: Option<Box<MinerPage>>,
}

/// One miner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinerRow {
    /// Names it in requests.
    pub id: String,
    /// What the user calls it, or it itself.
    pub name: String,
    /// Its kind.
    pub family: DeviceFamily,
    /// Whether the user hid it.
    pub is_hidden: bool,
    /// Whether its own interface is known, so that it can be asked and set.
    pub is_managed: bool,
    /// Whether *Learn its model* is offered.
    pub can_learn: bool,
    /// How it is doing.
    pub state: MinerState,
    /// Hashes per second, 5 min; `None` while away.
    pub hashrate_hps: Option<f64>,
    /// Half hours of the last day, hashes per second; `None` is a gap.
    pub spark: Vec<Option<f64>>,
    /// Late work divided by all work; `None` before the first result.
    pub late_part: Option<f64>,
    /// When its newest result arrived.
    pub last_result_at: Option<UnixSeconds>,
    /// Drawn power, by its own word.
    pub power_watts: Option<f64>,
    /// Temperature of its chip, by its own word.
    pub celsius: Option<f64>,
    /// Where it is.
    pub ip: Option<String>,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Model and firmware, from the device or from what its program says.
    pub model: String,
    /// Difficulty of its work.
    pub difficulty: Option<f64>,
    /// Accepted results in this run.
    #[ts(type = "number")]
    pub accepted: u64,
    /// Of these, late ones.
    #[ts(type = "number")]
    pub late: u64,
    /// Refused results in this run.
    #[ts(type = "number")]
    pub rejected: u64,
    /// Since when it is connected, or away.
    pub since: Option<UnixSeconds>,
    /// User name as sent.
    pub user: Option<String>,
    /// Host and port of the pool set on the device.
    pub pool: Option<String>,
    /// An address in its user name that is not ours.
    pub foreign_address: Option<String>,
    /// Whether that address is paid, because the settings allow it.
    pub is_foreign_paid: bool,
    /// The change under way, or the end of the last one.
    pub change: Option<DeviceChange>,
}

/// How a miner is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum MinerState {
    /// Results come.
    Mining,
    /// Connected, no result yet.
    Connected {
        /// Whether that has lasted ten minutes: "check its difficulty or firmware".
        is_long: bool,
    },
    /// Something is wrong.
    Problem {
        /// What.
        code: ProblemCode,
        /// Values for its words.
        values: BTreeMap<String, String>,
    },
    /// Not connected.
    Away {
        /// Since when; `None` if it has not been seen in this run.
        since: Option<UnixSeconds>,
    },
    /// Mining is paused.
    Paused,
}

/// The page of one miner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinerPage {
    /// Its row in the list.
    pub row: MinerRow,
    /// The range of the hash rate chart.
    pub range: ChartRange,
    /// Hash rate as it arrives here.
    pub series: Vec<SeriesPoint>,
    /// The device's own figures, oldest first, at most [`HEALTH_POINTS_MAX`].
    pub health: Vec<HealthPoint>,
    /// When the device last answered; `None` if it has not.
    pub answered_at: Option<UnixSeconds>,
    /// Whether it does not answer now.
    pub is_silent: bool,
    /// Firmware, in its own words.
    pub firmware: String,
    /// Its own page, if it has one.
    pub web_url: Option<String>,
    /// Fan, in percent.
    pub fan_percent: Option<f64>,
    /// Wireless reception in dBm.
    pub wifi_dbm: Option<f64>,
    /// Whether that is weak.
    pub is_wifi_weak: bool,
    /// Part of the next block that the device itself reads from its work, 0 to 1.
    pub own_part: Option<f64>,
    /// Refused results by reason, as the miner was told.
    pub reasons: Vec<RejectCount>,
    /// Whether it can show a greeting.
    pub can_identify: bool,
    /// Whether it can be restarted from here.
    pub can_restart: bool,
    /// Whether its pool can be changed from here.
    pub can_change: bool,
    /// Changes made by the application, newest first.
    pub history: Vec<ChangeRecord>,
}

/// The device's own figures at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct HealthPoint {
    /// When.
    pub at: UnixSeconds,
    /// Hashes per second.
    pub hashrate_hps: Option<f64>,
    /// Temperature of the chip.
    pub celsius: Option<f64>,
    /// Drawn power.
    pub watts: Option<f64>,
}

/// Refused results of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RejectCount {
    /// The reason.
    pub reason: RejectWords,
    /// How often.
    #[ts(type = "number")]
    pub count: u64,
}

/// Why results are refused, in the groups that the window has words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RejectWords {
    /// For work that is over.
    TooLate,
    /// Too easy.
    LowDifficulty,
    /// Sent before.
    Duplicate,
    /// Not as the protocol wants it.
    Malformed,
    /// Anything else.
    Other,
}

/// A change made by the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ChangeRecord {
    /// Its number.
    #[ts(type = "number")]
    pub id: i64,
    /// When it was begun.
    pub at: UnixSeconds,
    /// The pool before it.
    pub pool_before: String,
    /// The pool after it.
    pub pool_after: String,
    /// How it stands now.
    pub state: ChangeFate,
}

/// How a change stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum ChangeFate {
    /// It holds, and can be undone.
    Holds,
    /// Its undoing waits for the device (`D-06`).
    UndoWaits,
    /// It was undone.
    Undone {
        /// When.
        at: UnixSeconds,
    },
    /// Its backup is gone: it cannot be undone from here.
    Lost,
}

/// This computer's address has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AddressChange {
    /// The new address.
    pub new: String,
    /// Devices that look for an old one.
    pub devices: u32,
    /// Whether they are being updated.
    pub is_running: bool,
}

/// Why does it not connect? Tests in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinerCheck {
    /// Whether it still runs.
    pub is_running: bool,
    /// The tests so far.
    pub tests: Vec<CheckedPoint>,
}

/// One test of the miner check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CheckedPoint {
    /// What was tested.
    pub test: CheckTest,
    /// How it went; `None` if it cannot be told.
    pub is_good: Option<bool>,
    /// What it is about: an address, a pool.
    pub detail: String,
}

/// What the miner check tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CheckTest {
    /// Whether the door is open.
    Listening,
    /// Whether the address shown is one of this computer's, on a home network.
    Network,
    /// Whether this computer answers itself there, which a strict firewall prevents.
    OwnAddress,
    /// Whether another device has come through.
    Phone,
    /// Whether a device can be reached from here.
    DeviceReachable,
    /// Whether the device is set to this computer.
    DevicePool,
}

/// The built-in CPU miner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CpuView {
    /// What is asked of it.
    pub wish: CpuWish,
    /// How it is.
    pub state: super::super::HelperState,
    /// Hashes per second, by its own word while it runs.
    pub hashrate_hps: Option<f64>,
    /// What this processor would make with so many threads, as measured last; `None` until then.
    pub expected_hps: Option<f64>,
    /// Average time to a share at that rate; `None` until both are known.
    pub share_secs: Option<f64>,
    /// Threads this computer can run at once.
    pub threads_available: u32,
    /// Temperature of the processor; `None` where the system does not tell.
    pub celsius: Option<f64>,
    /// Whether it pauses for nothing because this system tells neither battery nor use.
    pub cannot_tell: bool,
    /// Technical text of `E-CPU-01`.
    pub failure: Option<String>,
}

/// What is asked of the CPU miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct CpuWish {
    /// Whether it is to mine.
    pub is_on: bool,
    /// With so many threads.
    pub threads: u32,
    /// Pauses on battery.
    pub pause_on_battery: bool,
    /// Pauses while somebody uses the computer.
    pub pause_when_active: bool,
    /// Stops after ten minutes.
    pub stop_soon: bool,
    /// Stops above 85 °C.
    pub stop_when_hot: bool,
}

/// What the page of miners, and the miners' step of the set-up, may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum MinersRequest {
    /// Chooses the network whose address miners are told.
    ChooseNetwork {
        /// This computer's address there.
        address: String,
    },
    /// *Look for miners*: on the chosen network, or on the ranges given.
    Look {
        /// `192.168.1.0/24`, `192.168.1.10-50`; empty for the chosen network.
        range: String,
    },
    /// Leaves off looking.
    StopLooking,
    /// Looks at one address or host name.
    AddAddress {
        /// As typed.
        address: String,
    },
    /// *Learn its model*: looks once at the web page of a connected miner.
    Learn {
        /// [`MinerRow::id`].
        miner: String,
    },
    /// Reads a device and opens the plan of its change.
    Plan {
        /// [`FoundDevice::id`](super::FoundDevice::id).
        device: String,
        /// Whether its present pool becomes the backup pool.
        keeps_old: bool,
        /// The slot to give up.
        slot: Option<u8>,
        /// *Try other way*, after `D-02`.
        tries_other_way: bool,
    },
    /// Reads a device and opens the plan of putting its old pool back.
    PlanUndo {
        /// The device.
        device: String,
        /// [`ChangeRecord::id`]; the newest that holds if `None`.
        #[ts(type = "number | null")]
        change: Option<i64>,
    },
    /// Closes the plan; nothing was sent.
    ClosePlan,
    /// Carries the open plan out.
    Apply {
        /// The device's one-time code.
        code: Option<SecretText>,
        /// User of the device's login.
        user: Option<String>,
        /// Password of the device's login.
        password: Option<SecretText>,
    },
    /// *Use all*: one device first, then the others; stops at the first failure.
    UseAll,
    /// After `D-03`: goes on waiting.
    WaitLonger {
        /// The device.
        device: String,
    },
    /// After a failure: puts the old settings back, now or when the device is seen.
    PutBack {
        /// The device.
        device: String,
    },
    /// Takes the end of a change off the list.
    DismissChange {
        /// The device.
        device: String,
        /// Whether an undoing that waits for the device is taken back, too.
        forgets_undo: bool,
    },
    /// Shows a greeting on the device's screen, or takes it away.
    Identify {
        /// The device.
        device: String,
    },
    /// Restarts a device.
    Restart {
        /// The device.
        device: String,
    },
    /// Opens the page of a miner, or closes it.
    Open {
        /// [`MinerRow::id`].
        miner: Option<String>,
    },
    /// Chooses the range of the open miner's chart.
    ShowRange {
        /// The range.
        range: ChartRange,
    },
    /// Gives a miner a name; an empty one is taken back.
    Rename {
        /// [`MinerRow::id`].
        miner: String,
        /// The name.
        name: String,
    },
    /// Leaves a miner out of the list, or shows it again.
    Hide {
        /// [`MinerRow::id`].
        miner: String,
        /// Whether it is left out.
        is_hidden: bool,
    },
    /// Shows all hidden miners again.
    ShowHidden,
    /// Forgets a miner that is away; backups stay on the disk.
    Forget {
        /// [`MinerRow::id`].
        miner: String,
    },
    /// *Update miners*: tells devices that look for the old address the new one.
    UpdateMiners,
    /// *It doesn't connect…*: tests what may be in the way.
    Check {
        /// Where the miner is, if known.
        address: String,
    },
    /// Switches the CPU miner.
    SetCpu {
        /// What is asked of it.
        wish: CpuWish,
    },
}
