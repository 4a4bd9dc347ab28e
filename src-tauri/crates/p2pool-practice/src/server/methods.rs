//! The methods, with bitcoind's parameters, answers and refusals.

use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::address::NetworkUnchecked;
use bitcoin::consensus::deserialize;
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{Address, Block, BlockHash, Transaction};
use p2pool_bitcoind::error::code;
use p2pool_bitcoind::model::{
    AddressInfo, BlockHeaderInfo, BlockInfo, BlockchainInfo, NetworkInfo, TemplateAnswer,
    TemplateRequest, Warnings,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Failure, Shared};
use crate::chain::{ChainError, SubmitError, Verdict};
use crate::template;

/// The version of Bitcoin Core that the kernel was taken from.
const VERSION: u32 = 319_900;
const PROTOCOL_VERSION: u32 = 70016;

pub(super) async fn call(
    shared: &Shared,
    method: &str,
    params: Vec<Value>,
) -> Result<Value, Failure> {
    let mut params = Params { values: params.into_iter(), position: 0 };
    match method {
        "getblockchaininfo" => to_value(blockchain_info(shared).await?),
        "getnetworkinfo" => to_value(network_info()),
        "getbestblockhash" => to_value(shared.chain.tip().hash.to_string()),
        "getblockhash" => to_value(block_hash(shared, params.take()?).await?.to_string()),
        "getblockheader" => {
            let hash = params.hash()?;
            header(shared, hash, params.take_or(true)?).await
        }
        "getblock" => {
            let hash = params.hash()?;
            block(shared, hash, params.take_or(Verbosity::Number(1))?).await
        }
        "getblocktemplate" => {
            to_value(block_template(shared, params.take_or(TemplateRequest::default())?).await?)
        }
        "submitblock" => to_value(submit_block(shared, &params.take::<String>()?).await?),
        "validateaddress" => to_value(validate_address(shared, &params.take::<String>()?)),
        "uptime" => to_value(shared.started.elapsed().as_secs()),
        "stop" => {
            shared.stop.cancel();
            to_value("Practice chain stopping")
        }
        _ => Err(Failure::new(code::METHOD_NOT_FOUND, "Method not found")),
    }
}

/// Positional parameters, taken one after the other.
struct Params {
    values: std::vec::IntoIter<Value>,
    position: usize,
}

impl Params {
    fn take<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        self.next()?.ok_or_else(|| {
            Failure::new(code::MISC, format!("parameter {} is missing", self.position))
        })
    }

    fn take_or<T: DeserializeOwned>(&mut self, default: T) -> Result<T, Failure> {
        Ok(self.next()?.unwrap_or(default))
    }

    fn hash(&mut self) -> Result<BlockHash, Failure> {
        self.take::<String>()?.parse().map_err(|_| {
            Failure::new(code::INVALID_PARAMETER, "blockhash must be 64 hexadecimal digits")
        })
    }

    /// The next parameter, unless it is absent or null.
    fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Failure> {
        self.position += 1;
        match self.values.next() {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value).map(Some).map_err(|error| {
                Failure::new(code::TYPE, format!("parameter {}: {error}", self.position))
            }),
        }
    }
}

/// `getblock` takes numbers and, as of old, booleans.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Verbosity {
    Number(u8),
    Bool(bool),
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        Self::new(code::INTERNAL, error.to_string())
    }
}

fn to_value(answer: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(|error| Failure::new(code::INTERNAL, error.to_string()))
}

fn unknown_block() -> Failure {
    Failure::new(code::INVALID_ADDRESS_OR_KEY, "Block not found")
}

async fn blockchain_info(shared: &Shared) -> Result<BlockchainInfo, Failure> {
    let tip = shared.chain.tip();
    let (header, _) = shared.chain.header(tip.hash).await?.ok_or_else(unknown_block)?;
    Ok(BlockchainInfo {
        chain: shared.chain.network().to_core_arg().to_owned(),
        blocks: tip.height,
        headers: tip.height,
        bestblockhash: tip.hash,
        difficulty: header.difficulty_float(),
        time: Some(tip.time),
        mediantime: tip.median_time,
        verificationprogress: 1.0,
        // Nobody else has blocks of this chain: there is nothing to fetch.
        initialblockdownload: false,
        pruned: false,
        size_on_disk: None,
        warnings: Warnings::default(),
    })
}

fn network_info() -> NetworkInfo {
    NetworkInfo {
        version: VERSION,
        subversion: format!("/P2PoolPractice:{}/", env!("CARGO_PKG_VERSION")),
        protocolversion: PROTOCOL_VERSION,
        connections: 0,
        networkactive: false,
        timeoffset: 0,
        warnings: Warnings::default(),
    }
}

async fn block_hash(shared: &Shared, height: i64) -> Result<BlockHash, Failure> {
    let out_of_range = || Failure::new(code::INVALID_PARAMETER, "Block height out of range");
    let height = u32::try_from(height).map_err(|_| out_of_range())?;
    shared.chain.hash_at(height).await?.ok_or_else(out_of_range)
}

async fn header(shared: &Shared, hash: BlockHash, is_verbose: bool) -> Result<Value, Failure> {
    let (header, place) = shared.chain.header(hash).await?.ok_or_else(unknown_block)?;
    if !is_verbose {
        return to_value(bitcoin::consensus::serialize(&header).to_lower_hex_string());
    }
    let block = read_block(shared, hash).await?;
    to_value(BlockHeaderInfo::new(&header, place, count(&block)))
}

async fn block(shared: &Shared, hash: BlockHash, verbosity: Verbosity) -> Result<Value, Failure> {
    match verbosity {
        Verbosity::Number(0) | Verbosity::Bool(false) => {
            let raw = shared.chain.block(hash).await?.ok_or_else(unknown_block)?;
            to_value(raw.to_lower_hex_string())
        }
        Verbosity::Number(1) | Verbosity::Bool(true) => {
            let (header, place) = shared.chain.header(hash).await?.ok_or_else(unknown_block)?;
            let block = read_block(shared, hash).await?;
            to_value(BlockInfo {
                header: BlockHeaderInfo::new(&header, place, count(&block)),
                size: u32::try_from(block.total_size()).expect("a valid block is below 4 MB"),
                weight: u32::try_from(block.weight().to_wu())
                    .expect("a valid block is below 4 MWU"),
                tx: block.txdata.iter().map(Transaction::compute_txid).collect(),
            })
        }
        Verbosity::Number(_) => {
            Err(Failure::new(code::INVALID_PARAMETER, "verbosity must be 0 or 1"))
        }
    }
}

async fn read_block(shared: &Shared, hash: BlockHash) -> Result<Block, Failure> {
    let raw = shared.chain.block(hash).await?.ok_or_else(unknown_block)?;
    deserialize(&raw).map_err(|error| Failure::new(code::INTERNAL, error.to_string()))
}

fn count(block: &Block) -> u32 {
    u32::try_from(block.txdata.len()).expect("a valid block has fewer transactions than bytes")
}

async fn block_template(
    shared: &Shared,
    request: TemplateRequest,
) -> Result<TemplateAnswer<'static>, Failure> {
    let invalid = |message: &str| Failure::new(code::INVALID_PARAMETER, message);
    if request.mode.is_some_and(|mode| mode != "template") {
        return Err(invalid("Invalid mode"));
    }
    if !request.rules.iter().any(|rule| rule == "segwit") {
        return Err(invalid(
            "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})",
        ));
    }
    if let Some(id) = request.longpollid {
        let known = template::longpoll_tip(&id)
            .ok_or_else(|| invalid("longpollid must begin with a block hash"))?;
        let mut tip = shared.chain.watch_tip();
        tokio::select! {
            () = shared.stop.cancelled() => {
                return Err(Failure::new(code::NOT_CONNECTED, "Shutting down"));
            }
            // The sender ends with the chain, which answers for itself below.
            _ = tip.wait_for(|tip| tip.hash != known) => {}
        }
    }
    let next = shared.chain.next_block(now()).await?;
    Ok(template::answer(shared.chain.network(), &next))
}

/// Unix seconds.
fn now() -> u32 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX)
}

async fn submit_block(shared: &Shared, hex: &str) -> Result<Option<String>, Failure> {
    let undecodable = || Failure::new(code::DESERIALIZATION, "Block decode failed");
    let raw = Vec::<u8>::from_hex(hex).map_err(|_| undecodable())?;
    match shared.chain.submit(raw).await {
        Ok(Verdict::Accepted) => Ok(None),
        Ok(Verdict::Duplicate) => Ok(Some("duplicate".into())),
        Ok(Verdict::Inconclusive) => Ok(Some("inconclusive".into())),
        Ok(Verdict::Rejected(reason)) => Ok(Some(reason)),
        Err(SubmitError::Undecodable) => Err(undecodable()),
        Err(SubmitError::Chain(error)) => Err(error.into()),
    }
}

fn validate_address(shared: &Shared, text: &str) -> AddressInfo {
    let network = shared.chain.network();
    let parsed = text
        .parse::<Address<NetworkUnchecked>>()
        .and_then(|address| address.require_network(network));
    match parsed {
        Ok(address) => AddressInfo {
            isvalid: true,
            address: Some(address.to_string()),
            script_pubkey: Some(address.script_pubkey().to_hex_string()),
            iswitness: Some(address.witness_program().is_some()),
            error: None,
        },
        Err(error) => AddressInfo {
            isvalid: false,
            address: None,
            script_pubkey: None,
            iswitness: None,
            error: Some(error.to_string()),
        },
    }
}
