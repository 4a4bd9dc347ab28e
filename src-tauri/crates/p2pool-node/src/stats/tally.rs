//! What one connection counts between two reports.

use std::net::IpAddr;

use p2pool_stratum::RejectReason;
use tokio::sync::mpsc;

use super::Count;

/// Results of one worker name since the last report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results {
    pub(crate) worker: String,
    /// Where they came from.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) accepted: u32,
    /// Of these, late ones.
    pub(crate) late: u32,
    pub(crate) rejected: u32,
    /// Sum of the accepted difficulties, and of the late ones among them.
    pub(crate) work: f64,
    pub(crate) late_work: f64,
    /// Shares to expect of this work on average.
    pub(crate) expected_shares: f64,
    /// Why refused ones were refused, with how often; the newest reason last.
    pub(crate) reasons: Vec<(RejectReason, u32)>,
}

/// Counters that wait for the next report.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Shares found.
    pub(crate) shares: u32,
    ip: Option<IpAddr>,
    results: Vec<Results>,
}

impl Tally {
    /// For results that come from this address.
    pub(crate) fn of_address(ip: IpAddr) -> Self {
        Self { ip: Some(ip), ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shares == 0 && self.results.is_empty()
    }

    pub(crate) fn accept(
        &mut self,
        worker: String,
        difficulty: f64,
        share_part: f64,
        is_late: bool,
    ) {
        let results = self.of(worker);
        results.expected_shares += share_part;
        results.accepted += 1;
        results.work += difficulty;
        if is_late {
            results.late += 1;
            results.late_work += difficulty;
        }
    }

    pub(crate) fn reject(&mut self, worker: String, reason: RejectReason) {
        let results = self.of(worker);
        results.rejected += 1;
        let known = results.reasons.iter().position(|(known, _)| *known == reason);
        let count = known.map_or(0, |index| results.reasons.remove(index).1);
        results.reasons.push((reason, count + 1));
    }

    /// Reports as much as there is room for; the rest stays for the next time.
    pub(crate) fn send(&mut self, counts: &mpsc::Sender<Count>) {
        while self.shares > 0 && counts.try_send(Count::Share).is_ok() {
            self.shares -= 1;
        }
        while let Some(results) = self.results.pop() {
            if let Err(error) = counts.try_send(Count::Results(results)) {
                if let Count::Results(results) = error.into_inner() {
                    self.results.push(results);
                }
                return;
            }
        }
        self.results = Vec::new();
    }

    /// Names of one connection are bounded by its session.
    fn of(&mut self, worker: String) -> &mut Results {
        let known = self.results.iter().position(|results| results.worker == worker);
        let index = known.unwrap_or_else(|| {
            self.results.push(Results { worker, ip: self.ip, ..Results::default() });
            self.results.len() - 1
        });
        &mut self.results[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_one_name_are_one_report_and_wait_for_room() {
        let (sender, mut receiver) = mpsc::channel(1);
        let ip = IpAddr::from([192, 168, 1, 57]);
        let mut tally = Tally::of_address(ip);
        tally.accept("a".into(), 2.0, 0.25, false);
        tally.accept("a".into(), 3.0, 0.5, true);
        tally.reject("a".into(), RejectReason::Stale);
        tally.accept("b".into(), 7.0, 1.0, false);
        let mut got = Vec::new();
        for _ in 0..3 {
            tally.send(&sender);
            got.extend(receiver.try_recv().ok());
        }
        assert!(tally.is_empty());
        let a = Results {
            worker: "a".into(),
            ip: Some(ip),
            accepted: 2,
            late: 1,
            rejected: 1,
            work: 5.0,
            late_work: 3.0,
            expected_shares: 0.75,
            reasons: vec![(RejectReason::Stale, 1)],
        };
        let b = Results {
            worker: "b".into(),
            ip: Some(ip),
            accepted: 1,
            work: 7.0,
            expected_shares: 1.0,
            ..Results::default()
        };
        let results: Vec<_> = got
            .into_iter()
            .map(|count| if let Count::Results(results) = count { results } else { panic!() })
            .collect();
        assert_eq!(results, [b, a]);
    }
}
