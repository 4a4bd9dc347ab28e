//! Bitcoin nodes that die and return, and blocks that the pool finds.

use std::time::Duration;

use p2pool_sharechain::change::BlockStatus;

use crate::seed;
use crate::world::{Scenario, World};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn half_of_the_bitcoin_nodes_may_die() {
    let mut world = World::new(Scenario { seed: seed(41), nodes: 16, ..Scenario::default() });
    world.run_for(MINUTE * 10);
    for node in 0..8 {
        world.kill_bitcoind(node);
    }
    world.run_for(MINUTE * 15);
    for node in 0..16 {
        assert_eq!(world.has_work(node), node >= 8, "node {node}");
    }
    world.run_for(MINUTE * 15);
    assert!(world.run_until(MINUTE * 2, World::agrees), "{:?}", world.bests());
    for node in 0..8 {
        world.revive_bitcoind(node);
        assert!(world.has_work(node), "node {node}");
    }
    world.run_for(MINUTE * 10);
    world.settle(MINUTE * 2);
}

#[test]
fn found_block_is_handed_in_at_once_and_everybody_knows() {
    let mut world = World::new(Scenario { seed: seed(42), nodes: 10, ..Scenario::default() });
    world.run_for(MINUTE * 5);
    let block = world.find_block(2);
    assert!(world.nodes[2].bitcoind.handed_in.contains(&block));
    world.run_for(MINUTE * 2);
    for node in &world.nodes {
        let known = node.disk.blocks.get(&block).expect("a pool's block is known to the pool");
        assert_eq!(known.status, BlockStatus::Accepted);
    }
    world.settle(MINUTE * 2);
}

#[test]
fn found_block_survives_a_crash_and_a_dead_bitcoin_node() {
    let mut world = World::new(Scenario { seed: seed(43), nodes: 6, ..Scenario::default() });
    world.run_for(MINUTE * 5);
    world.kill_bitcoind(2);
    let block = world.find_block(2);
    world.run_for(Duration::from_secs(1));
    world.stop(2, crate::world::End::Killed);
    world.run_for(Duration::from_secs(20));
    world.start(2);
    world.revive_bitcoind(2);
    world.run_for(Duration::from_secs(1));
    assert!(world.nodes[2].bitcoind.handed_in.contains(&block), "it was on the disk");
    world.run_for(MINUTE);
    world.settle(MINUTE * 2);
}

#[test]
fn block_reaches_every_bitcoin_node_though_the_finders_own_is_dead() {
    let mut world = World::new(Scenario { seed: seed(44), nodes: 14, ..Scenario::default() });
    // The finder knows transactions before the others do.
    for (number, node) in world.nodes.iter_mut().enumerate() {
        node.bitcoind.transaction_lag = Duration::from_secs(if number == 2 { 0 } else { 60 });
    }
    world.run_for(MINUTE * 5);
    // Nobody hears of a block from the Bitcoin network in time.
    for node in &mut world.nodes {
        node.bitcoind.lag = MINUTE * 60;
    }
    world.kill_bitcoind(2);
    let block = world.find_block(2);
    world.run_for(Duration::from_secs(10));
    for (number, node) in world.nodes.iter().enumerate() {
        assert_eq!(node.bitcoind.handed_in.contains(&block), number != 2, "node {number}");
    }
    let fetched = world.measure.bytes.get("blocktxn").copied().unwrap_or_default();
    assert!(fetched > 0, "transactions that some did not know were fetched");
    world.judge_bans();
}
