//! Two faces for people: the live view of a terminal, and plain lines for everything else.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use crate::face::Face;
use crate::logs::LogLines;
use crate::notice::{MiningState, Notice, Started, Status};
use crate::summary;
use crate::text::{clock, coins, count, difficulty, hashrate, percent, printable};

/// Events in the live view.
const EVENTS_SHOWN: usize = 6;
/// Payouts in the live view.
const PAYOUTS_SHOWN: usize = 5;
/// The live view is drawn this often.
const LIVE_EVERY: Duration = Duration::from_secs(1);
/// A plain status line comes this often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// One line after the other.
#[derive(Debug)]
pub(crate) struct PlainLines<W> {
    out: W,
}

impl<W: Write> PlainLines<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| writeln!(self.out, "{}", printable(line)))?;
        self.out.flush()
    }
}

impl<W: Write> Face for PlainLines<W> {
    fn status_every(&self) -> Duration {
        PLAIN_EVERY
    }

    fn tell(&mut self, ran: Duration, notice: &Notice) -> io::Result<()> {
        if let Notice::Started(started) = notice {
            self.write(&heading(started))
        } else if let Notice::Status(status) = notice {
            self.write(&[format!("{}  {}", clock(ran), one_line(status))])
        } else if let Some(lines) = summary::of(notice) {
            self.write(&lines)
        } else if let Some(sentence) = notice.sentence() {
            self.write(&[format!("{}  {sentence}", clock(ran))])
        } else {
            Ok(())
        }
    }
}

/// A block of lines that is drawn over itself.
#[derive(Debug)]
pub(crate) struct LiveView<W> {
    out: W,
    logs: LogLines,
    heading: Vec<String>,
    status: Option<Status>,
    events: VecDeque<String>,
    /// Lines drawn last time.
    drawn: usize,
}

impl<W: Write> LiveView<W> {
    /// Draws to `out`; what is logged is shown among the events.
    pub(crate) fn new(out: W, logs: LogLines) -> Self {
        let events = VecDeque::new();
        Self { out, logs, heading: Vec::new(), status: None, events, drawn: 0 }
    }

    fn note(&mut self, line: String) {
        if self.events.len() == EVENTS_SHOWN {
            self.events.pop_front();
        }
        self.events.push_back(line);
    }

    fn draw(&mut self, ran: Duration) -> io::Result<()> {
        for line in self.logs.take() {
            self.note(format!("{}  {line}", clock(ran)));
        }
        let mut lines = self.heading.clone();
        if let Some(status) = &self.status {
            lines.extend(table(status));
            // The rest is told when it comes up, and by `p2poold status`.
            let first = status.problems.first();
            lines.extend(first.map(|problem| format!("  {}: {}", problem.code, problem.message)));
        }
        lines.push(String::new());
        lines.extend(self.events.iter().cloned());
        let mut text = String::from("\x1b[?7l");
        if self.drawn > 0 {
            text += &format!("\x1b[{}A", self.drawn);
        }
        for line in &lines {
            text += &format!("\r{}\x1b[K\n", printable(line));
        }
        text += "\x1b[J\x1b[?7h";
        self.drawn = lines.len();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Leaves what is drawn and goes on below it.
    fn below(&mut self, lines: &[String]) -> io::Result<()> {
        self.drawn = 0;
        lines.iter().try_for_each(|line| writeln!(self.out, "{}", printable(line)))?;
        self.out.flush()
    }
}

impl<W: Write> Face for LiveView<W> {
    fn status_every(&self) -> Duration {
        LIVE_EVERY
    }

    fn tell(&mut self, ran: Duration, notice: &Notice) -> io::Result<()> {
        if let Some(lines) = summary::of(notice) {
            return self.below(&lines);
        }
        if let Notice::Started(started) = notice {
            self.heading = heading(started);
        } else if let Notice::Status(status) = notice {
            self.status = Some(Status::clone(status));
        } else if let Some(sentence) = notice.sentence() {
            self.note(format!("{}  {sentence}", clock(ran)));
        } else {
            return Ok(());
        }
        self.draw(ran)
    }
}

fn heading(started: &Started) -> Vec<String> {
    let continued = if started.is_continued { ", continued" } else { "" };
    let what = if started.is_practice {
        format!("practice on {}{continued}: these coins have no value", started.chain)
    } else {
        format!("mining on {}{continued}", started.chain)
    };
    let mut lines = vec![format!("P2Pool {} - {what}", started.version)];
    if let Some(login) = &started.rpc_login {
        lines.push(format!("  Bitcoin   {}, {login}", started.rpc_url));
    }
    lines.extend([
        format!("  Miners    {}", started.stratum_url),
        format!("  You       {}", started.payout_address),
        format!("  Data      {}", started.data_dir.display()),
    ]);
    lines
}

/// The hash rate to show: from accepted work, or before there is any as the CPU miner says.
fn own_rate(status: &Status) -> f64 {
    if status.hashrate_hps > 0.0 {
        status.hashrate_hps
    } else {
        status.cpu_hashrate_hps.unwrap_or_default()
    }
}

fn one_line(status: &Status) -> String {
    format!(
        "{}{} | shares {} mine, {} others | window {} ({} mine) | blocks {} found, {} accepted",
        match status.state {
            MiningState::Mining => "",
            MiningState::Waiting => "waiting for work | ",
            MiningState::Paused => "paused | ",
        },
        hashrate(own_rate(status)),
        status.shares_mine,
        status.shares_others,
        status.window_shares,
        status.window_mine,
        status.blocks_found,
        status.blocks_accepted,
    )
}

pub(crate) fn table(status: &Status) -> Vec<String> {
    let late = match status.shares_late {
        0 => String::new(),
        late => format!(" ({late} late)"),
    };
    let mut lines = vec![
        format!(
            "  Hashrate  {} mine, {} pool{}",
            hashrate(own_rate(status)),
            hashrate(status.pool_hashrate_hps),
            match status.state {
                MiningState::Mining => "",
                MiningState::Waiting => " - waiting",
                MiningState::Paused => " - paused",
            },
        ),
        format!(
            "  Shares    {} mine{late}, {} of others, difficulty {}",
            status.shares_mine,
            status.shares_others,
            difficulty(status.share_difficulty),
        ),
        format!(
            "  Window    {}, {} mine ({}), {}",
            count(status.window_shares, "share"),
            status.window_mine,
            percent(status.window_mine, status.window_shares),
            count(status.peers, "other member"),
        ),
        format!(
            "  Blocks    {} found, {} accepted, difficulty {}",
            status.blocks_found,
            status.blocks_accepted,
            difficulty(status.block_difficulty),
        ),
    ];
    if status.next_block_height > 0 {
        lines.push(format!(
            "  Block {} would pay {}",
            status.next_block_height,
            coins(status.next_block_sats)
        ));
    }
    for payment in status.payouts.iter().take(PAYOUTS_SHOWN) {
        lines.push(summary::payment(payment, status.next_block_sats));
    }
    if let Some(more) = status.payouts.len().checked_sub(PAYOUTS_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("  and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::{started, status, summary};

    fn tell(view: &mut LiveView<Vec<u8>>, notice: &Notice) -> String {
        view.out.clear();
        view.tell(Duration::from_secs(65), notice).unwrap();
        String::from_utf8(view.out.clone()).unwrap()
    }

    #[test]
    fn live_view_draws_over_itself() {
        let mut view = LiveView::new(Vec::new(), LogLines::default());
        let first = tell(&mut view, &Notice::Started(Box::new(started())));
        assert!(first.contains("no value") && !first.contains("A\r"), "{first:?}");
        let lines = first.matches('\n').count();

        let second = tell(&mut view, &Notice::Status(Box::new(status())));
        assert!(second.contains(&format!("\x1b[{lines}A")), "{second:?}");
        for part in ["12.3 MH/s mine", "7 mine (1 late), 5 of others", "50.000 000 00 BTC", "Ada"] {
            assert!(second.contains(part), "{part} in {second:?}");
        }
        assert!(second.ends_with("\x1b[J\x1b[?7h"));
    }

    #[test]
    fn live_view_keeps_the_newest_events_and_shows_logs() {
        let logs = LogLines::default();
        let mut view = LiveView::new(Vec::new(), logs.clone());
        for number in 0..EVENTS_SHOWN + 3 {
            let worker = format!("rig{number}");
            tell(&mut view, &Notice::MinerConnected { worker, is_cpu_miner: false });
        }
        logs.clone().write_all(b"WARN disk\n").unwrap();
        let text = tell(&mut view, &Notice::Status(Box::new(status())));
        assert!(!text.contains("rig3") && text.contains("rig8") && text.contains("0:01:05  WARN"));
    }

    #[test]
    fn nobody_else_steers_the_terminal() {
        let mut view = LiveView::new(Vec::new(), LogLines::default());
        let worker = "a\x1b[2Jb\nc".to_owned();
        let text = tell(&mut view, &Notice::MinerConnected { worker, is_cpu_miner: false });
        assert!(text.contains("a?[2Jb?c"), "{text:?}");
    }

    #[test]
    fn plain_lines_are_appended_and_end_with_the_summary() {
        let mut face = PlainLines::new(Vec::new());
        let notices = [
            Notice::Started(Box::new(started())),
            Notice::Status(Box::new(status())),
            Notice::MiningPaused,
            Notice::Summary(Box::new(summary())),
            Notice::Stopped { took_ms: 300, late: Vec::new() },
        ];
        for notice in &notices {
            face.tell(Duration::from_secs(65), notice).unwrap();
        }
        let text = String::from_utf8(face.out).unwrap();
        assert!(!text.contains('\x1b'));
        assert!(text.contains("0:01:05  12.3 MH/s | shares 7 mine, 5 others"), "{text}");
        assert!(text.contains("0:01:05  mining paused\n"), "{text}");
        assert!(text.ends_with("Stopped cleanly in 0.3 s.\n"), "{text}");
    }

    #[test]
    fn the_whole_view_fits_a_small_terminal() {
        let mut status = status();
        status.payouts = vec![status.payouts[0].clone(); 20];
        let mut started = started();
        started.rpc_login = Some("with the cookie file".into());
        let problem = 1;
        let lines = heading(&started).len() + table(&status).len() + problem + 1 + EVENTS_SHOWN;
        assert!(lines <= 24, "{lines}");
    }
}
