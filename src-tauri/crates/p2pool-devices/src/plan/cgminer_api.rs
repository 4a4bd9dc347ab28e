//! Devices that speak the cgminer API: Avalons, whose three pools are rewritten, and programs on a
//! computer, which get one more pool.

use super::{Draft, Note, PlanError, Row, Subject, Wishes, row};
use crate::backup::Backup;
use crate::cgminer::{PoolEntry, Pools};
use crate::identity::Identity;
use crate::request::{PoolPassword, Request};
use crate::script::{Document, Expectation, Goal, Script, is_same_url, unmet};
use crate::text::DeviceText;

/// Longest URL that an Avalon stores.
const AVALON_URL_CHARS_MAX: usize = 384;
/// Longest user name that an Avalon stores.
const AVALON_USER_CHARS_MAX: usize = 128;
/// Marks of the models for homes, which know `setpool`.
const AVALON_HOME_MODELS: [&str; 3] = ["nano", "mini", "avalon q"];
/// The model whose firmware was read.
const AVALON_PROVEN: &str = "nano3s";

/// Rewrites an Avalon's first pool.
pub(super) fn set_pool(
    identity: &Identity,
    pools: &Pools,
    wishes: &Wishes,
) -> Result<Draft, PlanError> {
    let model = identity.model.as_str().to_lowercase();
    if !AVALON_HOME_MODELS.iter().any(|mark| model.contains(mark)) {
        return Err(PlanError::UnknownFirmware { version: identity.model.clone() });
    }
    let target = &wishes.target;
    let old = pools.at(0).ok_or(PlanError::NotRestorable("pool 0"))?;
    let old = restorable(old)?;
    let is_same_place = is_same_url(&old.url, &target.url());
    if is_same_place && old.user == target.user() {
        return Err(PlanError::AlreadyThere);
    }
    let mut script = Script::new(identity, Goal::AtOurDoor);
    script.requires.push(pool_at(old));
    let user = target.user().to_owned();
    let password = PoolPassword::Any;
    script.writes.push(Request::SetPool { index: 0, url: target.url(), user, password });
    let mut rows = vec![
        row(Subject::Pool, DeviceText::clean(&old.url), target.shown()),
        row(Subject::User, DeviceText::clean(&old.user), DeviceText::clean(target.user())),
    ];
    let mut notes = vec![Note::RestartsOnce, Note::OldPasswordUnknown];
    if !model.contains(AVALON_PROVEN) {
        notes.push(Note::Unproven);
    }
    if wishes.keeps_old_as_backup && !old.url.is_empty() && !is_same_place {
        let index = backup_place(pools);
        let present = pools.at(u16::from(index)).filter(|pool| !pool.url.is_empty());
        if let Some(present) = present {
            script.requires.push(pool_at(restorable(present)?));
            notes.push(Note::ReplacesBackupPool);
        }
        notes.push(Note::BackupPasswordUnknown);
        let (url, user) = (old.url.clone(), old.user.clone());
        rows.extend(backup_rows(present, old));
        let password = PoolPassword::OldPools;
        script.writes.push(Request::SetPool { index, url, user, password });
    }
    reboot_to_apply(&mut script);
    Ok(Draft { script, rows, notes })
}

/// The first place behind the first pool that is free, else the last, which is used least.
fn backup_place(pools: &Pools) -> u8 {
    let is_free = |index: &u8| pools.at(u16::from(*index)).is_none_or(|pool| pool.url.is_empty());
    [1, 2].into_iter().find(is_free).unwrap_or(2)
}

fn backup_rows(present: Option<&PoolEntry>, old: &PoolEntry) -> [Row; 2] {
    let now = |value: fn(&PoolEntry) -> &str| {
        present.map(|pool| DeviceText::clean(value(pool))).unwrap_or_default()
    };
    [
        row(Subject::BackupPool, now(|pool| &pool.url), DeviceText::clean(&old.url)),
        row(Subject::BackupUser, now(|pool| &pool.user), DeviceText::clean(&old.user)),
    ]
}

/// Pools written by `setpool` count, and are surely shown, after a reboot.
fn reboot_to_apply(script: &mut Script) {
    script.expects = script
        .writes
        .iter()
        .filter_map(|request| match request {
            Request::SetPool { index, url, user, .. } => Some(Expectation::PoolAt {
                index: u16::from(*index),
                url: url.clone(),
                user: user.clone(),
            }),
            Request::Settings(_)
            | Request::PutSlot { .. }
            | Request::DeleteSlot { .. }
            | Request::Restart
            | Request::Greet
            | Request::AddPool { .. }
            | Request::SwitchPool { .. }
            | Request::RemovePool { .. }
            | Request::Reboot => None,
        })
        .collect();
    script.finally = script.expects.clone();
    script.shows_at_once = false;
    script.restart = Some(Request::Reboot);
}

/// Adds a pool to a running program and puts it first.
pub(super) fn add_pool(
    identity: &Identity,
    pools: &Pools,
    wishes: &Wishes,
) -> Result<Draft, PlanError> {
    let target = &wishes.target;
    let old = pools.first().ok_or(PlanError::NotRestorable("first pool"))?;
    let (url, user) = (target.url(), target.user().to_owned());
    if is_same_url(&old.url, &url) && old.user == user {
        return Err(PlanError::AlreadyThere);
    }
    let mut script = Script::new(identity, Goal::AtOurDoor);
    script.requires = vec![
        Expectation::FirstPool { url: old.url.clone(), user: old.user.clone() },
        Expectation::NoPool { url: url.clone(), user: user.clone() },
    ];
    // The program numbers its pools from 0 without gaps, and a new one comes last.
    let index = u16::try_from(pools.list().len()).map_err(|_| PlanError::NotRestorable("pools"))?;
    script.expects = vec![
        Expectation::PoolAt { index, url: url.clone(), user: user.clone() },
        Expectation::FirstPool { url: url.clone(), user: user.clone() },
    ];
    let rows = vec![
        row(Subject::Pool, DeviceText::clean(&old.url), target.shown()),
        row(Subject::User, DeviceText::clean(&old.user), DeviceText::clean(&user)),
    ];
    script.writes = vec![Request::AddPool { url, user }, Request::SwitchPool { index }];
    script.may_repeat = false;
    Ok(Draft { script, rows, notes: vec![Note::OldPoolsStay, Note::ForgottenAtEnd] })
}

pub(super) fn undo(
    identity: &Identity,
    backup: &Backup,
    before: &Pools,
    pools: &Pools,
) -> Result<Draft, PlanError> {
    let is_avalon = backup.sent().iter().any(|request| matches!(request, Request::SetPool { .. }));
    if is_avalon {
        undo_set_pool(identity, backup, before, pools)
    } else {
        undo_add_pool(identity, backup, before, pools)
    }
}

fn undo_set_pool(
    identity: &Identity,
    backup: &Backup,
    before: &Pools,
    pools: &Pools,
) -> Result<Draft, PlanError> {
    let now = Document::Pools(pools.clone());
    let mut script = Script::new(identity, Goal::OldSettings);
    let mut notes = vec![Note::RestartsOnce, Note::OldPasswordUnknown];
    let mut rows = Vec::new();
    for request in backup.sent() {
        let Request::SetPool { index, .. } = request else { continue };
        // A place cannot be emptied: what stands there stays as a backup pool.
        let Some(old) = before.at(u16::from(*index)).filter(|pool| !pool.url.is_empty()) else {
            notes.push(Note::BackupPoolStays);
            continue;
        };
        let old = restorable(old)?;
        if unmet(&[pool_at(old)], &now).is_empty() {
            continue;
        }
        let (url, user) = (old.url.clone(), old.user.clone());
        let is_first = *index == 0;
        let password = if is_first { PoolPassword::OldPools } else { PoolPassword::Any };
        let shown = pools.at(u16::from(*index));
        let [mut pool_row, mut user_row] = backup_rows(shown, old);
        if is_first {
            pool_row.subject = Subject::Pool;
            user_row.subject = Subject::User;
        }
        rows.extend([pool_row, user_row]);
        script.writes.push(Request::SetPool { index: *index, url, user, password });
    }
    if !script.writes.is_empty() {
        reboot_to_apply(&mut script);
    }
    Ok(Draft { script, rows, notes })
}

fn undo_add_pool(
    identity: &Identity,
    backup: &Backup,
    before: &Pools,
    pools: &Pools,
) -> Result<Draft, PlanError> {
    let target = backup.target();
    let mut script = Script::new(identity, Goal::OldSettings);
    let place = |url: &str, user: &str| {
        pools.list().iter().find(|pool| is_same_url(&pool.url, url) && pool.user == user)
    };
    // Gone already: the program was started anew.
    let Some(ours) = place(&target.url(), target.user()) else {
        return Ok(Draft { script, rows: Vec::new(), notes: Vec::new() });
    };
    let old = before.first().ok_or(PlanError::NotRestorable("first pool"))?;
    let old = place(&old.url, &old.user).ok_or(PlanError::NotRestorable("first pool"))?;
    let (url, user) = (old.url.clone(), old.user.clone());
    let rows = vec![
        row(Subject::Pool, DeviceText::clean(&ours.url), DeviceText::clean(&url)),
        row(Subject::User, DeviceText::clean(&ours.user), DeviceText::clean(&user)),
    ];
    script.writes =
        vec![Request::SwitchPool { index: old.index }, Request::RemovePool { index: ours.index }];
    script.may_repeat = false;
    script.expects = vec![
        Expectation::FirstPool { url, user },
        Expectation::NoPool { url: target.url(), user: target.user().to_owned() },
    ];
    script.finally = script.expects.clone();
    Ok(Draft { script, rows, notes: Vec::new() })
}

fn pool_at(pool: &PoolEntry) -> Expectation {
    Expectation::PoolAt { index: pool.index, url: pool.url.clone(), user: pool.user.clone() }
}

/// A pool that `setpool` could write back: a comma would move every value behind it.
fn restorable(pool: &PoolEntry) -> Result<&PoolEntry, PlanError> {
    let is_good = |text: &str, most: usize| {
        text.chars().count() <= most && !text.chars().any(|c| c == ',' || c.is_control())
    };
    let is_restorable =
        is_good(&pool.url, AVALON_URL_CHARS_MAX) && is_good(&pool.user, AVALON_USER_CHARS_MAX);
    if is_restorable { Ok(pool) } else { Err(PlanError::NotRestorable("pools")) }
}
