//! The newest block template, always: long poll, watchdog, reconnection.
//!
//! A long poll stands open on a connection of its own and is answered when the tip or the
//! transactions change; its answer is the template itself. Beside it a watchdog asks for the best
//! block every few seconds and for a fresh template twice a minute, so that neither a lost long
//! poll nor a silent node goes unnoticed. A node that keeps the long poll waiting is not
//! disturbed: it would go on serving the abandoned request until the next block. Where the node
//! publishes its blocks by ZMQ, a message only makes the watchdog ask at once.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::{BlockHash, Network};
use p2pool_sharechain::template::BlockTemplate;
use serde::Deserialize;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::backoff::Backoff;
use crate::chain_check::{ChainCheckError, NodeFacts, chain_check};
use crate::condition::Condition;
use crate::error::{RpcError, code};
use crate::model::TemplateAnswer;
use crate::rpc::{BadUrl, Limits, Reply, RpcClient, RpcConfig, bad_reply};
use crate::template::{self, ParseTemplateError};
use crate::zmq;

/// Slow answers of the watchdog's question that are overlooked one after the other.
const SLOW_ANSWERS_MAX: u32 = 2;

/// What is known of the next block.
#[derive(Clone, Debug)]
pub enum TemplateState {
    /// Nothing yet.
    Starting,
    /// The newest template.
    Ready(Arc<BlockTemplate>),
    /// The node gives none at present.
    Unavailable {
        /// Why.
        error: Arc<SourceError>,
        /// The newest one before that.
        last: Option<Arc<BlockTemplate>>,
    },
}

impl TemplateState {
    /// The newest template, even if the node has gone silent since.
    pub fn template(&self) -> Option<&Arc<BlockTemplate>> {
        match self {
            Self::Starting => None,
            Self::Ready(template) => Some(template),
            Self::Unavailable { last, .. } => last.as_ref(),
        }
    }
}

/// Why there is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The node is not one for us.
    #[error(transparent)]
    Node(#[from] ChainCheckError),
    /// A call failed.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] ParseTemplateError),
    /// The node is still fetching the chain.
    #[error("the Bitcoin node has {blocks} of {headers} blocks and is still fetching the chain")]
    Syncing {
        /// Blocks that it has verified.
        blocks: u32,
        /// Blocks that it knows of.
        headers: u32,
        /// How much of the work is done, in thousandths.
        permille: u32,
    },
    /// The node came back with an older chain; it gets a minute to catch up.
    #[error("the Bitcoin node builds block {height}, although block {known} was under way")]
    Behind {
        /// Height of its template.
        height: u32,
        /// Height of our newest one.
        known: u32,
    },
}

impl SourceError {
    /// The error in terms of the catalogue.
    pub fn condition(&self) -> Condition {
        self.into()
    }
}

/// Waits of the template loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Between the watchdog's questions.
    pub watch: Duration,
    /// Between templates when nothing happens; keeps time and fees current.
    pub refresh: Duration,
    /// Longest wait for a long poll. The node does not notice when we hang up, so this is long.
    pub long_poll: Duration,
    /// Between long polls if the node answers at once and with nothing new.
    pub pause: Duration,
    /// First wait after a failure; doubles.
    pub retry_first: Duration,
    /// Longest wait after a failure.
    pub retry_max: Duration,
    /// Longest wait while nobody is there: asking costs nothing then, and miners wait.
    pub absent_max: Duration,
    /// Wait while the node starts.
    pub warm_up: Duration,
    /// How long a node may be behind its own former tip before we follow it back.
    pub behind: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            watch: Duration::from_secs(5),
            refresh: Duration::from_secs(30),
            long_poll: Duration::from_secs(30 * 60),
            pause: Duration::from_secs(1),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(10),
            absent_max: Duration::from_secs(1),
            warm_up: Duration::from_millis(500),
            behind: Duration::from_secs(60),
        }
    }
}

/// Follows one Bitcoin node's tip.
#[derive(Debug)]
pub struct TemplateSource {
    fetcher: Fetcher,
    publisher: Publisher,
    timings: Timings,
}

/// The calls.
#[derive(Debug)]
struct Fetcher {
    main: RpcClient,
    long_poll: RpcClient,
    network: Network,
    timings: Timings,
    /// What the node last said about itself.
    facts: watch::Sender<Option<Arc<NodeFacts>>>,
    /// Somebody has reason to believe in a new tip.
    refresh: Arc<Notify>,
    /// Header time of the newest parent asked for.
    parent_time: Mutex<Option<(BlockHash, u32)>>,
}

/// A template and the id to wait for the next one with.
#[derive(Clone, Debug)]
struct Fetched {
    longpollid: String,
    template: Arc<BlockTemplate>,
}

/// The two fields that lead to the parent's time.
#[derive(Deserialize)]
struct Parent {
    previousblockhash: String,
    height: u32,
}

impl TemplateSource {
    /// Prepares to follow a node; nothing is sent before [`run`](Self::run).
    ///
    /// # Errors
    /// A URL that is not `http://host:port`.
    pub fn new(
        config: &RpcConfig,
        network: Network,
        timings: Timings,
    ) -> Result<(Self, watch::Receiver<TemplateState>), BadUrl> {
        let (sender, receiver) = watch::channel(TemplateState::Starting);
        let fetcher = Fetcher {
            main: RpcClient::new(config)?,
            long_poll: RpcClient::new(config)?,
            network,
            timings,
            facts: watch::Sender::new(None),
            refresh: Arc::default(),
            parent_time: Mutex::new(None),
        };
        let publisher = Publisher { sender, behind_since: None, behind_max: timings.behind };
        Ok((Self { fetcher, publisher, timings }, receiver))
    }

    /// What the node last said about itself, while it was reachable; renewed with the template.
    pub fn facts(&self) -> watch::Receiver<Option<Arc<NodeFacts>>> {
        self.fetcher.facts.subscribe()
    }

    /// Whoever notifies it makes the source ask for a new template at once, if the tip is new.
    pub fn refresher(&self) -> Arc<Notify> {
        Arc::clone(&self.fetcher.refresh)
    }

    /// Follows the node until cancelled. Never gives up.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut backoff = Backoff::new(self.timings.retry_first, self.timings.retry_max);
        loop {
            let followed = self.follow(&mut backoff);
            let error = tokio::select! {
                () = cancel.cancelled() => return,
                ended = followed => match ended {
                    Err(error) => error,
                    Ok(never) => match never {},
                },
            };
            let condition = error.condition();
            let mut wait = backoff.next_wait();
            if condition == Condition::Starting {
                wait = self.timings.warm_up;
            } else if condition == Condition::Unreachable {
                wait = wait.min(self.timings.absent_max);
            }
            self.publisher.fail(&error);
            tokio::select! {
                () = cancel.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// Publishes templates until something fails.
    async fn follow(&mut self, backoff: &mut Backoff) -> Result<Infallible, SourceError> {
        let Self { fetcher, publisher, timings } = self;
        fetcher.check_node().await?;
        let first = fetcher.fresh().await?;
        backoff.reset();
        publisher.publish(&first.template);
        tokio::select! {
            ended = Self::go_on(fetcher, publisher, *timings, first) => ended,
            never = zmq::listen(&fetcher.main, &fetcher.refresh) => match never {},
        }
    }

    /// Publishes the templates after the first one.
    async fn go_on(
        fetcher: &Fetcher,
        publisher: &mut Publisher,
        timings: Timings,
        first: Fetched,
    ) -> Result<Infallible, SourceError> {
        let mut current = first;
        loop {
            let asked = current.clone();
            let mut long_poll = pin!(fetcher.long_poll(asked.longpollid.clone()));
            // A long poll that does not return although its tip is gone is dead.
            let mut is_overdue = false;
            loop {
                tokio::select! {
                    answer = &mut long_poll => {
                        current = answer?;
                        publisher.publish(&current.template);
                        if current.longpollid == asked.longpollid {
                            sleep(timings.pause).await;
                        }
                        break;
                    }
                    fresh = fetcher.watch(current.template.previous_block) => {
                        current = fresh?;
                        publisher.publish(&current.template);
                        if current.template.previous_block != asked.template.previous_block {
                            if is_overdue {
                                debug!("the long poll is dead");
                                break;
                            }
                            is_overdue = true;
                        }
                    }
                }
            }
        }
    }
}

impl Fetcher {
    /// Asks the node what it is, and notes the answer.
    async fn check_node(&self) -> Result<(), SourceError> {
        let mut facts = chain_check(&self.main, self.network).await?;
        if facts.tip_time.is_none()
            && let Ok(best) = self.main.best_block_hash().await
        {
            facts.tip_time = self.main.block_header(best).await.ok().map(|header| header.time);
        }
        let syncing = syncing(&facts, self.network);
        self.facts.send_replace(Some(Arc::new(facts)));
        syncing.map_or(Ok(()), Err)
    }

    /// The template as it is now.
    async fn fresh(&self) -> Result<Fetched, SourceError> {
        self.fetch(&self.main, None, Limits::BLOCK).await
    }

    /// The first template that is newer than the one with this id.
    async fn long_poll(&self, longpollid: String) -> Result<Fetched, SourceError> {
        let limits = Limits { timeout: self.timings.long_poll, ..Limits::BLOCK };
        match self.fetch(&self.long_poll, Some(longpollid), limits).await {
            Err(SourceError::Rpc(RpcError::Timeout { .. })) => self.fresh().await,
            // The node has gone, and what is there now may be on another chain.
            Err(SourceError::Rpc(RpcError::Unreachable { .. } | RpcError::Unauthorized)) => {
                self.check_node().await?;
                self.fresh().await
            }
            outcome => outcome,
        }
    }

    /// The next template that is due without the long poll: the tip is not `known` any more, or
    /// time is up.
    async fn watch(&self, known: BlockHash) -> Result<Fetched, SourceError> {
        let started = Instant::now();
        let mut slow_answers = 0;
        loop {
            tokio::select! {
                () = sleep(self.timings.watch) => {}
                () = self.refresh.notified() => {}
            }
            let moved = match self.main.best_block_hash().await {
                Ok(best) => {
                    slow_answers = 0;
                    best != known
                }
                Err(RpcError::Timeout { .. } | RpcError::Overloaded)
                    if slow_answers < SLOW_ANSWERS_MAX =>
                {
                    slow_answers += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if moved {
                return self.fresh().await;
            }
            if started.elapsed() >= self.timings.refresh {
                self.check_node().await?;
                return self.fresh().await;
            }
        }
    }

    async fn fetch(
        &self,
        client: &RpcClient,
        longpollid: Option<String>,
        limits: Limits,
    ) -> Result<Fetched, SourceError> {
        let is_long_poll = longpollid.is_some();
        let request = [template::request(self.network, longpollid)];
        let reply = if is_long_poll {
            client.call_raw_once("getblocktemplate", request, limits).await
        } else {
            client.call_raw("getblocktemplate", request, limits).await
        };
        let reply = reply.map_err(|error| self.explain(error))?;
        let parent_time = self.parent_time(&reply).await?;
        let network = self.network;
        // Millions of hex digits: too long for a thread that serves sockets.
        let parsed =
            tokio::task::spawn_blocking(move || read_template(&reply, network, parent_time)).await;
        match parsed {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(stopped) => Err(bad_reply("getblocktemplate", &stopped.to_string()).into()),
            },
        }
    }

    /// A node that has no template while it fetches the chain says how far it is.
    fn explain(&self, error: RpcError) -> SourceError {
        match (&error, &*self.facts.borrow()) {
            (RpcError::Rpc { code: code::IN_INITIAL_DOWNLOAD, .. }, Some(facts)) => progress(facts),
            _ => error.into(),
        }
    }

    /// Header time of the block that the template builds on, where the network's rules need it.
    async fn parent_time(&self, reply: &Reply) -> Result<Option<u32>, SourceError> {
        // Any height that is not the first of a period tells whether the network has the rule.
        if !template::needs_parent_time(self.network, 1) {
            return Ok(None);
        }
        let parent: Parent = reply.result()?;
        if !template::needs_parent_time(self.network, parent.height) {
            return Ok(None);
        }
        let hash: BlockHash = parent
            .previousblockhash
            .parse()
            .map_err(|_| bad_reply("getblocktemplate", "previousblockhash is not a hash"))?;
        let known = *self.lock_parent_time();
        if let Some((_, time)) = known.filter(|(known, _)| *known == hash) {
            return Ok(Some(time));
        }
        let time = self.main.block_header(hash).await?.time;
        *self.lock_parent_time() = Some((hash, time));
        Ok(Some(time))
    }

    fn lock_parent_time(&self) -> std::sync::MutexGuard<'_, Option<(BlockHash, u32)>> {
        // A pair that is replaced as a whole cannot be left half-written.
        self.parent_time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no use in asking a node for templates that has not got the chain yet.
///
/// On the live network the node refuses by itself, and says if it is because nobody is there. On public test networks it does not, and the
/// blocks it would have us find are long gone; private chains may look like this for good.
fn syncing(facts: &NodeFacts, network: Network) -> Option<SourceError> {
    let is_behind = match network {
        Network::Bitcoin => facts.initial_block_download && facts.connections > 0,
        Network::Testnet | Network::Testnet4 => facts.initial_block_download,
        Network::Signet => facts.initial_block_download && facts.blocks < facts.headers,
        Network::Regtest => false,
    };
    is_behind.then(|| progress(facts))
}

fn progress(facts: &NodeFacts) -> SourceError {
    let part = facts.verification_progress.clamp(0.0, 1.0);
    // Between 0 and 1000.
    let permille = (part * 1000.0) as u32;
    SourceError::Syncing { blocks: facts.blocks, headers: facts.headers, permille }
}

fn read_template(
    reply: &Reply,
    network: Network,
    parent_time: Option<u32>,
) -> Result<Fetched, SourceError> {
    let answer: TemplateAnswer<'_> = reply.result()?;
    let template = Arc::new(template::parse(&answer, network, parent_time)?);
    Ok(Fetched { longpollid: answer.longpollid, template })
}

/// The receivers' view.
#[derive(Debug)]
struct Publisher {
    sender: watch::Sender<TemplateState>,
    /// Since when the node is behind what it once had.
    behind_since: Option<Instant>,
    behind_max: Duration,
}

impl Publisher {
    fn publish(&mut self, template: &Arc<BlockTemplate>) {
        let (known, was_unavailable) = {
            let state = self.sender.borrow();
            let known = state.template().map(|known| known.height);
            (known, matches!(*state, TemplateState::Unavailable { .. }))
        };
        let height = template.height;
        if let Some(known) = known.filter(|known| *known > height) {
            let since = *self.behind_since.get_or_insert_with(Instant::now);
            if since.elapsed() < self.behind_max {
                return self.fail(&SourceError::Behind { height, known });
            }
        }
        self.behind_since = None;
        if was_unavailable {
            info!(height, "the Bitcoin node gives templates again");
        }
        self.sender.send_replace(TemplateState::Ready(Arc::clone(template)));
    }

    fn fail(&self, error: &SourceError) {
        self.sender.send_if_modified(|state| {
            if let TemplateState::Unavailable { error: known, .. } = state
                && **known == *error
            {
                return false;
            }
            let is_known = matches!(state, TemplateState::Unavailable { error: known, .. }
                if known.condition() == error.condition());
            if is_known {
                debug!(%error, "still no template from the Bitcoin node");
            } else {
                warn!(%error, "no template from the Bitcoin node");
            }
            let last = state.template().cloned();
            *state = TemplateState::Unavailable { error: Arc::new(error.clone()), last };
            true
        });
    }
}
