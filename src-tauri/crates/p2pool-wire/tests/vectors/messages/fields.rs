//! Messages written the way the vector files write them.

use core::net::IpAddr;

use p2pool_sharechain::pack::Reader;
use p2pool_sharechain::{Hash32, ShareHash, hash};
use p2pool_wire::message::{
    Message, NetAddr, RawShare, ReplyResult, ShareReply, ShareReq, Version,
};
use serde_json::{Value, json};

/// A message's fields.
pub(crate) fn of(message: &Message) -> Value {
    match message {
        Message::Version(version) => of_version(version),
        Message::Ping => json!({}),
        Message::AddrMe { port } => json!({ "port": port }),
        Message::Addrs(records) => {
            let records: Vec<_> = records
                .iter()
                .map(|record| {
                    json!({ "timestamp": record.timestamp, "address": of_addr(&record.address) })
                })
                .collect();
            json!({ "addrs": records })
        }
        Message::GetAddrs { count } => json!({ "count": count }),
        Message::Shares(shares) => json!({ "shares": of_shares(shares) }),
        Message::ShareReq(ShareReq { id, hashes, parents, stops }) => json!({
            "id": number(id),
            "hashes": hashes.iter().map(ShareHash::to_string).collect::<Vec<_>>(),
            "parents": parents,
            "stops": stops.iter().map(ShareHash::to_string).collect::<Vec<_>>(),
        }),
        Message::ShareReply(ShareReply { id, result, shares }) => json!({
            "id": number(id),
            "result": match result {
                ReplyResult::Good => "good".to_owned(),
                ReplyResult::TooLong => "too long".to_owned(),
                ReplyResult::Other(other) => format!("unk{other}"),
            },
            "shares": of_shares(shares),
        }),
        Message::BestBlock(header) => json!({ "header": of_header(header) }),
        Message::HaveTx(hashes) | Message::LosingTx(hashes) | Message::ForgetTx(hashes) => {
            json!({ "tx_hashes": numbers(hashes) })
        }
        Message::RememberTx { tx_hashes, txs } => {
            let txs: Vec<_> = txs
                .iter()
                .map(|tx| json!({ "hex": hex(tx), "hash": number(&hash::sha256d(tx)) }))
                .collect();
            json!({ "tx_hashes": numbers(tx_hashes), "txs": txs })
        }
        // The reference has no such messages, and no names for their fields.
        Message::ShareHashes(_)
        | Message::CompactBlock(_)
        | Message::GetBlockTxn(_)
        | Message::BlockTxn(_)
        | Message::Unknown(_) => Value::Null,
    }
}

fn of_version(version: &Version) -> Value {
    json!({
        "version": version.version,
        "services": version.services.0,
        "addr_to": of_addr(&version.addr_to),
        "addr_from": of_addr(&version.addr_from),
        "nonce": version.nonce.to_string(),
        "sub_version": String::from_utf8_lossy(&version.sub_version),
        "mode": version.mode,
        "best_share_hash": version.best_share_hash.map(|hash| hash.to_string()),
    })
}

fn of_addr(addr: &NetAddr) -> Value {
    let text = match addr.socket_addr().ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|group| format!("{group:04x}")).join(":"),
    };
    json!({ "services": addr.services.0, "address": text, "port": addr.port })
}

fn of_shares(shares: &[RawShare]) -> Vec<Value> {
    shares
        .iter()
        .map(|share| json!({ "type": share.version, "contents": hex(&share.contents) }))
        .collect()
}

fn of_header(header: &[u8; 80]) -> Value {
    let mut reader = Reader::new(header);
    let u32 = |reader: &mut Reader<'_>| reader.u32().expect("80 bytes hold all fields");
    let hash = |reader: &mut Reader<'_>| reader.hash().expect("80 bytes hold all fields");
    let version = u32(&mut reader);
    let previous_block = hash(&mut reader);
    let merkle_root = hash(&mut reader);
    let timestamp = u32(&mut reader);
    let bits = u32(&mut reader);
    json!({
        "version": version,
        "previous_block": (previous_block != [0; 32]).then(|| number(&previous_block)),
        "merkle_root": number(&merkle_root),
        "timestamp": timestamp,
        "bits": format!("{bits:08x}"),
        "nonce": u32(&mut reader),
    })
}

fn numbers(hashes: &[Hash32]) -> Vec<String> {
    hashes.iter().map(number).collect()
}

/// A hash with its most significant digit first.
fn number(hash: &Hash32) -> String {
    ShareHash::from_internal(*hash).to_string()
}

/// Hexadecimal digits, in the order of the wire.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
