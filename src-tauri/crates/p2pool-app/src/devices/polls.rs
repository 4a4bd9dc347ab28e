//! How devices are doing: each is asked now and then, gently, and never two things at once.

use std::sync::Arc;

use p2pool_devices::{
    CallError, Device, DeviceId, Health, Identity, POLL_MIN, Pace, Secrets, neighbours,
};
use tokio::time::Instant;

use super::desk::{Desk, News};
use super::words::unexpected;
use crate::api::pages::{ChangeStep, DeviceChange, HEALTH_POINTS_MAX, HealthPoint};

/// When a device is asked next, and whether it is asked or changed now.
#[derive(Debug)]
pub(super) struct Turn {
    is_busy: bool,
    asked_at: Option<Instant>,
    next: Instant,
    pace: Pace,
}

impl Default for Turn {
    fn default() -> Self {
        Self { is_busy: false, asked_at: None, next: Instant::now(), pace: Pace::default() }
    }
}

impl Desk {
    /// A handle to the device, if nobody else has it; to be given back by [`Desk::end_turn`].
    pub(super) fn take_turn(&mut self, identity: &Identity) -> Option<Device> {
        let device = self.client.device(identity.address).ok()?;
        let turn = self.turns.entry(identity.id.folder()).or_default();
        if turn.is_busy {
            return None;
        }
        turn.is_busy = true;
        Some(device)
    }

    pub(super) fn end_turn(&mut self, device: &str) {
        self.doors.remove(device);
        if let Some(turn) = self.turns.get_mut(device) {
            turn.is_busy = false;
            turn.next = Instant::now() + POLL_MIN;
        }
    }

    /// Somebody looks at a device's page: it is asked soon.
    pub(super) fn watch(&mut self) {
        let Some(turn) = self.around.watched.as_ref().and_then(|id| self.turns.get_mut(id)) else {
            return;
        };
        let now = Instant::now();
        let earliest = turn.asked_at.map_or(now, |asked| asked + POLL_MIN);
        // Only one that begins to be looked at is asked earlier than it would be.
        if turn.next > now + p2pool_devices::POLL_WATCHED {
            turn.next = earliest.max(now);
        }
    }

    /// Asks every device whose time has come.
    pub(super) fn poll_devices(&mut self) {
        let now = Instant::now();
        let devices: Vec<Identity> =
            self.state.devices.values().map(|entry| entry.identity.clone()).collect();
        for identity in devices.into_iter().filter(|it| it.family.dialect().is_some()) {
            let turn = self.turns.entry(identity.id.folder()).or_default();
            if turn.is_busy || turn.next > now {
                continue;
            }
            turn.asked_at = Some(now);
            let Some(mut device) = self.take_turn(&identity) else { continue };
            self.jobs.spawn(async move {
                let health = device.health(identity.family, &Secrets::default()).await;
                Some(Box::new(move |desk: &mut Self| desk.polled(&identity, health)) as News)
            });
        }
    }

    fn polled(&mut self, identity: &Identity, health: Result<Health, CallError>) {
        let (id, now) = (identity.id.folder(), self.now());
        let is_watched = self.around.watched.as_ref() == Some(&id);
        if let Some(turn) = self.turns.get_mut(&id) {
            turn.is_busy = false;
            turn.next = Instant::now() + turn.pace.after(health.is_ok(), is_watched);
        }
        let Some(entry) = self.state.devices.get_mut(&id) else { return };
        match health {
            Ok(health) => {
                entry.silences = 0;
                entry.points.push_back(HealthPoint {
                    at: now,
                    hashrate_hps: health.hashrate_hps,
                    celsius: health.temperature_celsius,
                    watts: health.power_watts,
                });
                while entry.points.len() > HEALTH_POINTS_MAX {
                    entry.points.pop_front();
                }
                if let (Some(found), Some(pool)) = (self.state.found.get_mut(&id), &health.pool) {
                    found.pool = pool.as_str().to_owned();
                }
                entry.health = Some((now, Arc::new(health)));
                let waiting = entry.changes.iter().find(|change| change.row.is_undo_waiting);
                if let Some(number) = waiting.map(|change| change.row.id) {
                    self.undo(&id, number, Secrets::default());
                }
            }
            Err(error) => {
                tracing::debug!(device = %identity.address, %error, "device not read");
                entry.silences = entry.silences.saturating_add(1);
                self.find_again(identity.clone());
            }
        }
    }

    /// A router may have given the device another address: the system knows, if they spoke lately.
    fn find_again(&mut self, identity: Identity) {
        let DeviceId::Mac(mac) = identity.id else { return };
        self.jobs.spawn(async move {
            let known = neighbours().await;
            let ip = known.iter().find(|it| it.mac == mac && it.ip != identity.address.ip())?.ip;
            Some(Box::new(move |desk: &mut Self| {
                if let Ok(address) = desk.client.address(ip) {
                    desk.keep(&Identity { address, ..identity });
                }
            }) as News)
        });
    }

    pub(super) fn identify(&mut self, device: &str) {
        self.tell_device(device, "showing a greeting", |mut device, _| {
            Box::pin(async move { device.greet(&Secrets::default()).await })
        });
    }

    pub(super) fn restart(&mut self, device: &str) {
        self.tell_device(device, "restarting the device", |mut device, identity| {
            Box::pin(async move { device.restart(identity.family, &Secrets::default()).await })
        });
    }

    fn tell_device(
        &mut self,
        device: &str,
        doing: &'static str,
        call: impl FnOnce(Device, Identity) -> Call + Send + 'static,
    ) {
        let Some(identity) = self.state.identity(device).cloned() else { return };
        let Some(handle) = self.take_turn(&identity) else { return };
        self.jobs.spawn(async move {
            let told = call(handle, identity.clone()).await;
            Some(Box::new(move |desk: &mut Self| {
                let id = identity.id.folder();
                desk.end_turn(&id);
                if let Err(error) = told {
                    let problem = unexpected(&identity, doing, error.to_string());
                    let problem = Some(problem);
                    let step = ChangeStep::Begun;
                    desk.show_change(&id, DeviceChange { is_undo: false, step, problem });
                }
            }) as News)
        });
    }
}

type Call = std::pin::Pin<Box<dyn Future<Output = Result<(), CallError>> + Send>>;
