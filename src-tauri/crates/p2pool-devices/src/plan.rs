//! The plan of a change: what the device says now, what it will say then, what cannot be put back.
//! Nothing is sent here.

mod cgminer_api;
mod flat;
mod slots;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::backup::Backup;
use crate::error::CallError;
use crate::identity::{Family, FirmwareVersion, Identity};
use crate::info::Info;
use crate::request::{Key, Request, SlotId};
use crate::script::{Document, Reading, Script};
use crate::target::Target;
use crate::text::DeviceText;

/// First firmware of a Bitaxe that tells its hardware address and has a backup pool.
const BITAXE_SINCE: FirmwareVersion = FirmwareVersion::new(2, 3);
/// First firmware of a Bitaxe that keeps pools in slots.
const BITAXE_SLOTS_SINCE: FirmwareVersion = FirmwareVersion::new(2, 15);

/// What the user wants of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Where the device shall work.
    pub target: Target,
    /// Whether the present pool becomes the backup pool.
    pub keeps_old_as_backup: bool,
    /// The slot to give up, if all are in use or our own shall be rewritten.
    pub slot: Option<SlotId>,
    /// Whether a check that refuses pools which do not pay the device's user alone is lifted.
    pub lifts_payout_check: bool,
    /// After `D-02`: the way that this firmware is not known for.
    pub tries_other_way: bool,
}

impl Wishes {
    /// The usual wishes: old pool kept as backup pool, payout check lifted where it is in the way.
    pub fn usual(target: Target) -> Self {
        Self {
            target,
            keeps_old_as_backup: true,
            slot: None,
            lifts_payout_check: true,
            tries_other_way: false,
        }
    }
}

/// What a line of the plan is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Host and port of the pool.
    Pool,
    /// User name there.
    User,
    /// Host and port of the backup pool.
    BackupPool,
    /// User name there.
    BackupUser,
    /// Forced use of the backup pool: `on` or `off`.
    ForcedBackup,
    /// Blocking of pools that do not pay the device's user alone: `on` or `off`.
    PayoutCheck,
}

/// One line of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about.
    pub subject: Subject,
    /// Value now; empty for none.
    pub now: DeviceText,
    /// Value then; empty for none.
    pub then: DeviceText,
}

/// Something the user should know before agreeing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// The device restarts once.
    RestartsOnce,
    /// The pool's password stays in the device.
    PasswordStays,
    /// The backup pool gets the password that stands there, or any: the old pool's is not known.
    BackupPasswordUnknown,
    /// Passwords of the pools that are put back are not known.
    OldPasswordUnknown,
    /// The present backup pool is replaced until the change is undone.
    ReplacesBackupPool,
    /// A slot in use is rewritten until the change is undone.
    RewritesSlot(SlotId),
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

/// What must be typed before the change can be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The code of the device's authenticator.
    pub one_time_code: bool,
    /// The login of the device's own page.
    pub login: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// We do not change firmware that we do not know. `D-05`
    #[error("unknown firmware {version}")]
    UnknownFirmware {
        /// The version, in the device's words.
        version: DeviceText,
    },
    /// This family is set up by the user.
    #[error("only instructions exist for {0:?}")]
    InstructionsOnly(Family),
    /// There is nothing to change.
    #[error("the device is already set like this")]
    AlreadyThere,
    /// The user has to give up one.
    #[error("all pool slots are in use")]
    AllSlotsUsed(Vec<UsedSlot>),
    /// A present setting is missing or strange: we could not put it back.
    #[error("the present value of {0} could not be put back")]
    NotRestorable(&'static str),
    /// The backup is of another device.
    #[error("the backup is of another device")]
    OtherDevice,
    /// The backup's document is damaged.
    #[error("the backup is not readable")]
    Backup(#[source] CallError),
}

impl PlanError {
    /// The code of the error catalogue, where there is one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::UnknownFirmware { .. } | Self::NotRestorable(_) => Some("D-05"),
            Self::InstructionsOnly(_)
            | Self::AlreadyThere
            | Self::AllSlotsUsed(_)
            | Self::OtherDevice
            | Self::Backup(_) => None,
        }
    }
}

/// A slot that holds a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedSlot {
    /// Its number.
    pub id: SlotId,
    /// Host and port of the pool.
    pub pool: DeviceText,
    /// User name there.
    pub user: DeviceText,
}

/// A change of one device, worked out but not begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The device.
    pub identity: Identity,
    /// What changes, line by line.
    pub rows: Vec<Row>,
    /// What to know.
    pub notes: Vec<Note>,
    /// What to type.
    pub needs: Needs,
    pub(crate) target: Target,
    pub(crate) before: Document,
    pub(crate) script: Script,
}

/// The undoing of a change, worked out but not begun.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoPlan {
    /// The device.
    pub identity: Identity,
    /// What changes, line by line.
    pub rows: Vec<Row>,
    /// What to know.
    pub notes: Vec<Note>,
    /// What to type.
    pub needs: Needs,
    pub(crate) script: Script,
}

impl UndoPlan {
    /// Whether the device is already set as it was.
    pub fn is_done(&self) -> bool {
        self.script.is_empty()
    }
}

/// What a family's planner works out.
struct Draft {
    script: Script,
    rows: Vec<Row>,
    notes: Vec<Note>,
}

/// Works out how the device comes to work where the user wishes.
///
/// # Errors
/// Any [`PlanError`].
pub fn plan_change(reading: &Reading, wishes: &Wishes) -> Result<Plan, PlanError> {
    let identity = &reading.identity;
    let unknown = || PlanError::UnknownFirmware { version: identity.firmware.clone() };
    let draft = match (identity.family, &reading.document) {
        (Family::Bitaxe, Document::Info(info)) => {
            let version = identity.version().ok_or_else(unknown)?;
            let may_be_flat = (BITAXE_SINCE..BITAXE_SLOTS_SINCE).contains(&version);
            match (info.has_slots(), wishes.tries_other_way) {
                (true, false) => slots::change(identity, info, wishes)?,
                (true, true) => flat::change(identity, info, wishes)?,
                (false, false) if may_be_flat => flat::change(identity, info, wishes)?,
                (false, _) => return Err(unknown()),
            }
        }
        (Family::NerdAxe, Document::Info(info)) if !wishes.tries_other_way => {
            flat::change(identity, info, wishes)?
        }
        (Family::Avalon, Document::Pools(pools)) if !wishes.tries_other_way => {
            cgminer_api::set_pool(identity, pools, wishes)?
        }
        (Family::Cgminer, Document::Pools(pools)) if !wishes.tries_other_way => {
            cgminer_api::add_pool(identity, pools, wishes)?
        }
        (Family::AxeOsFork | Family::NerdAxe | Family::Avalon | Family::Cgminer, _) => {
            return Err(unknown());
        }
        (family, _) => return Err(PlanError::InstructionsOnly(family)),
    };
    Ok(Plan {
        identity: identity.clone(),
        rows: draft.rows,
        notes: draft.notes,
        needs: needs(reading),
        target: wishes.target.clone(),
        before: reading.document.clone(),
        script: draft.script,
    })
}

/// Works out how the device gets the settings back that it had before a change.
///
/// # Errors
/// A backup of another device, or one that does not fit what the device is now.
pub fn plan_undo(backup: &Backup, now: &Reading) -> Result<UndoPlan, PlanError> {
    let identity = &now.identity;
    if backup.identity().id != identity.id {
        return Err(PlanError::OtherDevice);
    }
    let before = backup.before().map_err(PlanError::Backup)?;
    let unknown = || PlanError::UnknownFirmware { version: identity.firmware.clone() };
    let draft = match (&before, &now.document) {
        (Document::Info(before), Document::Info(info)) => {
            let has_put = |request: &Request| matches!(request, Request::PutSlot { .. });
            match (backup.sent().iter().any(has_put), info.has_slots()) {
                (true, true) => slots::undo(identity, backup, before, info)?,
                (true, false) => return Err(unknown()),
                (false, true) if !before.has_slots() => slots::undo_flat(identity, before, info)?,
                (false, _) => flat::undo(identity, backup, before, info)?,
            }
        }
        (Document::Pools(before), Document::Pools(pools)) => {
            cgminer_api::undo(identity, backup, before, pools)?
        }
        (Document::Info(_), Document::Pools(_)) | (Document::Pools(_), Document::Info(_)) => {
            return Err(unknown());
        }
    };
    Ok(UndoPlan {
        identity: identity.clone(),
        rows: draft.rows,
        notes: draft.notes,
        needs: needs(now),
        script: draft.script,
    })
}

fn needs(reading: &Reading) -> Needs {
    let one_time_code = match &reading.document {
        Document::Info(info) => info.flag("otp").unwrap_or(false),
        Document::Pools(_) => false,
    };
    Needs { one_time_code, login: reading.identity.family == Family::Avalon }
}

/// The pool and the backup pool that a device of the AxeOS family shows, as the lines of a plan.
fn shown_pool(info: &Info, url: Key, port: Key) -> DeviceText {
    let text = |key: Key| info.setting(key).and_then(Value::as_str).unwrap_or_default();
    let port = info.setting(port).and_then(Value::as_f64);
    shown_endpoint(text(url), port)
}

fn shown_endpoint(host: &str, port: Option<f64>) -> DeviceText {
    match (host, port) {
        ("", _) => DeviceText::default(),
        (host, Some(port)) => DeviceText::clean(&format!("{host}:{port}")),
        (host, None) => DeviceText::clean(host),
    }
}

fn row(subject: Subject, now: DeviceText, then: DeviceText) -> Row {
    Row { subject, now, then }
}

/// Whether a device's host and port are those of the target.
fn is_target(host: &str, port: Option<&Value>, target: &Target) -> bool {
    host == target.host() && port.and_then(Value::as_u64) == Some(u64::from(target.port()))
}
