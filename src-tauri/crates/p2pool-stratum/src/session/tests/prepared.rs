use serde_json::json;

use super::super::*;
use super::rig::*;

fn prepared(base: Base, terms: &Terms, nonce: u32) -> Arc<Prepared> {
    Arc::new(Prepared::new(&base.build(), terms, nonce, at(0.0)).unwrap())
}

fn terms() -> Terms {
    Terms { payout_address: PAYOUT.into(), wanted_target: U256::MAX }
}

fn logged_in(extranonce1: Extranonce1, user: &str, work: &Arc<Prepared>) -> Rig {
    let mut rig = Rig::new(config());
    rig.session = Session::new(config(), extranonce1, at(0.0));
    rig.event(Event::Prepared(Arc::clone(work)));
    rig.call("mining.subscribe", &json!(["test/1"]));
    rig.call("mining.authorize", &json!([user, "x"]));
    rig
}

#[test]
fn connections_on_the_same_terms_share_their_work_and_not_their_extranonce() {
    let work = prepared(Base::default(), &terms(), 5);
    let one = logged_in(Extranonce1(1), EASY, &work).job();
    let other = logged_in(Extranonce1(2), EASY, &work).job();
    assert_ne!(one.job_id, other.job_id);
    assert_eq!(
        one.coinbase_prefix, other.coinbase_prefix,
        "made once; the extranonce keeps the work apart"
    );
}

#[test]
fn prepared_work_is_taken_once_by_each_connection() {
    let work = prepared(Base::default(), &terms(), 5);
    let mut rig = logged_in(EXTRANONCE1, "me", &work);
    let first = rig.job();
    rig.call("mining.suggest_difficulty", &json!([0.000_000_1]));
    assert_ne!(rig.job().coinbase_prefix, first.coinbase_prefix);
    assert!(rig.event(Event::Prepared(Arc::clone(&work))).len() <= 2);
    let coinbases: std::collections::BTreeSet<_> =
        rig.jobs.iter().map(|job| job.coinbase_prefix.clone()).collect();
    assert_eq!(coinbases.len(), rig.jobs.len(), "what was tried is never tried again");
}

#[test]
fn silent_miners_share_the_work_of_every_easier_job() {
    let work = prepared(Base { share_target_bits: 200, ..Base::default() }, &terms(), 5);
    let mut rigs = [1, 2].map(|number| logged_in(Extranonce1(number), "me", &work));
    for rig in &mut rigs {
        rig.wait(150.0);
        assert!(rig.jobs.len() > 3, "easier jobs, and the time anew");
    }
    let [one, other] = rigs.map(|rig| rig.jobs);
    let coinbases = |jobs: &[crate::notify::Notify]| {
        jobs.iter()
            .map(|job| job.coinbase_prefix.clone())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(coinbases(&one).len(), one.len(), "what was tried is never tried again");
    assert_eq!(coinbases(&one), coinbases(&other), "made once for all");
}

#[test]
fn fresh_work_on_the_same_base_is_handed_out_and_is_not_clean() {
    let base = Base::default().build();
    let fresh = |nonce| Arc::new(Prepared::new(&base, &terms(), nonce, at(0.0)).unwrap());
    let mut rig = logged_in(EXTRANONCE1, EASY, &fresh(1));
    let old = rig.job();
    assert_eq!(kinds(&rig.event(Event::Prepared(fresh(2)))), ["mining.notify"]);
    assert!(!rig.job().clean);
    assert_eq!(outcome(&rig.submit_pseudoshare(&old, 0).1), Ok(()), "old work stays good");
}

#[test]
fn terms_of_the_node_may_change_with_its_work() {
    let bigger = Terms { wanted_target: target(SHARE_TARGET_BITS - 2), ..terms() };
    let mut rig = logged_in(EXTRANONCE1, EASY, &prepared(Base::default(), &terms(), 1));
    let share = |rig: &mut Rig| {
        let job = rig.job();
        rig.session.jobs.find(number(&job), MonoTime::ZERO).unwrap().template().share_target()
    };
    let smallest = share(&mut rig);
    rig.event(Event::Prepared(prepared(Base { share: 2, ..Base::default() }, &bigger, 2)));
    assert!(share(&mut rig) <= smallest >> 1);
}

#[test]
fn miner_with_wishes_of_its_own_gets_work_of_its_own() {
    let work = prepared(Base::default(), &terms(), 5);
    let user = format!("me/{}", compact::difficulty(target(SHARE_TARGET_BITS - 3)));
    let mut rig = logged_in(EXTRANONCE1, &user, &work);
    let job = rig.job();
    let own = rig.session.jobs.find(number(&job), MonoTime::ZERO).unwrap().template();
    assert!(!Arc::ptr_eq(own, work.template()));
    assert!(own.share_target() < target(SHARE_TARGET_BITS - 2));
    let other = prepared(Base { share: 2, ..Base::default() }, &terms(), 6);
    rig.event(Event::Prepared(other));
    let job = rig.job();
    let own = rig.session.jobs.find(number(&job), MonoTime::ZERO).unwrap().template();
    assert!(own.share_target() < target(SHARE_TARGET_BITS - 2), "the wish lasts");
}
