//! What the miner says about itself: lines to read, or one JSON object a line for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::rest::RestReason;

/// In text, the hash rate is told at every so many reports.
const TEXT_EVERY: u32 = 10;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The threads run.
    Started {
        /// How many.
        threads: usize,
        /// What hashes.
        hashing: &'static str,
    },
    /// There is a connection.
    Connected {
        /// To where.
        pool: String,
    },
    /// The pool takes this miner.
    Authorized,
    /// New work.
    Work {
        /// Difficulty of what is worth sending.
        difficulty: f64,
    },
    /// The pool counted a solution.
    Accepted {
        /// For how much work.
        difficulty: f64,
    },
    /// The pool refused a solution.
    Rejected {
        /// Its code, if it gave one.
        code: Option<i64>,
        /// Its words.
        reason: String,
    },
    /// A text from the pool.
    Message(String),
    /// The threads rest until told otherwise.
    Paused(RestReason),
    /// They hash again.
    Resumed,
    /// The miner was to rest for these, but the system does not tell.
    CannotTell(Vec<RestReason>),
    /// Speed over the last seconds, told each second while not resting.
    Hashrate {
        /// Hashes a second.
        hashrate_hps: f64,
    },
    /// The connection is gone or was not made.
    Disconnected {
        /// Why.
        reason: String,
        /// When the next attempt follows.
        retry_seconds: f64,
    },
}

/// Writes events, and counts.
#[derive(Debug)]
pub struct Reporter<W> {
    output: W,
    is_json: bool,
    accepted: u64,
    rejected: u64,
    untold: u32,
}

impl<W: Write> Reporter<W> {
    /// Writes to `output`.
    pub fn new(output: W, is_json: bool) -> Self {
        Self { output, is_json, accepted: 0, rejected: 0, untold: 0 }
    }

    /// Tells one event.
    ///
    /// # Errors
    /// Nobody reads any more, or the output fails otherwise.
    pub fn tell(&mut self, event: &Event) -> io::Result<()> {
        self.accepted += u64::from(matches!(event, Event::Accepted { .. }));
        self.rejected += u64::from(matches!(event, Event::Rejected { .. }));
        let line = if self.is_json { Some(self.json(event).to_string()) } else { self.text(event) };
        if let Some(line) = line {
            writeln!(self.output, "{line}")?;
            self.output.flush()?;
        }
        Ok(())
    }

    fn json(&self, event: &Event) -> Value {
        let Self { accepted, rejected, .. } = self;
        match event {
            Event::Started { threads, hashing } => {
                json!({"event": "started", "threads": threads, "hashing": hashing})
            }
            Event::Connected { pool } => json!({"event": "connected", "pool": pool}),
            Event::Authorized => json!({"event": "authorized"}),
            Event::Work { difficulty } => json!({"event": "work", "difficulty": difficulty}),
            Event::Accepted { difficulty } => {
                json!({"event": "accepted", "difficulty": difficulty, "accepted": accepted})
            }
            Event::Rejected { code, reason } => {
                json!({"event": "rejected", "code": code, "reason": reason, "rejected": rejected})
            }
            Event::Message(text) => json!({"event": "message", "text": text}),
            Event::Paused(reason) => json!({"event": "paused", "reason": reason.as_str()}),
            Event::Resumed => json!({"event": "resumed"}),
            Event::CannotTell(reasons) => {
                let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
                json!({"event": "cannot_tell", "reasons": reasons})
            }
            Event::Hashrate { hashrate_hps } => json!({
                "event": "hashrate",
                "hashrate_hps": hashrate_hps,
                "accepted": accepted,
                "rejected": rejected
            }),
            Event::Disconnected { reason, retry_seconds } => json!({
                "event": "disconnected",
                "reason": reason,
                "retry_seconds": retry_seconds
            }),
        }
    }

    fn text(&mut self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Started { threads, hashing } => match threads {
                1 => format!("hashing with 1 thread ({hashing})"),
                _ => format!("hashing with {threads} threads ({hashing})"),
            },
            Event::Connected { pool } => format!("connected to {pool}"),
            Event::Authorized => "the pool accepts this miner".into(),
            Event::Work { .. } => return None,
            Event::Accepted { difficulty } => format!("accepted (difficulty {difficulty})"),
            Event::Rejected { reason, .. } => format!("rejected: {reason}"),
            Event::Message(text) => format!("the pool says: {text}"),
            Event::Paused(RestReason::OnBattery) => "resting on battery".into(),
            Event::Paused(RestReason::UserActive) => "resting while the computer is used".into(),
            Event::Resumed => "hashing again".into(),
            Event::CannotTell(reasons) => {
                let whats = reasons.iter().map(|reason| match reason {
                    RestReason::OnBattery => "whether it runs on battery",
                    RestReason::UserActive => "whether somebody uses it",
                });
                let whats: Vec<&str> = whats.collect();
                format!("this computer does not tell {}", whats.join(" and "))
            }
            Event::Hashrate { hashrate_hps } => {
                self.untold += 1;
                if self.untold < TEXT_EVERY {
                    return None;
                }
                self.untold = 0;
                let Self { accepted, rejected, .. } = self;
                let rate = rate_text(*hashrate_hps);
                format!("{rate}, {accepted} accepted, {rejected} rejected")
            }
            Event::Disconnected { reason, retry_seconds } => {
                format!("no connection: {reason}; next try in {retry_seconds:.0} s")
            }
        })
    }
}

/// A hash rate with three digits and a unit.
fn rate_text(hashrate_hps: f64) -> String {
    let (value, unit) = match hashrate_hps {
        rate if rate >= 1e9 => (rate / 1e9, "GH/s"),
        rate if rate >= 1e6 => (rate / 1e6, "MH/s"),
        rate if rate >= 1e3 => (rate / 1e3, "kH/s"),
        rate => (rate, "H/s"),
    };
    let digits = if value >= 100.0 { 0 } else { 1 };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(is_json: bool, events: &[Event]) -> Vec<String> {
        let mut reporter = Reporter::new(Vec::new(), is_json);
        events.iter().for_each(|event| reporter.tell(event).unwrap());
        let text = String::from_utf8(reporter.output).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Started { threads: 2, hashing: "SHA-NI" },
            Event::Connected { pool: "a:1".into() },
            Event::Authorized,
            Event::Work { difficulty: 0.5 },
            Event::Accepted { difficulty: 0.5 },
            Event::Rejected { code: Some(21), reason: "Stale".into() },
            Event::Message("hi \"you\"".into()),
            Event::CannotTell(vec![RestReason::OnBattery, RestReason::UserActive]),
            Event::Paused(RestReason::UserActive),
            Event::Resumed,
            Event::Hashrate { hashrate_hps: 23_456_000.0 },
            Event::Disconnected { reason: "gone".into(), retry_seconds: 2.0 },
        ]
    }

    #[test]
    fn json_is_one_object_a_line_named_by_its_event() {
        let lines = told(true, &events());
        let names: Vec<String> = lines
            .iter()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().into()
            })
            .collect();
        assert_eq!(
            names,
            [
                "started",
                "connected",
                "authorized",
                "work",
                "accepted",
                "rejected",
                "message",
                "cannot_tell",
                "paused",
                "resumed",
                "hashrate",
                "disconnected"
            ]
        );
        let rate: Value = serde_json::from_str(&lines[10]).unwrap();
        assert_eq!(
            rate,
            json!({"event": "hashrate", "hashrate_hps": 23_456_000.0, "accepted": 1, "rejected": 1})
        );
    }

    #[test]
    fn resting_is_told_with_its_reason() {
        let events = events();
        let lines = told(true, &events[7..9]);
        assert_eq!(lines[0], r#"{"event":"cannot_tell","reasons":["on_battery","user_active"]}"#);
        assert_eq!(lines[1], r#"{"event":"paused","reason":"user_active"}"#);
        let lines = told(false, &events[7..10]);
        assert_eq!(
            lines[0],
            concat!(
                "this computer does not tell whether it runs on battery ",
                "and whether somebody uses it"
            )
        );
        assert_eq!(lines[1..], ["resting while the computer is used", "hashing again"]);
    }

    #[test]
    fn text_tells_the_rate_now_and_then() {
        let rates = vec![Event::Hashrate { hashrate_hps: 23_456_000.0 }; 25];
        assert_eq!(told(false, &rates), ["23.5 MH/s, 0 accepted, 0 rejected"; 2]);
        assert_eq!(told(false, &events()).len(), 10);
    }

    #[test]
    fn rates_have_units() {
        for (rate, text) in
            [(0.0, "0.0 H/s"), (999.0, "999 H/s"), (50_000.0, "50.0 kH/s"), (2.5e9, "2.5 GH/s")]
        {
            assert_eq!(rate_text(rate), text);
        }
    }
}
