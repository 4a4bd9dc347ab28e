//! The classic pages by their paths. Their form is in `docs/web-api.md`.

use p2pool_sharechain::address;
use p2pool_sharechain::versions::ShareVersion;
use serde_json::{Map, Value, json};

use super::chain::{self, Chain};
use super::{Page, Site, local, share};
use crate::state::NodeSnapshot;

/// Own shares on the short list.
const SHORT_LIST: usize = 50;

impl Site {
    /// The page at this path.
    pub(super) async fn classic(&self, path: &str) -> Page {
        let node = self.snapshots.borrow().clone();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            ["web", rest @ ..] => self.web(&node, rest).await,
            [name, ..] => self.root(&node, name, segments.len()).await,
            [] => Page::NotFound,
        }
    }

    async fn root(&self, node: &NodeSnapshot, name: &str, segments: usize) -> Page {
        let json = match name {
            "rate" => self.chain(|chain| json!(chain.rate())).await,
            "difficulty" => self.chain(|chain| json!(chain.difficulty())).await,
            "users" => self.look(chain::users).await,
            "user_stales" => self.chain(|chain| chain.user_stales()).await,
            "stale_rates" => self.chain(|chain| chain.stale_rates()).await,
            "recent_blocks" => self.chain(|chain| chain.recent_blocks()).await,
            "global_stats" => self.global_stats().await,
            "local_stats" => return self.local_stats(node).await,
            "fee" => Some(json!(0)),
            "current_payouts" => Some(self.current_payouts(node)),
            "payout_addr" => Some(json!(node.payout_address)),
            "payout_addrs" => Some(json!([node.payout_address])),
            "uptime" => Some(json!(self.uptime(node))),
            "peer_addresses" => {
                let addresses = node.p2p.peers.iter().filter_map(|peer| peer.address);
                let peers: Vec<String> = addresses.map(|address| address.to_string()).collect();
                Some(json!(peers.join(" ")))
            }
            // Transactions do not travel between nodes any more, and answers are not timed.
            "peer_txpool_sizes" => Some(by_peer(node, |_| json!(0))),
            "pings" => Some(by_peer(node, |_| Value::Null)),
            "peer_versions" => Some(by_peer(node, |peer| json!(peer.program))),
            "patron_sendmany" if segments == 1 => {
                return Page::Text("need total argument. go to patron_sendmany/<TOTAL>");
            }
            // Gives an error everywhere, and nobody misses it.
            "patron_sendmany" => return Page::Failed,
            _ => return Page::NotFound,
        };
        json.map_or(Page::Failed, |json| Page::Json(json.to_string()))
    }

    async fn web(&self, node: &NodeSnapshot, segments: &[&str]) -> Page {
        let json = match segments {
            ["heads"] => self.chain(|chain| chain.heads()).await,
            ["verified_heads"] => self.chain(|chain| chain.verified_heads()).await,
            ["tails"] => self.chain(|chain| chain.tails()).await,
            ["verified_tails"] => self.chain(|chain| chain.verified_tails()).await,
            ["best_share_hash"] => {
                Some(node.summary.best.map_or(Value::Null, |best| json!(best.to_string())))
            }
            ["my_share_hashes"] => self.own_hashes(usize::MAX).await,
            ["my_share_hashes50"] => self.own_hashes(SHORT_LIST).await,
            ["currency_info"] => Some(self.currency_info()),
            ["version"] => Some(json!(env!("CARGO_PKG_VERSION"))),
            ["log"] => Some(self.record.borrow().log()),
            ["graph_data", source, view] => {
                let now = self.clock.now().wall.0 as f64;
                return match self.record.borrow().graph(source, view, now) {
                    Some(graph) => Page::Json(graph.to_string()),
                    None => Page::Failed,
                };
            }
            ["payout_address" | "share" | "share_data", hash] => {
                return self.share_page(node, segments.first().copied().unwrap_or(""), hash).await;
            }
            _ => return Page::NotFound,
        };
        json.map_or(Page::Failed, |json| Page::Json(json.to_string()))
    }

    async fn share_page(&self, node: &NodeSnapshot, kind: &str, digits: &str) -> Page {
        let Ok(hash) = share::named(digits) else { return Page::Failed };
        let started_at = node.started_at.0;
        let page = match kind {
            "share" => self.look(move |engine| share::record(engine, hash, started_at)).await,
            "payout_address" => {
                self.look(move |engine| share::payee(engine, hash).to_string()).await
            }
            _ => {
                let bytes = self.look(move |engine| share::bytes(engine, hash)).await.flatten();
                return bytes.map_or(Page::Failed, Page::Bytes);
            }
        };
        page.map_or(Page::Failed, Page::Json)
    }

    async fn chain(
        &self,
        page: impl for<'a> FnOnce(&Chain<'a>) -> Value + Send + 'static,
    ) -> Option<Value> {
        self.look(move |engine| page(&Chain::of(engine))).await
    }

    async fn global_stats(&self) -> Option<Value> {
        self.look(|engine| match engine.block_bits() {
            Some(bits) => Chain::of(engine).global_stats(bits),
            None => Value::Null,
        })
        .await
    }

    async fn local_stats(&self, node: &NodeSnapshot) -> Page {
        let figures = self.look(|engine| local::figures(engine)).await;
        match figures {
            Some(Some(figures)) => Page::Json(local::page(node, &figures, self.uptime(node))),
            Some(None) => Page::Json("null".to_owned()),
            None => Page::Failed,
        }
    }

    async fn own_hashes(&self, most: usize) -> Option<Value> {
        self.look(move |engine| {
            engine.own_shares().take(most).map(|own| json!(own.hash.to_string())).collect()
        })
        .await
    }

    /// What a block found now would pay, in bitcoins by address.
    fn current_payouts(&self, node: &NodeSnapshot) -> Value {
        let mut payouts = Map::new();
        for (script, sats) in &node.summary.payouts_now {
            let pads = ShareVersion::NEWEST.pads_programs();
            let key =
                address::of_script(script, pads, &self.params.addresses).unwrap_or_else(|| {
                    String::from_utf8_lossy(self.params.donation_key()).into_owned()
                });
            payouts.insert(key, json!(bitcoins(*sats)));
        }
        payouts.into()
    }

    fn currency_info(&self) -> Value {
        let (symbol, explorer) = match self.params.chain {
            bitcoin::Network::Bitcoin => ("BTC", "https://mempool.space/"),
            bitcoin::Network::Testnet4 => ("tBTC", "https://mempool.space/testnet4/"),
            bitcoin::Network::Signet => ("sBTC", "https://mempool.space/signet/"),
            bitcoin::Network::Testnet => ("tBTC", "#"),
            bitcoin::Network::Regtest => ("rBTC", "#"),
        };
        let prefix =
            |kind: &str| if explorer == "#" { "#".into() } else { format!("{explorer}{kind}/") };
        json!({
            "symbol": symbol,
            "block_explorer_url_prefix": prefix("block"),
            "address_explorer_url_prefix": prefix("address"),
            "tx_explorer_url_prefix": prefix("tx"),
        })
    }
}

/// An amount as the classic pages have it.
pub(super) fn bitcoins(sats: u64) -> f64 {
    sats as f64 / 1e8
}

fn by_peer(node: &NodeSnapshot, what: impl Fn(&crate::p2p::state::PeerState) -> Value) -> Value {
    node.p2p
        .peers
        .iter()
        .filter_map(|peer| Some((peer.address?.to_string(), what(peer))))
        .collect::<Map<_, _>>()
        .into()
}
