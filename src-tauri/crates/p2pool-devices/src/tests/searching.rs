//! Looking for miners: nothing unasked, little at once, and an end within a moment.

use std::cell::RefCell;
use std::future::{pending, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::clock::{Sim, client};
use super::server::{Answer, Server};
use super::sim_avalon::Avalon;
use super::sim_axeos::{AxeOs, Kind};
use crate::client::{DeviceClient, Ports};
use crate::{AddressRange, Family, FirstLook, Reach, Search, SearchEnd, SearchEvent, search};

fn loopback(range: &str) -> Search {
    let range = AddressRange::parse(range, Reach::PrivateAndLoopback).unwrap();
    Search { ranges: vec![range], ..Search::default() }
}

async fn found(client: &DeviceClient, range: &str) -> (Vec<FirstLook>, SearchEnd) {
    let found = RefCell::new(Vec::new());
    let on_event = |event| {
        if let SearchEvent::Found(look) = event {
            found.borrow_mut().push(*look);
        }
    };
    let end = search(client, &loopback(range), on_event, pending()).await;
    (found.into_inner(), end)
}

#[tokio::test]
async fn a_bitaxe_is_found_by_one_request() {
    let sim = AxeOs::start(Kind::Bitaxe215).await;
    let (found, end) = found(&sim.client(), "127.0.0.1").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].identity().family, Family::Bitaxe);
    assert!(matches!(&found[0], FirstLook::Read(_)), "its pool can be shown at once");
    assert_eq!((end.looked_at, end.found, end.is_cancelled), (1, 1, false));
    assert_eq!(sim.server.connections(), 1);
}

#[tokio::test]
async fn an_avalon_is_found_on_its_second_port() {
    let sim = Avalon::start().await;
    let (found, _) = found(&sim.client(), "127.0.0.1").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].identity().family, Family::Avalon);
    let heard: Vec<_> = sim.state().heard.iter().map(|heard| heard["command"].clone()).collect();
    assert_eq!(heard, ["version"]);
}

#[tokio::test]
async fn other_servers_of_a_home_are_not_shown() {
    let nas = Server::http(|_| Answer::ok("<title>NAS</title>")).await;
    let nobody = Server::nobody().await;
    let client = client(Ports { http: nas.port, cgminer: nobody.port });
    let (found, end) = found(&client, "127.0.0.1").await;
    assert!(found.is_empty());
    assert_eq!((end.looked_at, end.found), (1, 0));
    assert_eq!((nas.connections(), nobody.connections()), (1, 1), "one question a port");
}

#[tokio::test]
async fn a_search_that_is_not_begun_sends_nothing() {
    let sim = AxeOs::start(Kind::Bitaxe214).await;
    let client = sim.client();
    let range = loopback("127.0.0.1");
    let unbegun = search(&client, &range, |_| panic!("nothing happens"), pending());
    tokio::task::yield_now().await;
    assert_eq!(sim.server.connections(), 0);
    drop(unbegun);
    let cancelled = search(&client, &range, |_| panic!("nothing happens"), ready(())).await;
    assert!(cancelled.is_cancelled);
    tokio::task::yield_now().await;
    assert_eq!(sim.server.connections(), 0, "cancelled before it began");
}

#[tokio::test(start_paused = true)]
async fn a_search_ends_at_once_when_cancelled() {
    let silent = Server::http(|_| Answer::Hang).await;
    let client = client(Ports { http: silent.port, cgminer: silent.port });
    let cancelled_at = Duration::from_secs(1);
    let start = Instant::now();
    let end = search(&client, &loopback("127.0.0.1-254"), |_| {}, sleep(cancelled_at)).await;
    assert!(end.is_cancelled && end.looked_at < 254, "{end:?}");
    assert!(start.elapsed() < cancelled_at + Duration::from_secs(1));
    // What was accepted before the end may still be counted, nothing else comes.
    sleep(Duration::from_secs(1)).await;
    let after = silent.connections();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(silent.connections(), after);
}

#[tokio::test]
async fn progress_is_told_from_the_first_to_the_last_address() {
    let sim = AxeOs::start(Kind::Bitaxe214).await;
    let progress = RefCell::new(Vec::new());
    let on_event = |event| {
        if let SearchEvent::Looked { done, total } = event {
            progress.borrow_mut().push((done, total));
        }
    };
    search(&sim.client(), &loopback("127.0.0.1"), on_event, pending()).await;
    assert_eq!(progress.into_inner(), [(0, 1), (1, 1)]);
}
