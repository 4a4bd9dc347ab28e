//! Numbers and notices as people read them.

use std::time::Duration;

use p2pool_node::HelperPause;

use crate::catalogue;
use crate::notice::{Bitcoin, CheckedBlock, CpuMiner, Notice};

/// A hash rate with three digits: `12.3 MH/s`.
pub(crate) fn hashrate(hps: f64) -> String {
    const UNITS: [&str; 7] = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s", "EH/s"];
    let mut value = hps.max(0.0);
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {unit}")
}

/// Satoshis as coins, in groups: `0.003 750 00 BTC`.
pub(crate) fn coins(sats: u64) -> String {
    const SATS_PER_COIN: u64 = 100_000_000;
    let digits = format!("{:08}", sats % SATS_PER_COIN);
    let (thousandths, rest) = digits.split_at(3);
    let (millionths, last) = rest.split_at(3);
    format!("{}.{thousandths} {millionths} {last} BTC", sats / SATS_PER_COIN)
}

/// A time that has passed: `1:02:03`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A part of a whole: `12.5 %`.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

/// A difficulty with three digits.
pub(crate) fn difficulty(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

/// The end of a hash: its beginning is zeros.
pub(crate) fn short(hash: &str) -> String {
    let start = hash.len().saturating_sub(8);
    format!("…{}", hash.get(start..).unwrap_or(hash))
}

/// Texts from elsewhere (worker names, the system's words) must not steer the terminal.
pub(crate) fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// `1 block`, `2 blocks`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

fn whose(is_own: bool) -> &'static str {
    if is_own { "you" } else { "another member" }
}

/// How the sum of a block's outputs compares.
pub(crate) fn sums(block: &CheckedBlock) -> String {
    format!(
        "{} {} = subsidy {} + fees {}: {}",
        match block.outputs.len() {
            1 => "1 output pays".into(),
            many => format!("{many} outputs pay"),
        },
        coins(block.outputs_sum_sats),
        coins(block.subsidy_sats),
        coins(block.fees_sats),
        if block.is_exact { "exact" } else { "WRONG" },
    )
}

impl Notice {
    /// One line for people; nothing for what the view shows anyway.
    pub(crate) fn sentence(&self) -> Option<String> {
        let sentence = match self {
            Self::ShareFound { hash, worker, is_on_time: true } => {
                format!("share found by {worker}: {}", short(hash))
            }
            Self::ShareFound { hash, worker, is_on_time: false } => {
                format!("share found by {worker}, but late: {}", short(hash))
            }
            Self::BestShare { hash, is_own: false, .. } => {
                format!("share of another member: {}", short(hash))
            }
            Self::BlockFound { hash, height, is_own } => {
                format!("BLOCK {height} found by {}: {}", whose(*is_own), short(hash))
            }
            Self::BlockAccepted(block) => {
                format!("block {} accepted: {}", block.height, sums(block))
            }
            Self::BlockUnchecked { hash, reason } => {
                format!("block {} could not be checked: {reason}", short(hash))
            }
            Self::BlockRejected { hash, reason } => {
                format!("N-13: block {} was refused: {reason}", short(hash))
            }
            Self::BlockReplaced { hash } => {
                format!("block {} lost its place to another block", short(hash))
            }
            Self::CpuMiner(state) => cpu_miner(state)?,
            Self::Bitcoin(Bitcoin::Unavailable { code, reason }) => {
                format!("{code}: {} ({reason})", catalogue::sentence(code))
            }
            Self::Bitcoin(Bitcoin::Ready) => "the Bitcoin node gives work".into(),
            Self::Storage { is_degraded: true, reason } => format!(
                "E-APP-01: data cannot be saved, mining goes on: {}",
                reason.as_deref().unwrap_or_default()
            ),
            Self::Storage { is_degraded: false, .. } => "data can be saved again".into(),
            Self::StorageSlow => {
                "storage is slow; a share was passed on before it was saved".into()
            }
            Self::MinerConnected { worker, is_cpu_miner: false } => {
                format!("miner {worker} connected")
            }
            Self::MinerLeft { worker, is_cpu_miner: false } => format!("miner {worker} left"),
            Self::MiningStarted => "mining started".into(),
            Self::MiningPaused => "mining paused".into(),
            Self::DatabaseReplaced { old } => {
                format!("the database was damaged and begun anew; the old one is {}", old.display())
            }
            Self::Missed { events } => format!("{} not shown", count(*events, "event")),
            Self::BestShare { is_own: true, .. }
            | Self::MinerConnected { is_cpu_miner: true, .. }
            | Self::MinerLeft { is_cpu_miner: true, .. }
            | Self::Bitcoin(Bitcoin::Connecting)
            | Self::MemberJoined { .. }
            | Self::MemberLeft { .. }
            | Self::Started(_)
            | Self::Status(_)
            | Self::Summary(_)
            | Self::Stopping
            | Self::Stopped { .. }
            | Self::Failed { .. } => return None,
        };
        Some(sentence)
    }
}

fn cpu_miner(state: &CpuMiner) -> Option<String> {
    Some(match state {
        CpuMiner::Off | CpuMiner::Starting => return None,
        CpuMiner::Running { threads, cannot_tell } => {
            let mut text = format!("CPU miner at work, {}", count((*threads).into(), "thread"));
            for reason in cannot_tell {
                text += match reason {
                    HelperPause::OnBattery => "; this computer does not tell if it is on battery",
                    HelperPause::UserActive => "; this computer does not tell if somebody uses it",
                };
            }
            text
        }
        CpuMiner::Paused { reason: HelperPause::OnBattery } => {
            "the CPU miner pauses while the computer is on battery".into()
        }
        CpuMiner::Paused { reason: HelperPause::UserActive } => {
            "the CPU miner pauses while somebody uses the computer".into()
        }
        CpuMiner::Finished => "the CPU miner's time is over".into(),
        CpuMiner::TooHot { celsius } => {
            format!("the CPU miner has stopped, the processor is at {celsius:.0} °C")
        }
        CpuMiner::Missing { code, path, reason } => format!(
            "{code}: the CPU miner cannot be started, all else goes on ({}: {reason})",
            path.display()
        ),
        CpuMiner::Stopped { reason } => {
            format!("the CPU miner ended by itself ({reason}) and is started again")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_rates_have_three_digits() {
        let texts = [
            (0.0, "0.00 H/s"),
            (-1.0, "0.00 H/s"),
            (999.4, "999 H/s"),
            (999.6, "1.00 kH/s"),
            (12_345_678.0, "12.3 MH/s"),
            (9_996_000.0, "10.0 MH/s"),
            (3.2e21, "3200 EH/s"),
        ];
        for (hps, text) in texts {
            assert_eq!(hashrate(hps), text);
        }
    }

    #[test]
    fn coins_show_every_satoshi() {
        assert_eq!(coins(375_000), "0.003 750 00 BTC");
        assert_eq!(coins(5_000_000_001), "50.000 000 01 BTC");
    }

    #[test]
    fn times_parts_and_hashes_are_short() {
        assert_eq!(clock(Duration::from_secs(3_723)), "1:02:03");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(1, 0), "-");
        assert_eq!(short("00000000abcdef0123456789"), "…23456789");
        assert_eq!(short("é"), "…é");
        assert_eq!((count(1, "block"), count(2, "block")), ("1 block".into(), "2 blocks".into()));
    }

    #[test]
    fn a_missing_cpu_miner_is_told_with_its_code_and_that_all_else_goes_on() {
        let missing = CpuMiner::Missing {
            code: "E-CPU-01",
            path: "/opt/p2pool-miner".into(),
            reason: "not found".into(),
        };
        let sentence = Notice::CpuMiner(missing).sentence().unwrap();
        assert!(sentence.starts_with("E-CPU-01: ") && sentence.contains("goes on"), "{sentence}");
    }
}
