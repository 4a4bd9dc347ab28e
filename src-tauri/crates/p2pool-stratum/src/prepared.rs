//! Work that many connections mine on: made and written out once.
//!
//! All connections on the same terms differ in their extranonce only, so that they can share one
//! share template and the bytes that tell of it. A thousand miners then cost a thousand writes,
//! not a thousand generation transactions.

use std::sync::{Arc, OnceLock};

use p2pool_sharechain::address::AddressError;
use p2pool_sharechain::template::{MinerTerms, ShareTemplate, TemplateBase};
use p2pool_sharechain::time::Now;
use p2pool_sharechain::{U256, compact};

use crate::job::Job;

/// Pieces of work on one base and one set of terms. Each connection takes the first for its first
/// job; the others are for those that change their difficulty before there is a new base.
const PIECES_MAX: usize = 12;

/// Work on the usual terms, ready to hand out.
///
/// Each connection takes a piece of it for one job at most: the next job of that connection must
/// not repeat what was tried for this one.
#[derive(Debug)]
pub struct Prepared {
    terms: Terms,
    nonce: u32,
    first: Arc<Piece>,
    /// Made when the first connection asks for them.
    more: [OnceLock<Option<Arc<Piece>>>; PIECES_MAX - 1],
}

/// A share template and what is said of it.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) template: Arc<ShareTemplate>,
    /// The part of the notification that is the same for everybody: from the previous block to the
    /// compact target.
    pub(crate) fields: Vec<u8>,
    /// Difficulty that makes a share.
    pub(crate) share_difficulty: f64,
}

impl Piece {
    /// Makes work on these terms; `nonce` as for [`Prepared::new`].
    pub(crate) fn new(
        base: &Arc<TemplateBase>,
        terms: &Terms,
        nonce: u32,
        now: Now,
    ) -> Result<Arc<Self>, AddressError> {
        let template = terms.template(base, nonce, now)?;
        let fields = Job::fields(&template);
        let share_difficulty = compact::difficulty(template.share_target());
        Ok(Arc::new(Self { template, fields, share_difficulty }))
    }
}

/// Whom work pays, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Address text that is paid.
    pub payout_address: Arc<[u8]>,
    /// Share target wanted; the chain cuts it to what it allows. `U256::MAX` for the easiest.
    pub wanted_target: U256,
}

impl Terms {
    /// A share template on these terms. `nonce` is a number that no other one of this base has.
    pub(crate) fn template(
        &self,
        base: &Arc<TemplateBase>,
        nonce: u32,
        now: Now,
    ) -> Result<Arc<ShareTemplate>, AddressError> {
        let terms = MinerTerms {
            payout_address: self.payout_address.to_vec(),
            wanted_target: self.wanted_target,
            nonce,
            timestamp: now.wall.to_u32(),
        };
        base.for_miner(&terms).map(Arc::new)
    }
}

impl Prepared {
    /// Prepares the base's work; `nonce` as of a share: differing between calls.
    ///
    /// # Errors
    /// An address that the network cannot pay.
    pub fn new(
        base: &Arc<TemplateBase>,
        terms: &Terms,
        nonce: u32,
        now: Now,
    ) -> Result<Self, AddressError> {
        let first = Piece::new(base, terms, nonce, now)?;
        Ok(Self { terms: terms.clone(), nonce, first, more: Default::default() })
    }

    /// What the work was made from.
    pub fn base(&self) -> &Arc<TemplateBase> {
        self.first.template.base()
    }

    /// Whom it pays, and what it asks for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The share template of the first piece.
    pub fn template(&self) -> &Arc<ShareTemplate> {
        &self.first.template
    }

    /// A piece; `None` behind the last.
    pub(crate) fn piece(&self, index: usize, now: Now) -> Option<Arc<Piece>> {
        let Some(more) = index.checked_sub(1) else { return Some(Arc::clone(&self.first)) };
        let make = || {
            let nonce = self.nonce ^ (index as u32).wrapping_mul(0xc2b2_ae35);
            Piece::new(self.base(), &self.terms, nonce, now).ok()
        };
        self.more.get(more)?.get_or_init(make).clone()
    }

    /// Size of the coinbase transaction, without witness.
    pub fn coinbase_bytes(&self) -> usize {
        let template = self.template();
        template.coinbase_prefix().len() + 8 + template.coinbase_suffix().len()
    }
}
