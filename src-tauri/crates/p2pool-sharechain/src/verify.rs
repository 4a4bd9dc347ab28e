//! Validity: what a share must satisfy by itself, and what in its chain.
//!
//! [`CheckedShare`] is proof of the first; only [`Tracker::verify`](crate::Tracker::verify)
//! gives the second. Source: protocol notes, sharechain.md sections 3 to 5.

use ruint::aliases::U256;

use crate::address::{self, AddressError};
use crate::compact::CompactBits;
use crate::generation;
use crate::hash::{Hash32, ShareHash};
use crate::hash_link;
use crate::merkle_link;
use crate::params::Params;
use crate::share::{MinHeader, ParseShareError, Payee, Share, TxRefs};

/// Shares further ahead of the clock than this are refused, seconds.
pub const FUTURE_MAX: u64 = 600;
/// References to transactions must not go back further than this, generations.
const TX_REF_GENERATIONS_MAX: u64 = 110;

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The sender made or passed on something it could have known to be wrong.
    Sender,
    /// Nobody: other software, another version, or our own view.
    Nobody,
}

/// Why a share fails by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StandaloneError {
    /// Not a share of a known type.
    #[error(transparent)]
    Parse(#[from] ParseShareError),
    /// The scriptSig must have 2 to 100 bytes.
    #[error("the coinbase has {0} bytes")]
    CoinbaseLength(usize),
    /// The payee cannot be paid.
    #[error("the payee cannot be paid")]
    Payee(#[from] AddressError),
    /// Votes for type 16 long after that vote.
    #[error("a vote for share type 16 at height {0}")]
    LateVote(u32),
    /// Transaction references out of range.
    #[error("the transaction references are inconsistent")]
    TxRefs,
    /// No witness data though the type has it.
    #[error("the witness data is missing")]
    NoSegwit,
    /// The header version has more than 32 bits, or the hash link's length is absurd.
    #[error("the header cannot be rebuilt")]
    Header,
    /// The target is easier than the network allows at all.
    #[error("the target {0} is easier than the network allows")]
    TargetTooEasy(CompactBits),
    /// The hash does not meet the target.
    #[error("the hash {0} does not meet the share's target")]
    HashTooHigh(ShareHash),
}

impl StandaloneError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::TargetTooEasy(_)
            | Self::HashTooHigh(_)
            | Self::Parse(ParseShareError::ObsoleteVersion(_)) => Blame::Sender,
            Self::Parse(_)
            | Self::CoinbaseLength(_)
            | Self::Payee(_)
            | Self::LateVote(_)
            | Self::TxRefs
            | Self::NoSegwit
            | Self::Header => Blame::Nobody,
        }
    }
}

/// A share that has passed every check that needs no other share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedShare {
    share: Share,
    hash: ShareHash,
    txid: Hash32,
    target: U256,
    payee: Vec<u8>,
}

impl CheckedShare {
    /// Parses and checks a share with its envelope.
    ///
    /// # Errors
    /// [`StandaloneError`].
    pub fn parse(bytes: &[u8], params: &Params) -> Result<Self, StandaloneError> {
        Self::check(Share::parse(bytes, params)?, params)
    }

    /// Checks a parsed share, in the order of sharechain.md section 4.
    ///
    /// # Errors
    /// [`StandaloneError`].
    pub fn check(share: Share, params: &Params) -> Result<Self, StandaloneError> {
        let data = &share.info.data;
        let coinbase_length = data.coinbase.len();
        if !(2..=100).contains(&coinbase_length) {
            return Err(StandaloneError::CoinbaseLength(coinbase_length));
        }
        let payee = check_payee(&share, params)?;
        if params.refuses_late_votes_for_16
            && share.info.abs_height > 3_927_800
            && data.desired_version == 16
        {
            return Err(StandaloneError::LateVote(share.info.abs_height));
        }
        if let Some(refs) = &share.info.tx_refs {
            check_tx_refs(refs)?;
        }
        let (txid, header) = rebuild_header(&share, params)?;
        let hash = ShareHash::of_header(&header);
        let bits = share.info.bits;
        let target = bits
            .target()
            .filter(|target| *target <= params.max_target)
            .ok_or(StandaloneError::TargetTooEasy(bits))?;
        if hash.to_uint() > target {
            return Err(StandaloneError::HashTooHigh(hash));
        }
        Ok(Self { share, hash, txid, target, payee })
    }

    /// The share.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// Its identity.
    pub fn hash(&self) -> ShareHash {
        self.hash
    }

    /// Id of its generation transaction, internal order.
    pub fn txid(&self) -> &Hash32 {
        &self.txid
    }

    /// The target it had to meet.
    pub fn target(&self) -> U256 {
        self.target
    }

    /// The payee key: its address text.
    pub fn payee(&self) -> &[u8] {
        &self.payee
    }

    /// Whether its hash meets the Bitcoin target that it claims itself.
    pub fn claims_block(&self) -> bool {
        self.share.header.bits.target().is_none_or(|target| self.hash.to_uint() <= target)
    }
}

fn check_payee(share: &Share, params: &Params) -> Result<Vec<u8>, AddressError> {
    let text = generation::payee_text(&share.info.data.payee, params);
    if let Payee::Address(text) = &share.info.data.payee {
        let decoded = address::decode(text, &params.addresses)?;
        address::script(&decoded, share.version.pads_programs())?;
    }
    Ok(text)
}

/// References reach back less than 110 generations, and every own new hash is used.
fn check_tx_refs(refs: &TxRefs) -> Result<(), StandaloneError> {
    let mut used = vec![false; refs.new_hashes.len()];
    for (generations, index) in &refs.refs {
        if *generations >= TX_REF_GENERATIONS_MAX {
            return Err(StandaloneError::TxRefs);
        }
        if *generations == 0 {
            let index = usize::try_from(*index).map_err(|_| StandaloneError::TxRefs)?;
            *used.get_mut(index).ok_or(StandaloneError::TxRefs)? = true;
        }
    }
    if used.iter().all(|used| *used) { Ok(()) } else { Err(StandaloneError::TxRefs) }
}

/// Transaction id of the generation transaction, and the header. Source: sharechain.md section 3.
fn rebuild_header(share: &Share, params: &Params) -> Result<(Hash32, [u8; 80]), StandaloneError> {
    let ref_hash =
        generation::ref_hash(params, share.version, &share.info, &share.ref_merkle_branch);
    let mut data = [0; 44];
    data[..32].copy_from_slice(&ref_hash);
    data[32..40].copy_from_slice(&share.last_txout_nonce.to_le_bytes());
    let txid = hash_link::check(&share.hash_link, &data).ok_or(StandaloneError::Header)?;
    let has_segwit = share.version.number() >= params.segwit_activation;
    let branch = match &share.info.segwit {
        Some(segwit) => &segwit.txid_branch,
        None if has_segwit => return Err(StandaloneError::NoSegwit),
        None => &share.merkle_branch,
    };
    let root = merkle_link::fold(txid, branch);
    let header = share.header.to_bytes(root).ok_or(StandaloneError::Header)?;
    Ok((txid, header))
}

impl MinHeader {
    /// The 80 bytes; `None` if the version has more than 32 bits.
    pub fn to_bytes(&self, merkle_root: Hash32) -> Option<[u8; 80]> {
        let mut out = [0; 80];
        out[..4].copy_from_slice(&u32::try_from(self.version).ok()?.to_le_bytes());
        out[4..36].copy_from_slice(&self.previous_block);
        out[36..68].copy_from_slice(&merkle_root);
        out[68..72].copy_from_slice(&self.timestamp.to_le_bytes());
        out[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        out[76..].copy_from_slice(&self.nonce.to_le_bytes());
        Some(out)
    }
}

/// Why a share fails in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// Not in the tracker.
    #[error("the share is not known")]
    Unknown,
    /// Not enough history below it to judge.
    #[error("too little history is known below the share")]
    NoHistory,
    /// Too far ahead of the clock; may become valid.
    #[error("the share's time {0} lies too far ahead")]
    Future(u32),
    /// The vote does not allow this type here.
    #[error("the vote does not allow this share type here")]
    Version,
    /// A field that follows from the chain differs.
    #[error("the field `{0}` does not follow from the chain")]
    Field(&'static str),
    /// The transaction references do not lead to the transactions committed to.
    #[error("the transaction references do not match")]
    TxRefs,
    /// A payee in the window cannot be paid by this share type.
    #[error("a payee in the window cannot be paid")]
    Payee(#[from] AddressError),
    /// The generation transaction is another one.
    #[error("the generation transaction does not pay what the chain demands")]
    Generation,
}
