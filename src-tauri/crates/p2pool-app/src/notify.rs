//! When the person is told something by the system, and in which words.
//!
//! Quiet by default: what the person has switched off is not told, nothing of practice is, and
//! one kind of event is told once an hour, blocks apart. Time is passed in.

use std::collections::BTreeMap;

use crate::api::{
    AppSnapshot, LatestEvent, LatestKind, MiningControl, Mode, NotificationEvent, OverallState,
    Page, Party, ProblemCode, UnixSeconds,
};
use crate::session::{Notification, Sound};
use crate::words;

/// One kind of event is told no more often.
const HOUR_SECS: u64 = 3_600;
/// An update that is needed is told no more often.
const WEEK_SECS: u64 = 7 * 86_400;
/// A miner that returns within this time was not away.
const AWAY_SECS: u64 = 600;
/// Mining that goes on within this time had not stopped.
const STOPPED_SECS: u64 = 300;
/// After the start, network and node have this long.
const START_SECS: u64 = 600;
/// Events of the list that are older are history, and told no more.
const FRESH_SECS: u64 = 120;
/// Miners that are remembered as gone.
const AWAY_MAX: usize = 256;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Notifier {
    began: UnixSeconds,
    /// When each kind was told last.
    told: BTreeMap<NotificationEvent, UnixSeconds>,
    /// Miners that left, and when.
    away: BTreeMap<Option<String>, UnixSeconds>,
    /// Since when mining is wanted and stopped, and whether that was told.
    stopped: Option<(UnixSeconds, bool)>,
    /// Since when no miner has worked, and whether that was told.
    idle: Option<(UnixSeconds, bool)>,
    has_mined: bool,
    /// Problems that were there at the last look.
    problems: Vec<ProblemCode>,
}

impl Notifier {
    /// Nothing has happened yet.
    pub(crate) fn new(now: UnixSeconds) -> Self {
        Self {
            began: now,
            told: BTreeMap::new(),
            away: BTreeMap::new(),
            stopped: None,
            idle: None,
            has_mined: false,
            problems: Vec::new(),
        }
    }

    /// Something came onto the list; returns what is to be told.
    pub(crate) fn happened(
        &mut self,
        event: &LatestEvent,
        view: &AppSnapshot,
        now: UnixSeconds,
    ) -> Option<Notification> {
        if view.mode == Mode::Practice || since(event.at, now) > FRESH_SECS {
            return None;
        }
        if let LatestKind::MinerLeft { name } = &event.what
            && self.away.len() < AWAY_MAX
        {
            self.away.insert(name.clone(), event.at);
        }
        if let LatestKind::MinerConnected { name } = &event.what {
            self.away.remove(name);
        }
        let told = of_event(&event.what, view.shares.mine_total <= 1)?;
        self.tell(told, view, now)
    }

    /// Time has passed, or the state has changed; returns what is to be told.
    pub(crate) fn pass(&mut self, view: &AppSnapshot, now: UnixSeconds) -> Vec<Notification> {
        let is_wanted = matches!(view.control, MiningControl::Pause | MiningControl::Armed { .. });
        if view.mode == Mode::Practice || !is_wanted {
            // What is not wanted is not missed.
            (self.stopped, self.idle) = (None, None);
            self.away.clear();
            return Vec::new();
        }
        let mut found = Vec::new();
        found.extend(self.look_at_mining(view, now));
        found.extend(self.look_at_miners(view, now));
        found.extend(self.look_at_problems(view));
        found.into_iter().filter_map(|one| self.tell(one, view, now)).collect()
    }

    /// Mining that stopped, and goes on.
    fn look_at_mining(&mut self, view: &AppSnapshot, now: UnixSeconds) -> Option<Notification> {
        let Some(reason) = stop_reason(&view.overall, self.has_mined) else {
            self.has_mined |= is_mining(&view.overall);
            let (from, was_told) = self.stopped.take()?;
            let text = format!("Mining again after {}.", words::duration(since(from, now)));
            let told =
                Notification { sound: Sound::Silent, ..news(NotificationEvent::Recovered, text) };
            return was_told.then_some(told);
        };
        let (from, was_told) = *self.stopped.get_or_insert((now, false));
        let patience =
            if self.has_mined { from.0 + STOPPED_SECS } else { self.began.0 + START_SECS };
        let is_due = now.0 >= patience.max(from.0 + STOPPED_SECS) && !was_told;
        self.stopped = Some((from, was_told || is_due));
        is_due.then(|| news(NotificationEvent::Stopped, format!("{reason} Open check-up.")))
    }

    /// Miners that left and did not come back.
    fn look_at_miners(&mut self, view: &AppSnapshot, now: UnixSeconds) -> Vec<Notification> {
        let has_miners = view.lights.miners.connected > 0;
        if has_miners || !self.has_mined || self.stopped.is_some() {
            self.idle = None;
        } else {
            let (from, was_told) = *self.idle.get_or_insert((now, false));
            let is_due = since(from, now) >= AWAY_SECS && !was_told;
            self.idle = Some((from, was_told || is_due));
            if is_due {
                self.away.clear();
                return vec![news(NotificationEvent::AllAway, "No miner is working.".into())];
            }
        }
        // Before that, one miner is named; with none left, their absence is one thing.
        if !has_miners {
            return Vec::new();
        }
        let is_due = |at: &UnixSeconds| since(*at, now) >= AWAY_SECS;
        let gone: Vec<Option<String>> =
            self.away.iter().filter(|(_, at)| is_due(at)).map(|(name, _)| name.clone()).collect();
        self.away.retain(|_, at| !is_due(at));
        let text = match gone.as_slice() {
            [] => return Vec::new(),
            [Some(name)] => format!("{name} has stopped sending results."),
            [None] => "The CPU miner has stopped sending results.".to_owned(),
            many => format!("{} miners have stopped sending results.", many.len()),
        };
        vec![news(NotificationEvent::MinerAway, text)]
    }

    /// Problems that are worth more than a card in the window.
    fn look_at_problems(&mut self, view: &AppSnapshot) -> Vec<Notification> {
        let before = std::mem::take(&mut self.problems);
        self.problems = view.problems.iter().map(|problem| problem.code).collect();
        let is_new = |code: &ProblemCode| !before.contains(code);
        let of_problem = |problem: &crate::api::Problem| {
            let name = problem.values.get("name").map_or("A miner", String::as_str);
            let (event, text) = if problem.code == ProblemCode::MinerHot {
                (NotificationEvent::MinerTrouble, format!("{name} is too hot."))
            } else if problem.code == ProblemCode::MinerLate {
                let text = format!("Much of the work of {name} arrives too late.");
                (NotificationEvent::MinerTrouble, text)
            } else if problem.code == ProblemCode::RulesUnknown {
                let text = "The pool is changing its rules: an update is needed to keep mining.";
                (NotificationEvent::UpdateNeeded, text.to_owned())
            } else {
                return None;
            };
            Some(news(event, text))
        };
        let fresh = view.problems.iter().filter(|problem| is_new(&problem.code));
        fresh.filter_map(of_problem).collect()
    }

    /// The last word: whether the person wants it, and was not told just now.
    fn tell(
        &mut self,
        notification: Notification,
        view: &AppSnapshot,
        now: UnixSeconds,
    ) -> Option<Notification> {
        let event = notification.event;
        let choices = &view.computer.notifications;
        if !choices.iter().any(|choice| choice.event == event && choice.is_on) {
            return None;
        }
        let pause = match event {
            NotificationEvent::BlockPaid
            | NotificationEvent::BlockMine
            | NotificationEvent::BlockOthers => 0,
            NotificationEvent::UpdateNeeded => WEEK_SECS,
            NotificationEvent::FirstShare
            | NotificationEvent::Share
            | NotificationEvent::Spendable
            | NotificationEvent::MinerAway
            | NotificationEvent::AllAway
            | NotificationEvent::Stopped
            | NotificationEvent::Recovered
            | NotificationEvent::MinerTrouble => HOUR_SECS,
        };
        let is_too_soon = self.told.get(&event).is_some_and(|last| since(*last, now) < pause);
        if is_too_soon {
            return None;
        }
        self.told.insert(event, now);
        Some(notification)
    }
}

/// What a line of the list tells, if it is more than a line.
fn of_event(what: &LatestKind, is_first_share: bool) -> Option<Notification> {
    let (event, text) = match what {
        LatestKind::PoolBlock { height, found_by: Party::Me, .. } => {
            (NotificationEvent::BlockMine, format!("Your miner found block {height}."))
        }
        LatestKind::PoolBlock { mine_sats: Some(sats), .. } => {
            let amount = words::amount(*sats);
            let text = format!("The pool found a block. {amount} is on its way to you.");
            (NotificationEvent::BlockPaid, text)
        }
        LatestKind::PoolBlock { mine_sats: None, .. } => {
            let text = "The pool found a block; you had no share in the window.";
            (NotificationEvent::BlockOthers, text.to_owned())
        }
        LatestKind::ShareFound { .. } if is_first_share => {
            (NotificationEvent::FirstShare, "Your first share is in the pool.".to_owned())
        }
        LatestKind::ShareFound { .. } => {
            (NotificationEvent::Share, "You found a share.".to_owned())
        }
        LatestKind::PaymentSpendable { mine_sats, .. } => {
            let text = format!("{} is now spendable.", words::amount(*mine_sats));
            (NotificationEvent::Spendable, text)
        }
        LatestKind::PracticeStarted { .. }
        | LatestKind::MiningStarted
        | LatestKind::MiningPaused
        | LatestKind::MiningResumed
        | LatestKind::ShareLate
        | LatestKind::BlockRefused { .. }
        | LatestKind::MemberJoined { .. }
        | LatestKind::MemberLeft { .. }
        | LatestKind::MinerConnected { .. }
        | LatestKind::MinerLeft { .. }
        | LatestKind::ProblemRaised { .. }
        | LatestKind::ProblemSolved { .. }
        | LatestKind::Slept { .. } => return None,
    };
    Some(news(event, text))
}

/// A notification with the page and the sound of its kind.
fn news(event: NotificationEvent, text: String) -> Notification {
    let (page, sound) = match event {
        NotificationEvent::BlockPaid | NotificationEvent::BlockMine => (Page::Payouts, Sound::Loud),
        NotificationEvent::BlockOthers | NotificationEvent::Spendable => {
            (Page::Payouts, Sound::Usual)
        }
        NotificationEvent::FirstShare | NotificationEvent::Share | NotificationEvent::Recovered => {
            (Page::Home, Sound::Usual)
        }
        NotificationEvent::MinerAway
        | NotificationEvent::AllAway
        | NotificationEvent::MinerTrouble => (Page::Miners, Sound::Usual),
        NotificationEvent::Stopped => (Page::CheckUp, Sound::Usual),
        NotificationEvent::UpdateNeeded => (Page::Settings, Sound::Usual),
    };
    Notification { event, text, page, sound }
}

/// Why nothing is mined although it is wanted; catching up is no stop for who has not mined yet.
fn stop_reason(overall: &OverallState, has_mined: bool) -> Option<&'static str> {
    match overall {
        OverallState::NodeDown { .. } => Some("Mining has stopped: no Bitcoin node answers."),
        OverallState::NoMembers { .. } => Some("Mining has stopped: no other pool members found."),
        OverallState::Blocked { .. } => Some("Mining has stopped."),
        OverallState::NodeSyncing { .. } if has_mined => {
            Some("Mining has stopped: your Bitcoin node is catching up.")
        }
        OverallState::Joining { .. } if has_mined => {
            Some("Mining has stopped: the pool's share chain is being fetched again.")
        }
        OverallState::Setup
        | OverallState::NodeSyncing { .. }
        | OverallState::Joining { .. }
        | OverallState::WaitingMiner { .. }
        | OverallState::FirstShare
        | OverallState::Between { .. }
        | OverallState::Earning
        | OverallState::Paused { .. }
        | OverallState::Degraded { .. } => None,
    }
}

/// Whether work is being done.
pub(crate) fn is_mining(overall: &OverallState) -> bool {
    matches!(
        overall,
        OverallState::FirstShare
            | OverallState::Between { .. }
            | OverallState::Earning
            | OverallState::Degraded { .. }
    )
}

fn since(at: UnixSeconds, now: UnixSeconds) -> u64 {
    now.0.saturating_sub(at.0)
}

#[cfg(test)]
mod tests;
