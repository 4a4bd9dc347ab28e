//! The protocol with miners: any lines, work that changes, solutions that count, and time.

mod duties;

use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CompactBits, Params, ShareHash, U256};
use p2pool_stratum::client::{Client, ClientAction, ClientConfig, Found};
use p2pool_stratum::notify::Notify;
use p2pool_stratum::vardiff::VardiffSettings;
use p2pool_stratum::{Event, Extranonce1, LineBuffer, Session, SessionConfig, message};

use crate::choices::Choices;
use duties::Duties;

pub(crate) const PAYOUT: &[u8] = b"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
pub(crate) const EXTRANONCE1: Extranonce1 = Extranonce1(0x0bad_cafe);
const START: u32 = 1_700_000_000;
/// Hashes tried for one solution.
const HASHES_MAX: u32 = 300;
/// Lines of one run.
const LINES_MAX: usize = 200;

/// Reads lines as a pool does and as a miner does. A line that starts with a control character
/// is none: it changes the work, mines or lets time pass.
///
/// # Panics
/// Where either end breaks the promises of `docs/stratum.md`.
pub fn stratum_line(data: &[u8]) {
    let mut table = Table::new();
    let mut client = Miner::new();
    table.event(Event::NewWork(base(&mut Choices::new(&[1, 1]))));
    let mut lines = LineBuffer::new(message::LINE_BYTES_MAX);
    lines.push(data);
    lines.push(b"\n");
    for _ in 0..LINES_MAX {
        let Ok(Some(line)) = lines.next_line() else { break };
        match line.split_first() {
            Some((deed @ 0x00..=0x08, rest)) => table.deed(*deed, &mut Choices::new(rest)),
            _ => {
                table.line(&line);
                client.line(&line);
            }
        }
    }
}

/// When everything begins.
pub(crate) fn start() -> Now {
    Now { wall: UnixTime(u64::from(START)), mono: MonoTime(Duration::from_secs(1_000)) }
}

/// A pool's side of one connection, with its clock.
struct Table {
    session: Session,
    now: Now,
    duties: Duties,
    next_id: u64,
}

impl Table {
    fn new() -> Self {
        let now = start();
        let config = SessionConfig {
            vardiff: VardiffSettings { difficulty_min: 1e-9, ..VardiffSettings::default() },
            ..SessionConfig::new(PAYOUT.to_vec())
        };
        let session = Session::new(config, EXTRANONCE1, now);
        let mut table = Self { session, now, duties: Duties::default(), next_id: 1_000_000 };
        table.duties.see(&mut table.session, now);
        table
    }

    fn line(&mut self, line: &[u8]) {
        self.duties.expect_answer_to(line);
        self.event(Event::Line(line));
    }

    fn event(&mut self, event: Event<'_>) {
        self.session.handle(self.now, event);
        self.duties.see(&mut self.session, self.now);
    }

    /// What no miner can do by a line.
    fn deed(&mut self, deed: u8, choices: &mut Choices<'_>) {
        match deed {
            0 | 1 => self.wait(Duration::from_millis(u64::from(choices.u16()))),
            2 => self.wait(Duration::from_secs(u64::from(choices.u8()))),
            3 => self.event(Event::NewWork(base(choices))),
            4 => self.event(Event::NoWork),
            5 => self.log_in(choices),
            _ => self.mine(choices),
        }
    }

    /// Lets time pass with the timers that the session asked for; or without, as after sleep.
    fn wait(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(wake) = self.duties.wake().filter(|wake| *wake <= end) {
            self.set_time(wake.max(self.now.mono));
            self.event(Event::Timer);
        }
        self.set_time(end);
    }

    fn set_time(&mut self, mono: MonoTime) {
        let passed = mono.since(MonoTime(Duration::from_secs(1_000)));
        self.now = Now { wall: UnixTime(u64::from(START) + passed.as_secs()), mono };
    }

    fn log_in(&mut self, choices: &mut Choices<'_>) {
        let user = choices.pick(&["me", "me+0.00000001", "me+0.0000001/0.000001", "you.rig+5"]);
        self.call("mining.subscribe", r#"["fuzz/1"]"#);
        self.call("mining.authorize", &format!(r#"["{user}","x"]"#));
    }

    /// Looks for a solution of one of the latest jobs and submits it, good or not.
    fn mine(&mut self, choices: &mut Choices<'_>) {
        let jobs = self.duties.jobs();
        let Some(job) = jobs.iter().rev().nth(choices.below(4)).cloned() else { return };
        let wanted = choices.pick(&[256_usize, 252, 250, 248]);
        let bits = if choices.flag() { 0x0000_2000 } else { 0 };
        let time = job.time.wrapping_add(choices.pick(&[0, 1, 7_300, u32::MAX]));
        let Some(nonce) = solve(&job, bits, time, wanted) else { return };
        let mut params = format!(r#"["me","{}","00000007","{time:08x}","{nonce:08x}""#, job.job_id);
        if bits != 0 {
            params += &format!(r#","{bits:08x}""#);
        }
        self.call("mining.submit", &(params + "]"));
    }

    fn call(&mut self, method: &str, params: &str) {
        self.next_id += 1;
        let line = format!(r#"{{"id":{},"method":"{method}","params":{params}}}"#, self.next_id);
        self.line(line.as_bytes());
    }
}

/// A nonce whose hash has at most so many bits.
fn solve(job: &Notify, bits: u32, time: u32, wanted: usize) -> Option<u32> {
    let root = job.merkle_root(&EXTRANONCE1.to_bytes(), &[0, 0, 0, 7]);
    (0..HASHES_MAX).find(|nonce| {
        let header = job.header(&root, job.version | bits, time, *nonce);
        ShareHash::of_header(&header).to_uint().bit_len() <= wanted
    })
}

/// Work with a few knobs.
pub(crate) fn base(choices: &mut Choices<'_>) -> Arc<TemplateBase> {
    let target = |bits: usize| (U256::from(1) << bits) - U256::from(1);
    let (block_number, share_number) = (choices.u8() % 4, choices.u8() % 4);
    let share_target = target(choices.pick(&[250, 248, 254, 200]));
    let block_target = target(choices.pick(&[200, 249, 255]));
    let params = Params { max_target: share_target, ..Params::regtest() };
    let current_time = START + u32::from(choices.u8());
    let block = BlockTemplate {
        version: 0x3fff_e004,
        previous_block: BlockHash::from_byte_array([block_number; 32]),
        transactions: Vec::new(),
        coinbase_value_sats: 5_000_000_000,
        coinbase_aux: Vec::new(),
        bits: CompactBits::from_target(block_target),
        current_time,
        min_time: current_time - 3600,
        max_time: choices.flag().then_some(current_time + 5),
        height: 100,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    };
    Arc::new(TemplateBase {
        sequence: 0,
        new_block: false,
        segwit: block.segwit_data(),
        block: Arc::new(block),
        previous_share: Some(ShareHash::from_internal([share_number; 32])),
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

/// The miner's side, hearing the same lines as if a pool had sent them.
struct Miner {
    client: Client,
    has_failed: bool,
}

impl Miner {
    fn new() -> Self {
        let config =
            ClientConfig { user: "me".into(), password: "x".into(), user_agent: "fuzz/1".into() };
        let mut miner = Self { client: Client::new(config), has_failed: false };
        miner.see();
        // A pool that answers the greeting, so that what follows gets further.
        for line in [
            r#"{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"}}"#,
            r#"{"id":2,"result":[[["mining.notify","a"]],"0badcafe",4],"error":null}"#,
            r#"{"id":3,"result":true,"error":null}"#,
        ] {
            miner.line(line.as_bytes());
        }
        miner
    }

    fn line(&mut self, line: &[u8]) {
        self.client.handle_line(line);
        self.see();
    }

    fn see(&mut self) {
        let mut works = Vec::new();
        while let Some(action) = self.client.poll() {
            assert!(!self.has_failed, "nothing follows the end: {action:?}");
            match action {
                ClientAction::Send(line) => assert_eq!(line.last(), Some(&b'\n')),
                ClientAction::Work(work) => works.push(work),
                ClientAction::Accepted { difficulty } => assert!(difficulty > 0.0),
                ClientAction::Rejected { reason, .. } | ClientAction::Message(reason) => {
                    assert!(reason.len() < 2_000 && !reason.contains('\n'));
                }
                ClientAction::Authorized => {}
                ClientAction::Failed(_) => self.has_failed = true,
            }
        }
        for work in works {
            assert!(work.difficulty > 0.0 && work.extranonce2_bytes <= 16);
            let extranonce2 = vec![0; work.extranonce2_bytes];
            let _root = work.merkle_root(&extranonce2);
            let found = Found {
                job_id: work.notify.job_id.clone(),
                extranonce2,
                time: work.notify.time,
                nonce: 0,
                version_bits: work.version(u32::MAX),
            };
            self.client.submit(&found);
            while let Some(action) = self.client.poll() {
                assert!(matches!(action, ClientAction::Send(_)) && !self.has_failed);
            }
        }
    }
}
