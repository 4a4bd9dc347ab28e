//! The Payouts page: what it reads, what it says, what it writes.

use std::path::PathBuf;

use p2pool_app::api::pages::payouts::{
    LuckVerdict, MyShareState, PayoutsRequest, PayoutsTab, PayoutsView, Received, UsualRange,
};
use p2pool_app::api::{
    AppReply, AppRequest, AppSnapshot, FileContent, LatestKind, Page, PageView, PayoutState, Sats,
    UnixSeconds, UnpaidReason,
};
use p2pool_node::{Event, NodeEventKind, PoolBlock, WindowShare};
use p2pool_sharechain::change::{BlockStatus, ChangeSet, Fate, FoundBlock, OwnPlace, OwnShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CompactBits, ShareHash};
use p2pool_store::Store;

use crate::world::{BEGIN, ME, MY_SCRIPT, ScriptedNode, World, share};

const DAY: u64 = 86_400;

fn hash(number: u8) -> ShareHash {
    ShareHash::from_internal([number; 32])
}

/// A block that pays others 100 sats, and me 900 if `pays_me`.
fn block(number: u8, found_at: u64, status: BlockStatus, pays_me: bool) -> FoundBlock {
    let mut payouts = vec![([0x6a; 4].to_vec(), 100)];
    payouts.extend(pays_me.then(|| (MY_SCRIPT.to_vec(), 900)));
    FoundBlock {
        hash: hash(number),
        height: u32::from(number),
        found_at: UnixTime(found_at),
        own: false,
        status,
        reason: None,
        raw: None,
        payouts,
        txid: Some([number; 32]),
        paid_heights: Some((10, 20)),
        standing: None,
    }
}

fn own(number: u8, found_at: u64, fate: Fate) -> OwnShare {
    let place = OwnPlace { abs_height: u32::from(number), bits: CompactBits(0x1d00_ffff) };
    let worker = "cpu".into();
    OwnShare { hash: hash(number), worker, found_at: UnixTime(found_at), fate, place: Some(place) }
}

/// A practice node that mines, with a database of its own.
async fn world(own: Vec<OwnShare>, blocks: Vec<FoundBlock>) -> (World, ScriptedNode, Store) {
    let (mut world, node) = World::mining().await;
    let folder = node.settings.data_dir.clone();
    std::fs::create_dir_all(&folder).unwrap();
    let mut store = Store::open(&folder, "net", "0.1.0", UnixTime(BEGIN)).unwrap().store;
    store.apply(&ChangeSet { own, blocks: blocks.clone(), ..ChangeSet::default() }).unwrap();
    node.set(|node| node.database = store.path().to_owned());
    let count = blocks.len();
    show_blocks(&node, blocks);
    // What is asked from here on is asked of this database.
    world.window.until(|shown| shown.payouts.rows.len() == count).await;
    (world, node, store)
}

fn show_blocks(node: &ScriptedNode, blocks: Vec<FoundBlock>) {
    let known = |block| PoolBlock { block, confirmations: 41, round_effort: None };
    node.set_chain(|chain| {
        chain.blocks = blocks.into_iter().map(known).collect();
        chain.next_height = 50;
    });
}

async fn look_at(world: &World, tab: PayoutsTab) {
    world.ask(AppRequest::ShowPage { page: Page::Payouts }).await;
    world.ask(AppRequest::Payouts { request: PayoutsRequest::ShowTab { tab, page: 0 } }).await;
}

fn received(shown: &AppSnapshot) -> Option<&Received> {
    let PageView::Payouts(PayoutsView::Received(received)) = &shown.page else { return None };
    Some(received)
}

#[tokio::test(start_paused = true)]
async fn acceptance_28_payment_is_listed_maturing_then_spendable_with_its_transaction() {
    let paying = block(9, BEGIN, BlockStatus::Accepted, true);
    let (mut world, node, _store) = world(vec![], vec![paying.clone()]).await;
    look_at(&world, PayoutsTab::Received).await;
    world.window.until(|shown| received(shown).is_some_and(|list| list.rows.len() == 1)).await;

    let list = received(&world.window.shown).unwrap();
    let row = &list.rows[0];
    assert_eq!((row.mine_sats, row.mine_part), (Some(Sats(900)), Some(0.9)));
    assert!(matches!(row.state, PayoutState::Maturing { confirmations: 41, needed: 100, .. }));
    assert_eq!(row.txid.as_deref(), Some("09".repeat(32).as_str()));
    assert_eq!((list.mine_total_sats, row.unpaid), (Sats(900), None));
    // BEGIN is the 15th of January 2027.
    let month = UnixSeconds(BEGIN - 8 * 3_600 - 14 * DAY);
    let months: Vec<_> = list.months.iter().map(|sum| (sum.month, sum.blocks, sum.sats)).collect();
    assert_eq!(months, [(month, 1, Sats(900))]);

    let mature = FoundBlock { status: BlockStatus::Mature, ..paying };
    show_blocks(&node, vec![mature]);
    let is_spendable = |list: &Received| list.rows[0].state == PayoutState::Spendable;
    world.window.until(|shown| received(shown).is_some_and(is_spendable)).await;
}

#[tokio::test(start_paused = true)]
async fn acceptance_29_block_without_me_says_why_and_reports_no_payment() {
    let blocks = vec![
        block(1, BEGIN - 3 * DAY, BlockStatus::Accepted, false),
        block(2, BEGIN, BlockStatus::Accepted, false),
    ];
    let shares = vec![own(30, BEGIN - 2 * DAY, Fate::InChain), own(31, BEGIN - DAY, Fate::Orphan)];
    let (mut world, node, _store) = world(shares, blocks).await;
    node.tell(BEGIN, NodeEventKind::Chain(Event::BlockAccepted { hash: hash(2), height: 2 }));
    look_at(&world, PayoutsTab::Received).await;
    world.window.until(|shown| received(shown).is_some_and(|list| list.rows.len() == 2)).await;

    let list = received(&world.window.shown).unwrap();
    let reasons: Vec<_> = list.rows.iter().map(|row| (row.height, row.unpaid)).collect();
    let left = UnpaidReason::ShareLeft { last_share_at: UnixSeconds(BEGIN - 2 * DAY) };
    assert_eq!(reasons, [(2, Some(left)), (1, Some(UnpaidReason::NoShareYet))]);
    assert_eq!((list.mine_total_sats, list.months.len()), (Sats(0), 0));
    let last = list.last_block.unwrap();
    assert_eq!((last.height, last.at), (2, UnixSeconds(BEGIN)));
    let is_payment = |line: &&LatestKind| {
        matches!(
            line,
            LatestKind::PoolBlock { mine_sats: Some(_), .. } | LatestKind::PaymentSpendable { .. }
        )
    };
    assert_eq!(world.window.lines().into_iter().filter(is_payment).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn acceptance_30_block_that_lost_its_place_leaves_the_sums() {
    let (kept, lost) = (
        block(8, BEGIN - 60, BlockStatus::Accepted, true),
        block(9, BEGIN, BlockStatus::Accepted, true),
    );
    let (mut world, node, mut store) = world(vec![], vec![kept.clone(), lost.clone()]).await;
    look_at(&world, PayoutsTab::Received).await;
    let sums_to = |list: &Received, sats| list.mine_total_sats == Sats(sats);
    world.window.until(|shown| received(shown).is_some_and(|list| sums_to(list, 1_800))).await;

    let lost = FoundBlock { status: BlockStatus::Orphaned, ..lost };
    store.apply(&ChangeSet { blocks: vec![lost.clone()], ..ChangeSet::default() }).unwrap();
    show_blocks(&node, vec![kept, lost]);
    let is_corrected = |list: &Received| {
        sums_to(list, 900)
            && list.rows[0].state == PayoutState::Lost
            && list.rows[0].unpaid.is_none()
    };
    world.window.until(|shown| received(shown).is_some_and(is_corrected)).await;
    let months = &received(&world.window.shown).unwrap().months;
    assert_eq!((months[0].blocks, months[0].sats), (1, Sats(900)));
}

#[tokio::test(start_paused = true)]
async fn my_shares_say_what_became_of_them_and_which_block_paid() {
    let shares = vec![
        own(2, BEGIN - 4 * DAY, Fate::InChain),
        own(15, BEGIN - DAY, Fate::InChain),
        own(16, BEGIN - 3, Fate::Orphan),
        own(17, BEGIN - 2, Fate::Dead),
        own(18, BEGIN - 1, Fate::Open),
        own(40, BEGIN, Fate::InChain),
    ];
    let blocks = vec![block(9, BEGIN, BlockStatus::Accepted, true)];
    let (mut world, node, _store) = world(shares, blocks).await;
    node.set_chain(|chain| {
        chain.window = vec![WindowShare { ..share(40, ME) }];
        (chain.height, chain.verified_height) = (1, 1);
    });
    look_at(&world, PayoutsTab::Shares).await;
    let shares = |shown: &AppSnapshot| {
        let PageView::Payouts(PayoutsView::Shares(shares)) = &shown.page else { return None };
        Some(shares.clone())
    };
    world.window.until(|shown| shares(shown).is_some_and(|list| list.rows.len() == 6)).await;

    let list = shares(&world.window.shown).unwrap();
    assert!(matches!(list.rows[0].state, MyShareState::InWindow { until } if until.0 > BEGIN));
    let states: Vec<_> = list.rows[1..].iter().map(|row| row.state).collect();
    let expected = [
        MyShareState::OnItsWay,
        MyShareState::TooOld,
        MyShareState::LostRace,
        MyShareState::LeftWindow,
        MyShareState::LeftWindow,
    ];
    assert_eq!(states, expected);
    assert_eq!(list.rows[0].difficulty, Some(1.0));
    // The block pays heights 10 to 20; what lost its place at such a height is not among them.
    let paid: Vec<_> = list.rows.iter().map(|row| (row.paid_blocks, row.paid_height)).collect();
    assert_eq!(paid, [(0, None), (0, None), (0, None), (0, None), (1, Some(9)), (0, None)]);
    // Four at the day of BEGIN, of which two were late.
    assert_eq!((list.days[0].good, list.days[0].late, list.days.len()), (2, 2, 3));
}

#[tokio::test(start_paused = true)]
async fn months_compare_shares_found_with_those_expected() {
    let shares = (0..30).map(|number| own(number, BEGIN, Fate::InChain)).collect();
    let (mut world, _node, mut store) = world(shares, vec![]).await;
    store.add_expected_shares(UnixTime(BEGIN), 10.0).unwrap();
    store.add_expected_shares(UnixTime(BEGIN - 40 * DAY), 4.0).unwrap();
    look_at(&world, PayoutsTab::Expected).await;
    let expected = |shown: &AppSnapshot| {
        let PageView::Payouts(PayoutsView::Expected(expected)) = &shown.page else { return None };
        Some(expected.months.clone())
    };
    world.window.until(|shown| expected(shown).is_some_and(|months| months.len() == 2)).await;
    let months = expected(&world.window.shown).unwrap();
    assert_eq!((months[0].found, months[0].expected), (30, 10.0));
    assert_eq!(months[0].usual, Some(UsualRange { low: 4, high: 17 }));
    assert_eq!(months[0].verdict, LuckVerdict::Many);
    assert_eq!(
        (months[1].found, months[1].usual, months[1].verdict),
        (0, None, LuckVerdict::TooEarly)
    );
}

#[tokio::test(start_paused = true)]
async fn calculator_answers_once_the_pool_is_known() {
    let (world, node, _store) = world(vec![], vec![]).await;
    let ask = async |hashrate_hps| {
        let request = PayoutsRequest::Calculate { hashrate_hps };
        let reply = world.try_ask(AppRequest::Payouts { request }).await.unwrap();
        let AppReply::Calculated { calculation } = reply else { panic!("{reply:?}") };
        calculation
    };
    let found = ask(46e6).await.unwrap();
    // Half of a pool of 92 MH/s that I am a half of: half a block, whose value is 50 coins.
    assert_eq!(found.per_block_sats, Sats(2_500_000_000));
    assert!((found.solo_block_secs - 93.37).abs() < 0.1);
    assert_eq!(ask(0.0).await, None);
    node.set_chain(|chain| chain.pool_hashrate_hps = 0.0);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(ask(46e6).await, None);
}

#[tokio::test(start_paused = true)]
async fn export_writes_payments_as_csv_and_lost_ones_not() {
    let blocks = vec![
        block(7, BEGIN - 120, BlockStatus::Mature, true),
        block(8, BEGIN - 60, BlockStatus::Orphaned, true),
        block(9, BEGIN, BlockStatus::Accepted, false),
    ];
    let (world, _node, _store) = world(vec![], blocks).await;
    let reply =
        world.try_ask(AppRequest::Payouts { request: PayoutsRequest::Export }).await.unwrap();
    let AppReply::Saved { path } = reply else { panic!("{reply:?}") };
    assert!(PathBuf::from(&path).ends_with("Downloads/p2pool-payments.csv"));
    let expected = format!(
        "date,block_height,block_hash,transaction_id,amount_sats,state\r\n\
         2027-01-15T07:58:00Z,7,{hash},{hash},900,spendable\r\n",
        hash = "07".repeat(32)
    );
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn files_of_the_window_are_written_into_the_folder_of_downloads_alone() {
    let world = World::new().await;
    let save = |name: &str, content| AppRequest::SaveFile { name: name.into(), content };
    let picture = FileContent::Base64 { base64: "iVBORw==".into() };
    let reply = world.try_ask(save("hashrate.png", picture.clone())).await.unwrap();
    let AppReply::Saved { path } = reply else { panic!("{reply:?}") };
    assert_eq!(std::fs::read(path).unwrap(), b"\x89PNG");
    assert!(world.try_ask(save("../hashrate.png", picture)).await.is_err());
    let broken = FileContent::Base64 { base64: "?".into() };
    assert!(world.try_ask(save("x.png", broken)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn database_that_cannot_be_read_is_an_error_on_the_page() {
    let (mut world, node, _store) = world(vec![], vec![]).await;
    node.set(|node| node.database = "nowhere.sqlite".into());
    look_at(&world, PayoutsTab::Received).await;
    let has_failed = |shown: &AppSnapshot| matches!(&shown.page, PageView::Payouts(PayoutsView::Failed(failed)) if failed.tab == PayoutsTab::Received);
    world.window.until(has_failed).await;
}
