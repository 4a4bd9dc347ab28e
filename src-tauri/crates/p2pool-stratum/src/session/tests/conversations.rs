//! What devices of the field say, in their own words and order. Source: `docs/stratum.md`,
//! sections 2 to 5.

use serde_json::{Value, json};

use super::super::*;
use super::rig::*;
use crate::message::number_from_hex;
use crate::notify::Notify;

/// A device's first lines, one or several in a segment, and what it must then hear.
struct Device {
    name: &'static str,
    says: &'static [&'static str],
    /// Kinds of lines that answer, in order; `#id` for an answer.
    hears: &'static [&'static str],
    difficulty: f64,
    /// How it writes what it found.
    submit: fn(&Notify, u32) -> String,
}

/// Extranonce2 that [`Rig::find`] mines with.
const EXTRANONCE2: &str = "00000007";
/// Before authorization a device hears answers only; the first job follows at once.
const START: [&str; 2] = ["mining.set_difficulty", "mining.notify"];

fn plain(job: &Notify, nonce: u32) -> String {
    format!(
        r#"{{"params": ["me", "{}", "{EXTRANONCE2}", "{:08x}", "{nonce:08x}"], "id": 99, "method": "mining.submit"}}"#,
        job.job_id, job.time
    )
}

const DEVICES: [Device; 10] = [
    Device {
        name: "Bitaxe, everything back to back",
        says: &[
            r#"{"id": 1, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "ffffffff"}]}"#,
            r#"{"id": 2, "method": "mining.subscribe", "params": ["bitaxe/BM1370/v2.9.0"]}"#,
            r#"{"id": 3, "method": "mining.authorize", "params": ["me", "x"]}"#,
            r#"{"id": 4, "method": "mining.suggest_difficulty", "params": [1000]}"#,
            r#"{"id": 5, "method": "mining.extranonce.subscribe", "params": []}"#,
        ],
        hears: &["#1", "#2", "#3", START[0], START[1], "#4", "#5"],
        difficulty: 1000.0,
        // The rolled version XOR the job's.
        submit: |job, nonce| {
            format!(
                r#"{{"id": 99, "method": "mining.submit", "params": ["me", "{}", "{EXTRANONCE2}", "{:08x}", "{nonce:08x}", "00000000"]}}"#,
                job.job_id, job.time
            )
        },
    },
    Device {
        name: "NerdQAxe",
        says: &[
            r#"{"id":1,"method":"mining.subscribe","params":["nerdqaxe++/BM1370/v1.0.30"]}"#,
            r#"{"id":2,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}"#,
            r#"{"id":3,"method":"mining.authorize","params":["me","x"]}"#,
        ],
        hears: &["#1", "#2", "#3", START[0], START[1]],
        difficulty: 4000.0,
        submit: plain,
    },
    Device {
        name: "NerdMiner, nonce without leading zeros",
        says: &[
            r#"{"id": 1, "method": "mining.subscribe", "params": ["NerdMinerV2/1.7.0"]}"#,
            r#"{"params": ["me", "x"], "id": 2, "method": "mining.authorize"}"#,
            r#"{"id": 3, "method": "mining.suggest_difficulty", "params": [0.00015]}"#,
        ],
        hears: &["#1", "#2", START[0], START[1], "#3", START[0], START[1]],
        difficulty: 0.00015,
        submit: |job, nonce| {
            format!(
                r#"{{"id":99,"method":"mining.submit","params":["me","{}","{EXTRANONCE2}","{:08x}","{nonce:x}"]}}"#,
                job.job_id, job.time
            )
        },
    },
    Device {
        name: "cgminer with version rolling, Avalon",
        says: &[
            r#"{"id": 0, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}]}"#,
            r#"{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.11.1", null]}"#,
            r#"{"id": 2, "method": "mining.authorize", "params": ["me", "123"]}"#,
            r#"{"id": 3, "method": "mining.extranonce.subscribe", "params": []}"#,
        ],
        hears: &["#0", "#1", "#2", START[0], START[1], "#3"],
        difficulty: 1000.0,
        submit: plain,
    },
    Device {
        name: "Antminer stock firmware",
        says: &[
            r#"{"id": 1, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.min-bit-count": 2, "version-rolling.mask": "00c00000"}]}"#,
            r#"{"id": 2, "method": "mining.subscribe", "params": ["Antminer S19/Tue Nov 15 2022"]}"#,
            r#"{"id": 3, "method": "mining.authorize", "params": ["me", "x"]}"#,
            r#"{"id": 4, "method": "mining.multi_version", "params": [1]}"#,
        ],
        hears: &["#1", "#2", "#3", START[0], START[1], "#4"],
        difficulty: 66_000.0,
        submit: plain,
    },
    Device {
        name: "Braiins OS",
        says: &[
            r#"{"id":0,"method":"mining.configure","params":[["version-rolling","minimum-difficulty","info"],{"version-rolling.mask":"1fffe000","minimum-difficulty.value":2048,"info.sw-version":"bosminer"}]}"#,
            r#"{"id":1,"method":"mining.subscribe","params":["bosminer-plus-tuner 0.2.0",null,"pool.local",9332]}"#,
            r#"{"id":2,"method":"mining.authorize","params":["me",""]}"#,
        ],
        hears: &["#0", "#1", "#2", START[0], START[1]],
        difficulty: 66_000.0,
        submit: plain,
    },
    Device {
        name: "bfgminer, null ids before the subscription and ids of text",
        says: &[
            r#"{"method":"mining.suggest_target","params":["000000ffff000000000000000000000000000000000000000000000000000000"],"id":null}"#,
            r#"{"method":"mining.capabilities","params":[{"notify":[],"set_difficulty":{}}],"id":null}"#,
            r#"{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}"#,
            r#"{"id":"xnsub","method":"mining.extranonce.subscribe","params":[]}"#,
            r#"{"id": "auth", "method": "mining.authorize", "params": ["me", "x"]}"#,
        ],
        hears: &["#0", "#\"xnsub\"", "#\"auth\"", START[0], START[1]],
        difficulty: 0.0039,
        submit: plain,
    },
    Device {
        name: "cpuminer",
        says: &[
            r#"{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}"#,
            r#"{"id": 2, "method": "mining.authorize", "params": ["me", "x"]}"#,
        ],
        hears: &["#1", "#2", START[0], START[1]],
        difficulty: 0.01,
        submit: |job, nonce| {
            format!(
                r#"{{"method": "mining.submit", "params": ["me", "{}", "{EXTRANONCE2}", "{:08x}", "{nonce:08x}"], "id":4}}"#,
                job.job_id, job.time
            )
        },
    },
    Device {
        name: "rental proxy, authorize first",
        says: &[
            r#"{"id":1,"method":"mining.authorize","params":["me","x"]}"#,
            r#"{"id":2,"method":"mining.subscribe","params":["NiceHash/1.0.0"]}"#,
            r#"{"id":3,"method":"mining.extranonce.subscribe","params":[]}"#,
        ],
        hears: &["#1", "#2", START[0], START[1], "#3"],
        difficulty: 520_000.0,
        submit: plain,
    },
    Device {
        name: "Whatsminer, parameters of the user's own",
        says: &[
            r#"{"id": 1, "method": "mining.subscribe", "params": ["whatsminer/v1.1"]}"#,
            r#"{"id": 2, "method": "mining.authorize", "params": ["me", "d=8192,x"]}"#,
        ],
        hears: &["#1", "#2", START[0], START[1]],
        difficulty: 8192.0,
        submit: plain,
    },
];

/// A chain whose shares are harder than any first difficulty.
fn hard() -> Base {
    Base { share_target_bits: 190, block_target_bits: 189, ..Base::default() }
}

fn heard(actions: &[Action]) -> Vec<String> {
    lines(actions)
        .iter()
        .map(|line| match line["method"].as_str() {
            Some(method) => method.to_owned(),
            None => {
                assert!(line.get("error").is_some_and(Value::is_null), "{line}");
                format!("#{}", line["id"])
            }
        })
        .collect()
}

#[test]
fn each_family_of_devices_gets_its_answers_in_order_and_then_its_work() {
    for device in &DEVICES {
        let mut rig = Rig::new(SessionConfig::new(PAYOUT));
        rig.event(Event::NewWork(hard().build()));
        let said: Vec<Action> = device.says.iter().flat_map(|line| rig.line(line)).collect();
        assert_eq!(heard(&said), device.hears, "{}", device.name);
        assert_eq!(rig.session.difficulty(), Some(device.difficulty), "{}", device.name);
        assert!(rig.jobs[0].clean, "{}", device.name);
    }
}

#[test]
fn each_family_of_devices_has_its_results_accepted() {
    for device in &DEVICES {
        let mut rig = Rig::new(SessionConfig::new(PAYOUT));
        // Everything counts that is a share of this easy chain.
        let base = Base { share_target_bits: 250, block_target_bits: 190, ..Base::default() };
        rig.event(Event::NewWork(base.build()));
        for line in device.says {
            rig.line(line);
        }
        let job = rig.job();
        let nonce = Rig::find(&job, job.time, 0, (U256::ZERO, target(250)), 0);
        let actions = rig.line(&(device.submit)(&job, nonce));
        assert_eq!(outcome(&actions), Ok(()), "{}", device.name);
        assert_eq!(solved(&actions).len(), 1, "{}", device.name);
    }
}

#[test]
fn notify_is_what_the_strictest_devices_read() {
    let mut rig = Rig::new(SessionConfig::new(PAYOUT));
    rig.event(Event::NewWork(hard().build()));
    let said: Vec<Action> = DEVICES[0].says.iter().flat_map(|line| rig.line(line)).collect();
    let lines = lines(&said);
    let notify = lines.iter().find(|line| line["method"] == "mining.notify").unwrap();
    let params = notify["params"].as_array().unwrap();
    assert_eq!(params.len(), 9, "clean is read as the last parameter");
    for (index, digits) in [(1, Some(64)), (5, Some(8)), (6, Some(8)), (7, Some(8)), (0, None)] {
        let text = params[index].as_str().unwrap();
        assert!(digits.is_none_or(|digits| text.len() == digits), "{text}");
    }
    let version = number_from_hex(params[5].as_str().unwrap()).unwrap();
    assert_eq!(version & 0x1fff_e000, 0, "setting, replacing and flipping bits are the same");
    let answer = lines.iter().find(|line| line["id"] == 1).unwrap();
    let agreed = json!({"version-rolling": true, "version-rolling.mask": "1fffe000"});
    assert_eq!(answer["result"], agreed);
}

#[test]
fn keepalives_and_replies_of_devices_cause_nothing() {
    let mut rig = Rig::new(SessionConfig::new(PAYOUT));
    rig.event(Event::NewWork(hard().build()));
    for line in DEVICES[2].says {
        rig.line(line);
    }
    let again = DEVICES[2].says[2];
    assert_eq!(heard(&rig.line(again)), ["#3"], "the same wish again is a sign of life");
    assert!(rig.line(r#"{"id": 7, "method": "pong", "params": []}"#).len() <= 1);
    assert!(rig.line(r#"{"id": 3, "result": "cgminer/4.11.1", "error": null}"#).is_empty());
}

#[test]
fn probe_of_a_bitaxe_is_answered_with_the_word_that_it_looks_for() {
    let mut rig = Rig::new(SessionConfig::new(PAYOUT));
    let actions = rig.line(r#"{"id": 1, "method": "mining.subscribe", "params": ["bitaxe"]}"#);
    let sent: Vec<&Vec<u8>> = actions
        .iter()
        .filter_map(|action| if let Action::Send(line) = action { Some(line) } else { None })
        .collect();
    assert!(sent.len() == 1 && sent[0].len() < 1023);
    assert!(String::from_utf8_lossy(sent[0]).contains("mining.notify"));
}
