//! Plans: a device is read, and what would change is shown. Nothing is sent.

use std::collections::BTreeSet;

use p2pool_devices::{
    CallError, DeviceProblem as Trouble, Family, Identity, Plan, PlanError, Reading, Secrets,
    SlotId, Target, Wishes, plan_change, plan_undo,
};

use super::desk::{Desk, News};
use super::naming;
use super::state::ChangeEntry;
use super::words::{name_of, note_of, problem_of, problem_of_plan, row_of, unexpected};
use crate::api::pages::{DeviceProblem, PlanState, PlanView, SlotChoice};

/// What the open plan would do.
#[derive(Debug)]
pub(super) enum Pending {
    /// Change the device.
    Change(Box<Plan>),
    /// Put back what was before this change.
    Undo(i64),
}

impl Desk {
    pub(super) fn plan(
        &mut self,
        device: &str,
        keeps_old: bool,
        slot: Option<u8>,
        tries_other_way: bool,
    ) {
        let Some(identity) = self.open_plan(device, false) else { return };
        let target = match self.target_for(&identity) {
            Ok(target) => target,
            Err(technical) => {
                let problem = unexpected(&identity, "planning the change", technical);
                return self.set_plan(device, PlanState::Failed { problem });
            }
        };
        let wishes = Wishes {
            keeps_old_as_backup: keeps_old,
            slot: slot.and_then(|slot| SlotId::try_from(slot).ok()),
            tries_other_way,
            ..Wishes::usual(target)
        };
        self.read_then(identity, move |desk, identity, read| {
            let state = desk.planned(&identity, read, &wishes);
            desk.set_plan(&identity.id.folder(), state);
        });
    }

    pub(super) fn plan_undo(&mut self, device: &str, change: Option<i64>) {
        let Some(change) = self.change_to_undo(device, change) else { return };
        let Some(identity) = self.open_plan(device, true) else { return };
        self.read_then(identity, move |desk, identity, read| {
            let device = identity.id.folder();
            match read {
                // It is off: what was agreed to by the click waits for it.
                Err(CallError::Silent(_)) => {
                    desk.state.plan = None;
                    desk.put_back(&device, Some(change));
                }
                read => {
                    let state = desk.undo_planned(&identity, read, change);
                    desk.set_plan(&device, state);
                }
            }
        });
    }

    pub(super) fn close_plan(&mut self) {
        self.state.plan = None;
        self.pending = None;
    }

    pub(super) fn apply(&mut self, secrets: Secrets) {
        let (Some(plan), Some(pending)) = (self.state.plan.take(), self.pending.take()) else {
            return;
        };
        match pending {
            Pending::Change(change) => self.change(*change, secrets),
            Pending::Undo(change) => self.undo(&plan.device, change, secrets),
        }
    }

    /// The change that an undoing is about: the one that took the device away from a pool that is
    /// not ours.
    pub(super) fn change_to_undo(&self, device: &str, wanted: Option<i64>) -> Option<i64> {
        let holding: Vec<&ChangeEntry> = self
            .state
            .devices
            .get(device)?
            .changes
            .iter()
            .filter(|change| change.row.undone_at.is_none() && change.backup.is_some())
            .collect();
        if let Some(wanted) = wanted {
            return holding.iter().find(|change| change.row.id == wanted).map(|it| it.row.id);
        }
        let ours: BTreeSet<String> =
            holding.iter().filter_map(|change| pool_after(change)).collect();
        let is_from_elsewhere =
            |change: &&&ChangeEntry| !pool_before(change).is_some_and(|pool| ours.contains(&pool));
        let found = holding.iter().rev().find(is_from_elsewhere).or(holding.first());
        found.map(|change| change.row.id)
    }

    /// Where a device shall work, under a name of its own.
    pub(super) fn target_for(&self, identity: &Identity) -> Result<Target, String> {
        let place = self.around.target.as_ref().ok_or("miners cannot connect yet")?;
        let id = identity.id.folder();
        let others = self.state.devices.iter().filter(|(other, _)| **other != id);
        let taken =
            others.filter_map(|(_, entry)| Some(entry.pointed_at()?.1.to_owned())).collect();
        let known = self.state.devices.get(&id).and_then(|entry| entry.pointed_at());
        let user = known.and_then(|(_, user)| naming::moved(user, &place.payout));
        let user = user.unwrap_or_else(|| naming::user_name(&place.payout, identity, &taken));
        Target::new(place.host, place.port, &user).map_err(|error| error.to_string())
    }

    fn open_plan(&mut self, device: &str, is_undo: bool) -> Option<Identity> {
        let identity = self.state.identity(device)?.clone();
        self.pending = None;
        self.state.plan = Some(PlanView {
            device: device.to_owned(),
            name: name_of(&identity),
            model: identity.model.as_str().to_owned(),
            ip: identity.address.to_string(),
            firmware: identity.firmware.as_str().to_owned(),
            is_undo,
            state: PlanState::Reading,
        });
        Some(identity)
    }

    fn set_plan(&mut self, device: &str, state: PlanState) {
        match &mut self.state.plan {
            Some(plan) if plan.device == device => plan.state = state,
            // It was closed meanwhile.
            Some(_) | None => self.pending = None,
        }
    }

    /// Reads a device, then goes on with what it says.
    pub(super) fn read_then(
        &mut self,
        identity: Identity,
        then: impl FnOnce(&mut Self, Identity, Result<Reading, CallError>) + Send + 'static,
    ) {
        let client = self.client.clone();
        self.jobs.spawn(async move {
            let read = match (client.device(identity.address), identity.family.dialect()) {
                (Ok(mut device), Some(dialect)) => device.read(dialect, &Secrets::default()).await,
                (Err(error), _) => Err(error.into()),
                (Ok(_), None) => Err(CallError::NotUnderstood("this family is not read by us")),
            };
            Some(Box::new(move |desk: &mut Self| then(desk, identity, read)) as News)
        });
    }

    fn planned(
        &mut self,
        identity: &Identity,
        read: Result<Reading, CallError>,
        wishes: &Wishes,
    ) -> PlanState {
        let reading = match read {
            Ok(reading) => reading,
            Err(error) => {
                return PlanState::Failed { problem: problem_of_call(&error, identity, false) };
            }
        };
        match plan_change(&reading, wishes) {
            Ok(plan) => {
                let has_choice = matches!(plan.identity.family, Family::Bitaxe | Family::NerdAxe);
                let attempts = self.last.get(&identity.id.folder()).map_or(0, |last| last.attempts);
                let state = PlanState::Ready {
                    rows: plan.rows.iter().map(row_of).collect(),
                    notes: plan.notes.iter().copied().map(note_of).collect(),
                    keeps_old: has_choice.then_some(wishes.keeps_old_as_backup),
                    needs_code: plan.needs.one_time_code,
                    needs_login: plan.needs.login,
                    attempts,
                };
                self.pending = Some(Pending::Change(Box::new(plan)));
                state
            }
            Err(PlanError::AlreadyThere) => {
                self.keep(&reading.identity);
                PlanState::NothingToDo
            }
            Err(PlanError::AllSlotsUsed(slots)) => PlanState::ChooseSlot {
                slots: slots
                    .into_iter()
                    .map(|slot| SlotChoice {
                        id: slot.id.into(),
                        pool: slot.pool.as_str().to_owned(),
                        user: slot.user.as_str().to_owned(),
                    })
                    .collect(),
            },
            Err(error) => PlanState::Failed { problem: problem_of_plan(&error, identity) },
        }
    }

    fn undo_planned(
        &mut self,
        identity: &Identity,
        read: Result<Reading, CallError>,
        change: i64,
    ) -> PlanState {
        let entry = self.state.devices.get(&identity.id.folder());
        let entry = entry.and_then(|entry| entry.changes.iter().find(|it| it.row.id == change));
        let backup = entry.and_then(|entry| entry.backup.clone());
        let planned = match (read, backup) {
            (Ok(reading), Some(backup)) => plan_undo(&backup, &reading),
            (Err(error), _) => {
                return PlanState::Failed { problem: problem_of_call(&error, identity, true) };
            }
            (Ok(_), None) => return PlanState::NothingToDo,
        };
        match planned {
            Ok(plan) if plan.is_done() => {
                self.note_undone(&identity.id.folder(), change);
                PlanState::NothingToDo
            }
            Ok(plan) => {
                self.pending = Some(Pending::Undo(change));
                PlanState::Ready {
                    rows: plan.rows.iter().map(row_of).collect(),
                    notes: plan.notes.iter().copied().map(note_of).collect(),
                    keeps_old: None,
                    needs_code: plan.needs.one_time_code,
                    needs_login: plan.needs.login,
                    attempts: 0,
                }
            }
            Err(error) => PlanState::Failed { problem: problem_of_plan(&error, identity) },
        }
    }
}

/// Why a device could not be read.
pub(super) fn problem_of_call(
    error: &CallError,
    identity: &Identity,
    is_undo: bool,
) -> DeviceProblem {
    let trouble = match error {
        CallError::Denied(denial) => Trouble::Refuses(*denial),
        CallError::Silent(silence) => Trouble::Silent(*silence),
        CallError::Rejected(words) => Trouble::NotTaken(words.clone()),
        CallError::NotPrivate(_) | CallError::TooLong { .. } | CallError::NotUnderstood(_) | _ => {
            Trouble::NotUnderstood
        }
    };
    problem_of(&trouble, identity, is_undo)
}

/// The pool before a change.
pub(super) fn pool_before(change: &ChangeEntry) -> Option<String> {
    pool_row(change).map(|row| row.now.as_str().to_owned())
}

/// The pool after it.
fn pool_after(change: &ChangeEntry) -> Option<String> {
    pool_row(change).map(|row| row.then.as_str().to_owned())
}

/// The pools before and after a change; nothing if its backup is gone.
pub(crate) fn pools_of(change: &ChangeEntry) -> Option<(String, String)> {
    pool_before(change).zip(pool_after(change))
}

fn pool_row(change: &ChangeEntry) -> Option<&p2pool_devices::Row> {
    let rows = change.backup.as_ref()?.rows();
    rows.iter().find(|row| row.subject == p2pool_devices::Subject::Pool)
}
