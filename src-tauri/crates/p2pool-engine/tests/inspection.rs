//! What pages ask about single shares, and the signs of a pool that goes two ways.

mod rig;

use std::time::Duration;

use p2pool_engine::{Announces, Input, Loaded};
use p2pool_sharechain::{Params, ShareHash};
use rig::talk::spoilt;
use rig::{EASY_BITS, HARD_BITS, Rig, joined, params};

const PAUSE: Duration = Duration::from_secs(10);

fn node(params: Params, number: usize) -> Rig {
    let mut rig = Rig::new(params, number);
    rig.template(10, HARD_BITS);
    rig
}

#[test]
fn details_of_a_share_tell_whence_it_is_and_how_deep() {
    let mut maker = node(params(), 0);
    maker.mine_chain(5, PAUSE);
    let chain = maker.chain();
    let own = maker.engine.share_details(chain[2].hash()).unwrap();
    assert_eq!((own.depth, own.worker.as_deref(), own.sender), (Some(2), Some("rig"), None));
    assert_eq!(own.parent, Some(chain[3].hash()));
    assert_eq!(own.announces, Announces::Nothing);
    assert_eq!((own.version, own.wanted_version), (35, 35));
    assert!(own.is_verified && !own.is_loaded);

    let mut reader = node(params(), 1);
    reader.now = maker.now;
    reader.handle(joined(7, None));
    reader.push(7, &chain);
    let read = reader.engine.share_details(chain[0].hash()).unwrap();
    assert_eq!((read.depth, read.worker, read.sender), (Some(0), None, Some(7)));
    assert_eq!(reader.engine.share_details(ShareHash::from_internal([9; 32])), None);
}

#[test]
fn tree_has_the_chain_and_the_branches_that_lost_beside_it() {
    let mut maker = node(params(), 0);
    maker.mine_chain(80, PAUSE);
    let lost = maker.siblings(3);
    maker.handle(joined(1, None));
    maker.push(1, &lost);
    let tree = maker.engine.share_tree();
    let side: Vec<ShareHash> =
        tree.iter().filter(|share| !share.is_in_chain).map(|share| share.hash).collect();
    assert_eq!(tree.iter().filter(|share| share.is_in_chain).count(), 60);
    assert!(!side.is_empty() && side.iter().all(|hash| lost.iter().any(|s| s.hash() == *hash)));
    let heads: Vec<_> = tree.iter().filter(|share| share.is_head).map(|share| share.hash).collect();
    assert!(side.iter().all(|hash| heads.contains(hash)));
    assert!(heads.contains(&maker.engine.best().unwrap()));
    assert!(tree.is_sorted_by_key(|share| std::cmp::Reverse(share.abs_height)));
}

#[test]
fn tree_of_nothing_is_empty() {
    assert!(Rig::new(params(), 0).engine.share_tree().is_empty());
}

/// A pool that slows down to a third, at a node that hears it all.
fn slowed(members: u64) -> Rig {
    let long = Params { chain_length: 1_200, real_chain_length: 1_200, ..params() };
    let mut rig = node(long.clone(), 0);
    rig.mine_chain(1_080, PAUSE);
    rig.mine_chain(125, PAUSE * 3);
    for (peer, share) in (1..=members).zip(rig.chain()) {
        rig.handle(joined(peer, None));
        rig.push(peer, &[spoilt(&share, &long)]);
    }
    rig
}

#[test]
fn a_slower_pool_beside_refused_shares_of_several_members_may_be_a_split() {
    let mut rig = slowed(3);
    let part = rig.engine.summary().split_part.unwrap();
    assert!((0.2..0.6).contains(&part), "{part}");
    rig.advance(Duration::from_secs(3 * 3600));
    assert_eq!(rig.engine.summary().split_part, None, "that was long ago");
}

#[test]
fn a_slower_pool_alone_is_no_split() {
    assert_eq!(slowed(2).engine.summary().split_part, None);
}

#[test]
fn rounds_are_measured_by_the_work_between_blocks_and_known_after_a_restart() {
    let mut maker = Rig::new(params(), 0);
    maker.template(10, EASY_BITS);
    maker.mine_chain(12, PAUSE);
    let summary = maker.engine.summary();
    assert!(summary.blocks.len() >= 2, "every second hash is a block");
    assert_eq!(summary.blocks[0].round_effort, None, "nobody knows when its round began");
    let measured = summary.blocks[1].round_effort.unwrap();
    assert!(measured > 0.0 && summary.round_effort.is_some_and(|effort| effort >= 0.0));

    // The shares are gone; the blocks are not.
    let blocks = summary.blocks.iter().map(|entry| entry.block.clone()).collect();
    let mut again = Rig::new(params(), 0);
    again.handle(Input::Load(Box::new(Loaded { blocks, ..Loaded::default() })));
    assert_eq!(again.engine.summary().blocks[1].round_effort, Some(measured));
}
