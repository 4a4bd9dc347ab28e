use p2pool_sharechain::template::ROLLING_MASK;
use serde_json::json;

use super::super::*;
use super::rig::*;

#[test]
fn subscribe_is_answered_first_and_as_devices_expect() {
    let mut rig = Rig::new(config());
    rig.event(Event::NewWork(Base::default().build()));
    let actions = rig.call("mining.subscribe", &json!(["bitaxe/BM1370/v2.9", null]));
    assert!(matches!(actions.first(), Some(Action::Send(_))));
    assert_eq!(kinds(&actions), ["answer"]);
    let result = &answer(&actions)["result"];
    assert_eq!(result[0][0], json!(["mining.notify", "0badcafe"]), "a fixed place, a known text");
    assert_eq!(result[1], "0badcafe", "never empty");
    assert_eq!(result[2], 4);
    assert_eq!(rig.session.user_agent(), "bitaxe/BM1370/v2.9");
}

#[test]
fn nothing_but_answers_leaves_before_authorization_is_answered() {
    let mut rig = Rig::new(config());
    let mut kinds_seen = Vec::new();
    kinds_seen.extend(kinds(&rig.call("mining.subscribe", &json!([]))));
    kinds_seen.extend(kinds(&rig.event(Event::NewWork(Base::default().build()))));
    kinds_seen.extend(kinds(&rig.call("mining.suggest_difficulty", &json!([5]))));
    kinds_seen
        .extend(kinds(&rig.event(Event::NewWork(Base { share: 2, ..Base::default() }.build()))));
    kinds_seen
        .extend(rig.wait(29.0).iter().flat_map(|(_, action)| kinds(std::slice::from_ref(action))));
    assert_eq!(kinds_seen, ["answer", "answer"]);
    let actions = rig.call("mining.authorize", &json!(["me", "x"]));
    assert_eq!(kinds(&actions), ["answer", "mining.set_difficulty", "mining.notify"]);
    assert!(rig.job().clean, "work of a former pool is worthless");
}

#[test]
fn authorize_may_come_before_subscribe_and_work_after_both() {
    let mut rig = Rig::new(config());
    assert_eq!(kinds(&rig.call("mining.authorize", &json!(["me", null]))), ["answer"]);
    assert_eq!(kinds(&rig.call("mining.subscribe", &json!(null))), ["answer"]);
    let actions = rig.event(Event::NewWork(Base::default().build()));
    assert_eq!(kinds(&actions), ["mining.set_difficulty", "mining.notify"]);
    assert!(rig.job().clean);
}

#[test]
fn second_subscribe_repeats_the_first_answer() {
    let mut rig = Rig::new(config());
    let first = answer(&rig.call("mining.subscribe", &json!(["a"])))["result"].clone();
    let again = rig.call("mining.subscribe", &json!(["b"]));
    assert_eq!(answer(&again)["result"], first);
    assert_eq!(kinds(&again), ["answer"]);
}

#[test]
fn further_workers_are_welcome_without_new_work() {
    let mut rig = Rig::mining("me.1", Base::default());
    assert_eq!(kinds(&rig.call("mining.authorize", &json!(["me.2", "x"]))), ["answer"]);
    assert_eq!(rig.session.workers(), ["me.1", "me.2"]);
}

#[test]
fn workers_of_one_connection_are_bounded() {
    let mut rig = Rig::mining("me", Base::default());
    for number in 1..WORKERS_MAX {
        assert_eq!(outcome(&rig.call("mining.authorize", &json!([format!("w{number}")]))), Ok(()));
    }
    assert_eq!(outcome(&rig.call("mining.authorize", &json!(["one more"]))), Err(24));
    assert_eq!(outcome(&rig.call("mining.authorize", &json!(["me"]))), Ok(()), "known already");
    assert_eq!(rig.session.workers().len(), WORKERS_MAX);
}

#[test]
fn configure_is_always_answered_and_agrees_on_a_mask() {
    for (params, result) in [
        (
            json!([["version-rolling"], {"version-rolling.mask": "ffffffff"}]),
            json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}),
        ),
        (
            json!([["version-rolling"], {}]),
            json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}),
        ),
        (
            json!([["version-rolling"]]),
            json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}),
        ),
        (
            json!([["version-rolling"], {"version-rolling.mask": "00FFE0FF", "version-rolling.min-bit-count": "2"}]),
            json!({"version-rolling": true, "version-rolling.mask": "00ffe000"}),
        ),
        (
            json!([["version-rolling"], {"version-rolling.mask": "00000003"}]),
            json!({"version-rolling": false}),
        ),
        (
            json!([["minimum-difficulty", "subscribe-extranonce", "info", "made-up"],
                {"minimum-difficulty.value": 0.5, "info.hw-version": "x"}]),
            json!({"minimum-difficulty": true, "subscribe-extranonce": true, "info": true, "made-up": false}),
        ),
        (
            json!([["minimum-difficulty"], {"minimum-difficulty.value": -1}]),
            json!({"minimum-difficulty": false}),
        ),
        (json!([]), json!({})),
        (json!([[1, null], 5]), json!({})),
    ] {
        let mut rig = Rig::new(config());
        let actions = rig.call("mining.configure", &params);
        assert_eq!(answer(&actions)["result"], result, "{params}");
        assert_eq!(answer(&actions)["error"], json!(null));
    }
}

#[test]
fn jobs_leave_the_rolling_bits_clear() {
    let rig = Rig::mining(EASY, Base::default());
    assert_eq!(rig.job().version & ROLLING_MASK, 0);
    assert_eq!(rig.job().version, 0x2000_0004);
}

#[test]
fn ids_are_echoed_and_null_ids_get_no_answer() {
    let mut rig = Rig::new(config());
    let actions = rig.line(r#"{"id":"xnsub","method":"mining.extranonce.subscribe","params":[]}"#);
    assert_eq!(answer(&actions), json!({"id": "xnsub", "result": true, "error": null}));
    for line in [
        r#"{"id":null,"method":"mining.suggest_target","params":["00000000ffff0000000000000000000000000000000000000000000000000000"]}"#,
        r#"{"id":null,"method":"mining.capabilities","params":[{}]}"#,
        r#"{"method":"pong"}"#,
        r#"{"id":7,"result":true,"error":null}"#,
    ] {
        assert!(lines(&rig.line(line)).is_empty(), "{line}");
    }
    assert_eq!(closed(&rig.call("mining.subscribe", &json!([]))), None);
}

#[test]
fn unknown_methods_are_refused_and_never_close() {
    let mut rig = Rig::mining("me", Base::default());
    for method in ["mining.get_transactions", "mining.get_txnhashes", "pong", "eth_submitWork"] {
        let actions = rig.call(method, &json!([]));
        assert_eq!(answer(&actions)["error"], json!([20, "Not supported.", null]));
        assert_eq!(closed(&actions), None);
    }
    assert_eq!(answer(&rig.call("mining.ping", &json!([])))["result"], "pong");
    assert_eq!(answer(&rig.call("mining.multi_version", &json!([1])))["result"], true);
}

#[test]
fn short_probe_connection_gets_its_answers_without_work() {
    let mut rig = Rig::new(config());
    let subscribed = rig.call("mining.subscribe", &json!(["bitaxe"]));
    assert!(answer(&subscribed).to_string().contains("mining.notify"));
    assert_eq!(outcome(&rig.call("mining.authorize", &json!(["me", "x"]))), Ok(()));
}

#[test]
fn silence_before_subscribing_or_authorizing_ends_the_session() {
    let mut rig = Rig::new(config());
    let (when, last) = rig.wait(1000.0).pop().unwrap();
    assert_eq!((when, closed(&[last])), (30.0, Some(CloseReason::NotSubscribed)));

    let mut rig = Rig::new(config());
    rig.seconds = 10.0;
    rig.call("mining.subscribe", &json!([]));
    let (when, last) = rig.wait(1000.0).pop().unwrap();
    assert_eq!((when, closed(&[last])), (70.0, Some(CloseReason::NotAuthorized)));
}

#[test]
fn five_unreadable_lines_in_a_row_end_the_session() {
    let mut rig = Rig::mining("me", Base::default());
    for _ in 0..3 {
        for _ in 0..MALFORMED_MAX - 1 {
            assert_eq!(closed(&rig.line("GET / HTTP/1.1")), None);
        }
        rig.call("mining.ping", &json!([]));
    }
    for _ in 0..MALFORMED_MAX - 1 {
        rig.line("{");
    }
    assert_eq!(closed(&rig.line("{")), Some(CloseReason::Malformed));
    assert!(rig.call("mining.ping", &json!([])).is_empty(), "nothing happens after the end");
}

#[test]
fn long_line_ends_the_session_sooner_for_strangers() {
    let line = |bytes: usize| format!("{{\"id\":1,\"method\":\"{}\"}}", "x".repeat(bytes));
    let mut stranger = Rig::new(config());
    assert_eq!(closed(&stranger.line(&line(9_000))), Some(CloseReason::LineTooLong));
    let mut known = Rig::mining("me", Base::default());
    assert_eq!(closed(&known.line(&line(9_000))), None);
    assert_eq!(closed(&known.line(&line(17_000))), Some(CloseReason::LineTooLong));
}

#[test]
fn goodbye_ends_the_session() {
    let mut rig = Rig::mining("me", Base::default());
    assert_eq!(closed(&rig.call("mining.term", &json!([]))), Some(CloseReason::Ended));
}

#[test]
fn lack_of_work_sends_miners_to_their_backup_pool() {
    let mut rig = Rig::new(config());
    assert_eq!(closed(&rig.event(Event::NoWork)), None, "there never was any");
    let mut rig = Rig::mining("me", Base::default());
    assert_eq!(closed(&rig.event(Event::NoWork)), Some(CloseReason::NoWork));
}
