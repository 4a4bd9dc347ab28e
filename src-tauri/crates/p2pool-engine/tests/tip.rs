//! Bitcoin's newest block: what peers are told of it, and what is done about what they tell.

#![expect(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use p2pool_engine::{DropReason, Input, Output};
use p2pool_sharechain::CompactBits;
use p2pool_sharechain::template::BlockTemplate;
use rig::{EASY_BITS, HARD_BITS, Rig, joined, params};

/// A header with at least the work that its bits claim.
fn header(number: u8, bits: CompactBits) -> [u8; 80] {
    let mut header = Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::from_byte_array([number; 32]),
        merkle_root: TxMerkleNode::from_byte_array([0; 32]),
        time: 0,
        bits: CompactTarget::from_consensus(bits.0),
        nonce: 0,
    };
    while header.validate_pow(header.target()).is_err() {
        header.nonce += 1;
    }
    serialize(&header).try_into().expect("a header has 80 bytes")
}

fn refreshes(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::RefreshTemplate))
}

#[test]
fn peers_are_told_a_new_tip_once() {
    let mut rig = Rig::new(params(), 0);
    rig.handle(joined(1, None));
    rig.handle(joined(2, None));
    let newest = header(3, EASY_BITS);
    rig.template(10, EASY_BITS);
    let mut template = BlockTemplate::clone(&rig.work().unwrap().block);
    template.previous_block = p2pool_sharechain::ShareHash::of_header(&newest).to_block_hash();
    let template = Arc::new(template);
    let told = |outputs: &[Output]| {
        let told = outputs.iter().filter(|o| matches!(o, Output::SendBestBlock { .. }));
        told.count()
    };
    let outputs = rig.handle(Input::Template(Arc::clone(&template)));
    let block = template.previous_block.to_byte_array();
    assert!(
        outputs.iter().any(|o| matches!(o, Output::LookUpTip { block: asked } if *asked == block))
    );
    let other = rig.handle(Input::TipHeader { header: header(9, EASY_BITS) });
    assert_eq!(told(&other), 0, "not the tip");
    assert_eq!(told(&rig.handle(Input::TipHeader { header: newest })), 2);
    assert_eq!(told(&rig.handle(Input::TipHeader { header: newest })), 0);
    let outputs = rig.handle(Input::Template(template));
    assert!(!outputs.iter().any(|o| matches!(o, Output::LookUpTip { .. })), "known by now");
}

#[test]
fn newer_block_of_a_peer_makes_us_ask_our_own_node_and_nobody_else_is_told() {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, EASY_BITS);
    rig.handle(joined(1, None));
    rig.handle(joined(2, None));
    let work = rig.work().unwrap().sequence;
    let outputs = rig.handle(Input::BestBlock { peer: 1, header: header(1, EASY_BITS) });
    assert!(refreshes(&outputs));
    assert!(!outputs.iter().any(|o| matches!(o, Output::SendBestBlock { .. })), "no circles");
    assert_eq!(rig.work().unwrap().sequence, work, "the work stays as our node gave it");
    let soon = rig.handle(Input::BestBlock { peer: 2, header: header(2, EASY_BITS) });
    assert!(!refreshes(&soon), "not at any rate that peers like");
    rig.advance(Duration::from_secs(3));
    let again = rig.handle(Input::BestBlock { peer: 2, header: header(1, EASY_BITS) });
    assert!(!refreshes(&again), "asked about before");
    assert!(refreshes(&rig.handle(Input::BestBlock { peer: 2, header: header(4, EASY_BITS) })));
}

#[test]
fn header_with_too_little_work_is_ignored_and_one_with_less_than_it_claims_means_a_ban() {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, HARD_BITS);
    rig.handle(joined(1, None));
    let easy = rig.handle(Input::BestBlock { peer: 1, header: header(1, EASY_BITS) });
    assert!(!refreshes(&easy));
    assert!(!easy.iter().any(|output| matches!(output, Output::DropPeer { .. })));
    let mut lie = header(1, EASY_BITS);
    lie[72..76].copy_from_slice(&HARD_BITS.0.to_le_bytes());
    let outputs = rig.handle(Input::BestBlock { peer: 1, header: lie });
    let dropped = outputs.iter().find_map(|output| match output {
        Output::DropPeer { peer, is_ban, reason } => Some((*peer, *is_ban, *reason)),
        _ => None,
    });
    assert_eq!(dropped, Some((1, true, DropReason::BadBlockHeader)));
}
