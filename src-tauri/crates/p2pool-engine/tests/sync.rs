//! Asking for what is missing: whom, how much, and when to stop.

mod rig;

use std::time::Duration;

use p2pool_engine::{DropReason, Input, SyncProgress, WhyNoWork};
use p2pool_sharechain::Params;
use rig::talk::{drops, questions};
use rig::{HARD_BITS, Rig, joined, params};

const PAUSE: Duration = Duration::from_secs(10);

/// A node that knows a chain of so many shares, and one of the same age that knows nothing.
fn old_and_new(params: &Params, shares: usize) -> (Rig, Rig) {
    let mut old = Rig::new(params.clone(), 0);
    old.template(10, HARD_BITS);
    old.mine_chain(shares, PAUSE);
    let mut new = Rig::new(params.clone(), 1);
    new.now = old.now;
    new.template(10, HARD_BITS);
    (old, new)
}

#[test]
fn history_comes_in_few_answers_as_long_as_they_may_be() {
    let (old, mut new) = old_and_new(&params(), 1_800);
    let mut open = questions(&new.handle(joined(1, old.engine.best())));
    let mut parents = Vec::new();
    while let Some(question) = open.pop() {
        parents.push(question.parents);
        open.extend(questions(&new.handle(question.reply(question.answer_of(&old)))));
    }
    assert_eq!(new.engine.best(), old.engine.best());
    assert_eq!(parents, [0, 500, 1000, 1000], "the best share, then as much as quick answers hold");
}

#[test]
fn silent_peer_is_dropped_and_another_is_asked() {
    let (old, mut new) = old_and_new(&params(), 10);
    new.handle(joined(1, None));
    new.handle(joined(2, None));
    let outputs = new.push(1, &old.chain()[..1]);
    let [question] = &questions(&outputs)[..] else { panic!("one is missing") };
    assert_eq!(question.peer, 1, "who sent the child should have the parent");
    let outputs = new.advance(Duration::from_secs(15));
    assert_eq!(drops(&outputs), [(1, false, DropReason::Silent)]);
    let [question] = &questions(&outputs)[..] else { panic!("still missing") };
    assert_eq!(question.peer, 2);
    let late = new.handle(question.reply(question.answer_of(&old)));
    assert!(drops(&late).is_empty());
    assert_eq!(new.engine.best(), old.engine.best());
}

#[test]
fn share_that_nobody_has_is_given_up_with_all_that_stands_on_it() {
    let (old, mut new) = old_and_new(&params(), 10);
    for peer in 1..=9 {
        new.handle(joined(peer, None));
    }
    let mut open = questions(&new.push(1, &old.chain()[..3]));
    let mut asked = Vec::new();
    while let Some(question) = open.pop() {
        asked.push(question.peer);
        open.extend(questions(&new.handle(question.reply(Vec::new()))));
    }
    assert_eq!(asked[0], 1);
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 6, "six peers, each once");
    assert!(new.engine.tracker().is_empty());
    assert!(questions(&new.advance(Duration::from_secs(5))).is_empty(), "no further questions");
    // It is not forgotten for good.
    let outputs = new.handle(joined(10, old.engine.best()));
    let question = questions(&outputs).remove(0);
    let outputs = new.handle(question.reply(question.answer_of(&old)));
    let question = questions(&outputs).remove(0);
    new.handle(question.reply(question.answer_of(&old)));
    assert_eq!(new.engine.best(), old.engine.best());
}

#[test]
fn answer_counts_only_as_far_as_it_was_asked_for() {
    let (old, mut new) = old_and_new(&params(), 30);
    let (other, _) = old_and_new(&params(), 5);
    let open = questions(&new.handle(joined(1, old.engine.best())));
    let mut shares = open[0].answer_of(&old);
    shares.extend(other.chain());
    shares.extend(old.chain()[1..].iter().cloned());
    let outputs = new.handle(open[0].reply(shares));
    assert_eq!(new.engine.tracker().len(), 1, "one was asked for");
    let question = questions(&outputs).remove(0);
    let stranger = Input::ShareReply {
        peer: 2,
        request: question.request,
        shares: Some(question.answer_of(&old)),
    };
    new.handle(stranger);
    assert_eq!(new.engine.tracker().len(), 1, "this peer was not asked");
}

#[test]
fn node_that_is_behind_gives_out_no_work_and_says_how_far_it_is() {
    let params = Params { needs_peers: true, chain_length: 60, real_chain_length: 60, ..params() };
    let (old, _) = old_and_new(&Params { needs_peers: false, ..params.clone() }, 130);
    let mut new = Rig::new(params, 1);
    new.now = old.now;
    new.template(10, HARD_BITS);
    assert_eq!(new.engine.why_no_work(), Some(WhyNoWork::NoPeers));
    let outputs = new.handle(joined(1, old.engine.best()));
    assert_eq!(new.engine.why_no_work(), Some(WhyNoWork::CatchingUp));
    let question = questions(&outputs).remove(0);
    let outputs = new.handle(question.reply(question.answer_of(&old)));
    let question = questions(&outputs).remove(0);
    let part = question.answer_of(&old)[..29].to_vec();
    let outputs = new.handle(question.reply(part));
    let progress = SyncProgress { known: 30, wanted: 61, is_done: false };
    assert_eq!(new.engine.summary().sync, progress);
    assert!(new.work().is_none());
    let question = questions(&outputs).remove(0);
    new.handle(question.reply(question.answer_of(&old)));
    assert_eq!(new.engine.why_no_work(), None);
    assert!(new.work().is_some() && new.engine.summary().sync.is_done);
}

#[test]
fn claims_that_never_come_true_cannot_keep_a_node_from_work() {
    let params = Params { needs_peers: true, ..params() };
    let (old, _) = old_and_new(&Params { needs_peers: false, ..params.clone() }, 10);
    let mut new = Rig::new(params, 1);
    new.now = old.now;
    new.template(10, HARD_BITS);
    let question = questions(&new.handle(joined(1, old.engine.best()))).remove(0);
    let liar = |rig: &mut Rig, peer: u64| {
        let claim = p2pool_sharechain::ShareHash::from_internal([peer as u8; 32]);
        rig.handle(joined(peer, Some(claim)));
    };
    liar(&mut new, 2);
    let outputs = new.handle(question.reply(question.answer_of(&old)));
    let question = questions(&outputs).remove(0);
    new.handle(question.reply(question.answer_of(&old)));
    assert_eq!(new.engine.best(), old.engine.best());
    assert_eq!(new.engine.why_no_work(), Some(WhyNoWork::CatchingUp));
    for peer in 3..=12 {
        new.advance(Duration::from_secs(12));
        liar(&mut new, peer);
    }
    assert_eq!(new.engine.why_no_work(), None);
    assert!(new.work().is_some());
}
