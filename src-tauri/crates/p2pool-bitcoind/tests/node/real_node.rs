//! The same against a true Bitcoin node, whose program `BITCOIND_EXE` names.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::{deserialize, encode::serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::{self, OutPoint};
use bitcoin::{
    Amount, Block, Network, ScriptBuf, Sequence, Transaction, TxIn, TxOut, WScriptHash, Witness,
    opcodes,
};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    Auth, RetryPolicy, RpcClient, RpcConfig, SubmitOutcome, TemplateSource, TemplateState, Timings,
    chain_check, submit_block, submit_with_retries,
};
use p2pool_sharechain::template::BlockTemplate;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mining::mine;

/// A regtest node in a folder of its own.
struct Bitcoind {
    process: Child,
    config: RpcConfig,
}

impl Bitcoind {
    /// `None`, and a word about it, if there is no program to run.
    fn start(folder: &Path) -> Option<Self> {
        let Some(program) = std::env::var_os("BITCOIND_EXE") else {
            eprintln!("skipped: no bitcoind");
            return None;
        };
        // The node cannot pick a free port itself; one that was free a moment ago will do.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["-regtest", "-server=1", "-listen=0", "-connect=0", "-printtoconsole=0"])
            .arg(format!("-datadir={}", folder.display()))
            .arg(format!("-rpcport={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("BITCOIND_EXE runs");
        let config = RpcConfig {
            url: format!("http://127.0.0.1:{port}"),
            auth: Auth::Cookie(folder.join("regtest/.cookie")),
            allows_public: false,
        };
        Some(Self { process, config })
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The script that anybody may spend, and the output script that names it.
fn anyones() -> (ScriptBuf, ScriptBuf) {
    let script = Builder::new().push_opcode(opcodes::OP_TRUE).into_script();
    let output = ScriptBuf::new_p2wsh(&WScriptHash::hash(script.as_bytes()));
    (script, output)
}

async fn next(
    states: &mut watch::Receiver<TemplateState>,
    mut is_it: impl FnMut(&BlockTemplate) -> bool,
) -> BlockTemplate {
    let state = states
        .wait_for(|state| matches!(state, TemplateState::Ready(template) if is_it(template)))
        .await
        .expect("the source runs");
    state.template().expect("it is ready").as_ref().clone()
}

/// Spends the generation transaction of `block`, leaving `fee_sats`.
fn spend(block: &[u8], fee_sats: u64) -> Transaction {
    let block: Block = deserialize(block).unwrap();
    let (script, output) = anyones();
    let spent = &block.txdata[0];
    let input = TxIn {
        previous_output: OutPoint { txid: spent.compute_txid(), vout: 0 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[script.as_bytes()]),
    };
    let value = spent.output[0].value - Amount::from_sat(fee_sats);
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![TxOut { value, script_pubkey: output }],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_true_node_takes_our_blocks_and_tells_of_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let Some(node) = Bitcoind::start(folder.path()) else { return };
    let client = RpcClient::new(&node.config).unwrap();
    // Only the long poll may bring news here: the watchdog would hide a broken one.
    let timings = Timings {
        watch: Duration::from_secs(3600),
        retry_max: Duration::from_millis(500),
        ..Timings::default()
    };
    let (source, mut states) =
        TemplateSource::new(&node.config, Network::Regtest, timings).unwrap();
    let cancel = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(source.run(cancel.clone()));

    let mut template = next(&mut states, |template| template.height == 1).await;
    let facts = chain_check(&client, Network::Regtest).await.unwrap();
    assert_eq!((facts.blocks, facts.initial_block_download), (0, true));
    let (_, script) = anyones();
    let mut first = Vec::new();
    for height in 2..=102 {
        let block = mine(&template, template.coinbase_value_sats, &script);
        let outcome = submit_with_retries(&client, &block, RetryPolicy::default()).await;
        assert_eq!(outcome, Ok(SubmitOutcome::Accepted));
        template = next(&mut states, |template| template.height == height).await;
        if height == 2 {
            assert_eq!(submit_block(&client, &block).await, Ok(SubmitOutcome::Duplicate));
            first = block;
        }
    }

    greedy_block_is_refused(&client, &template).await;
    transactions_arrive_with_their_figures(&client, &mut states, &template, &first).await;
    cancel.cancel();
    tasks.join_all().await;
}

async fn greedy_block_is_refused(client: &RpcClient, template: &BlockTemplate) {
    let greedy = mine(template, template.coinbase_value_sats + 1, &anyones().1);
    let refused = SubmitOutcome::Rejected("bad-cb-amount".into());
    assert_eq!(submit_block(client, &greedy).await, Ok(refused));
    assert_eq!(client.best_block_hash().await, Ok(template.previous_block));
}

async fn transactions_arrive_with_their_figures(
    client: &RpcClient,
    states: &mut watch::Receiver<TemplateState>,
    empty: &BlockTemplate,
    first: &[u8],
) {
    let transaction = spend(first, 1000);
    let hex = serialize_hex(&transaction);
    let txid: String = client.call("sendrawtransaction", [hex], Limits::SHORT).await.unwrap();
    assert_eq!(txid, transaction.compute_txid().to_string());

    // The node keeps a template for seconds when only transactions are new, so a block is due.
    let block = mine(empty, empty.coinbase_value_sats, &anyones().1);
    assert_eq!(submit_block(client, &block).await, Ok(SubmitOutcome::Accepted));
    let template = next(states, |template| template.height == empty.height + 1).await;
    assert_eq!(template.coinbase_value_sats, empty.coinbase_value_sats + 1000);
    let [ours] = template.transactions.as_slice() else { panic!("one transaction") };
    assert_eq!(ours.txid, transaction.compute_txid().to_byte_array());
    assert_eq!(ours.wtxid, transaction.compute_wtxid().to_byte_array());
    assert_eq!((ours.fee_sats, u64::from(ours.weight)), (1000, transaction.weight().to_wu()));

    let block = mine(&template, template.coinbase_value_sats, &anyones().1);
    assert_eq!(submit_block(client, &block).await, Ok(SubmitOutcome::Accepted));
}
