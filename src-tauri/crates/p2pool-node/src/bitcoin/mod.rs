//! The Bitcoin service: templates to the driver, blocks to the nodes, their fate back.
//!
//! Work comes from one node and, while that cannot be used, from the reserve; found blocks go to
//! both. No condition of a node ends anything here: each is told, and work goes on when it has
//! passed. Miners keep their work through a short one.

mod blocks;
mod choice;
mod health;
mod link;
mod look_up;
mod payments;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use futures_util::future::select_all;
use p2pool_bitcoind::{Condition, RpcClient};
use p2pool_engine::{BlockOutcome, ChainSummary, Input};
use p2pool_sharechain::change::FoundBlock;
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::{Hash32, ShareHash};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::driver::Control;
use crate::state::{BitcoinDetails, BitcoinState};
use crate::supervise::Tasks;
use choice::Choice;
use health::Health;

pub(crate) use link::NodeLink;

/// Commands under way; the driver keeps what does not fit.
pub(crate) const QUEUE: usize = 64;
/// Work is taken back when no node has given any for this long.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// Between looks at what only time shows.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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

/// What the service is connected to.
#[derive(Debug)]
pub(crate) struct BitcoinLinks {
    pub(crate) chain: Network,
    pub(crate) clock: Clock,
    pub(crate) commands: mpsc::Receiver<BitcoinCommand>,
    pub(crate) driver: mpsc::Sender<Control>,
    pub(crate) summary: watch::Receiver<Arc<ChainSummary>>,
    pub(crate) state: watch::Sender<BitcoinState>,
    pub(crate) details: watch::Sender<Arc<BitcoinDetails>>,
}

/// What readers see of the Bitcoin nodes.
#[derive(Debug)]
pub(crate) struct BitcoinReaders {
    pub(crate) state: watch::Receiver<BitcoinState>,
    pub(crate) details: watch::Receiver<Arc<BitcoinDetails>>,
}

/// The service's state.
#[derive(Debug)]
pub(crate) struct BitcoinService {
    /// The node, then the reserve if there is one.
    nodes: Vec<NodeLink>,
    links: BitcoinLinks,
    choice: Choice,
    health: Health,
    /// The template that the driver has.
    passed: Option<Arc<BlockTemplate>>,
    /// When work is taken back unless a template comes.
    lost_at: Option<Instant>,
    watched: BTreeSet<ShareHash>,
    is_checking: bool,
    /// Blocks without a record that have been asked about.
    searched: BTreeSet<ShareHash>,
    is_searching: bool,
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
    /// A block of the pool that there is no record of.
    Unrecorded(Box<FoundBlock>),
    /// The search for such blocks is over.
    Searched,
}

impl BitcoinService {
    /// `nodes` are the node and perhaps a reserve.
    pub(crate) fn new(nodes: Vec<NodeLink>, links: BitcoinLinks) -> Self {
        Self {
            nodes,
            links,
            choice: Choice::default(),
            health: Health::default(),
            passed: None,
            lost_at: None,
            watched: BTreeSet::new(),
            is_checking: false,
            searched: BTreeSet::new(),
            is_searching: false,
        }
    }

    /// Runs until cancelled. Blocks under way are stored and handed in again at the next start.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let mut jobs = Tasks::under(&token);
        let (found, mut finds) = mpsc::channel(QUEUE);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                () = changed(&mut self.nodes) => {
                    if self.follow().await {
                        self.check_watched(&mut jobs, &found);
                    }
                }
                Some(command) = self.links.commands.recv(), if jobs.len() < QUEUE => {
                    self.start(command, &mut jobs, &found);
                }
                Some(find) = finds.recv() => self.report(find).await,
                _ = jobs.next_ended() => {}
                _ = looks.tick() => {
                    self.follow().await;
                    self.search(&mut jobs, &found);
                }
            }
        }
    }

    /// Passes on what has become of the nodes; says whether there is a new template.
    async fn follow(&mut self) -> bool {
        let now = Instant::now();
        let wall = self.links.clock.now().wall;
        for node in &mut self.nodes {
            node.note(wall);
        }
        let height = |node: &NodeLink| node.template().map(|template| template.height);
        let heights: Vec<Option<u32>> = self.nodes.iter().map(height).collect();
        let reserve = heights.get(1).copied().flatten();
        self.choice.update(now, heights.first().copied().flatten(), reserve);
        let template = self.nodes[self.choice.in_use()].template();
        let own_height = template.as_ref().map(|template| template.height);
        let pool_height = self.links.summary.borrow().pool_next_height;
        let is_behind = self.health.is_behind(now, own_height, pool_height);
        let is_new = match template {
            Some(_) if is_behind => self.wait_for_node(own_height, pool_height).await,
            Some(template) => self.pass(template).await,
            None => self.note_silence(now).await,
        };
        self.show();
        is_new
    }

    /// Gives the driver a template that it has not got yet.
    async fn pass(&mut self, template: Arc<BlockTemplate>) -> bool {
        self.lost_at = None;
        self.set_state(BitcoinState::Ready { tip_height: template.height.saturating_sub(1) });
        let is_known = self.passed.as_ref().is_some_and(|known| Arc::ptr_eq(known, &template));
        if is_known {
            return false;
        }
        self.passed = Some(Arc::clone(&template));
        self.tell(Input::Template(template)).await;
        true
    }

    /// Takes back work that the pool's other members would find worthless.
    async fn wait_for_node(&mut self, own: Option<u32>, pool: Option<u32>) -> bool {
        let reason = format!(
            "the node builds block {}, the pool block {}",
            own.unwrap_or_default(),
            pool.unwrap_or_default()
        );
        self.unavailable(Condition::BehindPool, reason);
        self.take_back().await;
        false
    }

    /// Notes why there is no template, and takes work back if that lasts.
    async fn note_silence(&mut self, now: Instant) -> bool {
        let Some(problem) = self.nodes[self.choice.in_use()].problem().cloned() else {
            return false;
        };
        let state = BitcoinState::Unavailable {
            code: problem.code,
            reason: problem.reason,
            since: self.since().unwrap_or(problem.since),
        };
        self.set_state(state);
        let lost_at = *self.lost_at.get_or_insert(now + SILENCE_MAX);
        if now >= lost_at {
            self.take_back().await;
        }
        false
    }

    async fn take_back(&mut self) {
        if self.passed.take().is_some() {
            self.tell(Input::TemplateLost).await;
        }
    }

    /// Shows the nodes one by one.
    fn show(&self) {
        let in_use = self.choice.in_use();
        let nodes = self.nodes.iter().enumerate();
        let nodes = nodes.map(|(index, node)| node.view(index > 0, index == in_use)).collect();
        let node = &self.nodes[in_use];
        let now = self.links.clock.now().wall;
        let warnings = match (node.template(), node.facts()) {
            (Some(template), Some(facts)) => {
                health::old_tip(self.links.chain, now, &template, &facts).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let details = BitcoinDetails { nodes, warnings };
        self.links.details.send_if_modified(|old| {
            let is_new = **old != details;
            if is_new {
                *old = Arc::new(details);
            }
            is_new
        });
    }

    /// Asks what has become of watched blocks. One walk at a time, one question after the other:
    /// the node has better to do.
    fn check_watched(&mut self, jobs: &mut Tasks, found: &mpsc::Sender<Found>) {
        if self.is_checking || self.watched.is_empty() {
            return;
        }
        self.is_checking = true;
        let watched = self.watched.iter().copied().collect();
        jobs.spawn("block status", blocks::check_all(watched, self.asked(), found.clone()));
    }

    /// Looks for blocks of the pool that there is no record of, while there is a node to ask.
    fn search(&mut self, jobs: &mut Tasks, found: &mpsc::Sender<Found>) {
        if self.is_searching || self.passed.is_none() {
            return;
        }
        let blocks = payments::unrecorded(&self.links.summary.borrow(), &self.searched);
        if blocks.is_empty() {
            return;
        }
        self.is_searching = true;
        self.searched.extend(&blocks);
        jobs.spawn("older blocks", payments::find_all(blocks, self.asked(), found.clone()));
    }

    fn start(&mut self, command: BitcoinCommand, jobs: &mut Tasks, found: &mpsc::Sender<Found>) {
        let found = found.clone();
        match command {
            BitcoinCommand::Submit { hash, raw } => {
                self.watched.insert(hash);
                let nodes = self.nodes.iter().map(|node| node.blocks.clone()).collect();
                let job = blocks::submit(hash, raw, nodes, self.asked(), found);
                jobs.spawn("submit block", job);
            }
            BitcoinCommand::Watch { hash } => {
                self.watched.insert(hash);
                jobs.spawn("block status", blocks::check(hash, self.asked(), found));
            }
            BitcoinCommand::LookUpHeight { block } => {
                let client = self.nodes[self.choice.in_use()].questions.clone();
                jobs.spawn("block height", look_up::height(block, client, found));
            }
            BitcoinCommand::LookUpTip { block } => {
                let client = self.nodes[self.choice.in_use()].questions.clone();
                jobs.spawn("newest block", look_up::header(block, client, found));
            }
            BitcoinCommand::RefreshTemplate => {
                for node in &self.nodes {
                    node.refresh();
                }
            }
        }
    }

    /// Whom to ask, the node in use first.
    fn asked(&self) -> blocks::Asked {
        let mut clients: Vec<RpcClient> =
            self.nodes.iter().map(|node| node.questions.clone()).collect();
        clients.rotate_left(self.choice.in_use());
        clients
    }

    async fn report(&mut self, find: Found) {
        let input = match find {
            Found::Height { block, height } => Input::BlockHeight { block, height },
            Found::Tip { header } => Input::TipHeader { header },
            Found::Unrecorded(block) => Input::PoolBlock(block),
            Found::Searched => {
                self.is_searching = false;
                return;
            }
            Found::AllChecked => {
                self.is_checking = false;
                return;
            }
            Found::Outcome { hash, outcome, is_final } => {
                if is_final {
                    self.watched.remove(&hash);
                }
                Input::BlockOutcome { hash, outcome }
            }
        };
        self.tell(input).await;
    }

    async fn tell(&self, input: Input) {
        // A driver that is gone has ended the node; nobody is left to tell.
        let _ = self.links.driver.send(Control::Engine(input)).await;
    }

    fn unavailable(&self, condition: Condition, reason: String) {
        let since = self.since().unwrap_or_else(|| self.links.clock.now().wall);
        self.set_state(BitcoinState::Unavailable { code: condition.into(), reason, since });
    }

    /// Since when there has been no work.
    fn since(&self) -> Option<p2pool_sharechain::time::UnixTime> {
        match &*self.links.state.borrow() {
            BitcoinState::Unavailable { since, .. } => Some(*since),
            BitcoinState::Connecting | BitcoinState::Ready { .. } => None,
        }
    }

    fn set_state(&self, state: BitcoinState) {
        self.links.state.send_if_modified(|old| {
            let is_new = *old != state;
            *old = state;
            is_new
        });
    }
}

/// Waits for news of any node. Safe to cancel.
async fn changed(nodes: &mut [NodeLink]) {
    select_all(nodes.iter_mut().map(|node| Box::pin(node.changed()))).await;
}

#[cfg(test)]
mod tests;
