//! The Bitcoin service: templates to the driver, blocks to the node, their fate back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    ChainCheckError, RetryPolicy, RpcClient, RpcConfig, RpcError, SourceError, SubmitOutcome,
    TemplateState, submit_with_retries,
};
use p2pool_engine::{BlockOutcome, Input};
use p2pool_sharechain::{Hash32, ShareHash};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::driver::Control;
use crate::state::{BitcoinState, ProblemCode};
use crate::supervise::Tasks;

/// Commands under way; the driver keeps what does not fit.
pub(crate) const QUEUE: usize = 64;
/// A block this deep is not watched any longer.
const WATCH_DEPTH: u32 = 100;
/// Work is taken back when the Bitcoin node has been silent for this long.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// Bitcoin Core's error for blocks it does not know.
const RPC_NOT_FOUND: i32 = -5;

/// What the service is asked to do.
#[derive(Debug)]
pub(crate) enum BitcoinCommand {
    /// Hand in a block until the node answers, then watch it.
    Submit { hash: ShareHash, raw: Arc<[u8]> },
    /// Report what becomes of a block.
    Watch { hash: ShareHash },
    /// Find out a block's height.
    LookUpHeight { block: Hash32 },
    /// Find out the header of the newest block.
    LookUpTip { block: Hash32 },
    /// Ask for a new template at once.
    RefreshTemplate,
}

/// The service's state.
#[derive(Debug)]
pub(crate) struct BitcoinService {
    pub(crate) rpc: RpcConfig,
    pub(crate) clock: Clock,
    pub(crate) templates: watch::Receiver<TemplateState>,
    pub(crate) commands: mpsc::Receiver<BitcoinCommand>,
    pub(crate) driver: mpsc::Sender<Control>,
    pub(crate) state: watch::Sender<BitcoinState>,
}

/// What a job brings back.
#[derive(Debug)]
enum Found {
    /// What became of a block; a final answer ends watching it.
    Outcome {
        hash: ShareHash,
        outcome: BlockOutcome,
        is_final: bool,
    },
    Height {
        block: Hash32,
        height: Option<u32>,
    },
    Tip {
        header: [u8; 80],
    },
    /// All watched blocks have been asked about.
    AllChecked,
}

impl BitcoinService {
    /// Runs until cancelled. Blocks under way are stored and handed in again at the next start.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let client = match RpcClient::new(&self.rpc) {
            Ok(client) => client,
            Err(error) => {
                self.unavailable(ProblemCode::NodeUnreachable, error.to_string());
                return;
            }
        };
        let mut watched = BTreeSet::new();
        let mut jobs = Tasks::under(&token);
        let (found, mut finds) = mpsc::channel(QUEUE);
        let mut lost_at: Option<Instant> = None;
        let mut is_checking = false;
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                Ok(()) = self.templates.changed() => {
                    let is_ready = self.pass_template().await;
                    let deadline = || Instant::now() + SILENCE_MAX;
                    lost_at = (!is_ready).then(|| lost_at.unwrap_or_else(deadline));
                    // One walk at a time, one question after the other: the node has better to do.
                    if !is_checking && !watched.is_empty() {
                        is_checking = true;
                        let blocks = watched.iter().copied().collect();
                        let walk = check_all(blocks, client.clone(), found.clone());
                        jobs.spawn("block status", walk);
                    }
                }
                Some(command) = self.commands.recv(), if jobs.len() < QUEUE => {
                    start(command, &client, &mut jobs, &found, &mut watched);
                }
                Some(find) = finds.recv() => {
                    is_checking &= !matches!(find, Found::AllChecked);
                    self.report(find, &mut watched).await;
                }
                _ = jobs.next_ended() => {}
                () = tokio::time::sleep_until(lost_at.unwrap_or_else(Instant::now)),
                    if lost_at.is_some() =>
                {
                    lost_at = None;
                    self.tell(Input::TemplateLost).await;
                }
            }
        }
    }

    /// Hands the newest template to the driver, or notes why there is none; says whether
    /// there is one.
    async fn pass_template(&mut self) -> bool {
        let state = self.templates.borrow_and_update().clone();
        match state {
            TemplateState::Starting => true,
            TemplateState::Ready(template) => {
                let tip_height = template.height.saturating_sub(1);
                self.set_state(BitcoinState::Ready { tip_height });
                self.tell(Input::Template(template)).await;
                true
            }
            TemplateState::Unavailable { error, .. } => {
                self.unavailable(code_of(&error), error.to_string());
                false
            }
        }
    }

    async fn report(&self, find: Found, watched: &mut BTreeSet<ShareHash>) {
        let input = match find {
            Found::Height { block, height } => Input::BlockHeight { block, height },
            Found::Tip { header } => Input::TipHeader { header },
            Found::AllChecked => return,
            Found::Outcome { hash, outcome, is_final } => {
                if is_final {
                    watched.remove(&hash);
                }
                Input::BlockOutcome { hash, outcome }
            }
        };
        self.tell(input).await;
    }

    async fn tell(&self, input: Input) {
        // A driver that is gone has ended the node; nobody is left to tell.
        let _ = self.driver.send(Control::Engine(input)).await;
    }

    fn unavailable(&self, code: ProblemCode, reason: String) {
        let since = match &*self.state.borrow() {
            BitcoinState::Unavailable { since, .. } => *since,
            BitcoinState::Connecting | BitcoinState::Ready { .. } => self.clock.now().wall,
        };
        self.set_state(BitcoinState::Unavailable { code, reason, since });
    }

    fn set_state(&self, state: BitcoinState) {
        self.state.send_if_modified(|old| {
            let is_new = *old != state;
            *old = state;
            is_new
        });
    }
}

fn start(
    command: BitcoinCommand,
    client: &RpcClient,
    jobs: &mut Tasks,
    found: &mpsc::Sender<Found>,
    watched: &mut BTreeSet<ShareHash>,
) {
    let (client, found) = (client.clone(), found.clone());
    match command {
        BitcoinCommand::Submit { hash, raw } => {
            watched.insert(hash);
            jobs.spawn("submit block", submit(hash, raw, client, found));
        }
        BitcoinCommand::Watch { hash } => {
            watched.insert(hash);
            jobs.spawn("block status", check(hash, client, found));
        }
        BitcoinCommand::LookUpHeight { block } => {
            jobs.spawn("block height", async move {
                let height = match client.block_header(BlockHash::from_byte_array(block)).await {
                    Ok(header) => Some(header.height),
                    Err(RpcError::Rpc { code: RPC_NOT_FOUND, .. }) => None,
                    // Asked again by the next selection that needs it.
                    Err(_) => return,
                };
                // Nobody listens only when the node is stopping.
                let _ = found.send(Found::Height { block, height }).await;
            });
        }
        BitcoinCommand::LookUpTip { block } => {
            jobs.spawn("newest block", async move {
                if let Some(header) = header(block, &client).await {
                    // Nobody listens only when the node is stopping.
                    let _ = found.send(Found::Tip { header }).await;
                }
            });
        }
        // The template's source looks for a newer tip every few seconds anyway.
        BitcoinCommand::RefreshTemplate => {}
    }
}

/// Hands in a block until the node answers; a block that stays unanswered stays in storage as
/// being submitted, and is handed in again at the next start.
async fn submit(hash: ShareHash, raw: Arc<[u8]>, client: RpcClient, found: mpsc::Sender<Found>) {
    loop {
        match submit_with_retries(&client, &raw, RetryPolicy::default()).await {
            Ok(SubmitOutcome::Rejected(reason)) => {
                let outcome = BlockOutcome::Rejected { reason };
                let _ = found.send(Found::Outcome { hash, outcome, is_final: true }).await;
                return;
            }
            Ok(
                SubmitOutcome::Accepted | SubmitOutcome::Duplicate | SubmitOutcome::Inconclusive,
            ) => {
                return check(hash, client, found).await;
            }
            Err(error) => tracing::warn!(%hash, %error, "block not handed in yet"),
        }
    }
}

/// Reports where a block stands, if the node knows it.
async fn check(hash: ShareHash, client: RpcClient, found: mpsc::Sender<Found>) {
    let Ok(header) = client.block_header(hash.to_block_hash()).await else { return };
    let (outcome, depth) = match u32::try_from(header.confirmations) {
        Ok(confirmations) => (BlockOutcome::Accepted { confirmations }, confirmations),
        Err(_) => {
            let tip = client.blockchain_info().await.map_or(header.height, |info| info.blocks);
            (BlockOutcome::Replaced, tip.saturating_sub(header.height))
        }
    };
    let is_final = depth >= WATCH_DEPTH;
    // Nobody listens only when the node is stopping.
    let _ = found.send(Found::Outcome { hash, outcome, is_final }).await;
}

/// Asks about one block after the other.
async fn check_all(blocks: Vec<ShareHash>, client: RpcClient, found: mpsc::Sender<Found>) {
    for hash in blocks {
        check(hash, client.clone(), found.clone()).await;
    }
    // Nobody listens only when the node is stopping.
    let _ = found.send(Found::AllChecked).await;
}

/// The header of a block, as its 80 bytes.
async fn header(block: Hash32, client: &RpcClient) -> Option<[u8; 80]> {
    let hash = BlockHash::from_byte_array(block).to_string();
    let text: String = client.call("getblockheader", (hash, false), Limits::SHORT).await.ok()?;
    FromHex::from_hex(&text).ok()
}

fn code_of(error: &SourceError) -> ProblemCode {
    match error {
        SourceError::Node(ChainCheckError::WrongChain { .. }) => ProblemCode::NodeChain,
        SourceError::Node(ChainCheckError::Rpc(error)) | SourceError::Rpc(error) => match error {
            RpcError::Unauthorized | RpcError::CookieMissing { .. } => ProblemCode::NodeLogin,
            RpcError::Timeout { .. } | RpcError::Overloaded => ProblemCode::NodeSlow,
            RpcError::WarmUp(_) => ProblemCode::NodeStarting,
            RpcError::Rpc { .. } => ProblemCode::NodeTemplate,
            RpcError::Unreachable { .. }
            | RpcError::CookieUnreadable { .. }
            | RpcError::Forbidden
            | RpcError::BodyTooLong { .. }
            | RpcError::BadReply { .. }
            | _ => ProblemCode::NodeUnreachable,
        },
        SourceError::Node(_) | SourceError::Template(_) | SourceError::Behind { .. } | _ => {
            ProblemCode::NodeTemplate
        }
    }
}
