//! How fast one peer may keep us busy.
//!
//! What a peer sends is charged in bytes, questions at the size of their answers. A peer that
//! has used up its credit is not read for a while; its messages wait in the network, nothing is
//! dropped. A node that downloads or serves the whole chain once never gets there.

use core::time::Duration;

use p2pool_sharechain::time::MonoTime;

use crate::message::Message;

/// Credit of a new connection, and the most that a quiet one saves up: two of the longest
/// messages, or four times the bytes of a full chain.
const CREDIT_BYTES_MAX: i64 = 64 << 20;
/// Credit gained in a second.
const CREDIT_BYTES_PER_SECOND: i64 = 1 << 20;
/// What a share is taken for in an answer.
const SHARE_BYTES: i64 = 600;
/// Most shares that an answer holds beyond those asked for.
const ANSWER_SHARES_MAX: u64 = 1000;
/// What a transaction is taken for in an answer.
const TRANSACTION_BYTES: i64 = 500;
/// What a list of 100 addresses takes.
const ADDRESSES_BYTES: i64 = 3500;

/// One peer's credit.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    credit_bytes: i64,
    counted_at: MonoTime,
}

impl Pace {
    pub(crate) fn new(now: MonoTime) -> Self {
        Self { credit_bytes: CREDIT_BYTES_MAX, counted_at: now }
    }

    /// Adds what was gained up to now, in whole milliseconds; the rest is left for later.
    pub(crate) fn refill(&mut self, now: MonoTime) {
        let millis = u32::try_from(now.since(self.counted_at).as_millis()).unwrap_or(u32::MAX);
        let gained = i64::from(millis).saturating_mul(CREDIT_BYTES_PER_SECOND) / 1000;
        self.credit_bytes = self.credit_bytes.saturating_add(gained).min(CREDIT_BYTES_MAX);
        self.counted_at = self.counted_at + Duration::from_millis(u64::from(millis));
    }

    pub(crate) fn charge_bytes(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.credit_bytes = self.credit_bytes.saturating_sub(bytes);
    }

    /// Charges what answering will take.
    pub(crate) fn charge_answer(&mut self, message: &Message) {
        let bytes = match message {
            Message::ShareReq(request) => {
                let asked = request.hashes.len() as u64;
                let each = request.parents.min(ANSWER_SHARES_MAX / asked.max(1)).saturating_add(1);
                let shares = i64::try_from(asked.saturating_mul(each)).unwrap_or(i64::MAX);
                shares.saturating_mul(SHARE_BYTES)
            }
            Message::GetAddrs { .. } => ADDRESSES_BYTES,
            Message::GetBlockTxn(request) => i64::try_from(request.indexes.len())
                .unwrap_or(i64::MAX)
                .saturating_mul(TRANSACTION_BYTES),
            Message::Version(_)
            | Message::Ping
            | Message::AddrMe { .. }
            | Message::Addrs(_)
            | Message::Shares(_)
            | Message::ShareReply(_)
            | Message::BestBlock(_)
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::ShareHashes(_)
            | Message::CompactBlock(_)
            | Message::BlockTxn(_)
            | Message::Unknown(_) => 0,
        };
        self.credit_bytes = self.credit_bytes.saturating_sub(bytes);
    }

    /// When there is credit again; `None` if there is some now.
    pub(crate) fn resumes_at(&self) -> Option<MonoTime> {
        let debt = u64::try_from(self.credit_bytes.checked_neg()?).ok()?;
        let millis = debt.saturating_mul(1000) / CREDIT_BYTES_PER_SECOND.unsigned_abs();
        Some(self.counted_at + Duration::from_millis(millis.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use p2pool_sharechain::ShareHash;

    use super::*;
    use crate::message::ShareReq;

    const SECOND: Duration = Duration::from_secs(1);

    fn question(hashes: usize, parents: u64) -> Message {
        Message::ShareReq(ShareReq {
            id: [0; 32],
            hashes: vec![ShareHash::from_internal([1; 32]); hashes],
            parents,
            stops: vec![],
        })
    }

    #[test]
    fn a_whole_chain_is_served_without_a_pause() {
        let mut pace = Pace::new(MonoTime::ZERO);
        for _ in 0..18 {
            pace.charge_bytes(4000);
            pace.charge_answer(&question(1, 499));
        }
        assert_eq!(pace.resumes_at(), None);
    }

    #[test]
    fn endless_questions_are_slowed_to_the_rate() {
        let mut pace = Pace::new(MonoTime::ZERO);
        while pace.resumes_at().is_none() {
            pace.charge_answer(&question(1, u64::MAX));
        }
        let answer_bytes = 1001 * SHARE_BYTES;
        let pause = pace.resumes_at().unwrap().since(MonoTime::ZERO);
        assert!(
            pause <= SECOND * u32::try_from(answer_bytes / CREDIT_BYTES_PER_SECOND + 1).unwrap()
        );

        pace.refill(pace.resumes_at().unwrap());
        assert_eq!(pace.resumes_at(), None);
    }

    #[test]
    fn a_question_for_many_costs_no_more_than_its_answer() {
        let mut pace = Pace::new(MonoTime::ZERO);
        pace.charge_answer(&question(500, u64::MAX));
        assert_eq!(pace.credit_bytes, CREDIT_BYTES_MAX - 1500 * SHARE_BYTES);
        pace.charge_answer(&question(0, u64::MAX));
        assert_eq!(pace.credit_bytes, CREDIT_BYTES_MAX - 1500 * SHARE_BYTES);
    }

    #[test]
    fn looking_often_loses_no_credit() {
        let mut pace = Pace::new(MonoTime::ZERO);
        pace.charge_bytes(10 << 20);
        let before = pace.credit_bytes;
        for step in 1..=3000 {
            pace.refill(MonoTime(SECOND * step / 3000));
        }
        assert_eq!(pace.credit_bytes - before, 1000 * (CREDIT_BYTES_PER_SECOND / 1000));
    }

    #[test]
    fn credit_is_not_saved_without_end() {
        let mut pace = Pace::new(MonoTime::ZERO);
        pace.refill(MonoTime(SECOND * 1_000_000));
        assert_eq!(pace.credit_bytes, CREDIT_BYTES_MAX);
    }
}
