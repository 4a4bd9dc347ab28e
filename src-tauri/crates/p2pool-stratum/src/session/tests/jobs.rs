use std::collections::BTreeSet;

use serde_json::json;

use super::super::*;
use super::rig::*;
use crate::message::hex;

#[test]
fn job_is_told_again_every_half_minute_with_new_id_time_and_coinbase() {
    let mut rig = Rig::mining("me", Base::default());
    let log = rig.wait(600.0);
    let mut last = 0.0;
    for (when, action) in &log {
        if kinds(std::slice::from_ref(action)) == ["mining.notify"] {
            assert!(when - last <= 30.0, "silent from {last} to {when}");
            last = *when;
        }
    }
    assert!(last >= 570.0);
    let ids: BTreeSet<&str> = rig.jobs.iter().map(|job| job.job_id.as_str()).collect();
    assert_eq!(ids.len(), rig.jobs.len());
    assert!(ids.iter().all(|id| (4..=16).contains(&id.len())));
    let coinbases: BTreeSet<&[u8]> =
        rig.jobs.iter().map(|job| job.coinbase_prefix.as_slice()).collect();
    assert_eq!(coinbases.len(), rig.jobs.len(), "what was tried is never tried again");
    assert_eq!(rig.job().time, CURRENT_TIME + last as u32);
    assert!(rig.jobs[1..].iter().all(|job| !job.clean));
}

#[test]
fn coinbase_pays_the_configured_address_whatever_the_user_name_says() {
    let rig = Rig::mining(
        "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry",
        Base::default(),
    );
    assert!(hex(&rig.job().coinbase_prefix).contains(PAYOUT_SCRIPT));
    assert_eq!(rig.job().coinbase_suffix, [0; 4]);
}

#[test]
fn payout_address_of_another_network_ends_the_session() {
    let mut rig = Rig::new(SessionConfig::new(b"not an address".to_vec()));
    rig.event(Event::NewWork(Base::default().build()));
    rig.call("mining.subscribe", &json!([]));
    let actions = rig.call("mining.authorize", &json!(["me"]));
    assert!(matches!(closed(&actions), Some(CloseReason::PayoutAddress(_))));
}

#[test]
fn new_share_keeps_old_work_alive_and_new_block_does_not() {
    let mut rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    let actions = rig.event(Event::NewWork(Base { share: 2, ..Base::default() }.build()));
    assert_eq!(kinds(&actions), ["mining.notify"]);
    assert!(!rig.job().clean);
    rig.event(Event::NewWork(Base { block: 2, share: 2, ..Base::default() }.build()));
    assert!(rig.job().clean);
    assert_ne!(rig.job().previous_block, old.previous_block);
}

#[test]
fn same_work_again_is_no_news() {
    let mut rig = Rig::mining("me", Base::default());
    let base = Base { share: 3, ..Base::default() }.build();
    assert_eq!(kinds(&rig.event(Event::NewWork(Arc::clone(&base)))), ["mining.notify"]);
    assert!(rig.event(Event::NewWork(base)).is_empty());
}

#[test]
fn work_on_an_older_share_counts_as_late() {
    let mut rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    rig.event(Event::NewWork(Base { share: 2, ..Base::default() }.build()));
    let (_, actions) = rig.submit_pseudoshare(&old, 0);
    assert_eq!(outcome(&actions), Ok(()));
    assert!(actions.iter().any(|action| matches!(action, Action::Accepted { late: true, .. })));
    let actions = rig.submit_share(&old);
    assert_eq!(outcome(&actions), Ok(()));
    assert_eq!(solved(&actions), [(false, true, false)]);
    let newest = rig.job();
    assert_eq!(solved(&rig.submit_share(&newest)), [(false, true, true)]);
}

#[test]
fn work_on_the_former_block_is_stale_for_five_seconds_and_then_unknown() {
    let mut rig = Rig::mining(EASY, Base::default());
    let old = rig.job();
    rig.event(Event::NewWork(Base { block: 2, ..Base::default() }.build()));
    rig.seconds += 4.9;
    let actions = rig.submit_share(&old);
    assert_eq!(outcome(&actions), Err(21));
    assert_eq!(answer(&actions)["error"][1], "Stale");
    assert_eq!(solved(&actions), [(false, true, false)], "the share chain may count it as dead");
    assert_eq!(solved(&rig.submit_share(&old)), [], "but only once");
    rig.seconds += 0.2;
    let actions = rig.submit_share(&old);
    assert_eq!(answer(&actions)["error"], json!([21, "Job not found", null]));
    assert_eq!(solved(&actions), []);
}

#[test]
fn jobs_of_the_tip_stay_valid_up_to_the_bound() {
    let mut rig = Rig::mining(EASY, Base::default());
    let first = rig.job();
    rig.wait(600.0);
    assert_eq!(outcome(&rig.submit_pseudoshare(&first, 0).1), Ok(()), "ten minutes later");
    for share in 0..u8::try_from(crate::job::JOBS_MAX).unwrap() {
        rig.event(Event::NewWork(Base { share: 100 + share, ..Base::default() }.build()));
    }
    assert_eq!(outcome(&rig.submit_pseudoshare(&first, 0).1), Err(21));
    let newest = rig.job();
    assert_eq!(outcome(&rig.submit_pseudoshare(&newest, 0).1), Ok(()));
}
