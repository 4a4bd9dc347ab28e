//! The node's decisions, as a pure state machine.
//!
//! ```text
//! engine.handle(now, input);                  // one fact about the outside world
//! while let Some(output) = engine.poll() {    // drained to empty before the next fact
//!     carry_out(output);
//! }
//! ```
//!
//! No sockets, no clock, no disk, no threads: a whole network of engines runs in one test, on
//! virtual time, from one seed. What it is not: a place for bytes; messages arrive typed and
//! their shares have passed the standalone check.
//!
//! *Invariant:* one step takes at most a few milliseconds, whatever arrives; the same inputs
//! and seed give the same outputs.
#![forbid(unsafe_code)]
#![deny(clippy::iter_over_hash_type)]

mod block_relay;
mod chain;
mod input;
mod inspect;
mod intake;
mod mining;
mod outbox;
mod output;
mod peers;
mod progress;
mod relay;
mod rounds;
mod served;
mod snapshot;
mod split;
mod sync;
mod tip;
mod wants;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::best::{BlockHeights, BlockSolutionRule, Selector};
use p2pool_sharechain::change::ChangeSet;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{Params, ShareHash, Tracker};

use crate::intake::Arrival;

pub use crate::input::{BlockOutcome, Input, Loaded, LoadedShare, PeerId, RequestId, Solved};
pub use crate::inspect::{Announces, ShareDetails, TreeShare};
pub use crate::output::{DropReason, Event, Output};
pub use crate::progress::{SyncProgress, WhyNoWork};
pub use crate::served::Served;
pub use crate::snapshot::{ChainSummary, PoolBlock, WindowShare};

/// Contextual checks in one step.
const VERIFY_PER_STEP: usize = 16;
/// Selection and pruning run at least this often.
const CLEAN_EVERY: Duration = Duration::from_secs(5);

/// What an engine is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The share-chain network.
    pub params: Arc<Params>,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Address text that own work pays; used to tell own shares and payouts apart.
    pub payout_address: Vec<u8>,
    /// Donation of own shares, in 65535ths.
    pub donation: u16,
    /// Text in the scriptSig of own blocks; cut to what fits.
    pub coinbase_text: Vec<u8>,
    /// Shares are announced by their hashes to every peer that understands it, instead of sent.
    pub low_bandwidth: bool,
}

/// The node's brain. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    tracker: Tracker,
    served: Served,
    selector: Selector,
    heights: BlockHeights,
    best: Option<ShareHash>,
    /// Heads in the order of the last selection, best last.
    heads: Vec<ShareHash>,
    peers: peers::Peers,
    intake: intake::Intake,
    wants: wants::Wants,
    requests: sync::Requests,
    catch_up: progress::CatchUp,
    work: mining::Work,
    outbox: outbox::Outbox,
    repeats: relay::Repeats,
    block_relay: block_relay::BlockRelay,
    tip: tip::Tip,
    rng: fastrand::Rng,
    changes: ChangeSet,
    next_sequence: u64,
    outputs: VecDeque<Output>,
    /// Whether selection has something to do.
    is_unsettled: bool,
    /// Shares of types that this program does not know, by type.
    unknown: BTreeMap<u64, u64>,
    refusals: split::Refusals,
    next_clean: MonoTime,
}

impl Engine {
    /// Knows nothing yet.
    pub fn new(config: Config) -> Self {
        let mut rng = fastrand::Rng::with_seed(config.seed);
        Self {
            tracker: Tracker::new(Arc::clone(&config.params), rng.u64(..)),
            peers: peers::Peers::new(config.params.share_period),
            config,
            served: Served::default(),
            selector: Selector::new(BlockSolutionRule::Hardened),
            heights: BlockHeights::new(),
            best: None,
            heads: Vec::new(),
            intake: intake::Intake::default(),
            wants: wants::Wants::default(),
            requests: sync::Requests::default(),
            catch_up: progress::CatchUp::default(),
            work: mining::Work::default(),
            outbox: outbox::Outbox::default(),
            repeats: relay::Repeats::default(),
            block_relay: block_relay::BlockRelay::default(),
            tip: tip::Tip::default(),
            rng,
            changes: ChangeSet::default(),
            next_sequence: 1,
            outputs: VecDeque::new(),
            is_unsettled: false,
            unknown: BTreeMap::new(),
            refusals: split::Refusals::default(),
            next_clean: MonoTime::ZERO,
        }
    }

    /// Takes in one fact. Afterwards [`Engine::poll`] must be called until it returns `None`.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Load(loaded) => self.load(now, *loaded),
            Input::PeerJoined { peer, best_share, services } => {
                self.peer_joined(now, peer, best_share, services);
            }
            Input::PeerLeft { peer } => self.peer_left(peer),
            Input::Shares { peer, .. }
            | Input::ShareReply { peer, .. }
            | Input::ShareHashes { peer, .. }
            | Input::BestBlock { peer, .. }
            | Input::CompactBlock { peer, .. }
            | Input::GetBlockTxn { peer, .. }
            | Input::BlockTxn { peer, .. }
                if self.peers.is_dismissed(peer) => {}
            Input::Shares { peer, shares } => self.take_in(now, Arrival::Pushed(peer), shares),
            Input::ShareHashes { peer, hashes } => self.share_hashes(now, peer, &hashes),
            Input::UnknownShares { version, count } => self.note_unknown(version, count),
            Input::ShareReply { peer, request, shares } => {
                self.share_reply(now, peer, request, shares);
            }
            Input::BestBlock { peer, header } => self.best_block(now, peer, &header),
            Input::CompactBlock { peer, block } => self.compact_block(now, peer, &block),
            Input::GetBlockTxn { peer, request } => self.get_block_txn(peer, &request),
            Input::BlockTxn { peer, transactions } => self.block_txn(now, peer, &transactions),
            Input::TipHeader { header } => self.tip_header(header),
            Input::Template(template) => self.new_template(now, template),
            Input::TemplateLost => self.template_lost(),
            Input::Solved(solved) => self.solved(now, &solved),
            Input::BlockHeight { block, height } => self.block_height(block, height),
            Input::BlockOutcome { hash, outcome } => self.block_outcome(hash, outcome),
            Input::PoolBlock(block) => self.record_block(*block),
            Input::Persisted { sequence } => self.persisted(sequence),
            Input::Wake => self.take_in_waiting(now),
        }
        self.remove_doomed();
        self.settle(now);
        self.release_held(now);
        self.repeat_blocks(now);
        self.expire_block_questions(now);
        self.expire_requests(now);
        self.ask_around(now);
        self.note_progress(now);
        self.flush_changes();
        self.schedule(now);
    }

    /// The next effect to be carried out; `None` when there is nothing left to do for now.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The share that own work builds on.
    pub fn best(&self) -> Option<ShareHash> {
        self.best
    }

    /// What is needed to answer peers who ask for shares.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// All known shares.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Hands collected changes to storage.
    fn flush_changes(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let changes = core::mem::take(&mut self.changes);
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        self.outputs.push_back(Output::Persist { sequence, changes });
    }

    /// Asks to be woken for whatever is due next.
    fn schedule(&mut self, now: Now) {
        let mut next = self.next_clean;
        if self.is_unsettled || self.intake.has_work() {
            next = now.mono;
        }
        let timers = [
            self.outbox.next_deadline(),
            self.repeats.next_deadline(),
            self.block_relay.next_deadline(),
            self.requests.next_deadline(),
            self.catch_up_deadline(),
        ];
        next = timers.into_iter().flatten().fold(next, MonoTime::min);
        self.outputs.push_back(Output::WakeAt(next));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
