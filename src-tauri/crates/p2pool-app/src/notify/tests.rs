use super::*;
use crate::api::{Problem, Sats, Severity};

const START: u64 = 1_800_000_000;

/// A person who mines, and a clock.
struct Story {
    notifier: Notifier,
    view: AppSnapshot,
    now: u64,
    id: u64,
}

impl Story {
    fn new() -> Self {
        let mut view = AppSnapshot::fresh("0.1.0", UnixSeconds(START));
        view.overall = OverallState::Earning;
        view.control = MiningControl::Pause;
        view.lights.miners.connected = 2;
        view.shares.mine_total = 7;
        let mut story =
            Self { notifier: Notifier::new(UnixSeconds(START)), view, now: START, id: 0 };
        assert_eq!(story.after(0), Vec::<String>::new());
        story
    }

    fn happens(&mut self, what: LatestKind) -> Option<Notification> {
        self.id += 1;
        let at = UnixSeconds(self.now);
        self.notifier.happened(&LatestEvent { id: self.id, at, what }, &self.view, at)
    }

    /// Sentences told at the end of that many seconds.
    fn after(&mut self, secs: u64) -> Vec<String> {
        self.now += secs;
        let told = self.notifier.pass(&self.view, UnixSeconds(self.now));
        told.into_iter().map(|one| one.text).collect()
    }

    fn choose(&mut self, event: NotificationEvent, is_on: bool) {
        let choices = &mut self.view.computer.notifications;
        choices.iter_mut().find(|choice| choice.event == event).unwrap().is_on = is_on;
    }
}

fn block(found_by: Party, mine: Option<u64>) -> LatestKind {
    LatestKind::PoolBlock { height: 975_120, found_by, mine_sats: mine.map(Sats) }
}

fn left(name: &str) -> LatestKind {
    LatestKind::MinerLeft { name: Some(name.into()) }
}

#[test]
fn every_block_that_pays_me_is_told_with_its_amount() {
    let mut story = Story::new();
    for _ in 0..2 {
        let told = story.happens(block(Party::Member, Some(35_988))).unwrap();
        assert_eq!(told.text, "The pool found a block. 0.000 359 88 BTC is on its way to you.");
        assert_eq!((told.page, told.sound), (Page::Payouts, Sound::Loud));
    }
    let mine = story.happens(block(Party::Me, Some(1))).unwrap();
    assert_eq!(mine.text, "Your miner found block 975120.");
}

#[test]
fn block_without_me_is_told_only_to_who_wants_it_and_never_as_a_payment() {
    let mut story = Story::new();
    assert_eq!(story.happens(block(Party::Member, None)), None);
    story.choose(NotificationEvent::BlockOthers, true);
    let told = story.happens(block(Party::Member, None)).unwrap();
    assert!(told.text.contains("no share") && !told.text.contains("BTC"), "{}", told.text);
}

#[test]
fn first_share_ever_is_told_and_later_ones_only_to_who_wants_them() {
    let mut story = Story::new();
    story.view.shares.mine_total = 1;
    let share = LatestKind::ShareFound { difficulty: 1e8 };
    assert_eq!(story.happens(share.clone()).unwrap().event, NotificationEvent::FirstShare);
    story.view.shares.mine_total = 2;
    assert_eq!(story.happens(share), None);
}

#[test]
fn spendable_payment_is_told() {
    let mut story = Story::new();
    let told = story.happens(LatestKind::PaymentSpendable { height: 1, mine_sats: Sats(35_988) });
    assert_eq!(told.unwrap().text, "0.000 359 88 BTC is now spendable.");
}

#[test]
fn miner_that_stays_away_is_told_once_after_ten_minutes() {
    let mut story = Story::new();
    story.happens(left("bitaxe"));
    assert!(story.after(599).is_empty());
    assert_eq!(story.after(1), ["bitaxe has stopped sending results."]);
    assert!(story.after(5_000).is_empty());
}

#[test]
fn miner_that_returns_within_ten_minutes_was_not_away() {
    let mut story = Story::new();
    story.happens(left("bitaxe"));
    assert!(story.after(590).is_empty());
    story.happens(LatestKind::MinerConnected { name: Some("bitaxe".into()) });
    assert!(story.after(3_600).is_empty());
}

#[test]
fn one_kind_is_told_once_an_hour_and_several_miners_are_one_sentence() {
    let mut story = Story::new();
    story.happens(left("one"));
    story.happens(left("two"));
    assert_eq!(story.after(600), ["2 miners have stopped sending results."]);
    story.happens(left("three"));
    assert!(story.after(600).is_empty(), "within the hour");
    story.now += 3_600;
    story.happens(left("four"));
    assert_eq!(story.after(600), ["four has stopped sending results."]);
}

#[test]
fn last_miner_that_goes_is_told_as_none_working() {
    let mut story = Story::new();
    story.happens(left("bitaxe"));
    story.view.lights.miners.connected = 0;
    assert!(story.after(1).is_empty());
    assert!(story.after(599).is_empty());
    assert_eq!(story.after(1), ["No miner is working."]);
    assert!(story.after(600).is_empty(), "and not by name once more");
}

#[test]
fn stop_of_five_minutes_is_told_and_so_is_its_end() {
    let mut story = Story::new();
    story.view.overall = OverallState::NodeDown { since: UnixSeconds(story.now) };
    assert!(story.after(0).is_empty());
    assert!(story.after(299).is_empty());
    assert_eq!(story.after(1), ["Mining has stopped: no Bitcoin node answers. Open check-up."]);
    assert!(story.after(2_220).is_empty());
    story.view.overall = OverallState::Earning;
    assert_eq!(story.after(0), ["Mining again after 42 min."]);
}

#[test]
fn short_stop_is_not_told_and_neither_is_its_end() {
    let mut story = Story::new();
    story.view.overall = OverallState::NoMembers { tried: 4 };
    assert!(story.after(0).is_empty());
    assert!(story.after(200).is_empty());
    story.view.overall = OverallState::Earning;
    assert!(story.after(0).is_empty());
}

#[test]
fn after_the_start_node_and_network_have_ten_minutes() {
    let mut story = Story::new();
    story.notifier = Notifier::new(UnixSeconds(START));
    story.view.control = MiningControl::Armed { waits_for: Vec::new() };
    story.view.overall = OverallState::NodeDown { since: UnixSeconds(START) };
    assert!(story.after(0).is_empty());
    assert!(story.after(599).is_empty());
    assert_eq!(story.after(1).len(), 1);
}

#[test]
fn pause_and_practice_are_quiet() {
    let mut story = Story::new();
    story.happens(left("bitaxe"));
    story.view.overall = OverallState::Paused { shares_count_secs: None };
    story.view.control = MiningControl::Resume;
    assert!(story.after(700).is_empty());
    story.view.control = MiningControl::Pause;
    assert!(story.after(700).is_empty(), "who was paused was not away");
    story.view.mode = Mode::Practice;
    assert_eq!(story.happens(block(Party::Me, Some(5))), None);
}

#[test]
fn history_is_not_told_again() {
    let mut story = Story::new();
    let old =
        LatestEvent { id: 1, at: UnixSeconds(START - 500), what: block(Party::Member, Some(5)) };
    assert_eq!(story.notifier.happened(&old, &story.view, UnixSeconds(START)), None);
}

#[test]
fn hot_device_and_needed_update_are_told_once() {
    let mut story = Story::new();
    let problem = |code| Problem {
        id: 1,
        code,
        severity: Severity::Warning,
        since: UnixSeconds(START),
        values: [("name".to_owned(), "bitaxe".to_owned())].into(),
        technical: String::new(),
        actions: Vec::new(),
    };
    story.view.problems = vec![problem(ProblemCode::MinerHot), problem(ProblemCode::RulesUnknown)];
    let told = story.after(1);
    assert!(told[0].contains("bitaxe is too hot") && told[1].contains("update"), "{told:?}");
    assert!(story.after(HOUR_SECS).is_empty(), "they are still there");
    story.view.problems.clear();
    story.after(1);
    story.view.problems = vec![problem(ProblemCode::RulesUnknown)];
    assert!(story.after(1).is_empty(), "weekly");
}

#[test]
fn what_is_switched_off_is_not_told() {
    let mut story = Story::new();
    story.choose(NotificationEvent::MinerAway, false);
    story.happens(left("bitaxe"));
    assert!(story.after(600).is_empty());
}
