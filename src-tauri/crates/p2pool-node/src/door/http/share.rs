//! The record of one share, as explorers of the share chain read it.

use p2pool_engine::Engine;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Hash32, ShareHash, U256, merkle_link};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A share by the digits in a path.
///
/// # Errors
/// No hash at all.
pub(super) fn named(digits: &str) -> Result<ShareHash, ()> {
    digits.parse().map_err(|_| ())
}

/// The page about a share; `null` if it is not known.
pub(super) fn record(engine: &Engine, hash: ShareHash, started_at: u64) -> String {
    let tracker = engine.tracker();
    let Some(share) = tracker.get(hash) else { return "null".to_owned() };
    let fields = share.share();
    let children: Vec<String> =
        tracker.children(Some(hash)).into_iter().map(|child| child.to_string()).collect();
    let is_v35 = fields.version == ShareVersion::V35;
    let sections = [
        ("parent", json!(or_none(fields.parent())).to_string()),
        ("far_parent", json!(or_none(fields.info.far_share)).to_string()),
        ("children", json!(children).to_string()),
        ("type_name", json!(if is_v35 { "PaddingBugfixShare" } else { "Share" }).to_string()),
        (
            "local",
            json!({
                "verified": tracker.is_verified(hash),
                "time_first_seen": started_at,
                "peer_first_received_from": null,
            })
            .to_string(),
        ),
        ("share_data", share_data(share)),
        ("block", block(share)),
    ];
    object(&sections)
}

/// The bytes of a share as it travels.
pub(super) fn bytes(engine: &Engine, hash: ShareHash) -> Option<Vec<u8>> {
    engine.tracker().get(hash).map(|share| share.share().to_bytes())
}

/// Whom a share pays.
pub(super) fn payee(engine: &Engine, hash: ShareHash) -> Value {
    engine
        .tracker()
        .get(hash)
        .map_or(Value::Null, |share| String::from_utf8_lossy(share.payee()).into())
}

fn share_data(share: &CheckedShare) -> String {
    let info = &share.share().info;
    let stale = match info.data.stale_info {
        StaleInfo::NONE => Value::Null,
        StaleInfo::ORPHAN => json!("orphan"),
        StaleInfo::DEAD_ON_ARRIVAL => json!("doa"),
        StaleInfo(other) => json!(format!("unk{other}")),
    };
    object(&[
        ("timestamp", info.timestamp.to_string()),
        ("target", whole(share.target())),
        ("max_target", whole(info.max_bits.target_saturating())),
        ("payout_address", json!(String::from_utf8_lossy(share.payee())).to_string()),
        ("donation", json!(f64::from(info.data.donation) / 65_535.0).to_string()),
        ("stale_info", stale.to_string()),
        ("nonce", info.data.nonce.to_string()),
        ("desired_version", info.data.desired_version.to_string()),
        ("absheight", info.abs_height.to_string()),
        ("abswork", info.abs_work.to_string()),
    ])
}

fn block(share: &CheckedShare) -> String {
    let fields = share.share();
    let branch = match &fields.info.segwit {
        Some(segwit) => &segwit.txid_branch,
        None => &fields.merkle_branch,
    };
    let root = merkle_link::fold(*share.txid(), branch);
    let header = object(&[
        ("version", fields.header.version.to_string()),
        ("previous_block", json!(display(fields.header.previous_block)).to_string()),
        ("merkle_root", json!(display(root)).to_string()),
        ("timestamp", fields.header.timestamp.to_string()),
        ("target", whole(fields.header.bits.target_saturating())),
        ("nonce", fields.header.nonce.to_string()),
    ]);
    let generation = json!({
        "hash": display(*share.txid()),
        // The window that it pays is not kept with the share.
        "raw": "unknown",
        "coinbase": hex(&fields.info.data.coinbase),
        "value": fields.info.data.subsidy_sats as f64 / 1e8,
        "last_txout_nonce": format!("{:016x}", fields.last_txout_nonce),
    });
    object(&[
        ("hash", json!(share.hash().to_string()).to_string()),
        ("header", header),
        ("gentx", generation.to_string()),
        ("other_transaction_hashes", "[]".to_owned()),
    ])
}

fn or_none(hash: Option<ShareHash>) -> String {
    hash.map_or_else(|| "None".to_owned(), |hash| hash.to_string())
}

fn display(hash: Hash32) -> String {
    ShareHash::from_internal(hash).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number of up to 256 bits, which no ordinary JSON number type holds.
fn whole(number: U256) -> String {
    number.to_string()
}

/// An object of members that are JSON texts already.
fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    let text = format!("{{{}}}", members.join(","));
    debug_assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "{text}");
    text
}
