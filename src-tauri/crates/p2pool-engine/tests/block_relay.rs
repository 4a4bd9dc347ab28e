//! Found blocks travel to every node that understands compact blocks, and stay safe.

#![expect(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use bitcoin::Block;
use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use bitcoin::consensus::deserialize;
use p2pool_engine::{BlockOutcome, DropReason, Event, Input, Loaded, Output, PeerId};
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_wire::Services;
use rig::{EASY_BITS, HARD_BITS, Rig, joined_with, params, transaction};

const COMPACT: Services = Services::COMPACT_BLOCKS;

/// A node with one peer that understands compact blocks, and the transactions of its template.
fn node(number: usize, transactions: &[u8]) -> Rig {
    let mut rig = Rig::new(params(), number);
    let transactions = transactions.iter().map(|number| transaction(*number)).collect();
    rig.template_with(10, EASY_BITS, transactions);
    rig.handle(joined_with(1, COMPACT));
    rig
}

/// Mines until a share is a block, too.
fn find_block(rig: &mut Rig) -> Vec<Output> {
    loop {
        let outputs = rig.mine(true);
        if outputs.iter().any(|output| matches!(output, Output::SubmitBlock { .. })) {
            return outputs;
        }
    }
}

fn compact(outputs: &[Output], to: PeerId) -> Option<Arc<HeaderAndShortIds>> {
    outputs.iter().find_map(|output| match output {
        Output::SendCompactBlock { peer, block } if *peer == to => Some(Arc::clone(block)),
        _ => None,
    })
}

fn submitted(outputs: &[Output]) -> Option<Arc<[u8]>> {
    outputs.iter().find_map(|output| match output {
        Output::SubmitBlock { raw, .. } => Some(Arc::clone(raw)),
        _ => None,
    })
}

fn asked(outputs: &[Output], whom: PeerId) -> Option<BlockTransactionsRequest> {
    outputs.iter().find_map(|output| match output {
        Output::RequestBlockTxn { peer, request } if *peer == whom => Some(request.clone()),
        _ => None,
    })
}

fn answered(outputs: &[Output]) -> Option<BlockTransactions> {
    outputs.iter().find_map(|output| match output {
        Output::SendBlockTxn { transactions, .. } => Some(BlockTransactions::clone(transactions)),
        _ => None,
    })
}

fn stored(outputs: &[Output]) -> Vec<FoundBlock> {
    let changes = outputs.iter().filter_map(|output| match output {
        Output::Persist { changes, .. } => Some(changes.blocks.clone()),
        _ => None,
    });
    changes.flatten().collect()
}

fn receive(rig: &mut Rig, peer: PeerId, block: &HeaderAndShortIds) -> Vec<Output> {
    rig.handle(Input::CompactBlock { peer, block: Box::new(block.clone()) })
}

#[test]
fn block_leaves_for_bitcoin_storage_shares_and_peers_in_one_step() {
    let mut finder = node(0, &[1, 2]);
    finder.handle(rig::joined(2, None));
    let outputs = find_block(&mut finder);
    let place = |wanted: fn(&Output) -> bool| outputs.iter().position(wanted);
    let submit = place(|output| matches!(output, Output::SubmitBlock { .. }));
    let share = place(|output| matches!(output, Output::SendShares { .. }));
    let relay = place(|output| matches!(output, Output::SendCompactBlock { .. }));
    assert!(submit < share && share < relay && submit.is_some(), "{outputs:?}");
    assert_eq!(stored(&outputs)[0].status, BlockStatus::Submitting);
    assert!(compact(&outputs, 2).is_none(), "who does not understand it is not sent it");
}

#[test]
fn receiver_with_the_same_transactions_submits_the_same_block_at_once() {
    let (mut finder, mut other) = (node(0, &[1, 2, 3]), node(1, &[3, 1, 2]));
    other.handle(joined_with(2, COMPACT));
    let found = find_block(&mut finder);
    let outputs = receive(&mut other, 1, &compact(&found, 1).unwrap());
    let raw = submitted(&outputs).expect("it is handed in");
    assert_eq!(raw, submitted(&found).unwrap());
    let block: Block = deserialize(&raw).unwrap();
    assert!(block.check_merkle_root() && block.check_witness_commitment());
    let stored = stored(&outputs);
    assert!(!stored[0].own && stored[0].raw.is_some(), "it survives a crash");
    assert_eq!(stored[0].payouts.iter().map(|(_, sats)| sats).sum::<u64>(), 5_000_000_000);
    assert!(outputs.iter().any(|o| matches!(o, Output::Event(Event::BlockFound { .. }))));
    assert!(compact(&outputs, 2).is_some(), "it is passed on");
    assert!(compact(&outputs, 1).is_none(), "not back to who sent it");
    let again = receive(&mut other, 2, &compact(&found, 1).unwrap());
    assert!(submitted(&again).is_none() && compact(&again, 1).is_none(), "once");
}

#[test]
fn missing_transactions_are_fetched_from_the_sender() {
    let (mut finder, mut other) = (node(0, &[1, 2, 3]), node(1, &[2]));
    let found = find_block(&mut finder);
    let outputs = receive(&mut other, 1, &compact(&found, 1).unwrap());
    let request = asked(&outputs, 1).expect("two are missing");
    assert_eq!(request.indexes, [1, 3]);
    assert!(submitted(&outputs).is_none());
    let answer = finder.handle(Input::GetBlockTxn { peer: 1, request });
    let transactions = answered(&answer).expect("a recent block");
    let outputs = other.handle(Input::BlockTxn { peer: 1, transactions });
    assert_eq!(submitted(&outputs), submitted(&found));
}

#[test]
fn silent_or_lying_sender_costs_time_but_not_the_block() {
    let (mut finder, mut other) = (node(0, &[1, 2]), node(1, &[]));
    other.handle(joined_with(2, COMPACT));
    other.handle(joined_with(3, COMPACT));
    let found = find_block(&mut finder);
    let block = compact(&found, 1).unwrap();
    receive(&mut other, 1, &block);
    receive(&mut other, 2, &block);
    receive(&mut other, 3, &block);
    let outputs = other.advance(Duration::from_secs(10));
    let request = asked(&outputs, 2).expect("the next one is asked");
    let lie = vec![deserialize(&transaction(8).data).unwrap(); request.indexes.len()];
    let lie = BlockTransactions { block_hash: request.block_hash, transactions: lie };
    let outputs = other.handle(Input::BlockTxn { peer: 2, transactions: lie.clone() });
    assert!(asked(&outputs, 2).is_some(), "short names may have been the same: once more");
    let outputs = other.handle(Input::BlockTxn { peer: 2, transactions: lie });
    let request = asked(&outputs, 3).expect("and the next one");
    let answer = finder.handle(Input::GetBlockTxn { peer: 1, request });
    let transactions = answered(&answer).expect("a recent block");
    let outputs = other.handle(Input::BlockTxn { peer: 3, transactions });
    assert_eq!(submitted(&outputs), submitted(&found));
}

#[test]
fn block_without_work_means_a_ban_and_a_foreign_one_nothing() {
    let (mut finder, mut other) = (node(0, &[]), node(1, &[]));
    let found = find_block(&mut finder);
    let block = compact(&found, 1).unwrap();

    let mut idle = HeaderAndShortIds::clone(&block);
    idle.header.bits = bitcoin::CompactTarget::from_consensus(HARD_BITS.0);
    let outputs = receive(&mut other, 1, &idle);
    let dropped = |output: &Output| {
        let reason = DropReason::BadBlockHeader;
        matches!(output, Output::DropPeer { peer: 1, is_ban: true, reason: r } if *r == reason)
    };
    assert!(outputs.iter().any(dropped));

    let mut elsewhere = Rig::new(params(), 1);
    elsewhere.template(77, EASY_BITS);
    elsewhere.handle(joined_with(1, COMPACT));
    let outputs = receive(&mut elsewhere, 1, &block);
    assert!(submitted(&outputs).is_none(), "on a block that our Bitcoin node gave no work for");
    assert!(!outputs.iter().any(|output| matches!(output, Output::DropPeer { .. })));

    let mut strange = HeaderAndShortIds::clone(&block);
    strange.prefilled_txs[0].tx.output.pop();
    assert!(submitted(&receive(&mut elsewhere, 1, &strange)).is_none(), "not of this pool");
}

#[test]
fn newcomer_gets_a_block_that_bitcoin_has_not_answered_for_even_after_a_restart() {
    let mut finder = node(0, &[1]);
    let found = find_block(&mut finder);
    let outputs = finder.handle(joined_with(2, COMPACT));
    let block = compact(&outputs, 2).expect("it may be the only way out");

    let mut again = Rig::new(params(), 0);
    let blocks = stored(&found);
    again.handle(Input::Load(Box::new(Loaded { blocks, ..Loaded::default() })));
    let outputs = again.handle(joined_with(5, COMPACT));
    assert_eq!(compact(&outputs, 5).unwrap().header, block.header);

    let hash = stored(&found)[0].hash;
    let outcome = BlockOutcome::Accepted { confirmations: 1 };
    finder.handle(Input::BlockOutcome { hash, outcome });
    assert!(compact(&finder.handle(joined_with(3, COMPACT)), 3).is_none(), "it is safe now");
}

#[test]
fn nobody_gets_transactions_of_other_blocks_or_without_end() {
    let mut finder = node(0, &[1, 2]);
    let found = find_block(&mut finder);
    let block_hash = compact(&found, 1).unwrap().header.block_hash();
    let request = |indexes: Vec<u64>| BlockTransactionsRequest { block_hash, indexes };
    let mut ask = |request| answered(&finder.handle(Input::GetBlockTxn { peer: 1, request }));
    assert!(ask(request(vec![9])).is_none(), "beyond the end");
    assert_eq!(ask(request(vec![1, 2])).unwrap().transactions.len(), 2);
    assert!(ask(request(vec![0])).is_some());
    assert!(ask(request(vec![0])).is_none(), "three times are enough");
    let block_hash = bitcoin::hashes::Hash::from_byte_array([5; 32]);
    assert!(ask(BlockTransactionsRequest { block_hash, indexes: vec![0] }).is_none());
}
