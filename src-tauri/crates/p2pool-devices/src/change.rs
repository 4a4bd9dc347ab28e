//! Carries a change out: gives the machine of [`crate::transaction`] a device, a clock and a door.
//!
//! Dropping one of these futures leaves off between two requests; the backup on the disk stays, and
//! undoing works from any point.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use crate::backup::{Backup, ReadyChange};
use crate::client::Device;
use crate::error::{CallError, DeviceProblem};
use crate::identity::{Dialect, Identity};
use crate::pace::Pace;
use crate::plan::{PlanError, UndoPlan, plan_undo};
use crate::progress::{DoorCount, Ending, Phase};
use crate::script::Reading;
use crate::text::Secrets;
use crate::transaction::{Fact, Now, Output, Transaction};

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The end.
    pub result: Result<Ending, DeviceProblem>,
    /// What the door had counted when the change began: for [`wait_longer`].
    pub door_at_start: DoorCount,
}

/// An undoing that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// The device stands in the way.
    #[error(transparent)]
    Device(#[from] DeviceProblem),
    /// The backup does not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Carries out a change: checks that nothing changed since the plan, sends, reads back, restarts,
/// waits for the device at our door and for its first result. `door` counts what comes from the
/// device's address. Takes up to seven minutes.
pub async fn apply(
    device: &mut Device,
    change: &ReadyChange,
    secrets: &Secrets,
    door: watch::Receiver<DoorCount>,
    on_phase: impl FnMut(Phase),
) -> Verdict {
    let door_at_start = *door.borrow();
    let machine = Transaction::new(change.script().clone(), door_at_start);
    let identity = change.backup().identity();
    let result = drive(machine, device, identity, secrets, Some(door), on_phase).await;
    Verdict { result, door_at_start }
}

/// Goes on waiting for a device that did not come in time. Sends nothing that changes it.
pub async fn wait_longer(
    device: &mut Device,
    change: &ReadyChange,
    secrets: &Secrets,
    door: watch::Receiver<DoorCount>,
    door_at_start: DoorCount,
    on_phase: impl FnMut(Phase),
) -> Verdict {
    let machine = Transaction::waiting_longer(change.script().clone(), door_at_start);
    let identity = change.backup().identity();
    let result = drive(machine, device, identity, secrets, Some(door), on_phase).await;
    Verdict { result, door_at_start }
}

/// Puts the settings of a backup back, by reading the device, planning and carrying out.
///
/// # Errors
/// [`DeviceProblem::UndoWaits`] if the device does not answer: see [`seen_again`].
pub async fn undo(
    device: &mut Device,
    backup: &Backup,
    secrets: &Secrets,
    on_phase: impl FnMut(Phase),
) -> Result<Ending, UndoError> {
    let now = match read(device, backup.identity(), secrets).await {
        Ok(now) if now.identity.id != backup.identity().id => {
            return Err(DeviceProblem::OtherDevice.into());
        }
        Ok(now) => now,
        Err(CallError::Silent(_)) => return Err(DeviceProblem::UndoWaits.into()),
        Err(CallError::Denied(denial)) => return Err(DeviceProblem::Refuses(denial).into()),
        Err(_) => return Err(DeviceProblem::NotUnderstood.into()),
    };
    let plan = plan_undo(backup, &now)?;
    Ok(carry_out_undo(device, &plan, secrets, on_phase).await?)
}

/// Carries out an undoing that the user has seen the plan of.
///
/// # Errors
/// Any [`DeviceProblem`].
pub async fn carry_out_undo(
    device: &mut Device,
    plan: &UndoPlan,
    secrets: &Secrets,
    on_phase: impl FnMut(Phase),
) -> Result<Ending, DeviceProblem> {
    if plan.is_done() {
        return Ok(Ending::Restored);
    }
    let machine = Transaction::new(plan.script.clone(), DoorCount::default());
    drive(machine, device, &plan.identity, secrets, None, on_phase).await
}

/// Waits until a device answers again at its address, asking once a minute, later every five
/// minutes. For undoings that wait.
pub async fn seen_again(device: &mut Device, identity: &Identity, secrets: &Secrets) -> Reading {
    let mut pace = Pace::default();
    loop {
        let read = read(device, identity, secrets).await;
        match read {
            Ok(reading) if reading.identity.id == identity.id => return reading,
            Ok(_) | Err(_) => sleep(pace.after(false, false)).await,
        }
    }
}

async fn drive(
    mut machine: Transaction,
    device: &mut Device,
    identity: &Identity,
    secrets: &Secrets,
    mut door: Option<watch::Receiver<DoorCount>>,
    mut on_phase: impl FnMut(Phase),
) -> Result<Ending, DeviceProblem> {
    let start = Instant::now();
    while let Some(output) = machine.poll() {
        let fact = match output {
            Output::Phase(phase) => {
                debug!(device = %device.address(), ?phase, "device change");
                on_phase(phase);
                continue;
            }
            Output::End(result) => {
                debug!(device = %device.address(), ?result, "device change ended");
                return result;
            }
            Output::Read => Fact::Read(read(device, identity, secrets).await),
            Output::Send(request) => Fact::Sent(device.send(&request, secrets).await),
            Output::Wait(pause) => {
                door = wait(pause, door).await;
                Fact::Nothing
            }
        };
        let count = door.as_mut().map(|door| *door.borrow_and_update()).unwrap_or_default();
        machine.handle(Now { elapsed: start.elapsed(), door: count }, fact);
    }
    unreachable!("the machine asks for something until it ends")
}

/// Waits for the time or a change at the door. A door that nobody counts at any more is forgotten.
async fn wait(
    pause: Duration,
    door: Option<watch::Receiver<DoorCount>>,
) -> Option<watch::Receiver<DoorCount>> {
    let Some(mut door) = door else {
        sleep(pause).await;
        return None;
    };
    match timeout(pause, door.changed()).await {
        Ok(Err(_)) => {
            sleep(pause).await;
            Some(door)
        }
        Ok(Ok(())) | Err(_) => Some(door),
    }
}

async fn read(
    device: &mut Device,
    identity: &Identity,
    secrets: &Secrets,
) -> Result<Reading, CallError> {
    // Only families with an interface have plans and backups.
    let dialect = identity.family.dialect().unwrap_or(Dialect::AxeOs);
    device.read(dialect, secrets).await
}
