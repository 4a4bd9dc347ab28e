//! How often a device is asked how it is doing.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::clock::{client, device};
use super::server::Server;
use super::sim_avalon::Avalon;
use super::sim_axeos::{AxeOs, Kind};
use crate::client::Ports;
use crate::{Family, Secrets, follow};

#[tokio::test]
async fn a_bitaxe_and_an_avalon_tell_how_they_are_doing() {
    let bitaxe = AxeOs::start(Kind::Bitaxe214).await;
    let health = device(&bitaxe).health(Family::Bitaxe, &Secrets::default()).await.unwrap();
    assert_eq!(health.hashrate_hps, Some(1.2105e12));
    assert_eq!((health.temperature_celsius, health.wifi_dbm), (Some(58.2), Some(-61.0)));
    let avalon = Avalon::start().await;
    let health = device(&avalon).health(Family::Avalon, &Secrets::default()).await.unwrap();
    assert_eq!(health.hashrate_hps, Some(6.1e12));
    assert_eq!(health.temperature_celsius, Some(84.0));
    assert_eq!(health.is_on_backup_pool, Some(false));
}

/// Seconds at which a device that nobody finds is asked during an hour.
async fn asked_at(is_watched: bool, then: Option<(u64, bool)>) -> Vec<u64> {
    let nobody = Server::nobody().await;
    let client = client(Ports { http: nobody.port, cgminer: nobody.port });
    let mut device = client.device(client.address([127, 0, 0, 1].into()).unwrap()).unwrap();
    let (watch, watched) = watch::channel(is_watched);
    let (start, asked) = (Instant::now(), RefCell::new(Vec::new()));
    let secrets = Secrets::default();
    let following = follow(&mut device, Family::Bitaxe, &secrets, watched, |_| {
        asked.borrow_mut().push(start.elapsed().as_secs());
    });
    let looking = async {
        if let Some((at, is_watched)) = then {
            tokio::time::sleep(Duration::from_secs(at)).await;
            watch.send(is_watched).unwrap();
        }
        std::future::pending::<()>().await;
    };
    let both = async { tokio::join!(following, looking) };
    timeout(Duration::from_secs(1800), both).await.unwrap_err();
    asked.into_inner()
}

/// A call may take up to its limit in made-up time, so pauses are compared, not moments.
fn pauses(asked: &[u64]) -> Vec<u64> {
    asked.windows(2).map(|two| two[1] - two[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_silent_device_is_asked_every_five_minutes() {
    let pauses = pauses(&asked_at(true, None).await);
    assert!((15..=20).contains(&pauses[0]) && (15..=20).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[2..].iter().all(|pause| (300..=305).contains(pause)), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn opening_its_page_asks_soon_but_not_at_once() {
    let asked = asked_at(false, Some((1, true))).await;
    let pauses = pauses(&asked);
    assert!((5..=10).contains(&pauses[0]), "{pauses:?}");
}
