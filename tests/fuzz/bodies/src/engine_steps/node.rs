//! The engine under test with its clock, its storage and its ledger.

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{Config, Engine, Input, Loaded, LoadedShare, Output, PeerId};
use p2pool_sharechain::Params;
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};

use super::forge::{self, Forge};
use super::ledger::Ledger;

/// Steps that the engine may ask for at one moment before it must have come to rest.
const STEPS_MAX: usize = 2_000;
/// Wakes followed one by one; a longer time is slept through.
const WAKES_MAX: usize = 64;

/// See the module's documentation.
pub(super) struct Node {
    pub(super) engine: Engine,
    pub(super) now: Now,
    pub(super) ledger: Ledger,
    params: Arc<Params>,
    seed: u64,
    wake: MonoTime,
}

impl Node {
    pub(super) fn new(params: &Arc<Params>, seed: u64, wall: u64) -> Self {
        Self {
            engine: Engine::new(config(params, seed)),
            now: Now { wall: UnixTime(wall), mono: MonoTime(Duration::from_secs(100)) },
            ledger: Ledger::new(Arc::clone(params)),
            params: Arc::clone(params),
            seed,
            wake: MonoTime::ZERO,
        }
    }

    /// Gives one input and carries out what it causes, the end of connections included.
    pub(super) fn handle(&mut self, forge: &mut Forge, input: Input) {
        self.settle(forge, input);
        while let Some(peer) = self.ledger.dropped_peer() {
            self.hang_up(forge, peer);
        }
    }

    /// A connection ends.
    pub(super) fn hang_up(&mut self, forge: &mut Forge, peer: PeerId) {
        self.ledger.forget_peer(peer);
        self.settle(forge, Input::PeerLeft { peer });
    }

    /// Gives one input and wakes the engine while it has work left.
    fn settle(&mut self, forge: &mut Forge, input: Input) {
        self.step(forge, input);
        for _ in 0..STEPS_MAX {
            if self.wake > self.now.mono {
                self.ledger.check_rest(&self.engine, self.now, forge);
                return;
            }
            self.step(forge, Input::Wake);
        }
        panic!("the engine does not come to rest");
    }

    fn step(&mut self, forge: &mut Forge, input: Input) {
        self.ledger.count_step();
        self.note(&input);
        self.engine.handle(self.now, input);
        let mut wake = None;
        while let Some(output) = self.engine.poll() {
            assert!(wake.is_none(), "the wish to be woken comes last: {output:?}");
            if let Output::WakeAt(at) = output {
                wake = Some(at);
            } else {
                self.ledger.enter(&self.engine, self.now, forge, output);
            }
        }
        assert!(self.engine.poll().is_none(), "drained is drained");
        self.wake = wake.expect("each step ends with a wish to be woken");
    }

    /// Keeps the books about what the engine has been told.
    fn note(&mut self, input: &Input) {
        if let Input::Template(template) = input {
            self.ledger.template = Some(Arc::clone(template));
        } else if let Input::TemplateLost = input {
            self.ledger.template = None;
        }
    }

    /// Lets time pass, waking the engine when it asks for it.
    pub(super) fn wait(&mut self, forge: &mut Forge, time: Duration) {
        let end = self.now.mono + time;
        for _ in 0..WAKES_MAX {
            if self.wake > end {
                break;
            }
            self.set_time(self.wake.max(self.now.mono));
            self.handle(forge, Input::Wake);
        }
        self.sleep(forge, end.since(self.now.mono));
    }

    /// Lets time pass all at once, as when the computer slept.
    pub(super) fn sleep(&mut self, forge: &mut Forge, time: Duration) {
        self.set_time(self.now.mono + time);
        self.handle(forge, Input::Wake);
    }

    fn set_time(&mut self, mono: MonoTime) {
        let whole = |time: MonoTime| time.0.as_secs();
        let passed = whole(mono).saturating_sub(whole(self.now.mono));
        self.now = Now { wall: UnixTime(self.now.wall.0 + passed), mono };
    }

    /// The process is killed and started again with what was stored.
    pub(super) fn restart(&mut self, forge: &mut Forge) {
        self.engine = Engine::new(config(&self.params, self.seed));
        self.wake = MonoTime::ZERO;
        let stored = self.ledger.restart().into_iter();
        let shares = stored
            .map(|stored| LoadedShare { share: stored.share, is_verified: stored.is_verified })
            .collect();
        let own = self.ledger.own().cloned().collect();
        let blocks = self.ledger.blocks().cloned().collect();
        let loaded = Loaded { shares, own, blocks };
        self.handle(forge, Input::Load(Box::new(loaded)));
    }

    /// Starts with shares that storage holds.
    pub(super) fn load(&mut self, forge: &mut Forge, shares: Vec<LoadedShare>) {
        self.ledger.note_loaded(&shares);
        let loaded = Loaded { shares, ..Loaded::default() };
        self.handle(forge, Input::Load(Box::new(loaded)));
    }
}

fn config(params: &Arc<Params>, seed: u64) -> Config {
    Config {
        params: Arc::clone(params),
        seed,
        payout_address: forge::payee(0, params),
        donation: 65,
        low_bandwidth: seed % 8 == 3,
        coinbase_text: if seed % 4 == 1 { Vec::new() } else { b"fuzz".to_vec() },
    }
}
