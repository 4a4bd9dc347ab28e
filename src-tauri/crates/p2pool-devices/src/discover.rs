//! Looks for miners on networks that the user named, when the user said so, and never otherwise.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use crate::address::DeviceAddress;
use crate::client::{DeviceClient, FirstLook};
use crate::error::{CallError, Silence};
use crate::fingerprint::{Recognised, recognise};
use crate::lan::{AddressRange, Interface};
use crate::mdns;
use crate::neighbours::neighbours;
use crate::script::{Document, Reading};
use crate::sweep::{Turns, sweep};

/// Time for devices that announce themselves.
pub const BROWSE_TIME: Duration = Duration::from_secs(4);
/// Most addresses of one search: a few networks.
pub const ADDRESSES_MAX: usize = 1024;

/// Where and how to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The addresses to look at.
    pub ranges: Vec<AddressRange>,
    /// Networks to ask for devices that announce themselves; empty for not asking.
    pub ask_on: Vec<Interface>,
    /// Whether addresses that this computer spoke with lately come first.
    pub neighbours_first: bool,
}

/// Something happened during a search.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchEvent {
    /// Devices that announce themselves are being asked.
    Listening,
    /// Addresses were looked at.
    Looked {
        /// So many so far.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// A miner was found.
    Found(Box<FirstLook>),
}

/// How a search ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchEnd {
    /// Addresses looked at.
    pub looked_at: usize,
    /// Miners found.
    pub found: usize,
    /// Addresses to which there is no way. If these are all, the system forbids it: on macOS the
    /// Local Network permission is missing.
    pub no_route: usize,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
}

/// Looks for miners until all addresses were looked at, or until `cancel` is ready; then it leaves
/// off at once. A /24 takes under 20 s. Sends nothing before it is first polled.
pub async fn search(
    client: &DeviceClient,
    search: &Search,
    on_event: impl FnMut(SearchEvent),
    cancel: impl Future<Output = ()>,
) -> SearchEnd {
    let mut end = SearchEnd::default();
    end.is_cancelled = {
        let work = pin!(look_everywhere(client, search, on_event, &mut end));
        tokio::select! {
            biased;
            () = cancel => true,
            () = work => false,
        }
    };
    debug!(?end, "search for miners ended");
    end
}

async fn look_everywhere(
    client: &DeviceClient,
    search: &Search,
    mut on_event: impl FnMut(SearchEvent),
    end: &mut SearchEnd,
) {
    let mut order = Vec::new();
    if !search.ask_on.is_empty() {
        on_event(SearchEvent::Listening);
        order.extend(listen(&search.ask_on).await);
    }
    let is_asked_for = |ip: Ipv4Addr| search.ranges.iter().any(|range| range.contains(ip));
    if search.neighbours_first {
        let known = neighbours().await.into_iter().map(|neighbour| neighbour.ip);
        order.extend(known.filter(|ip| is_asked_for(*ip)));
    }
    order.extend(search.ranges.iter().flat_map(|range| range.addresses()));
    let mut seen = BTreeSet::new();
    order.retain(|ip| seen.insert(*ip));
    order.truncate(ADDRESSES_MAX);

    let total = order.len();
    on_event(SearchEvent::Looked { done: 0, total });
    let turns = Turns::new();
    let look = |ip: Ipv4Addr| look_at(client, &turns, ip);
    sweep(order, look, |looked: Looked| {
        end.looked_at += 1;
        match looked {
            Looked::Found(found) => {
                end.found += 1;
                on_event(SearchEvent::Found(found));
            }
            Looked::NoRoute => end.no_route += 1,
            Looked::Nothing => {}
        }
        on_event(SearchEvent::Looked { done: end.looked_at, total });
    })
    .await;
}

/// Asks on all networks at once. Of those who answer, only neighbours on the asked network count.
async fn listen(networks: &[Interface]) -> BTreeSet<Ipv4Addr> {
    // Only so that the search may wait on any thread: nobody else has it.
    let found = Mutex::new(BTreeSet::new());
    let ask = async |network: &Interface| {
        let own = network.address;
        let note = |ip| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if ip != own && network.contains(ip) && found.len() < ADDRESSES_MAX {
                found.insert(ip);
            }
        };
        if let Err(error) = mdns::browse(own, mdns::EVERYBODY, note).await {
            debug!(%own, %error, "cannot ask for devices that announce themselves");
        }
    };
    // Reaching the end of the time is the normal end.
    let _ = timeout(BROWSE_TIME, sweep(networks, ask, |()| {})).await;
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

enum Looked {
    Found(Box<FirstLook>),
    NoRoute,
    Nothing,
}

/// At most one question on each of the two ports, the second only if the first tells nothing.
async fn look_at(client: &DeviceClient, turns: &Turns, ip: Ipv4Addr) -> Looked {
    let Ok(address) = client.address(ip) else { return Looked::Nothing };
    turns.next().await;
    let answer = client.probe_http(address).await;
    if let Ok(answer) = &answer
        && let Some(recognised) = recognise(answer, address)
    {
        return Looked::Found(Box::new(first_look(recognised, address)));
    }
    turns.next().await;
    match client.probe_cgminer(address).await {
        Ok(Some(identity)) => Looked::Found(Box::new(FirstLook::Only(identity))),
        Err(CallError::Silent(Silence::NoRoute)) if is_no_route(&answer) => Looked::NoRoute,
        Ok(None) | Err(_) => Looked::Nothing,
    }
}

fn is_no_route<T>(answer: &Result<T, CallError>) -> bool {
    matches!(answer, Err(CallError::Silent(Silence::NoRoute)))
}

fn first_look(recognised: Recognised, address: DeviceAddress) -> FirstLook {
    match recognised {
        Recognised::Info(info) => {
            let identity = info.identity(address);
            FirstLook::Read(Box::new(Reading { identity, document: Document::Info(info) }))
        }
        Recognised::Only(identity) => FirstLook::Only(identity),
    }
}
