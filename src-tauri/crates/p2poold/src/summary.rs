//! The end of a run in words.

use std::time::Duration;

use crate::notice::{Notice, Summary};
use crate::payees::Payment;
use crate::text::{clock, coins, count, percent, short, sums};

/// Blocks listed one by one.
const BLOCKS_SHOWN: usize = 20;

/// The lines of a notice that belongs to the end of a run; nothing for all others.
pub(crate) fn of(notice: &Notice) -> Option<Vec<String>> {
    if let Notice::Summary(summary) = notice {
        Some(lines(summary))
    } else if let Notice::Stopped { took_ms, late } = notice {
        Some(vec![stopped(*took_ms, late)])
    } else if matches!(notice, Notice::Stopping) {
        Some(vec!["Stopping; Ctrl-C again ends at once.".into()])
    } else {
        None
    }
}

/// The summary, line by line.
fn lines(summary: &Summary) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!(
            "{} ran for {}.",
            if summary.is_practice { "Practice" } else { "The node" },
            clock(Duration::from_secs(summary.ran_seconds))
        ),
        format!(
            "  Shares    {} mine{}, {} of others",
            summary.shares_mine,
            late(summary),
            summary.shares_others
        ),
        format!(
            "  Blocks    {} found, {} accepted by {}, {} rejected, {} replaced",
            summary.blocks_found,
            summary.blocks_accepted,
            if summary.is_practice { "Bitcoin Core's consensus code" } else { "your Bitcoin node" },
            summary.blocks_rejected,
            summary.blocks_replaced,
        ),
    ];
    let paid: u64 = summary.payouts.iter().map(|payment| payment.value_sats).sum();
    if paid > 0 {
        lines.push(format!("  These blocks paid {}", coins(paid)));
        lines.extend(summary.payouts.iter().map(|p| payment(p, paid)));
    }
    let hidden = summary.blocks.len().saturating_sub(BLOCKS_SHOWN);
    if hidden > 0 {
        lines.push(format!("  ({} before these)", count(hidden as u64, "block")));
    }
    for block in summary.blocks.iter().skip(hidden) {
        lines.push(format!("  Block {} {}: {}", block.height, short(&block.hash), sums(block)));
    }
    lines
}

fn late(summary: &Summary) -> String {
    match summary.shares_late {
        0 => String::new(),
        late => format!(" ({late} late)"),
    }
}

/// A payment and its part of the whole.
pub(crate) fn payment(payment: &Payment, whole_sats: u64) -> String {
    format!(
        "  {:>19} {:>7}  {:<8} {}",
        coins(payment.value_sats),
        percent(payment.value_sats, whole_sats),
        payment.who,
        payment.address,
    )
}

/// How stopping went.
fn stopped(took_ms: u64, late: &[&str]) -> String {
    let seconds = took_ms / 1000;
    let tenths = took_ms % 1000 / 100;
    if late.is_empty() {
        format!("Stopped cleanly in {seconds}.{tenths} s.")
    } else {
        format!("Stopped in {seconds}.{tenths} s; not in time: {}.", late.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::summary;

    #[test]
    fn summary_names_shares_blocks_payouts_and_sums() {
        let text = lines(&summary()).join("\n");
        for part in [
            "ran for 0:10:00",
            "7 mine (1 late), 5 of others",
            "2 found, 1 accepted by Bitcoin Core's consensus code",
            "paid 50.000 000 00 BTC",
            "75.0 %",
            "2 outputs pay 50.000 000 00 BTC = subsidy 50.000 000 00 BTC + fees 0.000 000 00 BTC: exact",
        ] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
    }

    #[test]
    fn long_runs_list_the_newest_blocks() {
        let mut summary = summary();
        summary.blocks = vec![summary.blocks[0].clone(); BLOCKS_SHOWN + 3];
        let text = lines(&summary).join("\n");
        assert!(text.contains("(3 blocks before these)"), "{text}");
        assert_eq!(text.matches("Block 7 ").count(), BLOCKS_SHOWN);
    }

    #[test]
    fn what_did_not_stop_in_time_is_named() {
        assert_eq!(stopped(843, &[]), "Stopped cleanly in 0.8 s.");
        assert_eq!(stopped(9_100, &["storage"]), "Stopped in 9.1 s; not in time: storage.");
    }
}
