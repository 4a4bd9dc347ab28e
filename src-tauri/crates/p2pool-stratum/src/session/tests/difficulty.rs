use serde_json::{Value, json};

use super::super::*;
use super::rig::*;

const WIDE: Base =
    Base { block: 1, share: 1, share_target_bits: 160, block_target_bits: 150, max_time: None };

fn difficulties(actions: &[Action]) -> Vec<f64> {
    lines(actions)
        .iter()
        .filter(|line| line["method"] == "mining.set_difficulty")
        .map(|line| line["params"][0].as_f64().unwrap())
        .collect()
}

fn first_difficulty(agent: &str, user: &str, password: &str, config: SessionConfig) -> f64 {
    let mut rig = Rig::new(config);
    rig.event(Event::NewWork(WIDE.build()));
    rig.call("mining.subscribe", &json!([agent]));
    difficulties(&rig.call("mining.authorize", &json!([user, password])))[0]
}

#[test]
fn first_difficulty_follows_request_memory_device_and_default() {
    let remembered = || SessionConfig { start_difficulty: Some(7000.0), ..config() };
    assert_eq!(first_difficulty("bitaxe", "me+512", "d=9", remembered()), 512.0);
    assert_eq!(first_difficulty("bitaxe", "me", "d=9", remembered()), 9.0);
    assert_eq!(first_difficulty("bitaxe", "me", "x", remembered()), 7000.0);
    assert_eq!(first_difficulty("NerdMinerV2", "me", "x", config()), 0.000_25);
    assert_eq!(first_difficulty("unheard-of", "me", "x", config()), 1000.0);
}

#[test]
fn difficulty_stays_at_or_below_the_share_chains() {
    let mut rig = Rig::mining("me+1000000", Base::default());
    let share_difficulty = compact::difficulty(target(SHARE_TARGET_BITS));
    let announced = rig.session.difficulty().unwrap();
    assert!(announced <= share_difficulty && announced > share_difficulty * 0.89);
    let easier = Base { share: 2, share_target_bits: 248, ..Base::default() };
    let actions = rig.event(Event::NewWork(easier.build()));
    assert_eq!(kinds(&actions), ["mining.set_difficulty", "mining.notify"]);
    assert!(difficulties(&actions)[0] <= compact::difficulty(target(248)));
}

#[test]
fn share_difficulty_may_be_chosen_by_name() {
    let easiest = Rig::mining("me", WIDE);
    let mut chosen = Rig::mining("me/100000000000000000000000", WIDE);
    assert_eq!(easiest.jobs.len(), 1);
    let job = chosen.job();
    let table_job = chosen.session.jobs.find(number(&job), MonoTime::ZERO).unwrap();
    let hardest = target(160) / U256::from(30);
    assert_eq!(
        table_job.template().info().bits,
        p2pool_sharechain::CompactBits::from_target(hardest),
        "cut to a thirtieth of the easiest"
    );
}

#[test]
fn fixed_difficulty_is_not_varied() {
    let mut rig = Rig::mining("me+64", WIDE);
    let log = rig.wait(900.0);
    assert!(log.iter().all(|(_, action)| difficulties(std::slice::from_ref(action)).is_empty()));
    assert_eq!(rig.session.difficulty(), Some(64.0));
}

#[test]
fn silence_makes_work_easier_step_by_step() {
    let mut rig = Rig::mining("me", WIDE);
    let log = rig.wait(300.0);
    let steps: Vec<f64> =
        log.iter().flat_map(|(_, action)| difficulties(std::slice::from_ref(action))).collect();
    assert_eq!(steps[..3], [250.0, 63.0, 16.0]);
    assert!(rig.session.difficulty().unwrap() <= 0.001, "{steps:?}");
}

#[test]
fn fast_miner_gets_harder_work_with_a_new_job_that_is_not_clean() {
    let base = Base { share_target_bits: 230, ..Base::default() };
    let mut rig = Rig::mining("me", base);
    rig.call("mining.suggest_difficulty", &json!([0.000_000_01]));
    assert_eq!(rig.session.difficulty(), Some(0.000_000_01));
    let job = rig.job();
    let mut nonce = 0;
    let mut raised = Vec::new();
    for _ in 0..20 {
        rig.seconds += 0.1;
        let easy = compact::target_of_difficulty(0.000_000_01);
        nonce = Rig::find(&job, job.time, 0, (target(230), easy), nonce + 1);
        let actions = rig.send(&job, job.time, nonce, &[]);
        assert_eq!(outcome(&actions), Ok(()), "judged by the difficulty of its job");
        if !difficulties(&actions).is_empty() {
            assert_eq!(kinds(&actions), ["answer", "mining.set_difficulty", "mining.notify"]);
            raised.extend(difficulties(&actions));
        }
    }
    assert_eq!(raised.len(), 1, "one leap within seconds: {raised:?}");
    assert!(raised[0] > 0.000_000_1);
    assert!(!rig.job().clean);

    let easy = compact::target_of_difficulty(0.000_000_01);
    let hard = compact::target_of_difficulty(raised[0]);
    let newest = rig.job();
    let nonce = Rig::find(&newest, newest.time, 0, (hard, easy), 0);
    assert_eq!(outcome(&rig.send(&newest, newest.time, nonce, &[])), Err(23));
}

#[test]
fn open_jobs_accept_the_lower_of_old_and_new_difficulty() {
    let base = Base { share_target_bits: 230, ..Base::default() };
    let mut rig = Rig::mining("me+0.00001", base);
    let old = rig.job();
    let hard = compact::target_of_difficulty(0.000_01);
    let easy = compact::target_of_difficulty(0.000_000_01);
    let nonce = Rig::find(&old, old.time, 0, (hard, easy), 0);
    assert_eq!(outcome(&rig.send(&old, old.time, nonce, &[])), Err(23));
    rig.call("mining.authorize", &json!([EASY, "x"]));
    assert_eq!(rig.session.difficulty(), Some(0.000_000_01));
    let actions = rig.send(&old, old.time, nonce, &[]);
    assert!(actions.iter().any(
        |action| matches!(action, Action::Accepted { difficulty, .. } if *difficulty == 0.000_000_01)
    ));
}

#[test]
fn wish_repeated_as_keepalive_changes_nothing() {
    let mut rig = Rig::mining("me", WIDE);
    let actions = rig.call("mining.suggest_difficulty", &json!([0.00015]));
    assert_eq!(kinds(&actions), ["answer", "mining.set_difficulty", "mining.notify"]);
    assert_eq!(difficulties(&actions), [0.000_15]);
    for _ in 0..50 {
        rig.seconds += 0.1;
        assert_eq!(kinds(&rig.call("mining.suggest_difficulty", &json!([0.00015]))), ["answer"]);
    }
}

#[test]
fn wishes_are_understood_in_every_form() {
    for (method, params, expected) in [
        ("mining.suggest_difficulty", json!([64]), 64.0),
        ("mining.suggest_difficulty", json!(["64"]), 64.0),
        ("mining.suggest_difficulty(64)", json!([]), 64.0),
        (
            "mining.suggest_target",
            json!(["0000000003fffc00000000000000000000000000000000000000000000000000"]),
            64.0,
        ),
        ("mining.suggest_difficulty", json!([0]), 1000.0),
        ("mining.suggest_difficulty", json!([-1]), 1000.0),
        ("mining.suggest_difficulty", json!([]), 1000.0),
        ("mining.suggest_target", json!(["xyz"]), 1000.0),
        ("mining.suggest_target", json!([5]), 1000.0),
    ] {
        let mut rig = Rig::mining("me", WIDE);
        let actions = rig.call(method, &params);
        assert!(matches!(answer(&actions)["result"], Value::Bool(_)));
        assert_eq!(rig.session.difficulty(), Some(expected), "{method} {params}");

        let mut rig = Rig::new(config());
        rig.event(Event::NewWork(WIDE.build()));
        rig.call(method, &params);
        rig.call("mining.subscribe", &json!([]));
        let actions = rig.call("mining.authorize", &json!(["me"]));
        assert_eq!(difficulties(&actions), [expected], "before the handshake: {method}");
    }
}

#[test]
fn minimum_of_the_miner_is_kept() {
    let mut rig = Rig::mining("me", WIDE);
    let configure = json!([["minimum-difficulty"], {"minimum-difficulty.value": 5000}]);
    let actions = rig.call("mining.configure", &configure);
    assert_eq!(kinds(&actions), ["answer", "mining.set_difficulty", "mining.notify"]);
    assert_eq!(rig.session.difficulty(), Some(5000.0));
    rig.wait(600.0);
    assert_eq!(rig.session.difficulty(), Some(5000.0));
}

#[test]
fn wanted_target_of_the_node_holds_from_the_next_job_on() {
    let mut rig = Rig::mining("me", WIDE);
    rig.session.set_wanted_target(target(157));
    rig.event(Event::NewWork(Base { share: 2, ..WIDE }.build()));
    let job = rig.job();
    let found = rig.session.jobs.find(number(&job), MonoTime::ZERO).unwrap();
    assert_eq!(
        found.template().info().bits,
        p2pool_sharechain::CompactBits::from_target(target(157))
    );
}
