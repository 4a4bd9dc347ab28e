//! The Pool page: from a node's snapshot to what it shows.

mod cells;
mod details;
mod members;
mod rounds;
mod tree;

use p2pool_node::ChainSummary;
use p2pool_sharechain::ShareHash;

use super::{Sight, Window, count};
use crate::api::pages::pool::{
    CellPayee, JoinProgress, PoolChain, PoolView, SHARE_ID_DIGITS, VersionAdvice, VersionSupport,
};
use crate::run::Finders;

pub(crate) use cells::cells;
pub(crate) use details::{details, named};
pub(crate) use tree::tree;

/// A newer share version is worth a word from this part of the recent work on.
const NEWER_PART_MIN: f64 = 0.1;

/// All of the page.
pub(crate) fn pool(sight: &Sight<'_>, finders: &Finders) -> PoolView {
    PoolView {
        chain: chain(sight),
        round: rounds::current(sight),
        blocks: rounds::blocks(sight, finders),
        members: members::members(sight.node),
        support: support(&sight.node.summary),
    }
}

fn chain(sight: &Sight<'_>) -> PoolChain {
    let summary = &sight.node.summary;
    let window = Window::new(summary, sight.params);
    let of_kind = |is_it: fn(&p2pool_node::WindowShare) -> bool| {
        count(summary.window.iter().filter(|share| is_it(share)).count())
    };
    PoolChain {
        newest: summary.window.first().map(|share| short_name(share.hash)),
        shares: window.shares,
        shares_max: window.shares_max,
        mine: of_kind(|share| share.is_own),
        late: of_kind(|share| share.is_stale_notice),
        blocks: of_kind(|share| share.is_block),
        joining: joining(summary),
    }
}

fn joining(summary: &ChainSummary) -> Option<JoinProgress> {
    let (sync, total) = (summary.sync, summary.sync.wanted);
    let is_joining = !sync.is_done && total > 0;
    is_joining.then_some(JoinProgress { done: sync.known.min(total), total })
}

fn support(summary: &ChainSummary) -> Option<VersionSupport> {
    let leading = summary.leading_vote?;
    let newer = summary.unsupported_vote.filter(|vote| vote.part >= NEWER_PART_MIN);
    let advice = if leading.is_unsupported_majority() {
        VersionAdvice::UpdateNow { version: leading.version }
    } else if let Some(newer) = newer {
        if newer.is_unsupported_majority() {
            VersionAdvice::UpdateNow { version: newer.version }
        } else {
            VersionAdvice::UpdateSoon { version: newer.version, part: newer.part }
        }
    } else {
        VersionAdvice::None
    };
    Some(VersionSupport { version: leading.version, part: leading.part, advice })
}

/// The last digits of a hash, as people see it.
fn short_name(hash: ShareHash) -> String {
    let mut digits = hash.to_string();
    digits.split_off(digits.len() - SHARE_ID_DIGITS)
}

fn payee(sight: &Sight<'_>, address: &str) -> CellPayee {
    let party = sight.parties.of_address(address);
    CellPayee { party, address: address.to_owned() }
}
