//! The served chain and the client of real nodes, over HTTP.

use std::path::Path;

use bitcoin::constants::genesis_block;
use bitcoin::{BlockHash, Network, ScriptBuf};
use p2pool_bitcoind::model::{AddressInfo, BlockHeaderInfo, BlockInfo, TemplateRequest};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    Auth, RpcClient, RpcConfig, RpcError, Secret, SubmitOutcome, TemplateSource, TemplateState,
    Timings, chain_check, submit_block,
};
use p2pool_practice::PracticeChainServer;
use p2pool_sharechain::template::BlockTemplate;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mining::mine;

/// A served chain with a client that follows it.
struct Practice {
    client: RpcClient,
    config: RpcConfig,
    states: watch::Receiver<TemplateState>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Practice {
    async fn start(folder: &Path, network: Network) -> Self {
        let server = PracticeChainServer::start(folder, network).await.unwrap();
        let config = server.rpc_config();
        // Nothing but the long poll may bring news.
        let never = std::time::Duration::from_secs(3600);
        let timings = Timings { watch: never, ..Timings::default() };
        let (source, states) = TemplateSource::new(&config, network, timings).unwrap();
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stop = cancel.clone();
        tasks.spawn(async move { server.run(stop).await.unwrap() });
        tasks.spawn(source.run(cancel.clone()));
        Self { client: RpcClient::new(&config).unwrap(), config, states, cancel, tasks }
    }

    async fn template(&mut self, height: u32) -> BlockTemplate {
        let is_it = |state: &TemplateState| matches!(state, TemplateState::Ready(template) if template.height == height);
        let state = self.states.wait_for(is_it).await.unwrap();
        state.template().unwrap().as_ref().clone()
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.tasks.join_all().await;
    }

    async fn call<R: DeserializeOwned>(&self, method: &str, params: Value) -> Result<R, RpcError> {
        self.client.call(method, params, Limits::BLOCK).await
    }

    /// The number with which a call is refused.
    async fn refusal(&self, method: &str, params: Value) -> i32 {
        match self.call::<Value>(method, params).await {
            Err(RpcError::Rpc { code, .. }) => code,
            outcome => panic!("{method}: {outcome:?}"),
        }
    }
}

fn block_of(template: &BlockTemplate, sats: u64) -> Vec<u8> {
    mine(template, sats, &ScriptBuf::from_bytes(vec![0x51]))
}

#[tokio::test]
async fn blocks_are_mined_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut practice = Practice::start(folder.path(), Network::Regtest).await;
    for height in 1..=20 {
        let template = practice.template(height).await;
        let value = template.coinbase_value_sats;
        let greedy = block_of(&template, value + 1);
        let refused = SubmitOutcome::Rejected("bad-cb-amount".into());
        assert_eq!(submit_block(&practice.client, &greedy).await, Ok(refused));
        assert_eq!(practice.client.best_block_hash().await, Ok(template.previous_block));
        let block = block_of(&template, value);
        let outcome = submit_block(&practice.client, &block).await;
        assert_eq!(outcome, Ok(SubmitOutcome::Accepted));
        let again = submit_block(&practice.client, &block).await;
        assert_eq!(again, Ok(SubmitOutcome::Duplicate));
    }
    let template = practice.template(21).await;
    practice.stop().await;
    assert!(!folder.path().join(".cookie").exists());

    let mut practice = Practice::start(folder.path(), Network::Regtest).await;
    assert_eq!(practice.template(21).await.previous_block, template.previous_block);
    practice.stop().await;
}

#[tokio::test]
async fn it_passes_for_a_node_of_its_network() {
    let folder = tempfile::tempdir().unwrap();
    let mut practice = Practice::start(folder.path(), Network::Testnet4).await;
    let facts = chain_check(&practice.client, Network::Testnet4).await.unwrap();
    assert_eq!((facts.blocks, facts.initial_block_download), (0, false));
    assert!(chain_check(&practice.client, Network::Regtest).await.is_err());
    let template = practice.template(1).await;
    assert_eq!((template.bits.0, template.max_time), (0x1d00_ffff, None));
    assert_eq!(template.previous_block, genesis_block(Network::Testnet4).block_hash());
    practice.stop().await;
}

#[tokio::test]
async fn blocks_and_headers_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut practice = Practice::start(folder.path(), Network::Regtest).await;
    let template = practice.template(1).await;
    let raw = block_of(&template, template.coinbase_value_sats);
    submit_block(&practice.client, &raw).await.unwrap();
    let hash = practice.client.best_block_hash().await.unwrap();

    let header: BlockHeaderInfo = practice.client.block_header(hash).await.unwrap();
    assert_eq!((header.hash, header.height, header.confirmations), (hash, 1, 1));
    assert_eq!((header.bits, header.n_tx), (0x207f_ffff, 1));
    assert_eq!(header.previousblockhash, Some(template.previous_block));
    let info: BlockInfo = practice.call("getblock", json!([hash.to_string()])).await.unwrap();
    assert_eq!((info.header, info.tx.len()), (header, 1));
    assert_eq!(info.size as usize, raw.len());
    let hex: String = practice.call("getblock", json!([hash.to_string(), 0])).await.unwrap();
    assert_eq!(hex.len(), 2 * raw.len());
    let hex: String =
        practice.call("getblockheader", json!([hash.to_string(), false])).await.unwrap();
    assert_eq!(hex.len(), 160);
    let at_one: String = practice.call("getblockhash", json!([1])).await.unwrap();
    assert_eq!(at_one.parse::<BlockHash>().unwrap(), hash);
    practice.stop().await;
}

#[tokio::test]
async fn refusals_have_bitcoinds_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let practice = Practice::start(folder.path(), Network::Regtest).await;
    let unknown = json!(["00".repeat(32)]);
    for (method, params, code) in [
        ("sendrawtransaction", json!(["00"]), -32601),
        ("getblocktemplate", json!([]), -8),
        ("getblocktemplate", json!([{"rules": ["csv"]}]), -8),
        ("getblocktemplate", json!([{"rules": ["segwit"], "mode": "proposal"}]), -8),
        ("getblocktemplate", json!([{"rules": ["segwit"], "longpollid": "tip"}]), -8),
        ("getblocktemplate", json!(["segwit"]), -3),
        ("submitblock", json!(["zz"]), -22),
        ("submitblock", json!(["00"]), -22),
        ("submitblock", json!([]), -1),
        ("submitblock", json!([7]), -3),
        ("getblockhash", json!([1]), -8),
        ("getblockhash", json!([-1]), -8),
        ("getblockheader", unknown.clone(), -5),
        ("getblock", unknown, -5),
        ("getblock", json!(["00"]), -8),
        ("uptime", json!({"named": 1}), -32600),
    ] {
        assert_eq!(practice.refusal(method, params.clone()).await, code, "{method} {params}");
    }
    let greeting: u64 = practice.call("uptime", Value::Null).await.unwrap();
    assert!(greeting < 3600);
    practice.stop().await;
}

#[tokio::test]
async fn addresses_are_those_of_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let practice = Practice::start(folder.path(), Network::Testnet4).await;
    for (address, is_valid) in [
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", true),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", true),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", false),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", false),
        ("nonsense", false),
    ] {
        let info: AddressInfo = practice.call("validateaddress", json!([address])).await.unwrap();
        assert_eq!(info.isvalid, is_valid, "{address}");
        assert_eq!(info.script_pubkey.is_some(), is_valid);
        assert_eq!(info.error.is_none(), is_valid);
    }
    practice.stop().await;
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let practice = Practice::start(folder.path(), Network::Regtest).await;
    let password = Secret::new("guess".into());
    let auth = Auth::UserPassword { user: "__cookie__".into(), password };
    let stranger = RpcClient::new(&RpcConfig { auth, ..practice.config.clone() }).unwrap();
    assert_eq!(stranger.blockchain_info().await, Err(RpcError::Unauthorized));
    practice.stop().await;
}

#[tokio::test]
async fn stop_ends_the_server_even_with_a_long_poll_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = PracticeChainServer::start(folder.path(), Network::Regtest).await.unwrap();
    let client = RpcClient::new(&server.rpc_config()).unwrap();
    let running = server.run(CancellationToken::new());
    let talking = async {
        let first: Value = client
            .call(
                "getblocktemplate",
                [TemplateRequest { rules: vec!["segwit".into()], ..TemplateRequest::default() }],
                Limits::BLOCK,
            )
            .await
            .unwrap();
        let longpollid = first["longpollid"].as_str().map(str::to_owned);
        let request = TemplateRequest { mode: None, rules: vec!["segwit".into()], longpollid };
        let long_poll = client.call::<Value>("getblocktemplate", [request], Limits::BLOCK);
        let stop = client.call::<String>("stop", (), Limits::SHORT);
        let (long_poll, stop) = tokio::join!(long_poll, stop);
        assert!(matches!(long_poll, Err(RpcError::Rpc { code: -9, .. })), "{long_poll:?}");
        assert_eq!(stop.unwrap(), "Practice chain stopping");
    };
    let (ended, ()) = tokio::join!(running, talking);
    ended.unwrap();
}

#[tokio::test]
async fn the_largest_block_is_not_too_long_to_submit() {
    let folder = tempfile::tempdir().unwrap();
    let practice = Practice::start(folder.path(), Network::Regtest).await;
    let junk = vec![0xff; 4_000_000];
    let refused = RpcError::Rpc { code: -22, message: "Block decode failed".into() };
    assert_eq!(submit_block(&practice.client, &junk).await, Err(refused));
    practice.stop().await;
}
