//! Work and blocks, as miners and the Bitcoin network see them.

use std::sync::Arc;

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute, transaction,
};
use p2pool_sharechain::template::{
    BlockTemplate, MinerTerms, ShareTemplate, TemplateBase, TemplateTransaction,
};
use p2pool_sharechain::{CompactBits, Params, ShareHash, U256};

use super::forge;
use crate::choices::Choices;

/// Outputs beside the payouts: commitment and reference; both pay nothing.
const IDLE_OUTPUTS: usize = 2;

/// A template with a few transactions, some of them too large to fit.
pub(super) fn template(
    choices: &mut Choices<'_>,
    height: u32,
    bits: CompactBits,
    current_time: u32,
) -> BlockTemplate {
    let transactions: Vec<TemplateTransaction> = (0..choices.below(4))
        .map(|number| transaction(u8::try_from(number).expect("few"), choices))
        .collect();
    let fees: u64 = transactions.iter().map(|tx| tx.fee_sats).sum();
    let subsidy = choices.pick(&[5_000_000_000, 312_500_000, 1, 199, 200]);
    BlockTemplate {
        version: choices.pick(&[0x2000_0000, 4, 0x3fff_e004, u32::MAX]),
        previous_block: BlockHash::from_byte_array(block_at(height)),
        transactions,
        coinbase_value_sats: subsidy + fees,
        coinbase_aux: vec![1; choices.pick(&[0, 0, 4, 94, 200])],
        bits,
        current_time,
        min_time: current_time.saturating_sub(3_600),
        max_time: choices.flag().then_some(current_time),
        height: height + 1,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    }
}

/// The block at a height of the Bitcoin chain.
pub(super) fn block_at(height: u32) -> [u8; 32] {
    let mut hash = [1 + (height % 250) as u8; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    hash
}

fn transaction(number: u8, choices: &mut Choices<'_>) -> TemplateTransaction {
    let witness: &[&[u8]] = if choices.flag() { &[&[1, 2, 3]] } else { &[] };
    let tx = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(bitcoin::Txid::from_byte_array([9; 32]), number.into()),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(witness),
        }],
        output: vec![TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::new() }],
    };
    TemplateTransaction {
        data: serialize(&tx).into(),
        txid: tx.compute_txid().to_byte_array(),
        wtxid: tx.compute_wtxid().to_byte_array(),
        fee_sats: u64::from(choices.u16()),
        weight: choices.pick(&[400, 2_000_000, 4_000_000, u32::MAX]),
        sigops: choices.pick(&[1, 79_000, u32::MAX]),
        depends: Vec::new(),
    }
}

/// Work can be made into a share template for every payee, and pays everything exactly.
pub(super) fn check_work(base: &Arc<TemplateBase>, template: &BlockTemplate, params: &Params) {
    check_choice(&base.block, template);
    assert!((2..=100).contains(&base.coinbase.len()), "a scriptSig of wrong length");
    let height = Builder::new().push_int(i64::from(template.height)).into_bytes();
    assert!(base.coinbase.starts_with(&height), "the scriptSig starts with the height");
    for number in 0..forge::PAYEES {
        let template = share_template(base, params, number, 1, U256::MAX);
        let outputs = template.outputs();
        let paid: u64 = outputs.iter().map(|output| output.value_sats).sum();
        assert_eq!(paid, base.block.coinbase_value_sats, "subsidy and fees, to the last");
        assert!(outputs.len() <= base.window.weights.len() + IDLE_OUTPUTS + 2);
        assert_eq!(template.header_version() & 0x1fff_e000, 0, "rolling bits are clear");
    }
}

/// The work has the template's first transactions, and the fees of no others.
fn check_choice(chosen: &BlockTemplate, template: &BlockTemplate) {
    assert!(template.transactions.starts_with(&chosen.transactions));
    let left_out = &template.transactions[chosen.transactions.len()..];
    let lost: u64 = left_out.iter().map(|tx| tx.fee_sats).sum();
    assert_eq!(chosen.coinbase_value_sats + lost, template.coinbase_value_sats, "fees");
    let weight: u64 = chosen.transactions.iter().map(|tx| u64::from(tx.weight)).sum();
    let sigops: u64 = chosen.transactions.iter().map(|tx| u64::from(tx.sigops)).sum();
    assert!(weight <= u64::from(chosen.weight_limit) && sigops <= u64::from(chosen.sigop_limit));
}

/// The share template of a payee.
pub(super) fn share_template(
    base: &Arc<TemplateBase>,
    params: &Params,
    payee: usize,
    nonce: u32,
    wanted_target: U256,
) -> ShareTemplate {
    let terms = MinerTerms {
        payout_address: forge::payee(payee, params),
        wanted_target,
        nonce,
        timestamp: base.block.current_time,
    };
    base.for_miner(&terms).expect("these payees can be paid")
}

/// A block is one for everybody else, too.
pub(super) fn check_block(hash: ShareHash, raw: &[u8]) {
    let block: Block = deserialize(raw).expect("a block can be read");
    assert_eq!(block.block_hash(), hash.to_block_hash());
    assert!(block.check_merkle_root(), "the header commits to the transactions");
    assert!(block.check_witness_commitment(), "the coinbase commits to the witnesses");
    let coinbase = block.coinbase().expect("a block has a coinbase");
    let script_bytes = coinbase.input[0].script_sig.len();
    assert!((2..=100).contains(&script_bytes));
}
