//! Bitaxe since AxeOS 2.15: eight pool slots, and two numbers that say which are in use. The flat
//! keys are still shown there, and ignored when written.

use serde_json::{Map, Value};

use super::{
    Draft, Note, PlanError, Row, Subject, UsedSlot, Wishes, is_target, row, shown_endpoint,
};
use crate::backup::Backup;
use crate::identity::Identity;
use crate::info::Info;
use crate::request::{Key, Request, Settings, Slot, SlotId};
use crate::script::{Document, Expectation, Goal, Script, unmet};
use crate::target::Target;
use crate::text::DeviceText;

type Fields = Map<String, Value>;

pub(super) fn change(
    identity: &Identity,
    info: &Info,
    wishes: &Wishes,
) -> Result<Draft, PlanError> {
    let target = &wishes.target;
    let (primary, secondary) = indexes(info)?;
    let primary_id = SlotId::from_value(primary).ok_or(not_restorable(Key::PrimaryPoolIndex))?;
    let old = info.slot(primary_id).ok_or(not_restorable(Key::PrimaryPoolIndex))?;
    if holds(old, target) {
        return Err(PlanError::AlreadyThere);
    }
    let id = wishes.slot.map_or_else(|| empty_slot(info), Ok)?;
    let present = info.slot(id);

    let mut settings = Settings::new();
    let mut rows = vec![
        row(Subject::Pool, shown(old), target.shown()),
        row(Subject::User, shown_user(old), DeviceText::clean(target.user())),
    ];
    let mut notes = vec![Note::RestartsOnce];
    if id != primary_id {
        settings.insert(Key::PrimaryPoolIndex, u8::from(id).into());
        if wishes.keeps_old_as_backup {
            settings.insert(Key::SecondaryPoolIndex, primary.clone());
            let backup = SlotId::from_value(secondary).and_then(|id| info.slot(id));
            rows.push(row(Subject::BackupPool, backup.map(shown).unwrap_or_default(), shown(old)));
            let now = backup.map(shown_user).unwrap_or_default();
            rows.push(row(Subject::BackupUser, now, shown_user(old)));
        }
    }
    let plain = Slot::plain(&target.host(), target.port(), target.user());
    let slot = match present {
        Some(_) => {
            notes.push(Note::RewritesSlot(id));
            plain.keeping_password()
        }
        None => plain,
    };
    let mut script = Script::new(identity, Goal::AtOurDoor);
    script.requires = vec![
        setting(Key::PrimaryPoolIndex, primary),
        setting(Key::SecondaryPoolIndex, secondary),
        Expectation::Slot { id: primary_id, fields: compared(old) },
        match present {
            Some(fields) => Expectation::Slot { id, fields: compared(fields) },
            None => Expectation::NoSlot { id },
        },
    ];
    let fields = slot.readable().map(|(key, value)| (key.clone(), value.clone())).collect();
    script.expects = vec![Expectation::Slot { id, fields: compared(&fields) }];
    script.expects.extend(settings.iter().map(|(key, value)| setting(*key, value)));
    script.writes.push(Request::PutSlot { id, slot });
    if !settings.is_empty() {
        script.writes.push(Request::Settings(settings));
    }
    script.restart = Some(Request::Restart);
    Ok(Draft { script, rows, notes })
}

pub(super) fn undo(
    identity: &Identity,
    backup: &Backup,
    before: &Info,
    info: &Info,
) -> Result<Draft, PlanError> {
    let (primary, secondary) = indexes(before)?;
    let now = Document::Info(info.clone());
    let is_now =
        |expectation: &Expectation| unmet(std::slice::from_ref(expectation), &now).is_empty();
    let mut script = Script::new(identity, Goal::OldSettings);
    let mut slots = Vec::new();
    for request in backup.sent() {
        let Request::PutSlot { id, .. } = request else { continue };
        if let Some(shown) = before.slot(*id) {
            let fields: Fields = Slot::as_shown(shown)
                .readable()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let expectation = Expectation::Slot { id: *id, fields };
            if !is_now(&expectation) {
                script.writes.push(Request::PutSlot { id: *id, slot: Slot::as_shown(shown) });
            }
            slots.push(expectation);
        } else if info.slot(*id).is_some_and(|slot| holds(slot, backup.target())) {
            // Only after the restart: a slot in use cannot be deleted.
            script.finishing.push(Request::DeleteSlot { id: *id });
            script.finally.push(Expectation::NoSlot { id: *id });
        }
    }
    let indexes = [(Key::PrimaryPoolIndex, primary), (Key::SecondaryPoolIndex, secondary)];
    let expected = indexes.map(|(key, value)| setting(key, value));
    if !expected.iter().all(is_now) {
        let settings = indexes.map(|(key, value)| (key, value.clone()));
        script.writes.push(Request::Settings(Settings::from(settings)));
    }
    if !script.writes.is_empty() {
        script.restart = Some(Request::Restart);
    }
    script.expects = slots;
    script.expects.extend(expected);
    script.finally.extend(script.expects.iter().cloned());
    let notes = script.restart.iter().map(|_| Note::RestartsOnce).collect();
    Ok(Draft { rows: undo_rows(before, info), script, notes })
}

/// Undoes a change of flat keys on a device whose firmware has got slots since then. It moved the
/// pools into slots: the old one is among them as the backup pool, or gets a slot again.
pub(super) fn undo_flat(
    identity: &Identity,
    before: &Info,
    info: &Info,
) -> Result<Draft, PlanError> {
    indexes(info)?;
    let (primary, primary_put) = place_of(before, info, FLAT_POOL)?;
    let mut script = Script::new(identity, Goal::OldSettings);
    let mut settings = Settings::from([(Key::PrimaryPoolIndex, Value::from(u8::from(primary)))]);
    // The old backup pool only comes back where it still stands.
    if let Ok((secondary, None)) = place_of(before, info, FLAT_BACKUP_POOL) {
        settings.insert(Key::SecondaryPoolIndex, u8::from(secondary).into());
    }
    script.expects = settings.iter().map(|(key, value)| setting(*key, value)).collect();
    let mut notes = Vec::new();
    if let Some(slot) = primary_put {
        let fields = slot.readable().map(|(key, value)| (key.clone(), value.clone())).collect();
        script.expects.push(Expectation::Slot { id: primary, fields: compared(&fields) });
        script.writes.push(Request::PutSlot { id: primary, slot });
        notes.push(Note::OldPasswordUnknown);
    }
    let now = Document::Info(info.clone());
    if !unmet(&script.expects, &now).is_empty() {
        script.writes.push(Request::Settings(settings));
        script.restart = Some(Request::Restart);
        notes.push(Note::RestartsOnce);
    }
    script.finally = script.expects.clone();
    let used = info.setting(Key::PrimaryPoolIndex).and_then(SlotId::from_value);
    let used = used.and_then(|id| info.slot(id));
    let (now, now_user) = used.map(|slot| (shown(slot), shown_user(slot))).unwrap_or_default();
    let (host, port, user) = flat_pool(before, FLAT_POOL)?;
    let then = shown_endpoint(host, Some(f64::from(port)));
    let mut rows =
        vec![row(Subject::Pool, now, then), row(Subject::User, now_user, DeviceText::clean(user))];
    rows.retain(|row| row.now != row.then);
    Ok(Draft { script, rows, notes })
}

/// Flat keys of one pool: host, port, user.
type FlatKeys = [Key; 3];

const FLAT_POOL: FlatKeys = [Key::StratumUrl, Key::StratumPort, Key::StratumUser];
const FLAT_BACKUP_POOL: FlatKeys = [Key::FallbackUrl, Key::FallbackPort, Key::FallbackUser];

fn flat_pool(before: &Info, [url, port, user]: FlatKeys) -> Result<(&str, u16, &str), PlanError> {
    let text = |key: Key| before.setting(key).and_then(Value::as_str).ok_or(not_restorable(key));
    let number = before.setting(port).and_then(Value::as_u64);
    let number = number.and_then(|port| u16::try_from(port).ok()).ok_or(not_restorable(port))?;
    Ok((text(url)?, number, text(user)?))
}

/// The slot that holds a pool of flat keys, or an empty one with what to put there.
fn place_of(
    before: &Info,
    info: &Info,
    keys: FlatKeys,
) -> Result<(SlotId, Option<Slot>), PlanError> {
    let (host, port, user) = flat_pool(before, keys)?;
    let is_it = |slot: &Fields| {
        let shown_port = slot.get(Key::StratumPort.name()).and_then(Value::as_u64);
        text(slot, Key::StratumUrl) == host
            && shown_port == Some(u64::from(port))
            && text(slot, Key::StratumUser) == user
    };
    match info.slots().into_iter().find(|(_, slot)| is_it(slot)) {
        Some((id, _)) => Ok((id, None)),
        None => Ok((empty_slot(info)?, Some(Slot::plain(host, port, user)))),
    }
}

/// What is shown of the pools now and before, where it differs.
fn undo_rows(before: &Info, info: &Info) -> Vec<Row> {
    let mut rows = Vec::new();
    for (pool, user, key) in [
        (Subject::Pool, Subject::User, Key::PrimaryPoolIndex),
        (Subject::BackupPool, Subject::BackupUser, Key::SecondaryPoolIndex),
    ] {
        let used = |info: &Info| {
            let slot = info.setting(key).and_then(SlotId::from_value).and_then(|id| info.slot(id));
            slot.map(|slot| (shown(slot), shown_user(slot))).unwrap_or_default()
        };
        let (now, then) = (used(info), used(before));
        rows.push(row(pool, now.0, then.0));
        rows.push(row(user, now.1, then.1));
    }
    rows.retain(|row| row.now != row.then);
    rows
}

fn indexes(info: &Info) -> Result<(&Value, &Value), PlanError> {
    let index =
        |key: Key| info.setting(key).filter(|value| value.is_number()).ok_or(not_restorable(key));
    Ok((index(Key::PrimaryPoolIndex)?, index(Key::SecondaryPoolIndex)?))
}

fn not_restorable(key: Key) -> PlanError {
    PlanError::NotRestorable(key.name())
}

fn empty_slot(info: &Info) -> Result<SlotId, PlanError> {
    let used = info.slots();
    let is_empty = |id: &SlotId| used.iter().all(|(known, _)| known != id);
    SlotId::all().find(is_empty).ok_or_else(|| {
        let shown = used.iter().map(|(id, slot)| UsedSlot {
            id: *id,
            pool: shown(slot),
            user: shown_user(slot),
        });
        PlanError::AllSlotsUsed(shown.collect())
    })
}

fn setting(key: Key, value: &Value) -> Expectation {
    Expectation::Setting { key, value: value.clone() }
}

/// What makes a slot the one that was meant.
fn compared(slot: &Fields) -> Fields {
    let keys = [Key::StratumUrl, Key::StratumPort, Key::StratumUser].map(Key::name);
    let kept = slot.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn text(slot: &Fields, key: Key) -> &str {
    slot.get(key.name()).and_then(Value::as_str).unwrap_or_default()
}

fn holds(slot: &Fields, target: &Target) -> bool {
    is_target(text(slot, Key::StratumUrl), slot.get(Key::StratumPort.name()), target)
        && text(slot, Key::StratumUser) == target.user()
}

fn shown(slot: &Fields) -> DeviceText {
    let port = slot.get(Key::StratumPort.name()).and_then(Value::as_f64);
    shown_endpoint(text(slot, Key::StratumUrl), port)
}

fn shown_user(slot: &Fields) -> DeviceText {
    DeviceText::clean(text(slot, Key::StratumUser))
}
