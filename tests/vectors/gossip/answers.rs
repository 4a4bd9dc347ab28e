//! What one node knows, and its answers to questions for shares.

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{Config, Engine, Input, Loaded, LoadedShare, Output};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::{CheckedShare, Params};
use p2pool_wire::message::{Message, RawShare, ReplyResult, ShareReply, ShareReq};

use crate::cases::{same, same_bytes};

/// Time between cleanings, and most of them that are waited for.
const CLEAN_EVERY: Duration = Duration::from_secs(5);
const CLEANINGS_MAX: u32 = 10;
/// More shares than any run has.
const CHAIN_LENGTH_KEPT: u32 = 1_000_000;
/// The recorded clock starts here; shares that were loaded count as seen at zero.
const STARTED: MonoTime = MonoTime(Duration::from_secs(1_000));

/// Engines that have been told what a recorded node was told.
pub(super) struct Knowledge {
    prefix: [u8; 8],
    /// Lives on a network so slow that nothing is ever too old.
    keeping: Engine,
    /// Drops what is too old, as the recorded node does.
    dropping: Engine,
    /// Shares not given to the engines yet.
    fresh: Vec<Arc<CheckedShare>>,
    now: Now,
}

/// A share as it travels.
pub(super) fn raw(share: &CheckedShare) -> RawShare {
    let fields = share.share();
    RawShare { version: fields.version.number(), contents: fields.contents_to_bytes() }
}

impl Knowledge {
    pub(super) fn new(params: &Arc<Params>) -> Self {
        let engine = |params| {
            Engine::new(Config {
                payout_address: Params::donation_key(&params).to_vec(),
                params: Arc::new(params),
                seed: 1,
                donation: 0,
                coinbase_text: Vec::new(),
                low_bandwidth: false,
            })
        };
        Self {
            prefix: params.prefix,
            keeping: engine(Params { chain_length: CHAIN_LENGTH_KEPT, ..Params::clone(params) }),
            dropping: engine(Params::clone(params)),
            fresh: Vec::new(),
            now: Now { wall: UnixTime(0), mono: STARTED },
        }
    }

    /// The chain that the node had before the connection, oldest first.
    pub(super) fn load(&mut self, chain: &[Arc<CheckedShare>]) {
        chain.iter().for_each(|share| self.see_time(share));
        for engine in [&mut self.keeping, &mut self.dropping] {
            let loaded = |share: &Arc<CheckedShare>| LoadedShare {
                share: Arc::clone(share),
                is_verified: true,
            };
            let shares = chain.iter().map(loaded).collect();
            tell(engine, self.now, Input::Load(Box::new(Loaded { shares, ..Loaded::default() })));
        }
    }

    /// A share that the node has sent or received.
    pub(super) fn learn(&mut self, share: Arc<CheckedShare>) {
        self.see_time(&share);
        self.fresh.push(share);
    }

    /// The clocks of the runs went at different speeds: no share lay ahead of them.
    fn see_time(&mut self, share: &CheckedShare) {
        self.now.wall = self.now.wall.max(UnixTime(u64::from(share.share().info.timestamp)));
    }

    /// Compares the answer given with ours, to the byte.
    ///
    /// When a node drops old shares is its own affair, and the engine drops them in smaller steps
    /// than the recorded node. What that had, it gave; where it had nothing to give, ours has
    /// nothing either once it is done.
    pub(super) fn compare(
        &mut self,
        at: MonoTime,
        question: &ShareReq,
        answer: &ShareReply,
        frame: &[u8],
    ) -> Result<(), String> {
        same("result", &ReplyResult::Good, &answer.result)?;
        self.now.mono = self.now.mono.max(STARTED + at.0);
        let fresh = core::mem::take(&mut self.fresh);
        for engine in [&mut self.keeping, &mut self.dropping] {
            tell(engine, self.now, Input::Shares { peer: 1, shares: fresh.clone() });
        }
        let ours = if answer.shares.is_empty() {
            self.answer_at_last(question)
        } else {
            self.keeping.served().answer(question)
        };
        let reply = Message::ShareReply(ShareReply {
            id: question.id,
            result: ReplyResult::Good,
            shares: ours.iter().map(|share| raw(share)).collect(),
        });
        same("number of shares", &answer.shares.len(), &ours.len())?;
        same_bytes("answer", frame, &reply.encode(self.prefix).map_err(|e| e.to_string())?)
    }

    /// Asks the engine that drops old shares until it has nothing to give.
    fn answer_at_last(&mut self, question: &ShareReq) -> Vec<Arc<CheckedShare>> {
        let mut ours = self.dropping.served().answer(question);
        for _ in 0..CLEANINGS_MAX {
            if ours.is_empty() {
                break;
            }
            self.now.mono = self.now.mono + CLEAN_EVERY;
            tell(&mut self.dropping, self.now, Input::Wake);
            ours = self.dropping.served().answer(question);
        }
        ours
    }
}

/// Gives an engine one input, and lets it finish what follows from it at once.
fn tell(engine: &mut Engine, now: Now, input: Input) -> Vec<Output> {
    engine.handle(now, input);
    let mut outputs = Vec::new();
    loop {
        let mut is_work_left = false;
        while let Some(output) = engine.poll() {
            if let Output::WakeAt(at) = output {
                is_work_left = at <= now.mono;
            } else {
                outputs.push(output);
            }
        }
        if !is_work_left {
            return outputs;
        }
        engine.handle(now, Input::Wake);
    }
}
