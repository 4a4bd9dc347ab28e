//! Blocks as full as they may be, beside generation transactions that pay hundreds.

#![expect(clippy::unwrap_used, reason = "in a test that is the point")]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::deserialize;
use bitcoin::{Block, Transaction};
use p2pool_engine::Input;
use p2pool_sharechain::address::p2pkh_text;
use p2pool_sharechain::template::{BlockTemplate, TemplateTransaction};
use rig::{HARD_BITS, Rig, params};

const PAYEES: u16 = 300;
const SUBSIDY_SATS: u64 = 5_000_000_000;
const FEE_SATS: u64 = 1_000;

/// Shares of many payees, and then a template with more transactions than fit.
fn full_block(weight_limit: u32, sigop_limit: u32) -> (Block, Vec<TemplateTransaction>) {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, HARD_BITS);
    for number in 0..PAYEES {
        rig.advance(Duration::from_secs(10));
        let mut hash = [7; 20];
        hash[..2].copy_from_slice(&number.to_be_bytes());
        let (template, solution) = rig.find_share_for(&p2pkh_text(&hash, &params().addresses));
        rig.hand_in(template, solution, true);
    }
    let transactions: Vec<TemplateTransaction> = (0..250)
        .map(|number| {
            let known = rig::transaction(number);
            let tx: Transaction = deserialize(&known.data).unwrap();
            let weight = u32::try_from(tx.weight().to_wu()).unwrap();
            TemplateTransaction { weight, fee_sats: FEE_SATS, ..known }
        })
        .collect();
    let old = rig.work().unwrap();
    let template = BlockTemplate {
        coinbase_value_sats: SUBSIDY_SATS + 250 * FEE_SATS,
        transactions: transactions.clone(),
        weight_limit,
        sigop_limit,
        ..BlockTemplate::clone(&old.block)
    };
    rig.handle(Input::Template(Arc::new(template)));
    let (template, solution) = rig.find_share();
    (deserialize(&template.block(&solution)).unwrap(), transactions)
}

fn assert_pays_what_is_in_it(block: &Block) {
    let generation = &block.txdata[0];
    assert!(generation.output.len() > usize::from(PAYEES), "{}", generation.output.len());
    let paid: u64 = generation.output.iter().map(|output| output.value.to_sat()).sum();
    let kept = u64::try_from(block.txdata.len()).unwrap() - 1;
    assert_eq!(paid, SUBSIDY_SATS + kept * FEE_SATS);
    assert!(block.check_merkle_root() && block.check_witness_commitment());
}

#[test]
fn block_is_as_heavy_as_it_may_be_and_no_heavier() {
    let limit = 90_000;
    let (block, transactions) = full_block(limit, 80_000);
    assert_pays_what_is_in_it(&block);
    assert!(block.txdata.len() > 50 && block.txdata.len() < 250, "{}", block.txdata.len());
    let weight = block.weight().to_wu();
    let heaviest = u64::from(transactions.iter().map(|tx| tx.weight).max().unwrap());
    assert!(weight <= u64::from(limit), "{weight}");
    assert!(weight + 2 * heaviest + 500 > u64::from(limit), "{weight} wastes room");
}

#[test]
fn block_has_no_more_signature_operations_than_it_may() {
    // Each pay-to-public-key-hash output counts four.
    let own = 4 * (u32::from(PAYEES) + 2);
    let (block, _) = full_block(4_000_000, own + 40);
    assert_pays_what_is_in_it(&block);
    let ours: usize = block.txdata[0]
        .output
        .iter()
        .map(|output| 4 * output.script_pubkey.count_sigops_legacy())
        .sum();
    let others = block.txdata.len() - 1;
    assert!(others > 20 && ours + others <= (own + 40) as usize, "{ours} and {others}");
}
