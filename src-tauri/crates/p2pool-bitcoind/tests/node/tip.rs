//! Following a scripted node's tip.

use std::sync::Arc;
use std::time::Duration;

use crate::scripted_node::{Answer, LONG_POLL, ScriptedNode, hash, template};
use bitcoin::Network;
use p2pool_bitcoind::{
    ChainCheckError, RpcError, SourceError, TemplateSource, TemplateState, Timings,
};
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Long waits that no test wants to see the end of.
const NEVER: Duration = Duration::from_secs(3600);

/// Nothing but the long poll does anything.
pub(crate) const QUIET: Timings = Timings {
    watch: NEVER,
    refresh: NEVER,
    long_poll: NEVER,
    pause: Duration::from_millis(1),
    retry_first: Duration::from_millis(1),
    retry_max: Duration::from_millis(2),
    absent_max: Duration::from_millis(2),
    warm_up: Duration::from_millis(1),
    behind: NEVER,
};

/// Runs a source as long as it lives.
pub(crate) struct Following {
    states: watch::Receiver<TemplateState>,
    pub(crate) cancel: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

impl Following {
    pub(crate) fn start(node: &ScriptedNode, network: Network, timings: Timings) -> Self {
        let (source, states) = TemplateSource::new(&node.config(), network, timings).unwrap();
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(source.run(cancel.clone()));
        Self { states, cancel, tasks }
    }

    /// Waits for a state; states may be skipped, as by any receiver.
    async fn until(&mut self, is_it: impl FnMut(&TemplateState) -> bool) -> TemplateState {
        self.states.wait_for(is_it).await.expect("the source runs").clone()
    }

    pub(crate) async fn until_height(&mut self, height: u32) {
        self.until(|state| matches!(state, TemplateState::Ready(t) if t.height == height)).await;
    }

    async fn until_error(&mut self, error: &SourceError) -> TemplateState {
        self.until(
            |state| matches!(state, TemplateState::Unavailable { error: now, .. } if **now == *error),
        )
        .await
    }
}

pub(crate) fn ready(height: u32) -> Answer {
    Answer::Result(template(height))
}

#[tokio::test]
async fn first_template_comes_at_once_and_the_next_by_long_poll() {
    let node = ScriptedNode::start("main").await;
    let block = Arc::new(Notify::new());
    node.on("getblocktemplate", [ready(10)]);
    node.on(LONG_POLL, [Answer::After(block.clone(), Box::new(ready(11))), Answer::Silence]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    following.until_height(10).await;
    block.notify_one();
    following.until_height(11).await;

    assert_eq!(node.calls("getblocktemplate"), [json!([{"rules": ["segwit"]}])]);
    let id = format!("{}1", hash(9));
    assert_eq!(node.calls(LONG_POLL)[0], json!([{"rules": ["segwit"], "longpollid": id}]));
    following.cancel.cancel();
    following.tasks.join_all().await;
}

#[tokio::test]
async fn a_starting_node_is_waited_for() {
    let node = ScriptedNode::start("main").await;
    let warm_up = Answer::Error(-28, "Loading block index…");
    node.on("getblocktemplate", [warm_up.clone()]);
    node.on(LONG_POLL, [Answer::Silence]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    let error = SourceError::Rpc(RpcError::WarmUp("Loading block index…".into()));
    assert!(following.until_error(&error).await.template().is_none());
    node.on("getblocktemplate", [ready(10)]);
    following.until_height(10).await;
}

#[tokio::test]
async fn no_work_from_the_wrong_chain() {
    let node = ScriptedNode::start("test").await;
    node.on("getblocktemplate", [ready(10)]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    let wrong = ChainCheckError::WrongChain { expected: Network::Bitcoin, found: "test".into() };
    following.until_error(&SourceError::Node(wrong)).await;
    assert!(node.calls("getblocktemplate").is_empty());
}

#[tokio::test]
async fn no_work_from_a_template_that_we_do_not_understand() {
    let node = ScriptedNode::start("main").await;
    let mut odd = template(10);
    odd["rules"] = json!(["!segwit", "!covenants"]);
    node.on("getblocktemplate", [Answer::Result(odd)]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    following
        .until(|state| {
            matches!(state, TemplateState::Unavailable { error, .. }
                if matches!(**error, SourceError::Template(_)))
        })
        .await;
}

#[tokio::test]
async fn the_watchdog_outlives_a_dead_long_poll() {
    let node = ScriptedNode::start("main").await;
    node.on("getblocktemplate", [ready(10), ready(11), ready(12)]);
    node.on(LONG_POLL, [Answer::Silence]);
    node.on("getbestblockhash", [10, 11].map(|number| Answer::Result(json!(hash(number)))));
    let timings = Timings { watch: Duration::from_millis(1), ..QUIET };
    let mut following = Following::start(&node, Network::Bitcoin, timings);
    following.until_height(12).await;
    // Twice the tip moved under the long poll: a new one is made.
    while node.calls(LONG_POLL).len() < 2 {
        tokio::task::yield_now().await;
    }
    let ids: Vec<_> =
        node.calls(LONG_POLL).iter().map(|call| call[0]["longpollid"].clone()).collect();
    assert_eq!(ids[0], format!("{}1", hash(9)));
    assert_eq!(ids[1], format!("{}1", hash(11)));
}

#[tokio::test]
async fn templates_are_refreshed_without_disturbing_the_long_poll() {
    let node = ScriptedNode::start("main").await;
    let mut later = template(10);
    later["curtime"] = json!(1_790_000_130);
    node.on("getblocktemplate", [ready(10), Answer::Result(later)]);
    node.on(LONG_POLL, [Answer::Silence]);
    node.on("getbestblockhash", [Answer::Result(json!(hash(9)))]);
    let timings =
        Timings { watch: Duration::from_millis(1), refresh: Duration::from_millis(2), ..QUIET };
    let mut following = Following::start(&node, Network::Bitcoin, timings);
    following
        .until(|state| matches!(state, TemplateState::Ready(t) if t.current_time == 1_790_000_130))
        .await;
    assert_eq!(node.calls(LONG_POLL).len(), 1);
}

#[tokio::test]
async fn a_silent_node_leaves_the_last_template_behind() {
    let node = ScriptedNode::start("main").await;
    node.on("getblocktemplate", [ready(10)]);
    node.on(LONG_POLL, [Answer::Silence]);
    node.on("getbestblockhash", [Answer::Status(403, "")]);
    let timings = Timings { watch: Duration::from_millis(1), ..QUIET };
    let mut following = Following::start(&node, Network::Bitcoin, timings);
    let state = following.until_error(&SourceError::Rpc(RpcError::Forbidden)).await;
    assert_eq!(state.template().map(|template| template.height), Some(10));
}

#[tokio::test]
async fn a_node_that_lost_blocks_is_not_followed_at_once() {
    let node = ScriptedNode::start("main").await;
    node.on("getblocktemplate", [ready(10)]);
    let unclean_stop = Arc::new(Notify::new());
    let end = Answer::After(unclean_stop.clone(), Box::new(Answer::Status(403, "")));
    node.on(LONG_POLL, [end, Answer::Silence]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    following.until_height(10).await;
    node.on("getblocktemplate", [ready(9)]);
    unclean_stop.notify_one();
    let state = following.until_error(&SourceError::Behind { height: 9, known: 10 }).await;
    assert_eq!(state.template().map(|template| template.height), Some(10));
}

#[tokio::test]
async fn a_node_that_stays_behind_is_followed_in_the_end() {
    let node = ScriptedNode::start("main").await;
    node.on("getblocktemplate", [ready(10), ready(9)]);
    node.on(LONG_POLL, [Answer::Silence]);
    node.on("getbestblockhash", [Answer::Result(json!(hash(9))), Answer::Result(json!(hash(8)))]);
    let short = Duration::from_millis(1);
    let timings = Timings { watch: short, refresh: short, behind: 20 * short, ..QUIET };
    let mut following = Following::start(&node, Network::Bitcoin, timings);
    following.until_height(9).await;
}

#[tokio::test]
async fn on_testnet4_the_parents_time_is_asked_once_per_block() {
    let node = ScriptedNode::start("testnet4").await;
    let mut hard = template(10);
    hard["bits"] = json!("1c00ffff");
    hard["target"] = json!("0000000000ffff00000000000000000000000000000000000000000000000000");
    node.on("getblocktemplate", [Answer::Result(hard.clone())]);
    hard["longpollid"] = json!("other");
    hard["curtime"] = json!(1_790_000_101);
    node.on(LONG_POLL, [Answer::Result(hard), Answer::Silence]);
    let parent = json!({
        "hash": hash(9), "confirmations": 1, "height": 9, "version": 1, "merkleroot": hash(5),
        "time": 1_790_000_050, "mediantime": 1_789_000_000, "nonce": 0, "bits": "1c00ffff",
        "difficulty": 256.0, "nTx": 1
    });
    node.on("getblockheader", [Answer::Result(parent)]);
    let mut following = Following::start(&node, Network::Testnet4, QUIET);
    let state = following
        .until(|state| matches!(state, TemplateState::Ready(t) if t.current_time == 1_790_000_101))
        .await;
    assert_eq!(state.template().unwrap().max_time, Some(1_790_001_250));
    assert_eq!(node.calls("getblockheader"), [json!([hash(9), true])]);
}

#[tokio::test]
async fn cancelling_ends_it_even_in_a_long_poll() {
    let node = ScriptedNode::start("main").await;
    node.on("getblocktemplate", [ready(10)]);
    node.on(LONG_POLL, [Answer::Silence]);
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    following.until_height(10).await;
    following.cancel.cancel();
    following.tasks.join_all().await;
}
