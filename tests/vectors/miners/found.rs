//! Each solution handed in: the share that it makes is a recorded one, and the same work, made by
//! us, makes it too.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use p2pool_sharechain::generation::{self, Position};
use p2pool_sharechain::share::Payee;
use p2pool_sharechain::template::{
    BlockTemplate, MinerTerms, ROLLING_MASK, ShareTemplate, Solution, TemplateBase,
};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, CompactBits, U256, compact, merkle_link};
use p2pool_stratum::job;
use p2pool_stratum::message::{self, Message, POOL_LINE_BYTES_MAX};
use p2pool_stratum::notify::Notify;

use super::payouts::Parent;
use super::talk::{Submit, Talk};
use super::told::Told;
use crate::cases::{same, same_bytes};
use crate::history::{History, run_of};

/// Shares may be this much harder than the easiest.
const HARDER_MAX: u64 = 30;

/// Checks a solution. `parent` is the share that its job builds on, as far as known.
pub(super) fn check(
    submit: &Submit,
    talk: &Talk,
    parent: Option<Parent>,
    told: &Told,
    history: &mut History,
) -> Result<(), String> {
    let (Some(job), Some(hash)) = (submit.job, submit.hash) else { return Ok(()) };
    if !submit.is_regular(talk) {
        return Ok(());
    }
    let job = &talk.jobs[job];
    if let Some(share) = history.tracker.get(hash).cloned() {
        same("was worth handing in", &true, &(hash.to_uint() <= job.work.target))?;
        header(submit, &job.work.notify, &share)?;
        return coinbase(submit, &job.work.notify, &share, history);
    }
    if told.solutions.contains(&hash) || !told.has_pages() {
        // A share that was not passed on: late, or lost with its node.
        return Ok(());
    }
    let Some(Parent(parent)) = parent else { return Ok(()) };
    let easiest = Position::above(&history.tracker, ShareVersion::NEWEST, parent).easiest_target;
    let hardest = easiest.wrapping_div(U256::from(HARDER_MAX));
    same("is no share whatever was wanted", &true, &(hash.to_uint() > hardest))
}

/// Every recorded share that one of the session's jobs leads to was handed in, but what came after
/// the recorded lines.
pub(super) fn all(talk: &Talk, path: &Path, history: &History) -> Result<(), String> {
    let mut jobs = BTreeMap::new();
    for (index, job) in talk.jobs.iter().enumerate() {
        let prefix = &job.work.notify.coinbase_prefix;
        let from_ref_hash = prefix.len().checked_sub(36).ok_or("a short coinbase")?;
        jobs.insert(prefix[from_ref_hash..].to_vec(), index);
    }
    for hash in history.of_run(run_of(path)) {
        let share = history.tracker.get(hash).ok_or("the share is not known")?.share();
        let branch = &share.ref_merkle_branch;
        let ref_hash = generation::ref_hash(&history.params, share.version, &share.info, branch);
        let nonce = share.last_txout_nonce.to_le_bytes();
        let Some(job) = jobs.get([&ref_hash[..], &nonce[..4]].concat().as_slice()) else {
            continue;
        };
        let is_found = talk.submits.iter().any(|submit| submit.hash == Some(hash));
        let is_last = job + 1 == talk.jobs.len();
        same(&format!("{hash} was handed in"), &true, &(is_found || is_last))?;
    }
    Ok(())
}

fn header(submit: &Submit, notify: &Notify, share: &CheckedShare) -> Result<(), String> {
    let fields = share.share();
    same("version", &fields.header.version, &u64::from(submit.version))?;
    same_bytes("previous block", &fields.header.previous_block, &notify.previous_block)?;
    same("time", &fields.header.timestamp, &submit.time)?;
    same("bits", &fields.header.bits, &CompactBits(notify.bits))?;
    same("nonce", &fields.header.nonce, &submit.nonce)?;
    let root = notify.merkle_root(&[], &submit.extranonce2);
    same_bytes("root", &merkle_link::fold(*share.txid(), &notify.branch), &root)
}

/// The job's coinbase is the one that the chain demands of the share.
fn coinbase(
    submit: &Submit,
    notify: &Notify,
    share: &CheckedShare,
    history: &mut History,
) -> Result<(), String> {
    if !history.tracker.can_judge(share.hash()) {
        return Ok(());
    }
    let nonce = share.share().last_txout_nonce.to_le_bytes();
    let (counter, own) = nonce.split_at(4);
    same_bytes("miner's part of the nonce", &submit.extranonce2, own)?;
    let generation = history.tracker.generation_of(share).map_err(|e| e.to_string())?;
    let prefix = [generation.up_to_nonce(), counter].concat();
    same_bytes("coinbase", &notify.coinbase_prefix, &prefix)?;
    match &share.share().info.data.payee {
        Payee::Address(address) => made_by_us(submit, notify, share, address, history),
        // Older types are checked, not made.
        Payee::PubkeyHash(_) => Ok(()),
    }
}

/// The same work from our own template and job, and the same share from the same solution.
fn made_by_us(
    submit: &Submit,
    notify: &Notify,
    share: &CheckedShare,
    address: &[u8],
    history: &mut History,
) -> Result<(), String> {
    let fields = share.share();
    let terms = MinerTerms {
        payout_address: address.to_vec(),
        wanted_target: share.target(),
        nonce: fields.info.data.nonce,
        timestamp: fields.info.timestamp,
    };
    let template = base(notify, share, history)?.for_miner(&terms);
    let template = Arc::new(template.map_err(|e| e.to_string())?);
    same("fields", &fields.info, template.info())?;

    let ours = handed_out(&template, notify)?;
    let nonce = fields.last_txout_nonce.to_le_bytes();
    let expected = Notify {
        job_id: ours.job_id.clone(),
        // The pool's four bytes of the nonce travel in the job there, in the subscription here.
        coinbase_prefix: notify.coinbase_prefix[..notify.coinbase_prefix.len() - 4].to_vec(),
        version: notify.version & !ROLLING_MASK,
        // New shares do not make old work worthless.
        clean: false,
        ..notify.clone()
    };
    same("job", &expected, &ours)?;

    let solution = Solution {
        version: submit.version,
        coinbase_nonce: nonce,
        time: submit.time,
        nonce: submit.nonce,
    };
    let grade = template.grade(&solution);
    same("hash", &share.hash(), &grade.hash)?;
    same("is a share", &true, &grade.is_share)?;
    same("is a block", &share.claims_block(), &grade.is_block)?;
    let made = template.share(&solution).map_err(|e| e.to_string())?;
    let mut expected = fields.clone();
    // Dead weight from type 34 on; left empty.
    expected.merkle_branch.clear();
    same("share", &expected, made.share())
}

/// The line that hands out our job, read again.
fn handed_out(template: &Arc<ShareTemplate>, notify: &Notify) -> Result<Notify, String> {
    let now = Now { wall: UnixTime(u64::from(notify.time)), mono: MonoTime::ZERO };
    let difficulty = compact::difficulty(template.share_target());
    let asked = Arc::new(job::Asked::new(difficulty));
    let job = job::Job::new(1, Arc::clone(template), asked, now.mono);
    let line = job.to_line("1", &job::Job::fields(template), now, false);
    match message::parse(&line, POOL_LINE_BYTES_MAX) {
        Ok(Message::Request { id: None, method, params }) if method == "mining.notify" => {
            Notify::parse(&params).map_err(|e| e.to_string())
        }
        other => Err(format!("our job is no notification: {other:?}")),
    }
}

fn base(
    notify: &Notify,
    share: &CheckedShare,
    history: &mut History,
) -> Result<Arc<TemplateBase>, String> {
    let fields = share.share();
    let data = &fields.info.data;
    let parent = fields.parent();
    let tracker = &mut history.tracker;
    let block = BlockTemplate {
        version: notify.version,
        previous_block: BlockHash::from_byte_array(notify.previous_block),
        // Which they are is not known, only what they are committed to with.
        transactions: Vec::new(),
        coinbase_value_sats: data.subsidy_sats,
        coinbase_aux: Vec::new(),
        bits: fields.header.bits,
        current_time: notify.time,
        min_time: 0,
        max_time: None,
        height: 0,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    };
    Ok(Arc::new(TemplateBase {
        sequence: 0,
        new_block: false,
        params: Arc::clone(&history.params),
        segwit: fields.info.segwit.clone().ok_or("no witness data")?,
        block: Arc::new(block),
        previous_share: parent,
        version: fields.version,
        desired_version: data.desired_version,
        stale_info: data.stale_info,
        donation: data.donation,
        position: Position::above(tracker, fields.version, parent),
        window: Arc::new(tracker.payout_window(parent, fields.header.bits)),
        coinbase: data.coinbase.clone(),
    }))
}
