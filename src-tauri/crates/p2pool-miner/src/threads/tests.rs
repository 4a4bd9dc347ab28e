use p2pool_sharechain::{ShareHash, U256};
use p2pool_stratum::notify::Notify;
use tokio::sync::mpsc;

use super::*;

fn work(job_id: &str, target: U256) -> Arc<Work> {
    Arc::new(Work {
        notify: Notify {
            job_id: job_id.into(),
            previous_block: [1; 32],
            coinbase_prefix: vec![2; 50],
            coinbase_suffix: vec![3; 4],
            branch: Vec::new(),
            version: 0x2000_0000,
            bits: 0x1d00_ffff,
            time: 1000,
            clean: true,
        },
        extranonce1: vec![5; 4],
        extranonce2_bytes: 4,
        difficulty: 1.0,
        target,
        version_mask: 0,
    })
}

fn hash(work: &Work, found: &Found) -> U256 {
    let root = work.merkle_root(&found.extranonce2);
    let version = work.version(found.version_bits);
    let header = work.notify.header(&root, version, found.time, found.nonce);
    ShareHash::of_header(&header).to_uint()
}

#[test]
fn what_is_found_meets_the_target_and_is_found_once() {
    let (sender, mut found) = mpsc::channel(4);
    let threads =
        Threads::start(NonZeroU32::new(3).unwrap(), None, Backend::fastest(), sender).unwrap();
    let work = work("a", U256::MAX >> 12);
    threads.set_work(Some(Arc::clone(&work)));
    let mut seen = Vec::new();
    for _ in 0..50 {
        let found = found.blocking_recv().unwrap();
        assert!(hash(&work, &found) <= work.target);
        assert!(!seen.contains(&found));
        seen.push(found);
    }
    assert!(threads.hashes() >= 50);
    assert_eq!(threads.count(), 3);
}

#[test]
fn new_work_is_taken_up_though_the_old_could_go_on_for_ever() {
    let (sender, mut found) = mpsc::channel(1);
    let threads =
        Threads::start(NonZeroU32::new(2).unwrap(), None, Backend::fastest(), sender).unwrap();
    threads.set_work(Some(work("impossible", U256::ZERO)));
    threads.set_work(Some(work("easy", U256::MAX)));
    assert_eq!(found.blocking_recv().unwrap().job_id, "easy");
    threads.set_work(None);
    threads.set_work(Some(work("next", U256::MAX)));
    while found.blocking_recv().unwrap().job_id != "next" {}
}

#[test]
fn paused_threads_rest_and_then_go_on_where_they_were() {
    let (sender, mut found) = mpsc::channel(1);
    let threads =
        Threads::start(NonZeroU32::new(2).unwrap(), None, Backend::fastest(), sender).unwrap();
    threads.set_paused(true);
    threads.set_work(Some(work("a", U256::MAX)));
    assert!(found.try_recv().is_err());
    assert_eq!(threads.hashes(), 0);
    let mut seen = Vec::new();
    for _ in 0..3 {
        threads.set_paused(false);
        for _ in 0..5 {
            let found = found.blocking_recv().unwrap();
            assert!(!seen.contains(&found));
            seen.push(found);
        }
        threads.set_paused(true);
    }
}

#[test]
fn threads_end_while_nobody_takes_what_they_find() {
    let (sender, found) = mpsc::channel(1);
    let threads =
        Threads::start(NonZeroU32::new(2).unwrap(), Some(1), Backend::fastest(), sender).unwrap();
    threads.set_work(Some(work("easy", U256::MAX)));
    drop(threads);
    drop(found);
}

#[test]
fn pace_finds_the_size_of_a_step() {
    let mut pace = Pace::new(None);
    let start = Instant::now();
    for _ in 0..40 {
        let count = pace.count();
        // A processor that makes 5 million hashes a second.
        let took = Duration::from_secs_f64(f64::from(count) / 5e6);
        assert_eq!(pace.pause(count, start, start + took), Duration::ZERO);
    }
    assert!((25_000..=100_000).contains(&pace.count()), "{}", pace.count());
}

#[test]
fn limit_holds_on_average_even_if_rests_take_too_long() {
    let limit = 200_000.0;
    let mut pace = Pace::new(Some(limit));
    let start = Instant::now();
    let mut now = start;
    let mut made = 0.0;
    for _ in 0..2000 {
        let count = pace.count();
        let started = now;
        now += Duration::from_secs_f64(f64::from(count) / 5e6);
        made += f64::from(count);
        let pause = pace.pause(count, started, now);
        now += pause + Duration::from_millis(3);
    }
    let rate = made / (now - start).as_secs_f64();
    assert!((0.95..=1.01).contains(&(rate / limit)), "{rate}");
}

#[test]
fn lost_time_is_not_made_up_for() {
    let mut pace = Pace::new(Some(1000.0));
    let start = Instant::now();
    pace.pause(10, start, start);
    let later = start + Duration::from_secs(60);
    let pauses: Duration = (0..100).map(|_| pace.pause(10, later, later)).max().unwrap();
    assert!(pauses >= Duration::from_millis(940), "{pauses:?}");
}
