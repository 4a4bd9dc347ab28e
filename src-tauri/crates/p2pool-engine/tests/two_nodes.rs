//! Two engines talking, without sockets.

#![expect(clippy::wildcard_enum_match_arm, reason = "one output is looked for among many")]

mod rig;

use std::time::Duration;

use p2pool_engine::{Input, Output};
use p2pool_wire::message::ShareReq;
use rig::{HARD_BITS, Rig, params};

/// Carries what two engines say to each other until both are quiet.
fn talk(a: &mut Rig, b: &mut Rig, mut from_a: Vec<Output>, mut from_b: Vec<Output>) {
    while !from_a.is_empty() || !from_b.is_empty() {
        for output in core::mem::take(&mut from_a) {
            deliver(output, (a, &mut from_a), (b, &mut from_b));
        }
        for output in core::mem::take(&mut from_b) {
            deliver(output, (b, &mut from_b), (a, &mut from_a));
        }
    }
}

/// Carries one message; what either side has to say to it is added to its own outputs.
fn deliver(
    output: Output,
    (from, again): (&mut Rig, &mut Vec<Output>),
    (to, back): (&mut Rig, &mut Vec<Output>),
) {
    let peer = 1;
    match output {
        Output::SendShares { shares, .. } => back.extend(to.handle(Input::Shares { peer, shares })),
        Output::RequestShares { request, hashes, parents, stops, .. } => {
            let question = ShareReq { id: request, hashes, parents, stops };
            let shares = Some(to.engine.served().answer(&question));
            again.extend(from.handle(Input::ShareReply { peer, request, shares }));
        }
        _ => {}
    }
}

fn join(a: &mut Rig, b: &mut Rig) {
    let from_a = a.handle(rig::joined(1, b.engine.best()));
    let from_b = b.handle(rig::joined(1, a.engine.best()));
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
