//! Looking for devices: on a click, and never otherwise.

use std::net::Ipv4Addr;

use p2pool_devices::{
    AddressRange, DeviceAddress, Document, FirstLook, Health, Interface, Search, SearchEnd,
    SearchEvent, Secrets, search,
};
use tokio::sync::oneshot;

use super::desk::{Desk, News};
use super::state::FoundEntry;
use crate::api::pages::{FOUND_MAX, SearchState};

/// Longest text that is read as ranges or as an address.
const TYPED_CHARS_MAX: usize = 300;

impl Desk {
    /// Looks on the chosen network, or on the ranges that the user typed.
    pub(super) fn look(&mut self, typed: &str) {
        if self.search.is_some() {
            return;
        }
        let wanted = self.search_of(typed);
        let (cancel, cancelled) = oneshot::channel();
        self.search = Some(cancel);
        self.state.search = SearchState::Listening;
        self.state.found.clear();
        let (client, news) = (self.client.clone(), self.news.clone());
        self.jobs.spawn(async move {
            let tell = |event: SearchEvent| {
                // There is room for every event of the longest search.
                let _ = news.try_send(Box::new(move |desk: &mut Self| desk.hear_search(event)));
            };
            let end = search(&client, &wanted, tell, async {
                // Whoever drops the other end wants it to end, too.
                let _ = cancelled.await;
            });
            let end = end.await;
            Some(Box::new(move |desk: &mut Self| desk.searched(end)) as News)
        });
    }

    pub(super) fn stop_looking(&mut self) {
        self.search = None;
    }

    /// Looks at one place that the user typed.
    pub(super) fn add_address(&mut self, typed: String) {
        if self.search.is_some() || typed.len() > TYPED_CHARS_MAX {
            return;
        }
        self.state.search = SearchState::Looking { done: 0, total: 1 };
        let client = self.client.clone();
        self.jobs.spawn(async move {
            let looked = match client.resolve(&typed).await {
                Ok(address) => look_at(&client, address).await,
                Err(error) => {
                    tracing::debug!(%error, "typed address not found");
                    None
                }
            };
            Some(Box::new(move |desk: &mut Self| desk.looked_at_one(looked, false)) as News)
        });
    }

    /// Looks once at a miner that is connected, and keeps what it is.
    pub(super) fn learn(&mut self, ip: Ipv4Addr) {
        let Ok(address) = self.client.address(ip) else { return };
        let client = self.client.clone();
        self.jobs.spawn(async move {
            let looked = look_at(&client, address).await;
            Some(Box::new(move |desk: &mut Self| desk.looked_at_one(looked, true)) as News)
        });
    }

    fn looked_at_one(&mut self, looked: Option<FirstLook>, is_kept: bool) {
        let found = u32::from(looked.is_some());
        if let Some(look) = looked {
            if is_kept {
                self.keep(look.identity());
            }
            self.note_found(&look);
        }
        self.state.search =
            SearchState::Ended { looked_at: 1, found, is_cancelled: false, is_forbidden: false };
    }

    fn search_of(&self, typed: &str) -> Search {
        let reach = self.host.device_client().reach;
        let typed: String = typed.chars().take(TYPED_CHARS_MAX).collect();
        let ranges: Vec<AddressRange> = typed
            .split([',', ' '])
            .filter(|text| !text.is_empty())
            .filter_map(|text| AddressRange::parse(text, reach).ok())
            .collect();
        if !typed.trim().is_empty() {
            return Search { ranges, ..Search::default() };
        }
        let Some(network) = self.state.network() else { return Search::default() };
        let range = AddressRange::around(network.address, network.prefix, reach);
        Search {
            ranges: range.into_iter().collect(),
            ask_on: vec![Interface {
                name: network.name.clone(),
                address: network.address,
                prefix: network.prefix,
                is_virtual: network.is_virtual,
            }],
            neighbours_first: true,
        }
    }

    fn hear_search(&mut self, event: SearchEvent) {
        match event {
            SearchEvent::Listening => self.state.search = SearchState::Listening,
            SearchEvent::Looked { done, total } => {
                let count = crate::views::count;
                self.state.search = SearchState::Looking { done: count(done), total: count(total) };
            }
            SearchEvent::Found(look) => self.note_found(&look),
        }
    }

    fn note_found(&mut self, look: &FirstLook) {
        let identity = look.identity().clone();
        let id = identity.id.folder();
        if self.state.found.len() >= FOUND_MAX && !self.state.found.contains_key(&id) {
            return;
        }
        let (hashrate_hps, pool) = match look {
            FirstLook::Read(reading) => told_by(&reading.document),
            FirstLook::Only(_) => (None, String::new()),
        };
        // A device that is kept has moved if it is found elsewhere.
        if self.state.devices.get(&id).is_some_and(|kept| kept.identity != identity) {
            self.keep(&identity);
        }
        self.state.found.insert(id, FoundEntry { identity, hashrate_hps, pool });
    }

    fn searched(&mut self, end: SearchEnd) {
        let count = crate::views::count;
        self.search = None;
        self.state.search = SearchState::Ended {
            looked_at: count(end.looked_at),
            found: count(end.found),
            is_cancelled: end.is_cancelled,
            is_forbidden: end.looked_at > 0 && end.no_route == end.looked_at,
        };
    }
}

async fn look_at(client: &p2pool_devices::DeviceClient, at: DeviceAddress) -> Option<FirstLook> {
    let mut device = client.device(at).ok()?;
    match device.look(&Secrets::default()).await {
        Ok(look) => Some(look),
        Err(error) => {
            tracing::debug!(%at, %error, "no miner that we know");
            None
        }
    }
}

/// Hash rate and pool, as the settings' document tells them.
fn told_by(document: &Document) -> (Option<f64>, String) {
    match document {
        Document::Info(info) => {
            let health = Health::of_info(info);
            let pool = health.pool.map(|pool| pool.as_str().to_owned()).unwrap_or_default();
            (health.hashrate_hps, pool)
        }
        Document::Pools(pools) => {
            (None, pools.first().map(|pool| pool.url.clone()).unwrap_or_default())
        }
    }
}

/// Host and port of the pool that the document names.
pub(super) fn pool_of(document: &Document) -> String {
    told_by(document).1
}
