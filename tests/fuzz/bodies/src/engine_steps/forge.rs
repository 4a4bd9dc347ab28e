//! Makes shares for the rest of the pool to send: good ones by all rules, and spoilt ones.

use std::sync::{Arc, OnceLock};

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network};
use p2pool_sharechain::generation::{Position, Window};
use p2pool_sharechain::params::AddressParams;
use p2pool_sharechain::share::{Payee, StaleInfo};
use p2pool_sharechain::template::{BlockTemplate, MinerTerms, Solution, TemplateBase};
use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{
    Attempts, CheckedShare, CompactBits, Params, Share, ShareHash, Tracker, U256, address,
};

use crate::choices::Choices;

/// Time of the first share of the common history.
pub(super) const START: u32 = 1_700_000_000;
/// Shares of the common history, enough to be pruned.
pub(super) const HISTORY_SHARES: u32 = 270;
/// Seconds between them.
pub(super) const HISTORY_PACE: u32 = 30;
/// Hashes tried for one share.
const HASHES_MAX: u32 = 20_000;
/// A Bitcoin target that no share here meets.
pub(super) const HARD_BITS: CompactBits = CompactBits(0x1b00_ffff);
/// A Bitcoin target that every second hash meets.
pub(super) const EASY_BITS: CompactBits = CompactBits(0x207f_ffff);

/// Payees of all kinds: the first is the node's own, the last is the donation's key.
pub(super) const PAYEES: usize = 8;

/// Small numbers, so that chains are long after few shares; easy targets; all other rules.
pub(super) fn params(needs_peers: bool) -> Params {
    Params {
        name: "fuzz".into(),
        chain_length: 120,
        real_chain_length: 120,
        target_lookbehind: 50,
        min_target: (U256::from(1) << 250) - U256::from(1),
        needs_peers,
        addresses: AddressParams::of(Network::Regtest),
        ..Params::regtest()
    }
}

/// The address text of a payee, by number.
pub(super) fn payee(number: usize, params: &Params) -> Vec<u8> {
    let number = number % PAYEES;
    // Not below 16: the chain cannot pay programs whose number has an odd count of digits.
    let byte = u8::try_from(number).expect("below eight") + 0xa0;
    let witness = |length: usize| {
        let mut script = vec![0, u8::try_from(length).expect("short")];
        script.resize(2 + length, byte);
        address::of_script(&script, true, &params.addresses).expect("a plain program")
    };
    match number {
        0..=2 => address::p2pkh_text(&[byte; 20], &params.addresses).into_bytes(),
        3 => {
            let script = [&[0xa9, 0x14], [byte; 20].as_slice(), &[0x87]].concat();
            address::of_script(&script, true, &params.addresses).expect("a plain script").into()
        }
        4 => witness(20).into_bytes(),
        5 => witness(32).into_bytes(),
        // A payee of its own, though it pays the same script.
        6 => witness(20).to_uppercase().into_bytes(),
        _ => params.donation_key().to_vec(),
    }
}

/// What a share's maker chooses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) payee: usize,
    pub(super) timestamp: u32,
    /// Times harder than the easiest target allowed, up to 30.
    pub(super) harder: u64,
    pub(super) bits: CompactBits,
    pub(super) block: [u8; 32],
    pub(super) stale_info: StaleInfo,
    pub(super) donation: u16,
    pub(super) version: ShareVersion,
    pub(super) desired_version: u64,
    pub(super) subsidy_sats: u64,
}

/// A share with what its maker knows about it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) share: Arc<CheckedShare>,
    /// It and all shares below it satisfy every rule, seen from the moment it was made.
    pub(super) is_good: bool,
}

/// Makes shares and knows all that it made.
#[derive(Debug)]
pub(super) struct Forge {
    params: Arc<Params>,
    tracker: Tracker,
    made: Vec<Made>,
    next_nonce: u32,
}

impl Forge {
    /// Knows the common history.
    pub(super) fn new(params: &Arc<Params>) -> Self {
        let mut forge = Self::empty(params);
        for share in history() {
            let made = Made { share: Arc::clone(share), is_good: true };
            forge.keep(made);
            forge.tracker.mark_verified(share.hash());
        }
        forge
    }

    fn empty(params: &Arc<Params>) -> Self {
        let tracker = Tracker::new(Arc::clone(params), 1);
        Self { params: Arc::clone(params), tracker, made: Vec::new(), next_nonce: 0 }
    }

    /// All shares, oldest first, the common history in front.
    pub(super) fn made(&self) -> &[Made] {
        &self.made
    }

    /// A share by its hash.
    pub(super) fn get(&self, hash: ShareHash) -> Option<&Arc<CheckedShare>> {
        self.tracker.get(hash)
    }

    /// Whether a share is known here to be good.
    pub(super) fn is_good(&self, hash: ShareHash) -> bool {
        self.tracker.is_verified(hash)
    }

    /// What an honest node that knows everything answers to a question.
    pub(super) fn answer(
        &self,
        hash: ShareHash,
        parents: u64,
        stops: &[ShareHash],
    ) -> Vec<Arc<CheckedShare>> {
        let count = usize::try_from(parents).unwrap_or(usize::MAX).saturating_add(1);
        let chain = self.tracker.chain(Some(hash)).take(count.min(1001));
        let wanted = chain.take_while(|known| !stops.contains(&known.share.hash()));
        wanted.map(|known| Arc::clone(&known.share)).collect()
    }

    /// Good shares from `hash` down, and their work.
    pub(super) fn height_and_work(&self, hash: ShareHash) -> (u32, Attempts) {
        let good = self.tracker.verified();
        (good.height_and_last(Some(hash)).0, good.total(Some(hash)).work)
    }

    /// What the next share on top of `parent` has to say and to pay.
    pub(super) fn work_above(
        &mut self,
        parent: Option<ShareHash>,
        version: ShareVersion,
        bits: CompactBits,
    ) -> (Position, Window) {
        let position = Position::above(&self.tracker, version, parent);
        (position, self.tracker.payout_window(parent, bits))
    }

    /// Takes a share that somebody else made.
    pub(super) fn learn(&mut self, share: &Arc<CheckedShare>, now: UnixTime) {
        self.judge_and_keep(Arc::clone(share), now);
    }

    /// A share on top of `parent` by all rules, unless its terms break one; `None` if the search
    /// takes too long or the terms cannot be met.
    pub(super) fn share(
        &mut self,
        parent: Option<ShareHash>,
        terms: &Terms,
        now: UnixTime,
    ) -> Option<Made> {
        let base = Arc::new(self.base(parent, terms));
        self.next_nonce += 1;
        let miner = MinerTerms {
            payout_address: payee(terms.payee, &self.params),
            wanted_target: base.position.easiest_target / U256::from(terms.harder.max(1)),
            nonce: self.next_nonce,
            timestamp: terms.timestamp,
        };
        let template = base.for_miner(&miner).ok()?;
        let target = template.share_target();
        let mut solution = Solution {
            version: template.header_version(),
            coinbase_nonce: u64::from(self.next_nonce).to_le_bytes(),
            time: terms.timestamp,
            nonce: 0,
        };
        solution.nonce = search(template.header(&solution), target)?;
        let share = template.share(&solution).expect("it meets its target");
        Some(self.judge_and_keep(Arc::new(share), now))
    }

    /// A copy of a share with one thing changed, and its proof of work done again.
    pub(super) fn spoilt(
        &mut self,
        share: &CheckedShare,
        choices: &mut Choices<'_>,
        now: UnixTime,
    ) -> Option<Made> {
        let mut share = share.share().clone();
        spoil(&mut share, choices);
        let first = share.header.nonce;
        let checked = (0..600).find_map(|step| {
            share.header.nonce = first.wrapping_add(step);
            CheckedShare::check(share.clone(), &self.params).ok()
        })?;
        Some(self.judge_and_keep(Arc::new(checked), now))
    }

    fn judge_and_keep(&mut self, share: Arc<CheckedShare>, now: UnixTime) -> Made {
        let hash = share.hash();
        if self.tracker.get(hash).is_some() {
            return Made { share, is_good: self.is_good(hash) };
        }
        let parent = share.share().parent();
        self.keep(Made { share, is_good: false });
        let is_founded = parent.is_none_or(|parent| self.is_good(parent));
        let is_good = is_founded && self.tracker.verify(hash, now).is_ok();
        let made = self.made.last_mut().expect("one was just added");
        made.is_good = is_good;
        made.clone()
    }

    fn keep(&mut self, made: Made) {
        let share = Arc::clone(&made.share);
        let known = KnownShare { share, seen: MonoTime::ZERO, sender: None };
        self.tracker.insert(known).expect("checked shares have payees");
        self.made.push(made);
    }

    fn base(&mut self, parent: Option<ShareHash>, terms: &Terms) -> TemplateBase {
        let block = BlockTemplate {
            version: 0x2000_0000,
            previous_block: BlockHash::from_byte_array(terms.block),
            transactions: Vec::new(),
            coinbase_value_sats: terms.subsidy_sats,
            coinbase_aux: Vec::new(),
            bits: terms.bits,
            current_time: terms.timestamp,
            min_time: 0,
            max_time: None,
            height: 1,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        TemplateBase {
            sequence: 0,
            new_block: false,
            params: Arc::clone(&self.params),
            previous_share: parent,
            version: terms.version,
            desired_version: terms.desired_version,
            stale_info: terms.stale_info,
            donation: terms.donation,
            position: Position::above(&self.tracker, terms.version, parent),
            window: Arc::new(self.tracker.payout_window(parent, terms.bits)),
            segwit: block.segwit_data(),
            coinbase: vec![1, 1],
            block: Arc::new(block),
        }
    }
}

/// A nonce with which the header meets the target, if one is near.
pub(super) fn search(mut header: [u8; 80], target: U256) -> Option<u32> {
    (0..HASHES_MAX).find(|nonce| {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        ShareHash::of_header(&header).to_uint() <= target
    })
}

/// Changes one field; a hash never to zero, which stands for none.
fn spoil(share: &mut Share, choices: &mut Choices<'_>) {
    let by = u32::from(choices.u8()) + 1;
    let info = &mut share.info;
    match choices.below(18) {
        0 => info.abs_height = info.abs_height.wrapping_add(by),
        1 => info.abs_work = info.abs_work.wrapping_add(u128::from(by)),
        2 => info.timestamp = info.timestamp.wrapping_add(by),
        3 => info.timestamp = info.timestamp.wrapping_sub(by),
        4 => info.far_share = Some(ShareHash::from_internal([choices.u8() | 1; 32])),
        5 => info.far_share = None,
        6 => info.max_bits = CompactBits(info.max_bits.0.wrapping_sub(by)),
        7 => info.bits = CompactBits(info.bits.0.wrapping_sub(by)),
        8 => info.data.subsidy_sats = choices.u64(),
        9 => info.data.donation = info.data.donation.wrapping_add(choices.u16() | 1),
        10 => info.data.previous_share = Some(ShareHash::from_internal([choices.u8() | 1; 32])),
        11 => info.data.previous_share = None,
        12 => info.data.coinbase = choices.slice(100).to_vec(),
        13 => info.data.payee = Payee::Address(choices.slice(40).to_vec()),
        14 => share.hash_link.length = share.hash_link.length.wrapping_add(64 * u64::from(by)),
        15 => share.ref_merkle_branch.push([choices.u8(); 32]),
        // Neither checked nor committed to: the share stays as good as it was.
        16 => share.merkle_branch.push([choices.u8(); 32]),
        _ => share.last_txout_nonce ^= u64::from(by),
    }
}

/// The history that every run has in common, made once.
fn history() -> &'static [Arc<CheckedShare>] {
    static HISTORY: OnceLock<Vec<Arc<CheckedShare>>> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut forge = Forge::empty(&Arc::new(params(false)));
        let mut parent = None;
        for number in 0..HISTORY_SHARES {
            let terms = Terms {
                payee: usize::try_from(number % 7).expect("small"),
                timestamp: START + number * HISTORY_PACE,
                harder: 1 + u64::from(number % 3),
                bits: HARD_BITS,
                block: [1 + u8::try_from(number / 40).expect("small"); 32],
                stale_info: StaleInfo::NONE,
                donation: if number % 5 == 0 { 655 } else { 0 },
                version: ShareVersion::V35,
                desired_version: 35,
                subsidy_sats: 5_000_000_000,
            };
            let made = forge.share(parent, &terms, UnixTime(u64::from(u32::MAX)));
            let made = made.expect("targets are easy");
            assert!(made.is_good, "the history is good");
            parent = Some(made.share.hash());
        }
        forge.made.into_iter().map(|made| made.share).collect()
    })
}
