//! What is wrong with miners and their door: `M-01` to `M-09`, `S-04`, `S-06`, `S-07`.

use std::sync::Arc;

use p2pool_node::NodeSnapshot;

use super::super::super::Controller;
use crate::api::pages::{DeviceFamily, MinerRow, MinerState};
use crate::api::{Mode, ProblemAction, ProblemCode, Severity, UnixSeconds};
use crate::devices::DeskState;
use crate::problems::Condition;

/// A miner is missed after this time.
const AWAY_SECS: u64 = 600;
/// What happened at the door is told for this long.
const DOOR_SECS: u64 = 3_600;

/// What conditions need to remember.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Since when miners have had the chance to mine.
    live_since: Option<UnixSeconds>,
    practice_since: Option<UnixSeconds>,
}

impl Controller {
    /// Everything wrong with miners now.
    pub(in crate::controller) fn miners_conditions(
        &mut self,
        mode: Mode,
        now: UnixSeconds,
    ) -> Vec<Condition> {
        let node = self.sites[mode].run().map(|run| Arc::clone(&run.node));
        let state = &mut self.pages.miners;
        let since = match mode {
            Mode::Live => &mut state.conditions.live_since,
            Mode::Practice => &mut state.conditions.practice_since,
        };
        let Some(node) = node else {
            *since = None;
            return Vec::new();
        };
        *since = node.is_mining.then(|| since.unwrap_or(now));
        let mining_since = *since;
        let desk = state.desk.state();
        let rows = self.miner_rows(mode, &desk);
        let seen = rows.iter().filter(|row| !row.is_hidden);
        let mut found: Vec<Condition> =
            seen.flat_map(|row| of_row(row, &desk, mining_since, now)).collect();
        found.extend(of_door(&node, now));
        found.extend(self.of_network(&node, &desk));
        found
    }

    fn of_network(&self, node: &NodeSnapshot, desk: &DeskState) -> Option<Condition> {
        if node.is_practice || desk.networks.is_empty() {
            return None;
        }
        let Some(network) = desk.network() else {
            let condition =
                Condition::new(ProblemCode::NoPrivateNetwork, Severity::Warning, String::new());
            return Some(condition.offering([ProblemAction::ChooseInterface]));
        };
        let devices = desk.astray().len();
        let (ip, technical) = (network.address.to_string(), network.name.clone());
        (devices > 0).then(|| {
            Condition::new(ProblemCode::LanAddressChanged, Severity::Warning, technical)
                .with("ip", ip)
                .with("count", devices.to_string())
                .offering([ProblemAction::UpdateMiners, ProblemAction::KeepAddressFixed])
        })
    }
}

fn of_row(
    row: &MinerRow,
    desk: &DeskState,
    mining_since: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Vec<Condition> {
    if row.family == DeviceFamily::Cpu {
        return Vec::new();
    }
    let condition = |code, severity, actions: Vec<ProblemAction>| {
        let technical = row.ip.clone().unwrap_or_default();
        Condition::new(code, severity, technical)
            .of(row.id.clone())
            .with("name", row.name.clone())
            .offering(actions)
    };
    let mut found = Vec::new();
    match &row.state {
        MinerState::Problem { code, values } => {
            let condition = condition(*code, Severity::Warning, actions_of(*code));
            let with =
                |it: Condition, (name, value): (&String, &String)| it.with(name, value.clone());
            found.push(values.iter().fold(condition, with));
        }
        MinerState::Connected { is_long: true } => {
            let code = ProblemCode::MinerWithoutResults;
            found.push(condition(code, Severity::Warning, actions_of(code)));
        }
        MinerState::Away { since } => {
            // Of devices that this application set up, even one not seen in this run is missed.
            let is_expected = since.is_some()
                || desk.devices.get(&row.id).is_some_and(|entry| entry.holding().is_some());
            let gone = mining_since.max(*since).filter(|_| mining_since.is_some() && is_expected);
            let secs = gone.map_or(0, |gone| now.0.saturating_sub(gone.0));
            if secs >= AWAY_SECS {
                let code = ProblemCode::MinerAway;
                let condition = condition(code, Severity::Warning, actions_of(code));
                found.push(condition.with("minutes", (secs / 60).to_string()));
            }
        }
        MinerState::Mining | MinerState::Connected { is_long: false } | MinerState::Paused => {}
    }
    if let Some(address) = row.foreign_address.as_ref().filter(|_| !row.is_foreign_paid) {
        let code = ProblemCode::ForeignAddress;
        let condition = condition(code, Severity::Notice, actions_of(code));
        found.push(condition.with("address", address.clone()));
    }
    found
}

fn of_door(node: &NodeSnapshot, now: UnixSeconds) -> Vec<Condition> {
    let door = &node.miners.door;
    let is_fresh = |at: u64| now.0.saturating_sub(at) < DOOR_SECS;
    let mut found = Vec::new();
    if let Some((ip, _)) = door.refused_outside.filter(|(_, at)| is_fresh(at.0)) {
        let condition =
            Condition::new(ProblemCode::RefusedOutside, Severity::Notice, ip.to_string());
        found.push(
            condition
                .with("ip", ip.to_string())
                .offering([ProblemAction::Details, ProblemAction::Dismiss]),
        );
    }
    if let Some(unknown) = door.unknown_protocol.filter(|unknown| is_fresh(unknown.at.0)) {
        let technical = if unknown.is_tls { "TLS" } else { "unknown protocol" };
        let condition = Condition::new(ProblemCode::ProtocolUnknown, Severity::Notice, technical);
        found.push(
            condition
                .with("ip", unknown.ip.to_string())
                .offering([ProblemAction::Help, ProblemAction::Dismiss]),
        );
    }
    found
}

/// The buttons of the catalogue.
fn actions_of(code: ProblemCode) -> Vec<ProblemAction> {
    use ProblemAction as Action;
    let rows: [(ProblemCode, &[ProblemAction]); 8] = [
        (ProblemCode::MinerWithoutResults, &[Action::LowerDifficulty, Action::DeviceHelp]),
        (ProblemCode::MinerAway, &[Action::CheckDevice, Action::Silence]),
        (ProblemCode::MinerOnBackup, &[Action::Why, Action::RestartDevice]),
        (ProblemCode::MinerLate, &[Action::FindCause]),
        (ProblemCode::MinerWrong, &[Action::DeviceHelp]),
        (ProblemCode::MinerHot, &[Action::OpenDevice]),
        (ProblemCode::ToyMiner, &[Action::Details, Action::Dismiss]),
        (ProblemCode::ForeignAddress, &[Action::Ok, Action::AllowAddress]),
    ];
    let row = rows.iter().find(|(known, _)| *known == code);
    row.map(|(_, actions)| actions.to_vec()).unwrap_or_default()
}
