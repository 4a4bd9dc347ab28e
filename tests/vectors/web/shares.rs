//! Single shares, and the ends of chains.

use std::collections::BTreeSet;

use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Hash32, ShareHash, U256, address, merkle_link};
use serde_json::Value;

use super::{Node, double_at, find, sats};
use crate::cases::{same, same_bytes};
use crate::read::{Read, hash, text};
use crate::targets::same_double;

/// The hash at the end of a page's path.
fn named(path: &str) -> Result<ShareHash, String> {
    let digits = path.rsplit('/').next().unwrap_or_default();
    digits.parse().map_err(|_| format!("{digits} is not a hash"))
}

fn known<'a>(node: &'a Node<'_>, path: &str) -> Result<&'a CheckedShare, String> {
    let share = node.history.tracker.get(named(path)?);
    Ok(share.ok_or("the share is not recorded")?)
}

pub(super) fn payout_address(node: &mut Node<'_>, page: &Value, path: &str) -> Result<(), String> {
    same_bytes("payee", text(page)?.as_bytes(), known(node, path)?.payee())
}

/// The bytes of a share as it travels. This page is no JSON.
pub(super) fn share_data(node: &Node<'_>, page: &Value, path: &str) -> Result<(), String> {
    same_bytes("share", &page.bytes("hex")?, &known(node, path)?.share().to_bytes())
}

pub(super) fn payout_address_of_node(
    node: &mut Node<'_>,
    page: &Value,
    _: &str,
) -> Result<(), String> {
    let decoded = address::decode(text(page)?.as_bytes(), &node.history.params.addresses);
    same("can be paid", &true, &decoded.is_ok())?;
    let all = node.page("/payout_addrs")?.as_array().ok_or("not a list")?;
    same("is among all", &true, &all.contains(page))
}

/// All is known of a share that was served.
pub(super) fn share(node: &mut Node<'_>, page: &Value, path: &str) -> Result<(), String> {
    let share = std::sync::Arc::new(known(node, path)?.clone());
    let fields = share.share();
    data(page.at("share_data")?, &share)?;
    same("parent", &or_none(fields.parent()), &page.text("parent")?.to_owned())?;
    let far = or_none(fields.info.far_share);
    same("far parent", &far, &page.text("far_parent")?.to_owned())?;
    children(node, page, share.hash())?;
    let name = if fields.version == ShareVersion::V35 { "PaddingBugfixShare" } else { "Share" };
    if matches!(fields.version, ShareVersion::V17 | ShareVersion::V35) {
        same("type", &page.text("type_name")?, &name)?;
    }
    let is_verified = node.history.tracker.can_judge(share.hash());
    same("is verified", &page.at("local")?.truth("verified")?, &is_verified)?;
    block(page.at("block")?, &share)?;
    generation(node, page.at("block")?.at("gentx")?, &share)
}

fn or_none(hash: Option<ShareHash>) -> String {
    hash.map_or_else(|| "None".to_owned(), |hash| hash.to_string())
}

fn data(page: &Value, share: &CheckedShare) -> Result<(), String> {
    let info = &share.share().info;
    same("timestamp", &page.whole_32("timestamp")?, &info.timestamp)?;
    same("target", &decimal(page, "target")?, &share.target())?;
    let easiest = info.max_bits.target_saturating();
    same("easiest target", &decimal(page, "max_target")?, &easiest)?;
    same_bytes("payee", page.text("payout_address")?.as_bytes(), share.payee())?;
    let donation = f64::from(info.data.donation) / 65_535.0;
    same_double("donation", double_at(page, "donation")?, donation)?;
    let stale = match info.data.stale_info {
        StaleInfo::NONE => None,
        StaleInfo::ORPHAN => Some("orphan".to_owned()),
        StaleInfo::DEAD_ON_ARRIVAL => Some("doa".to_owned()),
        StaleInfo(other) => Some(format!("unk{other}")),
    };
    let recorded = page.maybe("stale_info").map(text).transpose()?;
    same("announcement", &recorded, &stale.as_deref())?;
    same("nonce", &page.whole_32("nonce")?, &info.data.nonce)?;
    same("vote", &page.whole("desired_version")?, &info.data.desired_version)?;
    same("height", &page.whole_32("absheight")?, &info.abs_height)?;
    same("work", &page.text("abswork")?, &info.abs_work.to_string().as_str())
}

fn decimal(page: &Value, key: &str) -> Result<U256, String> {
    U256::from_str_radix(page.text(key)?, 10).map_err(|e| format!("{key}: {e}"))
}

/// The children in the best chain are served. The node may have had others.
fn children(node: &Node<'_>, page: &Value, hash: ShareHash) -> Result<(), String> {
    let served: BTreeSet<Hash32> = page.hashes("children")?.into_iter().collect();
    let of = |tracker: &p2pool_sharechain::Tracker| -> BTreeSet<Hash32> {
        tracker.children(Some(hash)).into_iter().map(ShareHash::to_internal).collect()
    };
    let in_chain = of(&node.tracker);
    same("has those of the best chain", &true, &in_chain.is_subset(&served))?;
    same("are all recorded", &true, &served.is_subset(&of(&node.history.tracker)))
}

fn block(page: &Value, share: &CheckedShare) -> Result<(), String> {
    let fields = share.share();
    let header = page.at("header")?;
    let branch = match &fields.info.segwit {
        Some(segwit) => &segwit.txid_branch,
        None => &fields.merkle_branch,
    };
    let root = merkle_link::fold(*share.txid(), branch);
    same_bytes("hash", &page.hash("hash")?, &share.hash().to_internal())?;
    same("version", &header.whole("version")?, &fields.header.version)?;
    let previous = header.hash("previous_block")?;
    same_bytes("previous block", &previous, &fields.header.previous_block)?;
    same_bytes("root", &header.hash("merkle_root")?, &root)?;
    same("time", &header.whole_32("timestamp")?, &fields.header.timestamp)?;
    let target = fields.header.bits.target_saturating();
    same("target", &decimal(header, "target")?, &target)?;
    same("nonce", &header.whole_32("nonce")?, &fields.header.nonce)?;
    // Newer types do not name their transactions; older ones do by hash, in the block's order.
    let others = page.hashes("other_transaction_hashes")?;
    if fields.info.tx_refs.is_none() {
        return same("other transactions", &0, &others.len());
    }
    let named = merkle_link::branch_of_first(&others);
    same("branch of the other transactions", &fields.merkle_branch, &named)
}

fn generation(node: &Node<'_>, page: &Value, share: &CheckedShare) -> Result<(), String> {
    let fields = share.share();
    same_bytes("txid", &page.hash("hash")?, share.txid())?;
    same_bytes("scriptSig", &page.bytes("coinbase")?, &fields.info.data.coinbase)?;
    same("value", &sats(page.at("value")?)?, &fields.info.data.subsidy_sats)?;
    let nonce = format!("{:016x}", fields.last_txout_nonce);
    same("nonce", &page.text("last_txout_nonce")?, &nonce.as_str())?;
    let raw = page.text("raw")?;
    if raw == "unknown" {
        return Ok(());
    }
    let chain = node.history.chain(fields.parent());
    let mut tracker = node.history.tracker_of(&chain)?;
    let generation = tracker.generation_of(share).map_err(|e| e.to_string())?;
    let nonce = fields.last_txout_nonce.to_le_bytes();
    let stripped = [generation.up_to_nonce(), &nonce, &[0; 4]].concat();
    same_bytes("transaction", &crate::read::bytes(raw)?, &stripped)
}

/// Each listed head that is recorded ends a branch of the node's chain, and the best is among
/// them. Own shares that nobody else was sent are not recorded.
pub(super) fn heads(node: &mut Node<'_>, page: &Value, path: &str) -> Result<(), String> {
    let tracker = &node.history.tracker;
    let list = page.as_array().ok_or("not a list")?.iter();
    let heads: Vec<ShareHash> = list
        .map(|entry| Ok(ShareHash::from_internal(hash(entry)?)))
        .collect::<Result<_, String>>()?;
    same("the best is among them", &true, &node.best.is_some_and(|best| heads.contains(&best)))?;
    let own = node.own()?;
    let end = node.tracker.chain(node.best).last().ok_or("no chain")?.share.hash();
    for head in &heads {
        if tracker.get(*head).is_none() {
            same("is its own", &true, &own.contains(head))?;
            continue;
        }
        same("is above the chain's end", &true, &tracker.is_ancestor(end, *head))?;
        let below =
            heads.iter().find(|other| *other != head && tracker.is_ancestor(*head, **other));
        same("has another head above it", &None, &below)?;
    }
    let all = node.page("/web/heads")?.as_array().ok_or("not a list")?;
    let these = node.page(path)?.as_array().ok_or("not a list")?;
    same("verified heads are heads", &true, &these.iter().all(|entry| all.contains(entry)))
}

/// Verified chains end at the end of the chain, or where they are long enough to judge by.
pub(super) fn verified_tails(node: &mut Node<'_>, page: &Value, _: &str) -> Result<(), String> {
    for entry in page.as_array().ok_or("not a list")? {
        let end = ShareHash::from_internal(hash(entry)?);
        let depth = node.tracker.chain(node.best).position(|known| known.share.hash() == end);
        let height =
            u32::try_from(depth.ok_or("not in the chain")? + 1).map_err(|e| e.to_string())?;
        let is_long = height >= node.tracker.params().chain_length;
        same("is long enough", &true, &(height == node.height || is_long))?;
    }
    let tails = find(node.pages, "/web/tails")?.list("json")?.len();
    same("as many as tails", &tails, &page.as_array().map_or(0, Vec::len))
}
