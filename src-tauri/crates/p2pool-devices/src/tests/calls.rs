//! Limits of every call, and the drivers of the public face.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::{Sim, client, device, ready, wishes};
use super::server::{Answer, Server};
use super::sim_avalon::Avalon;
use super::sim_axeos::{AxeOs, Kind};
use crate::client::{ANSWER_BYTES_MAX, CALL_TIMEOUT, ClientConfig, Device, DeviceClient, Ports};
use crate::{
    CallError, Denial, DeviceProblem, Dialect, DoorCount, Ending, Family, FirstLook, Phase, Reach,
    ResolveError, Secrets, Silence, UndoError, apply, seen_again, undo, wait_longer,
};

fn none() -> Secrets {
    Secrets::default()
}

fn at(ports: Ports) -> Device {
    let client = client(ports);
    client.device(client.address(Ipv4Addr::LOCALHOST).unwrap()).unwrap()
}

async fn http_device(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Device, [Server; 2]) {
    let servers = [Server::http(move |_| answer()).await, Server::nobody().await];
    (at(Ports { http: servers[0].port, cgminer: servers[1].port }), servers)
}

#[tokio::test]
async fn a_read_carries_our_name_and_no_origin() {
    let sim = AxeOs::start(Kind::Bitaxe214).await;
    device(&sim).read(Dialect::AxeOs, &none()).await.unwrap();
    let heard = sim.state().heard[0].clone();
    assert_eq!(heard.line(), "GET /api/system/info");
    assert_eq!(heard.header("user-agent"), Some("P2Pool Desktop/0.1.0 (local miner setup)"));
    for absent in ["origin", "referer", "authorization", "cookie", "x-totp"] {
        assert_eq!(heard.header(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn public_addresses_and_loopback_are_not_called() {
    let config =
        ClientConfig { user_agent: "x".into(), reach: Reach::Private, ports: Ports::default() };
    let strict = DeviceClient::new(&config).unwrap();
    assert!(strict.address([8, 8, 8, 8].into()).is_err());
    assert!(strict.address(Ipv4Addr::LOCALHOST).is_err());
    let wide = client(Ports::default()).address(Ipv4Addr::LOCALHOST).unwrap();
    assert!(strict.device(wide).is_err(), "an address from a client with a wider reach");
    let refused = strict.resolve("1.1.1.1").await;
    assert!(matches!(refused, Err(ResolveError::NotPrivate(_))), "{refused:?}");
    let refused = strict.resolve("localhost").await;
    assert!(matches!(refused, Err(ResolveError::NotPrivate(_) | ResolveError::NotFound(_))));
    for name in ["", "a b", "http://10.0.0.1/", "ä.local", "10.0.0.1:80"] {
        let refused = strict.resolve(name).await;
        assert!(matches!(refused, Err(ResolveError::BadName(_))), "{name}");
    }
    assert_eq!(strict.resolve(" 10.0.0.7 ").await.unwrap().to_string(), "10.0.0.7");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::http(|_| panic!("nobody may come here")).await;
    let location = format!("HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:{}/\r\n\r\n", other.port);
    let (mut device, _servers) =
        http_device(move || Answer::Raw(location.clone().into_bytes())).await;
    let refused = device.read(Dialect::AxeOs, &none()).await;
    assert!(matches!(refused, Err(CallError::Rejected(_))), "{refused:?}");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = || Answer::ok(vec![b' '; 10 * ANSWER_BYTES_MAX]);
    let too_long = Err(CallError::TooLong { bytes_max: ANSWER_BYTES_MAX });
    let (mut device, _servers) = http_device(endless).await;
    assert_eq!(device.read(Dialect::AxeOs, &none()).await, too_long);

    let server = Server::commands(|_| Answer::Raw(vec![b' '; 10 * ANSWER_BYTES_MAX])).await;
    let mut device = at(Ports { http: 1, cgminer: server.port });
    assert_eq!(device.read(Dialect::Cgminer, &none()).await, too_long);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_says_nothing_ends_the_call_in_time() {
    let web = Server::http(|_| Answer::Hang).await;
    let api = Server::commands(|_| Answer::Hang).await;
    let mut device = at(Ports { http: web.port, cgminer: api.port });
    for dialect in [Dialect::AxeOs, Dialect::Cgminer] {
        let start = Instant::now();
        let silent = device.read(dialect, &none()).await;
        assert_eq!(silent, Err(CallError::Silent(Silence::TimedOut)));
        assert!(start.elapsed() <= CALL_TIMEOUT + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_first_look_tells_what_is_there() {
    let bitaxe = AxeOs::start(Kind::Bitaxe215).await;
    let FirstLook::Read(reading) = device(&bitaxe).look(&none()).await.unwrap() else {
        panic!("a Bitaxe can be read");
    };
    assert_eq!(reading.identity.family, Family::Bitaxe);
    assert_eq!(device(&bitaxe).model(&none()).await.unwrap().as_str(), "Gamma");

    let avalon = Avalon::start().await;
    let found = device(&avalon).look(&none()).await.unwrap();
    assert_eq!(found.identity().model.as_str(), "Avalon Nano3s");

    let realm = "WWW-Authenticate: Digest realm=\"antMiner Configuration\"\r\n";
    let antminer = move || Answer::Http { status: 401, headers: realm, body: Vec::new() };
    let (mut device, _servers) = http_device(antminer).await;
    let found = device.look(&none()).await.unwrap();
    assert_eq!(found.identity().family, Family::Antminer);
}

#[tokio::test]
async fn a_first_look_at_what_is_no_miner_says_so() {
    let (mut router, _servers) = http_device(|| Answer::ok("<title>Router</title>")).await;
    let found = router.look(&none()).await;
    assert!(matches!(found, Err(CallError::NotUnderstood(_))), "{found:?}");
    let realm = "WWW-Authenticate: Basic realm=\"axeos\"\r\n";
    let locked = move || Answer::Http { status: 401, headers: realm, body: Vec::new() };
    let (mut locked, _servers) = http_device(locked).await;
    assert_eq!(locked.look(&none()).await.err(), Some(Denial::NeedsLogin.into()));
}

#[tokio::test]
async fn buttons_of_the_device_page_work() {
    let sim = AxeOs::start(Kind::Bitaxe214).await;
    let mut device = device(&sim);
    let identity = device.read(Dialect::AxeOs, &none()).await.unwrap().identity;
    assert!(Device::can_greet(&identity));
    device.greet(&none()).await.unwrap();
    device.restart(Family::Bitaxe, &none()).await.unwrap();
    assert_eq!(sim.lines(), ["POST /api/system/identify", "POST /api/system/restart"]);
    let refused = device.restart(Family::Antminer, &none()).await;
    assert!(matches!(refused, Err(CallError::NotUnderstood(_))));
}

#[tokio::test]
async fn applying_and_undoing_work_through_the_public_face() {
    let sim = AxeOs::start(Kind::NerdQAxe).await;
    let folder = tempfile::tempdir().unwrap();
    let before = sim.stored_bytes();
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let (count, door) = watch::channel(DoorCount { logins: 4, results: 9 });
    let phases = Mutex::new(Vec::new());
    let on_phase = |phase| {
        phases.lock().unwrap().push(phase);
        let seen = match phase {
            Phase::Sent => DoorCount { logins: 5, results: 9 },
            Phase::Connected => DoorCount { logins: 5, results: 10 },
            Phase::BackedUp | Phase::Restarting | Phase::FirstResult => return,
        };
        count.send(seen).unwrap();
    };
    let mut device = device(&sim);
    let verdict = apply(&mut device, &ready, &none(), door, on_phase).await;
    assert_eq!(verdict.result, Ok(Ending::Hashing));
    assert_eq!(verdict.door_at_start, DoorCount { logins: 4, results: 9 });
    let expected = [Phase::BackedUp, Phase::Sent, Phase::Connected, Phase::FirstResult];
    assert_eq!(*phases.lock().unwrap(), expected);
    let undone = undo(&mut device, ready.backup(), &none(), |_| {}).await;
    assert_eq!((undone, sim.stored_bytes()), (Ok(Ending::Restored), before));
    let again = undo(&mut device, ready.backup(), &none(), |_| {}).await;
    assert_eq!(again, Ok(Ending::Restored), "nothing to do is done");
}

#[tokio::test]
async fn a_device_that_never_returns_ends_on_the_real_driver_too() {
    let sim = AxeOs::start(Kind::Bitaxe214).await;
    sim.state().never_returns = true;
    let folder = tempfile::tempdir().unwrap();
    let ready = ready(&sim, &wishes(), folder.path()).await;
    let (_count, door) = watch::channel(DoorCount::default());
    let mut device = device(&sim);
    let start = Mutex::new(None);
    let on_phase = |phase| {
        if phase == Phase::Restarting {
            tokio::time::pause();
            *start.lock().unwrap() = Some(Instant::now());
        }
    };
    let verdict = apply(&mut device, &ready, &none(), door.clone(), on_phase).await;
    assert_eq!(verdict.result, Err(DeviceProblem::NotBack));
    let took = start.lock().unwrap().unwrap().elapsed();
    assert!((90..=91).contains(&took.as_secs()), "{took:?}");

    let start = Instant::now();
    let verdict =
        wait_longer(&mut device, &ready, &none(), door, verdict.door_at_start, |_| {}).await;
    assert_eq!(verdict.result, Err(DeviceProblem::NotBack));
    assert!((90..=91).contains(&start.elapsed().as_secs()));
    let undone = undo(&mut device, ready.backup(), &none(), |_| {}).await;
    assert_eq!(undone, Err(UndoError::Device(DeviceProblem::UndoWaits)));
}

#[tokio::test]
async fn a_device_that_is_on_again_is_seen() {
    let sim = Arc::new(AxeOs::start(Kind::Bitaxe214).await);
    let identity = device(&*sim).read(sim.dialect(), &none()).await.unwrap().identity;
    let reading = seen_again(&mut device(&*sim), &identity, &none()).await;
    assert_eq!(reading.identity, identity);
    // While it is off, nothing but this question reaches it, and rarely.
    sim.state().never_returns = true;
    device(&*sim).restart(Family::Bitaxe, &none()).await.unwrap();
    tokio::time::pause();
    let asked_before = sim.server.connections();
    let mut device = device(&*sim);
    let secrets = none();
    let waiting = seen_again(&mut device, &identity, &secrets);
    tokio::time::timeout(Duration::from_secs(3600), waiting).await.unwrap_err();
    let asked = sim.server.connections() - asked_before;
    assert!((3..=15).contains(&asked), "{asked} questions in an hour");
}
