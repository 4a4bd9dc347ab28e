//! Makes blocks from templates, for chains where every second hash is a block.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::{self, OutPoint};
use bitcoin::{
    Amount, Block, CompactTarget, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness,
};
use p2pool_sharechain::template::BlockTemplate;

/// The block of `template` that pays `sats` to `script`, mined at the template's time.
pub(crate) fn mine(template: &BlockTemplate, sats: u64, script: &ScriptBuf) -> Vec<u8> {
    let mut txdata = vec![generation(template, sats, script)];
    for transaction in &template.transactions {
        txdata.push(deserialize(&transaction.data).unwrap());
    }
    let header = Header {
        version: Version::from_consensus(template.version.cast_signed()),
        prev_blockhash: template.previous_block,
        merkle_root: TxMerkleNode::all_zeros(),
        time: template.current_time,
        bits: CompactTarget::from_consensus(template.bits.0),
        nonce: 0,
    };
    let mut block = Block { header, txdata };
    let root = block.witness_root().unwrap();
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend_from_slice(commitment.as_byte_array());
    block.txdata[0].output[1].script_pubkey = ScriptBuf::from_bytes(script);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    serialize(&block)
}

fn generation(template: &BlockTemplate, sats: u64, script: &ScriptBuf) -> Transaction {
    let script_sig = Builder::new().push_int(i64::from(template.height)).push_int(0).into_script();
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig,
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[[0; 32]]),
    };
    let payout = TxOut { value: Amount::from_sat(sats), script_pubkey: script.clone() };
    let commitment = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::new() };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![payout, commitment],
    }
}
