//! What happened: the last events for people, and a digest of all of them.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use super::Event;

/// Events shown when a run fails.
const SHOWN: usize = 50;

/// A run's events. Shows the last ones if the test that owns it panics.
#[derive(Clone)]
pub(crate) struct Trace {
    seed: u64,
    digest: u64,
    count: u64,
    last: VecDeque<(Duration, Event)>,
    text: String,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Self {
        let last = VecDeque::with_capacity(SHOWN);
        Self { seed, digest: 0xcbf2_9ce4_8422_2325, count: 0, last, text: String::new() }
    }

    pub(crate) fn note(&mut self, at: Duration, event: &Event) {
        self.text.clear();
        write!(self.text, "{} {event:?}", at.as_nanos()).expect("text takes everything");
        let text = core::mem::take(&mut self.text);
        self.mix(text.as_bytes());
        self.text = text;
        self.count += 1;
        if self.last.len() == SHOWN {
            self.last.pop_front();
        }
        self.last.push_back((at, event.clone()));
    }

    /// FNV-1a over everything noted.
    pub(crate) fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("failed with seed {} after {} events, of which the last:", self.seed, self.count);
        for (at, event) in &self.last {
            eprintln!("{:>14.6} s  {event:?}", at.as_secs_f64());
        }
    }
}
