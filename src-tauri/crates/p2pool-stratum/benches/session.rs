//! What a miner's session costs without its socket: judging a submit, and handing out work.
//!
//! `cargo bench -p p2pool-stratum`. A block of 3,000 transactions (a branch of 12) and a window of
//! 100 payees; submits are well formed. Those of "submit" are too easy, those of "accepted submit"
//! count, one in a connection's job after the other, as a miner's do.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p2pool_sharechain::generation::Position;
use p2pool_sharechain::payout::{PayeeKey, Window};
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Attempts, CompactBits, Params, ShareHash, U256, address};
use p2pool_stratum::job::SOLUTIONS_PER_JOB_MAX;
use p2pool_stratum::{Action, Event, Extranonce1, Prepared, Session, SessionConfig, Terms};

const PAYOUT: &[u8] = b"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const START: u32 = 1_700_000_000;
const PAYEES: u8 = 100;

fn now() -> Now {
    Now { wall: UnixTime(START.into()), mono: MonoTime(Duration::from_secs(1)) }
}

fn base() -> Arc<TemplateBase> {
    let params = Params { max_target: Params::mainnet().max_target, ..Params::regtest() };
    let block = BlockTemplate {
        version: 0x2000_0000,
        previous_block: BlockHash::from_byte_array([7; 32]),
        transactions: Vec::new(),
        coinbase_value_sats: 312_500_000,
        coinbase_aux: Vec::new(),
        bits: CompactBits(0x1703_4219),
        current_time: START,
        min_time: START - 3600,
        max_time: None,
        height: 900_000,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    };
    let mut segwit = block.segwit_data();
    segwit.txid_branch = vec![[9; 32]; 12];
    let payee = |number| {
        let text = address::p2pkh_text(&[number; 20], &params.addresses);
        let key = PayeeKey::new(text.as_bytes(), &params.addresses).expect("an address");
        (Arc::new(key), Attempts::from(u64::from(number) + 1))
    };
    let mut window = Window { weights: (0..PAYEES).map(payee).collect(), ..Window::default() };
    window.total = window.weights.iter().fold(Attempts::ZERO, |sum, (_, weight)| sum + *weight);
    Arc::new(TemplateBase {
        sequence: 0,
        new_block: false,
        segwit,
        block: Arc::new(block),
        previous_share: Some(ShareHash::from_internal([3; 32])),
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
        window: Arc::new(window),
        coinbase: vec![3, 0xa0, 0xbb, 0x0d],
        params: Arc::new(params),
    })
}

fn terms() -> Terms {
    Terms { payout_address: PAYOUT.into(), wanted_target: U256::MAX }
}

fn prepared(base: &Arc<TemplateBase>, nonce: u32) -> Arc<Prepared> {
    Arc::new(Prepared::new(base, &terms(), nonce, now()).expect("an address of this network"))
}

/// A session at work, and the id of its job.
fn session_of(work: &Arc<Prepared>, user: &str) -> (Session, String) {
    let mut config = SessionConfig::new(PAYOUT);
    config.vardiff.difficulty_min = 1e-12;
    let mut session = Session::new(config, Extranonce1(0x0bad_cafe), now());
    session.handle(now(), Event::Prepared(Arc::clone(work)));
    let subscribe = r#"{"id":1,"method":"mining.subscribe","params":["cgminer/4.12.1"]}"#;
    let authorize = format!(r#"{{"id":2,"method":"mining.authorize","params":["{user}","x"]}}"#);
    for line in [subscribe, &authorize] {
        session.handle(now(), Event::Line(line.as_bytes()));
    }
    while session.poll().is_some() {}
    (session, "0badcafe1".to_owned())
}

/// A submit from its line to its answer.
fn submit(session: &mut Session, job: &str, nonce: u32, counts: bool) {
    let line = format!(
        r#"{{"id":7,"method":"mining.submit","params":["me.rig","{job}","{nonce:08x}","{START:08x}","{nonce:08x}","00c00000"]}}"#
    );
    session.handle(now(), Event::Line(line.as_bytes()));
    while let Some(action) = session.poll() {
        assert!(!matches!(action, Action::Close(_)));
        assert!(!counts || !matches!(action, Action::Rejected { .. }), "{action:?}");
        black_box(action);
    }
}

fn submits(c: &mut Criterion) {
    let work = prepared(&base(), 1);
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::Elements(1));
    let mut nonce = 0_u32;
    for (name, user, counts) in
        [("submit", "me.rig", false), ("accepted submit", "me.rig+0.000000000001", true)]
    {
        let (mut session, mut job) = session_of(&work, user);
        let mut submits = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                nonce = nonce.wrapping_add(0x9e37_79b9);
                submits += 1;
                if submits % SOLUTIONS_PER_JOB_MAX == 0 {
                    (session, job) = session_of(&work, user);
                }
                submit(&mut session, &job, nonce, counts);
            });
        });
    }
    let (mut session, _) = session_of(&work, "me.rig");
    let base = base();
    group.bench_function("prepare work", |b| {
        b.iter(|| {
            nonce = nonce.wrapping_add(1);
            black_box(prepared(&base, nonce))
        });
    });
    group.bench_function("hand out prepared work", |b| {
        b.iter_batched(
            || {
                nonce = nonce.wrapping_add(1);
                prepared(&base, nonce)
            },
            |work| {
                session.handle(now(), Event::Prepared(work));
                while let Some(action) = session.poll() {
                    black_box(action);
                }
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, submits);
criterion_main!(benches);
