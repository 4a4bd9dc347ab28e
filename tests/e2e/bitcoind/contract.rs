//! What every Bitcoin node has to do: the fake one, the practice chain's, the true one.

use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash, Network, ScriptBuf};
use p2pool_bitcoind::model::{BlockHeaderInfo, BlockInfo, TemplateRequest};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    Auth, RetryPolicy, RpcClient, RpcConfig, RpcError, Secret, SubmitOutcome, TemplateSource,
    TemplateState, Timings, chain_check, submit_block, submit_with_retries,
};
use p2pool_practice::PracticeChainServer;
use p2pool_sharechain::template::BlockTemplate;
use p2pool_tests::{Bitcoind, FakeBitcoind};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mining::mine;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_fake_node_keeps_the_contract() {
    let fake = FakeBitcoind::start();
    Contract::check(fake.rpc_config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practice_chain_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let server = PracticeChainServer::start(folder.path(), Network::Regtest).await.unwrap();
    let config = server.rpc_config();
    let token = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let stop = token.clone();
    tasks.spawn(async move { server.run(stop).await.unwrap() });
    Contract::check(config).await;
    token.cancel();
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_true_node_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let Some(node) = Bitcoind::start(folder.path(), "regtest", &[]) else { return };
    Contract::check(node.rpc_config()).await;
}

/// One node under test.
struct Contract {
    config: RpcConfig,
    client: RpcClient,
    states: watch::Receiver<TemplateState>,
    _source: JoinSet<()>,
}

impl Contract {
    async fn check(config: RpcConfig) {
        // Nothing but the long poll may bring news.
        let timings = Timings { watch: Duration::from_secs(3600), ..Timings::default() };
        let (source, states) = TemplateSource::new(&config, Network::Regtest, timings).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(source.run(CancellationToken::new()));
        let client = RpcClient::new(&config).unwrap();
        let mut contract = Self { config, client, states, _source: tasks };
        let first = contract.template(1).await;
        contract.says_what_it_is().await;
        contract.refuses().await;
        let raw = contract.takes_blocks(&first).await;
        contract.shows_blocks(&raw).await;
        contract.judges_blocks(&first).await;
        contract.follows_the_longer_chain().await;
    }

    /// The template for this height, which the long poll must bring.
    async fn template(&mut self, height: u32) -> BlockTemplate {
        let is_it = |state: &TemplateState| matches!(state, TemplateState::Ready(template) if template.height == height);
        let state = tokio::time::timeout(SOON, self.states.wait_for(is_it)).await;
        let state = state.unwrap_or_else(|_| panic!("no template for {height}")).unwrap();
        state.template().unwrap().as_ref().clone()
    }

    async fn call<R: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<R, RpcError> {
        self.client.call(method, params, Limits::BLOCK).await
    }

    async fn submit(&self, raw: &[u8]) -> SubmitOutcome {
        submit_block(&self.client, raw).await.unwrap()
    }

    async fn says_what_it_is(&self) {
        let facts = chain_check(&self.client, Network::Regtest).await.unwrap();
        assert_eq!((facts.blocks, facts.headers), (0, 0));
        assert!(facts.version >= 220_000 && !facts.pruned);
        assert!(chain_check(&self.client, Network::Bitcoin).await.is_err());
    }

    async fn refuses(&self) {
        let unknown = format!("{:064x}", 7);
        let no_segwit = TemplateRequest { rules: vec!["csv".into()], ..Default::default() };
        for (method, params, code) in [
            ("nonsense", json!([]), -32601),
            ("getblocktemplate", json!([no_segwit]), -8),
            ("getblockheader", json!([unknown]), -5),
            ("getblock", json!([unknown]), -5),
            ("getblockheader", json!(["12"]), -8),
            ("getblockhash", json!([77]), -8),
            ("submitblock", json!(["00"]), -22),
            ("submitblock", json!(["zz"]), -22),
        ] {
            match self.call::<Value>(method, params).await {
                Err(RpcError::Rpc { code: answered, .. }) => assert_eq!(answered, code, "{method}"),
                outcome => panic!("{method}: {outcome:?}"),
            }
        }
        let password = Secret::new("wrong".into());
        let auth = Auth::UserPassword { user: "nobody".into(), password };
        let stranger = RpcClient::new(&RpcConfig { auth, ..self.config.clone() }).unwrap();
        assert_eq!(stranger.best_block_hash().await, Err(RpcError::Unauthorized));
    }

    /// Blocks 1 to 3; gives back the third.
    async fn takes_blocks(&mut self, first: &BlockTemplate) -> Vec<u8> {
        let mut template = first.clone();
        let mut raw = Vec::new();
        for height in 1..=3 {
            assert_eq!(template.coinbase_value_sats, 5_000_000_000);
            raw = mine(&template, template.coinbase_value_sats, &script(1));
            let outcome = submit_with_retries(&self.client, &raw, RetryPolicy::default()).await;
            assert_eq!(outcome, Ok(SubmitOutcome::Accepted));
            template = self.template(height + 1).await;
            assert_eq!(template.previous_block, hash(&raw));
            assert!(template.min_time <= template.current_time);
        }
        raw
    }

    async fn shows_blocks(&self, raw: &[u8]) {
        let hash = hash(raw);
        assert_eq!(self.client.best_block_hash().await, Ok(hash));
        let header: BlockHeaderInfo = self.client.block_header(hash).await.unwrap();
        assert_eq!((header.height, header.confirmations, header.bits), (3, 1, 0x207f_ffff));
        let info: BlockInfo = self.call("getblock", json!([hash.to_string()])).await.unwrap();
        assert_eq!((info.header, info.size as usize), (header, raw.len()));
        let whole: String = self.call("getblock", json!([hash.to_string(), 0])).await.unwrap();
        assert_eq!(whole, hex(raw));
        let start: String =
            self.call("getblockheader", json!([hash.to_string(), false])).await.unwrap();
        assert_eq!(start, hex(&raw[..80]));
        let named: String = self.call("getblockhash", json!([3])).await.unwrap();
        assert_eq!(named, hash.to_string());
    }

    async fn judges_blocks(&mut self, first: &BlockTemplate) {
        let template = self.template(4).await;
        let value = template.coinbase_value_sats;
        let refused = |word: &str| SubmitOutcome::Rejected(word.into());
        assert_eq!(
            self.submit(&mine(&template, value + 1, &script(1))).await,
            refused("bad-cb-amount")
        );
        let mut weak: Block = deserialize(&mine(&template, value, &script(2))).unwrap();
        while weak.header.validate_pow(weak.header.target()).is_ok() {
            weak.header.nonce += 1;
        }
        assert_eq!(self.submit(&serialize(&weak)).await, refused("high-hash"));
        let mut changed: Block = deserialize(&mine(&template, value, &script(3))).unwrap();
        changed.txdata[0].output[0].script_pubkey = script(4);
        assert_eq!(self.submit(&serialize(&changed)).await, refused("bad-txnmrklroot"));
        let nowhere = BlockTemplate { previous_block: BlockHash::all_zeros(), ..template.clone() };
        let lost = mine(&nowhere, value, &script(1));
        assert_eq!(self.submit(&lost).await, SubmitOutcome::ParentUnknown);
        let late = mine(first, first.coinbase_value_sats, &script(5));
        assert_eq!(self.submit(&late).await, SubmitOutcome::Inconclusive);
        let again = self.submit(&late).await;
        assert!(matches!(again, SubmitOutcome::Duplicate | SubmitOutcome::Inconclusive));
        let side = self.client.block_header(hash(&late)).await.unwrap();
        assert_eq!((side.height, side.confirmations), (1, -1));
        assert_eq!(self.client.best_block_hash().await, Ok(template.previous_block));
    }

    /// Two blocks on the block before the tip replace the tip.
    async fn follows_the_longer_chain(&mut self) {
        let template = self.template(4).await;
        let old_tip = template.previous_block;
        let header = self.client.block_header(old_tip).await.unwrap();
        let mut branch = BlockTemplate {
            height: 3,
            previous_block: header.previousblockhash.unwrap(),
            ..template.clone()
        };
        let rival = mine(&branch, branch.coinbase_value_sats, &script(6));
        assert_eq!(self.submit(&rival).await, SubmitOutcome::Inconclusive);
        branch = BlockTemplate {
            height: 4,
            previous_block: hash(&rival),
            current_time: template.current_time + 1,
            ..branch
        };
        let winner = mine(&branch, branch.coinbase_value_sats, &script(6));
        assert_eq!(self.submit(&winner).await, SubmitOutcome::Accepted);
        let next = self.template(5).await;
        assert_eq!(next.previous_block, hash(&winner));
        assert_eq!(self.client.block_header(old_tip).await.unwrap().confirmations, -1);
        assert_eq!(self.client.block_header(hash(&rival)).await.unwrap().confirmations, 2);
    }
}

/// Some output script; numbers make different blocks.
fn script(number: u8) -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x50 + number])
}

fn hash(raw: &[u8]) -> BlockHash {
    deserialize::<Header>(&raw[..80]).unwrap().block_hash()
}

fn hex(raw: &[u8]) -> String {
    raw.iter().map(|byte| format!("{byte:02x}")).collect()
}
