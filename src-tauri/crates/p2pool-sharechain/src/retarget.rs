//! Where the next share stands: its targets, times, heights and far ancestor.
//!
//! Source: protocol notes, sharechain.md sections 6.1 to 6.3.

use ruint::aliases::U256;

use crate::compact::{Attempts, CompactBits, attempts, two_256};
use crate::hash::ShareHash;
use crate::params::Params;
use crate::share::{SegwitData, ShareData, ShareInfo, TxRefs};
use crate::tracker::Tracker;
use crate::versions::ShareVersion;

/// Distance from the parent to the far share.
const FAR_SHARE_DISTANCE: u32 = 99;
/// A share may be at most this many times harder than the easiest allowed.
const HARDER_MAX: u64 = 30;
const TEN: Attempts = Attempts::from_limbs([10, 0, 0, 0, 0, 0]);

/// All fields of the next share that follow from its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Easiest target allowed, before it is brought into compact form.
    pub easiest_target: U256,
    /// Easiest target allowed.
    pub max_bits: CompactBits,
    /// The 100th ancestor.
    pub far_share: Option<ShareHash>,
    /// Shares since the chain's first.
    pub abs_height: u32,
    /// The parent's work since the chain's first share.
    pub parent_abs_work: u128,
    /// Lowest and highest share timestamp.
    pub timestamps: (u32, u32),
}

impl Position {
    /// The position of a share of type `version` on top of `parent`.
    ///
    /// The chain below `parent` must be complete, or long enough to judge (see
    /// [`Tracker::can_judge`]).
    pub fn above(tracker: &Tracker, version: ShareVersion, parent: Option<ShareHash>) -> Self {
        let params = tracker.params();
        let (height, last) = tracker.forest().height_and_last(parent);
        let parent_info =
            parent.and_then(|hash| tracker.get(hash)).map(|share| &share.share().info);
        let easiest_target =
            Retarget::above(tracker, parent).map_or(params.max_target, |steps| steps.easiest);
        let far_share = if last.is_none() && height < FAR_SHARE_DISTANCE {
            None
        } else {
            tracker.forest().nth_parent(parent, FAR_SHARE_DISTANCE)
        };
        let timestamps = parent_info.map_or((0, u32::MAX), |info| {
            let earliest = info.timestamp.saturating_add(1);
            let longest = params.share_period.saturating_mul(2).saturating_sub(1);
            let latest = info.timestamp.saturating_add(longest);
            (earliest, if version.clips_timestamp() { latest } else { u32::MAX })
        });
        Self {
            easiest_target,
            max_bits: CompactBits::from_target(easiest_target),
            far_share,
            abs_height: parent_info.map_or(1, |info| info.abs_height.wrapping_add(1)),
            parent_abs_work: parent_info.map_or(0, |info| info.abs_work),
            timestamps,
        }
    }

    /// The share's fields, given what its maker chose.
    pub fn share_info(
        &self,
        data: ShareData,
        segwit: Option<SegwitData>,
        tx_refs: Option<TxRefs>,
        wanted_timestamp: u32,
        wanted_target: U256,
    ) -> ShareInfo {
        let hardest = self.easiest_target.wrapping_div(U256::from(HARDER_MAX));
        let bits = CompactBits::from_target(clip(wanted_target, hardest, self.easiest_target));
        // The low 128 bits: the sum wraps there by rule.
        let work: u128 = bits.attempts().wrapping_to();
        ShareInfo {
            data,
            segwit,
            tx_refs,
            far_share: self.far_share,
            max_bits: self.max_bits,
            bits,
            timestamp: clip(wanted_timestamp, self.timestamps.0, self.timestamps.1),
            abs_height: self.abs_height,
            abs_work: self.parent_abs_work.wrapping_add(work),
        }
    }
}

/// `low` below, `high` above, in this order of questions.
fn clip<T: PartialOrd>(value: T, low: T, high: T) -> T {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

/// How the easiest target for a share follows from its parent, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retarget {
    /// The pool's hashes per second, rounded down.
    pub attempts_per_second: Attempts,
    /// Target at which that rate makes one share per period.
    pub wanted: U256,
    /// The same, at most a tenth away from the parent's easiest target.
    pub stepped: U256,
    /// The same, within the network's limits.
    pub easiest: U256,
}

impl Retarget {
    /// The steps above `parent`; `None` while the chain is shorter than the lookbehind, when the
    /// network's easiest target holds.
    pub fn above(tracker: &Tracker, parent: Option<ShareHash>) -> Option<Self> {
        let params = tracker.params();
        let (height, _) = tracker.forest().height_and_last(parent);
        let parent_share = parent.and_then(|hash| tracker.get(hash))?;
        if height < params.target_lookbehind {
            return None;
        }
        let rate = tracker.attempts_per_second(parent, params.target_lookbehind)?;
        let per_share = rate.wrapping_mul(Attempts::from(params.share_period));
        // Zero less one would be clipped up just as zero is.
        let wanted = two_256()
            .checked_div(per_share)
            .map_or(U256::MAX, |quotient| quotient.saturating_sub(Attempts::from(1)).to());
        let before = Attempts::from(parent_share.share().info.max_bits.target_saturating());
        let tenths = |count: u64| before.wrapping_mul(Attempts::from(count)).wrapping_div(TEN);
        let (low, high) = (tenths(9), tenths(11));
        let stepped: U256 = clip(Attempts::from(wanted), low, high).saturating_to();
        let easiest = clip(stepped, params.min_target, params.max_target);
        Some(Self { attempts_per_second: rate, wanted, stepped, easiest })
    }
}

impl Tracker {
    /// Hashes per second of the pool over `distance` shares from `from` down, rounded down,
    /// counted by the easiest targets; `None` if the chain is shorter.
    pub fn attempts_per_second(&self, from: Option<ShareHash>, distance: u32) -> Option<Attempts> {
        let steps = distance.checked_sub(1)?;
        let far = self.get(self.forest().nth_parent(from, steps)?)?;
        let near = self.get(from?)?;
        let sum = self.forest().sum_of(from, steps).min_work;
        let near_time = near.share().info.timestamp;
        let seconds = near_time.saturating_sub(far.share().info.timestamp).max(1);
        sum.checked_div(Attempts::from(seconds))
    }
}

/// Share of the block reward's expected work: hashes to find a block, times the spread.
pub(crate) fn window_work(params: &Params, block_bits: CompactBits) -> Attempts {
    block_bits.target().map_or(Attempts::ZERO, attempts).wrapping_mul(Attempts::from(params.spread))
}
