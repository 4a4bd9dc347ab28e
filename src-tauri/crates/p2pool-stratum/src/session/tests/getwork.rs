use std::collections::BTreeSet;

use super::super::getwork::HANDED_OUT_MAX;
use super::super::*;
use super::rig::*;
use crate::GetworkSession;
use crate::getwork::Work;
use crate::login::Login;
use p2pool_sharechain::ShareHash;

struct Miner {
    session: GetworkSession,
    seconds: f64,
    works: u32,
}

impl Miner {
    fn log_in(config: SessionConfig, user: &str) -> Result<Self, String> {
        let login = Login::parse(user, "x");
        let session = GetworkSession::log_in(config, EXTRANONCE1, "cpuminer 1.0", &login, at(0.0))?;
        Ok(Self { session, seconds: 0.0, works: 0 })
    }

    /// A miner on the usual work whose results one hash in 43 is.
    fn easy() -> Self {
        let mut miner = Self::log_in(config(), EASY).unwrap();
        miner.take(Base::default());
        miner
    }

    fn take(&mut self, base: Base) {
        self.works += 1;
        let terms = Terms { payout_address: PAYOUT.into(), wanted_target: U256::MAX };
        let work = Prepared::new(&base.build(), &terms, self.works, self.now()).unwrap();
        self.session.take_work(self.now(), &Arc::new(work));
    }

    fn now(&self) -> Now {
        at(self.seconds)
    }

    fn work(&mut self) -> Work {
        self.session.work(self.now()).unwrap()
    }

    /// A header of this work with a hash within the bounds.
    fn solve(work: &Work, range: (U256, U256)) -> [u8; 80] {
        let mut header = work.header;
        (0_u32..)
            .find_map(|nonce| {
                header[76..].copy_from_slice(&nonce.to_le_bytes());
                let hash = ShareHash::of_header(&header).to_uint();
                (hash > range.0 && hash <= range.1).then_some(header)
            })
            .unwrap()
    }

    fn submit(&mut self, header: &[u8; 80]) -> (Result<(), RejectReason>, Vec<Action>) {
        let outcome = self.session.submit(self.now(), Some(header));
        (outcome, std::iter::from_fn(|| self.session.poll()).collect())
    }
}

/// Hashes that count and are no share.
fn counts(work: &Work) -> (U256, U256) {
    (target(SHARE_TARGET_BITS), work.target)
}

/// A header that is a share and no block.
fn share_of(work: &Work) -> [u8; 80] {
    Miner::solve(work, (target(200), target(SHARE_TARGET_BITS)))
}

#[test]
fn each_header_is_handed_out_once() {
    let mut miner = Miner::easy();
    let mut seen = BTreeSet::new();
    for round in 0..50 {
        assert!(seen.insert(miner.work().header[36..68].to_vec()), "{round}");
        if round % 7 == 0 {
            miner.take(Base { share: round, ..Base::default() });
        }
    }
}

#[test]
fn header_that_is_good_enough_counts_once() {
    let mut miner = Miner::easy();
    let work = miner.work();
    let solved = Miner::solve(&work, counts(&work));
    let (outcome, actions) = miner.submit(&solved);
    assert_eq!(outcome, Ok(()));
    let [Action::Accepted { worker, late: false, .. }] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!(worker, "me.rig");
    assert_eq!(miner.submit(&solved).0, Err(RejectReason::Duplicate));
    let too_easy = Miner::solve(&work, (work.target, U256::MAX));
    assert_eq!(miner.submit(&too_easy).0, Err(RejectReason::LowDifficulty));
}

#[test]
fn shares_and_blocks_leave_for_the_node() {
    let mut miner = Miner::easy();
    let work = miner.work();
    let (outcome, actions) = miner.submit(&share_of(&work));
    assert_eq!((outcome, solved(&actions)), (Ok(()), vec![(false, true, true)]));
    miner.take(Base { block: 2, block_target_bits: 250, ..Base::default() });
    let work = miner.work();
    let block = Miner::solve(&work, (U256::ZERO, target(SHARE_TARGET_BITS)));
    assert_eq!(solved(&miner.submit(&block).1), [(true, true, true)]);
}

#[test]
fn work_on_an_older_share_counts_and_on_an_older_block_is_stale() {
    let mut miner = Miner::easy();
    let work = miner.work();
    miner.take(Base { share: 2, ..Base::default() });
    let (outcome, actions) = miner.submit(&Miner::solve(&work, counts(&work)));
    assert_eq!(outcome, Ok(()));
    assert!(matches!(actions.as_slice(), [Action::Accepted { late: true, .. }]), "{actions:?}");
    miner.take(Base { block: 2, ..Base::default() });
    let (outcome, actions) = miner.submit(&share_of(&work));
    assert_eq!(outcome, Err(RejectReason::Stale));
    assert_eq!(solved(&actions), [(false, true, false)], "the chain may count it as dead");
}

#[test]
fn miner_may_change_time_and_nonce_and_rolling_bits_and_nothing_else() {
    let mut miner = Miner::easy();
    let work = miner.work();
    let at_byte = |place: usize, flip: u8| {
        let mut changed = work.clone();
        changed.header[place] ^= flip;
        changed
    };
    for (place, flip) in [(68, 1), (1, 0x20)] {
        let work = at_byte(place, flip);
        let solved = Miner::solve(&work, counts(&work));
        assert_eq!(miner.submit(&solved).0, Ok(()), "byte {place}");
    }
    for (place, reason) in [
        (0, RejectReason::Malformed),
        (4, RejectReason::Malformed),
        (73, RejectReason::Malformed),
        (36, RejectReason::UnknownJob),
        (71, RejectReason::TimeOutOfRange),
    ] {
        let work = at_byte(place, 1);
        let solved = Miner::solve(&work, counts(&work));
        assert_eq!(miner.submit(&solved).0, Err(reason), "byte {place}");
    }
    assert_eq!(miner.session.submit(at(0.0), None), Err(RejectReason::Malformed));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut miner = Miner::easy();
    let first = miner.work();
    for _ in 1..HANDED_OUT_MAX {
        miner.work();
    }
    let good = Miner::solve(&first, counts(&first));
    assert_eq!(miner.submit(&good).0, Ok(()));
    miner.work();
    let more = Miner::solve(&first, (U256::ZERO, target(SHARE_TARGET_BITS)));
    assert_eq!(miner.submit(&more).0, Err(RejectReason::UnknownJob));
}

#[test]
fn difficulty_follows_name_program_and_results() {
    let target_for = |user: &str, agent: &str| {
        let session =
            GetworkSession::log_in(config(), EXTRANONCE1, agent, &Login::parse(user, "x"), at(0.0));
        let mut miner = Miner { session: session.unwrap(), seconds: 0.0, works: 0 };
        let easy_share = Base { share_target_bits: 200, block_target_bits: 190, ..Base::default() };
        miner.take(easy_share);
        compact::difficulty(miner.work().target)
    };
    assert!((target_for("me", "something") - 1.0).abs() < 0.01);
    assert!((target_for("me", "cpuminer 2.5") - 0.01).abs() < 0.000_1);
    assert!((target_for("me+16", "cpuminer 2.5") - 16.0).abs() < 0.01);

    let mut miner = Miner::log_in(config(), "me").unwrap();
    miner.take(Base::default());
    let before = miner.work().target;
    for _ in 0..20 {
        miner.seconds += 20.0;
        miner.take(Base::default());
    }
    assert!(miner.work().target > before, "a miner that finds nothing is asked for less");
}

#[test]
fn address_that_cannot_be_paid_is_refused_in_words() {
    let params = Arc::new(Params::regtest());
    let config = || SessionConfig { pays_user_names: Some(Arc::clone(&params)), ..config() };
    let refused = Miner::log_in(config(), "nobody").err().unwrap();
    assert!(refused.contains("must begin with a regtest address"), "{refused}");
    assert!(Miner::log_in(config(), std::str::from_utf8(PAYOUT).unwrap()).is_ok());
}

#[test]
fn only_another_share_or_block_makes_work_late() {
    let mut miner = Miner::easy();
    let terms = Terms { payout_address: PAYOUT.into(), wanted_target: U256::MAX };
    let prepared = |base: Base| Prepared::new(&base.build(), &terms, 99, at(0.0)).unwrap();
    assert!(!miner.session.is_behind(&prepared(Base::default())));
    assert!(miner.session.is_behind(&prepared(Base { share: 2, ..Base::default() })));
    assert!(miner.session.is_behind(&prepared(Base { block: 2, ..Base::default() })));
    miner.take(Base { block: 2, ..Base::default() });
    assert!(!miner.session.is_behind(&prepared(Base { block: 2, ..Base::default() })));
}
