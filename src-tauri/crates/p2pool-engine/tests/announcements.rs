//! Who is told of shares, how, and how often.

mod rig;

use std::time::Duration;

use p2pool_engine::{Input, PeerId};
use p2pool_wire::Services;
use rig::talk::{announced, drops, questions, sent};
use rig::{EASY_BITS, HARD_BITS, Rig, joined, joined_with, params};

const HASHES: Services = Services::SHARE_HASHES;

fn thrifty() -> Services {
    Services::SHARE_HASHES | Services::WANTS_SHARE_HASHES
}

fn node(number: usize) -> Rig {
    let mut rig = Rig::new(params(), number);
    rig.template(10, HARD_BITS);
    rig
}

#[test]
fn peers_that_want_hashes_get_hashes_and_the_others_shares() {
    let mut rig = node(0);
    rig.handle(joined_with(1, Services::NONE));
    rig.handle(joined_with(2, HASHES));
    rig.handle(joined_with(3, thrifty()));
    rig.handle(joined_with(4, Services::WANTS_SHARE_HASHES));
    rig.mine(true);
    let outputs = rig.store_everything();
    let best = rig.engine.best().unwrap();
    for whole in [1, 2, 4] {
        assert_eq!((sent(&outputs, whole), announced(&outputs, whole)), (vec![best], vec![]));
    }
    assert_eq!((sent(&outputs, 3), announced(&outputs, 3)), (vec![], vec![best]));
}

#[test]
fn thrifty_node_announces_to_all_who_understand_it() {
    let mut rig = Rig::low_bandwidth(params(), 0);
    rig.template(10, HARD_BITS);
    rig.handle(joined_with(1, Services::NONE));
    rig.handle(joined_with(2, HASHES));
    rig.mine(true);
    let outputs = rig.store_everything();
    let best = rig.engine.best().unwrap();
    assert_eq!((sent(&outputs, 1), announced(&outputs, 2)), (vec![best], vec![best]));
    assert!(sent(&outputs, 2).is_empty());
}

#[test]
fn share_goes_to_each_peer_once_and_never_back_to_who_has_it() {
    let (mut maker, mut rig) = (node(0), node(1));
    maker.mine_chain(1, Duration::from_secs(10));
    rig.now = maker.now;
    for peer in 1..=4 {
        rig.handle(joined_with(peer, HASHES));
    }
    let share = maker.chain();
    rig.handle(Input::ShareHashes { peer: 2, hashes: vec![share[0].hash()] });
    let outputs = rig.push(1, &share);
    let told = |outputs: &[p2pool_engine::Output]| -> Vec<PeerId> {
        (1..=4).filter(|peer| !sent(outputs, *peer).is_empty()).collect()
    };
    assert_eq!(told(&outputs), [3, 4], "one sent it, another announced it");
    assert!(told(&rig.push(3, &share)).is_empty());
    assert!(told(&rig.advance(Duration::from_secs(10))).is_empty());
}

#[test]
fn announced_share_is_fetched_once_and_from_the_next_who_has_it_if_need_be() {
    let (mut maker, mut rig) = (node(0), node(1));
    maker.mine_chain(1, Duration::from_secs(10));
    rig.now = maker.now;
    for peer in 1..=3 {
        rig.handle(joined_with(peer, HASHES));
    }
    let share = maker.chain();
    let hashes = vec![share[0].hash()];
    let first = rig.handle(Input::ShareHashes { peer: 1, hashes: hashes.clone() });
    let [question] = &questions(&first)[..] else { panic!("it is wanted") };
    assert_eq!((question.peer, question.parents, &question.hashes), (1, 0, &hashes));
    let second = rig.handle(Input::ShareHashes { peer: 2, hashes: hashes.clone() });
    assert!(questions(&second).is_empty(), "it is on its way");
    let outputs = rig.advance(Duration::from_secs(15));
    assert_eq!(drops(&outputs).len(), 1);
    let [question] = &questions(&outputs)[..] else { panic!("the next one") };
    assert_eq!(question.peer, 2);
    let outputs = rig.handle(question.reply(share));
    assert_eq!(rig.engine.best(), Some(hashes[0]));
    assert_eq!(sent(&outputs, 3), hashes);
    let again = rig.handle(Input::ShareHashes { peer: 3, hashes });
    assert!(questions(&again).is_empty(), "known");
}

#[test]
fn solution_of_a_block_goes_out_whole_at_once_and_again_to_who_came_since() {
    let mut rig = Rig::low_bandwidth(params(), 0);
    rig.template(10, EASY_BITS);
    rig.handle(joined_with(1, thrifty()));
    let outputs = rig.mine(true);
    let best = rig.engine.best().unwrap();
    assert_eq!(sent(&outputs, 1), [best], "no time for hashes, or for storage");
    rig.handle(joined(2, None));
    let outputs = rig.advance(Duration::from_secs(5));
    assert_eq!((sent(&outputs, 1), sent(&outputs, 2)), (vec![], vec![best]));
    assert!(sent(&rig.advance(Duration::from_secs(5)), 2).is_empty());
}
