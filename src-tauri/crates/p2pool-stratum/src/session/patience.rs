//! Miners all of whose work is refused: they are helped step by step, then sent away.
//!
//! Source: `docs/stratum.md`, section 7.

use std::time::Duration;

use p2pool_sharechain::time::{MonoTime, Now};

use super::{CloseReason, Session};
use crate::message;
use crate::submit::RejectReason;

/// Refusals in a row, over at least so much time, before each step.
const FRESH_JOB_AFTER: Duration = Duration::from_secs(60);
const RECONNECT_AFTER: Duration = Duration::from_secs(120);
const CLOSE_AFTER: Duration = Duration::from_secs(180);
/// Fewer refusals than this in a row say nothing.
const REFUSED_MIN: u32 = 5;

/// Refusals since the last accepted solution.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u32,
    since: MonoTime,
    steps: u8,
}

impl Refusals {
    pub(super) fn accept(&mut self) {
        *self = Self::default();
    }
}

impl Session {
    /// Takes note of a refusal and helps, if there are nothing but refusals.
    pub(super) fn lose_patience(&mut self, now: Now, reason: RejectReason) {
        // Late work is our fault as often as the miner's.
        if matches!(reason, RejectReason::Stale | RejectReason::UnknownJob) {
            return;
        }
        let refusals = &mut self.refusals;
        if refusals.count == 0 {
            refusals.since = now.mono;
        }
        refusals.count = refusals.count.saturating_add(1);
        if refusals.count < REFUSED_MIN {
            return;
        }
        let time = now.mono.since(refusals.since);
        let step = [FRESH_JOB_AFTER, RECONNECT_AFTER, CLOSE_AFTER]
            .into_iter()
            .filter(|after| time >= *after)
            .count();
        if step <= usize::from(refusals.steps) {
            return;
        }
        refusals.steps = refusals.steps.saturating_add(1);
        match refusals.steps {
            1 => self.hand_out(now, true),
            2 => self.send(message::notification("client.reconnect", &[])),
            _ => self.close(CloseReason::OnlyRejects),
        }
    }
}
