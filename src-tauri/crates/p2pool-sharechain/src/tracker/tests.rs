use super::*;
use crate::CompactBits;
use crate::hash::ShareHash;
use crate::verify::StandaloneError;

/// The chain of the protocol notes, vectors.md section 8: hash and bytes of each share.
const CHAIN: &str = include_str!("../../docs/vectors-chain230.txt");

/// The live network's constants but for the easiest target.
fn params() -> Arc<Params> {
    Arc::new(Params { max_target: ruint::aliases::U256::MAX >> 1, ..Params::mainnet() })
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn shares() -> Vec<CheckedShare> {
    let params = params();
    let line = |line: &str| {
        let mut columns = line.split(' ').skip(1);
        let hash: ShareHash = columns.next().unwrap().parse().unwrap();
        let share = CheckedShare::parse(&bytes(columns.next().unwrap()), &params).unwrap();
        assert_eq!(share.hash(), hash);
        share
    };
    CHAIN.lines().map(line).collect()
}

fn known(share: CheckedShare) -> KnownShare {
    KnownShare { share: Arc::new(share), seen: MonoTime::ZERO, sender: None }
}

const NOW: UnixTime = UnixTime(1_700_100_000);

#[test]
fn chain_of_the_notes_is_valid_in_both_directions() {
    for newest_first in [false, true] {
        let mut tracker = Tracker::new(params(), 5);
        for share in shares() {
            assert_eq!(tracker.insert(known(share.clone())), Ok(true));
            assert_eq!(tracker.insert(known(share)), Ok(false));
        }
        let mut order: Vec<ShareHash> = shares().iter().map(CheckedShare::hash).collect();
        if newest_first {
            order.reverse();
        }
        for hash in &order {
            assert_eq!(tracker.verify(*hash, NOW), Ok(()));
        }
        let tip = if newest_first { order[0] } else { order[229] };
        let info = &tracker.get(tip).unwrap().share().info;
        assert_eq!((info.abs_height, info.abs_work), (230, 3301));
        assert_eq!(info.max_bits, CompactBits(0x2021_0636));
        assert_eq!(tracker.verified().total(Some(tip)).work, Attempts::from(3301));
    }
}

#[test]
fn share_without_its_history_is_not_judged() {
    let shares = shares();
    let mut tracker = Tracker::new(params(), 5);
    for share in &shares[1..] {
        tracker.insert(known(share.clone())).unwrap();
    }
    let tip = shares[229].hash();
    assert!(!tracker.can_judge(tip));
    assert_eq!(tracker.verify(tip, NOW), Err(ContextError::NoHistory));
    assert_eq!(tracker.verify(shares[0].hash(), NOW), Err(ContextError::Unknown));
    tracker.insert(known(shares[0].clone())).unwrap();
    assert_eq!(tracker.verify(tip, NOW), Ok(()));
}

#[test]
fn share_ahead_of_the_clock_is_valid_later() {
    let shares = shares();
    let first = &shares[0];
    let mut tracker = Tracker::new(params(), 5);
    tracker.insert(known(first.clone())).unwrap();
    let time = first.share().info.timestamp;
    let early = UnixTime(u64::from(time) - FUTURE_MAX - 1);
    assert_eq!(tracker.verify(first.hash(), early), Err(ContextError::Future(time)));
    assert!(!tracker.is_verified(first.hash()));
    assert_eq!(tracker.verify(first.hash(), UnixTime(early.0 + 1)), Ok(()));
}

#[test]
fn share_is_refused_where_its_target_is_too_easy() {
    let share = CHAIN.lines().next().unwrap().split(' ').nth(2).unwrap();
    let refused = CheckedShare::parse(&bytes(share), &Params::mainnet());
    assert!(matches!(refused, Err(StandaloneError::TargetTooEasy(_))), "{refused:?}");
}
