use proptest::prelude::*;
use serde_json::json;

use super::*;

fn client() -> Client {
    Client::new(ClientConfig {
        user: "me.\"rig\"".into(),
        password: "x".into(),
        user_agent: "test/1".into(),
    })
}

fn drain(client: &mut Client) -> Vec<ClientAction> {
    std::iter::from_fn(|| client.poll()).collect()
}

fn sent(actions: &[ClientAction]) -> Vec<Value> {
    actions
        .iter()
        .filter_map(|action| {
            let ClientAction::Send(line) = action else { return None };
            Some(serde_json::from_slice(line).unwrap())
        })
        .collect()
}

fn hear(client: &mut Client, message: &Value) -> Vec<ClientAction> {
    client.handle_line(message.to_string().as_bytes());
    drain(client)
}

fn notify(job_id: &str) -> Value {
    json!({"id": null, "method": "mining.notify", "params": [job_id, "00".repeat(32), "01", "02",
        ["03".repeat(32)], "20000000", "1d00ffff", "66000000", true]})
}

/// A client that has work at difficulty 2.
fn working(mask: &Value) -> Client {
    let mut client = client();
    drain(&mut client);
    hear(&mut client, &json!({"id": 1, "result": mask, "error": null}));
    hear(&mut client, &json!({"id": 2, "result": [[], "0badcafe", 4], "error": null}));
    hear(&mut client, &json!({"id": 3, "result": true, "error": null}));
    hear(&mut client, &json!({"id": null, "method": "mining.set_difficulty", "params": [2]}));
    let actions = hear(&mut client, &notify("a"));
    assert!(matches!(actions.as_slice(), [ClientAction::Work(_)]));
    client
}

fn found() -> Found {
    Found {
        job_id: "a".into(),
        extranonce2: vec![0, 0, 0, 1],
        time: 0x6600_0000,
        nonce: 0xab,
        version_bits: 0x20c0_0000,
    }
}

#[test]
fn greeting_names_the_miner_and_asks_for_version_rolling() {
    let mut client = client();
    let lines = sent(&drain(&mut client));
    assert_eq!(
        lines,
        [
            json!({"id": 1, "method": "mining.configure", "params": [["version-rolling"],
                {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}]}),
            json!({"id": 2, "method": "mining.subscribe", "params": ["test/1"]}),
            json!({"id": 3, "method": "mining.authorize", "params": ["me.\"rig\"", "x"]}),
        ]
    );
}

#[test]
fn work_carries_difficulty_extranonce_and_mask() {
    let mut client = working(&json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}));
    let actions = hear(&mut client, &notify("b"));
    let [ClientAction::Work(work)] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(work.extranonce1, [0x0b, 0xad, 0xca, 0xfe]);
    assert_eq!((work.extranonce2_bytes, work.version_mask), (4, 0x1fff_e000));
    assert_eq!(work.target, compact::target_of_difficulty(2.0));
    assert_eq!(work.version(0xffff_ffff), 0x3fff_e000);
}

#[test]
fn difficulty_holds_from_the_next_job_on() {
    let mut client = working(&json!(null));
    let set = json!({"id": null, "method": "mining.set_difficulty", "params": [8]});
    assert!(hear(&mut client, &set).is_empty());
    client.submit(&found());
    let actions = hear(&mut client, &json!({"id": 4, "result": true, "error": null}));
    assert_eq!(actions.last(), Some(&ClientAction::Accepted { difficulty: 2.0 }));
    let actions = hear(&mut client, &notify("b"));
    assert!(matches!(actions.as_slice(), [ClientAction::Work(work)] if work.difficulty == 8.0));
}

#[test]
fn submit_has_a_sixth_parameter_only_after_negotiation() {
    let mut plain = working(&json!(null));
    plain.submit(&found());
    let lines = sent(&drain(&mut plain));
    assert_eq!(lines[0]["params"], json!(["me.\"rig\"", "a", "00000001", "66000000", "000000ab"]));
    let mut rolling =
        working(&json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}));
    rolling.submit(&found());
    assert_eq!(sent(&drain(&mut rolling))[0]["params"][5], "00c00000");
}

#[test]
fn refusals_of_every_form_are_understood() {
    for (answer, code, reason) in [
        (
            json!({"id": 4, "result": null, "error": [23, "Low difficulty", null]}),
            Some(23),
            "Low difficulty",
        ),
        (json!({"id": 4, "result": false, "error": null}), None, "answered false"),
        (json!({"id": 4, "result": null, "error": {"code": -3, "message": "no"}}), Some(-3), "no"),
        (json!({"id": "4", "result": null, "error": "stale"}), None, "stale"),
    ] {
        let mut client = working(&json!(null));
        client.submit(&found());
        assert_eq!(client.unanswered(), 1);
        drain(&mut client);
        assert_eq!(
            hear(&mut client, &answer),
            [ClientAction::Rejected { code, reason: reason.into() }]
        );
        assert_eq!(client.unanswered(), 0);
        assert!(hear(&mut client, &answer).is_empty(), "counted once");
    }
}

#[test]
fn refused_subscription_or_user_ends_the_connection() {
    let mut first = client();
    drain(&mut first);
    let actions = hear(&mut first, &json!({"id": 2, "result": null, "error": [20, "full", null]}));
    assert_eq!(actions, [ClientAction::Failed(ClientError::NotSubscribed("full".into()))]);
    let mut second = client();
    drain(&mut second);
    let actions = hear(&mut second, &json!({"id": 3, "result": false, "error": null}));
    assert!(matches!(actions.as_slice(), [ClientAction::Failed(ClientError::NotAuthorized(_))]));
    assert!(hear(&mut second, &notify("a")).is_empty(), "nothing happens after the end");
}

#[test]
fn pool_that_does_not_know_configure_is_fine() {
    let mut client = client();
    drain(&mut client);
    let refused = json!({"id": 1, "result": null, "error": [20, "Not supported.", null]});
    assert!(hear(&mut client, &refused).is_empty());
}

#[test]
fn calls_of_the_pool_are_answered() {
    let mut client = working(&json!(null));
    let version = json!({"id": 9, "method": "client.get_version", "params": []});
    assert_eq!(sent(&hear(&mut client, &version))[0]["result"], "test/1");
    let ping = json!({"id": 10, "method": "mining.ping", "params": []});
    assert_eq!(sent(&hear(&mut client, &ping))[0]["result"], "pong");
    let unknown = json!({"id": 11, "method": "mining.made_up", "params": []});
    assert_eq!(sent(&hear(&mut client, &unknown))[0]["error"][0], 20);
    let message = json!({"id": null, "method": "client.show_message", "params": ["hi\u{7}"]});
    assert_eq!(hear(&mut client, &message), [ClientAction::Message("hi?".into())]);
    let again = json!({"id": null, "method": "client.reconnect", "params": []});
    assert_eq!(hear(&mut client, &again), [ClientAction::Failed(ClientError::Reconnect)]);
}

#[test]
fn nonsense_ends_the_connection() {
    for line in [
        r#"{"id":null,"method":"mining.set_difficulty","params":[0]}"#,
        r#"{"id":null,"method":"mining.set_difficulty","params":["5"]}"#,
        r#"{"id":null,"method":"mining.set_extranonce","params":["zz",4]}"#,
        r#"{"id":null,"method":"mining.notify","params":[]}"#,
        "nonsense",
    ] {
        let mut client = working(&json!(null));
        client.handle_line(line.as_bytes());
        assert!(
            matches!(
                drain(&mut client).as_slice(),
                [ClientAction::Failed(ClientError::Unreadable(_))]
            ),
            "{line}"
        );
    }
    let mut early = client();
    drain(&mut early);
    assert!(matches!(
        hear(&mut early, &notify("a")).as_slice(),
        [ClientAction::Failed(ClientError::Unreadable(_))]
    ));
}

proptest! {
    #[test]
    fn client_never_panics_on_arbitrary_lines(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..10),
    ) {
        let mut client = working(&json!(null));
        for line in lines {
            client.handle_line(&line);
            client.submit(&found());
            drain(&mut client);
        }
    }
}
