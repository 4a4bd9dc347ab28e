use p2pool_sharechain::Params;
use serde_json::json;

use super::super::*;
use super::rig::*;
use crate::message::hex;

const OTHER: &str = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry";
const OTHER_SCRIPT: &str = "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262";

fn rig() -> Rig {
    let params = Some(Arc::new(Params::regtest()));
    let mut rig = Rig::new(SessionConfig { pays_user_names: params, ..config() });
    rig.event(Event::NewWork(Base::default().build()));
    rig.call("mining.subscribe", &json!(["test/1"]));
    rig
}

fn pays(rig: &Rig, script: &str) -> bool {
    hex(&rig.job().coinbase_prefix).contains(script)
}

#[test]
fn address_in_the_user_name_is_paid() {
    let mut rig = rig();
    let user = format!("{OTHER}.rig+0.00000001");
    assert_eq!(kinds(&rig.call("mining.authorize", &json!([user, "x"])))[0], "answer");
    assert!(pays(&rig, OTHER_SCRIPT));
    assert_eq!(rig.session.workers(), [format!("{OTHER}.rig")]);
    rig.event(Event::NewWork(Base { share: 2, ..Base::default() }.build()));
    assert!(pays(&rig, OTHER_SCRIPT), "and stays so");
}

#[test]
fn address_that_cannot_be_paid_is_refused_in_words_and_let_go() {
    for user in ["bitaxe1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig", ""] {
        let mut rig = rig();
        let actions = rig.call("mining.authorize", &json!([user, "x"]));
        let answer = answer(&actions);
        assert_eq!(answer["error"][0], 24);
        assert!(answer["error"][1].as_str().unwrap().contains("regtest address"), "{answer}");
        assert!(rig.jobs.is_empty(), "never paid elsewhere silently");
        assert_eq!(closed(&actions), None, "it has time to read");
        let log = rig.wait(2.0);
        let (when, _) = log
            .iter()
            .find(|(_, action)| matches!(action, Action::Close(CloseReason::NoPayee)))
            .unwrap();
        assert!((*when - 1.0).abs() < 0.01);
    }
}

#[test]
fn one_connection_pays_one_address() {
    let mut rig = rig();
    assert_eq!(kinds(&rig.call("mining.authorize", &json!([OTHER, "x"])))[0], "answer");
    let again = rig.call("mining.authorize", &json!([format!("{OTHER}.two"), "x"]));
    assert_eq!(outcome(&again), Ok(()));
    let third = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let refused = rig.call("mining.authorize", &json!([third, "x"]));
    assert_eq!(outcome(&refused), Err(24));
    assert_eq!(rig.session.workers(), [OTHER.to_owned(), format!("{OTHER}.two")]);
    assert!(pays(&rig, OTHER_SCRIPT));
}

#[test]
fn name_in_a_submit_cannot_bring_in_another_payee() {
    let mut rig = rig();
    rig.call("mining.authorize", &json!([format!("{OTHER}+0.00000001"), "x"]));
    let job = rig.job();
    let (_, actions) = rig.submit_pseudoshare(&job, 0);
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Accepted { worker, .. } if worker == OTHER))
    );
}

#[test]
fn own_cpu_miner_needs_no_address() {
    let params = Some(Arc::new(Params::regtest()));
    for (is_local, code) in [(true, Ok(())), (false, Err(24))] {
        let config = SessionConfig { pays_user_names: params.clone(), is_local, ..config() };
        let mut rig = Rig::new(config);
        rig.call("mining.subscribe", &json!(["p2pool-miner/0.1.0"]));
        assert_eq!(outcome(&rig.call("mining.authorize", &json!(["cpu", "x"]))), code);
    }
}
