//! One share, with what its generation transaction pays and where it stands in the window.

use std::sync::Arc;

use p2pool_sharechain::generation::Output;
use p2pool_sharechain::{CheckedShare, CompactBits, ShareHash, Tracker};

use super::BooksError;

/// A share and what follows from its chain.
#[derive(Clone, Debug)]
pub struct ShareView {
    /// The share.
    pub share: Arc<CheckedShare>,
    /// Whether its contextual checks have passed.
    pub is_verified: bool,
    /// The generation transaction that the chain demands, without witness; `None` if the chain
    /// below is not complete.
    pub generation: Option<Vec<u8>>,
    /// Its outputs in order.
    pub outputs: Vec<Output>,
    /// Where it stands below the best share.
    pub place: WindowPlace,
}

/// Where a share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowPlace {
    /// Not in the best chain.
    OffChain,
    /// In the best chain, so many shares below the best one; still paid by the next blocks.
    InWindow {
        /// Shares above it.
        depth: u32,
        /// Shares in the window.
        window: u32,
    },
    /// In the best chain, but too deep to be paid any more.
    Left {
        /// Shares above it.
        depth: u32,
    },
}

/// Finds the one share whose displayed hash begins or ends with these digits.
///
/// # Errors
/// None does, or several do.
pub fn show_share(
    tracker: &mut Tracker,
    best: Option<ShareHash>,
    digits: &str,
    block_bits: CompactBits,
) -> Result<ShareView, BooksError> {
    let wanted = digits.trim().trim_start_matches('…').to_ascii_lowercase();
    let matches = |hash: &ShareHash| {
        let text = hash.to_string();
        text.starts_with(&wanted)
            || text.trim_start_matches('0').starts_with(&wanted)
            || text.ends_with(&wanted)
    };
    let heads: Vec<ShareHash> = tracker.heads().map(|(head, _)| head).collect();
    let mut found = std::collections::BTreeSet::new();
    for head in heads {
        let chain = tracker.chain(Some(head)).map(|known| known.share.hash());
        found.extend(chain.filter(|hash| matches(hash)));
    }
    let mut found = found.into_iter();
    let hash = found.next().ok_or_else(|| BooksError::Unknown(digits.to_owned()))?;
    if found.next().is_some() || wanted.is_empty() {
        return Err(BooksError::Ambiguous(digits.to_owned()));
    }
    let share = Arc::clone(tracker.get(hash).expect("just found"));
    let generation =
        if tracker.can_judge(hash) { tracker.generation_of(&share).ok() } else { None };
    let place = place(tracker, best, hash, block_bits);
    Ok(ShareView {
        is_verified: tracker.is_verified(hash),
        outputs: generation.as_ref().map(|g| g.outputs().to_vec()).unwrap_or_default(),
        generation: generation.map(|generation| {
            let mut bytes = generation.up_to_nonce().to_vec();
            bytes.extend_from_slice(&share.share().last_txout_nonce.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes
        }),
        share,
        place,
    })
}

fn place(
    tracker: &mut Tracker,
    best: Option<ShareHash>,
    hash: ShareHash,
    block_bits: CompactBits,
) -> WindowPlace {
    let Some(best) = best.filter(|best| tracker.is_ancestor(hash, *best)) else {
        return WindowPlace::OffChain;
    };
    let (height, _) = tracker.height_and_last(Some(best));
    let (lower, _) = tracker.height_and_last(Some(hash));
    let depth = height.saturating_sub(lower);
    let window = tracker.expected_window(Some(best), block_bits).shares;
    if depth < window {
        WindowPlace::InWindow { depth, window }
    } else {
        WindowPlace::Left { depth }
    }
}
