//! What it takes to connect a miner: where to point it, what is found, what is changed on it. The
//! page of miners and the set-up show the same.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::{ProblemAction, ProblemCode, UnixSeconds};

/// Most devices of a search that are listed.
pub const FOUND_MAX: usize = 100;

/// Where miners connect, and what is known of devices that do not yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Connect {
    /// Whether miners can connect, and if not why.
    pub door: DoorState,
    /// What a miner is told; `None` without a home network, and in practice.
    pub address: Option<MinerAddress>,
    /// This computer's networks; a choice is offered if there is more than one.
    pub networks: Vec<NetworkChoice>,
    /// When another device last opened the page for phones: it came through the firewall.
    pub phone_seen_at: Option<UnixSeconds>,
    /// The search for devices.
    pub search: SearchState,
    /// Devices found, in the order of their addresses, at most [`FOUND_MAX`].
    pub found: Vec<FoundDevice>,
    /// Whether *Use all* makes sense: two devices or more could be changed by a click.
    pub can_use_all: bool,
    /// The plan that is open.
    pub plan: Option<PlanView>,
}

/// Whether miners can connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum DoorState {
    /// The node does not run yet: the door opens with it.
    #[default]
    Closed,
    /// It is open.
    Open,
    /// It is open for this computer alone, as in practice.
    OnlyHere,
    /// This computer is on no home network (`S-07`).
    NoNetwork,
}

/// What a miner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinerAddress {
    /// `stratum+tcp://192.168.1.20:9332`.
    pub url: String,
    /// `192.168.1.20`; never this computer's own name for itself.
    pub host: String,
    /// `9332`.
    pub port: u16,
    /// User name: the payout address and a name.
    pub user: String,
    /// The page for phones, as in the code.
    pub hello_url: String,
    /// The same as a picture.
    pub code: QrPicture,
}

/// A code for cameras.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct QrPicture {
    /// Squares on a side, the quiet margin included.
    pub size: u32,
    /// The dark squares as a path of unit squares.
    pub path: String,
}

/// One of this computer's networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct NetworkChoice {
    /// The system's name of it.
    pub name: String,
    /// This computer's address there.
    pub address: String,
    /// Whether it is a tunnel, a container or a virtual machine.
    pub is_virtual: bool,
    /// Whether it is the one whose address is shown.
    pub is_chosen: bool,
}

/// The search for devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SearchState {
    /// None was asked for.
    #[default]
    Idle,
    /// Devices that announce themselves are asked.
    Listening,
    /// Addresses are looked at.
    Looking {
        /// So many so far.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// It is over.
    Ended {
        /// Addresses looked at.
        looked_at: u32,
        /// Devices found.
        found: u32,
        /// Whether it was cancelled.
        is_cancelled: bool,
        /// Whether the system lets nothing through (`S-05` on macOS).
        is_forbidden: bool,
    },
}

/// A kind of device, which chooses its picture and its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum DeviceFamily {
    /// Bitaxe.
    Bitaxe,
    /// NerdAxe, NerdQAxe and relatives.
    NerdAxe,
    /// Avalon Nano, Mini, Q.
    Avalon,
    /// Antminer with the maker's firmware.
    Antminer,
    /// Braiins OS.
    Braiins,
    /// A stick or a program on a computer.
    UsbStick,
    /// The built-in CPU miner.
    Cpu,
    /// Everything else.
    Other,
}

/// A device that a search found, or that was added by its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FoundDevice {
    /// Names it in requests.
    pub id: String,
    /// Its hardware address, if it tells.
    pub mac: Option<String>,
    /// Where it is.
    pub ip: String,
    /// Its kind.
    pub family: DeviceFamily,
    /// Its model, in its own words.
    pub model: String,
    /// The name it gives itself.
    pub name: String,
    /// Its firmware, in its own words.
    pub firmware: String,
    /// Hashes per second, by its own word.
    pub hashrate_hps: Option<f64>,
    /// Host and port of the pool it works for now; empty if it does not tell.
    pub pool: String,
    /// What can be done with it.
    pub offer: DeviceOffer,
    /// Whether it can show a greeting on its screen.
    pub can_identify: bool,
    /// The change under way, or the end of the last one.
    pub change: Option<DeviceChange>,
}

/// What can be done with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum DeviceOffer {
    /// *Use it here*.
    UseHere,
    /// *Set up…*: needs its login.
    NeedsLogin,
    /// It works here already.
    IsHere,
    /// The user sets it up; we say how.
    Instructions,
}

/// A change of a device's pool, or its undoing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DeviceChange {
    /// Whether old settings are put back.
    pub is_undo: bool,
    /// How far it is.
    pub step: ChangeStep,
    /// What went wrong, with its buttons; `None` while all is well.
    pub problem: Option<DeviceProblem>,
}

/// Steps of a change, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ChangeStep {
    /// It waits for another device's change.
    Waiting,
    /// It begins.
    Begun,
    /// The backup is on the disk.
    BackedUp,
    /// The device has the new settings.
    Sent,
    /// It restarts.
    Restarting,
    /// It logged in here.
    Connected,
    /// Its first result is here: done.
    FirstResult,
    /// Its old settings are back: done.
    Restored,
}

/// What went wrong with a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DeviceProblem {
    /// The code of the catalogue.
    pub code: ProblemCode,
    /// Values for its sentence.
    pub values: std::collections::BTreeMap<String, String>,
    /// Technical text.
    pub technical: String,
    /// Buttons that have an effect now.
    pub actions: Vec<ProblemAction>,
}

/// The open plan of a change: what is now, what will be then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanView {
    /// The device.
    pub device: String,
    /// Its name and model for the title.
    pub name: String,
    /// Its model.
    pub model: String,
    /// Where it is.
    pub ip: String,
    /// Its firmware.
    pub firmware: String,
    /// Whether old settings are put back.
    pub is_undo: bool,
    /// What the plan is.
    pub state: PlanState,
}

/// How far a plan is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum PlanState {
    /// The device is being read.
    Reading,
    /// It can be agreed to.
    Ready {
        /// What changes.
        rows: Vec<PlanRow>,
        /// What to know.
        notes: Vec<PlanNote>,
        /// Whether the present pool becomes the backup pool; `None` if that is no choice.
        keeps_old: Option<bool>,
        /// Whether the device's one-time code is needed.
        needs_code: bool,
        /// Whether the device's login is needed.
        needs_login: bool,
        /// How often a login was wrong.
        attempts: u32,
    },
    /// All pool slots are in use: one must be chosen.
    ChooseSlot {
        /// The slots.
        slots: Vec<SlotChoice>,
    },
    /// It is set like this already.
    NothingToDo,
    /// There is no plan.
    Failed {
        /// Why.
        problem: DeviceProblem,
    },
}

/// A line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRow {
    /// What it is about.
    pub subject: PlanSubject,
    /// Value now; empty for none.
    pub now: String,
    /// Value then; empty for none.
    pub then: String,
}

/// What a line of a plan is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanSubject {
    /// Host and port of the pool.
    Pool,
    /// User name there.
    User,
    /// Host and port of the backup pool.
    BackupPool,
    /// User name there.
    BackupUser,
    /// Forced use of the backup pool.
    ForcedBackup,
    /// Blocking of pools that do not pay the device's user alone.
    PayoutCheck,
}

/// Something to know before agreeing to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanNote {
    /// The device restarts once.
    RestartsOnce,
    /// The pool's password stays in the device.
    PasswordStays,
    /// The backup pool gets the password that stands there, or any.
    BackupPasswordUnknown,
    /// Passwords of the pools that are put back are not known.
    OldPasswordUnknown,
    /// The present backup pool is replaced until the change is undone.
    ReplacesBackupPool,
    /// A slot in use is rewritten until the change is undone.
    RewritesSlot,
    /// The pool that the change added as backup stays in the list.
    BackupPoolStays,
    /// The device divides its work between two pools.
    DividesWork,
    /// The device will refuse work that does not pay its user alone.
    RefusesSharedPayout,
    /// The program forgets the change when it ends.
    ForgottenAtEnd,
    /// The present pool stays in the list behind ours.
    OldPoolsStay,
    /// It is not proven that this model takes the change.
    Unproven,
}

/// A pool slot of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SlotChoice {
    /// Its number.
    pub id: u8,
    /// Host and port of its pool.
    pub pool: String,
    /// User name there.
    pub user: String,
}
