//! Two engines talking, without sockets.

#![expect(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

mod rig;

use std::time::Duration;

use p2pool_engine::{Input, Output};
use rig::{HARD_BITS, Rig, params};

/// Carries what two engines say to each other until both are quiet.
fn talk(a: &mut Rig, b: &mut Rig, mut from_a: Vec<Output>, mut from_b: Vec<Output>) {
    while !from_a.is_empty() || !from_b.is_empty() {
        let next_b = from_a.drain(..).flat_map(|output| deliver(b, output)).collect();
        let next_a = from_b.drain(..).flat_map(|output| deliver(a, output)).collect();
        (from_a, from_b) = (next_a, next_b);
    }
}

fn deliver(to: &mut Rig, output: Output) -> Vec<Output> {
    let peer = 1;
    match output {
        Output::SendShares { shares, .. } => to.handle(Input::Shares { peer, shares }),
        Output::RequestShares { request, hashes, parents, stops, .. } => {
            to.handle(Input::ShareRequest { peer, request, hashes, parents, stops })
        }
        Output::ReplyShares { request, shares, .. } => {
            to.handle(Input::ShareReply { peer, request, shares: Some(shares) })
        }
        _ => Vec::new(),
    }
}

fn join(a: &mut Rig, b: &mut Rig) {
    let from_a = a.handle(Input::PeerJoined { peer: 1, best_share: b.engine.best() });
    let from_b = b.handle(Input::PeerJoined { peer: 1, best_share: a.engine.best() });
    talk(a, b, from_a, from_b);
}

#[test]
fn newcomer_learns_the_whole_chain() {
    let (mut old, mut new) = (Rig::new(params(), 0), Rig::new(params(), 1));
    for rig in [&mut old, &mut new] {
        rig.template(10, HARD_BITS);
    }
    for _ in 0..120 {
        old.advance(Duration::from_secs(10));
        old.mine(true);
    }
    new.now = old.now;
    join(&mut old, &mut new);
    assert_eq!(new.engine.tracker().len(), 120);
    assert_eq!(new.engine.best(), old.engine.best());
}

#[test]
fn two_miners_agree_and_pay_each_other() {
    let (mut a, mut b) = (Rig::new(params(), 0), Rig::new(params(), 1));
    for rig in [&mut a, &mut b] {
        rig.template(10, HARD_BITS);
    }
    join(&mut a, &mut b);
    for round in 0..40 {
        let from_a = a.advance(Duration::from_secs(10));
        let from_b = b.advance(Duration::from_secs(10));
        talk(&mut a, &mut b, from_a, from_b);
        let (miner, other) = if round % 2 == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
        let mut outputs = miner.mine(true);
        outputs.extend(miner.store_everything());
        talk(miner, other, outputs, Vec::new());
        assert_eq!(a.engine.best(), b.engine.best());
    }
    let payees = a.engine.summary().payouts_now;
    assert_eq!(payees.len(), 3, "both miners, and dust to the donation script: {payees:?}");
    assert_eq!(payees.iter().map(|(_, sats)| sats).sum::<u64>(), 5_000_000_000);
}
