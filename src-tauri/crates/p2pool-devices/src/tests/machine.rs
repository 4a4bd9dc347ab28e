//! The machine of a change, told all sorts of things: it ends, in time, and never runs in circles.

use std::time::Duration;

use proptest::prelude::*;

use super::clock::wishes;
use crate::cgminer::{Pools, identify, parse_reply};
use crate::error::CallError;
use crate::info::Info;
use crate::request::Request;
use crate::script::{AVALON_BACK_WITHIN, Document, Reading, Script};
use crate::transaction::{Fact, Now, Output, Transaction};
use crate::{
    Denial, DeviceAddress, DeviceText, DoorCount, Ending, RESULT_WITHIN, Reach, Silence,
    plan_change,
};

fn address() -> DeviceAddress {
    DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private).unwrap()
}

fn readings() -> Vec<Reading> {
    let flat = r#"{"ASICModel":"x","boardVersion":"601","version":"2.9.0","stratumURL":"a",
        "stratumPort":1,"stratumUser":"u","fallbackStratumURL":"","fallbackStratumPort":0,
        "fallbackStratumUser":""}"#;
    let slots = r#"{"ASICModel":"x","boardVersion":"601","version":"2.15.0","primaryPoolIndex":0,
        "secondaryPoolIndex":0,"pools":[{"id":0,"stratumURL":"a","stratumPort":1,"stratumUser":"u"}]}"#;
    let nerd = flat.replace("boardVersion\":\"601", "deviceModel\":\"NerdAxe");
    let infos = [flat, slots, &nerd].map(|text| {
        let info = Info::parse(text.as_bytes()).unwrap();
        Reading { identity: info.identity(address()), document: Document::Info(info) }
    });
    let avalon = br#"{"STATUS":[{"STATUS":"S"}],"VERSION":[{"PROD":"Avalon Nano3s"}],
        "POOLS":[{"POOL":0,"URL":"stratum+tcp://a:1","User":"u"}]}"#;
    let identity = identify(&parse_reply(avalon).unwrap(), address()).unwrap();
    let avalon = Reading { identity, document: Document::Pools(Pools::parse(avalon).unwrap()) };
    infos.into_iter().chain([avalon]).collect()
}

fn script(family: usize) -> Script {
    plan_change(&readings()[family], &wishes()).unwrap().script
}

fn failure(kind: u8) -> CallError {
    match kind {
        0 => CallError::Silent(Silence::TimedOut),
        1 => CallError::Denied(Denial::ThisComputer),
        2 => CallError::Rejected(DeviceText::clean("no")),
        3 => CallError::TooLong { bytes_max: 1 },
        _ => CallError::NotUnderstood("x"),
    }
}

/// One answer: how a call ends, how long it takes, and what happens at the door.
type Told = (Option<u8>, u64, u8);

fn told() -> impl Strategy<Value = Vec<Told>> {
    let outcome = prop_oneof![4 => Just(None), 3 => Just(Some(0)), 1 => (1_u8..5).prop_map(Some)];
    proptest::collection::vec((outcome, 0_u64..6, 0_u8..12), 1..60)
}

proptest! {
    #[test]
    fn it_ends_in_time_with_one_restart_and_one_repetition(
        family in 0_usize..4,
        is_kept in any::<bool>(),
        told in told(),
    ) {
        let mut script = script(family);
        if is_kept {
            // The readings below never change: as if they showed what was sent.
            script.expects.clear();
        }
        let (writes, restarts) = (script.writes.len(), usize::from(script.restart.is_some()));
        let mut machine = Transaction::new(script, DoorCount::default());
        let (mut now, mut sent, mut restarted) = (Now::default(), 0, 0);
        let mut told = told.into_iter().cycle();
        let mut steps = 0;
        let result = loop {
            steps += 1;
            prop_assert!(steps < 1000, "it runs in circles");
            let Some(output) = machine.poll() else {
                return Err(TestCaseError::fail("it waits for nothing"));
            };
            let (outcome, seconds, door) = told.next().unwrap();
            let fact = match output {
                Output::Phase(_) => continue,
                Output::End(result) => break result,
                Output::Wait(pause) => {
                    prop_assert!(pause > Duration::ZERO, "a wait that does not wait");
                    // News at the door end a wait early; halves of halves would never end it.
                    let is_early = door == 0 && pause > Duration::from_secs(1);
                    now.elapsed += if is_early { pause / 2 } else { pause };
                    Fact::Nothing
                }
                Output::Read => {
                    now.elapsed += Duration::from_secs(seconds);
                    let reading = readings().swap_remove(family);
                    Fact::Read(outcome.map_or(Ok(reading), |kind| Err(failure(kind))))
                }
                Output::Send(request) => {
                    now.elapsed += Duration::from_secs(seconds);
                    if matches!(request, Request::Restart | Request::Reboot) {
                        restarted += 1;
                    } else {
                        sent += 1;
                    }
                    Fact::Sent(outcome.map_or(Ok(()), |kind| Err(failure(kind))))
                }
            };
            now.door.logins += u64::from(door == 1);
            now.door.results += u64::from(door == 2 && now.door.logins > 0);
            machine.handle(now, fact);
        };
        prop_assert!(restarted <= restarts, "{restarted} restarts");
        prop_assert!(sent <= 2 * writes, "{sent} writes of {writes}");
        let most = 2 * AVALON_BACK_WITHIN + RESULT_WITHIN + Duration::from_secs(120);
        prop_assert!(now.elapsed <= most, "{:?}", now.elapsed);
        if result == Ok(Ending::Hashing) {
            prop_assert!(now.door.logins > 0 && now.door.results > 0);
        }
        prop_assert!(result != Ok(Ending::Restored), "a change does not end as an undoing");
    }
}
