//! A session with a made-up clock, an easy chain, and a miner that finds what it is asked for.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
pub(crate) use p2pool_sharechain::compact;
use p2pool_sharechain::params::Params;
use p2pool_sharechain::retarget::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CompactBits, ShareHash};
use serde_json::{Value, json};

use super::super::*;
use crate::notify::Notify;

pub(crate) const PAYOUT: &[u8] = b"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
pub(crate) const PAYOUT_SCRIPT: &str = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
pub(crate) const EXTRANONCE1: Extranonce1 = Extranonce1(0x0bad_cafe);
/// One hash in 4096 is a share.
pub(crate) const SHARE_TARGET_BITS: usize = 244;
/// One hash in about 43 counts.
pub(crate) const EASY: &str = "me.rig+0.00000001";
pub(crate) const CURRENT_TIME: u32 = 1_700_000_000;

/// Knobs of the work to hand out.
#[derive(Clone, Copy)]
pub(crate) struct Base {
    pub(crate) block: u8,
    pub(crate) share: u8,
    pub(crate) share_target_bits: usize,
    pub(crate) block_target_bits: usize,
    pub(crate) max_time: Option<u32>,
}

impl Default for Base {
    fn default() -> Self {
        Self {
            block: 1,
            share: 1,
            share_target_bits: SHARE_TARGET_BITS,
            block_target_bits: 200,
            max_time: None,
        }
    }
}

pub(crate) fn target(bits: usize) -> U256 {
    (U256::from(1) << bits) - U256::from(1)
}

impl Base {
    pub(crate) fn build(self) -> Arc<TemplateBase> {
        let params = Params { max_target: target(self.share_target_bits), ..Params::regtest() };
        let block = BlockTemplate {
            // Every bit set that may be rolled, and two more.
            version: 0x3fff_e004,
            previous_block: BlockHash::from_byte_array([self.block; 32]),
            transactions: Vec::new(),
            coinbase_value_sats: 5_000_000_000,
            coinbase_aux: Vec::new(),
            bits: CompactBits::from_target(target(self.block_target_bits)),
            current_time: CURRENT_TIME,
            min_time: CURRENT_TIME - 3600,
            max_time: self.max_time,
            height: 100,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        Arc::new(TemplateBase {
            sequence: 0,
            new_block: false,
            segwit: block.segwit_data(),
            block: Arc::new(block),
            previous_share: Some(ShareHash::from_internal([self.share; 32])),
            version: ShareVersion::V35,
            desired_version: 35,
            stale_info: StaleInfo::NONE,
            donation: 0,
            position: Position {
                easiest_target: params.max_target,
                max_bits: CompactBits::from_target(params.max_target),
                far_share: None,
                abs_height: 1,
                parent_abs_work: 0,
                timestamps: (0, u32::MAX),
            },
            window: Arc::default(),
            coinbase: vec![1, 100],
            params: Arc::new(params),
        })
    }
}

pub(crate) fn config() -> SessionConfig {
    SessionConfig {
        vardiff: VardiffSettings { difficulty_min: 1e-9, ..VardiffSettings::default() },
        ..SessionConfig::new(PAYOUT.to_vec())
    }
}

pub(crate) struct Rig {
    pub(crate) session: Session,
    pub(crate) seconds: f64,
    next_id: u64,
    /// Jobs handed out so far.
    pub(crate) jobs: Vec<Notify>,
}

impl Rig {
    pub(crate) fn new(config: SessionConfig) -> Self {
        let session = Session::new(config, EXTRANONCE1, at(0.0));
        Self { session, seconds: 0.0, next_id: 1, jobs: Vec::new() }
    }

    /// A rig that mines on the usual base, logged in as `user`; what was said so far is gone.
    pub(crate) fn mining(user: &str, base: Base) -> Self {
        let mut rig = Self::new(config());
        rig.event(Event::NewWork(base.build()));
        rig.call("mining.subscribe", &json!(["test/1"]));
        rig.call("mining.authorize", &json!([user, "x"]));
        rig
    }

    pub(crate) fn now(&self) -> Now {
        at(self.seconds)
    }

    /// Everything that an event causes.
    pub(crate) fn event(&mut self, event: Event<'_>) -> Vec<Action> {
        self.session.handle(self.now(), event);
        let actions: Vec<Action> = std::iter::from_fn(|| self.session.poll()).collect();
        self.jobs.extend(lines(&actions).iter().filter_map(job_of));
        actions
    }

    pub(crate) fn line(&mut self, line: &str) -> Vec<Action> {
        self.event(Event::Line(line.as_bytes()))
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Vec<Action> {
        let id = self.next_id;
        self.next_id += 1;
        self.line(&json!({"id": id, "method": method, "params": params}).to_string())
    }

    /// Lets time pass, with the timers that the session asked for.
    pub(crate) fn wait(&mut self, seconds: f64) -> Vec<(f64, Action)> {
        let end = self.seconds + seconds;
        let mut log = Vec::new();
        while let Some(wake) = self.session.wake.map(|wake| wake.0.as_secs_f64()) {
            if wake > end || self.session.is_closed {
                break;
            }
            assert!(wake >= self.seconds, "a wish for the past");
            self.seconds = wake;
            log.extend(self.event(Event::Timer).into_iter().map(|action| (wake, action)));
        }
        self.seconds = end;
        log
    }

    pub(crate) fn job(&self) -> Notify {
        self.jobs.last().unwrap().clone()
    }

    /// The first nonce of a job from `from` on whose hash lies within the bounds.
    pub(crate) fn find(job: &Notify, time: u32, bits: u32, range: (U256, U256), from: u32) -> u32 {
        let root = job.merkle_root(&EXTRANONCE1.to_bytes(), &[0, 0, 0, 7]);
        (from..)
            .find(|nonce| {
                let header = job.header(&root, job.version | bits, time, *nonce);
                let hash = ShareHash::of_header(&header).to_uint();
                hash > range.0 && hash <= range.1
            })
            .unwrap()
    }

    pub(crate) fn send(
        &mut self,
        job: &Notify,
        time: u32,
        nonce: u32,
        more: &[&str],
    ) -> Vec<Action> {
        let mut params = vec![
            json!("me.rig"),
            json!(job.job_id),
            json!("00000007"),
            json!(format!("{time:08x}")),
            json!(format!("{nonce:08x}")),
        ];
        params.extend(more.iter().map(|more| json!(more)));
        self.call("mining.submit", &Value::Array(params))
    }

    /// Submits what counts and is no share.
    pub(crate) fn submit_pseudoshare(&mut self, job: &Notify, from: u32) -> (u32, Vec<Action>) {
        let easy = compact::target_of_difficulty(0.000_000_01);
        let range = (target(SHARE_TARGET_BITS), easy);
        let nonce = Self::find(job, job.time, 0, range, from);
        (nonce, self.send(job, job.time, nonce, &[]))
    }

    /// Submits a share that is no block.
    pub(crate) fn submit_share(&mut self, job: &Notify) -> Vec<Action> {
        let range = (target(200), target(SHARE_TARGET_BITS));
        let nonce = Self::find(job, job.time, 0, range, 0);
        self.send(job, job.time, nonce, &[])
    }
}

pub(crate) fn at(seconds: f64) -> Now {
    let span = Duration::from_secs_f64(seconds);
    Now { wall: UnixTime(u64::from(CURRENT_TIME) + span.as_secs()), mono: MonoTime(span) }
}

/// The lines among actions.
pub(crate) fn lines(actions: &[Action]) -> Vec<Value> {
    actions
        .iter()
        .filter_map(|action| {
            let Action::Send(line) = action else { return None };
            Some(serde_json::from_slice(line).unwrap())
        })
        .collect()
}

/// Method names of what was sent, answers as `answer`.
pub(crate) fn kinds(actions: &[Action]) -> Vec<String> {
    lines(actions)
        .iter()
        .map(|line| line["method"].as_str().unwrap_or("answer").to_owned())
        .collect()
}

pub(crate) fn job_of(line: &Value) -> Option<Notify> {
    (line["method"] == "mining.notify")
        .then(|| Notify::parse(line["params"].as_array().unwrap()).unwrap())
}

/// The answer among actions.
pub(crate) fn answer(actions: &[Action]) -> Value {
    let answers: Vec<Value> =
        lines(actions).into_iter().filter(|line| line.get("result").is_some()).collect();
    assert_eq!(answers.len(), 1, "{actions:?}");
    answers[0].clone()
}

/// Whether the answer is yes, or the code of the refusal.
pub(crate) fn outcome(actions: &[Action]) -> Result<(), u64> {
    let answer = answer(actions);
    match answer["error"][0].as_u64() {
        Some(code) => Err(code),
        None => {
            assert_eq!(answer["result"], true);
            Ok(())
        }
    }
}

/// What was found among actions: whether it is a block, a share, and on time.
pub(crate) fn solved(actions: &[Action]) -> Vec<(bool, bool, bool)> {
    actions
        .iter()
        .filter_map(|action| {
            let Action::Solved { grade, on_time, .. } = action else { return None };
            Some((grade.is_block, grade.is_share, *on_time))
        })
        .collect()
}

pub(crate) fn closed(actions: &[Action]) -> Option<CloseReason> {
    actions.iter().find_map(|action| {
        let Action::Close(reason) = action else { return None };
        Some(reason.clone())
    })
}

/// A job's number within its connection.
pub(crate) fn number(job: &Notify) -> u32 {
    let (start, number) = job.job_id.split_at(8);
    assert_eq!(start, EXTRANONCE1.to_string());
    u32::from_str_radix(number, 16).unwrap()
}
