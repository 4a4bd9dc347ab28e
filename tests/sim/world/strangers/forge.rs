//! Makes shares for those who do not mine, or not what they should.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, CompactBits, Params, ShareHash, Tracker};

use crate::world::miner::{payout_address, share_template, solve};

/// A share that somebody made.
pub(crate) type Made = Arc<CheckedShare>;

/// Knows the common history and everything that it made itself or was shown.
pub(crate) struct Forge {
    params: Arc<Params>,
    bits: CompactBits,
    tracker: Tracker,
    made: u32,
}

impl Forge {
    pub(crate) fn new(params: &Arc<Params>, bits: CompactBits) -> Self {
        let tracker = Tracker::new(Arc::clone(params), 1);
        Self { params: Arc::clone(params), bits, tracker, made: 0 }
    }

    /// Takes a share that somebody else made.
    pub(crate) fn learn(&mut self, share: Made) {
        let known = KnownShare { share, seen: MonoTime::ZERO, sender: None };
        self.tracker.insert(known).expect("its payee was decoded before");
    }

    /// A share and its ancestors, at most so many.
    pub(crate) fn chain(&self, hash: ShareHash, count: usize) -> Vec<Made> {
        let chain = self.tracker.chain(Some(hash)).take(count);
        chain.map(|known| Arc::clone(&known.share)).collect()
    }

    /// The known share with the longest chain that was not made here.
    pub(crate) fn honest_best(&self) -> Option<ShareHash> {
        let heads = self.tracker.heads().map(|(head, _)| head);
        heads.max_by_key(|head| (self.tracker.height_and_last(Some(*head)).0, *head))
    }

    /// A share that satisfies every rule on top of a known one (or begins a chain), unless its
    /// time does not; it is kept only if asked for.
    pub(crate) fn share(&mut self, parent: Option<ShareHash>, wall: UnixTime, keeps: bool) -> Made {
        let share = self.claim(parent, parent, wall);
        if keeps {
            self.learn(Arc::clone(&share));
        }
        share
    }

    /// A share with true proof of work on top of a share that nobody has.
    pub(crate) fn parentless(&mut self, parent: ShareHash, wall: UnixTime) -> Made {
        self.claim(None, Some(parent), wall)
    }

    fn claim(
        &mut self,
        known: Option<ShareHash>,
        parent: Option<ShareHash>,
        wall: UnixTime,
    ) -> Made {
        self.made += 1;
        let block = BlockTemplate {
            version: 0x2000_0000,
            previous_block: BlockHash::from_byte_array([1; 32]),
            transactions: Vec::new(),
            coinbase_value_sats: 5_000_000_000,
            coinbase_aux: Vec::new(),
            bits: self.bits,
            current_time: wall.to_u32(),
            min_time: 0,
            max_time: None,
            height: 100,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        let base = Arc::new(TemplateBase {
            sequence: 0,
            new_block: false,
            params: Arc::clone(&self.params),
            previous_share: parent,
            version: ShareVersion::V35,
            desired_version: 35,
            stale_info: StaleInfo::NONE,
            donation: 0,
            position: Position::above(&self.tracker, ShareVersion::V35, known),
            window: Arc::new(self.tracker.payout_window(known, self.bits)),
            segwit: block.segwit_data(),
            coinbase: vec![1, 100],
            block: Arc::new(block),
        });
        let template = share_template(&base, payout_address(900, &self.params), self.made, wall);
        let solution = solve(&template, u64::from(self.made) << 32, wall);
        Arc::new(template.share(&solution).expect("it meets its target"))
    }
}
