//! The payout window: who has how much weight in it.
//!
//! Source: protocol notes, sharechain.md section 6.5.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::{self, AddressError};
use crate::compact::Attempts;
use crate::forest::Forest;
use crate::hash::ShareHash;
use crate::params::AddressParams;

/// Weight of one expected hash without donation.
pub const WEIGHT_PER_HASH: u32 = 65_535;

/// A payee: the address text that shares carry, and the scripts that it stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct PayeeKey {
    text: Box<[u8]>,
    plain: Result<Vec<u8>, AddressError>,
    padded: Result<Vec<u8>, AddressError>,
}

impl PayeeKey {
    /// Decodes an address text.
    ///
    /// # Errors
    /// Texts that the network refuses.
    pub fn new(text: &[u8], params: &AddressParams) -> Result<Self, AddressError> {
        let decoded = address::decode(text, params)?;
        Ok(Self {
            text: text.into(),
            plain: address::script(&decoded, false),
            padded: address::script(&decoded, true),
        })
    }

    /// The text, byte for byte; two spellings are two payees.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The output script in shares that pad witness programs or not.
    ///
    /// # Errors
    /// Programs that such shares cannot pay.
    pub fn script(&self, pads: bool) -> Result<&[u8], AddressError> {
        let script = if pads { &self.padded } else { &self.plain };
        script.as_deref().map_err(|error| *error)
    }
}

/// Weights over a payout window. `total` is the sum of `weights` and the donation's weight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Weight by payee, none of them zero, in no particular order.
    pub weights: Vec<(Arc<PayeeKey>, Attempts)>,
    /// All weight, donations included.
    pub total: Attempts,
    /// Shares counted, the last perhaps in part.
    pub shares: u32,
}

impl Window {
    /// Weight given to the donation script.
    pub fn donation(&self) -> Attempts {
        self.weights.iter().fold(self.total, |rest, (_, weight)| rest.wrapping_sub(*weight))
    }
}

/// Number of a payee in a [`PayeeTable`].
pub(crate) type PayeeId = usize;

/// What the forest keeps with each share for payouts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stake {
    pub(crate) payee: PayeeId,
    pub(crate) donation: u16,
}

/// All payees of known shares, each once.
#[derive(Debug, Default)]
pub(crate) struct PayeeTable {
    ids: HashMap<Arc<[u8]>, PayeeId>,
    entries: Vec<Option<(Arc<PayeeKey>, u32)>>,
    free: Vec<PayeeId>,
}

impl PayeeTable {
    /// Counts one more share of this payee.
    pub(crate) fn add(
        &mut self,
        text: &[u8],
        params: &AddressParams,
    ) -> Result<PayeeId, AddressError> {
        if let Some(id) = self.ids.get(text) {
            if let Some(Some((_, uses))) = self.entries.get_mut(*id) {
                *uses = uses.saturating_add(1);
            }
            return Ok(*id);
        }
        let key = Arc::new(PayeeKey::new(text, params)?);
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len().saturating_sub(1)
        });
        self.ids.insert(text.into(), id);
        self.entries[id] = Some((key, 1));
        Ok(id)
    }

    /// Counts one share less, and forgets the payee with its last.
    pub(crate) fn remove(&mut self, id: PayeeId) {
        let Some(Some((key, uses))) = self.entries.get_mut(id) else { return };
        *uses = uses.saturating_sub(1);
        if *uses == 0 {
            self.ids.remove(key.text());
            self.entries[id] = None;
            self.free.push(id);
        }
    }

    pub(crate) fn key(&self, id: PayeeId) -> &Arc<PayeeKey> {
        &self.entries[id].as_ref().expect("payees in use are in the table").0
    }
}

/// Weights of a run of whole shares, moved along the chain as the window moves.
#[derive(Debug, Default)]
pub(crate) struct WindowCursor {
    start: Option<ShareHash>,
    count: u32,
    weights: Vec<Attempts>,
}

/// Most shares by which the cursor is moved, up and down each; farther away it starts afresh.
const MOVE_MAX: u32 = 512;

impl WindowCursor {
    /// Weights of the window that starts at `start`, has at most `shares_max` shares, and is cut
    /// where its work reaches `work_max`, in the middle of a share if need be.
    pub(crate) fn window(
        &mut self,
        forest: &Forest<Stake>,
        payees: &PayeeTable,
        start: Option<ShareHash>,
        shares_max: u32,
        work_max: Attempts,
    ) -> Window {
        if work_max.is_zero() {
            return Window::default();
        }
        let reach = forest.reach(start, |sum| sum.count <= shares_max && sum.work <= work_max);
        self.move_to(forest, start, reach.sum.count);
        let mut window = Window {
            weights: Vec::new(),
            total: reach.sum.work.wrapping_mul(Attempts::from(WEIGHT_PER_HASH)),
            shares: reach.sum.count,
        };
        let rest = work_max.saturating_sub(reach.sum.work);
        let cut = (reach.sum.count < shares_max && !rest.is_zero())
            .then(|| forest.chain(reach.next).next())
            .flatten();
        if cut.is_some() {
            window.total = work_max.wrapping_mul(Attempts::from(WEIGHT_PER_HASH));
            window.shares = window.shares.saturating_add(1);
        }
        let mut cut = cut.map(|record| (record.data.payee, stake_weight(rest, record.data)));
        for (id, whole) in self.weights.iter().enumerate() {
            let part = cut.take_if(|(payee, _)| *payee == id).map_or(Attempts::ZERO, |cut| cut.1);
            let weight = whole.wrapping_add(part);
            if !weight.is_zero() {
                window.weights.push((Arc::clone(payees.key(id)), weight));
            }
        }
        if let Some((id, weight)) = cut.filter(|(_, weight)| !weight.is_zero()) {
            window.weights.push((Arc::clone(payees.key(id)), weight));
        }
        window
    }

    /// To be called before `hash` leaves the forest.
    pub(crate) fn forget(&mut self, forest: &Forest<Stake>, hash: ShareHash) {
        let is_bottom_of_run = || {
            let reach = forest.reach(self.start, |sum| sum.count <= self.count);
            reach.next == forest.parent(hash).flatten()
        };
        if self.start == Some(hash) || is_bottom_of_run() {
            *self = Self::default();
        }
    }

    fn move_to(&mut self, forest: &Forest<Stake>, start: Option<ShareHash>, count: u32) {
        let meeting = self.start.and_then(|present| meeting(forest, present, start?));
        let Some((down, up)) = meeting.filter(|(down, _)| *down < self.count) else {
            self.start = start;
            self.count = count;
            self.weights.clear();
            self.add(forest, start, count);
            return;
        };
        self.subtract(forest, self.start, down);
        self.add(forest, start, up);
        let covered = self.count.saturating_sub(down).saturating_add(up);
        match covered.checked_sub(count) {
            Some(beyond) => self.subtract(forest, forest.nth_parent(start, count), beyond),
            None => {
                let missing = count.saturating_sub(covered);
                self.add(forest, forest.nth_parent(start, covered), missing);
            }
        }
        self.start = start;
        self.count = count;
    }

    fn add(&mut self, forest: &Forest<Stake>, from: Option<ShareHash>, count: u32) {
        for record in forest.chain(from).take(count as usize) {
            let id = record.data.payee;
            if self.weights.len() <= id {
                self.weights.resize(id.saturating_add(1), Attempts::ZERO);
            }
            self.weights[id] =
                self.weights[id].wrapping_add(stake_weight(record.delta.work, record.data));
        }
    }

    fn subtract(&mut self, forest: &Forest<Stake>, from: Option<ShareHash>, count: u32) {
        for record in forest.chain(from).take(count as usize) {
            let id = record.data.payee;
            self.weights[id] =
                self.weights[id].wrapping_sub(stake_weight(record.delta.work, record.data));
        }
    }
}

/// Steps down from `present` and from `wanted` to the first share that both chains have, if few.
fn meeting(forest: &Forest<Stake>, present: ShareHash, wanted: ShareHash) -> Option<(u32, u32)> {
    if forest.parent(wanted).flatten() == Some(present) {
        return Some((0, 1));
    }
    let (present_height, present_last) = forest.height_and_last(Some(present));
    let (wanted_height, wanted_last) = forest.height_and_last(Some(wanted));
    let down = present_height.saturating_sub(wanted_height);
    let up = wanted_height.saturating_sub(present_height);
    if present_last != wanted_last || down.max(up) > MOVE_MAX {
        return None;
    }
    let level = forest
        .chain(forest.nth_parent(Some(present), down))
        .zip(forest.chain(forest.nth_parent(Some(wanted), up)));
    let steps = (0..MOVE_MAX).zip(level).find(|(_, (a, b))| a.hash == b.hash)?.0;
    Some((down.saturating_add(steps), up.saturating_add(steps)))
}

fn stake_weight(work: Attempts, stake: &Stake) -> Attempts {
    let kept = WEIGHT_PER_HASH.saturating_sub(u32::from(stake.donation));
    work.wrapping_mul(Attempts::from(kept))
}

#[cfg(test)]
#[path = "payout/tests.rs"]
mod tests;
