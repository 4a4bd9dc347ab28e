//! The methods, in bitcoind's words.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::FromHex;
use bitcoin::{BlockHash, Target};
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::model::{
    BlockHeaderInfo, BlockInfo, BlockchainInfo, NetworkInfo, TemplateAnswer, Warnings,
};
use serde::Serialize;
use serde_json::Value;

use super::{Inner, Node};

/// What becomes of a request.
pub(super) enum Answer {
    /// It is answered.
    Result(Value),
    /// It is refused.
    Error(i32, String),
    /// It is to be asked again when there is news.
    Wait,
}

fn result(value: impl Serialize) -> Answer {
    Answer::Result(serde_json::to_value(value).expect("plain data"))
}

fn refuse(code: i32, words: &str) -> Answer {
    Answer::Error(code, words.to_owned())
}

pub(super) fn answer(node: &Node, method: &str, params: &Value) -> Answer {
    let mut inner = node.lock();
    if let Some(words) = &inner.behaviour.warm_up {
        return refuse(code::IN_WARMUP, words);
    }
    match method {
        "getblockchaininfo" => blockchain_info(&inner),
        "getnetworkinfo" => network_info(&inner),
        "getbestblockhash" => result(inner.chain.tip().to_string()),
        "getblockhash" => match params[0].as_u64().and_then(|height| u32::try_from(height).ok()) {
            Some(height) => match inner.chain.at(height) {
                Some(hash) => result(hash.to_string()),
                None => refuse(code::INVALID_PARAMETER, "Block height out of range"),
            },
            None => refuse(code::TYPE, "JSON value is not an integer as expected"),
        },
        "getblockheader" => block_header(&inner, params),
        "getblock" => block(&inner, params),
        "getblocktemplate" => template(&inner, &params[0]),
        "submitblock" => {
            let answer = submit(&mut inner, params);
            drop(inner);
            node.news.send_modify(|news| *news += 1);
            answer
        }
        _ => refuse(code::METHOD_NOT_FOUND, "Method not found"),
    }
}

fn blockchain_info(inner: &Inner) -> Answer {
    let Inner { chain, behaviour, .. } = inner;
    let (ahead, progress) = behaviour.syncing.unwrap_or((0, 1.0));
    result(BlockchainInfo {
        chain: behaviour.chain.clone(),
        blocks: chain.height(),
        headers: chain.height() + ahead,
        bestblockhash: chain.tip(),
        difficulty: chain.header().difficulty_float(),
        time: Some(behaviour.tip_time.unwrap_or(chain.header().time)),
        mediantime: chain.median_time(chain.tip()),
        verificationprogress: progress,
        initialblockdownload: behaviour.syncing.is_some(),
        pruned: behaviour.is_pruned,
        size_on_disk: None,
        warnings: Warnings::default(),
    })
}

fn network_info(inner: &Inner) -> Answer {
    result(NetworkInfo {
        version: inner.behaviour.version,
        subversion: "/Fake:1.0.0/".into(),
        protocolversion: 70016,
        connections: inner.behaviour.connections,
        networkactive: true,
        timeoffset: 0,
        warnings: Warnings::default(),
    })
}

/// The block that the first parameter names.
fn named(params: &Value) -> Result<BlockHash, Answer> {
    let text = params[0].as_str().unwrap_or_default();
    text.parse().map_err(|_| {
        let words = format!("blockhash must be of length 64 (not {}, for '{text}')", text.len());
        refuse(code::INVALID_PARAMETER, &words)
    })
}

fn unknown() -> Answer {
    refuse(code::INVALID_ADDRESS_OR_KEY, "Block not found")
}

fn block_header(inner: &Inner, params: &Value) -> Answer {
    let hash = match named(params) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    let (Some(block), Some(place)) = (inner.chain.block(hash), inner.chain.place(hash)) else {
        return unknown();
    };
    if params[1] == false {
        return result(serialize_hex(&block.header));
    }
    let count = u32::try_from(block.txdata.len()).expect("few transactions");
    result(BlockHeaderInfo::new(&block.header, place, count))
}

fn block(inner: &Inner, params: &Value) -> Answer {
    let hash = match named(params) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    let (Some(block), Some(place)) = (inner.chain.block(hash), inner.chain.place(hash)) else {
        return unknown();
    };
    if params[1] == 0 {
        return result(serialize_hex(block));
    }
    let count = u32::try_from(block.txdata.len()).expect("few transactions");
    result(BlockInfo {
        header: BlockHeaderInfo::new(&block.header, place, count),
        size: u32::try_from(block.total_size()).expect("a small block"),
        weight: u32::try_from(block.weight().to_wu()).expect("a small block"),
        tx: block.txdata.iter().map(|transaction| transaction.compute_txid()).collect(),
    })
}

fn template(inner: &Inner, request: &Value) -> Answer {
    let Inner { chain, behaviour, .. } = inner;
    let rules = request["rules"].as_array();
    if !rules.is_some_and(|rules| rules.iter().any(|rule| rule == "segwit")) {
        let words = "getblocktemplate must be called with the segwit rule set";
        return refuse(code::INVALID_PARAMETER, words);
    }
    if behaviour.chain == "main" && behaviour.connections == 0 {
        return refuse(code::NOT_CONNECTED, "Bitcoin Core is not connected!");
    }
    if behaviour.chain == "main" && behaviour.syncing.is_some() {
        let words = "Bitcoin Core is in initial sync and waiting for blocks...";
        return refuse(code::IN_INITIAL_DOWNLOAD, words);
    }
    if let Some((code, words)) = &behaviour.template_error {
        return refuse(*code, words);
    }
    let longpollid = format!("{}{}", chain.tip(), chain.mempool.len());
    if request["longpollid"] == longpollid.as_str() {
        return Answer::Wait;
    }
    let header = chain.header();
    let rules = ["csv", "!segwit", "taproot"].into_iter().map(str::to_owned);
    let rules = rules.chain(behaviour.rules.iter().cloned()).map(Into::into).collect();
    result(TemplateAnswer {
        version: 0x2000_0000,
        rules,
        vbavailable: Default::default(),
        vbrequired: 0,
        previousblockhash: chain.tip(),
        transactions: chain.mempool.clone(),
        coinbaseaux: Default::default(),
        coinbasevalue: chain.next_value_sats(),
        longpollid,
        target: format!("{:064x}", Target::from_compact(header.bits)).into(),
        mintime: chain.median_time(chain.tip()) + 1,
        mutable: ["time", "transactions", "prevblock"].map(str::to_owned).into(),
        noncerange: "00000000ffffffff".into(),
        sigoplimit: 80_000,
        sizelimit: 4_000_000,
        weightlimit: Some(4_000_000),
        curtime: chain.next_time(),
        bits: header.bits.to_consensus(),
        height: chain.height() + 1,
        default_witness_commitment: None,
        signet_challenge: None,
    })
}

fn submit(inner: &mut Inner, params: &Value) -> Answer {
    if let Some(verdict) = &inner.behaviour.verdict {
        return result(verdict);
    }
    let raw = Vec::<u8>::from_hex(params[0].as_str().unwrap_or_default()).ok();
    match raw.map(|raw| inner.chain.submit(&raw)) {
        Some(Ok(word)) => result(word),
        Some(Err(())) | None => refuse(code::DESERIALIZATION, "Block decode failed"),
    }
}
