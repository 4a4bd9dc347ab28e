//! Pages about the share chain, computed from the engine between two of its steps.

use std::collections::{BTreeMap, BTreeSet};

use p2pool_engine::Engine;
use p2pool_sharechain::compact::{attempts, difficulty, ratio};
use p2pool_sharechain::{Attempts, CompactBits, ShareHash, Tracker, stats};
use serde_json::{Value, json};

/// Shares below which the pool's figures say nothing.
pub(super) const HEIGHT_MIN: u32 = 10;
/// Expected hashes for difficulty 1.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;
/// Hashes in one list.
const LIST_MAX: usize = 1000;

/// The chain as the pages see it.
pub(super) struct Chain<'a> {
    tracker: &'a Tracker,
    best: Option<ShareHash>,
    height: u32,
}

impl<'a> Chain<'a> {
    pub(super) fn of(engine: &'a Engine) -> Self {
        Self::at(engine.tracker(), engine.best())
    }

    pub(super) fn at(tracker: &'a Tracker, best: Option<ShareHash>) -> Self {
        Self { tracker, best, height: tracker.height_and_last(best).0 }
    }

    pub(super) fn is_long_enough(&self) -> bool {
        self.height >= HEIGHT_MIN
    }

    /// Shares that figures of the last hour are taken over.
    fn recent(&self) -> u32 {
        self.height.min(stats::recent_shares(self.tracker))
    }

    pub(super) fn rate(&self) -> f64 {
        stats::pool_rate(self.tracker, self.best, stats::RATE_SHARES).unwrap_or_default()
    }

    fn easiest_bits(&self) -> Option<CompactBits> {
        let best = self.best.and_then(|hash| self.tracker.get(hash))?;
        Some(best.share().info.max_bits)
    }

    pub(super) fn difficulty(&self) -> f64 {
        self.easiest_bits().map_or(0.0, |bits| difficulty(bits.target_saturating()))
    }

    /// Hashes that the next share takes on average, as a whole number.
    pub(super) fn attempts_to_share(&self) -> String {
        self.easiest_bits().map_or_else(|| "0".to_owned(), |bits| bits.attempts().to_string())
    }

    pub(super) fn stale_part(&self) -> f64 {
        stats::stale_proportion(self.tracker, self.best, self.recent())
    }

    /// Rate over the last hour without lost shares, and with them.
    pub(super) fn recent_rates(&self) -> (f64, f64) {
        let plain = stats::attempts_per_second(self.tracker, self.best, self.recent());
        let all = stats::pool_rate(self.tracker, self.best, self.recent());
        (plain.unwrap_or_default(), all.unwrap_or_default())
    }

    pub(super) fn user_stales(&self) -> Value {
        let users = stats::stale_by_user(self.tracker, self.best, self.height);
        users
            .into_iter()
            .map(|(payee, user)| {
                let part = f64::from(user.stale) / f64::from(user.total.max(1));
                (text(&payee), Value::from(part))
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    pub(super) fn stale_rates(&self) -> Value {
        let shares = self.height.min(stats::RATE_SHARES);
        let counts = stats::stale_counts(self.tracker, self.best, shares);
        let Some(seconds) = stats::seconds(self.tracker, self.best, shares) else {
            return json!({});
        };
        let kinds =
            [("good", counts.good), ("orphan", counts.orphan), ("doa", counts.dead_on_arrival)];
        kinds
            .into_iter()
            .filter(|(_, work)| !work.is_zero())
            .map(|(kind, work)| (kind.to_owned(), ratio(work, Attempts::from(seconds)).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The page of figures about the pool; `bits` is Bitcoin's target.
    pub(super) fn global_stats(&self, bits: CompactBits) -> Value {
        if !self.is_long_enough() {
            return Value::Null;
        }
        let (plain, all) = self.recent_rates();
        let network = difficulty(bits.target_saturating());
        let period = f64::from(self.tracker.params().block_period.max(1));
        json!({
            "pool_nonstale_hash_rate": plain,
            "pool_hash_rate": all,
            "pool_stale_prop": self.stale_part(),
            "min_difficulty": self.difficulty(),
            "network_block_difficulty": network,
            "network_hashrate": (network * HASHES_PER_DIFFICULTY / period).floor(),
        })
    }

    pub(super) fn recent_blocks(&self) -> Value {
        let shares = self.height.min(self.tracker.params().chain_length);
        self.tracker
            .chain(self.best)
            .take(shares as usize)
            .filter(|known| known.share.claims_block())
            .map(|known| {
                let hash = known.share.hash().to_string();
                let info = &known.share.share().info;
                let number = block_height(&info.data.coinbase);
                json!({ "ts": info.timestamp, "hash": hash, "number": number, "share": hash })
            })
            .collect()
    }

    pub(super) fn heads(&self) -> Value {
        list(self.tracker.heads().map(|(head, _)| head))
    }

    pub(super) fn verified_heads(&self) -> Value {
        list(self.tracker.verified().heads().keys().copied())
    }

    pub(super) fn tails(&self) -> Value {
        let ends: BTreeSet<Option<ShareHash>> = self.tracker.heads().map(|(_, end)| end).collect();
        list(ends.into_iter().flat_map(|end| self.tracker.children(end)))
    }

    pub(super) fn verified_tails(&self) -> Value {
        list(self.tracker.verified().tails().values().flatten().copied())
    }

    /// Own shares of the last hour in the chain: good ones, and the losses that they announce.
    pub(super) fn own_counts(&self, is_own: impl Fn(ShareHash) -> bool) -> OwnCounts {
        use p2pool_sharechain::share::StaleInfo;
        let mut counts = OwnCounts::default();
        for known in self.tracker.chain(self.best).take(self.recent() as usize) {
            if !is_own(known.share.hash()) {
                continue;
            }
            counts.good += 1;
            counts.work += attempts(known.share.target());
            match known.share.share().info.data.stale_info {
                StaleInfo::ORPHAN => counts.orphans += 1,
                StaleInfo::DEAD_ON_ARRIVAL => counts.dead += 1,
                _ => {}
            }
        }
        let seconds = stats::seconds(self.tracker, self.best, self.recent()).unwrap_or(1);
        counts.rate = ratio(counts.work, Attempts::from(seconds));
        counts
    }
}

/// Own shares of the last hour.
#[derive(Debug, Default)]
pub(super) struct OwnCounts {
    pub(super) good: u32,
    pub(super) orphans: u32,
    pub(super) dead: u32,
    work: Attempts,
    /// Hashes per second that the good ones stand for.
    pub(super) rate: f64,
}

/// The payees' parts of the pool's work.
pub(super) fn users(engine: &mut Engine) -> Value {
    let users = engine.users();
    users
        .into_iter()
        .map(|(payee, part)| (text(payee.text()), part))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(payee, part)| (payee, Value::from(part)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn list(hashes: impl Iterator<Item = ShareHash>) -> Value {
    hashes.take(LIST_MAX).map(|hash| Value::from(hash.to_string())).collect()
}

/// The height at the start of a scriptSig; zero if there is none.
fn block_height(script: &[u8]) -> u32 {
    match script.split_first() {
        Some((length @ 1..=4, rest)) => rest
            .iter()
            .take(usize::from(*length))
            .rev()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
        // Small numbers are opcodes of their own.
        Some((opcode @ 0x51..=0x60, _)) => u32::from(opcode - 0x50),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn height_is_read_as_miners_write_it() {
        for (script, height) in [
            (&[3, 0xa0, 0xbb, 0x0d, 5][..], 900_000),
            (&[2, 0xb1, 0x04], 1201),
            (&[0x51], 1),
            (&[0x60], 16),
            (&[1, 17], 17),
            (&[], 0),
            (&[3, 1], 1),
        ] {
            assert_eq!(block_height(script), height, "{script:?}");
        }
    }

    #[test]
    fn chain_of_nothing_has_pages_too() {
        let params = std::sync::Arc::new(p2pool_sharechain::Params::regtest());
        let tracker = Tracker::new(params, 1);
        let chain = Chain::at(&tracker, None);
        assert_eq!(chain.global_stats(CompactBits(0x1d00_ffff)), Value::Null);
        assert_eq!(chain.recent_blocks(), json!([]));
        assert_eq!(chain.stale_rates(), json!({}));
        assert_eq!(chain.heads(), json!([]));
        assert_eq!((chain.rate(), chain.difficulty()), (0.0, 0.0));
        assert_eq!(chain.attempts_to_share(), "0");
    }
}
