//! Devices of the AxeOS family that keep their pool in flat keys: Bitaxe 2.3 to 2.14, NerdAxe.

use serde_json::Value;

use super::{
    Draft, Note, PlanError, Row, Subject, Wishes, is_target, row, shown_endpoint, shown_pool,
};
use crate::backup::Backup;
use crate::identity::{Family, Identity};
use crate::info::{Info, truth};
use crate::request::{Key, Request, Settings};
use crate::script::{Expectation, Goal, Script, unmet};
use crate::text::DeviceText;

/// Longest text that a device stores.
const STORED_CHARS_MAX: usize = 255;

pub(super) fn change(
    identity: &Identity,
    info: &Info,
    wishes: &Wishes,
) -> Result<Draft, PlanError> {
    let target = &wishes.target;
    let host = restorable_text(info, Key::StratumUrl)?;
    let user = restorable_text(info, Key::StratumUser)?;
    let port = restorable_number(info, Key::StratumPort)?;
    let is_same_place = is_target(host, Some(port), target);
    if is_same_place && user == target.user() {
        return Err(PlanError::AlreadyThere);
    }
    let mut settings = Settings::from([
        (Key::StratumUrl, target.host().into()),
        (Key::StratumPort, target.port().into()),
        (Key::StratumUser, target.user().into()),
    ]);
    let mut notes = vec![Note::PasswordStays];
    if wishes.keeps_old_as_backup && !host.is_empty() && !is_same_place {
        let replaced = restorable_text(info, Key::FallbackUrl)?;
        restorable_text(info, Key::FallbackUser)?;
        restorable_number(info, Key::FallbackPort)?;
        settings.insert(Key::FallbackUrl, host.into());
        settings.insert(Key::FallbackPort, port.clone());
        settings.insert(Key::FallbackUser, user.into());
        notes.push(Note::BackupPasswordUnknown);
        if !replaced.is_empty() && replaced != host {
            notes.push(Note::ReplacesBackupPool);
        }
    }
    switch_off(info, Key::UseFallback, &mut settings);
    if identity.family == Family::NerdAxe {
        notes.extend(shared_payout(info, wishes, &mut settings));
        let mode = info.value("poolMode").or_else(|| info.in_stratum("poolMode"));
        let is_dual = mode.is_some_and(|mode| match mode.as_str() {
            Some(word) => word.to_ascii_lowercase().contains("dual"),
            None => truth(mode).unwrap_or(false),
        });
        notes.extend(is_dual.then_some(Note::DividesWork));
    }
    let mut script = Script::new(identity, Goal::AtOurDoor);
    script.requires = shown_values(info, &settings)?;
    finish(identity, settings, &mut script, &mut notes);
    let rows = rows(info, &script.writes);
    Ok(Draft { script, rows, notes })
}

/// Lifts the check of the NerdAxe family that refuses pools which do not pay its user alone: in
/// P2Pool the coinbase pays every miner of the window.
fn shared_payout(info: &Info, wishes: &Wishes, settings: &mut Settings) -> Option<Note> {
    let mode = info.value("coinbaseVerifyMode").or_else(|| info.in_stratum("coinbaseVerifyMode"));
    let is_off = mode.and_then(truth) == Some(false);
    let is_forced = info.setting(Key::CoinbaseVerifyForce).and_then(truth).unwrap_or(false);
    if is_off || !is_forced {
        return None;
    }
    if !wishes.lifts_payout_check {
        return Some(Note::RefusesSharedPayout);
    }
    switch_off(info, Key::CoinbaseVerifyForce, settings);
    None
}

/// Sends the "no" of a setting that says "yes", in the type the device uses: some ignore others.
fn switch_off(info: &Info, key: Key, settings: &mut Settings) {
    let Some(value) = info.setting(key).filter(|value| truth(value) == Some(true)) else { return };
    settings.insert(key, if value.is_boolean() { false.into() } else { 0.into() });
}

pub(super) fn undo(
    identity: &Identity,
    backup: &Backup,
    before: &Info,
    info: &Info,
) -> Result<Draft, PlanError> {
    let mut settings = Settings::new();
    for request in backup.sent() {
        let Request::Settings(sent) = request else { continue };
        for key in sent.keys() {
            let value = before.setting(*key).ok_or(PlanError::NotRestorable(key.name()))?;
            settings.insert(*key, value.clone());
        }
    }
    let mut script = Script::new(identity, Goal::OldSettings);
    let mut notes = vec![Note::PasswordStays];
    let is_back = unmet_settings(&settings, info).is_empty();
    if !is_back {
        finish(identity, settings, &mut script, &mut notes);
    }
    let rows = rows(info, &script.writes);
    Ok(Draft { script, rows, notes })
}

fn unmet_settings(settings: &Settings, info: &Info) -> Vec<String> {
    let document = crate::script::Document::Info(info.clone());
    unmet(&expected(settings), &document)
}

fn expected(settings: &Settings) -> Vec<Expectation> {
    let each = settings.iter();
    each.map(|(key, value)| Expectation::Setting { key: *key, value: value.clone() }).collect()
}

/// The present values of the settings, as a condition for sending others.
fn shown_values(info: &Info, settings: &Settings) -> Result<Vec<Expectation>, PlanError> {
    let shown = settings.keys().map(|key| {
        let value = info.setting(*key).ok_or(PlanError::NotRestorable(key.name()))?;
        Ok(Expectation::Setting { key: *key, value: value.clone() })
    });
    shown.collect()
}

fn finish(identity: &Identity, settings: Settings, script: &mut Script, notes: &mut Vec<Note>) {
    script.expects = expected(&settings);
    script.finally = script.expects.clone();
    script.writes = vec![Request::Settings(settings)];
    // The NerdAxe family connects anew by itself.
    if identity.family != Family::NerdAxe {
        script.restart = Some(Request::Restart);
        notes.push(Note::RestartsOnce);
    }
}

/// A line for every setting that is sent.
fn rows(info: &Info, writes: &[Request]) -> Vec<Row> {
    let Some(Request::Settings(settings)) = writes.first() else { return Vec::new() };
    let sent_text = |key: Key| settings.get(&key).and_then(Value::as_str);
    let sent_port = |key: Key| settings.get(&key).and_then(Value::as_f64);
    let now_text = |key: Key| {
        let text = info.setting(key).and_then(Value::as_str).unwrap_or_default();
        DeviceText::clean(text)
    };
    let mut rows = Vec::new();
    for (subject, url, port) in [
        (Subject::Pool, Key::StratumUrl, Key::StratumPort),
        (Subject::BackupPool, Key::FallbackUrl, Key::FallbackPort),
    ] {
        if let Some(host) = sent_text(url) {
            let then = shown_endpoint(host, sent_port(port));
            rows.push(row(subject, shown_pool(info, url, port), then));
        }
    }
    for (subject, key) in
        [(Subject::User, Key::StratumUser), (Subject::BackupUser, Key::FallbackUser)]
    {
        if let Some(user) = sent_text(key) {
            rows.push(row(subject, now_text(key), DeviceText::clean(user)));
        }
    }
    for (subject, key) in [
        (Subject::ForcedBackup, Key::UseFallback),
        (Subject::PayoutCheck, Key::CoinbaseVerifyForce),
    ] {
        if let Some(value) = settings.get(&key) {
            let word = |is_on: Option<bool>| {
                DeviceText::clean(if is_on.unwrap_or(false) { "on" } else { "off" })
            };
            let now = info.setting(key).and_then(truth);
            rows.push(row(subject, word(now), word(truth(value))));
        }
    }
    rows.sort_by_key(|row| row.subject);
    rows
}

/// A text that the device would take back.
fn restorable_text(info: &Info, key: Key) -> Result<&str, PlanError> {
    let text = info.setting(key).and_then(Value::as_str);
    let is_good = |text: &&str| {
        text.chars().count() <= STORED_CHARS_MAX && !text.chars().any(char::is_control)
    };
    text.filter(is_good).ok_or(PlanError::NotRestorable(key.name()))
}

fn restorable_number(info: &Info, key: Key) -> Result<&Value, PlanError> {
    let number = info.setting(key).filter(|value| value.is_number());
    number.ok_or(PlanError::NotRestorable(key.name()))
}
