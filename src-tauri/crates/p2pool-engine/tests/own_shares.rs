//! What happens to the finds of a node's own miners.

#![expect(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{Event, Input, Loaded, LoadedShare, Output};
use p2pool_sharechain::change::BlockStatus;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::{CheckedShare, Params};
use rig::{EASY_BITS, HARD_BITS, Rig, params};

fn with_peer() -> Rig {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, HARD_BITS);
    rig.handle(rig::joined(1, None));
    rig
}

fn sends_shares(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::SendShares { .. }))
}

#[test]
fn own_share_is_relayed_once_it_is_stored_and_only_once() {
    let mut rig = with_peer();
    let outputs = rig.mine(true);
    assert!(
        outputs
            .iter()
            .any(|o| matches!(o, Output::Persist { changes, .. } if changes.added.len() == 1))
    );
    assert!(!sends_shares(&outputs), "not stored yet");
    assert!(sends_shares(&rig.store_everything()));
    assert!(!sends_shares(&rig.advance(Duration::from_secs(10))));
}

#[test]
fn slow_storage_does_not_cost_the_share() {
    let mut rig = with_peer();
    assert!(!sends_shares(&rig.mine(true)));
    let outputs = rig.advance(Duration::from_millis(200));
    assert!(sends_shares(&outputs));
    assert!(outputs.iter().any(|o| matches!(o, Output::Event(Event::StorageSlow))));
}

#[test]
fn block_leaves_at_once_in_all_directions() {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, EASY_BITS);
    rig.handle(rig::joined(1, None));
    let outputs = rig.mine(true);
    assert!(outputs.iter().any(|o| matches!(o, Output::SubmitBlock { .. })));
    assert!(sends_shares(&outputs));
    let stored = outputs.iter().find_map(|output| match output {
        Output::Persist { changes, .. } => changes.blocks.first(),
        _ => None,
    });
    let block = stored.expect("the block is stored in the same step");
    assert_eq!(block.status, BlockStatus::Submitting);
    assert_eq!(block.payouts.iter().map(|(_, sats)| sats).sum::<u64>(), 5_000_000_000);
}

#[test]
fn unanswered_block_is_handed_in_again_after_a_restart() {
    let mut rig = Rig::new(params(), 0);
    rig.template(10, EASY_BITS);
    let outputs = rig.mine(true);
    let blocks = outputs
        .iter()
        .find_map(|output| match output {
            Output::Persist { changes, .. } => Some(changes.blocks.clone()),
            _ => None,
        })
        .expect("the block is stored");
    let mut again = Rig::new(params(), 0);
    let loaded = Loaded { blocks, ..Loaded::default() };
    let outputs = again.handle(Input::Load(Box::new(loaded)));
    assert!(outputs.iter().any(|o| matches!(o, Output::SubmitBlock { .. })));
}

#[test]
fn stored_shares_give_the_same_best_share_and_are_not_sent_again() {
    let mut rig = with_peer();
    let mut shares = Vec::new();
    for _ in 0..12 {
        rig.advance(Duration::from_secs(3));
        for output in rig.mine(true) {
            if let Output::Persist { changes, .. } = output {
                shares.extend(changes.added);
            }
        }
    }
    let load = |is_verified| {
        let share = |stored: &p2pool_sharechain::change::StoredShare| LoadedShare {
            share: Arc::new(CheckedShare::parse(&stored.raw, &params()).expect("own shares parse")),
            is_verified,
        };
        let shares = shares.iter().map(share).collect();
        let mut again = Rig::new(params(), 0);
        again.now = rig.now;
        again.handle(rig::joined(1, None));
        let outputs = again.handle(Input::Load(Box::new(Loaded { shares, ..Loaded::default() })));
        assert!(!sends_shares(&outputs));
        again.engine.best()
    };
    assert_eq!(shares.len(), 12);
    assert_eq!(load(true), rig.engine.best());
    assert_eq!(load(false), rig.engine.best(), "checked again from scratch");
}

#[test]
fn late_share_is_kept_and_announced_once() {
    let mut rig = with_peer();
    // Near the first share the last five do not count, and the earliest head wins.
    for _ in 0..10 {
        rig.advance(Duration::from_secs(3));
        rig.mine(true);
    }
    let (template, solution) = rig.find_share();
    let late = template.grade(&solution).hash;
    rig.advance(Duration::from_secs(3));
    rig.mine(true);
    rig.advance(Duration::from_secs(1));
    rig.hand_in(template, solution, false);
    for _ in 0..4 {
        rig.advance(Duration::from_secs(3));
        rig.mine(true);
    }
    let chain: Vec<_> = rig.engine.tracker().chain(rig.engine.best()).collect();
    let notices: Vec<StaleInfo> = chain
        .iter()
        .map(|known| known.share.share().info.data.stale_info)
        .filter(|info| info.is_stale())
        .collect();
    assert!(rig.engine.tracker().get(late).is_some());
    assert!(chain.iter().all(|known| known.share.hash() != late));
    assert_eq!(notices, [StaleInfo::DEAD_ON_ARRIVAL]);
}

#[test]
fn node_that_must_not_be_alone_gives_out_no_work_alone() {
    let mut rig = Rig::new(Params { needs_peers: true, ..params() }, 0);
    rig.template(10, HARD_BITS);
    assert!(rig.work().is_none());
    rig.handle(rig::joined(1, None));
    assert!(rig.work().is_none(), "a peer alone is not enough: there is no best share");
}

#[test]
fn same_inputs_and_seed_give_the_same_outputs() {
    let run = || {
        let mut rig = with_peer();
        for _ in 0..5 {
            rig.advance(Duration::from_secs(7));
            rig.mine(true);
            rig.store_everything();
        }
        format!("{:?}", rig.outputs)
    };
    assert_eq!(run(), run());
}
