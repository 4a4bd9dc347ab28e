//! All known shares, which of them are verified, and the contextual checks.
//!
//! Source: protocol notes, sharechain.md section 5, chain-selection.md sections 1 and 3.

use std::sync::Arc;

use crate::address::AddressError;
use crate::compact::{Attempts, CompactBits, attempts};
use crate::forest::{Delta, Forest, RemoveError, Sum};
use crate::generation::{self, Generation, Position};
use crate::hash::{Hash32, ShareHash};
use crate::merkle_link;
use crate::params::Params;
use crate::payout::{PayeeTable, Stake, Window, WindowCursor};
use crate::retarget::window_work;
use crate::share::{ShareInfo, TxRefs};
use crate::time::{MonoTime, UnixTime};
use crate::verify::{CheckedShare, ContextError, FUTURE_MAX};
use crate::versions::ShareVersion;

/// A known share with what this node knows about it.
#[derive(Clone, Debug)]
pub struct KnownShare {
    /// The share.
    pub share: Arc<CheckedShare>,
    /// When it was first seen; [`MonoTime::ZERO`] if it was loaded.
    pub seen: MonoTime,
    /// Who sent it, in the caller's numbering.
    pub sender: Option<u64>,
}

/// The share forest and its verified part.
#[derive(Debug)]
pub struct Tracker {
    params: Arc<Params>,
    forest: Forest<Stake>,
    shares: std::collections::HashMap<ShareHash, KnownShare>,
    verified: Forest<()>,
    payees: PayeeTable,
    cursor: WindowCursor,
    revision: u64,
}

impl Tracker {
    /// Knows nothing yet. `seed` shapes internal structures only.
    pub fn new(params: Arc<Params>, seed: u64) -> Self {
        Self {
            params,
            forest: Forest::new(seed),
            shares: std::collections::HashMap::new(),
            verified: Forest::new(seed),
            payees: PayeeTable::default(),
            cursor: WindowCursor::default(),
            revision: 0,
        }
    }

    /// The network's constants.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// Number of known shares.
    pub fn len(&self) -> usize {
        self.shares.len()
    }

    /// Whether no share is known.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }

    /// Changes whenever a share is added or removed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A known share.
    pub fn get(&self, hash: ShareHash) -> Option<&Arc<CheckedShare>> {
        self.shares.get(&hash).map(|known| &known.share)
    }

    /// A known share with what this node knows about it.
    pub fn known(&self, hash: ShareHash) -> Option<&KnownShare> {
        self.shares.get(&hash)
    }

    /// The links between all known shares.
    pub(crate) fn forest(&self) -> &Forest<Stake> {
        &self.forest
    }

    /// The links between verified shares.
    pub fn verified(&self) -> &Forest<()> {
        &self.verified
    }

    /// Whether the share has passed its contextual checks.
    pub fn is_verified(&self, hash: ShareHash) -> bool {
        self.verified.contains(hash)
    }

    /// Number of known shares from `hash` down, and the first unknown hash below.
    pub fn height_and_last(&self, hash: Option<ShareHash>) -> (u32, Option<ShareHash>) {
        self.forest.height_and_last(hash)
    }

    /// The chain from `hash` down.
    pub fn chain(&self, hash: Option<ShareHash>) -> impl Iterator<Item = &KnownShare> + '_ {
        self.forest.chain(hash).filter_map(|record| self.shares.get(&record.hash))
    }

    /// Known shares whose parent is `parent`, which itself need not be known.
    pub fn children(&self, parent: Option<ShareHash>) -> Vec<ShareHash> {
        self.forest.children(parent)
    }

    /// The ancestor `n` steps below, at most the first unknown hash of the chain.
    pub fn nth_parent(&self, hash: Option<ShareHash>, n: u32) -> Option<ShareHash> {
        self.forest.nth_parent(hash, n)
    }

    /// Sums over all known shares from `hash` down.
    pub fn total(&self, hash: Option<ShareHash>) -> Sum {
        self.forest.total(hash)
    }

    /// Sums over the first `n` shares from `hash` down (fewer if the chain is shorter).
    pub fn sum_of(&self, hash: Option<ShareHash>, n: u32) -> Sum {
        self.forest.sum_of(hash, n)
    }

    /// Whether `ancestor` is `hash` itself or below it.
    pub fn is_ancestor(&self, ancestor: ShareHash, hash: ShareHash) -> bool {
        self.forest.is_ancestor(ancestor, hash)
    }

    /// Known shares without known children, each with its tail.
    pub fn heads(&self) -> impl Iterator<Item = (ShareHash, Option<ShareHash>)> + '_ {
        self.forest.heads().iter().map(|(head, tail)| (*head, *tail))
    }

    /// Adds a share; `false` if it is already known.
    ///
    /// # Errors
    /// A payee that cannot be decoded, which a [`CheckedShare`] of the same network never has.
    pub fn insert(&mut self, known: KnownShare) -> Result<bool, AddressError> {
        let share = &known.share;
        let hash = share.hash();
        if self.forest.contains(hash) {
            return Ok(false);
        }
        let payee = self.payees.add(share.payee(), &self.params.addresses)?;
        let info = &share.share().info;
        let stake = Stake { payee, donation: info.data.donation };
        self.forest.insert(hash, share.share().parent(), delta(share), stake);
        self.shares.insert(hash, known);
        self.revision = self.revision.wrapping_add(1);
        Ok(true)
    }

    /// Removes a share at either end of its chain, from the verified ones too.
    ///
    /// # Errors
    /// Unknown and interior shares stay.
    pub fn remove(&mut self, hash: ShareHash) -> Result<(), RemoveError> {
        if self.forest.contains(hash) {
            self.cursor.forget(&self.forest, hash);
        }
        let stake = self.forest.remove(hash)?;
        self.payees.remove(stake.payee);
        self.shares.remove(&hash);
        self.revision = self.revision.wrapping_add(1);
        if self.verified.contains(hash) {
            self.verified.remove(hash)?;
        }
        Ok(())
    }

    /// Whether enough history is known below the share to check it.
    pub fn can_judge(&self, hash: ShareHash) -> bool {
        let (height, last) = self.forest.height_and_last(Some(hash));
        last.is_none() || height > self.params.chain_length
    }

    /// Takes a share as verified without checking it (it was, before it was stored).
    pub fn mark_verified(&mut self, hash: ShareHash) {
        if let Some(known) = self.shares.get(&hash) {
            let share = &known.share;
            self.verified.insert(hash, share.share().parent(), delta(share), ());
        }
    }

    /// Runs the contextual checks on a share; success makes it verified.
    ///
    /// # Errors
    /// [`ContextError`]; the share stays known and unverified.
    pub fn verify(&mut self, hash: ShareHash, now: UnixTime) -> Result<(), ContextError> {
        if self.verified.contains(hash) {
            return Ok(());
        }
        let checked = Arc::clone(self.get(hash).ok_or(ContextError::Unknown)?);
        if !self.can_judge(hash) {
            return Err(ContextError::NoHistory);
        }
        let share = checked.share();
        let info = &share.info;
        if u64::from(info.timestamp) > now.0.saturating_add(FUTURE_MAX) {
            return Err(ContextError::Future(info.timestamp));
        }
        self.check_version(share.version, share.parent())?;
        let position = Position::above(self, share.version, share.parent());
        let rebuilt = position.share_info(
            info.data.clone(),
            info.segwit.clone(),
            info.tx_refs.clone(),
            info.timestamp,
            checked.target(),
        );
        compare(&rebuilt, info)?;
        if let Some(refs) = &info.tx_refs {
            self.check_tx_refs(share.parent(), refs, &share.merkle_branch)?;
        }
        let generation = self.generation_of(&checked)?;
        if generation.txid(share.last_txout_nonce.to_le_bytes()) != *checked.txid() {
            return Err(ContextError::Generation);
        }
        self.mark_verified(hash);
        Ok(())
    }

    /// The generation transaction that the chain demands of a share, nonce bytes zero.
    ///
    /// # Errors
    /// A payee in the window that shares of this type cannot pay.
    pub fn generation_of(&mut self, checked: &CheckedShare) -> Result<Generation, AddressError> {
        let share = checked.share();
        let window = self.payout_window(share.parent(), share.header.bits);
        generation::generate(
            &self.params,
            share.version,
            &share.info,
            &window,
            &share.ref_merkle_branch,
        )
    }

    /// The payout window of a share on top of `parent`: it starts at the grandparent.
    pub fn payout_window(&mut self, parent: Option<ShareHash>, block_bits: CompactBits) -> Window {
        let (height, _) = self.forest.height_and_last(parent);
        let start = parent.and_then(|hash| self.forest.parent(hash)).flatten();
        let shares_max = height.min(self.params.real_chain_length).saturating_sub(1);
        self.window_from(start, shares_max, window_work(&self.params, block_bits))
    }

    /// The window as the next blocks would pay it, starting at the best share itself.
    ///
    /// Source: protocol notes, chain-selection.md section 9.
    pub fn expected_window(&mut self, best: Option<ShareHash>, block_bits: CompactBits) -> Window {
        let (height, _) = self.forest.height_and_last(best);
        let shares_max = height.min(self.params.real_chain_length);
        self.window_from(best, shares_max, window_work(&self.params, block_bits))
    }

    /// Weights of at most `shares_max` shares from `start` down, cut at `work_max`.
    pub fn window_from(
        &mut self,
        start: Option<ShareHash>,
        shares_max: u32,
        work_max: Attempts,
    ) -> Window {
        self.cursor.window(&self.forest, &self.payees, start, shares_max, work_max)
    }

    /// Work voting for each share type over `shares` shares from `from` down.
    pub fn votes(
        &self,
        from: Option<ShareHash>,
        shares: u32,
    ) -> std::collections::BTreeMap<u64, Attempts> {
        let mut votes = std::collections::BTreeMap::new();
        for record in self.forest.chain(from).take(shares as usize) {
            let Some(share) = self.get(record.hash) else { break };
            let vote = share.share().info.data.desired_version;
            let sum: &mut Attempts = votes.entry(vote).or_default();
            *sum = sum.wrapping_add(record.delta.work);
        }
        votes
    }

    /// Votes in the window that decides about the type of a share on top of `parent`; `None`
    /// while the chain is too short. Source: protocol notes, sharechain.md section 8.
    pub fn deciding_votes(
        &self,
        parent: Option<ShareHash>,
    ) -> Option<std::collections::BTreeMap<u64, Attempts>> {
        let length = self.params.chain_length;
        let (height, _) = self.forest.height_and_last(parent);
        (height >= length).then(|| {
            let from = self.forest.nth_parent(parent, length.saturating_mul(9) / 10);
            self.votes(from, length / 10)
        })
    }

    fn check_version(
        &self,
        version: ShareVersion,
        parent: Option<ShareHash>,
    ) -> Result<(), ContextError> {
        let Some(parent_version) =
            parent.and_then(|hash| self.get(hash)).map(|share| share.share().version)
        else {
            return Ok(());
        };
        if version == parent_version {
            return Ok(());
        }
        let follows = parent_version.successor() == Some(version);
        match self.deciding_votes(parent) {
            None if follows => Err(ContextError::Version),
            None => Ok(()),
            Some(votes) if follows => {
                let sum = votes.values().fold(Attempts::ZERO, |sum, vote| sum.wrapping_add(*vote));
                let needed = sum.wrapping_mul(Attempts::from(60)).wrapping_div(Attempts::from(100));
                let votes = votes.get(&version.number()).copied().unwrap_or_default();
                if votes < needed { Err(ContextError::Version) } else { Ok(()) }
            }
            Some(_) => Err(ContextError::Version),
        }
    }

    /// The referenced transactions must give the share's merkle branch.
    fn check_tx_refs(
        &self,
        parent: Option<ShareHash>,
        refs: &TxRefs,
        merkle_branch: &[Hash32],
    ) -> Result<(), ContextError> {
        match self.referenced_transactions(parent, refs) {
            Some(hashes) if merkle_link::branch_of_first(&hashes) == merkle_branch => Ok(()),
            _ => Err(ContextError::TxRefs),
        }
    }

    /// The transactions that a share on top of `parent` refers to, in block order; `None` if a
    /// reference leads nowhere.
    pub(crate) fn referenced_transactions(
        &self,
        parent: Option<ShareHash>,
        refs: &TxRefs,
    ) -> Option<Vec<Hash32>> {
        let resolve = |(generations, index): &(u64, u64)| {
            let index = usize::try_from(*index).ok()?;
            let Some(steps) = generations.checked_sub(1) else {
                return refs.new_hashes.get(index).copied();
            };
            let ancestor = self.forest.nth_parent(parent, u32::try_from(steps).ok()?)?;
            let refs = self.get(ancestor)?.share().info.tx_refs.as_ref()?;
            refs.new_hashes.get(index).copied()
        };
        refs.refs.iter().map(resolve).collect()
    }
}

fn delta(share: &CheckedShare) -> Delta {
    Delta { work: attempts(share.target()), min_work: share.share().info.max_bits.attempts() }
}

/// Names the first field that the chain would have made different.
fn compare(rebuilt: &ShareInfo, claimed: &ShareInfo) -> Result<(), ContextError> {
    let field = if rebuilt.far_share != claimed.far_share {
        "far_share_hash"
    } else if rebuilt.max_bits != claimed.max_bits {
        "max_bits"
    } else if rebuilt.bits != claimed.bits {
        "bits"
    } else if rebuilt.timestamp != claimed.timestamp {
        "timestamp"
    } else if rebuilt.abs_height != claimed.abs_height {
        "absheight"
    } else if rebuilt.abs_work != claimed.abs_work {
        "abswork"
    } else {
        return Ok(());
    };
    Err(ContextError::Field(field))
}

#[cfg(test)]
#[path = "tracker/tests.rs"]
mod tests;
