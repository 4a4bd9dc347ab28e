use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::rig::*;

/// What a miner, or an enemy, may do.
#[derive(Clone, Debug)]
enum Deed {
    Call {
        id: Value,
        method: &'static str,
        params: Value,
    },
    Bytes(Vec<u8>),
    /// A solution of one of the jobs, by its place from the newest.
    Submit {
        id: Value,
        job: usize,
        nonce: u32,
        bits: Option<String>,
    },
    Work {
        block: u8,
        share: u8,
        share_target_bits: usize,
    },
    NoWork,
    Wait(u32),
}

fn ids() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u32>().prop_map(Value::from),
        "[a-z]{0,5}".prop_map(Value::from),
        Just(Value::Null)
    ]
}

fn params() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[0-9a-f]{0,9}".prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!("me+0.0000001/3")),
        Just(json!("version-rolling")),
    ];
    leaf.prop_recursive(3, 20, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![
                    Just("version-rolling.mask".to_owned()),
                    Just("minimum-difficulty.value".to_owned())
                ],
                inner,
                0..3
            )
            .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "mining.subscribe",
        "mining.authorize",
        "mining.configure",
        "mining.extranonce.subscribe",
        "mining.suggest_difficulty",
        "mining.suggest_difficulty(5)",
        "mining.suggest_target",
        "mining.submit",
        "mining.ping",
        "mining.capabilities",
        "mining.get_transactions",
        "mining.multi_version",
        "",
    ])
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (ids(), methods(), prop::collection::vec(params(), 0..7).prop_map(Value::from))
            .prop_map(|(id, method, params)| Deed::Call { id, method, params }),
        1 => (ids(), methods(), params())
            .prop_map(|(id, method, params)| Deed::Call { id, method, params }),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Deed::Bytes),
        6 => (ids(), 0_usize..5, 0_u32..60, prop::option::of("[0-9a-f]{0,9}"))
            .prop_map(|(id, job, nonce, bits)| Deed::Submit { id, job, nonce, bits }),
        2 => (0_u8..3, 0_u8..3, 150_usize..256)
            .prop_map(|(block, share, share_target_bits)| Deed::Work { block, share, share_target_bits }),
        1 => Just(Deed::NoWork),
        2 => (0_u32..40_000).prop_map(Deed::Wait),
    ]
}

/// Checks what may never happen, over everything that was sent.
#[derive(Default)]
struct Watcher {
    asked: BTreeMap<String, i64>,
    job_ids: std::collections::BTreeSet<String>,
    difficulty_is_loose: bool,
    has_closed: bool,
}

impl Watcher {
    fn see(&mut self, actions: &[Action]) {
        for action in actions {
            assert!(!self.has_closed, "nothing follows the end: {action:?}");
            if let Action::Send(line) = action {
                self.see_line(line);
            }
            self.has_closed |= matches!(action, Action::Close(_));
        }
        assert!(!self.difficulty_is_loose || self.has_closed, "a difficulty without a job");
    }

    fn see_line(&mut self, line: &[u8]) {
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: Value = serde_json::from_slice(line).unwrap();
        match value["method"].as_str() {
            None => {
                assert!(!self.difficulty_is_loose, "an answer between difficulty and job");
                *self.asked.entry(value["id"].to_string()).or_default() -= 1;
            }
            Some("mining.set_difficulty") => {
                assert!(!self.difficulty_is_loose, "two difficulties in a row");
                assert!(value["params"][0].as_f64().unwrap() > 0.0);
                assert!(!String::from_utf8_lossy(line).contains(".0]"));
                self.difficulty_is_loose = true;
            }
            Some("mining.notify") => {
                self.difficulty_is_loose = false;
                let job = job_of(&value).unwrap();
                assert!(self.job_ids.insert(job.job_id), "a job id again");
            }
            Some("client.reconnect") => assert_eq!(value["params"], json!([])),
            Some(other) => panic!("an unknown notification: {other}"),
        }
    }
}

fn carry_out(rig: &mut Rig, watcher: &mut Watcher, deed: &Deed) {
    let ask = |watcher: &mut Watcher, id: &Value| {
        if !id.is_null() && !watcher.has_closed {
            *watcher.asked.entry(id.to_string()).or_default() += 1;
        }
    };
    let actions = match deed {
        Deed::Call { id, method, params } => {
            let line = json!({"id": id, "method": method, "params": params}).to_string();
            ask(watcher, id);
            rig.line(&line)
        }
        Deed::Bytes(bytes) => rig.event(Event::Line(bytes)),
        Deed::Submit { id, job, nonce, bits } => {
            let job = rig.jobs.iter().rev().nth(*job).cloned();
            let (job_id, time) = job.map_or(("x".into(), 0), |job| (job.job_id, job.time));
            let params = json!([
                "me",
                job_id,
                "00000000",
                format!("{time:08x}"),
                format!("{nonce:x}"),
                bits
            ]);
            ask(watcher, id);
            rig.line(&json!({"id": id, "method": "mining.submit", "params": params}).to_string())
        }
        Deed::Work { block, share, share_target_bits } => {
            let base = Base {
                block: *block,
                share: *share,
                share_target_bits: *share_target_bits,
                ..Base::default()
            };
            rig.event(Event::NewWork(base.build()))
        }
        Deed::NoWork => rig.event(Event::NoWork),
        Deed::Wait(ms) => {
            for (_, action) in rig.wait(f64::from(*ms) / 1000.0) {
                // One by one: pairs of lines are checked across them.
                if let Action::Send(line) = &action {
                    watcher.see_line(line);
                } else {
                    watcher.see(std::slice::from_ref(&action));
                }
            }
            Vec::new()
        }
    };
    watcher.see(&actions);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_request_is_answered_exactly_once_whatever_happens(
        starts_mining in any::<bool>(),
        deeds in prop::collection::vec(deeds(), 0..60),
    ) {
        let mut rig = Rig::new(config());
        let mut watcher = Watcher::default();
        if starts_mining {
            for deed in [
                Deed::Work { block: 0, share: 0, share_target_bits: 250 },
                Deed::Call { id: json!(1), method: "mining.subscribe", params: json!([]) },
                Deed::Call { id: json!(2), method: "mining.authorize", params: json!(["me+0.000000001"]) },
            ] {
                carry_out(&mut rig, &mut watcher, &deed);
            }
        }
        for deed in &deeds {
            carry_out(&mut rig, &mut watcher, deed);
        }
        for (id, open) in &watcher.asked {
            prop_assert_eq!(*open, 0, "id {}", id);
        }
    }

    #[test]
    fn session_never_panics_on_arbitrary_lines(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let mut rig = Rig::mining(EASY, Base::default());
        for line in lines {
            rig.event(Event::Line(&line));
        }
    }
}
