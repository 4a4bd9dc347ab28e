//! What a Bitcoin node answered: templates read as templates, blocks made anew from their shares.

use std::path::Path;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{Block, CompactTarget, Network, Transaction};
use p2pool_bitcoind::SubmitOutcome;
use p2pool_bitcoind::chain_check::NODE_VERSION_MIN;
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::model::{
    BlockHeaderInfo, BlockchainInfo, NetworkInfo, Place, TemplateAnswer, TemplateRequest,
};
use p2pool_bitcoind::template;
use p2pool_sharechain::hash::sha256d;
use p2pool_sharechain::template::{BlockTemplate, TemplateTransaction};
use p2pool_sharechain::{CompactBits, Params, ShareHash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::blocks;
use crate::cases::{Cases, same, same_bytes};
use crate::history::{Histories, History};
use crate::read::{Read, bytes, hash, whole};

/// Checks a `live/*_rpc*`.
pub(crate) fn check(
    doc: &Value,
    path: &Path,
    histories: &mut Histories,
    cases: &mut Cases,
) -> Result<(), String> {
    let params = histories.params_of(path)?;
    cases.run("totals", || totals(doc));
    for (index, call) in doc.list("getblocktemplate")?.iter().enumerate() {
        cases.run(&format!("getblocktemplate {index}"), || template_call(call, &params));
    }
    let histories = histories.all(path)?;
    for call in doc.list("submitblock")? {
        let name = format!("submitblock {}", call.text("block_hash")?);
        cases.run(&name, || submitted(call, histories));
    }
    for (method, calls) in doc.at("other")?.as_object().ok_or("other: not an object")? {
        for (index, call) in calls.as_array().ok_or("no list of calls")?.iter().enumerate() {
            cases.run(&format!("{method} {index}"), || other(method, call, params.chain));
        }
    }
    Ok(())
}

fn totals(doc: &Value) -> Result<(), String> {
    let kept = doc.list("getblocktemplate")?.len() as u64;
    same("at least the templates kept", &true, &(doc.whole("getblocktemplate_calls")? >= kept))?;
    let results = doc.at("submitblock_results")?.as_object().ok_or("results: not an object")?;
    let mut submitted = 0;
    for (word, count) in results {
        // Every block of the runs was valid; those that came second lost their race.
        let outcome = SubmitOutcome::from_result((word != "None").then(|| word.clone()));
        same(word, &false, &matches!(outcome, SubmitOutcome::Rejected(_)))?;
        submitted += whole(count)?;
    }
    let kept = doc.list("submitblock")?.len() as u64;
    same("at least the blocks kept", &true, &(submitted >= kept))
}

/// Reads the template of a call; its fields have been compared by [`check`].
pub(crate) fn template_of(call: &Value, chain: Network) -> Result<BlockTemplate, String> {
    let answer =
        TemplateAnswer::deserialize(call.at("result")?).map_err(|e| format!("the answer: {e}"))?;
    template::parse(&answer, chain, None).map_err(|e| e.to_string())
}

fn template_call(call: &Value, params: &Params) -> Result<(), String> {
    no_error(call)?;
    let asked = call.list("params")?.first().ok_or("no parameters")?;
    let asked = TemplateRequest::deserialize(asked).map_err(|e| format!("the request: {e}"))?;
    let ours = template::request(params.chain, None);
    // To leave the mode out means the same.
    same("mode", &Some("template"), &asked.mode.as_deref())?;
    same("request", &TemplateRequest { mode: None, ..asked }, &ours)?;

    let result = call.at("result")?;
    let answer = TemplateAnswer::deserialize(result).map_err(|e| format!("the answer: {e}"))?;
    written_again(result, &answer)?;
    let parsed = template::parse(&answer, params.chain, None).map_err(|e| e.to_string())?;
    template_fields(result, &parsed)?;
    let transactions = result.list("transactions")?;
    same("transactions", &transactions.len(), &parsed.transactions.len())?;
    for (expected, parsed) in transactions.iter().zip(&parsed.transactions) {
        transaction(expected, parsed)?;
    }
    let fees: u64 = parsed.transactions.iter().map(|tx| tx.fee_sats).sum();
    let value = params.subsidy_sats(parsed.height) + fees;
    same("subsidy and fees", &value, &parsed.coinbase_value_sats)?;
    commitment(result, &parsed)
}

fn template_fields(result: &Value, parsed: &BlockTemplate) -> Result<(), String> {
    same("version", &result.whole("version")?, &u64::from(parsed.version))?;
    let previous = parsed.previous_block.to_byte_array();
    same_bytes("previous block", &result.hash("previousblockhash")?, &previous)?;
    same("value", &result.whole("coinbasevalue")?, &parsed.coinbase_value_sats)?;
    let aux = result.at("coinbaseaux")?.as_object().ok_or("coinbaseaux: not an object")?;
    let aux: Result<Vec<_>, String> =
        aux.values().map(|value| bytes(value.as_str().ok_or("not a text")?)).collect();
    same_bytes("aux bytes", &aux?.concat(), &parsed.coinbase_aux)?;
    same("bits", &result.compact("bits")?, &parsed.bits)?;
    same("target", &Some(result.target("target")?), &parsed.bits.target())?;
    same("time", &result.whole_32("curtime")?, &parsed.current_time)?;
    same("least time", &result.whole_32("mintime")?, &parsed.min_time)?;
    same("most time", &None, &parsed.max_time)?;
    same("height", &result.whole_32("height")?, &parsed.height)?;
    same("weight limit", &result.whole_32("weightlimit")?, &parsed.weight_limit)?;
    same("sigop limit", &result.whole_32("sigoplimit")?, &parsed.sigop_limit)
}

fn transaction(expected: &Value, parsed: &TemplateTransaction) -> Result<(), String> {
    same_bytes("data", &expected.bytes("data")?, &parsed.data)?;
    let decoded: Transaction = encode::deserialize(&parsed.data).map_err(|e| e.to_string())?;
    same_bytes("txid", &decoded.compute_txid().to_byte_array(), &parsed.txid)?;
    same_bytes("wtxid", &decoded.compute_wtxid().to_byte_array(), &parsed.wtxid)?;
    same_bytes("recorded txid", &expected.hash("txid")?, &parsed.txid)?;
    same_bytes("recorded wtxid", &expected.hash("hash")?, &parsed.wtxid)?;
    same("weight of the data", &decoded.weight().to_wu(), &u64::from(parsed.weight))?;
    same("fee", &expected.whole("fee")?, &parsed.fee_sats)?;
    same("sigops", &expected.whole_32("sigops")?, &parsed.sigops)?;
    let depends: Result<Vec<u64>, String> = expected.list("depends")?.iter().map(whole).collect();
    let ours: Vec<u64> = parsed.depends.iter().map(|position| u64::from(*position) + 1).collect();
    same("depends", &depends?, &ours)
}

/// The Bitcoin node commits with a reserved value of zeros, to the same root.
fn commitment(result: &Value, parsed: &BlockTemplate) -> Result<(), String> {
    let root = parsed.segwit_data().wtxid_root;
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend_from_slice(&sha256d(&[root, [0; 32]].concat()));
    same_bytes("commitment", &result.bytes("default_witness_commitment")?, &script)
}

fn submitted(call: &Value, histories: &mut [History]) -> Result<(), String> {
    no_error(call)?;
    let word = call.maybe("result").map(|word| word.as_str().ok_or("no text")).transpose()?;
    let outcome = SubmitOutcome::from_result(word.map(str::to_owned));
    same("is success", &(word != Some("inconclusive")), &outcome.is_success())?;

    let raw = call.bytes("block")?;
    let block: Block = encode::deserialize(&raw).map_err(|e| e.to_string())?;
    let share = ShareHash::from_internal(block.block_hash().to_byte_array());
    same_bytes("hash", &call.hash("block_hash")?, &share.to_internal())?;
    same("transactions", &call.whole("tx_count")?, &(block.txdata.len() as u64))?;
    let coinbase = block.txdata.first().ok_or("no transactions")?;
    same_bytes("txid", &call.hash("gentx_txid")?, &coinbase.compute_txid().to_byte_array())?;
    let target = CompactBits(block.header.bits.to_consensus()).target().ok_or("no target")?;
    same("meets its target", &true, &(share.to_uint() <= target))?;
    blocks::proofs(&block)?;
    blocks::assembled(&block, &raw, histories)
}

fn other(method: &str, call: &Value, chain: Network) -> Result<(), String> {
    match method {
        "getblockchaininfo" => {
            let info: BlockchainInfo = answer(call)?;
            same("chain", &Ok(chain), &Network::from_core_arg(&info.chain))
        }
        "getnetworkinfo" => {
            let info: NetworkInfo = answer(call)?;
            same("is new enough", &true, &(info.version >= NODE_VERSION_MIN))
        }
        "getblockheader" => header(call),
        // The predecessor of getblocktemplate, which the reference asks for first.
        "getmemorypool" => {
            let refused = call.at("error")?.at("code")?.as_i64();
            same("code", &Some(i64::from(code::METHOD_NOT_FOUND)), &refused)
        }
        _ => Err("not a method that is known here".to_owned()),
    }
}

fn header(call: &Value) -> Result<(), String> {
    let info: BlockHeaderInfo = answer(call)?;
    let asked = call.list("params")?.first().ok_or("no parameters")?;
    same_bytes("block asked for", &hash(asked)?, &info.hash.to_byte_array())?;
    let header = Header {
        version: Version::from_consensus(info.version),
        prev_blockhash: info.previousblockhash.ok_or("the first block is not asked for")?,
        merkle_root: info.merkleroot,
        time: info.time,
        bits: CompactTarget::from_consensus(info.bits),
        nonce: info.nonce,
    };
    let place = Place {
        height: info.height,
        confirmations: info.confirmations,
        median_time: info.mediantime,
        next: info.nextblockhash,
    };
    // Among the fields is the hash, which follows from the others.
    let described = BlockHeaderInfo::new(&header, place, info.n_tx);
    same("header described again", &info, &described)
}

/// Reads an answer, and compares it with itself written again.
fn answer<T: for<'de> Deserialize<'de> + Serialize>(call: &Value) -> Result<T, String> {
    no_error(call)?;
    let result = call.at("result")?;
    let answer = T::deserialize(result).map_err(|e| format!("the answer: {e}"))?;
    written_again(result, &answer)?;
    Ok(answer)
}

fn no_error(call: &Value) -> Result<(), String> {
    same("error", &None, &call.maybe("error"))
}

/// What our type writes stands in the recorded answer just so; that may hold more.
fn written_again(recorded: &Value, answer: &impl Serialize) -> Result<(), String> {
    let ours = serde_json::to_value(answer).map_err(|e| e.to_string())?;
    is_part("answer", &ours, recorded)
}

fn is_part(what: &str, part: &Value, whole: &Value) -> Result<(), String> {
    match (part, whole) {
        (Value::Object(members), Value::Object(_)) => members.iter().try_for_each(|(key, part)| {
            is_part(&format!("{what}.{key}"), part, whole.get(key).unwrap_or(&Value::Null))
        }),
        (Value::Array(parts), Value::Array(all)) => {
            same(&format!("length of {what}"), &all.len(), &parts.len())?;
            parts.iter().zip(all).try_for_each(|(part, whole)| is_part(what, part, whole))
        }
        // 1 and 1.0 are the same number.
        (Value::Number(part), Value::Number(whole)) => same(what, &whole.as_f64(), &part.as_f64()),
        _ => same(what, whole, part),
    }
}
