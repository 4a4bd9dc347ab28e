//! Everything about one share.

use p2pool_node::{NodeSnapshot, ShareDetails as Known};
use p2pool_sharechain::ShareHash;

use super::{Sight, Window, payee, short_name};
use crate::api::UnixSeconds;
use crate::api::pages::pool::{SHARE_ID_DIGITS, SeenFrom, ShareDetails, ShareLoss, ShareStanding};

/// The share of this short name or hash; `None` if there is none in the window, or the text is
/// neither.
pub(crate) fn named(node: &NodeSnapshot, text: &str) -> Option<ShareHash> {
    if text.len() == SHARE_ID_DIGITS {
        let window = node.summary.window.iter().map(|share| share.hash);
        return window.into_iter().find(|hash| short_name(*hash) == text);
    }
    text.parse().ok()
}

/// What is known of a share, for a person.
pub(crate) fn details(sight: &Sight<'_>, known: &Known) -> ShareDetails {
    use p2pool_node::Announces;
    ShareDetails {
        hash: known.hash.to_string(),
        at: UnixSeconds(known.timestamp.into()),
        payee: payee(sight, &known.payee),
        worker: known.worker.clone(),
        difficulty: known.difficulty,
        version: u32::try_from(known.version).unwrap_or(u32::MAX),
        wanted_version: known.wanted_version,
        parent: known.parent.map(|parent| parent.to_string()),
        loss: match known.announces {
            Announces::Nothing => ShareLoss::None,
            Announces::Orphan => ShareLoss::Orphan,
            Announces::DeadOnArrival => ShareLoss::DeadOnArrival,
            Announces::Other => ShareLoss::Other,
        },
        seen: seen(sight.node, known),
        standing: standing(sight, known),
    }
}

fn seen(node: &NodeSnapshot, known: &Known) -> SeenFrom {
    let Some(sender) = known.sender else {
        return if known.worker.is_some() && !known.is_loaded {
            SeenFrom::Here
        } else {
            SeenFrom::Disk
        };
    };
    match node.p2p.peers.iter().find(|peer| peer.id == sender) {
        Some(peer) => SeenFrom::Member { address: peer.address.map(|at| at.to_string()) },
        None => SeenFrom::FormerMember,
    }
}

fn standing(sight: &Sight<'_>, known: &Known) -> ShareStanding {
    let window = Window::new(&sight.node.summary, sight.params);
    match known.depth {
        Some(depth) if depth < window.shares_max => {
            let left = f64::from(window.shares_max - depth) * window.share_secs;
            // Truncation is right: it is an estimate.
            ShareStanding::InWindow { until: UnixSeconds(sight.now.0 + left as u64) }
        }
        Some(_) => ShareStanding::Left,
        None if known.is_verified => ShareStanding::Late,
        None => ShareStanding::Unchecked,
    }
}
