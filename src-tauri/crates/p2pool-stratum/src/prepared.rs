//! Work that many connections mine on: made and written out once.
//!
//! All connections on the same terms differ in their extranonce only, so that they can share one
//! share template and the bytes that tell of it. A thousand miners then cost a thousand writes,
//! not a thousand generation transactions.

use std::sync::Arc;

use p2pool_sharechain::U256;
use p2pool_sharechain::address::AddressError;
use p2pool_sharechain::template::{MinerTerms, ShareTemplate, TemplateBase};
use p2pool_sharechain::time::Now;

use crate::job::Job;

/// A share template on the usual terms, ready to hand out.
///
/// Each connection takes it for one job at most: the next job of that connection must not repeat
/// what was tried for this one.
#[derive(Debug)]
pub struct Prepared {
    terms: Terms,
    template: Arc<ShareTemplate>,
    /// The part of the notification that is the same for everybody.
    fields: Vec<u8>,
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
        let template = terms.template(base, nonce, now)?;
        let fields = Job::fields(&template);
        Ok(Self { terms: terms.clone(), template, fields })
    }

    /// What the work was made from.
    pub fn base(&self) -> &Arc<TemplateBase> {
        self.template.base()
    }

    /// Whom it pays, and what it asks for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The share template.
    pub fn template(&self) -> &Arc<ShareTemplate> {
        &self.template
    }

    /// Size of the coinbase transaction, without witness.
    pub fn coinbase_bytes(&self) -> usize {
        let (prefix, suffix) = (self.template.coinbase_prefix(), self.template.coinbase_suffix());
        prefix.len() + 8 + suffix.len()
    }

    /// The middle of the notification, from the previous block to the compact target.
    pub(crate) fn fields(&self) -> &[u8] {
        &self.fields
    }
}
