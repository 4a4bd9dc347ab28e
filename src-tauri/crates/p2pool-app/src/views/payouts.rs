//! Pool blocks and whom they paid.

use std::collections::BTreeMap;

use p2pool_node::PoolBlock;
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::BlockStatus;

use super::{Parties, Sight, count, part, sats};
use crate::api::{
    PAYEES_MAX, PAYOUTS_MAX, Party, Payee, Payout, PayoutState, Payouts, Sats, UnixSeconds,
};

/// Confirmations that make a payment spendable.
pub(super) const MATURE: u32 = 100;

/// Pool blocks, newest first; `finders` are the finders known by their shares.
pub(crate) fn payouts(sight: &Sight<'_>, finders: &BTreeMap<ShareHash, Party>) -> Payouts {
    let blocks = &sight.node.summary.blocks;
    let is_paid = |block: &&PoolBlock| {
        !matches!(block.block.status, BlockStatus::Orphaned | BlockStatus::Rejected)
    };
    let mine_total: u64 =
        blocks.iter().filter(is_paid).map(|block| mine(block, sight.parties)).sum();
    let mut newest: Vec<&PoolBlock> = blocks.iter().collect();
    // Several may be found within a second: then the higher is the newer.
    newest.sort_by_key(|block| std::cmp::Reverse((block.block.found_at, block.block.height)));
    Payouts {
        mine_total_sats: Sats(mine_total),
        blocks_total: count(blocks.len()),
        rows: newest
            .into_iter()
            .take(PAYOUTS_MAX)
            .map(|block| row(sight, finders, block))
            .collect(),
    }
}

/// What a block pays me.
pub(crate) fn mine(block: &PoolBlock, parties: &Parties) -> u64 {
    let outputs = block.block.payouts.iter();
    outputs.filter(|(script, _)| parties.is_mine(script)).map(|(_, amount)| amount).sum()
}

/// Who found a block, as far as it is known.
pub(crate) fn finder(block: &PoolBlock, finders: &BTreeMap<ShareHash, Party>) -> Party {
    if block.block.own {
        return Party::Me;
    }
    finders.get(&block.block.hash).copied().unwrap_or(Party::Member)
}

pub(super) fn row(
    sight: &Sight<'_>,
    finders: &BTreeMap<ShareHash, Party>,
    block: &PoolBlock,
) -> Payout {
    let facts = &block.block;
    let value: u64 = facts.payouts.iter().map(|(_, amount)| amount).sum();
    let subsidy = sight.params.subsidy_sats(facts.height);
    let mine = mine(block, sight.parties);
    Payout {
        block_hash: facts.hash.to_string(),
        height: facts.height,
        at: UnixSeconds(facts.found_at.0),
        found_by: finder(block, finders),
        mine_sats: sats(mine),
        mine_part: (mine > 0).then(|| part(mine, value)).flatten(),
        value_sats: Sats(value),
        subsidy_sats: Sats(subsidy),
        fees_sats: Sats(value.saturating_sub(subsidy)),
        // A practice block holds no transactions but its own, so there are no fees to collect.
        is_sum_exact: if sight.node.is_practice { value == subsidy } else { value >= subsidy },
        state: state(sight, block),
        txid: facts.txid.map(|txid| ShareHash::from_internal(txid).to_string()),
        unpaid: None,
        payees: payees(sight.parties, block, value),
    }
}

/// Average time between Bitcoin blocks.
const BITCOIN_BLOCK_SECS: f64 = 600.0;

/// What has become of a block.
pub(super) fn state(sight: &Sight<'_>, block: &PoolBlock) -> PayoutState {
    match block.block.status {
        BlockStatus::Submitting => PayoutState::Submitting,
        BlockStatus::Accepted if block.confirmations >= MATURE => PayoutState::Spendable,
        BlockStatus::Accepted => {
            let left = f64::from(MATURE - block.confirmations);
            let block_secs = if sight.node.is_practice {
                sight.pool_block_secs()
            } else {
                Some(BITCOIN_BLOCK_SECS)
            };
            PayoutState::Maturing {
                confirmations: block.confirmations,
                needed: MATURE,
                left_secs: block_secs.map(|secs| left * secs),
            }
        }
        BlockStatus::Mature => PayoutState::Spendable,
        BlockStatus::Orphaned => PayoutState::Lost,
        BlockStatus::Rejected => PayoutState::Refused,
    }
}

fn payees(parties: &Parties, block: &PoolBlock, value: u64) -> Vec<Payee> {
    let payee = |party, address, amount| Payee {
        party,
        address,
        sats: Sats(amount),
        part: part(amount, value).unwrap_or(0.0),
    };
    let mut payees: Vec<Payee> = block
        .block
        .payouts
        .iter()
        .map(|(script, amount)| {
            let (party, address) = parties.of_script(script);
            payee(party, address, *amount)
        })
        .collect();
    payees.sort_by_key(|payee| std::cmp::Reverse(payee.sats));
    if payees.len() > PAYEES_MAX {
        let last_kept = PAYEES_MAX - 2;
        if let Some(mine) = payees.iter().position(|payee| payee.party == Party::Me)
            && mine > last_kept
        {
            payees[last_kept..=mine].rotate_right(1);
        }
        let rest = payees.split_off(PAYEES_MAX - 1);
        let amount = rest.iter().map(|payee| payee.sats.0).sum();
        payees.push(payee(Party::Others, None, amount));
    }
    payees
}
