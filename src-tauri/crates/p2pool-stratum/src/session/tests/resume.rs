use serde_json::json;

use super::super::*;
use super::rig::*;

/// A connection that ends, and the next one, which names it.
fn back(mut rig: Rig, base: Base) -> (Rig, Vec<Action>) {
    let parked = rig.session.park();
    let mut next = Rig::new(config());
    next.session = Session::new(config(), Extranonce1(0x0000_0001), at(rig.seconds));
    next.seconds = rig.seconds;
    next.event(Event::NewWork(base.build()));
    let asked = next.call("mining.subscribe", &json!(["test/1", EXTRANONCE1.to_string()]));
    assert!(matches!(asked.as_slice(), [Action::Resume(EXTRANONCE1)]), "{asked:?}");
    let answered = next.event(Event::Resumed(parked));
    (next, answered)
}

#[test]
fn miner_that_comes_back_finds_its_extranonce_and_its_jobs() {
    let rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    let (mut rig, answered) = back(rig, Base::default());
    let result = &answer(&answered)["result"];
    assert_eq!((&result[0][0][1], &result[1]), (&json!("0badcafe"), &json!("0badcafe")));
    rig.call("mining.authorize", &json!([EASY, "x"]));
    assert_ne!(rig.job().job_id, old.job_id);
    let (nonce, actions) = rig.submit_pseudoshare(&old, 0);
    assert_eq!(outcome(&actions), Ok(()), "found while the line was down");
    assert_eq!(outcome(&rig.send(&old, old.time, nonce, &[])), Err(22), "and counted once");
    let newest = rig.job();
    assert_eq!(outcome(&rig.submit_pseudoshare(&newest, 0).1), Ok(()));
}

#[test]
fn what_was_counted_before_is_not_counted_again() {
    let mut rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    let (nonce, _) = rig.submit_pseudoshare(&old, 0);
    let (mut rig, _) = back(rig, Base::default());
    rig.call("mining.authorize", &json!([EASY, "x"]));
    assert_eq!(outcome(&rig.send(&old, old.time, nonce, &[])), Err(22));
}

#[test]
fn jobs_of_a_former_block_are_stale_after_a_return() {
    let rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    let (mut rig, _) = back(rig, Base { block: 2, ..Base::default() });
    rig.call("mining.authorize", &json!([EASY, "x"]));
    assert_eq!(outcome(&rig.submit_pseudoshare(&old, 0).1), Err(21));
}

#[test]
fn refused_resume_gives_a_new_session() {
    let mut rig = Rig::new(config());
    rig.call("mining.subscribe", &json!(["test/1", "01020304"]));
    let answered = rig.event(Event::Resumed(None));
    assert_eq!(answer(&answered)["result"][1], "0badcafe");
}

#[test]
fn request_after_an_unanswered_subscription_answers_both_in_order() {
    let mut rig = Rig::new(config());
    rig.call("mining.subscribe", &json!(["test/1", "01020304"]));
    let actions = rig.call("mining.ping", &json!([]));
    let results: Vec<_> = lines(&actions).iter().map(|line| line["id"].clone()).collect();
    assert_eq!(results, [json!(1), json!(2)]);
    assert!(rig.event(Event::Resumed(None)).is_empty());
}

#[test]
fn strange_session_names_are_no_wish_to_resume() {
    for name in [json!("0badcafe"), json!("zz"), json!("123456789"), json!(null), json!(7)] {
        let mut rig = Rig::new(config());
        let actions = rig.call("mining.subscribe", &json!(["test/1", name]));
        assert_eq!(kinds(&actions), ["answer"], "{name}");
    }
}

#[test]
fn session_without_login_or_sent_away_is_not_kept() {
    let mut rig = Rig::new(config());
    assert!(rig.session.park().is_none());
    let mut rig = Rig::mining("me", Base::default());
    rig.event(Event::NoWork);
    assert!(rig.session.park().is_none());
}
