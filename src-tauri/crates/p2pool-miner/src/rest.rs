//! When the miner rests: while the computer runs on its battery, or while somebody uses it.
//!
//! Not every system tells both. What it does not tell is no reason to rest, and is reported.

use std::io;
use std::thread::Builder;
use std::time::Duration;

use starship_battery::{Manager, State};
use system_idle_time::get_idle_time;
use tokio::sync::watch;

/// Time between two looks at the computer.
const LOOK_PERIOD: Duration = Duration::from_secs(2);
/// Without a key or a movement of the mouse for this long, nobody uses the computer.
const AWAY_AFTER: Duration = Duration::from_secs(60);

/// Why the miner rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestReason {
    /// The computer runs on its battery.
    OnBattery,
    /// Somebody uses the computer.
    UserActive,
}

impl RestReason {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnBattery => "on_battery",
            Self::UserActive => "user_active",
        }
    }
}

/// What the miner is to rest for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestRules {
    /// Whether it rests on battery.
    pub on_battery: bool,
    /// Whether it rests while somebody uses the computer.
    pub when_active: bool,
}

/// What the system tells; `None` is what it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// Whether a battery is being discharged.
    pub is_on_battery: Option<bool>,
    /// Time since somebody last touched keyboard or mouse.
    pub idle: Option<Duration>,
}

/// Whether to rest now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Why, or `None` to go on.
    pub reason: Option<RestReason>,
    /// What the miner was to rest for, but cannot, because the system does not tell.
    pub cannot_tell: Vec<RestReason>,
}

impl RestRules {
    /// Whether to rest after such readings.
    pub fn judge(self, readings: Readings) -> Rest {
        let is_active = readings.idle.map(|idle| idle < AWAY_AFTER);
        let mut rest = Rest::default();
        for (is_wanted, reading, reason) in [
            (self.on_battery, readings.is_on_battery, RestReason::OnBattery),
            (self.when_active, is_active, RestReason::UserActive),
        ] {
            match reading {
                Some(true) if is_wanted && rest.reason.is_none() => rest.reason = Some(reason),
                None if is_wanted => rest.cannot_tell.push(reason),
                Some(_) | None => {}
            }
        }
        rest
    }

    /// Looks at the computer from time to time, as long as anybody wants to know.
    ///
    /// The first look is done when this returns.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn watch(self) -> io::Result<watch::Receiver<Rest>> {
        let (sender, receiver) = watch::channel(self.judge(self.read()));
        if self == Self::default() {
            return Ok(receiver);
        }
        // A thread of its own, not waited for: what it asks the system may take long to answer.
        Builder::new().name("rest".into()).spawn(move || {
            while !sender.is_closed() {
                std::thread::sleep(LOOK_PERIOD);
                let rest = self.judge(self.read());
                sender.send_if_modified(|old| {
                    let is_new = *old != rest;
                    *old = rest;
                    is_new
                });
            }
        })?;
        Ok(receiver)
    }

    /// Reads what there is a rule for.
    fn read(self) -> Readings {
        Readings {
            is_on_battery: self.on_battery.then(is_on_battery).flatten(),
            idle: self.when_active.then(|| get_idle_time().ok()).flatten(),
        }
    }
}

/// Computers without a battery are never on it.
fn is_on_battery() -> Option<bool> {
    let mut is_discharged = false;
    for battery in Manager::new().ok()?.batteries().ok()? {
        is_discharged |= battery.ok()?.state() == State::Discharging;
    }
    Some(is_discharged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: RestRules = RestRules { on_battery: true, when_active: true };

    fn readings(is_on_battery: bool, idle_seconds: u64) -> Readings {
        let idle = Some(Duration::from_secs(idle_seconds));
        Readings { is_on_battery: Some(is_on_battery), idle }
    }

    #[test]
    fn each_rule_rests_for_its_own_reason_only() {
        let only_battery = RestRules { on_battery: true, when_active: false };
        let only_active = RestRules { on_battery: false, when_active: true };
        let none = RestRules::default();
        for (rules, readings, reason) in [
            (BOTH, readings(false, 60), None),
            (BOTH, readings(false, 59), Some(RestReason::UserActive)),
            (BOTH, readings(true, 3600), Some(RestReason::OnBattery)),
            (BOTH, readings(true, 0), Some(RestReason::OnBattery)),
            (only_battery, readings(false, 0), None),
            (only_battery, readings(true, 0), Some(RestReason::OnBattery)),
            (only_active, readings(true, 3600), None),
            (only_active, readings(true, 0), Some(RestReason::UserActive)),
            (none, readings(true, 0), None),
        ] {
            let expected = Rest { reason, cannot_tell: Vec::new() };
            assert_eq!(rules.judge(readings), expected, "{rules:?} {readings:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_no_reason_to_rest_and_is_named_if_wanted() {
        let unknown = Readings::default();
        let all = vec![RestReason::OnBattery, RestReason::UserActive];
        assert_eq!(BOTH.judge(unknown), Rest { reason: None, cannot_tell: all });
        assert_eq!(RestRules::default().judge(unknown), Rest::default());
        let active = Readings { idle: Some(Duration::ZERO), ..unknown };
        let expected =
            Rest { reason: Some(RestReason::UserActive), cannot_tell: vec![RestReason::OnBattery] };
        assert_eq!(BOTH.judge(active), expected);
    }

    #[test]
    fn without_rules_nothing_is_ever_a_reason() {
        let mut rest = RestRules::default().watch().unwrap();
        assert_eq!(*rest.borrow_and_update(), Rest::default());
        assert!(rest.has_changed().is_err(), "nobody looks");
    }
}
