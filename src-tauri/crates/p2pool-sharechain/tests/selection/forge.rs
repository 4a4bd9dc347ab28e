//! Makes valid shares: everything that the share chain's rules fix is right, the rest is asked for.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_sharechain::address::p2pkh_text;
use p2pool_sharechain::best::{BlockHeights, Choice, Progress, Selector};
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, MinerTerms, Solution, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{
    CheckedShare, CompactBits, Hash32, Params, Share, ShareHash, Tracker, U256,
};

/// Time of the first share of each chain.
pub(crate) const START: u32 = 1_700_000_000;
/// A Bitcoin target that no share here meets.
pub(crate) const HARD_BITS: CompactBits = CompactBits(0x170b_3ce9);
/// A Bitcoin target that every share here meets.
pub(crate) const EASY_BITS: CompactBits = CompactBits(0x207f_ffff);

/// What a share's maker chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) payee: u8,
    /// Seconds after the parent's time.
    pub(crate) pause: u32,
    /// Times harder than the easiest target allowed, up to 30.
    pub(crate) harder: u64,
    pub(crate) bits: CompactBits,
    pub(crate) block: Hash32,
    pub(crate) stale_info: StaleInfo,
    pub(crate) donation: u16,
    pub(crate) desired_version: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            payee: 1,
            pause: 30,
            harder: 1,
            bits: HARD_BITS,
            block: [7; 32],
            stale_info: StaleInfo::NONE,
            donation: 0,
            desired_version: 35,
        }
    }
}

/// Small numbers, so that chains are long after few shares; easy targets; all other rules.
pub(crate) fn params() -> Arc<Params> {
    Arc::new(Params {
        chain_length: 120,
        real_chain_length: 120,
        target_lookbehind: 50,
        ..Params::regtest()
    })
}

/// Makes shares and knows all that it made.
pub(crate) struct Forge {
    pub(crate) tracker: Tracker,
    made: u32,
}

impl Forge {
    pub(crate) fn new(params: &Arc<Params>) -> Self {
        Self { tracker: Tracker::new(Arc::clone(params), 1), made: 0 }
    }

    /// A valid share on top of `parent`, no two of them the same.
    pub(crate) fn share(&mut self, parent: Option<ShareHash>, terms: Terms) -> Arc<CheckedShare> {
        let base = self.base(parent, terms);
        let parent_time = parent
            .and_then(|hash| self.tracker.get(hash))
            .map(|share| share.share().info.timestamp);
        let easiest = base.position.easiest_target;
        self.made += 1;
        let miner = MinerTerms {
            payout_address: p2pkh_text(&[terms.payee; 20], &base.params.addresses).into_bytes(),
            wanted_target: easiest / U256::from(terms.harder),
            nonce: self.made,
            timestamp: parent_time.map_or(START, |time| time + terms.pause),
        };
        let template = Arc::new(base).for_miner(&miner).expect("an address of the network");
        let mut solution = Solution {
            version: template.header_version(),
            coinbase_nonce: [0; 8],
            time: START,
            nonce: 0,
        };
        while !template.grade(&solution).is_share {
            solution.nonce += 1;
        }
        let share = Arc::new(template.share(&solution).expect("graded as a share"));
        self.keep(&share);
        share
    }

    /// A share on top of `parent` that fails its checks, and nothing but these tells.
    pub(crate) fn invalid_share(
        &mut self,
        parent: Option<ShareHash>,
        terms: Terms,
    ) -> Arc<CheckedShare> {
        let mut share: Share = self.share(parent, terms).share().clone();
        share.info.abs_height += 5;
        let params = Arc::clone(self.tracker.params());
        let share = loop {
            share.header.nonce += 1;
            if let Ok(share) = CheckedShare::check(share.clone(), &params) {
                break Arc::new(share);
            }
        };
        self.keep(&share);
        share
    }

    /// Valid shares on top of each other.
    pub(crate) fn chain(
        &mut self,
        parent: Option<ShareHash>,
        count: usize,
        terms: Terms,
    ) -> Vec<Arc<CheckedShare>> {
        let mut parent = parent;
        let next = || {
            let share = self.share(parent, terms);
            parent = Some(share.hash());
            share
        };
        core::iter::repeat_with(next).take(count).collect()
    }

    fn keep(&mut self, share: &Arc<CheckedShare>) {
        let known = KnownShare { share: Arc::clone(share), seen: MonoTime::ZERO, sender: None };
        assert_eq!(self.tracker.insert(known), Ok(true));
    }

    fn base(&mut self, parent: Option<ShareHash>, terms: Terms) -> TemplateBase {
        let block = BlockTemplate {
            version: 0x2000_0000,
            previous_block: BlockHash::from_byte_array(terms.block),
            transactions: Vec::new(),
            coinbase_value_sats: 5_000_000_000,
            coinbase_aux: Vec::new(),
            bits: terms.bits,
            current_time: START,
            min_time: START,
            max_time: None,
            height: 1,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        TemplateBase {
            sequence: 0,
            new_block: false,
            params: Arc::clone(self.tracker.params()),
            previous_share: parent,
            version: ShareVersion::V35,
            desired_version: terms.desired_version,
            stale_info: terms.stale_info,
            donation: terms.donation,
            position: Position::above(&self.tracker, ShareVersion::V35, parent),
            window: Arc::new(self.tracker.payout_window(parent, terms.bits)),
            segwit: block.segwit_data(),
            coinbase: vec![1, 1],
            block: Arc::new(block),
        }
    }
}

/// A moment: seconds on both clocks, wall time well after any share made here.
pub(crate) fn at(seconds: u64) -> Now {
    let mono = MonoTime(core::time::Duration::from_secs(seconds));
    Now { wall: UnixTime(u64::from(START) + 1_000_000 + seconds), mono }
}

/// Adds a share as if it had just arrived; `false` if it was known.
pub(crate) fn add(tracker: &mut Tracker, share: &Arc<CheckedShare>, now: Now, sender: u64) -> bool {
    let known = KnownShare { share: Arc::clone(share), seen: now.mono, sender: Some(sender) };
    tracker.insert(known).expect("its payee was decoded before")
}

/// Runs selection to its end, `slice` verifications at a time.
pub(crate) fn choose(
    selector: &mut Selector,
    tracker: &mut Tracker,
    heights: &BlockHeights,
    now: Now,
    slice: usize,
) -> Choice {
    loop {
        if let Progress::Done(choice) = selector.step(tracker, now, heights, slice) {
            return choice;
        }
    }
}
