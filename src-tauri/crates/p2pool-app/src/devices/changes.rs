//! Changes carried out, put back, one device after the other.

use std::sync::Arc;

use p2pool_devices::{
    BackupError, DeviceProblem as Trouble, DoorCount, Ending, Identity, Phase, Plan, PlanError,
    ReadyChange, Rollout, Secrets, UndoError, UsedSlot, Verdict, Wishes, apply, plan_change, undo,
    wait_longer,
};
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{DeviceChangeRow, StoreError};
use tokio::sync::watch;

use super::desk::{Desk, News};
use super::state::ChangeEntry;
use super::words::{problem_of, problem_of_plan, step_of, unexpected};
use crate::api::ProblemAction;
use crate::api::pages::{ChangeStep, DeviceChange, DeviceProblem};

/// What is needed after a change that did not end well.
#[derive(Debug)]
pub(super) struct LastChange {
    ready: ReadyChange,
    secrets: Secrets,
    door_at_start: DoorCount,
    /// Its number in the records.
    number: i64,
    /// Logins of the device that were wrong.
    pub(super) attempts: u32,
}

/// Why a change was not even begun.
enum NotBegun {
    Backup(BackupError),
    Record(StoreError),
    Panic,
}

impl Desk {
    /// Carries out a plan: backup first, and never two things on one device.
    pub(super) fn change(&mut self, plan: Plan, secrets: Secrets) {
        let identity = plan.identity.clone();
        let device = identity.id.folder();
        let Some(book) = self.book.clone() else {
            return self.not_begun(&identity, "there are no records to keep the backup in");
        };
        let Some(mut handle) = self.take_turn(&identity) else {
            return self.not_begun(&identity, "the device is being asked something else");
        };
        let door = self.watch_door(&identity);
        self.show_change(&device, begun(false, ChangeStep::Begun));
        let (news, now) = (self.news.clone(), self.now());
        self.jobs.spawn(async move {
            let id = device.clone();
            let saved = tokio::task::spawn_blocking(move || {
                let ready =
                    ReadyChange::save(plan, book.backups(), now.0).map_err(NotBegun::Backup)?;
                let number = book.add_change(&id, now, ready.path()).map_err(NotBegun::Record)?;
                Ok((ready, number))
            });
            let (ready, number) = match saved.await.unwrap_or(Err(NotBegun::Panic)) {
                Ok(saved) => saved,
                Err(why) => {
                    return Some(Box::new(move |desk: &mut Self| {
                        desk.end_turn(&device);
                        desk.not_begun(&identity, &why.to_string());
                    }) as News);
                }
            };
            let last = (ready.clone(), secrets.clone(), *door.borrow());
            // The queue has room for the few steps of a change.
            let _ = news.try_send(Box::new(move |desk: &mut Self| desk.noted(last, number)));
            let on_phase = tell(&news, &device, false);
            let verdict = apply(&mut handle, &ready, &secrets, door, on_phase).await;
            Some(Box::new(move |desk: &mut Self| desk.changed(&device, &verdict)) as News)
        });
    }

    pub(super) fn wait_longer(&mut self, device: &str) {
        let Some(last) = self.last.get(device) else { return };
        let identity = last.ready.backup().identity().clone();
        let (ready, secrets, start) =
            (last.ready.clone(), last.secrets.clone(), last.door_at_start);
        let Some(mut handle) = self.take_turn(&identity) else { return };
        let door = self.watch_door(&identity);
        self.show_change(device, begun(false, ChangeStep::Restarting));
        let (device, news) = (device.to_owned(), self.news.clone());
        self.jobs.spawn(async move {
            let on_phase = tell(&news, &device, false);
            let verdict = wait_longer(&mut handle, &ready, &secrets, door, start, on_phase).await;
            Some(Box::new(move |desk: &mut Self| desk.changed(&device, &verdict)) as News)
        });
    }

    /// Puts back what was before a change, or before the last one.
    pub(super) fn put_back(&mut self, device: &str, change: Option<i64>) {
        let last = self.last.get(device);
        let secrets = last.map(|last| last.secrets.clone()).unwrap_or_default();
        let number = change.or(last.map(|last| last.number));
        let Some(number) = number.or_else(|| self.change_to_undo(device, None)) else { return };
        self.undo(device, number, secrets);
    }

    pub(super) fn undo(&mut self, device: &str, number: i64, secrets: Secrets) {
        let Some(entry) = self.state.devices.get(device) else { return };
        let change = entry.changes.iter().find(|change| change.row.id == number);
        let Some(backup) = change.and_then(|change| change.backup.clone()) else { return };
        let identity = Identity { address: entry.identity.address, ..backup.identity().clone() };
        let Some(mut handle) = self.take_turn(&identity) else { return };
        self.show_change(device, begun(true, ChangeStep::Begun));
        let (device, news) = (device.to_owned(), self.news.clone());
        self.jobs.spawn(async move {
            let on_phase = tell(&news, &device, true);
            let undone = undo(&mut handle, &backup, &secrets, on_phase).await;
            Some(Box::new(move |desk: &mut Self| desk.undone(&device, number, undone)) as News)
        });
    }

    /// Changes several devices: one of them first, the others only if it went well.
    pub(super) fn use_all(&mut self, devices: Vec<String>) {
        if self.rollout.is_some() {
            return;
        }
        for device in &devices {
            self.show_change(device, begun(false, ChangeStep::Waiting));
        }
        self.state.is_rolling = true;
        self.rollout = Some(Rollout::new(devices));
        self.roll_on();
    }

    pub(super) fn dismiss_change(&mut self, device: &str, forgets_undo: bool) {
        let is_over = self
            .state
            .changes
            .get(device)
            .is_none_or(|change| change.problem.is_some() || is_done(change));
        if is_over {
            self.state.changes.remove(device);
        }
        if !forgets_undo {
            return;
        }
        let Some(entry) = self.state.devices.get_mut(device) else { return };
        let waiting = entry.changes.iter_mut().filter(|change| change.row.is_undo_waiting);
        let numbers: Vec<i64> = waiting
            .map(|change| {
                change.row.is_undo_waiting = false;
                change.row.id
            })
            .collect();
        for number in numbers {
            self.write(move |book| book.note_undo(number, None, false), |_| {});
        }
    }

    /// A change that was put back; newer ones of the device are gone with it.
    pub(super) fn note_undone(&mut self, device: &str, number: i64) {
        let now = self.now();
        let Some(entry) = self.state.devices.get_mut(device) else { return };
        let gone = entry
            .changes
            .iter_mut()
            .filter(|change| change.row.id >= number && change.row.undone_at.is_none());
        let numbers: Vec<i64> = gone
            .map(|change| {
                change.row.undone_at = Some(UnixTime(now.0));
                change.row.is_undo_waiting = false;
                change.row.id
            })
            .collect();
        for number in numbers {
            self.write(move |book| book.note_undo(number, Some(now), false), |_| {});
        }
    }

    fn roll_on(&mut self) {
        let Some(rollout) = &mut self.rollout else { return };
        let Some(device) = rollout.begin_next() else {
            let untouched: Vec<String> = rollout.untouched().cloned().collect();
            for device in untouched {
                self.state.changes.remove(&device);
            }
            self.rollout = None;
            self.state.is_rolling = false;
            return;
        };
        let Some(identity) = self.state.identity(&device).cloned() else {
            return self.rolled(true);
        };
        let target = match self.target_for(&identity) {
            Ok(target) => target,
            Err(technical) => return self.not_begun(&identity, &technical),
        };
        let is_ours = self.state.devices.get(&device).is_some_and(|it| it.holding().is_some());
        let old = self.state.devices.get(&device).and_then(|entry| entry.pointed_at());
        let old = old.map(|(host, _)| host.to_string());
        // A pool of ours at an old address is no backup.
        let wishes = Wishes { keeps_old_as_backup: !is_ours, ..Wishes::usual(target) };
        self.read_then(identity, move |desk, identity, read| {
            let reading = match read {
                Ok(reading) => reading,
                Err(error) => {
                    let problem = super::plans::problem_of_call(&error, &identity, false);
                    return desk.fail(&identity, problem);
                }
            };
            let planned = match plan_change(&reading, &wishes) {
                Err(PlanError::AllSlotsUsed(slots)) => {
                    let slot = own_slot(&slots, old.as_deref());
                    plan_change(&reading, &Wishes { slot, ..wishes.clone() })
                }
                planned => planned,
            };
            match planned {
                Ok(plan) if plan.needs.one_time_code || plan.needs.login => {
                    let mut problem =
                        unexpected(&identity, "changing the pool", "it needs a login");
                    problem.code = crate::api::ProblemCode::DeviceRefuses;
                    problem.actions = vec![ProblemAction::EnterCode, ProblemAction::DoOnDevice];
                    desk.fail(&identity, problem);
                }
                Ok(plan) => desk.change(plan, Secrets::default()),
                Err(PlanError::AlreadyThere) => {
                    desk.state.changes.remove(&identity.id.folder());
                    desk.rolled(true);
                }
                Err(error) => desk.fail(&identity, problem_of_plan(&error, &identity)),
            }
        });
    }

    fn rolled(&mut self, went_well: bool) {
        if let Some(rollout) = &mut self.rollout {
            rollout.ended(went_well);
            self.roll_on();
        }
    }

    fn not_begun(&mut self, identity: &Identity, technical: &str) {
        let problem = unexpected(identity, "changing the pool", technical);
        self.fail(identity, problem);
    }

    fn fail(&mut self, identity: &Identity, problem: DeviceProblem) {
        let failed = DeviceChange { problem: Some(problem), ..begun(false, ChangeStep::Begun) };
        self.show_change(&identity.id.folder(), failed);
        self.rolled(false);
    }

    /// The backup is on the disk: the device is kept from now on.
    fn noted(
        &mut self,
        (ready, secrets, door_at_start): (ReadyChange, Secrets, DoorCount),
        number: i64,
    ) {
        let identity = ready.backup().identity().clone();
        let device = identity.id.folder();
        self.keep(&identity);
        let row = DeviceChangeRow {
            id: number,
            device: device.clone(),
            at: UnixTime(ready.backup().taken_at_unix_s()),
            backup: ready.path().to_string_lossy().into_owned(),
            undone_at: None,
            is_undo_waiting: false,
        };
        let backup = Some(Arc::new(ready.backup().clone()));
        if let Some(entry) = self.state.devices.get_mut(&device) {
            entry.changes.push(ChangeEntry { row, backup });
        }
        let attempts = self.last.get(&device).map_or(0, |last| last.attempts);
        let last = LastChange { ready, secrets, door_at_start, number, attempts };
        self.last.insert(device, last);
    }

    fn changed(&mut self, device: &str, verdict: &Verdict) {
        self.end_turn(device);
        let Some(last) = self.last.get_mut(device) else { return };
        last.door_at_start = verdict.door_at_start;
        let (identity, number) = (last.ready.backup().identity().clone(), last.number);
        let target = last.ready.backup().target();
        let pool = format!("{}:{}", target.address(), target.port());
        let step = match &verdict.result {
            Ok(Ending::Hashing) => ChangeStep::FirstResult,
            Ok(Ending::ConnectedOnly | Ending::Restored) => ChangeStep::Connected,
            Err(_) => self.state.changes.get(device).map_or(ChangeStep::Begun, |it| it.step),
        };
        let problem = verdict.result.as_ref().err().map(|trouble| {
            if matches!(trouble, Trouble::Refuses(p2pool_devices::Denial::WrongLogin)) {
                last.attempts += 1;
            }
            problem_of(trouble, &identity, false).with("attempt", last.attempts.to_string())
        });
        let was_sent = verdict.result.as_ref().err().is_none_or(was_sent);
        match &verdict.result {
            Ok(_) => {
                if let Some(found) = self.state.found.get_mut(device) {
                    found.pool = pool;
                }
            }
            // Nothing was changed, so there is nothing to put back.
            Err(_) if !was_sent => self.note_undone(device, number),
            Err(_) => {}
        }
        let went_well = problem.is_none();
        self.show_change(device, DeviceChange { is_undo: false, step, problem });
        self.rolled(went_well);
    }

    fn undone(&mut self, device: &str, number: i64, undone: Result<Ending, UndoError>) {
        self.end_turn(device);
        let Some(entry) = self.state.devices.get(device) else { return };
        let identity = entry.identity.clone();
        let before = entry.changes.iter().find(|change| change.row.id == number);
        let before = before.and_then(super::plans::pool_before);
        let problem = match undone {
            Ok(_) => {
                self.note_undone(device, number);
                if let (Some(found), Some(pool)) = (self.state.found.get_mut(device), before) {
                    found.pool = pool;
                }
                let done = begun(true, ChangeStep::Restored);
                return self.show_change(device, done);
            }
            Err(UndoError::Device(trouble)) => {
                if trouble == Trouble::UndoWaits {
                    self.note_waiting(device, number);
                }
                problem_of(&trouble, &identity, true)
            }
            Err(UndoError::Plan(error)) => problem_of_plan(&error, &identity),
        };
        let change = DeviceChange { problem: Some(problem), ..begun(true, ChangeStep::Begun) };
        self.show_change(device, change);
    }

    fn note_waiting(&mut self, device: &str, number: i64) {
        let Some(entry) = self.state.devices.get_mut(device) else { return };
        for change in entry.changes.iter_mut().filter(|change| change.row.id == number) {
            change.row.is_undo_waiting = true;
        }
        self.write(move |book| book.note_undo(number, None, true), |_| {});
    }

    /// Counts what the device brings to the door from now on.
    fn watch_door(&mut self, identity: &Identity) -> watch::Receiver<DoorCount> {
        let ip = identity.address.ip();
        let arrivals = self.around.arrivals.get(&ip.into()).copied().unwrap_or_default();
        let count = DoorCount { logins: arrivals.logins, results: arrivals.results };
        let (sender, door) = watch::channel(count);
        self.doors.insert(identity.id.folder(), (ip, sender));
        door
    }
}

fn begun(is_undo: bool, step: ChangeStep) -> DeviceChange {
    DeviceChange { is_undo, step, problem: None }
}

fn is_done(change: &DeviceChange) -> bool {
    matches!(change.step, ChangeStep::Connected | ChangeStep::FirstResult | ChangeStep::Restored)
}

/// Whether the device may have taken something before it came to this.
fn was_sent(trouble: &Trouble) -> bool {
    !matches!(
        trouble,
        Trouble::Refuses(_)
            | Trouble::Silent(_)
            | Trouble::OtherDevice
            | Trouble::ChangedMeanwhile { .. }
    )
}

/// Of the slots in use, the one that points at an address of ours.
fn own_slot(slots: &[UsedSlot], old: Option<&str>) -> Option<p2pool_devices::SlotId> {
    let old = format!("{}:", old?);
    slots.iter().find(|slot| slot.pool.as_str().starts_with(&old)).map(|slot| slot.id)
}

/// Tells the steps of a change as they come.
fn tell<'a>(
    news: &'a tokio::sync::mpsc::Sender<News>,
    device: &'a str,
    is_undo: bool,
) -> impl FnMut(Phase) + Send + use<'a> {
    move |phase| {
        let (device, step) = (device.to_owned(), step_of(phase));
        // The queue has room for the few steps of a change.
        let _ = news.try_send(Box::new(move |desk: &mut Desk| {
            desk.show_change(&device, begun(is_undo, step));
        }));
    }
}

impl std::fmt::Display for NotBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Backup(error) => write!(f, "no backup: {error}"),
            Self::Record(error) => write!(f, "no record: {error}"),
            Self::Panic => f.write_str("the backup was not made"),
        }
    }
}
