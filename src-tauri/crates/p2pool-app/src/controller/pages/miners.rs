//! The page of miners: the node's miners and the desk's devices, joined.

mod conditions;
mod cpu;

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;

use p2pool_devices::{Login, OneTimeCode, Secret, Secrets};
use p2pool_node::NodeSnapshot;
use p2pool_store::LabelRow;
use tokio::time::Instant;

use super::super::Controller;
use crate::api::pages::{
    AddressChange, ChangeFate, ChangeRecord, Connect, DoorState, MinerPage, MinerRow, MinerState,
    MinersRequest, MinersView, RejectCount, RejectWords, SecretText,
};
use crate::api::{ChartRange, Mode, PageView, ProblemCode, SeriesPoint, UiError, UnixSeconds};
use crate::devices::{Deed, Desk, DeskHandle, DeskState, DeviceEntry, Surroundings, TargetPlace};
use crate::history;
use crate::views::{self, Door, Sparks};

/// How often small charts are read.
const SPARKS_EVERY: std::time::Duration = std::time::Duration::from_secs(120);
/// The open miner's chart.
const SERIES_EVERY: std::time::Duration = std::time::Duration::from_secs(30);
/// Longest name that the user may give.
const NAME_CHARS_MAX: usize = 40;
/// Names that are remembered as forgotten.
const FORGOTTEN_MAX: usize = 1_000;

/// What the controller keeps for the page of miners.
#[derive(Debug)]
pub(in crate::controller) struct State {
    desk: DeskHandle,
    /// The task itself, until the controller runs.
    pub(in crate::controller) task: Option<Desk>,
    /// The miner whose page is open.
    open: Option<String>,
    range: ChartRange,
    series: Vec<SeriesPoint>,
    series_at: Option<Instant>,
    sparks: Sparks,
    sparks_at: Option<Instant>,
    /// Rows without a device that are left out until they connect again.
    forgotten: BTreeSet<String>,
    cpu: cpu::State,
    conditions: conditions::State,
}

impl State {
    pub(in crate::controller) fn new(host: Arc<dyn crate::host::Host>) -> Self {
        let (desk, task) = Desk::new(host);
        Self {
            desk,
            task,
            open: None,
            range: ChartRange::Hours24,
            series: Vec::new(),
            series_at: None,
            sparks: Sparks::new(),
            sparks_at: None,
            forgotten: BTreeSet::new(),
            cpu: cpu::State::default(),
            conditions: conditions::State::default(),
        }
    }
}

impl Controller {
    /// What the page shows.
    pub(super) fn miners_view(&self) -> PageView {
        let state = &self.pages.miners;
        let desk = state.desk.state();
        let node = self.shown_run().map(|run| &*run.node);
        let rows = self.miner_rows(self.mode, &desk);
        let is_working = |row: &&MinerRow| {
            matches!(row.state, MinerState::Mining | MinerState::Problem { .. })
                && row.hashrate_hps.is_some_and(|hps| hps > 0.0)
        };
        let is_away = |row: &&MinerRow| matches!(row.state, MinerState::Away { .. });
        let count = views::count;
        let seen = || rows.iter().filter(|row| !row.is_hidden);
        let hashrate_hps = node.map(|node| node.miners.hashrate_hps).filter(|hps| *hps > 0.0);
        let open = state.open.as_ref().and_then(|id| rows.iter().find(|row| row.id == *id));
        let view = MinersView {
            working: count(seen().filter(is_working).count()),
            away: count(seen().filter(is_away).count()),
            hashrate_hps,
            hidden: count(rows.iter().filter(|row| row.is_hidden).count()),
            connect: self.connect_view(None),
            address_change: self.address_change(&desk),
            check: desk.check.clone(),
            cpu: self.cpu_view(&desk),
            open: open.map(|row| Box::new(self.miner_page(row, &desk))),
            rows,
        };
        PageView::Miners(Box::new(view))
    }

    /// What the page of miners and the set-up show about connecting. `payout` is the address that
    /// work will pay, where no node runs that knows it.
    pub(in crate::controller) fn connect_view(&self, payout: Option<&str>) -> Connect {
        let desk = self.pages.miners.desk.state();
        views::connect(&desk, &self.door(&desk, payout))
    }

    pub(super) fn miner_rows(&self, mode: Mode, desk: &DeskState) -> Vec<MinerRow> {
        let state = &self.pages.miners;
        let node = self.sites[mode].run().map(|run| &*run.node);
        // Devices work for the live node, or not for us.
        let kept = DeskState::default();
        let desk = if mode == Mode::Live { desk } else { &kept };
        views::miner_rows(node, desk, &state.sparks, &state.forgotten)
    }

    fn door(&self, desk: &DeskState, payout: Option<&str>) -> Door {
        let network = desk.network().map(|network| network.address);
        let Some(run) = self.shown_run() else {
            let port = NonZeroU16::new(p2pool_sharechain::Params::mainnet().worker_port);
            let place = network.zip(port).map(|(host, port)| TargetPlace {
                host,
                port,
                payout: payout.unwrap_or_default().to_owned(),
            });
            let state =
                if desk.networks.is_empty() { DoorState::NoNetwork } else { DoorState::Closed };
            return Door { state, place, phone_seen_at: None };
        };
        let node = &run.node;
        let phone_seen_at = node.miners.door.hello_seen_at.map(|at| UnixSeconds(at.0));
        match place_of(node, network) {
            Ok(place) => Door { state: DoorState::Open, place: Some(place), phone_seen_at },
            Err(state) => Door { state, place: None, phone_seen_at },
        }
    }

    fn address_change(&self, desk: &DeskState) -> Option<AddressChange> {
        let devices = views::count(desk.astray().len());
        let new = desk.network()?.address.to_string();
        (devices > 0).then_some(AddressChange { new, devices, is_running: desk.is_rolling })
    }

    /// Looks around for the desk, and reads what the page needs of history.
    pub(in crate::controller) fn miners_pass(&mut self) {
        let desk = self.pages.miners.desk.state();
        let live = self.sites[Mode::Live].run().map(|run| Arc::clone(&run.node));
        let network = desk.network().map(|network| network.address);
        let target = live.as_ref().and_then(|node| place_of(node, network).ok());
        let phone_seen_at = live.as_ref().and_then(|node| node.miners.door.hello_seen_at);
        let node = self.shown_run().map(|run| Arc::clone(&run.node));
        let state = &mut self.pages.miners;
        let around = Surroundings {
            arrivals: live.map(|node| node.miners.arrivals.clone()).unwrap_or_default(),
            target,
            phone_seen_at: phone_seen_at.map(|at| UnixSeconds(at.0)),
            watched: state.open.clone().filter(|_| self.page == crate::api::Page::Miners),
        };
        state.desk.tell(around);
        if let Some(node) = node {
            let connected = node.miners.miners.iter().filter(|miner| miner.connections > 0);
            for miner in connected {
                state.forgotten.remove(&format!("w:{}", miner.worker));
            }
            self.note_cpu_rate(&node, &desk);
            self.read_miners_history(&node);
        }
    }

    fn read_miners_history(&mut self, node: &NodeSnapshot) {
        let is_shown = self.page == crate::api::Page::Miners && self.is_visible;
        if !is_shown {
            return;
        }
        let state = &mut self.pages.miners;
        let is_due = |at: Option<Instant>, every| at.is_none_or(|at| at.elapsed() >= every);
        let (database, now) = (node.database.clone(), self.host.now());
        if is_due(state.sparks_at, SPARKS_EVERY) {
            state.sparks_at = Some(Instant::now());
            let miners = node.miners.miners.iter();
            let workers = miners.map(|miner| miner.worker.clone()).take(100).collect();
            let database = database.clone();
            self.spawn_blocking_then(
                move || history::sparks(&database, workers, now),
                |controller, read| match read {
                    Ok(sparks) => controller.pages.miners.sparks = sparks,
                    Err(error) => tracing::warn!(%error, "charts of miners not read"),
                },
            );
        }
        let state = &mut self.pages.miners;
        if state.open.is_none() || !is_due(state.series_at, SERIES_EVERY) {
            return;
        }
        state.series_at = Some(Instant::now());
        let (range, open) = (state.range, state.open.clone());
        let Some(worker) = self.open_worker(node) else { return };
        self.spawn_blocking_then(
            move || history::miner_range(&database, &worker, range, now),
            move |controller, read| {
                let state = &mut controller.pages.miners;
                match read {
                    Ok(points) if state.open == open && state.range == range => {
                        state.series = points;
                        controller.page_is_due();
                    }
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "chart of a miner not read"),
                }
            },
        );
    }

    /// The worker name behind the open miner.
    fn open_worker(&self, node: &NodeSnapshot) -> Option<String> {
        let state = &self.pages.miners;
        let open = state.open.as_deref()?;
        let miners = &node.miners.miners;
        if open == views::CPU_ROW {
            return miners.iter().find(|miner| miner.is_helper).map(|miner| miner.worker.clone());
        }
        if let Some(worker) = views::worker_of(open) {
            return Some(worker.to_owned());
        }
        let desk = state.desk.state();
        let entry = desk.devices.get(open)?;
        let connected = views::miner_of(entry, miners).map(|miner| miner.worker.clone());
        connected.or_else(|| entry.pointed_at().map(|(_, user)| user.to_owned()))
    }

    fn miner_page(&self, row: &MinerRow, desk: &DeskState) -> MinerPage {
        use p2pool_devices::Ability;
        let state = &self.pages.miners;
        let entry = desk.devices.get(&row.id);
        let health = entry.and_then(|entry| entry.health.as_ref());
        let figures = health.map(|(_, health)| &**health);
        let identity = entry.map(|entry| &entry.identity);
        let node = self.shown_run().map(|run| &run.node);
        let miners = node.map(|node| node.miners.miners.as_slice()).unwrap_or_default();
        let miner = miners.iter().find(|miner| Some(&miner.worker) == row.user.as_ref());
        let ability = identity.map(|identity| identity.family.ability());
        MinerPage {
            row: row.clone(),
            range: state.range,
            series: state.series.clone(),
            health: entry.map(|entry| entry.points.iter().copied().collect()).unwrap_or_default(),
            answered_at: health.map(|(at, _)| *at),
            is_silent: entry.is_some_and(|entry| entry.silences > 0),
            firmware: identity.map(|it| it.firmware.as_str().to_owned()).unwrap_or_default(),
            web_url: identity
                .filter(|identity| identity.family.dialect().is_some())
                .map(|identity| format!("http://{}/", identity.address)),
            fan_percent: figures.and_then(|health| health.fan_percent),
            wifi_dbm: figures.and_then(|health| health.wifi_dbm),
            is_wifi_weak: figures
                .and_then(|health| health.wifi_dbm)
                .is_some_and(|dbm| dbm < p2pool_devices::WEAK_WIFI_DBM),
            own_part: figures.and_then(|health| health.own_part),
            reasons: miner.map(reasons).unwrap_or_default(),
            can_identify: entry.is_some_and(views::can_identify),
            can_restart: ability.is_some_and(|it| matches!(it, Ability::OneClick)),
            can_change: ability.is_some_and(|it| !matches!(it, Ability::Instructions)),
            history: entry.map(records).unwrap_or_default(),
        }
    }

    pub(in crate::controller) fn miners_request(
        &mut self,
        request: &MinersRequest,
    ) -> Result<(), UiError> {
        if let Some(deed) = self.deed_of(request) {
            if self.pages.miners.desk.ask(deed) {
                self.page_is_due();
                return Ok(());
            }
            let error = UiError::new(ProblemCode::Unexpected, "too much is asked at once");
            return Err(error.with("doing", "speaking with a device"));
        }
        let state = &mut self.pages.miners;
        match request {
            MinersRequest::Open { miner } => {
                state.open.clone_from(miner);
                state.series = Vec::new();
                state.series_at = None;
                self.miners_pass();
            }
            MinersRequest::ShowRange { range } => {
                state.range = *range;
                state.series_at = None;
                self.miners_pass();
            }
            MinersRequest::ShowHidden => {
                let desk = state.desk.state();
                let hidden = desk.labels.values().filter(|label| label.is_hidden);
                for label in hidden {
                    let label = LabelRow { is_hidden: false, ..label.clone() };
                    // What does not fit is still hidden, and can be asked again.
                    let _ = state.desk.ask(Deed::Label(label));
                }
            }
            MinersRequest::Forget { miner }
                if views::worker_of(miner).is_some() && state.forgotten.len() < FORGOTTEN_MAX =>
            {
                state.forgotten.insert(miner.clone());
            }
            MinersRequest::SetCpu { wish } => return self.set_cpu(*wish),
            // These are the desk's, and make no sense now.
            MinersRequest::ChooseNetwork { .. }
            | MinersRequest::Look { .. }
            | MinersRequest::StopLooking
            | MinersRequest::AddAddress { .. }
            | MinersRequest::Learn { .. }
            | MinersRequest::Plan { .. }
            | MinersRequest::PlanUndo { .. }
            | MinersRequest::ClosePlan
            | MinersRequest::Apply { .. }
            | MinersRequest::UseAll
            | MinersRequest::WaitLonger { .. }
            | MinersRequest::PutBack { .. }
            | MinersRequest::DismissChange { .. }
            | MinersRequest::Identify { .. }
            | MinersRequest::Restart { .. }
            | MinersRequest::Rename { .. }
            | MinersRequest::Hide { .. }
            | MinersRequest::Forget { .. }
            | MinersRequest::UpdateMiners
            | MinersRequest::Check { .. } => {}
        }
        self.page_is_due();
        Ok(())
    }

    /// The desk's part of what is asked; `None` for what is the controller's.
    fn deed_of(&self, request: &MinersRequest) -> Option<Deed> {
        let desk = self.pages.miners.desk.state();
        Some(match request.clone() {
            MinersRequest::ChooseNetwork { address } => {
                Deed::ChooseNetwork { address: address.parse().ok()? }
            }
            MinersRequest::Look { range } => Deed::Look { range },
            MinersRequest::StopLooking => Deed::StopLooking,
            MinersRequest::AddAddress { address } => Deed::AddAddress { address },
            MinersRequest::Learn { miner } => {
                let rows = self.miner_rows(self.mode, &desk);
                let row = rows.into_iter().find(|row| row.id == miner && row.can_learn)?;
                Deed::Learn { ip: row.ip?.parse().ok()? }
            }
            MinersRequest::Plan { device, keeps_old, slot, tries_other_way } => {
                Deed::Plan { device, keeps_old, slot, tries_other_way }
            }
            MinersRequest::PlanUndo { device, change } => Deed::PlanUndo { device, change },
            MinersRequest::ClosePlan => Deed::ClosePlan,
            MinersRequest::Apply { code, user, password } => {
                Deed::Apply { secrets: secrets(code, user, password) }
            }
            MinersRequest::UseAll => {
                use crate::api::pages::DeviceOffer;
                let found = self.connect_view(None).found.into_iter();
                let usable = found.filter(|device| device.offer == DeviceOffer::UseHere);
                Deed::UseAll { devices: usable.map(|device| device.id).collect() }
            }
            MinersRequest::UpdateMiners => Deed::UseAll { devices: desk.astray() },
            MinersRequest::WaitLonger { device } => Deed::WaitLonger { device },
            MinersRequest::PutBack { device } => Deed::PutBack { device },
            MinersRequest::DismissChange { device, forgets_undo } => {
                Deed::DismissChange { device, forgets_undo }
            }
            MinersRequest::Identify { device } => Deed::Identify { device },
            MinersRequest::Restart { device } => Deed::Restart { device },
            MinersRequest::Rename { miner, name } => {
                let name: String = name.trim().chars().take(NAME_CHARS_MAX).collect();
                let is_hidden = desk.labels.get(&miner).is_some_and(|label| label.is_hidden);
                let name = (!name.is_empty()).then_some(name);
                Deed::Label(LabelRow { subject: miner, name, is_hidden })
            }
            MinersRequest::Hide { miner, is_hidden } => {
                let name = desk.labels.get(&miner).and_then(|label| label.name.clone());
                Deed::Label(LabelRow { subject: miner, name, is_hidden })
            }
            MinersRequest::Forget { miner } if desk.devices.contains_key(&miner) => {
                Deed::Forget { device: miner }
            }
            MinersRequest::Check { address } => Deed::Check { address },
            MinersRequest::Forget { .. }
            | MinersRequest::Open { .. }
            | MinersRequest::ShowRange { .. }
            | MinersRequest::ShowHidden
            | MinersRequest::SetCpu { .. } => return None,
        })
    }
}

/// Where devices shall work for a node, or why they cannot.
fn place_of(
    node: &NodeSnapshot,
    network: Option<std::net::Ipv4Addr>,
) -> Result<TargetPlace, DoorState> {
    let at = node.stratum_address;
    if node.is_practice || at.ip().is_loopback() {
        return Err(DoorState::OnlyHere);
    }
    let host = match at.ip().to_canonical() {
        std::net::IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
        std::net::IpAddr::V4(_) | std::net::IpAddr::V6(_) => network,
    };
    let port = NonZeroU16::new(at.port());
    let (host, port) = host.zip(port).ok_or(DoorState::NoNetwork)?;
    Ok(TargetPlace { host, port, payout: node.payout_address.clone() })
}

fn secrets(
    code: Option<SecretText>,
    user: Option<String>,
    password: Option<SecretText>,
) -> Secrets {
    let code = code.map(SecretText::into_inner);
    let login = user
        .zip(password)
        .map(|(user, password)| Login { user, password: Secret::new(password.into_inner()) });
    Secrets {
        one_time_code: code.and_then(|code| OneTimeCode::parse(&code)),
        login,
        old_pool_password: None,
    }
}

fn reasons(miner: &p2pool_node::Miner) -> Vec<RejectCount> {
    let mut counts = std::collections::BTreeMap::<RejectWords, u64>::new();
    for (reason, count) in &miner.reasons {
        let text = reason.to_ascii_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let words = if is(&["not found", "stale", "no work"]) {
            RejectWords::TooLate
        } else if is(&["low difficulty", "above target"]) {
            RejectWords::LowDifficulty
        } else if is(&["duplicate"]) {
            RejectWords::Duplicate
        } else if is(&["malformed", "extranonce", "version", "time"]) {
            RejectWords::Malformed
        } else {
            RejectWords::Other
        };
        *counts.entry(words).or_default() += count;
    }
    counts.into_iter().map(|(reason, count)| RejectCount { reason, count }).collect()
}

/// The changes of a device, newest first.
fn records(entry: &DeviceEntry) -> Vec<ChangeRecord> {
    let record = |change: &crate::devices::ChangeEntry| {
        let pools = crate::devices::pools_of(change);
        let (pool_before, pool_after) = pools.unwrap_or_default();
        let state = match change.row.undone_at {
            Some(at) => ChangeFate::Undone { at: UnixSeconds(at.0) },
            None if change.backup.is_none() => ChangeFate::Lost,
            None if change.row.is_undo_waiting => ChangeFate::UndoWaits,
            None => ChangeFate::Holds,
        };
        let at = UnixSeconds(change.row.at.0);
        ChangeRecord { id: change.row.id, at, pool_before, pool_after, state }
    };
    entry.changes.iter().rev().map(record).collect()
}
