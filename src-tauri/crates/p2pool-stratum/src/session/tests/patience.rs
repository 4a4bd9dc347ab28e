use serde_json::json;

use super::super::*;
use super::rig::*;

/// A solution that is too easy, a second later.
fn fail(rig: &mut Rig, seconds: f64) -> Vec<Action> {
    rig.wait(seconds);
    let job = rig.job();
    let easy = compact::target_of_difficulty(0.000_000_01);
    let low = Rig::find(&job, job.time, 0, (easy, U256::MAX), 0);
    rig.send(&job, job.time, low, &[])
}

#[test]
fn miner_with_nothing_but_refusals_is_helped_and_then_sent_away() {
    let mut rig = Rig::mining(EASY, Base::default());
    let mut steps = Vec::new();
    for second in 0..200 {
        let actions = fail(&mut rig, 1.0);
        let kinds = kinds(&actions);
        if kinds.contains(&"mining.notify".to_owned()) {
            assert!(rig.job().clean);
            steps.push((second, "job"));
        }
        if kinds.contains(&"client.reconnect".to_owned()) {
            steps.push((second, "reconnect"));
        }
        if closed(&actions) == Some(CloseReason::OnlyRejects) {
            steps.push((second, "close"));
            break;
        }
    }
    assert_eq!(steps, [(60, "job"), (120, "reconnect"), (180, "close")]);
}

#[test]
fn one_good_solution_ends_all_doubt() {
    let mut rig = Rig::mining(EASY, Base::default());
    for second in 0..400 {
        let actions = fail(&mut rig, 1.0);
        assert_eq!(closed(&actions), None);
        assert!(!kinds(&actions).contains(&"client.reconnect".to_owned()));
        if second % 50 == 0 {
            let job = rig.job();
            assert_eq!(outcome(&rig.submit_share(&job)), Ok(()));
        }
    }
}

#[test]
fn late_work_tries_nobodys_patience() {
    let mut rig = Rig::mining(EASY, Base::default());
    let any = json!(["me", "0badcafe0", "00000001", "66000000", "00000000"]);
    for _ in 0..400 {
        rig.wait(1.0);
        assert_eq!(closed(&rig.call("mining.submit", &any)), None);
    }
}

#[test]
fn miners_are_told_when_the_node_stops() {
    let mut rig = Rig::mining("me", Base::default());
    let actions = rig.event(Event::Leaving);
    let told = lines(&actions);
    assert_eq!(told[0], json!({"id": null, "method": "client.reconnect", "params": []}));
    assert_eq!(closed(&actions), Some(CloseReason::Stopping));
    let mut early = Rig::new(config());
    assert!(lines(&early.event(Event::Leaving)).is_empty(), "nothing before authorization");
}
