//! Settings: changed with a check, written whole, taken to another computer.

use p2pool_app::Host;
use p2pool_app::api::{
    AmountUnit, AppReply, AppRequest, Appearance, BitcoinFacts, LoginStyle, OverallState, Page,
    PageView, ProblemCode, SettingGroup, SettingKey, SettingValue, SettingsRequest, SettingsView,
    ShareSizeChoice, TypedText, UiError,
};

use crate::world::{LIVE, LIVE_ME, World, share};

/// Another address of the real network.
const OTHER: &str = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";

impl World {
    async fn settings(&self, request: SettingsRequest) -> Result<AppReply, UiError> {
        self.try_ask(AppRequest::Settings { request }).await
    }

    async fn set(&self, request: SettingsRequest) {
        assert_eq!(self.settings(request).await, Ok(AppReply::Done));
    }

    /// The page, once it is as expected.
    async fn page(&mut self, is_expected: impl Fn(&SettingsView) -> bool) -> SettingsView {
        let is_there =
            |page: &PageView| matches!(page, PageView::Settings(view) if is_expected(view));
        self.window.until(|shown| is_there(&shown.page)).await;
        let PageView::Settings(view) = &self.window.shown.page else { panic!("another page") };
        view.as_ref().clone()
    }
}

async fn looking() -> (World, crate::world::ScriptedNode) {
    let (world, node) = World::live_mining().await;
    world.ask(AppRequest::ShowPage { page: Page::Settings }).await;
    (world, node)
}

fn change(key: SettingKey, value: SettingValue) -> SettingsRequest {
    SettingsRequest::Change { key, value }
}

fn number(number: u32) -> SettingValue {
    SettingValue::Number { number }
}

fn value(view: &SettingsView, key: SettingKey) -> &SettingValue {
    &view.settings.iter().find(|setting| setting.key == key).unwrap().value
}

#[tokio::test(start_paused = true)]
async fn page_shows_what_stands_in_the_file_and_no_secret() {
    let (mut world, _node) = looking().await;
    let view = world.page(|_| true).await;
    assert_eq!(view.address.as_deref(), Some(LIVE_ME));
    let bitcoin = BitcoinFacts {
        url: "http://127.0.0.1:8332".into(),
        login: LoginStyle::Cookie { path: "/cookie".into() },
        reserve_url: None,
    };
    assert_eq!((view.bitcoin, view.share_size), (Some(bitcoin), ShareSizeChoice::Automatic));
    assert!(!view.needs_restart && view.shares_leave_at.is_none());
}

#[tokio::test(start_paused = true)]
async fn changes_are_kept_and_take_effect_when_mining_is_started_anew() {
    let (mut world, mut node) = looking().await;
    world.set(change(SettingKey::Donation, number(2))).await;
    let view = world.page(|view| view.needs_restart).await;
    assert_eq!(value(&view, SettingKey::Donation), &number(2));
    assert!(world.host_file("settings.toml").await.contains("donation = 2"));
    assert!(node.is_left_alone(), "nothing restarts unasked");

    world.set(SettingsRequest::RestartMining).await;
    node.expect_stop(true).await;
    let mut next = world.next_node().await;
    assert_eq!(next.settings.donation, 1_310);
    next.set_mining_well();
    next.set_chain(|chain| chain.peers = 5);
    next.expect_mining(true).await;
    world.window.until(|shown| shown.overall == OverallState::FirstShare).await;
    world.page(|view| !view.needs_restart).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let (world, _node) = looking().await;
    let text = |text: &str| SettingValue::Text { text: text.into() };
    for (key, wrong) in [
        (SettingKey::Donation, number(6)),
        (SettingKey::MaxOutgoing, number(11)),
        (SettingKey::PoolPort, number(70_000)),
        (SettingKey::Proxy, text("nowhere")),
        (SettingKey::Door, text("everywhere")),
        (SettingKey::CoinbaseText, text(&"x".repeat(76))),
        (SettingKey::Listen, number(1)),
    ] {
        let refused = world.settings(change(key, wrong)).await.unwrap_err();
        assert_eq!(refused.code, ProblemCode::SettingRefused, "{key:?}");
        assert!(!refused.values["reason"].is_empty());
    }
    let written = std::fs::read_to_string(world.host.data_dir().join("settings.toml")).unwrap();
    assert!(!written.contains("donation") && !written.contains("proxy"), "{written}");
}

#[tokio::test(start_paused = true)]
async fn defaults_come_back_group_by_group() {
    let (mut world, _node) = looking().await;
    world.set(change(SettingKey::Donation, number(2))).await;
    world.set(change(SettingKey::MaxOutgoing, number(8))).await;
    world
        .set(SettingsRequest::UseShareSize { choice: ShareSizeChoice::Bigger { factor: 3 } })
        .await;
    world.page(|view| view.share_size == ShareSizeChoice::Bigger { factor: 3 }).await;
    world.set(SettingsRequest::RestoreDefaults { group: SettingGroup::Mining }).await;
    let view = world.page(|view| view.share_size == ShareSizeChoice::Automatic).await;
    assert_eq!(value(&view, SettingKey::Donation), &number(0));
    assert_eq!(value(&view, SettingKey::MaxOutgoing), &number(8));
    assert_eq!(view.address.as_deref(), Some(LIVE_ME), "the address stays");
}

#[tokio::test(start_paused = true)]
async fn new_address_goes_through_the_judge_and_is_not_asked_about_again() {
    let (mut world, node) = looking().await;
    node.set_chain(|chain| {
        chain.own_found = 1;
        chain.window = vec![share(1, LIVE_ME)];
        chain.window[0].is_own = true;
    });
    let view = world.page(|view| view.shares_leave_at.is_some()).await;
    assert!(view.shares_leave_at.unwrap() > world.window.shown.now);
    for (typed, code) in [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", ProblemCode::AddressTypo),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", ProblemCode::AddressOfTestNetwork),
        ("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", ProblemCode::SecretPasted),
    ] {
        let refused = world.settings(SettingsRequest::UseAddress { text: TypedText::new(typed) });
        let refused = refused.await.unwrap_err();
        assert_eq!(refused.code, code);
        assert!(!format!("{refused:?}").contains(typed));
    }
    world.set(SettingsRequest::UseAddress { text: TypedText::new(format!(" {OTHER}\n")) }).await;
    world.page(|view| view.address.as_deref() == Some(OTHER)).await;
    let last = world.file_with("last-run.toml", OTHER).await;
    let settings = world.host_file("settings.toml").await;

    let files = [("settings.toml", settings.as_str()), ("last-run.toml", last.as_str())];
    let mut next = World::with_files(&files).await;
    let node = next.next_node().await;
    assert_eq!(node.settings.payout_address.as_deref(), Some(OTHER));
}

#[tokio::test(start_paused = true)]
async fn share_size_tells_its_average_time_before_it_is_accepted() {
    let (world, node) = looking().await;
    node.set_chain(|chain| {
        (chain.share_difficulty, chain.network_difficulty) = (7e6, 1.3e14);
        chain.block_value_sats = 312_500_000;
    });
    let mut world = world;
    world.window.until(|shown| shown.effort.share_difficulty == Some(7e6)).await;
    world.window.until(|shown| shown.rates.mine_hps.is_some()).await;
    let choice = ShareSizeChoice::Worth { sats: 100_000 };
    let reply = world.settings(SettingsRequest::WeighShareSize { choice }).await.unwrap();
    let AppReply::ShareSize { outlook } = reply else { panic!("{reply:?}") };
    let (asked, smallest) = (outlook.average_secs.unwrap(), outlook.smallest_secs.unwrap());
    // 46 MH/s: twenty years and, at most thirty times that, six hundred.
    assert!((asked / smallest - 30.0).abs() < 0.01, "{asked} {smallest}");
    assert!(smallest > 20.0 * 365.0 * 86_400.0);
}

/// Acceptance 43.
#[tokio::test(start_paused = true)]
async fn import_shows_a_diff_and_export_holds_no_secret() {
    let (mut world, _node) = looking().await;
    world.set(change(SettingKey::MaxOutgoing, number(8))).await;
    let reply = world.settings(SettingsRequest::Export).await.unwrap();
    let AppReply::SettingsFile { text } = reply else { panic!("{reply:?}") };
    assert!(text.contains(LIVE_ME) && !text.contains("cookie") && !text.contains("rpc"), "{text}");

    let text = text.replace(LIVE_ME, OTHER).replace("max_peers = 8", "max_peers = 9");
    let reply = world.settings(SettingsRequest::ReviewImport { text: text.clone() }).await.unwrap();
    let AppReply::SettingsChanges { changes } = reply else { panic!("{reply:?}") };
    let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["p2p.max_peers", "run.address"]);
    let view = world.page(|_| true).await;
    assert_eq!(view.address.as_deref(), Some(LIVE_ME), "a look changes nothing");

    world.set(SettingsRequest::Import { text }).await;
    world.page(|view| view.address.as_deref() == Some(OTHER) && view.needs_restart).await;
    assert!(world.host_file("settings.toml").await.contains("/cookie"), "the login stays");
    for wrong in ["[run]\nadress = 1\n", "[run]\naddress = \"nonsense\"\n"] {
        let wrong = SettingsRequest::Import { text: wrong.into() };
        assert!(world.settings(wrong).await.is_err());
    }
}

/// Acceptance 60, the application's half: the unit changes at once, and no amount with it.
#[tokio::test(start_paused = true)]
async fn look_changes_at_once_and_is_remembered() {
    let (mut world, node) = looking().await;
    node.set_chain(|chain| chain.own_payout_sats = 123_456_789);
    world.window.until(|shown| shown.hero.amount_sats.is_some_and(|a| a.0 == 123_456_789)).await;
    let appearance =
        Appearance { amounts: AmountUnit::Sats, text_percent: 400, ..Appearance::default() };
    world.set(SettingsRequest::Look { appearance }).await;
    world.window.until(|shown| shown.appearance.amounts == AmountUnit::Sats).await;
    assert_eq!(world.window.shown.appearance.text_percent, 150);
    assert_eq!(world.window.shown.hero.amount_sats.unwrap().0, 123_456_789);
    let written = world.file_with("appearance.toml", "sats").await;
    let next = World::with_files(&[("appearance.toml", &written), ("settings.toml", LIVE)]).await;
    assert_eq!(next.window.shown.appearance, world.window.shown.appearance);
}

/// Acceptance 46: addresses of the other mode are refused.
#[tokio::test(start_paused = true)]
async fn practice_addresses_are_refused_for_real_mining() {
    let (world, _node) = looking().await;
    let text = TypedText::new(crate::world::ME);
    let refused = world.settings(SettingsRequest::UseAddress { text }).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::AddressOfTestNetwork);
}
