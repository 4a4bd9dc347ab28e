//! The Pool page: its view, its questions, decisions about members.

use std::sync::Arc;
use std::time::Duration;

use p2pool_app::api::pages::pool::{
    CELLS_MAX, PoolRequest, PoolView, SHARE_ID_DIGITS, SeenFrom, ShareCells, ShareLoss,
    ShareStanding, VersionAdvice,
};
use p2pool_app::api::{AppReply, AppRequest, Page, PageView, Party, ProblemCode};
use p2pool_app::{Host, NodeDeed};
use p2pool_node::{
    Announces, MemberDeed, P2pState, PeerState, PoolBlock, ShareDetails, TreeShare, WindowShare,
};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::change::{BlockStatus, FoundBlock};
use p2pool_sharechain::stats::LeadingVote;
use p2pool_sharechain::time::UnixTime;

use crate::world::{BEGIN, ME, SIMULATED, ScriptedNode, World, share};

/// The page, shown.
async fn pool() -> (World, ScriptedNode) {
    let (mut world, node) = World::mining().await;
    world.ask(AppRequest::ShowPage { page: Page::Pool }).await;
    world.window.until(|shown| matches!(shown.page, PageView::Pool(_))).await;
    (world, node)
}

fn view(page: &PageView) -> Option<&PoolView> {
    if let PageView::Pool(view) = page { Some(view) } else { None }
}

fn shown(world: &World) -> &PoolView {
    view(&world.window.shown.page).expect("the page is shown")
}

async fn until(world: &mut World, is_it: impl Fn(&PoolView) -> bool) {
    world.window.until(|shown| view(&shown.page).is_some_and(&is_it)).await;
}

async fn ask(world: &World, request: PoolRequest) -> AppReply {
    world.try_ask(AppRequest::Pool { request }).await.expect("it makes sense")
}

async fn cells(world: &World, since: Option<&str>) -> ShareCells {
    let reply = ask(world, PoolRequest::Window { since: since.map(str::to_owned) }).await;
    let AppReply::PoolWindow { cells } = reply else { panic!("{reply:?}") };
    cells
}

fn hash(number: u16) -> ShareHash {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    ShareHash::from_internal(bytes)
}

fn numbered(number: u16, payee: &str) -> WindowShare {
    WindowShare { hash: hash(number), ..share(0, payee) }
}

#[tokio::test(start_paused = true)]
async fn window_travels_whole_at_first_and_then_only_what_is_new() {
    let (mut world, node) = pool().await;
    let chain = |from: u16| -> Vec<WindowShare> {
        let payee = |number: u16| if number.is_multiple_of(2) { ME } else { SIMULATED };
        (from..from + 5).rev().map(|number| numbered(number, payee(number))).collect()
    };
    node.set_chain(|summary| summary.window = chain(10));
    until(&mut world, |view| view.chain.shares == 5).await;
    let first = cells(&world, None).await;
    assert!(first.is_whole);
    assert_eq!((first.total, first.times.len(), first.marks.as_str()), (5, 5, "10101"));
    assert_eq!(first.ids.len(), 5 * SHARE_ID_DIGITS);
    assert_eq!(first.payee_of, [0, 1, 0, 1, 0]);
    let parties: Vec<Party> = first.payees.iter().map(|payee| payee.party).collect();
    assert_eq!(parties, [Party::Me, Party::Simulated { number: 1 }]);
    let newest = first.ids[..SHARE_ID_DIGITS].to_owned();
    assert_eq!(shown(&world).chain.newest.as_ref(), Some(&newest));

    node.set_chain(|summary| summary.window = chain(12));
    until(&mut world, |view| view.chain.newest.as_ref() != Some(&newest)).await;
    let newer = cells(&world, Some(&newest)).await;
    assert_eq!((newer.is_whole, newer.total, newer.times.len()), (false, 5, 2));
    assert_eq!(cells(&world, Some("0000000000000000")).await.times.len(), 5, "another chain");
    let same = cells(&world, shown(&world).chain.newest.as_deref()).await;
    assert_eq!((same.is_whole, same.times.len()), (false, 0));
}

#[tokio::test(start_paused = true)]
async fn a_full_window_is_compact_and_bounded() {
    let (mut world, node) = pool().await;
    let payees: Vec<String> = (0..100).map(|n| format!("bc1qpayee{n:033}")).collect();
    let window = |count: u16| -> Vec<WindowShare> {
        (0..count).map(|number| numbered(number, &payees[usize::from(number) % 100])).collect()
    };
    node.set_chain(|summary| summary.window = window(8_640));
    until(&mut world, |view| view.chain.shares == 8_640).await;
    let all = cells(&world, None).await;
    assert_eq!((all.times.len(), all.payees.len()), (8_640, 100));
    let bytes = serde_json::to_string(&all).unwrap().len();
    assert!(bytes < 300_000, "{bytes} bytes");

    node.set_chain(|summary| summary.window = window(12_000));
    until(&mut world, |view| view.chain.shares == 12_000).await;
    assert_eq!(cells(&world, None).await.times.len(), CELLS_MAX);
}

fn known(number: u16) -> ShareDetails {
    ShareDetails {
        hash: hash(number),
        parent: Some(hash(number - 1)),
        timestamp: u32::try_from(BEGIN).unwrap(),
        payee: ME.into(),
        worker: None,
        difficulty: 140e6,
        version: 35,
        wanted_version: 36,
        announces: Announces::Orphan,
        abs_height: 7,
        depth: Some(60),
        is_verified: true,
        sender: Some(4),
        is_loaded: false,
    }
}

#[tokio::test(start_paused = true)]
async fn details_of_a_share_name_the_member_it_came_from_and_when_it_leaves() {
    let (mut world, mut node) = pool().await;
    node.set_chain(|summary| summary.window = vec![numbered(9, ME)]);
    node.set(|node| node.p2p = members());
    until(&mut world, |view| !view.members.rows.is_empty()).await;
    let name = shown(&world).chain.newest.clone().unwrap();
    let app = world.app.clone();
    let request = AppRequest::Pool { request: PoolRequest::Details { share: name } };
    let answer = async {
        let deed = node.next_deed().await;
        let NodeDeed::ShareDetails { share, reply } = deed else { panic!("{deed:?}") };
        assert_eq!(share, hash(9));
        reply.send(Some(known(9))).unwrap();
    };
    let (asked, ()) = tokio::join!(app.request(request), answer);
    let Ok(AppReply::ShareDetails { share: Some(share) }) = asked else { panic!("no details") };
    assert_eq!(share.seen, SeenFrom::Member { address: Some("203.0.113.5:9333".into()) });
    assert_eq!((share.version, share.wanted_version, share.loss), (35, 36, ShareLoss::Orphan));
    assert_eq!((share.payee.party, share.parent), (Party::Me, Some(hash(8).to_string())));
    // 300 of 360 shares are left, 10 s each.
    let ShareStanding::InWindow { until } = share.standing else { panic!("{:?}", share.standing) };
    assert_eq!(until.0 - world.host.now().0, 3_000);
}

#[tokio::test(start_paused = true)]
async fn details_of_what_nobody_knows_are_none() {
    let (world, mut node) = pool().await;
    for share in ["ffffffffffffffff", "nonsense", ""] {
        let reply = ask(&world, PoolRequest::Details { share: share.into() }).await;
        assert_eq!(reply, AppReply::ShareDetails { share: None });
    }
    assert!(node.is_left_alone());
}

#[tokio::test(start_paused = true)]
async fn tree_has_a_place_for_each_parent() {
    let (world, mut node) = pool().await;
    let app = world.app.clone();
    let request = AppRequest::Pool { request: PoolRequest::Tree };
    let share = |number, is_in_chain| TreeShare {
        hash: hash(number),
        parent: Some(hash(number % 10 - 1)),
        timestamp: 0,
        abs_height: u32::from(number % 10),
        payee: ME.into(),
        is_own: true,
        is_in_chain,
        is_head: true,
        is_verified: true,
    };
    let answer = async {
        let deed = node.next_deed().await;
        let NodeDeed::ShareTree(reply) = deed else { panic!("{deed:?}") };
        reply.send(vec![share(5, true), share(15, false), share(4, true)]).unwrap();
    };
    let (asked, ()) = tokio::join!(app.request(request), answer);
    let Ok(AppReply::ShareTree { tree }) = asked else { panic!("no tree") };
    let rows: Vec<_> = tree.rows.iter().map(|row| (row.lane, row.parent)).collect();
    assert_eq!((rows, tree.lanes), (vec![(0, Some(2)), (1, Some(2)), (0, None)], 1));
}

fn block(number: u16, found_at: u64, round_effort: Option<f64>) -> PoolBlock {
    PoolBlock {
        block: FoundBlock {
            hash: hash(number),
            height: u32::from(number),
            found_at: UnixTime(found_at),
            own: number == 3,
            status: BlockStatus::Accepted,
            reason: None,
            raw: None,
            payouts: vec![(vec![0x51], 5_000_000_000)],
            txid: None,
            paid_heights: None,
            standing: None,
        },
        confirmations: 2,
        round_effort,
    }
}

#[tokio::test(start_paused = true)]
async fn blocks_have_their_round_and_its_luck() {
    let (mut world, node) = pool().await;
    node.set_chain(|summary| {
        summary.blocks = vec![
            block(1, BEGIN, None),
            block(2, BEGIN + 50, Some(0.5)),
            block(3, BEGIN + 250, None),
        ];
        summary.round_effort = Some(0.12);
    });
    until(&mut world, |view| view.blocks.len() == 3).await;
    let pool = shown(&world);
    let rows: Vec<_> =
        pool.blocks.iter().map(|row| (row.height, row.round_secs, row.luck)).collect();
    assert_eq!(rows, [(3, Some(200.0), None), (2, Some(50.0), Some(2.0)), (1, None, None)]);
    assert_eq!(pool.blocks[0].found_by, Party::Me);
    assert_eq!(pool.blocks[0].mine_sats, None);
    assert_eq!(pool.round.since.map(|at| at.0), Some(BEGIN + 250));
    assert_eq!(pool.round.effort, Some(0.12));
}

fn members() -> Arc<P2pState> {
    let peer = |id, address: &str| PeerState {
        id,
        address: Some(address.parse().unwrap()),
        is_incoming: id == 5,
        program: "p2pool/77".into(),
        protocol: 3502,
        since: UnixTime(BEGIN),
        shares_received: 12,
        round_trip: Some(Duration::from_millis(42)),
        sent_bytes: 0,
        received_bytes: 0,
        is_low_bandwidth: false,
    };
    let peers = vec![peer(4, "203.0.113.5:9333"), peer(5, "127.0.0.1:4000")];
    Arc::new(P2pState { peers, ..P2pState::default() })
}

#[tokio::test(start_paused = true)]
async fn members_can_be_added_banned_and_let_in_again() {
    let (mut world, mut node) = pool().await;
    node.set(|node| node.p2p = members());
    until(&mut world, |view| view.members.rows.len() == 2).await;
    let rows = &shown(&world).members.rows;
    assert_eq!((rows[0].host.as_deref(), rows[0].ping_secs), (Some("203.0.113.5"), Some(0.042)));
    assert_eq!((rows[1].host.as_deref(), rows[1].is_simulated), (None, true));

    let ip = "203.0.113.5".parse().unwrap();
    let time = Duration::from_secs(86_400);
    let host = "203.0.113.5".to_owned();
    let deeds = [
        (PoolRequest::Ban { host: host.clone() }, MemberDeed::Ban { ip, time }),
        (PoolRequest::Unban { host }, MemberDeed::Unban { ip }),
        (PoolRequest::SearchNow, MemberDeed::SearchNow),
        (PoolRequest::ResetMembers, MemberDeed::Reset),
    ];
    for (request, wanted) in deeds {
        assert_eq!(ask(&world, request).await, AppReply::Done);
        let NodeDeed::Members(deed) = node.next_deed().await else { panic!("other") };
        assert_eq!(deed, wanted);
    }
    let place = "friend.example".to_owned();
    assert_eq!(ask(&world, PoolRequest::AddMember { place }).await, AppReply::Done);
    let NodeDeed::Members(MemberDeed::Add(place)) = node.next_deed().await else { panic!("other") };
    assert_eq!(place.host(), "friend.example");
    assert_eq!(place.port(), node.settings.params.p2p_port);
}

#[tokio::test(start_paused = true)]
async fn places_and_hosts_that_are_none_are_refused() {
    let (world, mut node) = pool().await;
    let requests = [
        PoolRequest::AddMember { place: "a b".into() },
        PoolRequest::AddMember { place: "host:0".into() },
        PoolRequest::Ban { host: "friend.example".into() },
        PoolRequest::Unban { host: String::new() },
    ];
    for request in requests {
        let refused = world.try_ask(AppRequest::Pool { request }).await.unwrap_err();
        assert_eq!(refused.code, ProblemCode::Unexpected);
    }
    assert!(node.is_left_alone());
}

#[tokio::test(start_paused = true)]
async fn without_a_node_the_page_is_empty_and_questions_are_refused() {
    let world = World::new().await;
    world.ask(AppRequest::ShowPage { page: Page::Pool }).await;
    let request = AppRequest::Pool { request: PoolRequest::Tree };
    assert!(world.try_ask(request).await.is_err());
    assert!(!matches!(world.window.shown.page, PageView::Pool(_)));
}

#[tokio::test(start_paused = true)]
async fn support_of_share_versions_tells_when_an_update_is_due() {
    let (mut world, node) = pool().await;
    let vote = |version, part, is_supported| Some(LeadingVote { version, part, is_supported });
    node.set_chain(|summary| summary.leading_vote = vote(35, 0.97, true));
    until(&mut world, |view| view.support.is_some()).await;
    assert_eq!(shown(&world).support.unwrap().advice, VersionAdvice::None);

    node.set_chain(|summary| summary.unsupported_vote = vote(37, 0.2, false));
    let soon = VersionAdvice::UpdateSoon { version: 37, part: 0.2 };
    until(&mut world, |view| view.support.is_some_and(|support| support.advice == soon)).await;

    node.set_chain(|summary| summary.leading_vote = vote(37, 0.6, false));
    let now = VersionAdvice::UpdateNow { version: 37 };
    until(&mut world, |view| view.support.is_some_and(|support| support.advice == now)).await;
}

#[tokio::test(start_paused = true)]
async fn a_split_of_the_pool_is_told_with_the_part_that_is_left() {
    let (mut world, node) = pool().await;
    node.set_chain(|summary| summary.split_part = Some(0.31));
    node.set(|node| {
        let problem = Some(p2pool_node::ProblemCode::PoolSplit);
        node.p2p = Arc::new(P2pState { problem, ..P2pState::default() });
    });
    world.window.until(|shown| !shown.problems.is_empty()).await;
    assert_eq!(world.window.codes(), [ProblemCode::PoolSplit]);
    assert_eq!(world.window.shown.problems[0].values["percent"], "31");
}
