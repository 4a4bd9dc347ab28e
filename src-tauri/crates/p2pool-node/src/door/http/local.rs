//! The page of figures about this node.

use std::collections::HashSet;

use p2pool_engine::Engine;
use p2pool_sharechain::ShareHash;
use serde_json::{Map, Value, json};

use super::chain::{Chain, OwnCounts};
use super::pages::bitcoins;
use crate::state::NodeSnapshot;

/// Protocol version between nodes.
const PROTOCOL_VERSION: u32 = p2pool_wire::session::PROTOCOL_VERSION;

/// What the engine knows for the page.
#[derive(Debug)]
pub(super) struct Figures {
    own: OwnCounts,
    pool_stale_part: f64,
    attempts_to_share: String,
    attempts_to_block: String,
}

/// Asks the engine; `None` while the chain is too short to tell.
pub(super) fn figures(engine: &Engine) -> Option<Figures> {
    let chain = Chain::of(engine);
    if !chain.is_long_enough() {
        return None;
    }
    let own: HashSet<ShareHash> = engine.own_shares().map(|own| own.hash).collect();
    let attempts_to_block =
        engine.block_bits().map_or_else(|| "0".to_owned(), |bits| bits.attempts().to_string());
    Some(Figures {
        own: chain.own_counts(|hash| own.contains(&hash)),
        pool_stale_part: chain.stale_part(),
        attempts_to_share: chain.attempts_to_share(),
        attempts_to_block,
    })
}

/// The page as JSON text: two of its numbers are too long for other forms.
pub(super) fn page(node: &NodeSnapshot, figures: &Figures, uptime: f64) -> String {
    let (summary, own) = (&node.summary, &figures.own);
    let stale = own.orphans + own.dead;
    let all = own.good + stale;
    let part = |count: u32| match all {
        0 => Value::Null,
        all => json!(f64::from(count) / f64::from(all)),
    };
    let lost_part = f64::from(stale) / f64::from(all.max(1));
    let total = summary.own_found;
    let orphans = summary.own_lost.saturating_sub(summary.own_dead);
    let efficiency = |lost: usize| match total {
        0 => Value::Null,
        total => json!((1.0 - lost as f64 / total as f64) / (1.0 - figures.pool_stale_part)),
    };
    let rates = |rate: &dyn Fn(&crate::state::Miner) -> f64| -> Value {
        node.miners
            .miners
            .iter()
            .filter(|miner| rate(miner) > 0.0)
            .map(|miner| (miner.worker.clone(), json!(rate(miner))))
            .collect::<Map<_, _>>()
            .into()
    };
    let page = json!({
        "my_hash_rates_in_last_hour": {
            "note": "DEPRECATED",
            "nonstale": own.rate,
            "rewarded": own.rate / (1.0 - figures.pool_stale_part),
            "actual": own.rate / (1.0 - lost_part),
        },
        "my_share_counts_in_last_hour": {
            "shares": all,
            "unstale_shares": own.good,
            "stale_shares": stale,
            "orphan_stale_shares": own.orphans,
            "doa_stale_shares": own.dead,
        },
        "my_stale_proportions_in_last_hour": {
            "stale": part(stale),
            "orphan_stale": part(own.orphans),
            "dead_stale": part(own.dead),
        },
        "miner_hash_rates": rates(&|miner| miner.hashrate_hps),
        "miner_dead_hash_rates": rates(&late_rate),
        "miner_last_difficulties": { node.payout_address.as_str(): summary.share_difficulty },
        "efficiency_if_miner_perfect": efficiency(orphans),
        "efficiency": efficiency(summary.own_lost),
        "peers": { "incoming": node.p2p.incoming, "outgoing": node.p2p.outgoing },
        "shares": { "total": total, "orphan": orphans, "dead": summary.own_dead },
        "uptime": uptime,
        "block_value": bitcoins(summary.block_value_sats),
        "warnings": warnings(node),
        "donation_proportion": f64::from(node.donation) / 65_535.0,
        "version": env!("CARGO_PKG_VERSION"),
        "protocol_version": PROTOCOL_VERSION,
        "fee": 0,
    });
    let text = page.to_string();
    let rest = text.strip_prefix('{').unwrap_or(&text);
    format!(
        "{{\"attempts_to_share\":{},\"attempts_to_block\":{},{rest}",
        figures.attempts_to_share, figures.attempts_to_block
    )
}

/// A miner's late work, by its part of the results.
pub(super) fn late_rate(miner: &crate::state::Miner) -> f64 {
    miner.hashrate_hps * miner.late as f64 / (miner.accepted.max(1)) as f64
}

fn warnings(node: &NodeSnapshot) -> Vec<String> {
    node.failure.iter().cloned().collect()
}
