//! Words outside the window: in the tray and in notifications. Those of the window are in the
//! user interface's catalogue.

use crate::api::{AppSnapshot, Mode, OverallState, Sats};

/// Units of a hash rate, from one hash per second in steps of a thousand.
const UNITS: [&str; 7] = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s", "EH/s"];

/// One sentence on how it stands, as the tray shows it.
pub(crate) fn status(view: &AppSnapshot) -> String {
    let sentence = match &view.overall {
        OverallState::Setup => "Not set up yet".to_owned(),
        OverallState::NodeDown { .. } => "No Bitcoin node".to_owned(),
        OverallState::NodeSyncing { progress, .. } => {
            format!("Bitcoin node is catching up, {:.0} %", (progress * 100.0).floor())
        }
        OverallState::Joining { .. } => "Joining the pool".to_owned(),
        OverallState::NoMembers { .. } => "No other pool members found".to_owned(),
        OverallState::WaitingMiner { .. } => "Waiting for a miner".to_owned(),
        OverallState::FirstShare | OverallState::Between { .. } | OverallState::Earning => {
            mining(view)
        }
        OverallState::Paused { .. } => "Paused".to_owned(),
        OverallState::Degraded { .. } => format!("{}, check needed", mining(view)),
        OverallState::Blocked { .. } => "Stopped: open the window to see why".to_owned(),
    };
    match view.mode {
        Mode::Live => sentence,
        Mode::Practice => format!("Practice · {sentence}"),
    }
}

fn mining(view: &AppSnapshot) -> String {
    let rate = view.rates.mine_hps.map_or_else(String::new, |hps| format!(" {}", hashrate(hps)));
    let miners = counted(view.lights.miners.working, "miner", "miners");
    let shares = counted(view.shares.mine_in_window, "share", "shares");
    format!("Mining{rate} · {miners} · {shares} in window")
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A hash rate with three significant digits: `1.21 TH/s`.
pub(crate) fn hashrate(hps: f64) -> String {
    let mut value = hps.max(0.0);
    let mut unit = 0;
    // What would be rounded to four digits belongs to the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let decimals = if unit == 0 || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// An amount in BTC, decimals in groups: `0.003 750 00 BTC`.
pub(crate) fn amount(sats: Sats) -> String {
    let (whole, rest) = (sats.0 / 100_000_000, format!("{:08}", sats.0 % 100_000_000));
    format!("{whole}.{} {} {} BTC", &rest[..3], &rest[3..6], &rest[6..])
}

/// A length of time in its two largest units: `3 h 12 min`.
pub(crate) fn duration(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "under a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_rates_have_three_digits_and_the_right_unit() {
        for (hps, text) in [
            (0.0, "0 H/s"),
            (999.4, "999 H/s"),
            (999.6, "1.00 kH/s"),
            (1.21e12, "1.21 TH/s"),
            (13.5e12, "13.5 TH/s"),
            (95.04e12, "95.0 TH/s"),
            (999.9e12, "1.00 PH/s"),
            (2e21, "2000 EH/s"),
        ] {
            assert_eq!(hashrate(hps), text);
        }
    }

    #[test]
    fn amounts_are_exact_and_grouped() {
        assert_eq!(amount(Sats(35_988)), "0.000 359 88 BTC");
        assert_eq!(amount(Sats(312_500_000)), "3.125 000 00 BTC");
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        let texts = [(59, "under a minute"), (2_520, "42 min"), (11_520, "3 h 12 min")];
        for (secs, text) in texts {
            assert_eq!(duration(secs), text);
        }
        assert_eq!(duration(180_000), "2 d 2 h");
    }
}
