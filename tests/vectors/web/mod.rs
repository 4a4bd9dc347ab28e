//! Pages that a node served: figures computed anew from the shares that it had, the rest compared
//! with what `p2pool-node/docs/web-api.md` says of its form.

mod figures;
mod form;
mod graphs;
mod local;
mod log;
mod shares;

use std::path::Path;

use p2pool_sharechain::{CompactBits, ShareHash, Tracker, stats};
use serde_json::Value;

use crate::cases::{Cases, same};
use crate::files;
use crate::history::{Histories, History};
use crate::read::{Read, text};

/// Checks a `live/*_web_api`.
pub(crate) fn check(
    _: &Value,
    path: &Path,
    histories: &mut Histories,
    cases: &mut Cases,
) -> Result<(), String> {
    let doc = files::load_with_number_texts(path)?;
    let history = histories.of(path)?;
    for (name, pages) in doc.at("nodes")?.as_object().ok_or("nodes: not an object")? {
        let pages = pages.as_array().ok_or("a node without pages")?;
        for page in pages {
            let name = format!("{name} {} as documented", page.text("path")?);
            cases.run(&name, || form::check(page, pages));
        }
        let Some(history) = history.as_deref() else { continue };
        let Some(mut node) = Node::new(pages, history)? else { continue };
        cases.run(&format!("{name} chain"), || node.chain());
        for page in pages {
            let path = page.text("path")?;
            if path.starts_with("/web/share_data/") {
                cases.run(&format!("{name} {path}"), || shares::share_data(&node, page, path));
            }
            if page.maybe("json").is_none() {
                continue;
            }
            let Some(compute) = computed(path) else { continue };
            cases.run(&format!("{name} {path}"), || compute(&mut node, page.at("json")?, path));
        }
    }
    Ok(())
}

/// Compares a page with what follows from the shares.
type Compute = fn(&mut Node<'_>, &Value, &str) -> Result<(), String>;

/// The check of a page that follows from the shares, in whole or in part.
fn computed(path: &str) -> Option<Compute> {
    Some(match path {
        "/rate" => figures::rate,
        "/difficulty" => figures::difficulty,
        "/users" => figures::users,
        "/user_stales" => figures::user_stales,
        "/current_payouts" => figures::current_payouts,
        "/global_stats" => figures::global_stats,
        "/stale_rates" => figures::stale_rates,
        "/recent_blocks" => figures::recent_blocks,
        "/local_stats" => local::stats,
        "/web/my_share_hashes" => local::own_shares,
        "/web/log" => log::check,
        "/payout_addr" => shares::payout_address_of_node,
        "/web/heads" | "/web/verified_heads" => shares::heads,
        "/web/verified_tails" => shares::verified_tails,
        _ if path.starts_with("/web/payout_address/") => shares::payout_address,
        _ if path.starts_with("/web/share/") => shares::share,
        "/web/graph_data/pool_rates/last_hour" => graphs::pool_rates,
        "/web/graph_data/desired_version_rates/last_hour" => graphs::desired_versions,
        _ => return None,
    })
}

/// One node at the moment when its pages were read.
struct Node<'a> {
    pages: &'a [Value],
    history: &'a History,
    /// Of its best chain, as many shares as it still had.
    tracker: Tracker,
    best: Option<ShareHash>,
    height: u32,
    /// Shares of the last hour.
    recent: u32,
    /// Target of the block being worked on.
    bits: CompactBits,
}

impl<'a> Node<'a> {
    /// `None` if the files do not have all shares that the node had.
    fn new(pages: &'a [Value], history: &'a History) -> Result<Option<Self>, String> {
        let best = find(pages, "/web/best_share_hash")?.share_hash("json")?;
        let ends = find(pages, "/web/tails")?.hashes("json")?;
        let mut chain = history.chain(best);
        let end = chain.iter().position(|share| ends.contains(&share.hash().to_internal()));
        let is_whole = chain.first().is_some_and(|oldest| oldest.share().parent().is_none());
        if end.is_none() && !is_whole {
            return Ok(None);
        }
        chain.drain(..end.unwrap_or(0));
        let newest = chain.last().ok_or("the best share is not recorded")?;
        let bits = newest.share().header.bits;
        let tracker = history.tracker_of(&chain)?;
        let (height, _) = tracker.height_and_last(best);
        let recent = height.min(stats::recent_shares(&tracker));
        Ok(Some(Self { pages, history, tracker, best, height, recent, bits }))
    }

    /// The chain that everything is computed from is the node's.
    fn chain(&self) -> Result<(), String> {
        let ends = find(self.pages, "/web/tails")?.hashes("json")?;
        let newest = self.tracker.chain(self.best).last().ok_or("no chain")?;
        let is_end = ends.contains(&newest.share.hash().to_internal());
        same("reaches down to an end", &true, &is_end)?;
        let attempts = self.page("/local_stats")?.attempts("attempts_to_block")?;
        same("attempts to find a block", &attempts, &self.bits.attempts())
    }

    /// The contents of another page.
    fn page(&self, path: &str) -> Result<&'a Value, String> {
        find(self.pages, path)?.at("json")
    }

    /// Hashes of the shares that the node made.
    fn own(&self) -> Result<Vec<ShareHash>, String> {
        let hashes = find(self.pages, "/web/my_share_hashes")?.hashes("json")?;
        Ok(hashes.into_iter().map(ShareHash::from_internal).collect())
    }
}

fn find<'a>(pages: &'a [Value], path: &str) -> Result<&'a Value, String> {
    let page = pages.iter().find(|page| page["path"] == path);
    page.ok_or_else(|| format!("the page {path} is missing"))
}

/// A double.
fn double(value: &Value) -> Result<f64, String> {
    text(value)?.parse().map_err(|e| format!("{value}: {e}"))
}

/// A double of an object.
fn double_at(object: &Value, key: &str) -> Result<f64, String> {
    double(object.at(key)?).map_err(|e| format!("{key}: {e}"))
}

/// An amount written in bitcoins, in sats.
fn sats(value: &Value) -> Result<u64, String> {
    let amount = bitcoin::Amount::from_btc(double(value)?).map_err(|e| format!("{value}: {e}"))?;
    Ok(amount.to_sat())
}
