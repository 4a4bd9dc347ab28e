//! What peers can do to a node, and what not.

mod rig;

use std::time::Duration;

use p2pool_engine::{DropReason, Input, Output};
use p2pool_sharechain::{Params, U256};
use rig::talk::{drops, questions, spoilt};
use rig::{HARD_BITS, Rig, joined, params};

const PAUSE: Duration = Duration::from_secs(10);

fn short() -> Params {
    Params { chain_length: 20, real_chain_length: 20, target_lookbehind: 10, ..params() }
}

fn node(params: &Params, number: usize) -> Rig {
    let mut rig = Rig::new(params.clone(), number);
    rig.template(10, HARD_BITS);
    rig
}

/// A miner on a chain of its own, and a node of the same age that knows nothing.
fn maker_and_victim(shares: usize) -> (Rig, Rig) {
    let mut maker = node(&params(), 0);
    maker.mine_chain(shares, PAUSE);
    let mut victim = node(&params(), 1);
    victim.now = maker.now;
    (maker, victim)
}

#[test]
fn orphans_of_one_peer_end_at_its_credit_and_others_are_still_heard() {
    let (mut maker, mut victim) = maker_and_victim(3);
    victim.handle(joined(1, None));
    victim.handle(joined(2, None));
    let spam = maker.siblings(200);
    victim.push(1, &spam);
    let kept = victim.engine.tracker().len();
    assert!((5..=60).contains(&kept), "{kept} shares kept");
    victim.push(2, &maker.chain()[..1]);
    assert!(victim.engine.tracker().get(maker.chain()[0].hash()).is_some());
    victim.advance(Duration::from_secs(14));
    let before = victim.engine.tracker().len();
    victim.push(1, &spam);
    assert!(victim.engine.tracker().len() <= before + 6, "credit comes back slowly");
}

#[test]
fn good_shares_use_up_no_credit() {
    let (maker, mut victim) = maker_and_victim(150);
    victim.handle(joined(1, None));
    for share in maker.chain().iter().rev() {
        victim.push(1, std::slice::from_ref(share));
    }
    assert_eq!(victim.engine.best(), maker.engine.best());
    assert_eq!(victim.engine.tracker().len(), 150);
}

#[test]
fn too_many_unverified_shares_push_out_the_lightest_chains_never_the_best() {
    let mut maker = node(&short(), 0);
    maker.mine_chain(30, PAUSE);
    let mut victim = node(&short(), 1);
    victim.now = maker.now;
    victim.handle(joined(1, None));
    let mut honest = maker.chain();
    honest.reverse();
    honest.iter().for_each(|share| drop(victim.push(1, std::slice::from_ref(share))));
    assert_eq!(victim.engine.best(), maker.engine.best());

    let mut liar = node(&short(), 2);
    liar.now = maker.now;
    liar.mine_chain(2, PAUSE);
    let spam = liar.siblings(1_300);
    for (peer, shares) in (2..).zip(spam.chunks(50)) {
        victim.handle(joined(peer, None));
        victim.push(peer, shares);
    }
    victim.advance(Duration::from_secs(1));
    let tracker = victim.engine.tracker();
    assert!(tracker.len() <= 30 + 80 + 1_000, "{} shares kept", tracker.len());
    assert_eq!(victim.engine.best(), maker.engine.best());
    assert!(honest.iter().all(|share| tracker.get(share.hash()).is_some()));
}

#[test]
fn bad_share_that_was_pushed_means_a_ban() {
    let (mut maker, mut victim) = maker_and_victim(5);
    victim.handle(joined(1, None));
    victim.handle(joined(2, None));
    let mut chain = maker.chain();
    chain.reverse();
    victim.push(1, &chain);
    let bad = spoilt(&maker.siblings(1)[0], &params());
    let outputs = victim.push(2, std::slice::from_ref(&bad));
    let [(2, true, DropReason::BadShare(_))] = drops(&outputs)[..] else {
        panic!("only the liar, with a ban: {:?}", drops(&outputs));
    };
    assert!(victim.engine.tracker().get(bad.hash()).is_none());
    assert!(drops(&victim.push(2, &[bad])).is_empty(), "it is not heard any longer");
    assert_eq!(victim.engine.best(), maker.engine.best());
}

#[test]
fn bad_shares_in_answers_mean_an_end_but_no_ban() {
    let (mut maker, mut victim) = maker_and_victim(5);
    let good = maker.siblings(4);
    victim.handle(joined(1, None));
    let mut chain = maker.chain();
    chain.reverse();
    victim.push(1, &chain);
    let mut ended = Vec::new();
    for share in good {
        let bad = spoilt(&share, &params());
        let hashes = vec![bad.hash()];
        let outputs = victim.handle(Input::ShareHashes { peer: 1, hashes });
        let Some(question) = questions(&outputs).pop() else { break };
        ended.extend(drops(&victim.handle(question.reply(vec![bad]))));
    }
    assert!(matches!(ended[..], [(1, false, DropReason::BadShare(_))]), "{ended:?}");
}

#[test]
fn share_from_the_future_is_not_kept_and_nobody_is_blamed_for_our_clock() {
    let (mut maker, mut victim) = maker_and_victim(3);
    victim.handle(joined(1, None));
    let mut chain = maker.chain();
    chain.reverse();
    victim.push(1, &chain);
    maker.advance(Duration::from_secs(700));
    maker.template(10, HARD_BITS);
    maker.mine(true);
    let late = maker.chain()[..1].to_vec();
    let outputs = victim.push(1, &late);
    assert!(drops(&outputs).is_empty());
    assert!(victim.engine.tracker().get(late[0].hash()).is_none());
    victim.advance(Duration::from_secs(120));
    victim.push(1, &late);
    assert_eq!(victim.engine.best(), maker.engine.best(), "good when its time has come");
}

#[test]
fn long_history_with_next_to_no_work_is_abandoned_and_its_supplier_let_go() {
    let max_target = (U256::from(1) << 252) - U256::from(1);
    let params = Params {
        chain_length: 120,
        real_chain_length: 120,
        target_lookbehind: 10,
        max_target,
        ..params()
    };
    let mut victim = node(&params, 0);
    for number in 0..150 {
        // At first too quick, so that the target becomes harder.
        victim.advance(if number < 35 { PAUSE / 2 } else { PAUSE });
        let (template, solution) = victim.find_harder_share(U256::ZERO);
        victim.hand_in(template, solution, true);
    }
    let best = victim.engine.best();
    let mut liar = node(&params, 1);
    liar.now.wall.0 = victim.now.wall.0 - 8_000;
    liar.mine_chain(200, Duration::from_secs(40));
    let outputs = victim.handle(joined(1, liar.engine.best()));
    let question = questions(&outputs).remove(0);
    let mut outputs = victim.handle(question.reply(question.answer_of(&liar)));
    let mut fetched = 0;
    let mut ended = Vec::new();
    while let Some(question) = questions(&outputs).pop() {
        let part: Vec<_> = question.answer_of(&liar).into_iter().take(10).collect();
        fetched += part.len();
        outputs = victim.handle(question.reply(part));
        ended.extend(drops(&outputs));
    }
    assert!(fetched <= 130, "{fetched} of 200 shares fetched");
    assert_eq!(ended, [(1, false, DropReason::HopelessHistory)]);
    assert_eq!(victim.engine.best(), best);
    let published = |o: &Output| matches!(o, Output::Publish(None));
    assert!(!victim.outputs.iter().any(published), "the work goes on");
}

#[test]
fn announced_hashes_are_followed_up_at_a_bounded_rate() {
    let (_, mut victim) = maker_and_victim(1);
    victim.handle(joined(1, None));
    let hash = |number: u16| {
        let mut bytes = [1; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        p2pool_sharechain::ShareHash::from_internal(bytes)
    };
    let hashes = (0..1000).map(hash).collect();
    let outputs = victim.handle(Input::ShareHashes { peer: 1, hashes });
    assert!(questions(&outputs).len() <= 64, "{} questions", questions(&outputs).len());
}
