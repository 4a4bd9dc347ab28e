//! The miner's lines played to our server: it takes them all, and answers as the recorded pool
//! did, but for what `p2pool-stratum/docs/stratum.md` says is better done otherwise.
//!
//! Our jobs are other jobs, so that each solution is replaced by one of ours that fares alike:
//! one good, too easy or repeated stays so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::hash::sha256d;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CompactBits, Params, ShareHash, Tracker, U256, compact};
use p2pool_stratum::notify::Notify;
use p2pool_stratum::vardiff::VardiffSettings;
use p2pool_stratum::{Action, Event, Extranonce1, RejectReason, Session, SessionConfig};
use serde_json::{Value, json};

use super::answers::{NO_JSON, REFUSED, answer_to, answered, code_of, sent};
use super::talk::{Submit, Talk};
use crate::cases::{Cases, same};

pub(super) const EXTRANONCE1: Extranonce1 = Extranonce1(0x0bad_cafe);
/// Every second hash meets it; on the reference's regtest nothing can be easier.
const DIFFICULTY: f64 = 4.6e-10;
/// Shares may be asked to be so much harder.
const HARDER_MAX: u64 = 30;
/// No hash is a block by accident.
const BLOCK_BITS: CompactBits = CompactBits(0x1d00_ffff);

/// Plays the session, a case for each line of the miner.
pub(super) fn check(name: &str, talk: &Talk, cases: &mut Cases) {
    let mut again = Again::new(talk);
    for (index, line) in talk.lines.iter().enumerate() {
        again.set_time(line.at);
        if line.is_from_miner {
            let name = format!("{name} answer to line {index}");
            cases.run(&name, || again.play(index));
        } else if let Some(job) = talk.jobs.iter().position(|job| job.line == index) {
            again.hand_out(job);
        }
    }
}

/// How a solution fares with the job that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It counts.
    Counts,
    /// It would count, but the Bitcoin tip has changed.
    Stale,
    /// It came before.
    Repeated,
    /// It is too easy.
    TooEasy,
    UnknownJob,
    ExtranonceSize,
    VersionBits,
}

/// A session of ours beside a recorded one.
struct Again<'a> {
    talk: &'a Talk,
    params: Arc<Params>,
    session: Session,
    started: f64,
    now: Now,
    /// Our job for each recorded one handed out so far.
    jobs: BTreeMap<usize, Notify>,
    /// The base of the newest.
    newest: Option<Arc<TemplateBase>>,
    /// What the bases of our jobs build on.
    built_on: BTreeMap<usize, (BlockHash, Option<ShareHash>)>,
    /// Our nonce for each recorded solution so far.
    nonces: BTreeMap<String, u32>,
}

impl<'a> Again<'a> {
    fn new(talk: &'a Talk) -> Self {
        let params = Arc::new(Params::regtest());
        let config = SessionConfig {
            vardiff: VardiffSettings {
                difficulty_min: DIFFICULTY,
                difficulty_default: DIFFICULTY,
                ..VardiffSettings::default()
            },
            ..SessionConfig::new(params.donation_key().to_vec())
        };
        let started = talk.lines.first().map_or(0.0, |line| line.at);
        let now = time_at(started, started);
        Self {
            talk,
            params,
            session: Session::new(config, EXTRANONCE1, now),
            started,
            now,
            jobs: BTreeMap::new(),
            newest: None,
            built_on: BTreeMap::new(),
            nonces: BTreeMap::new(),
        }
    }

    fn set_time(&mut self, at: f64) {
        self.now = time_at(self.started, at);
    }

    fn event(&mut self, event: Event<'_>) -> Vec<Action> {
        self.session.handle(self.now, event);
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    /// Gives the session work that builds on the block of a recorded job. Jobs with the same
    /// coinbase are the same work.
    fn hand_out(&mut self, job: usize) {
        let notify = &self.talk.jobs[job].work.notify;
        let coinbase = &notify.coinbase_prefix;
        let share = sha256d(&coinbase[..coinbase.len().saturating_sub(4)]);
        let block = BlockTemplate {
            version: notify.version,
            previous_block: BlockHash::from_byte_array(notify.previous_block),
            transactions: Vec::new(),
            coinbase_value_sats: 5_000_000_000,
            coinbase_aux: Vec::new(),
            bits: BLOCK_BITS,
            current_time: notify.time,
            min_time: 0,
            max_time: None,
            height: 0,
            weight_limit: 4_000_000,
            sigop_limit: 80_000,
        };
        let tracker = Tracker::new(Arc::clone(&self.params), 1);
        let base = Arc::new(TemplateBase {
            sequence: 0,
            new_block: false,
            params: Arc::clone(&self.params),
            segwit: block.segwit_data(),
            block: Arc::new(block),
            previous_share: Some(ShareHash::from_internal(share)),
            version: ShareVersion::NEWEST,
            desired_version: ShareVersion::NEWEST.number(),
            stale_info: StaleInfo::NONE,
            donation: 0,
            position: Position::above(&tracker, ShareVersion::NEWEST, None),
            window: Arc::default(),
            coinbase: vec![1, 100],
        });
        self.built_on.insert(job, (base.block.previous_block, base.previous_share));
        self.newest = Some(Arc::clone(&base));
        let actions = self.event(Event::NewWork(base));
        let ours = sent(&actions).iter().rev().find_map(|line| {
            let params = line["params"].as_array().filter(|_| line["method"] == "mining.notify");
            Notify::parse(params?).ok()
        });
        self.jobs.extend(ours.map(|ours| (job, ours)));
    }

    fn play(&mut self, index: usize) -> Result<(), String> {
        let line = &self.talk.lines[index];
        let method = line.json["method"].as_str();
        if method == Some("mining.submit") {
            let submits = &self.talk.submits;
            let submit = submits.iter().find(|submit| submit.line == index);
            return self.submit(submit.ok_or("the solution was not understood")?);
        }
        let actions = self.event(Event::Line(line.text.as_bytes()));
        let ours = answer_to(&line.json["id"], &actions)?;
        let theirs = self.recorded_answer(index);
        match method {
            Some(method) => answered(method, &theirs, &ours),
            None => {
                same("recorded refusal", &Some(NO_JSON), &code_of(&theirs))?;
                // Whoever sends such a line does not wait for the answer to a call.
                same("answer", &Value::Null, &ours)
            }
        }
    }

    /// The recorded pool's answer to a line; a line without a number is answered without one.
    fn recorded_answer(&self, index: usize) -> Value {
        let id = &self.talk.lines[index].json["id"];
        let after = self.talk.lines[index..].iter();
        let answer = after
            .filter(|line| !line.is_from_miner && line.json.get("method").is_none())
            .find(|line| line.json["id"] == *id);
        answer.map(|line| line.json.clone()).unwrap_or_default()
    }

    fn submit(&mut self, submit: &Submit) -> Result<(), String> {
        let fate = self.fate(submit)?;
        let params = self.replaced(submit, fate)?;
        let call = json!({ "id": submit.id, "method": "mining.submit", "params": params });
        let actions = self.event(Event::Line(call.to_string().as_bytes()));
        let ours = answer_to(&json!(submit.id), &actions)?;

        let refusal = match fate {
            Fate::Counts => None,
            Fate::Stale => Some(RejectReason::Stale),
            Fate::Repeated => Some(RejectReason::Duplicate),
            Fate::TooEasy => Some(RejectReason::LowDifficulty),
            Fate::UnknownJob => Some(RejectReason::UnknownJob),
            Fate::ExtranonceSize => Some(RejectReason::ExtranonceSize),
            Fate::VersionBits => Some(RejectReason::VersionBits),
        };
        let code = refusal.map(|reason| i64::from(reason.code()));
        same(&format!("code of {fate:?}"), &code, &ours["error"][0].as_i64())?;
        same(&format!("result of {fate:?}"), &refusal.is_none(), &(ours["result"] == true))?;
        self.solved(submit, fate, &actions)?;
        self.recorded(submit, fate)
    }

    /// What counts leaves the session as a share; late ones say so.
    fn solved(&self, submit: &Submit, fate: Fate, actions: &[Action]) -> Result<(), String> {
        let solved: Vec<bool> = actions
            .iter()
            .filter_map(|action| {
                let Action::Solved { grade, on_time, .. } = action else { return None };
                grade.is_share.then_some(*on_time)
            })
            .collect();
        let is_newest = submit.job.is_some_and(|job| self.is_newest(job));
        let expected = match fate {
            Fate::Counts => vec![is_newest],
            // While a job is remembered, a share of the former tip is one that came too late.
            Fate::Stale => vec![false; solved.len().min(1)],
            Fate::Repeated
            | Fate::TooEasy
            | Fate::UnknownJob
            | Fate::ExtranonceSize
            | Fate::VersionBits => Vec::new(),
        };
        same("shares found, and whether in time", &expected, &solved)
    }

    fn is_newest(&self, job: usize) -> bool {
        let newest = self.newest.as_ref();
        let newest = newest.map(|base| (base.block.previous_block, base.previous_share));
        self.built_on.get(&job).copied() == newest
    }

    /// What the recorded pool said to it.
    fn recorded(&self, submit: &Submit, fate: Fate) -> Result<(), String> {
        let is_true = submit.answer["result"] == true;
        match fate {
            // "True" means that the work was the newest; the line that says it is not may come
            // after the answer.
            Fate::Counts | Fate::Stale | Fate::Repeated | Fate::TooEasy => {
                same("recorded error", &Value::Null, &submit.answer["error"])?;
                let is_newest = submit.job.is_some_and(|job| self.is_newest(job));
                same("recorded as in time only if newest", &true, &(!is_true || is_newest))
            }
            Fate::UnknownJob => same("recorded result", &json!(false), &submit.answer["result"]),
            Fate::ExtranonceSize | Fate::VersionBits => {
                same("recorded refusal", &Some(REFUSED), &code_of(&submit.answer))
            }
        }
    }

    /// How a recorded solution fares, by what was recorded.
    fn fate(&self, submit: &Submit) -> Result<Fate, String> {
        if submit.extranonce2.len() != 4 {
            return Ok(Fate::ExtranonceSize);
        }
        let (Some(job), Some(hash)) = (submit.job, submit.hash) else {
            return Ok(Fate::UnknownJob);
        };
        if !submit.is_regular(self.talk) {
            return Ok(Fate::VersionBits);
        }
        let (block, _) = self.built_on.get(&job).ok_or("the job was not handed out")?;
        let newest = self.newest.as_ref().map(|base| base.block.previous_block);
        Ok(if newest != Some(*block) {
            Fate::Stale
        } else if self.nonces.contains_key(&key(submit)) {
            Fate::Repeated
        } else if hash.to_uint() > self.talk.jobs[job].work.target {
            Fate::TooEasy
        } else {
            Fate::Counts
        })
    }

    /// The parameters of a solution of ours that fares alike.
    fn replaced(&mut self, submit: &Submit, fate: Fate) -> Result<Value, String> {
        let mut params = self.talk.lines[submit.line].json["params"].clone();
        let Some(ours) = submit.job.and_then(|job| self.jobs.get(&job)) else {
            return Ok(params);
        };
        params[1] = json!(ours.job_id);
        if !submit.is_regular(self.talk) {
            return Ok(params);
        }
        let nonce = match self.nonces.get(&key(submit)) {
            Some(nonce) => *nonce,
            None => self.search(ours, submit, fate == Fate::TooEasy)?,
        };
        self.nonces.insert(key(submit), nonce);
        params[4] = json!(format!("{nonce:08x}"));
        Ok(params)
    }

    /// A nonce not used so far whose hash is good however hard a share was asked for, or one that
    /// is too easy for anything.
    fn search(&self, ours: &Notify, submit: &Submit, too_easy: bool) -> Result<u32, String> {
        let root = ours.merkle_root(&EXTRANONCE1.to_bytes(), &submit.extranonce2);
        let version = ours.version | submit.version_bits.unwrap_or_default();
        let taken: BTreeSet<u32> = self.nonces.values().copied().collect();
        let easiest = compact::target_of_difficulty(DIFFICULTY);
        let hardest = self.params.max_target.wrapping_div(U256::from(HARDER_MAX));
        let fits = |nonce: &u32| {
            let header = ours.header(&root, version, submit.time, *nonce);
            let hash = ShareHash::of_header(&header).to_uint();
            if too_easy { hash > easiest } else { hash <= hardest }
        };
        let mut free = (0..u32::MAX).filter(|nonce| !taken.contains(nonce));
        free.find(fits).ok_or("no nonce is left".to_owned())
    }
}

/// What makes a recorded solution the same as another.
fn key(submit: &Submit) -> String {
    let Submit { job, extranonce2, time, nonce, version_bits, .. } = submit;
    format!("{job:?} {extranonce2:?} {time} {nonce} {version_bits:?}")
}

fn time_at(started: f64, at: f64) -> Now {
    let since = Duration::from_secs_f64((at - started).max(0.0));
    let wall = UnixTime(Duration::from_secs_f64(at).as_secs());
    Now { wall, mono: MonoTime(since) }
}
