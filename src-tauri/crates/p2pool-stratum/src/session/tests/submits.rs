use serde_json::json;

use super::super::*;
use super::rig::*;
use crate::job::{SOLUTIONS_PER_JOB_MAX, TIME_AHEAD_MAX_SECONDS};

fn reasons(actions: &[Action]) -> Vec<RejectReason> {
    actions
        .iter()
        .filter_map(|action| {
            let Action::Rejected { reason, .. } = action else { return None };
            Some(*reason)
        })
        .collect()
}

#[test]
fn pseudoshare_is_answered_and_counted_and_goes_no_further() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let (_, actions) = rig.submit_pseudoshare(&job, 0);
    assert_eq!(answer(&actions), json!({"id": 3, "result": true, "error": null}));
    let [Action::Send(_), Action::Accepted { worker, difficulty, late, .. }] = actions.as_slice()
    else {
        panic!("{actions:?}");
    };
    assert_eq!((worker.as_str(), *difficulty, *late), ("me.rig", 0.000_000_01, false));
}

#[test]
fn share_is_answered_first_and_then_told_to_the_node() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let actions = rig.submit_share(&job);
    let [
        Action::Send(_),
        Action::Solved { template, solution, grade, worker, on_time },
        Action::Accepted { .. },
    ] = actions.as_slice()
    else {
        panic!("{actions:?}");
    };
    assert_eq!((grade.is_block, grade.is_share, *on_time), (false, true, true));
    assert_eq!(worker, "me.rig");
    assert_eq!(solution.coinbase_nonce, [0x0b, 0xad, 0xca, 0xfe, 0, 0, 0, 7]);
    let share = template.share(solution).unwrap();
    assert_eq!(share.hash(), grade.hash);
}

#[test]
fn block_leaves_before_its_answer() {
    let easy_block = Base { block_target_bits: 242, ..Base::default() };
    let mut rig = Rig::mining(EASY, easy_block);
    let job = rig.job();
    let nonce = Rig::find(&job, job.time, 0, (U256::ZERO, target(242)), 0);
    let actions = rig.send(&job, job.time, nonce, &[]);
    assert!(
        matches!(&actions[0], Action::Solved { grade, .. } if grade.is_block && grade.is_share)
    );
    assert!(matches!(&actions[1], Action::Send(_)));
    assert_eq!(solved(&actions).len(), 1);
    assert_eq!(outcome(&actions), Ok(()));
}

#[test]
fn block_leaves_whatever_else_is_wrong_with_it() {
    let easy_block = Base { block_target_bits: 242, ..Base::default() };
    let block = |job: &_, time, bits| Rig::find(job, time, bits, (U256::ZERO, target(242)), 0);
    let expect = |actions: &[Action], code| {
        assert_eq!(outcome(actions), Err(code));
        assert!(matches!(&actions[0], Action::Solved { grade, .. } if grade.is_block));
    };

    let mut rig = Rig::mining(EASY, easy_block);
    let job = rig.job();
    let late = job.time + TIME_AHEAD_MAX_SECONDS + 1;
    let nonce = block(&job, late, 0);
    expect(&rig.send(&job, late, nonce, &[]), 20);

    let nonce = block(&job, job.time, 3);
    expect(&rig.send(&job, job.time, nonce, &["00000003"]), 20);

    let nonce = block(&job, job.time, 0);
    assert_eq!(outcome(&rig.send(&job, job.time, nonce, &[])), Ok(()));
    expect(&rig.send(&job, job.time, nonce, &[]), 22);

    let nonce = Rig::find(&job, job.time, 0, (U256::ZERO, target(242)), nonce + 1);
    rig.event(Event::NewWork(Base { block: 2, ..easy_block }.build()));
    expect(&rig.send(&job, job.time, nonce, &[]), 21);
}

#[test]
fn solution_that_is_a_block_and_no_share_counts() {
    let base = Base { block_target_bits: 250, share_target_bits: 230, ..Base::default() };
    let mut rig = Rig::mining("me+1", base);
    let job = rig.job();
    let nonce = Rig::find(&job, job.time, 0, (target(230), target(250)), 0);
    let actions = rig.send(&job, job.time, nonce, &[]);
    assert_eq!(outcome(&actions), Ok(()));
    assert_eq!(solved(&actions), [(true, false, true)]);
}

#[test]
fn nonce_with_few_digits_is_accepted() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let range = (U256::ZERO, target(SHARE_TARGET_BITS));
    let nonce = Rig::find(&job, job.time, 0, range, 0);
    assert!(nonce < 0x1000_0000);
    let params =
        json!(["me.rig", job.job_id, "00000007", format!("{:X}", job.time), format!("{nonce:X}")]);
    assert_eq!(outcome(&rig.call("mining.submit", &params)), Ok(()));
}

#[test]
fn version_bits_count_when_given_and_may_be_missing_or_empty() {
    let mut rig = Rig::mining(EASY, Base::default());
    rig.call(
        "mining.configure",
        &json!([["version-rolling"], {"version-rolling.mask": "ffffffff"}]),
    );
    let job = rig.job();
    let range = (U256::ZERO, target(SHARE_TARGET_BITS));
    for (bits, field) in [(0x00c0_0000, "00c00000"), (0x1fff_e000, "1fffe000"), (0x2000, "2000")] {
        let nonce = Rig::find(&job, job.time, bits, range, 0);
        let actions = rig.send(&job, job.time, nonce, &[field]);
        assert_eq!((outcome(&actions), solved(&actions).len()), (Ok(()), 1));
    }
    let first = Rig::find(&job, job.time, 0, range, 0);
    let second = Rig::find(&job, job.time, 0, range, first + 1);
    assert_eq!(outcome(&rig.send(&job, job.time, first, &[])), Ok(()), "missing");
    assert_eq!(outcome(&rig.send(&job, job.time, second, &[""])), Ok(()), "empty");
}

#[test]
fn version_bits_count_without_negotiation_and_never_outside_the_mask() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let range = (target(200), target(SHARE_TARGET_BITS));
    let nonce = Rig::find(&job, job.time, 0x00c0_0000, range, 0);
    assert_eq!(outcome(&rig.send(&job, job.time, nonce, &["00c00000"])), Ok(()));
    let nonce = Rig::find(&job, job.time, 0x0000_0001, range, 0);
    let actions = rig.send(&job, job.time, nonce, &["00000001"]);
    assert_eq!((outcome(&actions), reasons(&actions)), (Err(20), vec![RejectReason::VersionBits]));
    rig.call(
        "mining.configure",
        &json!([["version-rolling"], {"version-rolling.mask": "00002000"}]),
    );
    let nonce = Rig::find(&job, job.time, 0x4000, range, 0);
    assert_eq!(outcome(&rig.send(&job, job.time, nonce, &["00004000"])), Err(20));
}

#[test]
fn header_time_may_roll_within_what_bitcoin_allows() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    rig.seconds = 20.0;
    let latest = CURRENT_TIME + 20 + TIME_AHEAD_MAX_SECONDS;
    let earliest = CURRENT_TIME - 3600;
    let range = (U256::ZERO, target(SHARE_TARGET_BITS));
    for (time, expected) in
        [(earliest - 1, Err(20)), (earliest, Ok(())), (latest, Ok(())), (latest + 1, Err(20))]
    {
        let nonce = Rig::find(&job, time, 0, range, 0);
        let actions = rig.send(&job, time, nonce, &[]);
        assert_eq!(outcome(&actions), expected, "{time}");
        assert_eq!(solved(&actions).len(), usize::from(expected.is_ok()));
    }
}

#[test]
fn header_time_respects_the_templates_own_limit() {
    let limit = CURRENT_TIME + 100;
    let mut rig = Rig::mining(EASY, Base { max_time: Some(limit), ..Base::default() });
    let job = rig.job();
    let range = (U256::ZERO, target(SHARE_TARGET_BITS));
    for (time, expected) in [(limit, Ok(())), (limit + 1, Err(20))] {
        let nonce = Rig::find(&job, time, 0, range, 0);
        assert_eq!(outcome(&rig.send(&job, time, nonce, &[])), expected);
    }
    rig.wait(300.0);
    assert_eq!(rig.job().time, limit, "what is handed out stays inside, too");
}

#[test]
fn refusals_carry_their_codes() {
    let mut rig = Rig::new(config());
    let any = json!(["me", "1", "00000001", "66000000", "00000000"]);
    assert_eq!(outcome(&rig.call("mining.submit", &any)), Err(25));
    rig.call("mining.subscribe", &json!([]));
    assert_eq!(outcome(&rig.call("mining.submit", &any)), Err(24));

    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    assert_eq!(outcome(&rig.call("mining.submit", &any)), Err(21));
    assert_eq!(outcome(&rig.call("mining.submit", &json!(["me", job.job_id]))), Err(20));
    let short = json!(["me", job.job_id, "000001", "66000000", "00000000"]);
    assert_eq!(outcome(&rig.call("mining.submit", &short)), Err(20));

    let (nonce, actions) = rig.submit_pseudoshare(&job, 0);
    assert_eq!(outcome(&actions), Ok(()));
    let again = rig.send(&job, job.time, nonce, &[]);
    assert_eq!((outcome(&again), reasons(&again)), (Err(22), vec![RejectReason::Duplicate]));

    let easy = compact::target_of_difficulty(0.000_000_01);
    let low = Rig::find(&job, job.time, 0, (easy, U256::MAX), 0);
    let actions = rig.send(&job, job.time, low, &[]);
    assert_eq!(
        (outcome(&actions), reasons(&actions)),
        (Err(23), vec![RejectReason::LowDifficulty])
    );
}

#[test]
fn submit_without_id_is_carried_out_and_not_answered() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let range = (target(200), target(SHARE_TARGET_BITS));
    let nonce = Rig::find(&job, job.time, 0, range, 0);
    let line = json!({"id": null, "method": "mining.submit", "params":
        ["me.rig", job.job_id, "00000007", format!("{:08x}", job.time), format!("{nonce:08x}")]});
    let actions = rig.line(&line.to_string());
    assert!(lines(&actions).is_empty());
    assert_eq!(solved(&actions).len(), 1);
}

#[test]
fn names_never_authorized_are_counted_all_the_same() {
    let mut rig = Rig::mining(EASY, Base::default());
    let job = rig.job();
    let mut found = 0;
    for (user, counted) in [("me.other", "me.other"), ("", "me.rig"), ("stranger", "stranger")] {
        let (nonce, _) = rig.submit_pseudoshare(&job, found);
        let easy = compact::target_of_difficulty(0.000_000_01);
        found = Rig::find(&job, job.time, 0, (U256::ZERO, easy), nonce + 1);
        let params = json!([
            user,
            job.job_id,
            "00000007",
            format!("{:08x}", job.time),
            format!("{found:08x}")
        ]);
        let actions = rig.call("mining.submit", &params);
        assert!(
            actions.iter().any(
                |action| matches!(action, Action::Accepted { worker, .. } if worker == counted)
            ),
            "{user}: {actions:?}"
        );
        found += 1;
    }
}

#[test]
fn job_with_too_many_solutions_is_replaced() {
    let base = Base { share_target_bits: 255, ..Base::default() };
    let mut rig = Rig::mining("me+0.0000000001", base);
    let job = rig.job();
    let mut nonce = 0;
    let range = (U256::ZERO, target(255));
    for _ in 0..SOLUTIONS_PER_JOB_MAX {
        nonce = Rig::find(&job, job.time, 0, range, nonce + 1);
        assert_eq!(outcome(&rig.send(&job, job.time, nonce, &[])), Ok(()));
    }
    let nonce = Rig::find(&job, job.time, 0, range, nonce + 1);
    let actions = rig.send(&job, job.time, nonce, &[]);
    assert_eq!(outcome(&actions), Err(20));
    assert_eq!(solved(&actions).len(), 1, "a share is a share");
    assert_ne!(rig.job().job_id, job.job_id);
}
