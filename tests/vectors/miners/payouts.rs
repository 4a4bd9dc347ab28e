//! What each job's coinbase pays: what the chain demands above some share of the run.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use bitcoin::Transaction;
use p2pool_sharechain::address::{self, Decoded};
use p2pool_sharechain::generation::{self, Output, Position, Window};
use p2pool_sharechain::payout::{PayeeKey, WEIGHT_PER_HASH};
use p2pool_sharechain::share::{Payee, SegwitData, ShareData, StaleInfo};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{Attempts, CompactBits, ShareHash, U256};
use p2pool_stratum::login::Login;

use super::talk::{Job, Submit, Talk};
use super::told::Told;
use super::work::{coinbase_of, value_of};
use crate::history::{History, run_of};

/// Generations around the last job's parent in which the next one's is looked for first.
const BACK: u32 = 2;
const AHEAD: usize = 6;

/// What a job builds on; nothing if it is for the first share of a chain.
#[derive(Clone, Copy)]
pub(super) struct Parent(pub(super) Option<ShareHash>);

/// A share that was found and is not recorded: nobody was connected yet, and it was not built on
/// for long.
pub(super) struct Lost {
    at: f64,
    parent: Option<ShareHash>,
    /// Whom its job may have paid.
    payees: Vec<Vec<u8>>,
}

/// Finds out what jobs build on.
pub(super) struct Payouts<'a> {
    history: &'a mut History,
    told: &'a Told,
    /// All shares of the run, oldest first.
    shares: Vec<ShareHash>,
    /// Parent of the last job.
    last: Option<ShareHash>,
}

impl<'a> Payouts<'a> {
    pub(super) fn new(path: &Path, history: &'a mut History, told: &'a Told) -> Self {
        let tracker = &history.tracker;
        let height = |hash: ShareHash| tracker.get(hash).map(|share| share.share().info.abs_height);
        let mut shares: Vec<_> =
            history.of_run(run_of(path)).map(|hash| (height(hash), hash)).collect();
        shares.sort_unstable();
        let shares = shares.into_iter().map(|(_, hash)| hash).collect();
        Self { history, told, shares, last: None }
    }

    /// The share above which the chain demands just this coinbase, if it is recorded.
    pub(super) fn parent(&mut self, job: &Job, talk: &Talk) -> Result<Option<Parent>, String> {
        let coinbase = coinbase_of(&job.work.notify)?;
        let bits = CompactBits(job.work.notify.bits);
        let payees = self.payees(job, talk);
        let far = self.shares.clone();
        let candidates = self.near().into_iter().chain(far).map(Some).chain([None]);
        for parent in candidates {
            let window = self.history.tracker.payout_window(parent, bits);
            if self.pays(&coinbase, &window, parent, &payees)? {
                self.last = parent;
                return Ok(Some(Parent(parent)));
            }
        }
        Ok(None)
    }

    /// Whether the coinbase is the one demanded above a child of one of these shares.
    pub(super) fn is_above(
        &mut self,
        lost: &[Lost],
        job: &Job,
        talk: &Talk,
    ) -> Result<bool, String> {
        let coinbase = coinbase_of(&job.work.notify)?;
        let payees = self.payees(job, talk);
        let at = talk.lines[job.line].at;
        for lost in lost.iter().filter(|lost| lost.at < at) {
            for (finder, donation) in self.finders(lost) {
                let window = self.window_from(lost, &finder, donation, job)?;
                if self.pays(&coinbase, &window, lost.parent, &payees)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Notes a solution if it made a share that is not recorded. `parent` is that of its job.
    pub(super) fn lost(&self, submit: &Submit, talk: &Talk, parent: Parent) -> Option<Lost> {
        let job = talk.jobs.get(submit.job?)?;
        let easiest = self.position(parent.0).easiest_target;
        let hash = submit.hash.filter(|hash| hash.to_uint() <= easiest)?;
        let is_lost = submit.is_regular(talk) && self.history.tracker.get(hash).is_none();
        let at = talk.lines[submit.line].at;
        is_lost.then(|| Lost { at, parent: parent.0, payees: self.payees(job, talk) })
    }

    /// Who may have found a lost share, with what he may have given.
    fn finders(&self, lost: &Lost) -> Vec<(Vec<u8>, u16)> {
        let payees = lost.payees.iter();
        payees
            .flat_map(|payee| self.told.donations.iter().map(|part| (payee.clone(), *part)))
            .collect()
    }

    /// The window that starts at a lost share: its own weight, and what lies below it.
    fn window_from(
        &mut self,
        lost: &Lost,
        finder: &[u8],
        donation: u16,
        job: &Job,
    ) -> Result<Window, String> {
        let work = self.position(lost.parent).max_bits.attempts();
        let params = Arc::clone(&self.history.params);
        let cap = CompactBits(job.work.notify.bits).attempts() * Attempts::from(params.spread);
        let tracker = &mut self.history.tracker;
        let (height, _) = tracker.height_and_last(lost.parent);
        // The job's parent and the lost share are above; the parent itself is never paid.
        let shares_max = (height + 2).min(params.real_chain_length).saturating_sub(2);
        let mut window = tracker.window_from(lost.parent, shares_max, cap.saturating_sub(work));
        let whole = Attempts::from(WEIGHT_PER_HASH);
        let kept = work.min(cap) * (whole - Attempts::from(donation));
        window.total += work.min(cap) * whole;
        window.shares += 1;
        match window.weights.iter_mut().find(|(key, _)| key.text() == finder) {
            Some((_, weight)) => *weight += kept,
            None => {
                let key = PayeeKey::new(finder, &params.addresses).map_err(|e| e.to_string())?;
                window.weights.push((Arc::new(key), kept));
            }
        }
        Ok(window)
    }

    /// Whom a job may pay: the miner if his name is an address that shares of this time can pay,
    /// and the node's owner before he has said his name, or if it is not.
    fn payees(&self, job: &Job, talk: &Talk) -> Vec<Vec<u8>> {
        let name = Login::parse(&talk.login.0, &talk.login.1).name;
        let account = Login::account(&name).as_bytes().to_vec();
        let decoded = address::decode(&account, &self.history.params.addresses);
        let answered = talk.lines.iter().position(|line| {
            !line.is_from_miner
                && line.json["id"] == talk.authorize_id
                && line.json["result"] == true
        });
        let mut payees: Vec<Vec<u8>> = Vec::new();
        if decoded.is_ok() {
            payees.push(account);
        }
        let is_named = answered.is_some_and(|answered| answered < job.line);
        if !is_named || !matches!(decoded, Ok(Decoded::P2pkh(_))) {
            payees.extend(self.told.operators.iter().cloned());
        }
        payees
    }

    /// Shares around the last job's parent, nearest generation first.
    fn near(&self) -> Vec<ShareHash> {
        let Some(last) = self.last else { return Vec::new() };
        let tracker = &self.history.tracker;
        let Some(root) = tracker.nth_parent(Some(last), BACK) else { return vec![last] };
        let mut found = vec![last];
        let mut open = VecDeque::from([(root, 0)]);
        while let Some((hash, depth)) = open.pop_front() {
            found.push(hash);
            if depth < AHEAD {
                open.extend(tracker.children(Some(hash)).into_iter().map(|hash| (hash, depth + 1)));
            }
        }
        found
    }

    fn version(&self, parent: Option<ShareHash>) -> ShareVersion {
        let parent = parent.and_then(|hash| self.history.tracker.get(hash));
        parent.map_or(ShareVersion::OLDEST, |share| share.share().version)
    }

    fn position(&self, parent: Option<ShareHash>) -> Position {
        Position::above(&self.history.tracker, self.version(parent), parent)
    }

    /// Whether the coinbase pays this window and one of these finders. Nothing else in it follows
    /// from the chain.
    fn pays(
        &self,
        coinbase: &Transaction,
        window: &Window,
        parent: Option<ShareHash>,
        payees: &[Vec<u8>],
    ) -> Result<bool, String> {
        let recorded = coinbase.output.iter().map(|output| Output {
            value_sats: output.value.to_sat(),
            script: output.script_pubkey.to_bytes(),
        });
        let recorded: Vec<Output> = recorded.collect();
        let payouts = |outputs: &[Output]| outputs[1..outputs.len() - 1].to_vec();
        let position = self.position(parent);
        for payee in payees {
            let data = ShareData {
                previous_share: parent,
                coinbase: coinbase.input[0].script_sig.to_bytes(),
                nonce: 0,
                payee: Payee::Address(payee.clone()),
                subsidy_sats: value_of(coinbase),
                donation: 0,
                stale_info: StaleInfo::NONE,
                desired_version: 0,
            };
            let segwit = SegwitData { txid_branch: Vec::new(), wtxid_root: [0; 32] };
            let info = position.share_info(data, Some(segwit), None, 0, U256::MAX);
            let params = &self.history.params;
            let ours = generation::generate(params, self.version(parent), &info, window, &[]);
            if payouts(&recorded) == payouts(ours.map_err(|e| e.to_string())?.outputs()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
