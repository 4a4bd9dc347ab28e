//! Problems: conditions of the node as codes of the catalogue, with an identity in time.

mod catalogue;

use std::collections::{BTreeMap, BTreeSet};

use p2pool_node::StorageState;
use p2pool_node::{BitcoinState, HelperState, NodeSnapshot, ProblemCode as NodeCode, StartError};
use p2pool_sharechain::change::BlockStatus;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

use crate::api::{
    LatestKind, Mode, PROBLEMS_MAX, Problem, ProblemAction, ProblemCode, Severity, UiError,
    UnixSeconds,
};
use crate::host::KeychainError;
use crate::settings::{self, Restored};

/// Names a condition, so that it is one problem for as long as it lasts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    code: ProblemCode,
    /// Tells conditions of one code apart: the block that was refused.
    of: String,
}

/// Something wrong at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) key: Key,
    pub(crate) severity: Severity,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) technical: String,
    pub(crate) actions: Vec<ProblemAction>,
}

impl Condition {
    pub(crate) fn new(code: ProblemCode, severity: Severity, technical: impl Into<String>) -> Self {
        Self {
            key: Key { code, of: String::new() },
            severity,
            values: BTreeMap::new(),
            technical: technical.into(),
            actions: Vec::new(),
        }
    }

    /// With the severity and the buttons that the catalogue has for the code.
    pub(crate) fn catalogued(code: ProblemCode, technical: impl Into<String>) -> Self {
        let entry = catalogue::of(code);
        Self::new(code, entry.severity, technical).offering(entry.actions)
    }

    /// With *Try again* at the end, for what holds everything up.
    #[must_use]
    pub(crate) fn retryable(mut self) -> Self {
        if !self.actions.contains(&ProblemAction::TryAgain) {
            self.actions.push(ProblemAction::TryAgain);
        }
        self
    }

    /// With *Hide* at the end, for what can be lived with.
    #[must_use]
    pub(crate) fn hideable(mut self) -> Self {
        if !self.actions.contains(&ProblemAction::Dismiss) {
            self.actions.push(ProblemAction::Dismiss);
        }
        self
    }

    /// Its code in the catalogue.
    pub(crate) fn code(&self) -> ProblemCode {
        self.key.code
    }

    #[must_use]
    pub(crate) fn of(mut self, what: impl Into<String>) -> Self {
        self.key.of = what.into();
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub(crate) fn offering(mut self, actions: impl Into<Vec<ProblemAction>>) -> Self {
        self.actions = actions.into();
        self
    }
}

/// A code by its name in the catalogue.
pub(crate) fn by_name(name: &str) -> ProblemCode {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    ProblemCode::deserialize(name).unwrap_or(ProblemCode::Unexpected)
}

/// The catalogue's code for a code of the node.
pub(crate) fn code(code: NodeCode) -> ProblemCode {
    match code {
        NodeCode::NodeUnreachable => ProblemCode::NodeUnreachable,
        NodeCode::NodeSlow => ProblemCode::NodeSlow,
        NodeCode::NodeLogin => ProblemCode::LoginRefused,
        NodeCode::NodeForbidden => ProblemCode::ComputerRefused,
        NodeCode::NodeCookie => ProblemCode::CookieUnreadable,
        NodeCode::NodeStarting => ProblemCode::NodeStarting,
        NodeCode::NodeChain => ProblemCode::WrongChain,
        NodeCode::NodeSyncing => ProblemCode::NodeCatchingUp,
        NodeCode::NodeAlone => ProblemCode::NodeWithoutPeers,
        NodeCode::NodeTipOld => ProblemCode::NodeStuck,
        NodeCode::NodeTooOld => ProblemCode::NodeTooOld,
        NodeCode::NodeTemplate => ProblemCode::TemplateFailed,
        NodeCode::NodePublic => ProblemCode::LoginUnprotected,
        NodeCode::NodeBehindPool => ProblemCode::NodeBehindPool,
        NodeCode::BlockRejected => ProblemCode::BlockRefused,
        NodeCode::PortTaken => ProblemCode::PortInUse,
        NodeCode::DataFolder => ProblemCode::DataUnwritable,
        NodeCode::DataLocked => ProblemCode::AlreadyRunning,
        NodeCode::SettingsDamaged => ProblemCode::SettingsDamaged,
        NodeCode::EngineRestarted => ProblemCode::EngineRestarted,
        NodeCode::DataOfOther => ProblemCode::DataOfOther,
        NodeCode::HelperMissing => ProblemCode::HelperBlocked,
        NodeCode::PoolMembersMissing => ProblemCode::NoMembers,
        NodeCode::PoolPortBlocked => ProblemCode::PoolPortBlocked,
        NodeCode::PoolPortTaken => ProblemCode::PoolPortInUse,
        NodeCode::PoolChainWrong => ProblemCode::ChainWrong,
        NodeCode::PoolRulesUnknown => ProblemCode::RulesUnknown,
        NodeCode::PoolSplit => ProblemCode::PoolSplit,
        NodeCode::PoolRefusesUs => ProblemCode::RefusedByMembers,
        NodeCode::PoolSilent => ProblemCode::PoolSilent,
        NodeCode::PoolAlone => ProblemCode::OnlyMiner,
    }
}

/// Why a node did not start.
pub(crate) fn of_start(error: &StartError, mode: Mode) -> Condition {
    let condition = Condition::new(code(error.code()), Severity::Error, error.to_string())
        .offering([ProblemAction::TryAgain]);
    match error {
        StartError::PortTaken { port, .. } => condition.with("port", port.to_string()),
        StartError::DataFolder { path, .. }
        | StartError::DataLocked { path }
        | StartError::DataOfOther { path, .. } => {
            condition.with("path", path.display().to_string())
        }
        StartError::PracticeChain { reason } => condition.with("reason", reason.clone()),
        // The engine never ran, so it was not restarted either.
        StartError::System(_) => Condition {
            key: Key { code: ProblemCode::Unexpected, of: String::new() },
            ..condition.with("doing", starting(mode))
        },
        StartError::Settings(_) | _ => condition,
    }
}

/// A damaged settings file was replaced by its copy.
pub(crate) fn of_restored(restored: Restored) -> Condition {
    let date = settings::date(restored.copied_at);
    Condition::new(ProblemCode::SettingsDamaged, Severity::Notice, restored.technical)
        .with("date", date)
        .offering([ProblemAction::Dismiss])
}

/// The password store is of no use.
pub(crate) fn of_keychain(error: &KeychainError) -> Condition {
    let (code, reason) = match error {
        KeychainError::Unavailable(reason) => (ProblemCode::KeychainMissing, reason),
        KeychainError::Declined(reason) => (ProblemCode::KeychainLocked, reason),
    };
    Condition::catalogued(code, error.to_string()).with("reason", reason)
}

/// A deed, as the sentence of an unexpected problem names it.
pub(crate) fn starting(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "starting the pool node",
        Mode::Practice => "starting the practice pool",
    }
}

/// Everything wrong with a running node.
pub(crate) fn of_node(node: &NodeSnapshot, now: UnixSeconds) -> Vec<Condition> {
    let mut found = Vec::new();
    found.extend(of_bitcoin(node));
    if let StorageState::Degraded { reason } = &node.storage {
        let folder = node.database.parent().unwrap_or(&node.database);
        found.push(
            Condition::catalogued(ProblemCode::DataUnwritable, reason.clone())
                .with("path", folder.display().to_string())
                .hideable(),
        );
    }
    found.extend(of_clock(node));
    found.extend(of_pool(node, now));
    found.extend(of_helper(&node.helper));
    found.extend(of_blocks(node));
    found
}

/// What is wrong with the Bitcoin node: why it gives no work, or what deserves a word although it
/// does.
fn of_bitcoin(node: &NodeSnapshot) -> Vec<Condition> {
    let condition = |why, severity, reason: &str| {
        let condition = Condition { severity, ..Condition::catalogued(code(why), reason) };
        // The buttons speak of a node that the person runs.
        let actions = if node.is_practice { Vec::new() } else { condition.actions.clone() };
        let condition = condition.offering(actions).with("reason", reason);
        let progress = sync_progress(node).map(|part| format!("{:.0}", (part * 100.0).floor()));
        progress.into_iter().fold(condition, |it, percent| it.with("percent", percent))
    };
    if let BitcoinState::Unavailable { code: why, reason, .. } = &node.bitcoin {
        // These pass by themselves.
        let is_patience = matches!(why, NodeCode::NodeStarting | NodeCode::NodeSyncing);
        let severity = if is_patience { Severity::Notice } else { Severity::Error };
        return vec![condition(*why, severity, reason)];
    }
    let warnings = node.bitcoin_details.warnings.iter();
    let warning = |problem: &p2pool_node::NodeProblem| {
        condition(problem.code, Severity::Warning, &problem.reason).hideable()
    };
    warnings.map(warning).collect()
}

/// How much of the chain the Bitcoin node has verified, 0 to 1; `None` if it does not say.
pub(crate) fn sync_progress(node: &NodeSnapshot) -> Option<f64> {
    let nodes = &node.bitcoin_details.nodes;
    let facts = nodes.iter().find(|node| !node.is_reserve)?.facts.as_ref()?;
    Some(facts.verification_progress.clamp(0.0, 1.0))
}

/// How far this computer's clock is from the time of the Bitcoin network, in seconds: negative if
/// it is ahead; `None` if nobody has said. Only a node on this computer has this computer's clock.
pub(crate) fn clock_off_secs(node: &NodeSnapshot) -> Option<i64> {
    let nodes = &node.bitcoin_details.nodes;
    let near = nodes.iter().find(|node| !node.is_remote && node.is_in_use)?;
    near.facts.as_ref()?.clock_offset_s
}

/// A clock this far off costs shares, and one further off all of them, in seconds.
const CLOCK_OFF_MAX: u64 = 60;
const CLOCK_REFUSED: u64 = 600;

/// Whether the clock is so wrong that every share would be refused.
pub(crate) fn is_clock_useless(node: &NodeSnapshot) -> bool {
    clock_off_secs(node).is_some_and(|off| off.unsigned_abs() > CLOCK_REFUSED)
}

/// What is wrong with the clock.
fn of_clock(node: &NodeSnapshot) -> Option<Condition> {
    let off = clock_off_secs(node)?;
    if off.unsigned_abs() <= CLOCK_OFF_MAX {
        return None;
    }
    let is_useless = is_clock_useless(node);
    let severity = if is_useless { Severity::Error } else { Severity::Warning };
    let technical = format!("{off} s to the clocks of the Bitcoin node's peers");
    let condition = Condition::catalogued(ProblemCode::ClockOff, technical)
        .with("minutes", off.unsigned_abs().div_ceil(60).to_string());
    Some(Condition { severity, ..condition })
}

/// What is wrong between this node and the pool.
fn of_pool(node: &NodeSnapshot, now: UnixSeconds) -> Option<Condition> {
    let code = code(node.p2p.problem?);
    let port = node.p2p.listening.first().map(|address| address.port().to_string());
    let newest = node.summary.window.first().map(|share| u64::from(share.timestamp));
    let minutes = newest.map(|at| (now.0.saturating_sub(at) / 60).to_string());
    let members = node.p2p.outgoing + node.p2p.incoming;
    let technical = format!("{members} connected, {} addresses known", node.p2p.known_addresses);
    let condition =
        Condition::catalogued(code, technical).with("tried", node.p2p.tried.to_string()).hideable();
    let part = node.summary.split_part.filter(|_| code == ProblemCode::PoolSplit);
    let percent = part.map(|part| format!("{:.0}", part * 100.0));
    let condition = percent.into_iter().fold(condition, |it, percent| it.with("percent", percent));
    let condition = port.into_iter().fold(condition, |it, port| it.with("port", port));
    Some(minutes.into_iter().fold(condition, |it, minutes| it.with("minutes", minutes)))
}

fn of_helper(helper: &HelperState) -> Option<Condition> {
    let technical = match helper {
        HelperState::Missing { path, reason } => format!("{}: {reason}", path.display()),
        HelperState::Stopped { reason } => reason.clone(),
        HelperState::Off
        | HelperState::Starting
        | HelperState::Running { .. }
        | HelperState::Paused { .. }
        | HelperState::Finished
        | HelperState::TooHot { .. } => return None,
    };
    Some(Condition::catalogued(ProblemCode::HelperBlocked, technical))
}

/// Refused blocks of this run; those of earlier ones were told then.
fn of_blocks(node: &NodeSnapshot) -> impl Iterator<Item = Condition> {
    let is_refused = |block: &&p2pool_node::PoolBlock| {
        block.block.status == BlockStatus::Rejected && block.block.found_at >= node.started_at
    };
    node.summary.blocks.iter().rev().filter(is_refused).take(PROBLEMS_MAX).map(|block| {
        let reason = block.block.reason.clone().unwrap_or_default();
        let technical = format!("block {} at height {}", block.block.hash, block.block.height);
        Condition::catalogued(ProblemCode::BlockRefused, technical)
            .of(block.block.hash.to_string())
            .with("reason", reason)
    })
}

/// Present problems, each with its identity.
#[derive(Debug, Default)]
pub(crate) struct ProblemBook {
    present: Vec<(Key, Problem)>,
    hidden: BTreeSet<Key>,
}

impl ProblemBook {
    /// Brings the book up to date and returns what is worth telling. Numbers go on from `last_id`.
    pub(crate) fn update(
        &mut self,
        now: UnixSeconds,
        found: Vec<Condition>,
        last_id: &mut u32,
    ) -> Vec<LatestKind> {
        let keys: BTreeSet<&Key> = found.iter().map(|condition| &condition.key).collect();
        let (gone, mut kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.present).into_iter().partition(|(key, _)| !keys.contains(key));
        self.hidden.retain(|key| keys.contains(key));
        let mut news: Vec<LatestKind> =
            gone.into_iter().map(|(key, _)| LatestKind::ProblemSolved { code: key.code }).collect();
        for condition in found {
            if let Some((_, problem)) = kept.iter_mut().find(|(key, _)| *key == condition.key) {
                renew(problem, condition);
            } else if !self.hidden.contains(&condition.key) && kept.len() < PROBLEMS_MAX {
                news.push(LatestKind::ProblemRaised { code: condition.key.code });
                *last_id = last_id.wrapping_add(1);
                kept.push((condition.key.clone(), problem(*last_id, now, condition)));
            }
        }
        // Worst first, then newest first.
        kept.sort_by_key(|(_, problem)| {
            std::cmp::Reverse((problem.severity, problem.since, problem.id))
        });
        self.present = kept;
        news
    }

    /// The problems, as the window lists them.
    pub(crate) fn list(&self) -> Vec<Problem> {
        self.present.iter().map(|(_, problem)| problem.clone()).collect()
    }

    /// The problem of this number.
    pub(crate) fn get(&self, id: u32) -> Option<&Problem> {
        self.present.iter().map(|(_, problem)| problem).find(|problem| problem.id == id)
    }

    /// Hides a problem until its condition has gone and come again.
    pub(crate) fn hide(&mut self, id: u32) {
        let (hidden, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.present)
            .into_iter()
            .partition(|(_, problem)| problem.id == id);
        self.present = kept;
        self.hidden.extend(hidden.into_iter().map(|(key, _)| key));
    }
}

fn renew(problem: &mut Problem, condition: Condition) {
    problem.severity = condition.severity;
    problem.values = condition.values;
    problem.technical = condition.technical;
    problem.actions = condition.actions;
}

fn problem(id: u32, since: UnixSeconds, condition: Condition) -> Problem {
    Problem {
        id,
        code: condition.key.code,
        severity: condition.severity,
        since,
        values: condition.values,
        technical: condition.technical,
        actions: condition.actions,
    }
}

/// The answer of a request that finds no controller.
pub(crate) fn no_controller() -> UiError {
    UiError::new(ProblemCode::EngineLost, "the application's task has ended")
}
