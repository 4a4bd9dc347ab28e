//! Verification of recorded shares from scratch, trusting nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::verify::{ContextError, StandaloneError};
use p2pool_sharechain::{CheckedShare, Params, ShareHash, Tracker};

/// What verification found.
#[derive(Debug)]
pub struct BooksReport {
    /// Shares given.
    pub given: u64,
    /// Of these, already given before.
    pub duplicates: u64,
    /// Shares that passed every check.
    pub verified: u64,
    /// Shares that are good by themselves, but too little history lies below them to say more.
    pub unjudged: u64,
    /// Shares with a fault.
    pub faulty: u64,
    /// The first fault, oldest share first.
    pub first_fault: Option<Fault>,
    /// Time that the checks took.
    pub took: Duration,
    /// The head with the most shares below it.
    pub longest: Option<(ShareHash, u32)>,
    /// The shares, for further questions.
    pub tracker: Tracker,
}

/// A share that fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// By itself.
    #[error("share number {number}: {error}")]
    Standalone {
        /// Its place among the shares given, from 1.
        number: u64,
        /// What is wrong.
        error: StandaloneError,
    },
    /// In its chain.
    #[error("share {hash}: {error}")]
    Context {
        /// The share.
        hash: ShareHash,
        /// What is wrong.
        error: ContextError,
    },
}

impl BooksReport {
    /// Shares checked per second.
    pub fn shares_per_second(&self) -> f64 {
        self.given as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Checks shares by themselves and in their chain. `now` bounds timestamps from the future.
pub fn verify_shares(
    raw: impl Iterator<Item = Vec<u8>>,
    params: &Arc<Params>,
    now: UnixTime,
) -> BooksReport {
    let started = Instant::now();
    let mut report = BooksReport {
        given: 0,
        duplicates: 0,
        verified: 0,
        unjudged: 0,
        faulty: 0,
        first_fault: None,
        took: Duration::ZERO,
        longest: None,
        tracker: Tracker::new(Arc::clone(params), 0),
    };
    let mut shares = Vec::new();
    for bytes in raw {
        report.given += 1;
        match CheckedShare::parse(&bytes, params) {
            Ok(share) => report.take(Arc::new(share), &mut shares),
            Err(error) => {
                report.faulty += 1;
                let number = report.given;
                report.first_fault.get_or_insert(Fault::Standalone { number, error });
            }
        }
    }
    // Oldest first, so that the first fault is the one that others may follow from.
    shares.sort_by_key(|(height, hash)| (*height, *hash));
    for (_, hash) in shares {
        match report.tracker.verify(hash, now) {
            Ok(()) => report.verified += 1,
            Err(ContextError::NoHistory) => report.unjudged += 1,
            Err(error) => {
                report.faulty += 1;
                report.first_fault.get_or_insert(Fault::Context { hash, error });
            }
        }
    }
    let heads = report.tracker.heads().map(|(head, _)| head);
    let with_height = heads.map(|head| (head, report.tracker.height_and_last(Some(head)).0));
    report.longest = with_height.max_by_key(|(_, height)| *height);
    report.took = started.elapsed();
    report
}

impl BooksReport {
    fn take(&mut self, share: Arc<CheckedShare>, shares: &mut Vec<(u32, ShareHash)>) {
        let place = (share.share().info.abs_height, share.hash());
        let known = KnownShare { share, seen: MonoTime::ZERO, sender: None };
        match self.tracker.insert(known) {
            Ok(true) => shares.push(place),
            Ok(false) => self.duplicates += 1,
            Err(error) => {
                self.faulty += 1;
                let (number, error) = (self.given, StandaloneError::Payee(error));
                self.first_fault.get_or_insert(Fault::Standalone { number, error });
            }
        }
    }
}
