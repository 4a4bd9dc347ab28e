//! Shares, members, blocks and payments, as the window lists them.

use std::sync::Arc;

use p2pool_app::api::{LatestKind, MarkKind, Party, PayoutState, ProblemCode};
use p2pool_node::{Event, NodeEventKind, PoolBlock, WindowShare};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_sharechain::params::DONATION_SCRIPT;
use p2pool_sharechain::time::UnixTime;

use crate::world::{BEGIN, ME, MY_SCRIPT, SIMULATED, World, share};

fn hash(number: u8) -> ShareHash {
    ShareHash::from_internal([number; 32])
}

/// A block of 50 coins: a fifth for me, a satoshi for the donation, the rest for others.
fn block(number: u8, status: BlockStatus, confirmations: u32) -> PoolBlock {
    let others = [0x6a; 4].to_vec();
    PoolBlock {
        block: FoundBlock {
            hash: hash(number),
            height: u32::from(number),
            found_at: UnixTime(BEGIN + u64::from(number)),
            own: false,
            status,
            reason: (status == BlockStatus::Rejected).then(|| "bad-cb-amount".to_owned()),
            raw: None,
            payouts: vec![
                (MY_SCRIPT.to_vec(), 1_000_000_000),
                (others, 3_999_999_999),
                (DONATION_SCRIPT.to_vec(), 1),
            ],
            txid: Some([number; 32]),
            paid_heights: None,
            standing: None,
        },
        confirmations,
        round_effort: None,
    }
}

#[tokio::test(start_paused = true)]
async fn found_share_is_listed_with_its_own_difficulty() {
    let (mut world, node) = World::mining().await;
    let found = Event::ShareFound { hash: hash(1), worker: "cpu".into(), is_on_time: true };
    node.tell(BEGIN + 3, NodeEventKind::Chain(found));
    node.set_chain(|chain| {
        let share = WindowShare { difficulty: 0.007, ..share(1, ME) };
        (chain.window, chain.own_found, chain.own_in_chain) = (vec![share], 1, 1);
    });
    let expected = LatestKind::ShareFound { difficulty: 0.007 };
    world.window.until(|shown| shown.events[0].what == expected).await;
    world.window.until(|shown| shown.shares.mine_total == 1).await;
    let marks = &world.window.shown.shares.marks;
    assert_eq!(marks.iter().map(|mark| mark.kind).collect::<Vec<_>>(), [MarkKind::Good]);
}

#[tokio::test(start_paused = true)]
async fn late_share_and_one_that_left_at_once_are_listed_too() {
    let (mut world, node) = World::mining().await;
    for (number, is_on_time) in [(1, false), (2, true)] {
        let worker = "cpu".to_owned();
        let found = Event::ShareFound { hash: hash(number), worker, is_on_time };
        node.tell(BEGIN, NodeEventKind::Chain(found));
    }
    world.window.until(|shown| shown.events[0].what == LatestKind::ShareLate).await;
    let present = LatestKind::ShareFound { difficulty: 0.005 };
    world.window.until(|shown| shown.events[0].what == present).await;
}

#[tokio::test(start_paused = true)]
async fn window_says_who_is_in_it() {
    let (mut world, node) = World::mining().await;
    node.set_chain(|chain| {
        let heavy = WindowShare { difficulty: 0.015, ..share(3, SIMULATED) };
        chain.window = vec![share(1, ME), share(2, "mvBest"), heavy];
        chain.height = 3;
    });
    world.window.until(|shown| shown.shares.window_shares == 3).await;
    let shares = &world.window.shown.shares;
    let percent = |part: f64| (part * 100.0).round();
    let rows = shares.members.iter().map(|row| (row.party, row.shares, percent(row.part)));
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows[0], (Party::Simulated { number: 1 }, 1, 60.0));
    assert!(rows.contains(&(Party::Me, 1, 20.0)));
    assert!(rows.contains(&(Party::Member, 1, 20.0)));
    // Three blocks' worth of work at difficulty 0.005 would be 600 shares; the rules say 360.
    assert_eq!((shares.mine_in_window, shares.window_shares_max), (1, 360));
}

#[tokio::test(start_paused = true)]
async fn window_that_sheds_shares_is_full() {
    let (mut world, node) = World::mining().await;
    node.set_chain(|chain| {
        chain.window = vec![share(1, ME), share(2, SIMULATED)];
        chain.height = 40;
        chain.verified_height = 40;
    });
    world.window.until(|shown| shown.shares.window_shares_max == 2).await;
    world.window.until(|shown| shown.hero.leaves_window_secs == Some(20.0)).await;
}

#[tokio::test(start_paused = true)]
async fn pool_block_is_listed_with_finder_and_payment_and_matures() {
    let (mut world, node) = World::mining().await;
    let accepted = Event::BlockAccepted { hash: hash(9), height: 9 };
    node.tell(BEGIN + 9, NodeEventKind::Chain(accepted));
    node.set_chain(|chain| {
        chain.window = vec![WindowShare { is_block: true, ..share(9, SIMULATED) }];
        chain.blocks = vec![block(9, BlockStatus::Accepted, 3)];
    });
    let found_by = Party::Simulated { number: 1 };
    let mine_sats = Some(p2pool_app::api::Sats(1_000_000_000));
    let line = LatestKind::PoolBlock { height: 9, found_by, mine_sats };
    world.window.until(|shown| shown.events[0].what == line).await;
    world.window.until(|shown| shown.payouts.rows.len() == 1).await;

    let payouts = &world.window.shown.payouts;
    let row = &payouts.rows[0];
    assert_eq!((payouts.mine_total_sats.0, row.found_by), (1_000_000_000, found_by));
    let PayoutState::Maturing { confirmations: 3, needed: 100, left_secs: Some(left_secs) } =
        row.state
    else {
        panic!("{:?}", row.state);
    };
    // 97 blocks, 46.684 s each.
    assert!((left_secs - 4_528.3).abs() < 1.0, "{left_secs}");
    assert_eq!((row.mine_part, row.is_sum_exact, row.fees_sats.0), (Some(0.2), true, 0));
    let payees: Vec<_> = row.payees.iter().map(|payee| (payee.party, payee.sats.0)).collect();
    let expected =
        [(Party::Member, 3_999_999_999), (Party::Me, 1_000_000_000), (Party::Donation, 1)];
    assert_eq!(payees, expected);
    assert_eq!(row.payees[1].address.as_deref(), Some(ME));

    // The finder is remembered after its share has left the window.
    node.set_chain(|chain| {
        chain.window.clear();
        chain.blocks = vec![block(9, BlockStatus::Mature, 100)];
    });
    world.window.until(|shown| shown.payouts.rows[0].state == PayoutState::Spendable).await;
    assert_eq!(world.window.shown.payouts.rows[0].found_by, found_by);
    let mine_sats = p2pool_app::api::Sats(1_000_000_000);
    let spendable = LatestKind::PaymentSpendable { height: 9, mine_sats };
    assert_eq!(world.window.lines()[0], &spendable);
}

#[tokio::test(start_paused = true)]
async fn block_that_pays_too_little_is_shown_as_such() {
    let (mut world, node) = World::mining().await;
    let mut short = block(9, BlockStatus::Accepted, 1);
    short.block.payouts[0].1 -= 1;
    node.set_chain(|chain| chain.blocks = vec![short]);
    world.window.until(|shown| shown.payouts.rows.len() == 1).await;
    assert!(!world.window.shown.payouts.rows[0].is_sum_exact);
}

#[tokio::test(start_paused = true)]
async fn refused_block_is_a_problem_with_the_reason_and_pays_nobody() {
    let (mut world, node) = World::mining().await;
    node.set_chain(|chain| chain.blocks = vec![block(9, BlockStatus::Rejected, 0)]);
    world.window.until(|shown| !shown.problems.is_empty()).await;
    assert_eq!(world.window.codes(), [ProblemCode::BlockRefused]);
    assert_eq!(world.window.shown.problems[0].values["reason"], "bad-cb-amount");
    world.window.until(|shown| shown.payouts.rows.len() == 1).await;
    let payouts = &world.window.shown.payouts;
    assert_eq!((payouts.rows[0].state, payouts.mine_total_sats.0), (PayoutState::Refused, 0));
}

#[tokio::test(start_paused = true)]
async fn lost_block_leaves_the_total() {
    let (mut world, node) = World::mining().await;
    let blocks = |status| vec![block(8, BlockStatus::Accepted, 2), block(9, status, 1)];
    node.set_chain(|chain| chain.blocks = blocks(BlockStatus::Accepted));
    world.window.until(|shown| shown.payouts.mine_total_sats.0 == 2_000_000_000).await;
    node.set_chain(|chain| chain.blocks = blocks(BlockStatus::Orphaned));
    world.window.until(|shown| shown.payouts.mine_total_sats.0 == 1_000_000_000).await;
    let rows = &world.window.shown.payouts.rows;
    assert_eq!((rows[0].height, rows[0].state), (9, PayoutState::Lost));
}

#[tokio::test(start_paused = true)]
async fn rates_and_effort_are_those_of_the_formulas() {
    let (mut world, node) = World::mining().await;
    node.set(|node| Arc::make_mut(&mut node.miners).work_since_share = 0.0025 * 4_294_967_296.0);
    world.window.until(|shown| shown.effort.fraction == Some(0.5)).await;
    let shown = &world.window.shown;
    // 0.005 times 2^32 hashes at 46 MH/s.
    assert!((shown.effort.average_secs.unwrap() - 0.466_84).abs() < 1e-4);
    // 2^32 hashes at the pool's 92 MH/s.
    assert!((shown.hero.pool_block_secs.unwrap() - 46.684).abs() < 1e-2);
    assert_eq!(shown.rates.late_fraction, Some(0.018));
    let chance = shown.hero.pool_block_chance.unwrap();
    // 1 − e^(−600/46.684).
    assert!(chance.within_secs == 600.0 && chance.fraction > 0.999_99 && chance.fraction < 1.0);

    node.set(|node| Arc::make_mut(&mut node.miners).late_part = Some(-0.0));
    let is_plain_zero = |part: f64| part == 0.0 && part.is_sign_positive();
    world.window.until(|shown| shown.rates.late_fraction.is_some_and(is_plain_zero)).await;
}
