//! Whatever strangers do, honest nodes go on agreeing, keep to their bounds, and do not turn
//! against each other.

use std::time::Duration;

use p2pool_wire::Message;
use p2pool_wire::message::RawShare;

use crate::seed;
use crate::world::strangers::{
    Asker, Babbler, Behaviour, FakeHistory, FutureMiner, Poisoner, Repeater, SlowReader, Spammer,
    Withholder,
};
use crate::world::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

/// A network of twelve nodes that has been running for a while.
fn network(seed: u64) -> World {
    let scenario =
        Scenario { seed, nodes: 12, history: 130, share_period: 15, ..Scenario::default() };
    let mut world = World::new(scenario);
    world.run_for(MINUTE * 2);
    world
}

/// Ten minutes later all is well, and the strangers have cost the pool no work.
fn endures(mut world: World) -> World {
    world.run_for(MINUTE * 10);
    world.settle(MINUTE * 2);
    let fates = world.fates();
    assert!(fates.in_chain >= 25 && fates.orphan <= 4, "{fates:?}");
    world.judge_company();
    world
}

#[test]
fn garbage_is_survived() {
    let mut world = network(seed(61));
    for _ in 0..4 {
        let prefix = world.params.prefix;
        world.add_stranger(Box::new(Babbler { prefix }));
    }
    endures(world);
}

#[test]
fn floods_of_true_messages_are_survived() {
    let mut world = network(seed(62));
    let messages = [
        Message::Ping,
        Message::Shares(vec![]),
        Message::ShareHashes(vec![p2pool_sharechain::ShareHash::from_internal([3; 32]); 100]),
        Message::Shares(vec![RawShare { version: 99, contents: vec![0; 600] }]),
        Message::HaveTx(vec![[7; 32]; 50]),
    ];
    for message in messages {
        world.add_stranger(Box::new(Repeater { message, connections: Vec::new() }));
    }
    endures(world);
}

#[test]
fn questions_without_end_are_answered_at_a_bearable_rate() {
    let mut world = network(seed(63));
    for _ in 0..2 {
        world.add_stranger(Box::new(Asker::default()));
    }
    endures(world);
}

#[test]
fn readers_that_do_not_read_are_let_go() {
    let mut world = network(seed(64));
    for _ in 0..3 {
        world.add_stranger(Box::new(SlowReader));
    }
    let world = endures(world);
    // What a node stops reading at, and one answer.
    assert!(world.bytes_waiting() < 9 << 20, "{} bytes wait", world.bytes_waiting());
    let for_long = world.complaints.iter().filter(|fault| fault.reason == "takes nothing");
    assert!(for_long.count() > 50);
}

#[test]
fn fake_history_convinces_nobody() {
    let mut world = network(seed(65));
    let fake = FakeHistory::new(&mut world, 400);
    let claimed = fake.best().expect("it is long");
    world.add_stranger(Box::new(fake));
    let world = endures(world);
    for engine in world.engines() {
        let tracker = engine.tracker();
        let best = engine.best().expect("all build on something");
        assert!(!tracker.is_ancestor(claimed, best));
    }
}

#[test]
fn withheld_parents_are_given_up() {
    let mut world = network(seed(66));
    for answers in [true, false] {
        world.add_stranger(Box::new(Withholder { answers }));
    }
    endures(world);
}

#[test]
fn spam_of_parentless_shares_is_survived() {
    let mut world = network(seed(67));
    for _ in 0..3 {
        world.add_stranger(Box::new(Spammer::default()));
    }
    endures(world);
}

#[test]
fn shares_from_the_future_are_not_built_on() {
    let mut world = network(seed(68));
    world.add_stranger(Box::new(FutureMiner));
    let world = endures(world);
    // The clock that is wrong may be ours.
    assert!(!world.complaints.iter().any(|fault| fault.is_ban), "{:?}", world.complaints);
}

#[test]
fn invented_addresses_do_not_displace_true_ones() {
    let mut world = network(seed(69));
    for _ in 0..2 {
        world.add_stranger(Box::new(Poisoner::default()));
    }
    endures(world);
}

#[test]
fn all_of_them_together_are_survived() {
    let mut world = network(seed(70));
    let prefix = world.params.prefix;
    let fake = FakeHistory::new(&mut world, 300);
    let strangers: Vec<Box<dyn Behaviour>> = vec![
        Box::new(Babbler { prefix }),
        Box::new(Asker::default()),
        Box::new(SlowReader),
        Box::new(fake),
        Box::new(Withholder { answers: true }),
        Box::new(Spammer::default()),
        Box::new(FutureMiner),
        Box::new(Poisoner::default()),
    ];
    for stranger in strangers {
        world.add_stranger(stranger);
    }
    world.churn_for(MINUTE * 5, MINUTE);
    endures(world);
}
